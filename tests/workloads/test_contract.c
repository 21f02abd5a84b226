/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every workload keeps: it ends, or is endless as its summary says; it
 * touches only what it mapped; what it maps is unmapped or goes with its exit;
 * tasks do not depend on each other's pace.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/test.h"
#include "trace/ranges.h"
#include "trace/request.h"
#include "workloads/workload.h"

#define MIB (UINT64_C(1) << 20)
#define STEPS 400000

static const struct workload_ops *const all[] = {
	&brk1_workload, &file_read_workload, &fork_storm_workload,
	&idle_workload, &jemalloc_workload, &largepages3_workload,
	&malloc1_workload, &memhog_workload,
	&page_fault1_workload,
	&page_fault2_workload, &trace_workload, &usemem_workload,
};

struct rig {
	struct workload w;
	void *options;
};

static void rig_open(struct rig *r, const struct workload_ops *ops,
		     unsigned int tasks, uint64_t size)
{
	char why[256] = "";

	r->options = calloc(1, ops->options.size);
	assert_non_null(r->options);
	option_defaults(&ops->options, r->options);
	if (ops == &trace_workload)
		snprintf(((struct trace_workload_options *)r->options)->file,
			 OPTION_STRING_SIZE, "%s",
			 TEST_DATA_DIR "/traces/page_fault1-thp/req.txt.zst");
	r->w = (struct workload){
		.ops = ops,
		.ctx = { .nr_tasks = tasks, .size = size },
		.options = r->options,
		.state = calloc(1, ops->state_size + 1),
	};
	assert_non_null(r->w.state);
	if (ops->prepare(&r->w, why, sizeof(why)))
		fail_msg("%s: %s", ops->name, why);
}

static void rig_close(struct rig *r)
{
	r->w.ops->cleanup(&r->w);
	free(r->w.state);
	free(r->options);
}

/* What a task has mapped, as sim/ keeps it. */
struct slots {
	uint64_t len[WORKLOAD_MAX_SLOTS];
	struct addr_ranges at;  /* what WORKLOAD_AT names */
	sim_ns_t now;
	bool exited;
};

static void apply_at(const char *name, struct slots *s,
		     const struct workload_op *op)
{
	const uint64_t end = op->offset + op->len;

	assert_true(op->len > 0 && op->len % PAGE_SIZE == 0);
	assert_true(op->offset % PAGE_SIZE == 0);
	assert_true(op->offset >= WORKLOAD_AT_MIN && end <= WORKLOAD_AT_END);
	if (op->kind == WORKLOAD_MMAP) {
		ASSERT_U64(name, ranges_overlap(&s->at, op->offset, end), 0);
		assert_int_equal(ranges_add(&s->at, op->offset, end), 0);
		return;
	}
	ASSERT_U64(name, ranges_cover(&s->at, op->offset, end), 1);
	if (op->kind == WORKLOAD_MUNMAP)
		assert_int_equal(ranges_del(&s->at, op->offset, end), 0);
}

static void apply(const char *name, struct slots *s,
		  const struct workload_op *op)
{
	assert_false(s->exited);
	assert_true(op->slot < WORKLOAD_MAX_SLOTS);
	if (op->flags & WORKLOAD_AT) {
		apply_at(name, s, op);
		return;
	}
	switch (op->kind) {
	case WORKLOAD_MMAP:
		ASSERT_U64(name, s->len[op->slot], 0);
		assert_true(op->len > 0 && op->len % PAGE_SIZE == 0);
		s->len[op->slot] = op->len;
		break;
	case WORKLOAD_TOUCH:
	case WORKLOAD_MADV_DONTNEED:
	case WORKLOAD_MADV_FREE:
	case WORKLOAD_MADV_THP:
		assert_true(op->len > 0);
		assert_true(op->offset + op->len <= s->len[op->slot]);
		break;
	case WORKLOAD_MUNMAP:
		assert_true(s->len[op->slot] > 0);
		s->len[op->slot] = 0;
		break;
	case WORKLOAD_EXEC:
		memset(s->len, 0, sizeof(s->len));
		break;
	case WORKLOAD_EXIT:
		ranges_free(&s->at);
		memset(s, 0, sizeof(*s));
		s->exited = true;
		break;
	case WORKLOAD_SLEEP:
		assert_true(op->ns > 0);
		s->now += op->ns;
		break;
	case WORKLOAD_RECORD:
		assert_non_null(op->record);
		break;
	}
}

