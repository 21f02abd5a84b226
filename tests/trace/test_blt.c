/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * .blt files: what is written is read, whatever the events, and the file is
 * one that zstd reads. `test_blt random SEED` repeats one random case.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "tests/test.h"
#include "tests/trace/events.h"
#include "tests/trace/files.h"
#include "trace/blt.h"

#define TASKS 5u
#define TEXT 256

static const struct blt_info some_info = { "6.1", TRACE_FORMAT_PERF };

static void new_path(char path[TEST_PATH_MAX])
{
	file_write(path, "", 0);
}

static struct blt_writer *create(const char *path, struct diag *d)
{
	struct blt_writer *w;
	uint32_t number;

	assert_int_equal(blt_create(&w, path, &some_info, d), 0);
	for (uint32_t i = 1; i < TASKS; i++) {
		const struct trace_task t = { 100 + i, i % 2 ? "odd" : "" };

		assert_int_equal(blt_task(w, &t, &number), 0);
		assert_int_equal(number, i);
	}
	return w;
}

static void write_events(char path[TEST_PATH_MAX],
			 const struct trace_event *e, size_t n)
{
	struct diag d = { 0 };
	struct blt_writer *w;

	new_path(path);
	w = create(path, &d);
	for (size_t i = 0; i < n; i++)
		if (blt_put(w, &e[i]))
			fail_msg("event %zu: %s", i, d.last);
	assert_int_equal(blt_commit(w, NULL), 0);
}

/* Every event as its text, in order, and then the end. */
static void expect_events(const char *path, const struct trace_event *e,
			  size_t n, uint64_t seed)
{
	struct diag d = { 0 };
	struct blt_reader *r;
	struct trace_event got;
	char a[TEXT], b[TEXT];

	if (blt_open(&r, path, &d))
		fail_msg("seed %" PRIu64 ": %s", seed, d.last);
	for (size_t i = 0; i < n; i++) {
		if (blt_next(r, &got) != 1)
			fail_msg("seed %" PRIu64 ", event %zu: %s", seed, i,
				 d.last);
		event_text(&got, a, sizeof(a));
		event_text(&e[i], b, sizeof(b));
		if (strcmp(a, b) != 0)
			fail_msg("test_blt random %" PRIu64 ": event %zu is\n"
				 "%s\ninstead of\n%s", seed, i, a, b);
	}
	assert_int_equal(blt_next(r, &got), 0);
	assert_int_equal(blt_next(r, &got), 0);
	assert_int_equal(d.nr_errors, 0);
	blt_close(r);
}

static void test_blt__every_sort_of_event_survives(void **state)
{
	/* One of each of the 18 requests and 8 other kinds, several times. */
	static struct trace_event e[EVENTS_NR_SORTS * 20];
	char path[TEST_PATH_MAX];
	struct rng r;

	(void)state;
	rng_init(&r, 1, "sorts", 0);
	for (size_t i = 0; i < ARRAY_SIZE(e); i++)
		event_random(&r, (unsigned int)(i % EVENTS_NR_SORTS), TASKS,
			     &e[i]);
	write_events(path, e, ARRAY_SIZE(e));
	expect_events(path, e, ARRAY_SIZE(e), 1);
	file_remove(path);
}

