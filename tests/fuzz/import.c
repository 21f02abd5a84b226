/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an importer must keep whatever it reads: each line that is refused has
 * its message, each event has a task and a place in a .blt file, and the
 * statistics agree with what was handed out.
 */
#include "tests/fuzz/import.h"

#include <errno.h>
#include <string.h>

#include "include/check.h"
#include "tests/fuzz/fuzz.h"
#include "trace/blt_format.h"

#define LARGEST_INPUT (1u << 20)

static void check_event(const struct trace_source *s,
			const struct trace_event *e)
{
	const struct trace_task *t = trace_source_task(s, e->task);
	const char *why = blt_check(e);

	CHECK(t && strlen(t->comm) < 16);
	CHECK_MSG(!why, "%s", why);
	CHECK(e->line > 0);
	if (e->kind != TRACE_REQUEST && e->kind != TRACE_LOST)
		CHECK(e->u.kmem.pfn == PFN_NONE ||
		      e->u.kmem.pfn < TRACE_MAX_PFN);
}

static void check_stats(const struct trace_source *s, uint64_t events,
			uint64_t failed)
{
	const struct trace_stats *st = trace_source_stats(s);
	uint64_t sum = 0;

	for (unsigned int i = 0; i < TRACE_NR_KINDS; i++)
		sum += st->by_kind[i];
	CHECK_EQ(st->events, events);
	CHECK_EQ(sum, events);
	CHECK_EQ(st->failed_allocs, failed);
	CHECK(st->first_ns <= st->last_ns);
	CHECK(st->nr_tasks >= 1 && st->nr_tasks <= events + 1);
	CHECK(st->other_lines + st->events <=
	      st->lines + st->by_kind[TRACE_LOST]);
}

static bool has_failed(const struct trace_event *e)
{
	if (e->kind == TRACE_REQUEST)
		return e->u.req.pfn == PFN_NONE;
	return e->kind == TRACE_ALLOC && e->u.kmem.pfn == PFN_NONE;
}

void fuzz_import(const uint8_t *data, size_t size, enum trace_format format)
{
	struct trace_options o = { .format = format };
	uint64_t events = 0, failed = 0, wrong = 0;
	struct diag d = { 0 };
	struct trace_source *s;
	struct trace_event e;
	struct fuzz_file f;
	int ret;

	if (size > LARGEST_INPUT)
		return;
	fuzz_file_open(&f, data, size);
	if (!trace_open(&s, f.path, &o, &d)) {
		while ((ret = trace_next(s, &e)) == 1 || ret == -EINVAL) {
			events += ret == 1;
			wrong += ret == -EINVAL;
			CHECK(d.nr_errors >= wrong);
			if (ret == 1) {
				check_event(s, &e);
				failed += has_failed(&e);
			}
		}
		CHECK(!ret || d.nr_errors);
		/* A .blt file brings its own, of the text it was made from. */
		if (trace_source_format(s) != TRACE_FORMAT_BLT)
			check_stats(s, events, failed);
		trace_close(s);
	} else {
		CHECK(d.nr_errors);
	}
	fuzz_file_close(&f);
}
