/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same random operations on three guests: one that nobody watches, one
 * with a digest and a record of its work, one that tells of every event and so
 * goes the long way. Pages, counters, zones and pagesets stay the same, while
 * the guests change their parts and everything a short way asks for changes:
 * marks, boost, reserves, lags, the sizes of pagesets, who reclaims.
 */
#include <string.h>

#include "include/rng.h"
#include "tests/alloc/fixture.h"
#include "tests/test.h"

#define NR_GUESTS 3
#define NR_CPUS 3
#define NR_OPS 20000
#define MAX_LIVE 8192

struct shape {
	const char *name;
	unsigned int nr_nodes, pageblock_order;
};

static const struct shape shapes[] = {
	{ "one node", 1, 9 },
	{ "pageblocks of order 10", 1, 10 },
	{ "two nodes", 2, 9 },
};

struct trio {
	struct alloc *guest[NR_GUESTS];
	struct alloc_work work[NR_GUESTS];
	struct digest digest[NR_GUESTS];
	unsigned int turn;           /* guest 0 plays the part `turn` */
	struct rng rng;
	char row[64];
	struct { pfn_t pfn; unsigned int order; } live[MAX_LIVE];
	unsigned int nr_live;
};

enum part { PART_BARE, PART_RECORDED, PART_TRACED };

static enum part part_of(const struct trio *t, unsigned int i)
{
	return (enum part)((t->turn + i) % NR_GUESTS);
}

static void ignore_event(void *ctx, const struct alloc_event *ev)
{
	(void)ctx;
	(void)ev;
}

static void deal_parts(struct trio *t)
{
	for (unsigned int i = 0; i < NR_GUESTS; i++) {
		const enum part part = part_of(t, i);
		struct alloc_hooks hooks = {
			.digest = part == PART_BARE ? NULL : &t->digest[i],
			.event = part == PART_TRACED ? ignore_event : NULL,
		};

		alloc_set_hooks(t->guest[i], &hooks);
		alloc_set_work(t->guest[i],
			       part == PART_BARE ? NULL : &t->work[i]);
		memset(&t->work[i], 0, sizeof(t->work[i]));
	}
}

static struct alloc *create(const char *kernel, const struct shape *shape)
{
	const struct alloc_zone_config zones[] = {
		{ .type = ZONE_DMA32, .start = 0, .end = 8192 },
		{ .type = ZONE_NORMAL, .start = 8192, .end = 20480 },
		{ .type = ZONE_NORMAL, .start = 20480, .end = 28672,
		  .node = 1 },
	};
	static const uint8_t cpu_node[NR_CPUS] = { 0, 0, 1 };
	const struct alloc_config config = {
		.profile = alloc_profile_find(kernel),
		.nr_cpus = NR_CPUS,
		.nr_nodes = shape->nr_nodes,
		.cpu_node = shape->nr_nodes > 1 ? cpu_node : NULL,
		.zones = zones,
		.nr_zones = shape->nr_nodes + 1,
		.pageblock_order = shape->pageblock_order,
		.watermark_boost_factor = UINT32_MAX,
	};
	struct alloc *a = fixture_create_config(&config);

	alloc_boot_range(a, 0, zones[shape->nr_nodes].end);
	alloc_setup_pcp(a);
	alloc_setup_watermarks(a, 1024);
	return a;
}

static uint32_t pick(struct trio *t, uint32_t bound)
{
	return rng_below(&t->rng, bound);
}

static void add_live(struct trio *t, const pfn_t *pfn, unsigned int order)
{
	ASSERT_U64(t->row, pfn[1], pfn[0]);
	ASSERT_U64(t->row, pfn[2], pfn[0]);
	if (pfn[0] == PFN_NONE)
		return;
	t->live[t->nr_live].pfn = pfn[0];
	t->live[t->nr_live++].order = order;
}

