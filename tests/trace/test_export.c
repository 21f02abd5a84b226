/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces as text and as JSON: what is exported is read back, and a JSON
 * reader finds the counts. `test_export text SEED` repeats one random case.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/test.h"
#include "tests/trace/events.h"
#include "tests/trace/files.h"
#include "trace/blt.h"
#include "trace/export.h"

#define TEXT 256

static const struct trace_task tasks[] = {
	{ 0, "" }, { 0, "<idle>" }, { 7, "tmux: server" }, { 4194304, "a-1" },
	{ 12, "" }, { 13, "x [1] y" },
};

/* A .blt of these events. */
static void write_blt(char path[TEST_PATH_MAX], const struct trace_event *e,
		      size_t n)
{
	const struct blt_info info = { "6.1", TRACE_FORMAT_FTRACE };
	struct diag d = { 0 };
	struct blt_writer *w;
	uint32_t number;

	file_write(path, "", 0);
	assert_int_equal(blt_create(&w, path, &info, &d), 0);
	for (uint32_t i = 0; i < ARRAY_SIZE(tasks); i++) {
		assert_int_equal(blt_task(w, &tasks[i], &number), 0);
		assert_int_equal(number, i);
	}
	for (size_t i = 0; i < n; i++)
		if (blt_put(w, &e[i]))
			fail_msg("%s", d.last);
	assert_int_equal(blt_commit(w, NULL), 0);
}

/* What an exporter prints of these events, to be freed. */
static char *export(const struct trace_event *e, size_t n, uint64_t sample_ns,
		    int want)
{
	char path[TEST_PATH_MAX];
	struct trace_source *s;
	struct diag d = { 0 };
	size_t size = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);
	int err;

	assert_non_null(out);
	write_blt(path, e, n);
	assert_int_equal(trace_open(&s, path, NULL, &d), 0);
	err = sample_ns ? trace_export_perfetto(s, path, sample_ns, out, &d) :
			  trace_export_text(s, path, out, &d);
	if (err != want)
		fail_msg("result %d instead of %d: %s", err, want, d.last);
	trace_close(s);
	fclose(out);
	file_remove(path);
	return text;
}

/* The text of an event with its task spelled out and without its line. */
static void normal_text(struct trace_event e, const struct trace_task *t,
			char *out, size_t size)
{
	char text[TEXT];

	e.line = 0;
	e.task = 0;
	event_text(&e, text, sizeof(text));
	snprintf(out, size, "%s-%u %s", t->comm, t->pid, text);
}

static void expect_same(const char *text, const struct trace_event *e,
			size_t n, uint64_t seed)
{
	char path[TEST_PATH_MAX], a[2 * TEXT], b[2 * TEXT];
	struct trace_source *s;
	struct trace_event got;
	struct diag d = { 0 };

	file_write_text(path, text);
	if (trace_open(&s, path, NULL, &d))
		fail_msg("seed %" PRIu64 ": %s", seed, d.last);
	for (size_t i = 0; i < n; i++) {
		if (trace_next(s, &got) != 1)
			fail_msg("test_export text %" PRIu64 ": event %zu: %s",
				 seed, i, d.last);
		normal_text(got, trace_source_task(s, got.task), a, sizeof(a));
		normal_text(e[i], &tasks[e[i].task], b, sizeof(b));
		if (strcmp(a, b) != 0)
			fail_msg("test_export text %" PRIu64 ": event %zu is\n"
				 "%s\ninstead of\n%s", seed, i, a, b);
	}
	assert_int_equal(trace_next(s, &got), 0);
	trace_close(s);
	file_remove(path);
}

/* What kernels print no text for: blocks that are not aligned, page 0 of an
 * allocation, frees of no page, bits that no release has. */
static void make_printable(struct trace_event *e)
{
	struct trace_kmem *k = &e->u.kmem;
	const bool may_fail = e->kind == TRACE_ALLOC ||
			      e->kind == TRACE_ZONE_LOCKED;

	if (e->kind == TRACE_LOST || e->kind == TRACE_REQUEST)
		return;
	e->cpu %= 64;
	k->gfp &= 0xffffff;
	if (k->pfn == PFN_NONE && !may_fail)
		k->pfn = 0;
	if (k->pfn != PFN_NONE)
		k->pfn = pfn_align_down(k->pfn, MAX_PAGE_ORDER);
	if (k->pfn == 0 && may_fail)
		k->pfn = PFN_NONE;
}

static void random_kmem(uint64_t seed)
{
	const size_t n = 200 + seed * 37;
	struct trace_event *e = calloc(n, sizeof(*e));
	uint64_t ns = 0;
	struct rng r;
	char *text;

	assert_non_null(e);
	rng_init(&r, seed, "export", 0);
	for (size_t i = 0; i < n; i++) {
		/* A loss alone does not tell the format: a free is first. */
		event_random(&r, REQ_NR_KINDS +
			     (i ? rng_below(&r, TRACE_LOST) : TRACE_FREE - 1u),
			     ARRAY_SIZE(tasks), &e[i]);
		make_printable(&e[i]);
		if (e[i].kind == TRACE_LOST)
			e[i].task = 0; /* the loss is nobody's */
		else
			ns += rng_below(&r, 2000000) *
			      (seed % 2 ? NSEC_PER_USEC : 1);
		e[i].ns = ns;
	}
	text = export(e, n, 0, 0);
	expect_same(text, e, n, seed);
	free(text);
	free(e);
}