static void test_blt__edges_survive(void **state)
{
	/* The largest and smallest values, and steps between them. */
	static const struct trace_event e[] = {
		{ .ns = UINT64_MAX, .line = UINT32_MAX, .kind = TRACE_ALLOC,
		  .cpu = 1023, .u.kmem = { .pfn = PFN_NONE - 1,
					   .gfp = UINT32_MAX } },
		{ .ns = 0, .line = 0, .kind = TRACE_FREE,
		  .u.kmem = { .pfn = 0 } },
		{ .ns = 1, .line = 1, .kind = TRACE_LOST,
		  .u.lost = UINT64_MAX },
		{ .ns = UINT64_C(1) << 63, .kind = TRACE_MEM,
		  .u.mem = { UINT64_MAX, UINT64_MAX, TRACE_MEM_EXIT } },
		{ .ns = 7, .kind = TRACE_MEM, .u.mem = { 0, 0, 0 } },
		{ .kind = TRACE_REQUEST,
		  .u.req = { .kind = REQ_Q, .pfn = TRACE_MAX_PFN - 1 } },
		{ .kind = TRACE_REQUEST,
		  .u.req = { .kind = REQ_K, .freed = TRACE_MAX_PFN - 1 } },
		{ .kind = TRACE_REQUEST,
		  .u.req = { .kind = REQ_D, .pindex = 13,
			     .nr_pages = UINT32_MAX, .count = UINT32_MAX } },
	};
	char path[TEST_PATH_MAX];

	(void)state;
	write_events(path, e, ARRAY_SIZE(e));
	expect_events(path, e, ARRAY_SIZE(e), 0);
	file_remove(path);
}

static void random_case(uint64_t seed)
{
	const size_t n = 1 + seed * 997 % 20000;
	struct trace_event *e = calloc(n, sizeof(*e));
	char path[TEST_PATH_MAX];
	uint64_t ns = 0, unit;
	struct rng r;

	assert_non_null(e);
	rng_init(&r, seed, "blt", 0);
	unit = seed % 3 == 0 ? 0 : seed % 3 == 1 ? 1000 : 1;
	for (size_t i = 0; i < n; i++) {
		event_random(&r, rng_below(&r, EVENTS_NR_SORTS), TASKS, &e[i]);
		ns += unit * rng_below(&r, 5000);
		e[i].ns = ns;
	}
	write_events(path, e, n);
	expect_events(path, e, n, seed);
	file_remove(path);
	free(e);
}

static void test_blt__random_events_survive(void **state)
{
	/* Without a clock, in microseconds, in nanoseconds; up to 20,000. */
	(void)state;
	for (uint64_t seed = 1; seed <= 24; seed++)
		random_case(seed);
}

static void test_blt__a_clock_may_become_finer(void **state)
{
	/* None, then microseconds, then nanoseconds, then none again. */
	struct trace_event e[400];
	char path[TEST_PATH_MAX];

	(void)state;
	memset(e, 0, sizeof(e));
	for (size_t i = 0; i < ARRAY_SIZE(e); i++) {
		e[i].kind = TRACE_LOST;
		e[i].line = (uint32_t)i + 1;
		e[i].ns = i < 100 ? 0 : i < 200 ? i * 1000 : i < 300 ? i : 0;
	}
	write_events(path, e, ARRAY_SIZE(e));
	expect_events(path, e, ARRAY_SIZE(e), 0);
	file_remove(path);
}

/* Content of a file, to be freed. */
static void *load(const char *path, size_t *size)
{
	FILE *f = fopen(path, "r");
	uint8_t *data = malloc(1 << 24);

	assert_non_null(f);
	assert_non_null(data);
	*size = fread(data, 1, 1 << 24, f);
	fclose(f);
	return data;
}

static void many_events(const char *path, size_t n)
{
	struct diag d = { 0 };
	struct blt_writer *w = create(path, &d);
	struct trace_event e;
	struct rng r;

	rng_init(&r, 7, "many", 0);
	for (size_t i = 0; i < n; i++) {
		event_random(&r, (unsigned int)(i % EVENTS_NR_SORTS), TASKS,
			     &e);
		assert_int_equal(blt_put(w, &e), 0);
	}
	assert_int_equal(blt_commit(w, NULL), 0);
}

static void test_blt__same_events_same_bytes(void **state)
{
	/* Several frames, written twice. */
	char a[TEST_PATH_MAX], b[TEST_PATH_MAX];
	size_t na, nb;
	void *da, *db;

	(void)state;
	new_path(a);
	new_path(b);
	many_events(a, 150000);
	many_events(b, 150000);
	da = load(a, &na);
	db = load(b, &nb);
	assert_int_equal(na, nb);
	assert_memory_equal(da, db, na);
	free(da);
	free(db);
	file_remove(a);
	file_remove(b);
}

