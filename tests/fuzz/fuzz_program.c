/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recordings of programs, an event per six bytes: what the check before a run
 * lets through is played, and may then not ask the guest for what a program
 * cannot do.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/check.h"
#include "tests/fuzz/fuzz.h"
#include "trace/blt.h"
#include "trace/blt_format.h"
#include "workloads/workload.h"

#define BYTES_PER_EVENT 6
#define LARGEST_INPUT (512 * BYTES_PER_EVENT)
#define MOST_OPS 1024

/* Bases at both ends of what a program has, and a few pages from each. */
static const uint64_t bases[] = {
	WORKLOAD_AT_MIN, UINT64_C(0x555500000000), 0,
	WORKLOAD_AT_END - (UINT64_C(256) << PAGE_SHIFT),
};

static struct trace_event make_event(const uint8_t *p, uint64_t *ns)
{
	const uint64_t base = bases[p[0] >> 4 & 3];

	*ns += p[5];
	return (struct trace_event){
		.kind = TRACE_MEM, .ns = *ns + 1, .line = 1,
		.u.mem = { .op = p[1] % TRACE_MEM_NR_OPS,
			   .addr = base + pages_to_bytes(p[2]) + (p[1] >> 7),
			   .len = pages_to_bytes(p[3]) << (p[4] & 31) },
	};
}

static void write_file(const char *path, const uint8_t *data, size_t size)
{
	struct diag d = { 0 };
	struct blt_writer *w;
	uint64_t ns = 0;

	CHECK(!blt_create(&w, path, &(struct blt_info){ 0 }, &d));
	for (; size >= BYTES_PER_EVENT; size -= BYTES_PER_EVENT) {
		const struct trace_task task = { 1 + (data[0] & 7u), "p" };
		struct trace_event e = make_event(data, &ns);

		CHECK(!blt_task(w, &task, &e.task));
		if (!blt_check(&e))
			CHECK_MSG(!blt_put(w, &e), "%s", d.last);
		data += BYTES_PER_EVENT;
	}
	CHECK(!blt_commit(w, NULL));
}

static void check_op(const struct workload_op *op)
{
	if (op->kind == WORKLOAD_SLEEP || op->kind == WORKLOAD_EXEC)
		return;
	CHECK(op->flags & WORKLOAD_AT);
	CHECK(op->len && !(op->len % PAGE_SIZE) && !(op->offset % PAGE_SIZE));
	CHECK(op->offset >= WORKLOAD_AT_MIN);
	CHECK(op->offset < WORKLOAD_AT_END &&
	      op->len <= WORKLOAD_AT_END - op->offset);
}

/* On a clock that is as slow as the task asks for. */
static void play(struct workload *w, unsigned int task)
{
	struct workload_op op;
	sim_ns_t now = 0;
	unsigned int i;

	for (i = 0; i < MOST_OPS; i++) {
		op = (struct workload_op){ .ns = now };
		if (!w->ops->next(w, task, &op))
			break;
		check_op(&op);
		if (op.kind == WORKLOAD_SLEEP) {
			CHECK(op.ns);
			now += op.ns;
		}
	}
	/* A sleep and an operation per event, no more. */
	CHECK_LT(i, MOST_OPS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace_workload_options o;
	struct workload w = { .ops = &trace_workload, .options = &o,
			      .ctx = { .nr_tasks = 3 } };
	char path[FUZZ_PATH_SIZE], why[400] = "";

	if (size > LARGEST_INPUT - BYTES_PER_EVENT)
		return 0;
	fuzz_temporary(path);
	write_file(path, data, size);
	option_defaults(&trace_workload.options, &o);
	snprintf(o.file, sizeof(o.file), "%s", path);
	w.state = calloc(1, trace_workload.state_size);
	CHECK(w.state);
	if (trace_workload.prepare(&w, why, sizeof(why)))
		CHECK(why[0]);
	else
		for (unsigned int i = 0; i < w.ctx.nr_tasks; i++)
			play(&w, i);
	trace_workload.cleanup(&w);
	free(w.state);
	CHECK(!unlink(path));
	return 0;
}
