/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The short way of plain requests against the long one: same result, same
 * counters, same lists, for recorded runs and for streams by chance.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/rng.h"
#include "replay/replay.h"
#include "sim/sim.h"
#include "tests/test.h"
#include "tests/trace/files.h"
#include "trace/blt.h"
#include "trace/source.h"

#define RUNS TEST_DATA_DIR "/traces/"
#define STORM RUNS "fork-exec-storm/"

/* What the long way leaves. */
struct outcome {
	struct replay_result result;
	struct alloc_counters counters;
	struct snapshot *state;
	uint32_t pagesets;  /* that a snapshot of itself does not describe */
};

static char *json(const struct replay_result *r)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	assert_int_equal(replay_print_json(r, f), 0);
	fclose(f);
	return text;
}

static struct replay *open_replay(const struct replay_options *o,
				  struct diag *d)
{
	struct replay *r;

	if (replay_open(&r, o, d))
		fail_msg("%s", d->last);
	return r;
}

static void finish(struct replay *r, struct outcome *out)
{
	const char *broken = alloc_check(replay_alloc(r));

	if (broken)
		fail_msg("%s", broken);
	assert_int_equal(replay_finish(r, &out->result), 0);
	out->counters = *alloc_counters(replay_alloc(r));
}

static void run_long(const struct replay_options *o, struct outcome *out)
{
	struct diag d = { 0 };
	struct replay *r = open_replay(o, &d);
	struct replay_result itself = { 0 };
	struct replay_step step;
	struct req_record rec;

	while (replay_next(r, &rec) == 1)
		replay_apply(r, &rec, &step);
	finish(r, out);
	assert_int_equal(replay_snapshot_of(&out->state, replay_alloc(r)), 0);
	replay_compare(replay_alloc(r), out->state, &itself);
	out->pagesets = itself.pagesets_differing;
	replay_close(r);
}

static void assert_short_same(struct replay_options o, unsigned int threads,
			      const struct outcome *expected)
{
	struct diag d = { 0 };
	struct outcome out;
	struct replay *r;
	char *a, *b;

	o.threads = threads;
	r = open_replay(&o, &d);
	assert_true(replay_is_plain(r));
	if (replay_run_opened(r))
		fail_msg("%s", d.last);
	finish(r, &out);
	assert_memory_equal(&out.counters, &expected->counters,
			    sizeof(out.counters));
	a = json(&out.result);
	b = json(&expected->result);
	assert_string_equal(a, b);
	free(a);
	free(b);
	out.result.lists_differing = 1;
	replay_compare(replay_alloc(r), expected->state, &out.result);
	assert_true(out.result.lists > 0);
	ASSERT_U64("lists", out.result.lists_differing, 0);
	ASSERT_U64("types", out.result.pageblocks_differing, 0);
	ASSERT_U64("pagesets", out.result.pagesets_differing,
		   expected->pagesets);
	replay_close(r);
}

static void assert_same(const struct replay_options *o, struct outcome *out)
{
	run_long(o, out);
	assert_short_same(*o, 1, out);
	assert_short_same(*o, 2, out);
	snapshot_free(out->state);
}

/* ---- recorded runs ---- */

static bool plain_kind_of(const struct trace_event *e)
{
	switch (e->u.req.kind) {
	case REQ_A:
	case REQ_AB:
	case REQ_B:
	case REQ_F:
	case REQ_FB:
	case REQ_P:
	case REQ_C:
	case REQ_W:
	case REQ_L:
	case REQ_V:
		return e->kind == TRACE_REQUEST;
	default:
		return false;
	}
}

/* The plain requests of a recorded run; all others are left out. */
static uint64_t import_plain(const char *from, char path[TEST_PATH_MAX])
{
	const struct blt_info info = { "", TRACE_FORMAT_REQUEST };
	struct diag d = { 0 };
	struct trace_source *s;
	struct trace_event e;
	struct blt_writer *w;
	uint64_t others = 0;

	file_write(path, "", 0);
	assert_int_equal(trace_open(&s, from, NULL, &d), 0);
	assert_int_equal(blt_create(&w, path, &info, &d), 0);
	while (trace_next(s, &e) == 1) {
		if (!plain_kind_of(&e))
			others++;
		else if (blt_put(w, &e))
			fail_msg("%s", d.last);
	}
	assert_int_equal(blt_commit(w, NULL), 0);
	trace_close(s);
	return others;
}

