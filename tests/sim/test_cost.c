/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Price lists: interpolation, the file format and its errors. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/cost.h"
#include "tests/test.h"

static int read_text(struct price_list *l, const char *text, struct diag *d)
{
	char path[] = "/tmp/buddylab-test-XXXXXX";
	int fd = mkstemp(path), ret;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	price_list_default(l);
	ret = price_list_read(l, path, d);
	unlink(path);
	return ret;
}

static void test_cost__every_price_has_a_source(void **state)
{
	/* The built-in list names where each number comes from. */
	struct price_list l;
	unsigned int i;

	(void)state;
	price_list_default(&l);
	for (i = 0; i < NR_PRICES; i++) {
		assert_true(price_name((enum price_id)i) != NULL);
		assert_true(price_help((enum price_id)i)[0] != '\0');
		assert_true(l.p[i].ps_1 > 0 || i == PRICE_GUEST_WALK_REF);
		assert_true(strlen(l.p[i].source) > 5);
	}
}

static void test_cost__interpolates_on_busy_vcpus(void **state)
{
	/* 100 ns with one vCPU, 400 ns with sixteen. */
	static const struct { unsigned int busy; uint64_t ps; } rows[] = {
		{ 0, 100000 }, { 1, 100000 }, { 2, 120000 }, { 6, 200000 },
		{ 16, 400000 }, { 64, 400000 },
	};
	struct price_list l;
	struct price_now now;
	struct diag d = { 0 };
	unsigned int i;

	(void)state;
	assert_int_equal(read_text(&l, "[prices]\nlock = 100ns, 400ns @ 16 | "
				   "measured | here\n", &d), 0);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		price_list_at(&l, rows[i].busy, &now);
		ASSERT_U64(test_row(i), now.ps[PRICE_LOCK], rows[i].ps);
	}
}

static void test_cost__printed_list_reads_back(void **state)
{
	/* price_list_print and price_list_read are inverse to each other. */
	struct price_list a, b;
	struct diag d = { 0 };
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	unsigned int i;

	(void)state;
	price_list_default(&a);
	a.p[PRICE_FAULT_COW] = (struct price){ 2763536, 4874561, 16,
					       PRICE_BASELINE, "a row" };
	price_list_print(&a, f);
	fclose(f);
	assert_int_equal(read_text(&b, text, &d), 0);
	for (i = 0; i < NR_PRICES; i++) {
		ASSERT_U64(test_row(i), b.p[i].ps_1, a.p[i].ps_1);
		ASSERT_U64(test_row(i), b.p[i].ps_n, a.p[i].ps_n);
		ASSERT_U64(test_row(i), b.p[i].tasks, a.p[i].tasks);
		ASSERT_U64(test_row(i), b.p[i].tag, a.p[i].tag);
		assert_string_equal(b.p[i].source, a.p[i].source);
	}
	free(text);
}

static void test_cost__bad_lines_are_refused(void **state)
{
	/* Each line is wrong in one way; the message says which. */
	static const struct { const char *line, *says; } rows[] = {
		{ "lokc = 1ns | measured | x", "did you mean 'lock'" },
		{ "lock = 1 | measured | x", "not a price" },
		{ "lock = 1ns", "no '| tag | source'" },
		{ "lock = 1ns | guessed | x", "literature, measured, baseline" },
		{ "lock = 1ns | measured |", "a source must follow" },
		{ "lock = 1ns, 2ns | measured | x", "not a price" },
		{ "lock = 1ns, 2ns @ 0 | measured | x", "not a price" },
		{ "lock = 99999999999999999999s | measured | x", "not a price" },
		{ "lock", "expected 'name = value" },
		{ "lock = 1ns | measured | x\nlock = 2ns | measured | x",
		  "already set on line 1" },
	};
	struct price_list l;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct diag d = { 0 };

		assert_int_not_equal(read_text(&l, rows[i].line, &d), 0);
		if (!strstr(d.last, rows[i].says))
			fail_msg("row %u: '%s' does not say '%s'", i, d.last,
				 rows[i].says);
	}
}

static void test_cost__second_clear_is_as_dear_unless_said(void **state)
{
	/* A file that knows only the first clear; both; neither. */
	static const struct { const char *text; uint64_t ps; } rows[] = {
		{ "guest_zero_2m = 500us | measured | x\n", 500000000 },
		{ "guest_rezero_2m = 5us | measured | x\n"
		  "guest_zero_2m = 500us | measured | x\n", 5000000 },
		{ "lock = 1ns | measured | x\n", 90000000 },
	};
	struct price_list l;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct diag d = { 0 };

		assert_int_equal(read_text(&l, rows[i].text, &d), 0);
		ASSERT_U64(test_row(i), l.p[PRICE_GUEST_REZERO_2M].ps_1,
			   rows[i].ps);
	}
}

static void test_cost__missing_file_is_an_error(void **state)
{
	/* The path is in the message. */
	struct price_list l;
	struct diag d = { 0 };

	(void)state;
	price_list_default(&l);
	assert_int_not_equal(price_list_read(&l, "no/such.prices", &d), 0);
	assert_true(strstr(d.last, "no/such.prices") != NULL);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_cost__every_price_has_a_source),
	cmocka_unit_test(test_cost__interpolates_on_busy_vcpus),
	cmocka_unit_test(test_cost__printed_list_reads_back),
	cmocka_unit_test(test_cost__bad_lines_are_refused),
	cmocka_unit_test(test_cost__second_clear_is_as_dear_unless_said),
	cmocka_unit_test(test_cost__missing_file_is_an_error),
};

TEST_MAIN(cases)