static void test_export__kmem_text_is_read_back(void **state)
{
	/* Every kmem kind and losses, in micro- and nanoseconds. */
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++)
		random_kmem(seed);
}

static void test_export__requests_are_a_request_stream(void **state)
{
	/* Byte for byte the canonical stream. */
	static const char stream[] =
		"A 0 0 0x100dca 1 10280\nA 1 9 0x1c24ca 1 -\n"
		"B 0 1 0 0 10280\nF 1 3 8\nD 0 1 63 12 1462\nW 1 1\n"
		"K 0 1 9 1 1024 1027\nT head 11876\nM 1 1024 0 40 471\n"
		"Q 10 147456\n";
	struct trace_event e[10];
	struct diag d = { 0 };
	struct trace_source *s;
	char path[TEST_PATH_MAX], *text;

	(void)state;
	file_write_text(path, stream);
	assert_int_equal(trace_open(&s, path, NULL, &d), 0);
	for (size_t i = 0; i < ARRAY_SIZE(e); i++)
		assert_int_equal(trace_next(s, &e[i]), 1);
	trace_close(s);
	file_remove(path);
	text = export(e, ARRAY_SIZE(e), 0, 0);
	assert_string_equal(text, stream);
	free(text);
}

static void test_export__lines_look_like_the_kernels(void **state)
{
	/* One of each, as tracefs prints them but for page= and the flags. */
	static const struct trace_event e[] = {
		{ .ns = 1002000, .task = 2, .cpu = 3, .kind = TRACE_ALLOC,
		  .u.kmem = { .pfn = 512, .order = 9, .mt = 1,
			      .gfp = 0x140dca } },
		{ .ns = 2000000, .kind = TRACE_LOST, .cpu = 1, .u.lost = 5 },
		{ .ns = 1000002000, .task = 2, .kind = TRACE_EXTFRAG,
		  .u.kmem = { .pfn = 1024, .order = 1, .mt = 0,
			      .fallback_order = 10, .fallback_mt = 1,
			      .change_ownership = true } },
		{ .ns = 1000002001, .task = 4, .kind = TRACE_ZONE_LOCKED,
		  .u.kmem = { .pfn = PFN_NONE, .refill = true } },
		{ .ns = 2000000000, .task = 2, .kind = TRACE_MEM,
		  .u.mem = { 0x1000, 8192, TRACE_MEM_TOUCH } },
	};
	static const char *const want[] = {
		"    tmux: server-7       [003] .....     0.001002: "
		"mm_page_alloc: pfn=0x200 order=9 migratetype=1 "
		"gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO\n",
		"\nCPU:1 [LOST 5 EVENTS]\n",
		" 1.000002: mm_page_alloc_extfrag: pfn=0x400 alloc_order=1 "
		"fallback_order=10 pageblock_order=9 alloc_migratetype=0 "
		"fallback_migratetype=1 fragmenting=0 change_ownership=1\n",
		"           <...>-12      [000] .....     1.000002001: "
		"mm_page_alloc_zone_locked: pfn=0x0 order=0 migratetype=0 "
		"percpu_refill=1\n",
		" tracing_mark_write: buddylab touch addr=0x1000 len=8192\n",
	};
	char *text = export(e, ARRAY_SIZE(e), 0, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		if (!strstr(text, want[i]))
			fail_msg("%s\nlacks\n%s", text, want[i]);
	free(text);
}

static void test_export__no_text_has_both(void **state)
{
	/* Requests and tracepoints in one file. */
	static const struct trace_event e[] = {
		{ .kind = TRACE_REQUEST, .u.req = { .kind = REQ_F } },
		{ .kind = TRACE_FREE },
	};

	(void)state;
	free(export(e, ARRAY_SIZE(e), 0, -EINVAL));
}

/* Rows of one sort; `name` NULL = any. */
static json_t *find_row(json_t *o, const char *ph, const char *name,
			size_t number)
{
	json_t *rows = json_object_get(o, "traceEvents"), *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const char *p = json_string_value(json_object_get(row, "ph"));
		const char *n = json_string_value(json_object_get(row,
								  "name"));

		if (!strcmp(p, ph) && (!name || !strcmp(n, name)) &&
		    !number--)
			return row;
	}
	return NULL;
}

static int64_t arg(json_t *row, const char *name)
{
	json_t *v = json_object_get(json_object_get(row, "args"), name);

	assert_true(json_is_integer(v));
	return json_integer_value(v);
}

static json_t *export_json(const struct trace_event *e, size_t n,
			   uint64_t sample_ns)
{
	char *text = export(e, n, sample_ns, 0);
	json_error_t why;
	json_t *o = json_loads(text, 0, &why);

	if (!o)
		fail_msg("line %d: %s\n%s", why.line, why.text, text);
	free(text);
	return o;
}

