/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of the request stream: every kind, and every kind of mistake. */
#include <errno.h>
#include <string.h>

#include "tests/test.h"
#include "tests/trace/files.h"
#include "trace/request.h"

static const struct req_limits small_guest = {
	.nr_cpus = 2,
	.zones = 0x3,
	.end_pfn = 262144,
};

static struct req_stream *open_text(char path[TEST_PATH_MAX], const char *text,
				    struct diag *d)
{
	struct req_stream *s;

	file_write_text(path, text);
	assert_int_equal(req_open(&s, path, &small_guest, d), 0);
	return s;
}

static void test_request__every_kind_survives_a_round_trip(void **state)
{
	/* What is printed is what was read, for each of the kinds. */
	static const char *const rows[] = {
		"A 0 0 0x100dca 1 10280", "A 1 9 0x1c24ca 1 -",
		"AB 0 0 0xcc0 0 12",      "AK 0 9 0x1c24ca 1 1024",
		"B 0 1 0 0 10280",        "F 1 3 8",
		"FB 0 10 1024",           "P 0 0 7",
		"C 0 0 7",                "D 0 1 63 12 1462",
		"W 1 1",                  "W 0 0",
		"I 0 1 9 0 10752",        "R 0 1 10 1 119808",
		"TF 0 1 10 1 1024",       "TB 0 1 9 1 512",
		"K 0 1 9 1 1024 1027",    "T head 11876",
		"T tail 11877",           "M 1 1024 0 40 471",
		"Q 10 147456",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct diag d = { 0 };
		char path[TEST_PATH_MAX], text[96], out[96];
		struct req_record rec;
		struct req_stream *s;

		snprintf(text, sizeof(text), "%s\n", rows[i]);
		s = open_text(path, text, &d);
		if (req_next(s, &rec) != 1)
			fail_msg("%s: %s", rows[i], d.last);
		req_format(&rec, out, sizeof(out));
		assert_string_equal(out, rows[i]);
		assert_int_equal(req_next(s, &rec), 0);
		req_close(s);
		file_remove(path);
	}
}

static void test_request__fields_go_where_they_belong(void **state)
{
	/* The kinds whose fields share a place in the record. */
	struct diag d = { 0 };
	char path[TEST_PATH_MAX];
	struct req_record r;
	struct req_stream *s = open_text(path,
		"D 1 0 63 12 1462\n"
		"\n"
		"# a comment\n"
		"M 1 1024 2 40 471\n"
		"K 0 1 9 1 1024 1027\n"
		"A 1 2 0xdc0 0 -\n", &d);

	(void)state;
	assert_int_equal(req_next(s, &r), 1);
	assert_int_equal(r.kind, REQ_D);
	assert_int_equal(r.cpu, 1);
	assert_int_equal(r.zone, 0);
	assert_int_equal(r.nr_pages, 63);
	assert_int_equal(r.pindex, 12);
	assert_int_equal(r.count, 1462);
	assert_int_equal(req_next(s, &r), 1);
	assert_int_equal(req_line(s), 4);
	assert_int_equal(r.pfn, 1024);
	assert_int_equal(r.mt, 2);
	assert_int_equal(r.moved, 40);
	assert_int_equal(r.movable, 471);
	assert_int_equal(req_next(s, &r), 1);
	assert_int_equal(r.pfn, 1024);
	assert_int_equal(r.freed, 1027);
	assert_int_equal(req_next(s, &r), 1);
	assert_int_equal(r.gfp, 0xdc0);
	assert_int_equal(r.order, 2);
	assert_int_equal(r.pfn, PFN_NONE);
	assert_int_equal(req_next(s, &r), 0);
	assert_int_equal(d.nr_errors, 0);
	req_close(s);
	file_remove(path);
}