static void test_contract__every_operation_is_valid(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const bool endless = all[i]->endless;
		struct slots slots[3] = { 0 };
		struct workload_op op;
		bool more = true;
		struct rig r;

		rig_open(&r, all[i], 3, 100 * MIB);
		for (unsigned int n = 0; n < STEPS && more; n++) {
			more = false;
			for (unsigned int t = 0; t < 3; t++) {
				op = (struct workload_op){ .ns = slots[t].now };
				if (!all[i]->next(&r.w, t, &op))
					continue;
				apply(all[i]->name, &slots[t], &op);
				more = true;
			}
		}
		ASSERT_U64(all[i]->name, more, endless);
		/* Whoever ended has left nothing behind. */
		for (unsigned int t = 0; t < 3 && !endless; t++)
			for (unsigned int k = 0; k < WORKLOAD_MAX_SLOTS; k++)
				ASSERT_U64(all[i]->name, slots[t].len[k], 0);
		rig_close(&r);
	}
}

/* Task 1 alone sees what it sees among others. */
static void test_contract__tasks_are_independent(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct workload_op a = { 0 }, b = { 0 };
		struct rig alone, among;

		if (all[i] == &trace_workload)
			continue;
		rig_open(&alone, all[i], 2, 64 * MIB);
		rig_open(&among, all[i], 2, 64 * MIB);
		for (unsigned int n = 0; n < 50; n++) {
			bool more;

			a.ns = b.ns = n;
			more = all[i]->next(&alone.w, 1, &a);
			all[i]->next(&among.w, 0, &b);
			b.ns = n;
			all[i]->next(&among.w, 0, &b);
			b.ns = n;
			ASSERT_U64(all[i]->name,
				   all[i]->next(&among.w, 1, &b), more);
			if (!more)
				break;
			ASSERT_U64(all[i]->name, a.kind, b.kind);
			ASSERT_U64(all[i]->name, a.offset, b.offset);
			ASSERT_U64(all[i]->name, a.len, b.len);
		}
		rig_close(&alone);
		rig_close(&among);
	}
}

static void test_memhog__steps_of_10_mib_share_the_size(void **state)
{
	const uint64_t pages = 100 * MIB / PAGE_SIZE;
	uint64_t sum = 0;
	struct workload_op op;
	struct rig r;

	(void)state;
	rig_open(&r, &memhog_workload, 3, 100 * MIB);
	for (unsigned int t = 0; t < 3; t++) {
		const uint64_t len = pages_to_bytes(pages / 3 +
						    (t < pages % 3));

		assert_true(memhog_workload.next(&r.w, t, &op));
		ASSERT_U64("map", op.kind, WORKLOAD_MMAP);
		ASSERT_U64("len", op.len, len);
		for (unsigned int k = 0; k < 4; k++) {
			assert_true(memhog_workload.next(&r.w, t, &op));
			ASSERT_U64("touch", op.kind, WORKLOAD_TOUCH);
			ASSERT_U64("counted", op.flags, WORKLOAD_COUNTED);
			ASSERT_U64("offset", op.offset, k * 10 * MIB);
			ASSERT_U64("step", op.len, k < 3 ? 10 * MIB :
				   len - 30 * MIB);
			sum += op.len;
		}
		assert_true(memhog_workload.next(&r.w, t, &op));
		ASSERT_U64("exit", op.kind, WORKLOAD_EXIT);
		assert_false(memhog_workload.next(&r.w, t, &op));
	}
	ASSERT_U64("all", sum, 100 * MIB);
	rig_close(&r);
}

static void test_memhog__needs_a_page_for_each_task(void **state)
{
	char options[8] = { 0 }, why[256] = "";
	uint64_t st[8] = { 0 };
	struct workload w = {
		.ops = &memhog_workload, .options = options, .state = st,
		.ctx = { .nr_tasks = 3, .size = 2 * PAGE_SIZE },
	};

	(void)state;
	assert_true(memhog_workload.state_size <= sizeof(st));
	assert_true(memhog_workload.prepare(&w, why, sizeof(why)) < 0);
	assert_non_null(strstr(why, "8192"));
}