#define BY_ORDER "pages allocated minus freed, by order"
#define BY_TYPE "pages allocated minus freed, by type"

static void test_perfetto__counts_pages_by_order_and_type(void **state)
{
	/* A huge page and a small one; the huge one is freed in two pieces. */
	static const struct trace_event e[] = {
		{ .ns = 1000, .kind = TRACE_ALLOC, .task = 2,
		  .u.kmem = { .pfn = 512, .order = 9, .mt = 1 } },
		{ .ns = 2000, .kind = TRACE_ALLOC, .task = 2,
		  .u.kmem = { .pfn = 5, .mt = 2 } },
		{ .ns = 1000000, .kind = TRACE_FREE, .task = 2,
		  .u.kmem = { .pfn = 512, .order = 8 } },
		{ .ns = 1000500, .kind = TRACE_FREE_BATCHED, .task = 2,
		  .u.kmem = { .pfn = 512, .order = 8 } },
		{ .ns = 1001000, .kind = TRACE_FREE, .task = 2,
		  .u.kmem = { .pfn = 9 } },
		{ .ns = 1002000, .kind = TRACE_EXTFRAG, .task = 2,
		  .u.kmem = { .pfn = 1024, .fallback_order = 3 } },
		{ .ns = 1003000, .kind = TRACE_EXTFRAG, .task = 3,
		  .u.kmem = { .pfn = 1024, .fallback_order = 4 } },
	};
	json_t *o = export_json(e, ARRAY_SIZE(e), 1000000);
	json_t *row;

	(void)state;
	row = find_row(o, "C", BY_ORDER, 0);
	assert_int_equal(arg(row, "9"), 512);
	assert_int_equal(arg(row, "0"), 1);
	row = find_row(o, "C", BY_TYPE, 0);
	assert_int_equal(arg(row, "movable"), 512);
	assert_int_equal(arg(row, "reclaimable"), 1);
	row = find_row(o, "C", BY_ORDER, 1);
	assert_int_equal(arg(row, "8"), -256);
	assert_int_equal(arg(row, "0"), 0);
	row = find_row(o, "C", BY_TYPE, 1);
	assert_int_equal(arg(row, "movable"), 256);
	assert_int_equal(arg(row, "older than the trace"), -1);
	assert_null(find_row(o, "C", BY_ORDER, 2));
	row = find_row(o, "i", "fallback to another type", 0);
	assert_int_equal(arg(row, "count"), 2);
	assert_int_equal(arg(row, "pages"), 24);
	assert_int_equal(json_integer_value(json_object_get(row, "tid")), 7);
	row = find_row(o, "M", "thread_name", 0);
	assert_string_equal(json_string_value(json_object_get(
		json_object_get(row, "args"), "name")), "tmux: server");
	json_decref(o);
}

static void test_perfetto__requests_have_no_clock(void **state)
{
	/* Event numbers stand for microseconds, and the file says so. */
	struct trace_event e[50];
	const char *clock;
	json_t *o;

	(void)state;
	memset(e, 0, sizeof(e));
	for (size_t i = 0; i < ARRAY_SIZE(e); i++)
		e[i].u.req = (struct req_record){
			.kind = i % 2 ? REQ_A : REQ_Q, .pfn = (pfn_t)i,
		};
	o = export_json(e, ARRAY_SIZE(e), 10000);
	clock = json_string_value(json_object_get(
		json_object_get(o, "otherData"), "clock"));
	assert_non_null(strstr(clock, "number"));
	assert_non_null(find_row(o, "C", BY_ORDER, 4));
	assert_null(find_row(o, "C", BY_ORDER, 6));
	assert_int_equal(arg(find_row(o, "i", "reported to the hypervisor", 1),
			     "count"), 5);
	json_decref(o);
}

static void test_perfetto__any_trace_is_json(void **state)
{
	/* Nothing; and everything by chance. */
	static struct trace_event e[5000];
	struct rng r;

	(void)state;
	json_decref(export_json(NULL, 0, 1000));
	rng_init(&r, 5, "perfetto", 0);
	for (size_t i = 0; i < ARRAY_SIZE(e); i++) {
		event_random(&r, rng_below(&r, EVENTS_NR_SORTS),
			     ARRAY_SIZE(tasks), &e[i]);
		e[i].ns = rng_next(&r) >> rng_below(&r, 64);
	}
	json_decref(export_json(e, ARRAY_SIZE(e), 1));
	json_decref(export_json(e, ARRAY_SIZE(e), INT64_MAX));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_export__kmem_text_is_read_back),
	cmocka_unit_test(test_export__requests_are_a_request_stream),
	cmocka_unit_test(test_export__lines_look_like_the_kernels),
	cmocka_unit_test(test_export__no_text_has_both),
	cmocka_unit_test(test_perfetto__counts_pages_by_order_and_type),
	cmocka_unit_test(test_perfetto__requests_have_no_clock),
	cmocka_unit_test(test_perfetto__any_trace_is_json),
};

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "text")) {
		random_kmem(strtoull(argv[2], NULL, 0));
		return 0;
	}
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(cases, NULL, NULL) ? 1 : 0;
}
