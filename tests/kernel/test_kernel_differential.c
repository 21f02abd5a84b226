/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our page_reporting against mm/page_reporting.c itself: two guests that are
 * the same, with the same host, one with each. After every event both have
 * made the same calls with the same blocks in the same order (isolations,
 * reports, putbacks, marks, rotations, lock holds and their lengths), both
 * are due at the same time, and every so often all their lists are equal,
 * order and marks included. A difference names the guest and both calls; the
 * same guest again: KERNEL_GUEST=n. KERNEL_GUESTS=n: only the first n.
 * KERNEL_CAPACITY=n: the tree's PAGE_REPORTING_CAPACITY, where it is not 32; the
 * smaller it is, the larger are the blocks that so small guests report.
 *
 * KERNEL_REPORTER names the plugin that buddylab-kernel-reporter has made.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "tests/reporter/world.h"
#include "tests/test.h"

#ifdef BUDDYLAB_SANITIZED
#define NR_GUESTS 300
#else
#define NR_GUESTS 2000
#endif
#define NR_EVENTS 400
#define LISTS_EVERY 16
#define MAX_LOG 65536

static const char *const kernels[] = { "5.7", "5.10", "6.1", "6.12", "6.18" };

enum call { CALL_REPORT = 1, CALL_ISOLATE, CALL_PUTBACK, CALL_MARK,
	    CALL_ROTATE, CALL_UNLOCK };

struct side {
	struct world *w;
	struct sync_env_watch world;  /* its own watch, which comes first */
	uint64_t log[MAX_LOG];
	unsigned int nr;
};

static void put(struct side *s, enum call call, uint64_t what)
{
	if (s->nr == MAX_LOG)
		fail_msg("more calls in one event than are kept");
	s->log[s->nr++] = (uint64_t)call << 56 | what;
	digest_u64(&s->w->digest, s->log[s->nr - 1]);
}

static uint64_t block(pfn_t pfn, unsigned int order, enum migratetype mt)
{
	return (uint64_t)pfn << 16 | order << 8 | mt;
}

static void see_report(void *ctx, const struct page_report *e, unsigned int nr)
{
	struct side *s = ctx;

	s->world.report(s->world.ctx, e, nr);
	for (unsigned int i = 0; i < nr; i++)
		put(s, CALL_REPORT, block(e[i].pfn, e[i].order,
					  e[i].migratetype) |
				    (uint64_t)(i == 0) << 55);
}

static void see_isolate(void *ctx, pfn_t pfn, unsigned int order,
			enum migratetype mt)
{
	struct side *s = ctx;

	s->world.isolate(s->world.ctx, pfn, order, mt);
	put(s, CALL_ISOLATE, block(pfn, order, mt));
}

static void see_putback(void *ctx, pfn_t pfn, unsigned int order,
			enum migratetype mt)
{
	struct side *s = ctx;

	s->world.putback(s->world.ctx, pfn, order, mt);
	put(s, CALL_PUTBACK, block(pfn, order, mt));
}

static void see_mark(void *ctx, pfn_t pfn, enum block_mark m)
{
	struct side *s = ctx;

	s->world.mark(s->world.ctx, pfn, m);
	put(s, CALL_MARK, (uint64_t)pfn << 16 | m);
}

static void see_rotate(void *ctx, pfn_t pfn)
{
	put(ctx, CALL_ROTATE, (uint64_t)pfn << 16);
}

static void see_unlock(void *ctx, unsigned int zone, uint32_t list_touches)
{
	put(ctx, CALL_UNLOCK, (uint64_t)list_touches << 16 | zone);
}

static void watch(struct side *s, struct world *w)
{
	struct sync_env_watch *to = &w->env.cfg.watch;

	s->w = w;
	s->world = *to;
	s->nr = 0;
	*to = (struct sync_env_watch){
		.ctx = s, .report = see_report, .isolate = see_isolate,
		.putback = see_putback, .mark = see_mark,
		.rotate = see_rotate, .unlock = see_unlock,
		.request = s->world.request,
	};
}

struct guest {
	unsigned int nr;
	struct world_config cfg;
	char options[32];
	unsigned int order;        /* 0: that of a pageblock */
	unsigned int no_memory_every; /* n-th kmalloc() fails; 0: none */
	struct rng rng;
};

