/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recorded programs as a workload: which task plays what and when, and files
 * that no recorder writes.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/test.h"
#include "trace/blt.h"
#include "workloads/workload.h"

#define AT UINT64_C(0x10000000)
#define MAX_EVENTS 12

/* Process 0 ends the list. */
struct row {
	unsigned int process;
	enum trace_mem_op op;
	uint64_t page, pages, ns;
};

struct rig {
	struct trace_workload_options o;
	struct workload w;
	char path[64];
};

static void write_file(struct rig *r, const struct row *rows)
{
	struct diag d = { .out = stderr };
	struct blt_writer *writer;
	int fd;

	snprintf(r->path, sizeof(r->path), "program-XXXXXX");
	fd = mkstemp(r->path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(blt_create(&writer, r->path,
				    &(struct blt_info){ 0 }, &d), 0);
	for (; rows->process; rows++) {
		const struct trace_task task = { .pid = rows->process,
						 .comm = "p" };
		struct trace_event e = {
			.kind = TRACE_MEM,
			.ns = rows->ns + 1,
			.u.mem = { .op = (uint8_t)rows->op,
				   .addr = AT + pages_to_bytes(rows->page),
				   .len = pages_to_bytes(rows->pages) },
		};

		assert_int_equal(blt_task(writer, &task, &e.task), 0);
		assert_int_equal(blt_put(writer, &e), 0);
	}
	assert_int_equal(blt_commit(writer, NULL), 0);
}

/* What prepare() says. */
static int rig_open(struct rig *r, const struct row *rows, unsigned int tasks,
		    char *why, size_t why_size)
{
	memset(r, 0, sizeof(*r));
	write_file(r, rows);
	option_defaults(&trace_workload.options, &r->o);
	snprintf(r->o.file, sizeof(r->o.file), "%s", r->path);
	r->w = (struct workload){
		.ops = &trace_workload, .options = &r->o,
		.state = calloc(1, trace_workload.state_size),
		.ctx = { .nr_tasks = tasks },
	};
	assert_non_null(r->w.state);
	return trace_workload.prepare(&r->w, why, why_size);
}

static void rig_close(struct rig *r)
{
	trace_workload.cleanup(&r->w);
	free(r->w.state);
	unlink(r->path);
}

static void test_program__files_that_no_recorder_writes(void **state)
{
	static const struct {
		struct row rows[MAX_EVENTS];
		unsigned int tasks;
		const char *word;   /* NULL: fine */
	} rows[] = {
		{ { { 1, TRACE_MEM_MAP, 0, 4, 0 },
		    { 1, TRACE_MEM_TOUCH, 0, 4, 0 } }, 1, NULL },
		{ { { 1, TRACE_MEM_MAP, 0, 4, 0 },
		    { 1, TRACE_MEM_MAP, 3, 4, 0 } }, 1, "where another" },
		{ { { 1, TRACE_MEM_MAP, 0, 4, 0 },
		    { 1, TRACE_MEM_TOUCH, 3, 2, 0 } }, 1, "event 2" },
		{ { { 1, TRACE_MEM_TOUCH, 0, 1, 0 } }, 1, "not mapped" },
		{ { { 1, TRACE_MEM_MAP, 0, 4, 0 },
		    { 1, TRACE_MEM_UNMAP, 1, 2, 0 },
		    { 1, TRACE_MEM_DONTNEED, 0, 2, 0 } }, 1, "not mapped" },
		{ { { 1, TRACE_MEM_MAP, 0, 4, 0 },
		    { 1, TRACE_MEM_EXIT, 0, 0, 0 },
		    { 1, TRACE_MEM_TOUCH, 0, 1, 0 } }, 1, "not mapped" },
		{ { { 1, TRACE_MEM_MAP, 0, 0, 0 } }, 1, "whole pages" },
		{ { { 1, TRACE_MEM_MAP, UINT64_C(1) << 36, 1, 0 } }, 1,
		  "47 bits" },
		{ { { 1, TRACE_MEM_MAP, 0, UINT64_C(1) << 36, 0 } }, 1,
		  "47 bits" },
		{ { { 1, TRACE_MEM_MAP, 0, 4, 0 },
		    { 2, TRACE_MEM_MAP, 0, 4, 0 } }, 1, "tasks = 2" },
		{ { { 1, TRACE_MEM_MAP, 0, 4, 0 },
		    { 1, TRACE_MEM_EXIT, 0, 0, 0 },
		    { 2, TRACE_MEM_MAP, 0, 4, 0 } }, 1, NULL },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		char why[400] = "";
		struct rig r;
		const int err = rig_open(&r, rows[i].rows, rows[i].tasks, why,
					 sizeof(why));

		ASSERT_U64(test_row(i), err != 0, rows[i].word != NULL);
		if (rows[i].word && !strstr(why, rows[i].word))
			fail_msg("row %u: '%s' is not in '%s'", i,
				 rows[i].word, why);
		rig_close(&r);
	}
}

static void expect(struct rig *r, unsigned int task, sim_ns_t now,
		   enum workload_op_kind kind, uint64_t page, uint64_t n)
{
	struct workload_op op = { .ns = now };

	assert_true(trace_workload.next(&r->w, task, &op));
	ASSERT_U64("kind", op.kind, kind);
	if (kind == WORKLOAD_SLEEP) {
		ASSERT_U64("ns", op.ns, n);
		return;
	}
	ASSERT_U64("at", op.flags & WORKLOAD_AT, WORKLOAD_AT);
	if (kind == WORKLOAD_EXEC)
		return;
	ASSERT_U64("offset", op.offset, AT + pages_to_bytes(page));
	ASSERT_U64("len", op.len, pages_to_bytes(n));
}

/*
 * Three processes, two at a time: the third takes the place of the first. An
 * operation waits for its time, a late task does not.
 */
static void test_program__tasks_play_processes_in_time(void **state)
{
	static const struct row rows[] = {
		{ 1, TRACE_MEM_MAP, 0, 8, 0 },
		{ 2, TRACE_MEM_MAP, 100, 8, 1000 },
		{ 1, TRACE_MEM_TOUCH, 2, 3, 2000 },
		{ 2, TRACE_MEM_FREE, 100, 1, 2500 },
		{ 1, TRACE_MEM_EXIT, 0, 0, 3000 },
		{ 3, TRACE_MEM_MAP, 0, 1, 4000 },
		{ 2, TRACE_MEM_UNMAP, 100, 8, 5000 },
		{ 0 },
	};
	struct workload_op op = { 0 };
	char why[400] = "";
	struct rig r;

	(void)state;
	if (rig_open(&r, rows, 3, why, sizeof(why)))
		fail_msg("%s", why);
	expect(&r, 0, 70000, WORKLOAD_MMAP, 0, 8);
	expect(&r, 1, 70000, WORKLOAD_SLEEP, 0, 1000);
	expect(&r, 0, 70500, WORKLOAD_SLEEP, 0, 1500);
	expect(&r, 1, 71000, WORKLOAD_MMAP, 100, 8);
	expect(&r, 0, 79000, WORKLOAD_TOUCH, 2, 3);
	expect(&r, 0, 79000, WORKLOAD_EXEC, 0, 0);
	expect(&r, 0, 79000, WORKLOAD_MMAP, 0, 1);
	expect(&r, 1, 79000, WORKLOAD_MADV_FREE, 100, 1);
	expect(&r, 1, 79000, WORKLOAD_MUNMAP, 100, 8);
	for (unsigned int task = 0; task < 3; task++)
		assert_false(trace_workload.next(&r.w, task, &op));
	rig_close(&r);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_program__files_that_no_recorder_writes),
	cmocka_unit_test(test_program__tasks_play_processes_in_time),
};

TEST_MAIN(cases)