static void do_alloc(struct trio *t)
{
	static const gfp_t gfps[] = {
		GFP_HIGHUSER_MOVABLE, GFP_HIGHUSER_MOVABLE, GFP_KERNEL,
		GFP_KERNEL | GFP_BIT_RECLAIMABLE,
		GFP_HIGHUSER_MOVABLE | GFP_BIT_THISNODE,
		GFP_KERNEL | GFP_BIT_DMA32,
	};
	static const uint8_t orders[] = { 0, 0, 0, 0, 0, 0, 1, 2, 3, 9, 10 };
	const gfp_t gfp = gfps[pick(t, 6)];
	const unsigned int order = orders[pick(t, 11)];
	const unsigned int cpu = pick(t, NR_CPUS);
	const unsigned int nr = order == 0 ? 1 + pick(t, 40) : 1;

	for (unsigned int n = 0; n < nr && t->nr_live < MAX_LIVE; n++) {
		pfn_t pfn[NR_GUESTS];

		for (unsigned int i = 0; i < NR_GUESTS; i++)
			pfn[i] = alloc_page_fast(t->guest[i], cpu, order, gfp);
		add_live(t, pfn, order);
		if (pfn[0] == PFN_NONE)
			return;
	}
}

/* High-order requests with rights, which leave pageblocks reserved. */
static void do_highatomic(struct trio *t)
{
	struct alloc_request req = {
		.gfp = GFP_ATOMIC, .order = (uint8_t)(1 + pick(t, 3)),
		.cpu = (uint16_t)pick(t, NR_CPUS), .node = -1, .zone = -1,
		.flags = ALLOC_REQ_NO_SLOWPATH | ALLOC_REQ_HIGHATOMIC,
	};
	pfn_t pfn[NR_GUESTS];

	if (t->nr_live == MAX_LIVE)
		return;
	for (unsigned int i = 0; i < NR_GUESTS; i++)
		pfn[i] = alloc_pages(t->guest[i], &req).pfn;
	add_live(t, pfn, req.order);
}

/* A steal past the zone walk leaves the zone to be found as boosted. */
static void do_buddy(struct trio *t)
{
	const unsigned int zone = pick(t, alloc_nr_zones(t->guest[0]));
	const unsigned int order = pick(t, 5);
	const enum migratetype mt = (enum migratetype)pick(t, 3);
	pfn_t pfn[NR_GUESTS];

	if (t->nr_live == MAX_LIVE)
		return;
	for (unsigned int i = 0; i < NR_GUESTS; i++)
		pfn[i] = alloc_buddy(t->guest[i], zone, order, mt, false);
	add_live(t, pfn, order);
}

static void do_free(struct trio *t)
{
	const unsigned int cpu = pick(t, NR_CPUS);
	unsigned int nr = 1 + pick(t, 30);

	for (; nr > 0 && t->nr_live > 0; nr--) {
		const unsigned int n = pick(t, t->nr_live);
		const pfn_t pfn = t->live[n].pfn;
		const unsigned int order = t->live[n].order;

		t->live[n] = t->live[--t->nr_live];
		for (unsigned int i = 0; i < NR_GUESTS; i++)
			alloc_free(t->guest[i], cpu, pfn, order);
	}
}

/* The last pages that were taken, up or down, are freed as a batch. */
static void do_free_list(struct trio *t)
{
	const unsigned int cpu = pick(t, NR_CPUS), most = 1 + pick(t, 512);
	const bool down = pick(t, 2);
	pfn_t pfns[512];
	unsigned int nr = 0;

	while (nr < most && t->nr_live > 0 &&
	       t->live[t->nr_live - 1].order == 0)
		pfns[nr++] = t->live[--t->nr_live].pfn;
	for (unsigned int k = 0; !down && k < nr / 2; k++) {
		const pfn_t other = pfns[nr - 1 - k];

		pfns[nr - 1 - k] = pfns[k];
		pfns[k] = other;
	}
	for (unsigned int i = 0; nr > 0 && i < NR_GUESTS; i++)
		alloc_free_list(t->guest[i], cpu, pfns, nr);
}