/* Guest number nr: its kernel, order, host and faults. */
static void draw(struct guest *g, unsigned int nr)
{
	static const unsigned int every[] = { 0, 0, 2, 3, 5, 7 };
	static const uint8_t orders[] = { 0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 5,
					  6, 7, 8, 9, 10 };

	memset(g, 0, sizeof(*g));
	g->nr = nr;
	rng_init(&g->rng, nr, "kernel differential", 0);
	g->order = orders[rng_below(&g->rng, ARRAY_SIZE(orders))];
	if (g->order)
		snprintf(g->options, sizeof(g->options), "order=%u", g->order);
	g->cfg = (struct world_config){
		.options = g->options,
		.kernel = kernels[rng_below(&g->rng, ARRAY_SIZE(kernels))],
		.seed = nr,
		.shuffle = rng_below(&g->rng, 4) == 0,
		.ack_latency_ns = rng_below(&g->rng, 3) *
			(NSEC_PER_SEC >> rng_below(&g->rng, 6)),
		.fail_every = every[rng_below(&g->rng, ARRAY_SIZE(every))],
		.refuse_every = every[rng_below(&g->rng, ARRAY_SIZE(every))],
		.stop_after = rng_below(&g->rng, 4) ? 0 :
			      1 + rng_below(&g->rng, NR_EVENTS),
	};
	g->no_memory_every = every[rng_below(&g->rng, ARRAY_SIZE(every))];
}

static void print_guest(const struct guest *g, const char *what,
			unsigned int event)
{
	print_error("guest %u (KERNEL_GUEST=%u): kernel %s, %s, fail %u, "
		    "refuse %u, no memory %u, stop %u; event %u: %s\n", g->nr,
		    g->nr, g->cfg.kernel, g->options, g->cfg.fail_every,
		    g->cfg.refuse_every, g->no_memory_every,
		    g->cfg.stop_after, event, what);
}

/* The first call since the last event that is not the same. */
static void compare_calls(const struct guest *g, struct side *ours,
			  struct side *theirs, unsigned int event)
{
	const unsigned int nr = ours->nr < theirs->nr ? ours->nr : theirs->nr;
	unsigned int i = 0;

	while (i < nr && ours->log[i] == theirs->log[i])
		i++;
	if (i < ours->nr || i < theirs->nr) {
		print_guest(g, "calls differ", event);
		fail_msg("call %u of %u and %u: ours %016" PRIx64
			 ", the kernel's %016" PRIx64, i, ours->nr, theirs->nr,
			 i < ours->nr ? ours->log[i] : 0,
			 i < theirs->nr ? theirs->log[i] : 0);
	}
	ours->nr = theirs->nr = 0;
}

static void compare_list(const struct guest *g, struct world *ours,
			 struct world *theirs, unsigned int event,
			 unsigned int zone, unsigned int order,
			 enum migratetype mt)
{
	const struct alloc *a = ours->a, *b = theirs->a;
	pfn_t p = alloc_list_first(a, zone, order, mt);
	pfn_t q = alloc_list_first(b, zone, order, mt);

	while (p != PFN_NONE && p == q &&
	       alloc_block_marks(a, p) == alloc_block_marks(b, q)) {
		digest_u64(&ours->digest, p);
		digest_u64(&theirs->digest, q);
		p = alloc_list_next(a, p);
		q = alloc_list_next(b, q);
	}
	if (p == PFN_NONE && q == PFN_NONE)
		return;
	print_guest(g, "lists differ", event);
	fail_msg("zone %u order %u type %u: ours has %u, the kernel's %u",
		 zone, order, (unsigned int)mt, p, q);
}

static void compare_lists(const struct guest *g, struct world *ours,
			  struct world *theirs, unsigned int event)
{
	const unsigned int nr_zones = alloc_nr_zones(ours->a);

	for (unsigned int zone = 0; zone < nr_zones; zone++)
		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
			for (int mt = 0; mt < MIGRATE_TYPES; mt++)
				compare_list(g, ours, theirs, event, zone, o,
					     (enum migratetype)mt);
}

static void compare_state(const struct guest *g, const struct world *ours,
			  const struct world *theirs, unsigned int event)
{
	const struct sync_env *a = &ours->env, *b = &theirs->env;

	if (a->scheduled == b->scheduled && a->nr_batches == b->nr_batches &&
	    (!a->scheduled || a->scheduled_ns == b->scheduled_ns) &&
	    a->out_pages == b->out_pages)
		return;
	print_guest(g, "states differ", event);
	fail_msg("scheduled %d/%d for %" PRIu64 "/%" PRIu64 ", batches %u/%u, "
		 "out %" PRIu64 "/%" PRIu64, a->scheduled, b->scheduled,
		 a->scheduled_ns, b->scheduled_ns, a->nr_batches,
		 b->nr_batches, a->out_pages, b->out_pages);
}

#define COMPARE_COUNTER(member) \
	do { \
		if (a->member != b->member) \
			fail_msg("guest %u: %s: ours %" PRIu64 ", the " \
				 "kernel's %" PRIu64, g->nr, #member, \
				 (uint64_t)a->member, (uint64_t)b->member); \
	} while (0)