struct recorded {
	const char *dir;
	bool whole;         /* has plain requests only: all is predicted */
	const char *kernel;
};

/* Pages that were not predicted. */
static uint64_t assert_recorded(const struct recorded *run,
				enum replay_mode mode)
{
	char from[256], before[256], after[256], path[TEST_PATH_MAX];
	const struct replay_options o = {
		.stream = path, .before = before, .after = after,
		.kernel = run->kernel, .mode = mode,
	};
	struct outcome out;
	uint64_t others;

	snprintf(from, sizeof(from), RUNS "%s/req.txt.zst", run->dir);
	snprintf(before, sizeof(before), RUNS "%s/before.snap.zst", run->dir);
	snprintf(after, sizeof(after), RUNS "%s/after.snap.zst", run->dir);
	others = import_plain(from, path);
	ASSERT_U64(run->dir, others == 0, run->whole);
	assert_same(&o, &out);
	if (run->whole)
		ASSERT_U64(run->dir, replay_exact(&out.result), 1);
	file_remove(path);
	return out.result.allocations - out.result.predicted;
}

static void test_plain__recorded_runs(void **state)
{
	/* Plain as they are, and what is plain of others, which then misses. */
	static const struct recorded runs[] = {
		{ "fork-exec-storm", true, NULL },
		{ "fork-exec-storm-4cpu", true, NULL },
		{ "usemem-punch-holes", true, NULL },
		{ "memhog", false, NULL },
		{ "page_fault1-thp", false, NULL },
		{ "steal-4cpu", false, NULL },
		{ "compaction-4cpu", false, NULL },
		{ "fork-exec-storm-4cpu-6.12", true, "6.12" },
	};

	uint64_t predict = 0, assisted = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(runs) / sizeof(*runs); i++) {
		predict += assert_recorded(&runs[i], REPLAY_PREDICT);
		if (!runs[i].whole)
			assisted += assert_recorded(&runs[i], REPLAY_ASSISTED);
	}
	assert_true(predict > 1000 && assisted > 1000);
}

/* ---- by chance ---- */

static void put(struct blt_writer *w, struct trace_event *e, struct diag *d)
{
	e->line++;
	if (blt_put(w, e))
		fail_msg("%s", d->last);
}

/*
 * Allocations that get the wrong page, frees of pages that nobody has, of
 * parts of blocks, twice, and past the guest's own end of memory.
 */
static void write_random(char path[TEST_PATH_MAX], uint64_t seed,
			 struct alloc *a, unsigned int nr)
{
	const bool batched = seed % 2;
	const struct blt_info info = { "6.1", TRACE_FORMAT_REQUEST };
	static const gfp_t gfps[] = { GFP_KERNEL, GFP_HIGHUSER_MOVABLE,
				      GFP_KERNEL | GFP_BIT_RECLAIMABLE };
	struct trace_event e = { .kind = TRACE_REQUEST };
	struct req_record *q = &e.u.req;
	struct diag d = { 0 };
	struct blt_writer *w;
	pfn_t held[512];
	struct rng rng;

	rng_init(&rng, seed, "random-plain", 0);
	memset(held, 0xff, sizeof(held));
	file_write(path, "", 0);
	assert_int_equal(blt_create(&w, path, &info, &d), 0);
	for (unsigned int i = 0; i < nr; i++) {
		pfn_t *p = &held[rng_below(&rng, 512)];
		const unsigned int roll = rng_below(&rng, 100);

		memset(q, 0, sizeof(*q));
		e.cpu = q->cpu = (uint16_t)rng_below(&rng, 4);
		if (*p == PFN_NONE || roll < 3) {
			q->kind = roll % 16 ? REQ_A : REQ_AB;
			q->mt = (uint8_t)rng_below(&rng, 3);
			q->gfp = gfps[q->mt];
			q->order = roll < 90 ? 0 :
				   (uint8_t)rng_below(&rng, 11);
			*p = alloc_page_fast(a, q->cpu, q->order, q->gfp);
			q->pfn = *p;
			if (roll == 50)
				q->pfn = rng_below(&rng, 1u << 14) >>
					 q->order << q->order;
		} else {
			/* Batched: some without a P, some freed otherwise. */
			q->pfn = roll < 95 ? *p : rng_below(&rng, 1u << 14);
			q->kind = REQ_P;
			if (batched && roll < 60)
				put(w, &e, &d);
			q->kind = batched && roll > 10 ? REQ_C :
				  roll == 97 ? REQ_FB : REQ_F;
			*p = PFN_NONE;
		}
		put(w, &e, &d);
	}
	assert_int_equal(blt_commit(w, NULL), 0);
}

