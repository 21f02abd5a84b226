/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tracepoints that no kernel wrote: a recorded run with events dropped,
 * repeated, swapped and changed at random. Nothing in them may break an
 * invariant of the allocator, in either mode, on any kernel whose lists the
 * snapshot fits. BUDDYLAB_TEST_SEED=N runs the one seed N.
 */
#include <stdlib.h>
#include <string.h>

#include "include/option.h"
#include "include/rng.h"
#include "replay/replay.h"
#include "tests/test.h"
#include "tests/trace/files.h"
#include "trace/blt.h"

#define NR_SEEDS 24
#define NR_EVENTS 4000
#define END_PFN 262109
#define RUN TEST_DATA_DIR "/traces/fork-exec-storm-4cpu/"

static struct trace_event *load_events(void)
{
	struct trace_event *out = calloc(NR_EVENTS, sizeof(*out));
	const struct trace_options o = { .format = TRACE_FORMAT_AUTO };
	struct diag d = { 0 };
	struct trace_source *s;

	assert_non_null(out);
	assert_int_equal(trace_open(&s, RUN "trace.blt", &o, &d), 0);
	for (unsigned int i = 0; i < NR_EVENTS; i++)
		assert_int_equal(trace_next(s, &out[i]), 1);
	trace_close(s);
	return out;
}

/* Any event that the readers let through, near the pages of the run. */
static void change(struct trace_event *ev, struct rng *rng)
{
	struct trace_kmem *k = &ev->u.kmem;

	ev->kind = (uint8_t)(TRACE_ALLOC +
			     rng_below(rng, TRACE_LOST - TRACE_ALLOC));
	if (rng_below(rng, 2))
		k->order = (uint8_t)rng_below(rng, NR_PAGE_ORDERS);
	if (rng_below(rng, 3) == 0)
		k->pfn = rng_below(rng, END_PFN + 1000);
	if (rng_below(rng, 20) == 0)
		k->pfn = PFN_NONE;
	if (k->pfn != PFN_NONE)
		k->pfn = pfn_align_down(k->pfn, k->order);
	k->mt = (uint8_t)rng_below(rng, 5);
	k->gfp = (k->gfp & 0xffffffe7u) | rng_below(rng, 3) << 3;
	k->refill = rng_below(rng, 2);
	k->fallback_order = (uint8_t)rng_below(rng, NR_PAGE_ORDERS);
	k->fallback_mt = (uint8_t)rng_below(rng, 4);
	k->change_ownership = rng_below(rng, 2);
	ev->cpu = (uint16_t)rng_below(rng, 5);
}

static void put(struct blt_writer *w, const struct trace_event *ev)
{
	struct trace_event e = *ev;

	e.task = 0;
	if (blt_put(w, &e))
		fail_msg("blt_put");
}

static void put_some(struct blt_writer *w, const struct trace_event *events,
		     unsigned int i, struct rng *rng)
{
	struct trace_event ev = events[i];

	switch (rng_below(rng, 16)) {
	case 0:
		break;
	case 1:
		put(w, &ev);
		put(w, &ev);
		break;
	case 2:
		change(&ev, rng);
		put(w, &ev);
		break;
	case 3:
		put(w, &events[rng_below(rng, NR_EVENTS)]);
		break;
	case 4:
		ev.kind = TRACE_LOST;
		ev.u.lost = rng_below(rng, 9);
		put(w, &ev);
		break;
	default:
		put(w, &ev);
		break;
	}
}

static void write_trace(const char *path, uint64_t seed,
			const struct trace_event *events)
{
	const struct blt_info info = { .source = TRACE_FORMAT_RECORDER };
	struct trace_stats stats = { 0 };
	struct diag d = { 0 };
	struct blt_writer *w;
	struct rng rng;

	rng_init(&rng, seed, "stock", 0);
	if (blt_create(&w, path, &info, &d))
		fail_msg("%s", d.last);
	/* A middle part of the run: pages from nowhere, refills half done. */
	for (unsigned int i = rng_below(&rng, NR_EVENTS / 2); i < NR_EVENTS;
	     i++)
		put_some(w, events, i, &rng);
	if (blt_commit(w, &stats))
		fail_msg("%s", d.last);
}

static void replay_checked(const char *path, const char *kernel,
			   enum replay_mode mode, uint64_t seed)
{
	const struct replay_options o = { .stream = path,
					  .before = RUN "before.snap.zst",
					  .kernel = kernel, .mode = mode };
	struct diag d = { 0 };
	struct replay_result res;
	struct replay_step step;
	struct req_record rec;
	const char *broken = NULL;
	struct replay *r;
	int ret;

	if (replay_open(&r, &o, &d))
		fail_msg("%s", d.last);
	for (unsigned int i = 0; (ret = replay_next(r, &rec)) == 1; i++) {
		replay_apply(r, &rec, &step);
		if (i % 512 == 0 && !broken)
			broken = alloc_check(replay_alloc(r));
	}
	broken = broken ? broken : alloc_check(replay_alloc(r));
	if (ret || broken)
		fail_msg("BUDDYLAB_TEST_SEED=%llu test_stock_fuzz: kernel %s, mode %d: %s",
			 (unsigned long long)seed, kernel, mode,
			 broken ? broken : d.last);
	replay_finish(r, &res);
	assert_true(res.allocations > 0);
	replay_close(r);
}

static void run_seed(uint64_t seed, const struct trace_event *events)
{
	static const char *const kernels[] = { "6.1", "6.12.0", "6.12",
					       "6.18" };
	char path[TEST_PATH_MAX];

	file_write_text(path, "");
	write_trace(path, seed, events);
	replay_checked(path, kernels[seed % 4], REPLAY_PREDICT, seed);
	replay_checked(path, kernels[seed % 4], REPLAY_ASSISTED, seed);
	file_remove(path);
}

static void test_stock_fuzz__no_trace_breaks_the_allocator(void **state)
{
	/* The invariants of alloc_check() hold throughout. */
	const char *text = getenv("BUDDYLAB_TEST_SEED");
	struct trace_event *events = load_events();
	uint64_t seed = 0;

	(void)state;
	if (text && !parse_u64(text, &seed))
		run_seed(seed, events);
	else
		for (seed = 1; seed <= NR_SEEDS; seed++)
			run_seed(seed, events);
	free(events);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_stock_fuzz__no_trace_breaks_the_allocator),
};

TEST_MAIN(cases)
