/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Option values: what is accepted, what is said otherwise, and back to text. */
#include <errno.h>
#include <string.h>

#include "include/option.h"
#include "tests/test.h"

struct values {
	bool shuffle;
	uint64_t order;
	uint64_t memory;
	uint64_t delay_ns;
	struct option_share size;
	unsigned int thp;
	char topology[OPTION_STRING_SIZE];
};

static const char *const thp_names[] = { "always", "madvise", "never", NULL };

static const struct option_desc descs[] = {
	{ .name = "shuffle", .type = OPTION_BOOL, .def = "off",
	  .offset = offsetof(struct values, shuffle) },
	{ .name = "order", .type = OPTION_UINT, .min = 4, .max = 10,
	  .def = "9", .offset = offsetof(struct values, order) },
	{ .name = "memory", .type = OPTION_SIZE, .min = 4096, .def = "4G",
	  .offset = offsetof(struct values, memory) },
	{ .name = "delay", .type = OPTION_TIME, .max = 60000000000,
	  .def = "2s", .offset = offsetof(struct values, delay_ns) },
	{ .name = "size", .type = OPTION_SHARE, .def = "100%",
	  .offset = offsetof(struct values, size) },
	{ .name = "thp", .type = OPTION_NAME, .names = thp_names,
	  .def = "madvise", .offset = offsetof(struct values, thp) },
	{ .name = "topology", .type = OPTION_STRING, .def = "this",
	  .offset = offsetof(struct values, topology) },
	{ .name = NULL },
};

static const struct option_table table = { descs, sizeof(struct values) };