static void test_plain__streams_by_chance(void **state)
{
	/* Misses, failures and frees of nothing; limits inside a batch. */
	static const unsigned int limits[] = { 0, 1, 4096, 5000, 30000 };
	char path[TEST_PATH_MAX], why[128] = "";

	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct replay_options o = { .stream = path };
		struct alloc *booted, *recorder;
		struct outcome out;

		print_message("repeat: test_plain '*chance', seed %u\n",
			      (unsigned int)seed);
		assert_int_equal(sim_boot_alloc(&recorder, "6.1", "64M", 4,
						why, sizeof(why)), 0);
		assert_int_equal(sim_boot_alloc(&booted, "6.1", "64M", 4, why,
						sizeof(why)), 0);
		write_random(path, seed, recorder, 20000);
		o.booted = booted;
		o.limit = limits[seed % 5];
		o.mode = seed > 5 ? REPLAY_ASSISTED : REPLAY_PREDICT;
		assert_same(&o, &out);
		if (o.limit && o.limit < 20000)
			ASSERT_U64("events", out.result.events, o.limit);
		else
			assert_true(out.result.events >= 20000);
		if (!o.limit)
			assert_true(out.result.predicted <
				    out.result.allocations);
		file_remove(path);
		alloc_destroy(booted);
		alloc_destroy(recorder);
	}
}

static void test_plain__what_goes_the_long_way(void **state)
{
	/* Zone hints, a reporter of the caller, text, and other records. */
	char path[TEST_PATH_MAX];
	const struct {
		struct replay_options o;
		bool plain;
	} rows[] = {
		{ { .stream = path }, true },
		{ { .stream = path, .hints = REPLAY_HINT_ZONE }, false },
		{ { .stream = path, .hints = REPLAY_HINT_COIN }, true },
		{ { .stream = path, .external_reporter = true }, false },
		{ { .stream = STORM "req.txt.zst" }, false },
	};

	(void)state;
	assert_int_equal(import_plain(STORM "req.txt.zst", path), 0);
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct replay_options o = rows[i].o;
		struct diag d = { 0 };
		struct replay *r;

		o.before = STORM "before.snap.zst";
		r = open_replay(&o, &d);
		ASSERT_U64(test_row(i), replay_is_plain(r), rows[i].plain);
		assert_int_equal(replay_run_opened(r), 0);
		replay_close(r);
	}
	file_remove(path);
}

static void test_plain__wrong_requests_end_it(void **state)
{
	/* A CPU that the guest does not have: told, and there is no result. */
	struct replay_options o = { .before = STORM "before.snap.zst" };
	const struct blt_info info = { "6.1", TRACE_FORMAT_REQUEST };
	struct trace_event e = { .kind = TRACE_REQUEST };
	char path[TEST_PATH_MAX];
	struct blt_writer *w;
	struct diag d = { 0 };

	(void)state;
	file_write(path, "", 0);
	assert_int_equal(blt_create(&w, path, &info, &d), 0);
	e.u.req.gfp = GFP_KERNEL;
	e.u.req.pfn = PFN_NONE;
	put(w, &e, &d);
	put(w, &e, &d);
	e.cpu = e.u.req.cpu = 700;
	put(w, &e, &d);
	assert_int_equal(blt_commit(w, NULL), 0);
	o.stream = path;
	/* As it does on the long way, which a hint asks for. */
	o.hints = REPLAY_HINT_ZONE;
	for (o.threads = 0; o.threads <= 2; o.threads++, o.hints = 0) {
		struct replay_result result = { 0 };

		d = (struct diag){ 0 };
		assert_int_equal(replay_run(&o, &d, &result), -EINVAL);
		ASSERT_U64("errors", d.nr_errors, 1);
		assert_non_null(strstr(d.last, "line 3 of the imported file: "
				       "a CPU that the guest does not have"));
	}
	file_remove(path);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_plain__recorded_runs),
	cmocka_unit_test(test_plain__streams_by_chance),
	cmocka_unit_test(test_plain__what_goes_the_long_way),
	cmocka_unit_test(test_plain__wrong_requests_end_it),
};

TEST_MAIN(cases)