static void test_request__mistakes_name_line_and_column(void **state)
{
	/* One wrong line after a good one: where, what, and what is allowed. */
	static const struct {
		const char *line, *message;
	} rows[] = {
		{ "X 0 0 1", ":2:1: error: unknown record kind \"X\"" },
		{ "FBB 0 0 1", "did you mean \"FB\"?; allowed are A AB AK" },
		{ "F 2 0 1",
		  ":2:3: error: the CPU is \"2\"; allowed is a decimal number from 0 to 1" },
		{ "F 0 11 1", ":2:5: error: the order is \"11\"" },
		{ "F 0 0 262144",
		  ":2:7: error: the PFN is \"262144\"; allowed is a decimal number "
		  "from 0 to 262143" },
		{ "F 0 0 -", ":2:7: error: the PFN is \"-\"" },
		{ "F 0 0", ":2:6: error: the line ends where the PFN is expected" },
		{ "F 0 0 1 9", ":2:9: error: more fields than this record has: \"9\"" },
		{ "F 0 3 12", ":2:7: error: PFN 12 is not a multiple of 8" },
		{ "F 0 0 1x", ":2:7: error: the PFN is \"1x\"" },
		{ "F 0 0 99999999999999999999", ":2:7: error: the PFN is" },
		{ "A 0 0 0xzz 1 5", ":2:7: error: the GFP mask is \"0xzz\"" },
		{ "A 0 0 0x100000000 1 5", ":2:7: error: the GFP mask is" },
		{ "A 0 0 0xcc0 6 5", ":2:13: error: the migratetype is \"6\"" },
		{ "B 0 2 0 0 5", ":2:5: error: zone 2 is not in the snapshot" },
		{ "B 0 5 0 0 5", ":2:5: error: the zone is \"5\"" },
		{ "D 0 1 63 14 9", ":2:10: error: the list index is \"14\"" },
		{ "W 1 2", ":2:5: error: reclaim active is \"2\"" },
		{ "T left 5", ":2:3: error: placement is \"left\"; allowed are head and tail" },
		{ "Q 10 1023", ":2:6: error: PFN 1023 is not a multiple of 1024" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct diag d = { 0 };
		char path[TEST_PATH_MAX], text[128];
		struct req_record rec;
		struct req_stream *s;

		snprintf(text, sizeof(text), "F 0 0 1\n%s\nF 0 0 2\n",
			 rows[i].line);
		s = open_text(path, text, &d);
		assert_int_equal(req_next(s, &rec), 1);
		assert_int_equal(req_next(s, &rec), -EINVAL);
		if (!strstr(d.last, rows[i].message))
			fail_msg("%s: %s", rows[i].line, d.last);
		/* The rest of the stream is read, and may have more of them. */
		assert_int_equal(req_next(s, &rec), 1);
		assert_int_equal(rec.pfn, 2);
		ASSERT_U64(rows[i].line, d.nr_errors, 1);
		req_close(s);
		file_remove(path);
	}
}

static void test_request__blocks_end_inside_the_guest(void **state)
{
	/* The last PFN is no power of two: a block may begin, but not end. */
	static const struct req_limits odd = { .end_pfn = 1536 };
	struct diag d = { 0 };
	char path[TEST_PATH_MAX];
	struct req_record rec;
	struct req_stream *s;

	(void)state;
	file_write_text(path, "F 0 9 1024\nF 0 10 1024\n");
	assert_int_equal(req_open(&s, path, &odd, &d), 0);
	assert_int_equal(req_next(s, &rec), 1);
	assert_int_equal(req_next(s, &rec), -EINVAL);
	assert_string_equal(file_message(d.last, path),
			    ":2:8: error: the block reaches beyond the last PFN, 1535");
	req_close(s);
	file_remove(path);
}

static void test_request__a_broken_file_ends_the_stream(void **state)
{
	/* A cut zstd frame is final, once what is whole was read; a NUL byte
	 * is not a line to skip. */
	struct diag d = { 0 };
	char path[TEST_PATH_MAX];
	struct req_record rec;
	struct req_stream *s;

	(void)state;
	file_write_zstd(path, "F 0 0 1\nF 0 0 2\n", 3);
	assert_int_equal(req_open(&s, path, NULL, &d), 0);
	while (req_next(s, &rec) == 1)
		assert_int_equal(rec.pfn, 1);
	assert_int_equal(req_next(s, &rec), -EBADMSG);
	assert_int_equal(d.nr_errors, 1);
	req_close(s);
	file_remove(path);
	file_write(path, "F 0 0 1\nF 0 \0 2\n", 16);
	assert_int_equal(req_open(&s, path, NULL, &d), 0);
	assert_int_equal(req_next(s, &rec), 1);
	assert_int_equal(req_next(s, &rec), -EBADMSG);
	req_close(s);
	file_remove(path);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_request__every_kind_survives_a_round_trip),
	cmocka_unit_test(test_request__fields_go_where_they_belong),
	cmocka_unit_test(test_request__mistakes_name_line_and_column),
	cmocka_unit_test(test_request__blocks_end_inside_the_guest),
	cmocka_unit_test(test_request__a_broken_file_ends_the_stream),
};

TEST_MAIN(cases)