static void test_blt__zstd_reads_the_payload(void **state)
{
	/* What zstd makes of the file is what the digest is of. */
	char path[TEST_PATH_MAX], hex[DIGEST_HEX_SIZE];
	struct diag d = { 0 };
	struct blt_sizes sizes;
	struct blt_reader *r;
	size_t size, n;
	uint8_t *file, *out;

	(void)state;
	new_path(path);
	many_events(path, 150000);
	assert_int_equal(blt_open(&r, path, &d), 0);
	blt_reader_sizes(r, &sizes);
	assert_true(sizes.frames > 1);
	assert_int_equal(sizes.events, 150000);
	file = load(path, &size);
	assert_int_equal(sizes.file, size);
	assert_true(blt_detect(file, size));
	assert_false(blt_detect(file, BLT_DETECT_BYTES - 1));
	out = malloc(sizes.decoded);
	assert_non_null(out);
	n = ZSTD_decompress(out, sizes.decoded, file, size);
	assert_false(ZSTD_isError(n));
	assert_int_equal(n, sizes.decoded);
	digest_bytes_hex(out, n, hex);
	assert_string_equal(hex, blt_reader_digest(r));
	free(out);
	free(file);
	blt_close(r);
	file_remove(path);
}

static void test_blt__header_tasks_and_statistics_are_kept(void **state)
{
	/* What the importer counted, and what the events tell. */
	const struct trace_stats told = { .lines = 99, .other_lines = 5,
					  .backwards = 2, .unknown_gfp = 1,
					  .lost = 3, .lost_markers = 1,
					  .failed_allocs = 4, .nr_cpus = 2,
					  .first_ns = 10, .last_ns = 20,
					  .end_pfn = 77, .events = 1000 };
	const struct trace_event e = { .kind = TRACE_FREE, .ns = 15 };
	const struct trace_stats *s;
	struct diag d = { 0 };
	char path[TEST_PATH_MAX];
	struct blt_reader *r;
	struct blt_writer *w;

	(void)state;
	new_path(path);
	w = create(path, &d);
	assert_int_equal(blt_put(w, &e), 0);
	assert_int_equal(blt_commit(w, &told), 0);
	assert_int_equal(blt_open(&r, path, &d), 0);
	s = blt_reader_stats(r);
	ASSERT_U64("lines", s->lines, 99);
	ASSERT_U64("events", s->events, 1);
	ASSERT_U64("frees", s->by_kind[TRACE_FREE], 1);
	ASSERT_U64("other", s->other_lines, 5);
	ASSERT_U64("backwards", s->backwards, 2);
	ASSERT_U64("gfp", s->unknown_gfp, 1);
	ASSERT_U64("lost", s->lost, 3);
	ASSERT_U64("failed", s->failed_allocs, 4);
	ASSERT_U64("end", s->end_pfn, 77);
	ASSERT_U64("cpus", s->nr_cpus, 2);
	ASSERT_U64("tasks", s->nr_tasks, TASKS);
	ASSERT_U64("last", s->last_ns, 20);
	assert_string_equal(blt_reader_info(r)->kernel, "6.1");
	assert_int_equal(blt_reader_info(r)->source, TRACE_FORMAT_PERF);
	assert_int_equal(blt_reader_task(r, 3)->pid, 103);
	assert_string_equal(blt_reader_task(r, 3)->comm, "odd");
	assert_string_equal(blt_reader_task(r, 0)->comm, "");
	assert_null(blt_reader_task(r, TASKS));
	blt_close(r);
	file_remove(path);
}