/* What task 0 does next. */
static void expect_op(struct rig *r, enum workload_op_kind kind,
		      uint64_t offset, uint64_t len)
{
	struct workload_op op;

	assert_true(r->w.ops->next(&r->w, 0, &op));
	ASSERT_U64("kind", op.kind, kind);
	ASSERT_U64("offset", op.offset, offset);
	ASSERT_U64("len", op.len, len);
}

static void set_option(struct rig *r, const char *key, const char *value)
{
	char why[256];

	assert_int_equal(option_parse(option_find(&r->w.ops->options, key),
				      value, r->options, why, sizeof(why)), 0);
}

/* Pages 0, 2, 4 go; the last page of an odd number has no second one. */
static void test_usemem__punches_even_pages(void **state)
{
	static const uint64_t pages[] = { 1, 2, 6, 7 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		const uint64_t len = pages_to_bytes(pages[i]);
		struct workload_op op;
		struct rig r;

		rig_open(&r, &usemem_workload, 1, len);
		set_option(&r, "punch_holes", "on");
		set_option(&r, "sleep", "3s");
		expect_op(&r, WORKLOAD_MMAP, 0, len);
		expect_op(&r, WORKLOAD_TOUCH, 0, len);
		for (uint64_t p = 0; p + 2 <= pages[i]; p += 2)
			expect_op(&r, WORKLOAD_MADV_DONTNEED,
				  pages_to_bytes(p), PAGE_SIZE);
		assert_true(usemem_workload.next(&r.w, 0, &op));
		ASSERT_U64("sleep", op.kind, WORKLOAD_SLEEP);
		ASSERT_U64("ns", op.ns, 3 * NSEC_PER_SEC);
		expect_op(&r, WORKLOAD_EXIT, 0, 0);
		assert_false(usemem_workload.next(&r.w, 0, &op));
		rig_close(&r);
	}
}

static void test_usemem__without_options_writes_and_exits(void **state)
{
	struct workload_op op;
	struct rig r;

	(void)state;
	rig_open(&r, &usemem_workload, 3, 8 * PAGE_SIZE);
	/* Eight pages for three tasks: 3, 3 and 2. */
	expect_op(&r, WORKLOAD_MMAP, 0, 3 * PAGE_SIZE);
	expect_op(&r, WORKLOAD_TOUCH, 0, 3 * PAGE_SIZE);
	expect_op(&r, WORKLOAD_EXIT, 0, 0);
	assert_true(usemem_workload.next(&r.w, 2, &op));
	ASSERT_U64("len", op.len, 2 * PAGE_SIZE);
	rig_close(&r);
}

static void test_page_fault__maps_as_told(void **state)
{
	static const struct {
		const struct workload_ops *ops;
		const char *key, *value;
		bool thp;
		uint32_t flags;
		uint64_t len;
	} rows[] = {
		{ &page_fault1_workload, NULL, NULL, false, 0, 128 * MIB },
		{ &page_fault1_workload, NULL, NULL, true,
		  WORKLOAD_MAP_HUGEPAGE, 128 * MIB },
		{ &page_fault1_workload, "aligned", "off", false,
		  WORKLOAD_MAP_UNALIGNED, 128 * MIB },
		{ &page_fault1_workload, "map_size", "4M", false, 0, 4 * MIB },
		{ &page_fault2_workload, NULL, NULL, true, WORKLOAD_MAP_FILE,
		  128 * MIB },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct workload_ops *ops = rows[i].ops;
		struct workload_op op;
		char why[256];
		struct rig r;

		rig_open(&r, ops, 1, 0);
		ops->cleanup(&r.w);
		if (rows[i].key)
			assert_int_equal(option_parse(
				option_find(&ops->options, rows[i].key),
				rows[i].value, r.options, why, sizeof(why)),
				0);
		r.w.ctx.thp = rows[i].thp;
		assert_int_equal(ops->prepare(&r.w, why, sizeof(why)), 0);
		for (unsigned int n = 0; n < 3; n++) {
			assert_true(ops->next(&r.w, 0, &op));
			ASSERT_U64(ops->name, op.kind, WORKLOAD_MMAP);
			ASSERT_U64(ops->name, op.flags, rows[i].flags);
			ASSERT_U64(ops->name, op.len, rows[i].len);
			assert_true(ops->next(&r.w, 0, &op));
			ASSERT_U64(ops->name, op.kind, WORKLOAD_TOUCH);
			ASSERT_U64(ops->name, op.flags, WORKLOAD_COUNTED);
			ASSERT_U64(ops->name, op.len, rows[i].len);
			assert_true(ops->next(&r.w, 0, &op));
			ASSERT_U64(ops->name, op.kind, WORKLOAD_MUNMAP);
		}
		rig_close(&r);
	}
}