static void compare_counters(const struct guest *g, const struct world *ours,
			     const struct world *theirs)
{
	const struct reporter_counters *a = &ours->env.reporter.counters;
	const struct reporter_counters *b = &theirs->env.reporter.counters;

	COMPARE_COUNTER(passes);
	COMPARE_COUNTER(report_calls);
	COMPARE_COUNTER(report_errors);
	COMPARE_COUNTER(pages);
	COMPARE_COUNTER(list_visits);
	COMPARE_COUNTER(lists_visited);
	COMPARE_COUNTER(skipped_marked);
	COMPARE_COUNTER(isolate_refused);
	COMPARE_COUNTER(gate_skips);
	COMPARE_COUNTER(rotations);
	COMPARE_COUNTER(putbacks);
	COMPARE_COUNTER(putback_merged);
	COMPARE_COUNTER(longest_hold);
	COMPARE_COUNTER(marked_pages);
	COMPARE_COUNTER(refault_pages);
}

static const struct reporter_ops *load(void)
{
	const char *path = getenv("KERNEL_REPORTER");
	void *plugin;
	const struct reporter_ops *ops;

	if (!path)
		return NULL;
	plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!plugin)
		fail_msg("%s", dlerror());
	ops = dlsym(plugin, "kernel_reporter");
	assert_non_null(ops);
	return ops;
}

struct total {
	struct digest ours, theirs;
	uint64_t reports, blocks, errors, isolate_refused, rotations;
	uint64_t budget_stops, passes, gate_skips, merged, no_memory;
};

static void add_digest(struct digest *total, struct world *w)
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex(&w->digest, hex);
	for (unsigned int i = 0; i + 8 <= sizeof(hex) - 1; i += 8) {
		uint64_t word;

		memcpy(&word, hex + i, sizeof(word));
		digest_u64(total, word);
	}
}

static void sum_up(struct total *t, struct world *ours, struct world *theirs)
{
	const struct reporter_counters *c = &ours->env.reporter.counters;

	add_digest(&t->ours, ours);
	add_digest(&t->theirs, theirs);
	t->reports += c->report_calls;
	t->errors += c->report_errors;
	t->isolate_refused += c->isolate_refused;
	t->rotations += c->rotations;
	t->budget_stops += c->budget_stops;
	t->blocks += ours->blocks;
	t->passes += c->passes;
	t->gate_skips += c->gate_skips;
	t->merged += c->putback_merged;
	if (ours->env.cfg.kmalloc_fail_every)
		t->no_memory += ours->env.kmallocs /
				ours->env.cfg.kmalloc_fail_every;
}

/* Each of these ways has been gone, or equality says nothing about it. */
static void assert_all_seen(const struct total *t)
{
	assert_true(t->reports && t->errors && t->rotations);
	assert_true(t->budget_stops && t->gate_skips);
	assert_true(t->merged && t->no_memory);
	/* The gate of a small array is never far above the low mark. */
	assert_true(t->isolate_refused || getenv("KERNEL_CAPACITY"));
}

static bool nothing_free(const struct alloc *a, pfn_t start)
{
	unsigned int order;
	pfn_t head;

	for (pfn_t pfn = start; pfn < start + HPAGE_PMD_NR; pfn++)
		if (alloc_page_lookup(a, pfn, &head, &order) ==
		    ALLOC_PAGE_BUDDY)
			return false;
	return true;
}

/*
 * A pageblock is reserved, becomes part of a CMA area, is isolated for offlining,
 * or no longer: the file passes by free blocks of the latter kind. Parts of it
 * may be with the host.
 */
static void retype(struct guest *g, struct world *ours, struct world *theirs)
{
	static const enum migratetype types[] = {
		MIGRATE_HIGHATOMIC, MIGRATE_CMA, MIGRATE_ISOLATE,
		MIGRATE_ISOLATE, MIGRATE_MOVABLE,
	};
	const pfn_t pfn = rng_below(&g->rng, WORLD_PAGES / HPAGE_PMD_NR) *
			  HPAGE_PMD_NR;
	const enum migratetype mt = types[rng_below(&g->rng,
						    ARRAY_SIZE(types))];

	if (!nothing_free(ours->a, pfn))
		return;
	alloc_set_pageblock_type(ours->a, pfn, mt);
	alloc_set_pageblock_type(theirs->a, pfn, mt);
}

/*
 * What a guest does seldom: give all back, leave long lists behind, use memory
 * for something else.
 */