static void test_blt__statistics_without_an_importer(void **state)
{
	/* Counted from the events alone. */
	static const struct trace_event e[] = {
		{ .kind = TRACE_ALLOC, .ns = 9, .cpu = 3,
		  .u.kmem = { .pfn = 512, .order = 9 } },
		{ .kind = TRACE_ALLOC, .ns = 5,
		  .u.kmem = { .pfn = PFN_NONE } },
		{ .kind = TRACE_LOST, .ns = 12, .u.lost = 8 },
	};
	const struct trace_stats *s;
	struct diag d = { 0 };
	char path[TEST_PATH_MAX];
	struct blt_reader *r;

	(void)state;
	write_events(path, e, ARRAY_SIZE(e));
	assert_int_equal(blt_open(&r, path, &d), 0);
	s = blt_reader_stats(r);
	ASSERT_U64("events", s->events, 3);
	ASSERT_U64("allocs", s->by_kind[TRACE_ALLOC], 2);
	ASSERT_U64("failed", s->failed_allocs, 1);
	ASSERT_U64("lost", s->lost, 8);
	ASSERT_U64("markers", s->lost_markers, 1);
	ASSERT_U64("first", s->first_ns, 5);
	ASSERT_U64("last", s->last_ns, 12);
	ASSERT_U64("backwards", s->backwards, 1);
	ASSERT_U64("cpus", s->nr_cpus, 4);
	ASSERT_U64("end", s->end_pfn, 1024);
	blt_close(r);
	file_remove(path);
}

static void test_blt__batches_hold_the_same_events(void **state)
{
	/* Batches without a copy against single events. */
	const struct trace_event *batch;
	struct diag d = { 0 };
	char path[TEST_PATH_MAX], a[TEXT], b[TEXT];
	struct blt_reader *one, *many;
	struct trace_event e;
	unsigned int nr = 0;
	int n;

	(void)state;
	new_path(path);
	many_events(path, 60000);
	assert_int_equal(blt_open(&one, path, &d), 0);
	assert_int_equal(blt_open(&many, path, &d), 0);
	while ((n = blt_next_batch(many, &batch)) > 0) {
		for (int i = 0; i < n; i++) {
			assert_int_equal(blt_next(one, &e), 1);
			event_text(&e, a, sizeof(a));
			event_text(&batch[i], b, sizeof(b));
			assert_string_equal(a, b);
		}
		nr += (unsigned int)n;
	}
	assert_int_equal(n, 0);
	assert_int_equal(nr, 60000);
	blt_close(one);
	blt_close(many);
	file_remove(path);
}

static void test_blt__an_empty_trace_is_a_file(void **state)
{
	/* No event at all. */
	char path[TEST_PATH_MAX];

	(void)state;
	write_events(path, NULL, 0);
	expect_events(path, NULL, 0, 0);
	file_remove(path);
}

static void test_blt__limits_are_those_of_a_request_stream(void **state)
{
	/* A guest of 2 CPUs, 4 types, zones 0 and 1, 1,024 pages. */
	static const struct req_limits limits = { 2, 4, 0x3, 1024 };
	static const struct {
		struct req_record r;
		const char *why; /* NULL: fine */
	} rows[] = {
		{ { .kind = REQ_F, .pfn = 1023 }, NULL },
		{ { .kind = REQ_F, .pfn = 1024 }, "beyond the last PFN" },
		{ { .kind = REQ_A, .pfn = PFN_NONE }, NULL },
		{ { .kind = REQ_A, .cpu = 2 }, "a CPU that" },
		{ { .kind = REQ_A, .mt = 4 }, "a migratetype" },
		{ { .kind = REQ_W, .zone = 2 }, "a zone" },
		{ { .kind = REQ_W, .zone = 1 }, NULL },
		{ { .kind = REQ_K, .freed = 1024 }, "a freed page" },
		{ { .kind = REQ_Q, .order = 10 }, NULL },
		{ { .kind = REQ_Q, .order = 10, .pfn = 1024 }, "beyond" },
	};
	struct trace_event e[ARRAY_SIZE(rows)] = { 0 }, got;
	char path[TEST_PATH_MAX];
	struct diag d = { 0 };
	struct blt_reader *r;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		e[i].u.req = rows[i].r;
		e[i].cpu = rows[i].r.cpu;
		e[i].line = i + 1;
	}
	write_events(path, e, ARRAY_SIZE(e));
	assert_int_equal(blt_open(&r, path, &d), 0);
	blt_set_limits(r, &limits);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const int want = rows[i].why ? -EINVAL : 1;

		ASSERT_U64(test_row(i), blt_next(r, &got), want);
		if (rows[i].why && !strstr(d.last, rows[i].why))
			fail_msg("row %u: %s", i, d.last);
	}
	assert_int_equal(blt_next(r, &got), 0);
	blt_close(r);
	file_remove(path);
}

