/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the per-CPU arrays remember, held against a record of all frees: an
 * entry is of a block that was freed on the array's own CPU since the array was
 * last emptied. For every variant that the contract tests know, on a busy guest
 * and every kernel; designs that remember something else are noticed.
 */
#include <stdlib.h>
#include <string.h>

#include "include/bitmap.h"
#include "reporter/percpu_array.h"
#include "tests/reporter/designs.h"
#include "tests/reporter/world.h"
#include "tests/test.h"

#define NR_EVENTS 1200
#define NR_CPUS 2

static const char *const kernels[] = { "5.3", "5.7", "6.1", "6.12", "6.18" };

/* Behind the state of the design. */
struct books {
	uint64_t freed[NR_CPUS][BITMAP_WORDS(WORLD_PAGES)];
	uint64_t entries;          /* looked at */
};

static struct books *books_of(const struct reporter *r)
{
	return (struct books *)(void *)((char *)r->state + r->ops->state_size -
					sizeof(struct books));
}

static void record_free(struct reporter *r, unsigned int cpu, pfn_t pfn,
			unsigned int order)
{
	bitmap_set_range(books_of(r)->freed[cpu], pfn, order_nr_pages(order));
}

static void empty(struct reporter *r, unsigned int cpu)
{
	memset(books_of(r)->freed[cpu], 0, sizeof(books_of(r)->freed[cpu]));
}

/* It empties its array before its thread reports, v8 afterwards. */
static bool is_v9(const struct reporter *r)
{
	return percpu_array_options(r)->variant == ARRAY_V9;
}

static void recorded_capture(struct reporter *r, unsigned int zone, pfn_t pfn,
			     unsigned int order, unsigned int cpu)
{
	record_free(r, cpu, pfn, order);
	percpu_array_reporter.free_capture(r, zone, pfn, order, cpu);
}

static void recorded_notify(struct reporter *r, unsigned int zone, pfn_t pfn,
			    unsigned int order)
{
	record_free(r, r->env->cpu(r->env->ctx), pfn, order);
	percpu_array_reporter.free_notify(r, zone, pfn, order);
}

static void v8_emptied(struct reporter *r, unsigned int cpu)
{
	const struct percpu_array *s = r->state;

	if (!is_v9(r) && s->cpus[cpu].state == ARRAY_CAPTURE)
		empty(r, cpu);
}

static void recorded_work(struct reporter *r, unsigned int cpu)
{
	if (is_v9(r))
		empty(r, cpu);
	percpu_array_reporter.work(r, cpu);
	v8_emptied(r, cpu);
}

static void recorded_reply(struct reporter *r, const struct host_request *rq,
			   const struct host_reply *reply)
{
	percpu_array_reporter.reply(r, rq, reply);
	v8_emptied(r, rq->work);
}

/* Of a block that has merged since, only some of the pages were freed here. */
static bool freed_here(struct books *b, unsigned int cpu,
		       const struct captured_block *e)
{
	b->entries++;
	return bitmap_count_range(b->freed[cpu], e->pfn,
				  order_nr_pages(e->order)) > 0;
}

static const char *recorded_check(const struct reporter *r)
{
	const struct percpu_array *s = r->state;

	for (unsigned int cpu = 0; cpu < s->nr_cpus; cpu++)
		for (unsigned int i = 0; i < s->cpus[cpu].nr; i++)
			if (!freed_here(books_of(r), cpu,
					&s->cpus[cpu].captured[i]))
				return "an entry that was not freed here";
	return percpu_array_reporter.check(r);
}

static struct reporter_ops recorded(void)
{
	struct reporter_ops ops = percpu_array_reporter;

	ops.state_size += sizeof(struct books);
	ops.free_capture = recorded_capture;
	ops.free_notify = recorded_notify;
	ops.work = recorded_work;
	ops.reply = recorded_reply;
	ops.check = recorded_check;
	return ops;
}

/* What was found, "" if nothing; entries looked at. */
static uint64_t run(const struct reporter_ops *ops, const char *options,
		    const char *kernel, char *found, size_t size)
{
	const struct world_config cfg = {
		.ops = ops, .options = options, .kernel = kernel, .seed = 9,
		.ack_latency_ns = 400 * NSEC_PER_MSEC,
		.fail_every = 7, .refuse_every = 9,
	};
	struct world *w = world_create(&cfg);
	uint64_t entries;

	assert_non_null(w);
	for (unsigned int i = 0; i < NR_EVENTS && world_step(w); i++)
		;
	entries = books_of(&w->env.reporter)->entries;
	if (!w->broken[0])
		world_finish(w);
	snprintf(found, size, "%s", w->broken);
	world_abandon(w);
	return entries;
}

static void test_capture_books__entries_were_freed_here(void **state)
{
	/* Every variant and kernel: an entry is a free on its CPU since the
	 * array was emptied. */
	const struct reporter_ops ops = recorded();
	struct design designs[MAX_DESIGNS];
	const size_t nr = all_designs(designs);
	uint64_t entries = 0;
	char found[512];

	(void)state;
	for (size_t d = 0; d < nr; d++)
		for (size_t k = 0; k < ARRAY_SIZE(kernels); k++) {
			if (designs[d].ops != &percpu_array_reporter)
				continue;
			entries += run(&ops, designs[d].options, kernels[k],
				       found, sizeof(found));
			if (found[0])
				fail_msg("%s", found);
		}
	assert_true(entries > 10000);
}

/* ---- designs that remember something else ---- */

static void capture_next_door(struct reporter *r, unsigned int zone, pfn_t pfn,
			      unsigned int order, unsigned int cpu)
{
	record_free(r, cpu, pfn, order);
	percpu_array_reporter.free_capture(r, zone, pfn, order,
					   (cpu + 1) % NR_CPUS);
}

/* The array is full of what the last cycle had in it. */
static void keep_after_reply(struct reporter *r, const struct host_request *rq,
			     const struct host_reply *reply)
{
	struct percpu_array *s = r->state;
	const unsigned int nr = s->cpus[rq->work].nr;

	recorded_reply(r, rq, reply);
	s->cpus[rq->work].nr = nr ? 1 : 0;
}

static void test_capture_books__notice(void **state)
{
	/* The neighbour's array; an array that is not emptied. */
	static const char options[] = "capacity=9 threshold=4";
	struct reporter_ops ops = recorded();
	char found[512];

	(void)state;
	ops.free_capture = capture_next_door;
	run(&ops, options, "5.3", found, sizeof(found));
	assert_non_null(strstr(found, "not freed here"));
	ops = recorded();
	ops.reply = keep_after_reply;
	run(&ops, options, "5.3", found, sizeof(found));
	assert_non_null(strstr(found, "not freed here"));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_capture_books__entries_were_freed_here),
	cmocka_unit_test(test_capture_books__notice),
};

TEST_MAIN(cases)