static void test_option__accepted_texts_have_one_spelling(void **state)
{
	/* Text, and its canonical form, which parses back to itself. */
	static const struct {
		const char *name, *text, *canonical;
	} rows[] = {
		{ "shuffle", "on", "on" },
		{ "shuffle", "off", "off" },
		{ "order", "4", "4" },
		{ "order", "010", "10" },
		{ "memory", "4096", "4096" },
		{ "memory", "64K", "65536" },
		{ "memory", "32G", "34359738368" },
		{ "memory", "1T", "1099511627776" },
		{ "memory", "1.5G", "1610612736" },
		{ "memory", "15.9990234375M", "16776192" },
		{ "memory", "18446744073709551615", "18446744073709551615" },
		{ "delay", "0ns", "0ns" },
		{ "delay", "2s", "2000000000ns" },
		{ "delay", "0.5s", "500000000ns" },
		{ "delay", "1.000000001s", "1000000001ns" },
		{ "delay", "250us", "250000ns" },
		{ "delay", "16ms", "16000000ns" },
		{ "delay", "1m", "60000000000ns" },
		{ "size", "100%", "100%" },
		{ "size", "12.5%", "12.5%" },
		{ "size", "0.05%", "0.05%" },
		{ "size", "33.330%", "33.33%" },
		{ "size", "24G", "25769803776" },
		{ "thp", "always", "always" },
		{ "thp", "never", "never" },
		{ "topology", "pack:1 core:8 pu:2", "pack:1 core:8 pu:2" },
		{ "topology", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct option_desc *o = option_find(&table, rows[i].name);
		struct values v = { 0 }, again = { 0 };
		char out[OPTION_STRING_SIZE], why[256] = "";

		assert_non_null(o);
		if (option_parse(o, rows[i].text, &v, why, sizeof(why)))
			fail_msg("%s = %s: %s", o->name, rows[i].text, why);
		option_format(o, &v, out, sizeof(out));
		if (strcmp(out, rows[i].canonical))
			fail_msg("%s = %s: spelled %s, expected %s", o->name,
				 rows[i].text, out, rows[i].canonical);
		assert_int_equal(option_parse(o, out, &again, why,
					      sizeof(why)), 0);
		assert_memory_equal(&again, &v, sizeof(v));
	}
}

static void test_option__refused_texts_say_what_is_allowed(void **state)
{
	/* Bad text, and words that the message must contain. */
	static const struct {
		const char *name, *text, *says;
	} rows[] = {
		{ "shuffle", "yes", "neither on nor off" },
		{ "shuffle", "", "neither on nor off" },
		{ "order", "3", "4 to 10" },
		{ "order", "11", "4 to 10" },
		{ "order", "", "plain number" },
		{ "order", "-5", "plain number" },
		{ "order", "+5", "plain number" },
		{ "order", " 5", "plain number" },
		{ "order", "5 ", "plain number" },
		{ "order", "5.0", "plain number" },
		{ "order", "0x5", "plain number" },
		{ "order", "18446744073709551616", "64 bits" },
		{ "memory", "4g", "K, M, G or T" },
		{ "memory", "4GB", "K, M, G or T" },
		{ "memory", "4s", "K, M, G or T" },
		{ "memory", "1.G", "K, M, G or T" },
		{ "memory", ".5G", "K, M, G or T" },
		{ "memory", "0.1K", "K, M, G or T" },
		{ "memory", "4095", "smallest is 4K" },
		{ "memory", "16777216T", "64 bits" },
		{ "memory", "1.00000000000000000001K", "K, M, G or T" },
		{ "delay", "2", "ns, us, ms, s, m" },
		{ "delay", "2h", "ns, us, ms, s, m" },
		{ "delay", "0.5ns", "ns, us, ms, s, m" },
		{ "delay", "61s", "0ns to 1m" },
		{ "size", "101%", "more than 100%" },
		{ "size", "0.001%", "percentage" },
		{ "size", "%", "percentage" },
		{ "size", "5 %", "percentage" },
		{ "size", "many", "size" },
		{ "thp", "alwys", "did you mean 'always'" },
		{ "thp", "sometimes", "always, madvise, never" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct option_desc *o = option_find(&table, rows[i].name);
		struct values v, untouched;
		char why[256] = "";

		memset(&v, 0x5a, sizeof(v));
		memcpy(&untouched, &v, sizeof(v));
		assert_non_null(o);
		if (option_parse(o, rows[i].text, &v, why, sizeof(why)) !=
		    -EINVAL)
			fail_msg("%s = '%s' was accepted", o->name,
				 rows[i].text);
		if (!strstr(why, rows[i].says))
			fail_msg("%s = '%s': no '%s' in: %s", o->name,
				 rows[i].text, rows[i].says, why);
		/* A refused text leaves the old value. */
		assert_memory_equal(&v, &untouched, sizeof(v));
	}
}

static void test_option__text_ends_at_its_capacity(void **state)
{
	/* 255 bytes fit a string option, 256 do not. */
	const struct option_desc *o = option_find(&table, "topology");
	char text[OPTION_STRING_SIZE + 1], why[256];
	struct values v;

	(void)state;
	memset(text, 'p', sizeof(text));
	text[OPTION_STRING_SIZE] = '\0';
	assert_int_equal(option_parse(o, text, &v, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "at most 255"));
	text[OPTION_STRING_SIZE - 1] = '\0';
	assert_int_equal(option_parse(o, text, &v, why, sizeof(why)), 0);
	assert_string_equal(v.topology, text);
}

static void test_option__defaults_fill_the_struct(void **state)
{
	/* Every member gets its default, padding and the rest zeroes. */
	struct values v, again;

	(void)state;
	memset(&v, 0xff, sizeof(v));
	memset(&again, 0x11, sizeof(again));
	option_defaults(&table, &v);
	option_defaults(&table, &again);
	assert_memory_equal(&v, &again, sizeof(v));
	assert_false(v.shuffle);
	ASSERT_U64("order", v.order, 9);
	ASSERT_U64("memory", v.memory, UINT64_C(4) << 30);
	ASSERT_U64("delay", v.delay_ns, 2000000000);
	ASSERT_U64("size", v.size.value, 10000);
	assert_true(v.size.is_percent);
	ASSERT_U64("thp", v.thp, 1);
	assert_string_equal(v.topology, "this");
}

static void test_option__names_end_with_null(void **state)
{
	/* All names in table order, or as many as fit with the NULL. */
	const char *names[8], *few[3];

	(void)state;
	ASSERT_U64("all", option_names(&table, names, 8), 7);
	assert_string_equal(names[0], "shuffle");
	assert_string_equal(names[6], "topology");
	assert_null(names[7]);
	ASSERT_U64("few", option_names(&table, few, 3), 2);
	assert_null(few[2]);
	assert_null(option_find(&table, "shuffl"));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_option__accepted_texts_have_one_spelling),
	cmocka_unit_test(test_option__refused_texts_say_what_is_allowed),
	cmocka_unit_test(test_option__text_ends_at_its_capacity),
	cmocka_unit_test(test_option__defaults_fill_the_struct),
	cmocka_unit_test(test_option__names_end_with_null),
};

TEST_MAIN(cases)