static void test_page_fault__odd_size_is_refused(void **state)
{
	char why[256] = "";
	struct rig r;

	(void)state;
	rig_open(&r, &page_fault1_workload, 1, 0);
	page_fault1_workload.cleanup(&r.w);
	assert_int_equal(option_parse(
		option_find(&page_fault1_workload.options, "map_size"), "5000",
		r.options, why, sizeof(why)), 0);
	assert_true(page_fault1_workload.prepare(&r.w, why, sizeof(why)) < 0);
	assert_non_null(strstr(why, "multiple of 4K"));
	rig_close(&r);
}

/* Every record of the stream, in order, by the first task only. */
static void test_trace__yields_the_stream(void **state)
{
	struct diag d = { 0 };
	struct req_stream *stream;
	struct req_record rec;
	struct workload_op op;
	uint64_t nr = 0;
	struct rig r;

	(void)state;
	rig_open(&r, &trace_workload, 2, 0);
	assert_int_equal(req_open(&stream, TEST_DATA_DIR
				  "/traces/page_fault1-thp/req.txt.zst", NULL,
				  &d), 0);
	assert_false(trace_workload.next(&r.w, 1, &op));
	while (req_next(stream, &rec) == 1) {
		assert_true(trace_workload.next(&r.w, 0, &op));
		ASSERT_U64("kind", op.kind, WORKLOAD_RECORD);
		ASSERT_U64("nr", op.record_nr, nr);
		ASSERT_U64("kind", op.record->kind, rec.kind);
		ASSERT_U64("pfn", op.record->pfn, rec.pfn);
		nr++;
	}
	ASSERT_U64("records", nr, 5746);
	assert_false(trace_workload.next(&r.w, 0, &op));
	req_close(stream);
	rig_close(&r);
}

static void test_trace__bad_file_is_an_error(void **state)
{
	static const char *const files[] = {
		"", TEST_DATA_DIR "/traces/no-such-file",
		/* A snapshot is no stream. */
		TEST_DATA_DIR "/traces/page_fault1-thp/before.snap.zst",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct trace_workload_options o = { .resident = 0 };
		char why[512] = "";
		struct workload w = {
			.ops = &trace_workload, .options = &o,
			.state = calloc(1, trace_workload.state_size),
			.ctx = { .nr_tasks = 1 },
		};

		assert_non_null(w.state);
		snprintf(o.file, sizeof(o.file), "%s", files[i]);
		assert_true(trace_workload.prepare(&w, why, sizeof(why)) < 0);
		assert_true(why[0] != '\0');
		trace_workload.cleanup(&w);
		free(w.state);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_contract__every_operation_is_valid),
	cmocka_unit_test(test_contract__tasks_are_independent),
	cmocka_unit_test(test_memhog__steps_of_10_mib_share_the_size),
	cmocka_unit_test(test_memhog__needs_a_page_for_each_task),
	cmocka_unit_test(test_usemem__punches_even_pages),
	cmocka_unit_test(test_usemem__without_options_writes_and_exits),
	cmocka_unit_test(test_page_fault__maps_as_told),
	cmocka_unit_test(test_page_fault__odd_size_is_refused),
	cmocka_unit_test(test_trace__yields_the_stream),
	cmocka_unit_test(test_trace__bad_file_is_an_error),
};

TEST_MAIN(cases)