static void upheaval(struct guest *g, struct world *ours, struct world *theirs)
{
	const uint32_t dice = rng_below(&g->rng, 160);
	const unsigned int order = g->order ? g->order : HPAGE_PMD_ORDER;

	if (dice < 2) {
		world_release(ours, 4);
		world_release(theirs, 4);
	} else if (dice < 6) {
		world_perforate(ours, order, WORLD_MAX_BLOCKS);
		world_perforate(theirs, order, WORLD_MAX_BLOCKS);
	} else if (dice < 26) {
		retype(g, ours, theirs);
	}
}

static void step(struct guest *g, struct side *ours, struct side *theirs,
		 unsigned int event)
{
	bool fine = world_step(ours->w);

	fine = world_step(theirs->w) && fine;
	compare_calls(g, ours, theirs, event);
	if (!fine)
		fail_msg("%s %s", ours->w->broken, theirs->w->broken);
	upheaval(g, ours->w, theirs->w);
	compare_calls(g, ours, theirs, event);
	compare_state(g, ours->w, theirs->w, event);
	if (event % LISTS_EVERY == 0)
		compare_lists(g, ours->w, theirs->w, event);
}

static struct world *begin(struct guest *g, struct side *side,
			   const struct reporter_ops *ops, const char *options)
{
	struct world *w;

	g->cfg.ops = ops;
	g->cfg.options = options;
	w = world_create(&g->cfg);
	assert_non_null(w);
	w->env.cfg.kmalloc_fail_every = g->no_memory_every;
	watch(side, w);
	return w;
}

static void end(struct guest *g, struct side *ours, struct side *theirs)
{
	bool fine = world_finish(ours->w);

	fine = world_finish(theirs->w) && fine;
	compare_calls(g, ours, theirs, NR_EVENTS + 1);
	if (!fine)
		fail_msg("%s %s", ours->w->broken, theirs->w->broken);
	compare_lists(g, ours->w, theirs->w, NR_EVENTS + 1);
	compare_counters(g, ours->w, theirs->w);
}

static void run_guest(struct guest *g, const struct reporter_ops *kernel,
		      struct side *ours, struct side *theirs, struct total *t)
{
	const char *capacity = getenv("KERNEL_CAPACITY");
	char options[64];

	snprintf(options, sizeof(options), "%s%scapacity=%s", g->options,
		 g->order ? " " : "", capacity ? capacity : "32");
	begin(g, ours, &page_reporting_reporter, options);
	begin(g, theirs, kernel, g->options);
	compare_state(g, ours->w, theirs->w, 0);
	for (unsigned int i = 1; i <= NR_EVENTS; i++)
		step(g, ours, theirs, i);
	end(g, ours, theirs);
	sum_up(t, ours->w, theirs->w);
	world_destroy(ours->w);
	world_destroy(theirs->w);
}

static void test_kernel__does_what_our_page_reporting_does(void **state)
{
	const char *only = getenv("KERNEL_GUEST");
	const char *most = getenv("KERNEL_GUESTS");
	const unsigned long nr_guests = most ? strtoul(most, NULL, 10) :
					NR_GUESTS;
	const struct reporter_ops *kernel = load();
	char a[DIGEST_HEX_SIZE], b[DIGEST_HEX_SIZE];
	struct side *sides = calloc(2, sizeof(*sides));
	struct total t = { .reports = 0 };
	struct guest g;

	(void)state;
	if (!kernel)
		fail_msg("KERNEL_REPORTER is not set");
	assert_non_null(sides);
	assert_int_equal(digest_init(&t.ours) | digest_init(&t.theirs), 0);
	for (unsigned int i = 0; i < nr_guests; i++) {
		draw(&g, i);
		if (!only || strtoul(only, NULL, 10) == i)
			run_guest(&g, kernel, &sides[0], &sides[1], &t);
	}
	digest_hex(&t.ours, a);
	digest_hex(&t.theirs, b);
	print_message("%lu guests, %u events each: %" PRIu64 " passes, %" PRIu64
		      " stopped at the watermark; %" PRIu64 " reports of %"
		      PRIu64 " blocks, %" PRIu64 " errors, %" PRIu64
		      " isolations refused, %" PRIu64 " rotations, %" PRIu64
		      " budgets spent, %" PRIu64 " blocks merged when put back,"
		      " %" PRIu64 " kmalloc failures\n"
		      "ours         %s\nthe kernel's %s\n", nr_guests,
		      NR_EVENTS, t.passes, t.gate_skips, t.reports, t.blocks,
		      t.errors, t.isolate_refused, t.rotations, t.budget_stops,
		      t.merged, t.no_memory, a, b);
	assert_string_equal(a, b);
	if (!only && !most)
		assert_all_seen(&t);
	digest_destroy(&t.ours);
	digest_destroy(&t.theirs);
	free(sides);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(
			test_kernel__does_what_our_page_reporting_does),
	};

	return cmocka_run_group_tests(cases, NULL, NULL) ? 1 : 0;
}
