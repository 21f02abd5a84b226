/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows on the allocator alone: pairs, random frees, the cost of a large guest,
 * its metadata. Counters are on, as always; no hook is set.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench_rows.h"
#include "include/rng.h"
#include "sim/sim.h"

#define PAIRS 2000000u
#define WORKING_SET 16384u     /* pages */
#define SET_OPS 2000000u

/* ---- pairs through the pcp ---- */

static int boot_1g(const struct selfbench_row *row, unsigned int samples,
		   void **ctx, char *why, size_t why_size)
{
	(void)row;
	(void)samples;
	return sim_boot_alloc((struct alloc **)ctx, BENCH_KERNEL, "1G", 1, why,
			      why_size);
}

static void destroy(void *ctx)
{
	alloc_destroy(ctx);
}

static int run_pairs(const struct selfbench_row *row, void *ctx,
		     struct selfbench_sample *out, char *why, size_t why_size)
{
	const unsigned int order = *(const unsigned int *)row->arg;
	struct selfbench_timer t = { 0 };
	struct alloc *a = ctx;
	unsigned int i;

	selfbench_start(&t);
	for (i = 0; i < PAIRS; i++) {
		const pfn_t pfn = alloc_page_fast(a, 0, order,
						  GFP_HIGHUSER_MOVABLE);

		if (pfn == PFN_NONE)
			break;
		alloc_free(a, 0, pfn, order);
	}
	selfbench_stop(&t);
	if (i < PAIRS) {
		snprintf(why, why_size, "the guest ran out of memory");
		return -ENOMEM;
	}
	*out = (struct selfbench_sample){ selfbench_ns_per(&t, PAIRS),
					  t.cpu_ns, t.wall_ns };
	return 0;
}

/* ---- all of a guest in single pages ---- */

struct pages {
	struct alloc *a;
	pfn_t *pfn;
	size_t nr, room;
	struct rng rng;
};

static void pages_destroy(void *ctx)
{
	struct pages *p = ctx;

	alloc_destroy(p->a);
	free(p->pfn);
	free(p);
}

static int pages_setup(const struct selfbench_row *row, unsigned int samples,
		       void **ctx, char *why, size_t why_size)
{
	struct pages *p = calloc(1, sizeof(*p));
	int err;

	(void)row;
	(void)samples;
	if (!p)
		return -ENOMEM;
	err = sim_boot_alloc(&p->a, BENCH_KERNEL, "32G", 1, why, why_size);
	if (err) {
		free(p);
		return err;
	}
	rng_init(&p->rng, 1, "bench", 0);
	p->room = alloc_end_pfn(p->a);
	p->pfn = malloc(p->room * sizeof(*p->pfn));
	if (!p->pfn) {
		pages_destroy(p);
		return -ENOMEM;
	}
	*ctx = p;
	return 0;
}

/* Every page of every zone, past watermarks and pagesets. */
static void take_all(struct pages *p)
{
	const unsigned int nr_zones = alloc_nr_zones(p->a);
	pfn_t pfn;

	alloc_drain_all(p->a);
	p->nr = 0;
	for (unsigned int zone = 0; zone < nr_zones; zone++)
		while (p->nr < p->room &&
		       (pfn = alloc_buddy(p->a, zone, 0, MIGRATE_MOVABLE,
					  false)) != PFN_NONE)
			p->pfn[p->nr++] = pfn;
}

static void mix(struct pages *p)
{
	for (size_t i = p->nr; i > 1; i--) {
		const size_t k = rng_below(&p->rng, (uint32_t)i);
		const pfn_t t = p->pfn[i - 1];

		p->pfn[i - 1] = p->pfn[k];
		p->pfn[k] = t;
	}
}

static void free_mixed(struct pages *p, bool pcp)
{
	for (size_t i = 0; i < p->nr; i++) {
		if (i + BENCH_LOOK_AHEAD < p->nr)
			alloc_prefetch(p->a, p->pfn[i + BENCH_LOOK_AHEAD]);
		if (!pcp && i + BENCH_LOOK_AHEAD / 2 < p->nr)
			alloc_prefetch_merge(
				p->a, p->pfn[i + BENCH_LOOK_AHEAD / 2]);
		if (pcp)
			alloc_free(p->a, 0, p->pfn[i], 0);
		else
			alloc_free_buddy(p->a, p->pfn[i], 0);
	}
}

static int run_random_free(const struct selfbench_row *row, void *ctx,
			   struct selfbench_sample *out, char *why,
			   size_t why_size)
{
	const bool pcp = row->arg;
	struct selfbench_timer t = { 0 };
	struct pages *p = ctx;

	(void)why;
	(void)why_size;
	take_all(p);
	mix(p);
	selfbench_start(&t);
	free_mixed(p, pcp);
	selfbench_stop(&t);
	*out = (struct selfbench_sample){ selfbench_ns_per(&t, p->nr),
					  t.cpu_ns, t.wall_ns };
	return 0;
}