/* One of the things that the short ways have to hear of. */
static void change(struct alloc *a, unsigned int what, uint32_t x, uint32_t y)
{
	const unsigned int zone = y % alloc_nr_zones(a);
	const unsigned int cpu = y % NR_CPUS;

	switch (what) {
	case 0:
		alloc_set_boost(a, zone, x % 2 ? 0 : x % 2048);
		break;
	case 1:
		alloc_set_watermarks(a, zone, x % 64, x % 512, x % 1024);
		break;
	case 2:
		alloc_set_reclaim_active(a, zone, x % 2);
		break;
	case 3:
		alloc_set_free_lag(a, zone, (int32_t)(x % 600) - 300);
		break;
	case 4:
		alloc_set_reserve(a, zone, y % MAX_NR_ZONES, x % 700);
		break;
	case 5:
		alloc_set_below_high(a, zone, x % 2);
		break;
	case 6:
		alloc_set_pcp(a, zone, cpu, x % 64, x % 200, x % 200 + y % 90,
			      x % 3);
		break;
	case 7:
		alloc_setup_watermarks(a, 256 + x % 4096);
		break;
	case 8:
		alloc_drain_cpu(a, cpu);
		break;
	default:
		alloc_vmstat_tick(a, cpu);
	}
}

static void do_change(struct trio *t)
{
	const unsigned int what = pick(t, 10);
	const uint32_t x = pick(t, 1u << 16), y = pick(t, 1u << 16);

	for (unsigned int i = 0; i < NR_GUESTS; i++)
		change(t->guest[i], what, x, y);
}

static void compare_counters(const struct trio *t, unsigned int i)
{
	const uint64_t *want = (const uint64_t *)alloc_counters(t->guest[0]);
	const uint64_t *got = (const uint64_t *)alloc_counters(t->guest[i]);

	for (size_t n = 0; n < sizeof(struct alloc_counters) / 8; n++)
		if (got[n] != want[n])
			fail_msg("%s: counter %zu of guest %u is %" PRIu64
				 ", of guest 0 %" PRIu64, t->row, n, i, got[n],
				 want[n]);
}

static void compare_zones(const struct trio *t, unsigned int i)
{
	for (unsigned int z = 0; z < alloc_nr_zones(t->guest[0]); z++) {
		const struct zone *want = zone_at(t->guest[0], z);
		const struct zone *got = zone_at(t->guest[i], z);

		ASSERT_U64(t->row, got->free_pages, want->free_pages);
		ASSERT_U64(t->row, got->boost, want->boost);
		ASSERT_U64(t->row, got->boosted, want->boosted);
		ASSERT_U64(t->row, got->below_high, want->below_high);
		for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
			struct alloc_pcp_info one = { 0 }, two = { 0 };

			alloc_pcp_info(t->guest[0], z, cpu, &one);
			alloc_pcp_info(t->guest[i], z, cpu, &two);
			assert_memory_equal(&one, &two, sizeof(one));
		}
	}
}

/* Two of the three have kept a record. */
static void compare_records(struct trio *t)
{
	const unsigned int one = (NR_GUESTS + PART_RECORDED - t->turn) %
				 NR_GUESTS;
	const unsigned int two = (one + 1) % NR_GUESTS;
	char hex[2][DIGEST_HEX_SIZE];

	assert_memory_equal(&t->work[one], &t->work[two],
			    sizeof(t->work[one]));
	digest_hex(&t->digest[one], hex[0]);
	digest_hex(&t->digest[two], hex[1]);
	assert_string_equal(hex[0], hex[1]);
}

static void compare(struct trio *t)
{
	for (unsigned int i = 1; i < NR_GUESTS; i++) {
		compare_counters(t, i);
		compare_zones(t, i);
	}
	compare_records(t);
}

/* Other parts from here on, each with a new digest. */
static void change_parts(struct trio *t)
{
	compare(t);
	for (unsigned int i = 0; i < NR_GUESTS; i++) {
		digest_destroy(&t->digest[i]);
		assert_int_equal(digest_init(&t->digest[i]), 0);
	}
	t->turn = pick(t, NR_GUESTS);
	deal_parts(t);
}