static void test_blt__what_has_no_place_is_refused(void **state)
{
	/* The writer says what is wrong, and stores nothing of it. */
	static const struct {
		struct trace_event e;
		const char *why;
	} rows[] = {
		{ { .kind = TRACE_NR_KINDS }, "a kind" },
		{ { .kind = TRACE_REQUEST, .u.req.kind = REQ_NR_KINDS },
		  "a kind" },
		{ { .kind = TRACE_FREE, .cpu = 1024 }, "a CPU beyond" },
		{ { .kind = TRACE_REQUEST, .cpu = 1 }, "two CPUs" },
		{ { .kind = TRACE_REQUEST, .cpu = 1,
		    .u.req = { .kind = REQ_W, .cpu = 1 } }, "two CPUs" },
		{ { .kind = TRACE_FREE, .u.kmem.order = 11 }, "an order" },
		{ { .kind = TRACE_ALLOC, .u.kmem.mt = 6 }, "a migratetype" },
		{ { .kind = TRACE_REQUEST,
		    .u.req = { .kind = REQ_I, .zone = 5 } }, "a zone" },
		{ { .kind = TRACE_MEM, .u.mem.op = TRACE_MEM_NR_OPS },
		  "out of its range" },
		{ { .kind = TRACE_REQUEST,
		    .u.req = { .kind = REQ_F, .order = 1, .pfn = 3 } },
		  "not aligned" },
		{ { .kind = TRACE_REQUEST,
		    .u.req = { .kind = REQ_F, .pfn = TRACE_MAX_PFN } },
		  "a page beyond" },
		{ { .kind = TRACE_FREE, .task = TASKS }, "a task" },
	};
	char path[TEST_PATH_MAX];
	struct diag d = { 0 };
	struct blt_writer *w;

	(void)state;
	new_path(path);
	w = create(path, &d);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		ASSERT_U64(test_row(i), blt_put(w, &rows[i].e), -EINVAL);
		if (!strstr(d.last, rows[i].why))
			fail_msg("row %u: %s", i, d.last);
	}
	blt_abort(w);
	file_remove(path);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_blt__every_sort_of_event_survives),
	cmocka_unit_test(test_blt__edges_survive),
	cmocka_unit_test(test_blt__random_events_survive),
	cmocka_unit_test(test_blt__a_clock_may_become_finer),
	cmocka_unit_test(test_blt__same_events_same_bytes),
	cmocka_unit_test(test_blt__zstd_reads_the_payload),
	cmocka_unit_test(test_blt__header_tasks_and_statistics_are_kept),
	cmocka_unit_test(test_blt__statistics_without_an_importer),
	cmocka_unit_test(test_blt__batches_hold_the_same_events),
	cmocka_unit_test(test_blt__an_empty_trace_is_a_file),
	cmocka_unit_test(test_blt__limits_are_those_of_a_request_stream),
	cmocka_unit_test(test_blt__what_has_no_place_is_refused),
};

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "random")) {
		random_case(strtoull(argv[2], NULL, 0));
		return 0;
	}
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(cases, NULL, NULL) ? 1 : 0;
}