static int run_metadata(const struct selfbench_row *row, void *ctx,
			struct selfbench_sample *out, char *why,
			size_t why_size)
{
	struct selfbench_timer t = { 0 };
	struct pages *p = ctx;

	(void)row;
	(void)why;
	(void)why_size;
	selfbench_start(&t);
	take_all(p);
	selfbench_stop(&t);
	*out = (struct selfbench_sample){
		(double)alloc_metadata_bytes(p->a) / (1 << 20), t.cpu_ns,
		t.wall_ns };
	for (size_t i = 0; i < p->nr; i++)
		alloc_free_buddy(p->a, p->pfn[i], 0);
	return 0;
}

/* ---- one working set in a small and in a large guest ---- */

struct sized {
	struct alloc *small, *large;
	pfn_t held[2][WORKING_SET];
};

static void sized_destroy(void *ctx)
{
	struct sized *s = ctx;

	alloc_destroy(s->small);
	alloc_destroy(s->large);
	free(s);
}

static int sized_setup(const struct selfbench_row *row, unsigned int samples,
		       void **ctx, char *why, size_t why_size)
{
	struct sized *s = calloc(1, sizeof(*s));
	int err;

	(void)row;
	(void)samples;
	if (!s)
		return -ENOMEM;
	memset(s->held, 0xff, sizeof(s->held));
	err = sim_boot_alloc(&s->small, BENCH_KERNEL, "1G", 1, why, why_size);
	if (err) {
		free(s);
		return err;
	}
	err = sim_boot_alloc(&s->large, BENCH_KERNEL, "1T", 1, why, why_size);
	if (err) {
		alloc_destroy(s->small);
		free(s);
		return err;
	}
	*ctx = s;
	return 0;
}

/* Pages of the set come and go at random. False: out of memory. */
static bool churn(struct alloc *a, pfn_t *held, struct selfbench_timer *t)
{
	struct rng rng;

	rng_init(&rng, 1, "churn", 0);
	selfbench_start(t);
	for (unsigned int i = 0; i < SET_OPS; i++) {
		const uint32_t k = rng_below(&rng, WORKING_SET);

		if (held[k] != PFN_NONE) {
			alloc_free(a, 0, held[k], 0);
			held[k] = PFN_NONE;
			continue;
		}
		held[k] = alloc_page_fast(a, 0, 0, GFP_HIGHUSER_MOVABLE);
		if (held[k] == PFN_NONE)
			return false;
	}
	selfbench_stop(t);
	return true;
}

static int run_sizes(const struct selfbench_row *row, void *ctx,
		     struct selfbench_sample *out, char *why, size_t why_size)
{
	struct selfbench_timer small = { 0 }, large = { 0 };
	struct sized *s = ctx;

	(void)row;
	if (!churn(s->small, s->held[0], &small) ||
	    !churn(s->large, s->held[1], &large)) {
		snprintf(why, why_size, "the guest ran out of memory");
		return -ENOMEM;
	}
	*out = (struct selfbench_sample){
		(double)large.cpu_ns / (double)small.cpu_ns,
		small.cpu_ns + large.cpu_ns, small.wall_ns + large.wall_ns };
	return 0;
}

static const unsigned int order0 = 0, order9 = HPAGE_PMD_ORDER;

const struct selfbench_row bench_alloc_rows[] = {
	{ .name = "order0-pair", .what = "allocate and free one page, pcp",
	  .unit = "ns", .goal = 3, .floor = 6, .setup = boot_1g,
	  .run = run_pairs, .teardown = destroy, .arg = &order0 },
	{ .name = "order9-pair", .what = "allocate and free 2 MiB, pcp",
	  .unit = "ns", .goal = 10, .floor = 20, .setup = boot_1g,
	  .run = run_pairs, .teardown = destroy, .arg = &order9 },
	{ .name = "random-free", .what = "every page of 32 GiB back to the "
	  "buddy in random order, look-ahead", .unit = "ns", .goal = 35,
	  .floor = 50, .slow = true, .setup = pages_setup,
	  .run = run_random_free, .teardown = pages_destroy },
	{ .name = "random-free-pcp", .what = "the same through the pcp",
	  .unit = "ns", .slow = true, .setup = pages_setup,
	  .run = run_random_free, .teardown = pages_destroy, .arg = &order0 },
	{ .name = "size-ratio", .what = "cost of an operation at 1 TiB over "
	  "1 GiB, same working set of 64 MiB", .unit = "times", .goal = 1.2,
	  .floor = 2, .setup = sized_setup, .run = run_sizes,
	  .teardown = sized_destroy },
	{ .name = "metadata-32g", .what = "allocator's memory, all of 32 GiB "
	  "in single pages", .unit = "MiB", .goal = 64, .floor = 160,
	  .slow = true, .setup = pages_setup, .run = run_metadata,
	  .teardown = pages_destroy },
	{ .name = NULL },
};