static void step(struct trio *t)
{
	const uint32_t what = pick(t, 100);

	if (what < 45)
		do_alloc(t);
	else if (what < 75)
		do_free(t);
	else if (what < 85)
		do_free_list(t);
	else if (what < 86)
		do_highatomic(t);
	else if (what < 90)
		do_buddy(t);
	else if (what < 99)
		do_change(t);
	else
		compare(t);
}

static void run_trio(struct trio *t, const char *kernel,
		     const struct shape *shape)
{
	memset(t, 0, sizeof(*t));
	rng_init(&t->rng, 1, "short ways", 0);
	for (unsigned int i = 0; i < NR_GUESTS; i++) {
		t->guest[i] = create(kernel, shape);
		assert_int_equal(digest_init(&t->digest[i]), 0);
	}
	deal_parts(t);
	for (unsigned int n = 0; n < NR_OPS; n++) {
		snprintf(t->row, sizeof(t->row), "%s, %s, operation %u",
			 kernel, shape->name, n);
		if (n % 1000 == 999)
			change_parts(t);
		step(t);
	}
	compare(t);
	for (unsigned int i = 0; i < NR_GUESTS; i++) {
		fixture_assert_valid(t->row, t->guest[i]);
		alloc_destroy(t->guest[i]);
		digest_destroy(&t->digest[i]);
	}
}

static void test_short_ways__nobody_can_tell_them_apart(void **state)
{
	static struct trio trio;

	/* Every kernel, one node and two, pageblocks of 2 and of 4 MiB. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++)
		for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++)
			run_trio(&trio, *k, &shapes[s]);
}

static void test_short_ways__a_boosted_zone_wakes_kswapd(void **state)
{
	static const uint8_t orders[] = { 0, 1, 3, 9 };

	/* A block that a CPU's list has, of a zone boosted meanwhile. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		for (size_t i = 0; i < sizeof(orders); i++) {
			struct alloc *a = create(*k, &shapes[0]);
			pfn_t pfn;

			alloc_set_watermarks(a, 1, 10, 100, 1000);
			pfn = alloc_page_fast(a, 0, orders[i],
					      GFP_HIGHUSER_MOVABLE);
			assert_int_not_equal(pfn, PFN_NONE);
			alloc_free(a, 0, pfn, orders[i]);
			boost_watermark(a, zone_at(a, 1), AF_KSWAPD);
			pfn = alloc_page_fast(a, 0, orders[i],
					      GFP_HIGHUSER_MOVABLE);
			assert_int_not_equal(pfn, PFN_NONE);
			ASSERT_U64(*k, alloc_counters(a)->kswapd_wakes, 1);
			alloc_destroy(a);
		}
	}
}

static void test_short_ways__a_hint_changes_nothing(void **state)
{
	/* Free buddies of orders 0 to 2 beside 1024, none or others beside the
	 * other pages: every page may be told to be freed soon. */
	static const char lists[] = "o0/M[1025] o1/M[1026] o2/M[1028] "
				    "o4/M[2048] o9/M[4096]";
	struct alloc *a = fixture_create("6.1", 0, 8192);

	(void)state;
	fixture_put(a, 1025, 0);
	fixture_put(a, 1026, 1);
	fixture_put(a, 1028, 2);
	fixture_put(a, 2048, 4);
	fixture_put(a, 4096, 9);
	for (pfn_t pfn = 0; pfn < 8192; pfn++) {
		alloc_prefetch(a, pfn);
		alloc_prefetch_merge(a, pfn);
	}
	fixture_assert_lists("hints", a, 0, lists);
	/* The merges that were looked ahead for. */
	alloc_free_buddy(a, 1024, 0);
	fixture_assert_lists("freed", a, 0, "o3/M[1024] o4/M[2048] o9/M[4096]");
	alloc_destroy(a);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_short_ways__a_hint_changes_nothing),
	cmocka_unit_test(test_short_ways__a_boosted_zone_wakes_kswapd),
	cmocka_unit_test(test_short_ways__nobody_can_tell_them_apart),
};

TEST_MAIN(cases)
