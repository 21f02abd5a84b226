/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random guests on small hosts: the mock against the naive host, compared
 * after every call, with check() in between.
 *
 *     test_mock_random                 seeds 1 to 32
 *     test_mock_random SEED [STEPS]    one seed, as a failure names it
 *     test_mock_random FIRST STEPS LAST
 */
#include <stdlib.h>
#include <string.h>

#include "include/rng.h"
#include "tests/hypervisor/host.h"
#include "tests/hypervisor/naive_host.h"

#ifdef BUDDYLAB_SANITIZED
#define NR_STEPS 200
#else
#define NR_STEPS 1000
#endif
#define NR_SEEDS 32

struct race {
	uint64_t seed, nr_steps;
	uint64_t step;
	struct rng rng;
	struct host mock;
	struct naive_host naive;
	bool large;    /* blocks of a region, or half of it */
	char what[96]; /* the call being compared */
	struct hv_events met; /* all of them so far */
};

static bool coin(struct race *t)
{
	return rng_below(&t->rng, 2);
}

__attribute__((noreturn, format(printf, 2, 3)))
static void differ(const struct race *t, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fail_msg("step %" PRIu64 " (%s): %s; repeat: test_mock_random %" PRIu64
		 " %" PRIu64, t->step, t->what, text, t->seed, t->nr_steps);
	abort();
}

/* Half of the hosts have swap, other page cache, marks or limits. */
static void choose_reclaim(struct race *t)
{
	struct naive_config *c = &t->naive.config;
	const uint64_t pages = c->total_pages - c->base_pages;

	if (rng_below(&t->rng, 3) == 0)
		t->naive.cache_pages = rng_below(&t->rng, (uint32_t)pages);
	if (coin(t)) {
		c->high_pages = rng_below(&t->rng, 1500);
		if (c->high_pages > pages)
			c->high_pages = pages;
		c->min_pages = c->high_pages / 4;
	}
	if (coin(t))
		c->limit = 1 + rng_below(&t->rng, 2600);
	if (t->seed % 2)
		return;
	c->slots = rng_below(&t->rng, 8) ? rng_below(&t->rng, NAIVE_SLOTS) :
					   rng_below(&t->rng, 600);
	c->strict = coin(t);
	c->thp_swap = coin(t);
}

/* Hosts of 1 to 30 MiB for three guests of up to 12 MiB. */
static void choose_host(struct race *t)
{
	struct naive_config *c = &t->naive.config;
	const uint64_t mib = 1 + rng_below(&t->rng, 30);
	char options[1024];

	c->base_pages = rng_below(&t->rng, 256);
	c->total_pages = mib << (20 - PAGE_SHIFT);
	c->huge_limit = rng_below(&t->rng, 3) ? UINT64_MAX : rng_below(&t->rng, 6);
	c->lazy_reports = coin(t);
	c->page_by_page = rng_below(&t->rng, 4) == 0;
	c->thp = rng_below(&t->rng, 6) != 0;
	c->direct = coin(t);
	c->drop_whole = coin(t);
	c->free_tables = coin(t);
	c->shrink = rng_below(&t->rng, 3) == 0;
	c->khugepaged = rng_below(&t->rng, 4) != 0;
	c->pte_mapped = coin(t);
	c->scan = 1 + rng_below(&t->rng, 12 * HPAGE_PMD_NR);
	c->max_none = coin(t) ? 511 : rng_below(&t->rng, 512);
	c->max_swap = rng_below(&t->rng, 512);
	choose_reclaim(t);
	c->fixed_pool = rng_below(&t->rng, 3) == 0;
	t->naive.pool = c->fixed_pool ? rng_below(&t->rng, 2048) : 0;
	if (t->naive.pool > c->total_pages - c->base_pages -
				    t->naive.cache_pages)
		t->naive.pool = 0;
	c->fixed_pool = t->naive.pool;
	snprintf(options, sizeof(options),
		 "memory=%" PRIu64 " base=%" PRIu64 " discard=%s "
		 "discard_granularity=%s thp=%s madv_hugepage=%s "
		 "huge_pages=%" PRIu64 " lazy_drop=%s free_empty_tables=%s "
		 "khugepaged=%s khugepaged_pte_mapped=%s "
		 "khugepaged_pages_to_scan=%" PRIu64 " "
		 "khugepaged_max_ptes_none=%" PRIu64 " "
		 "khugepaged_max_ptes_swap=%" PRIu64 " "
		 "cache=%" PRIu64 " watermark_min=%" PRIu64
		 " watermark_low=%" PRIu64 " watermark_high=%" PRIu64
		 " memcg_limit=%" PRIu64 " swap=%" PRIu64 " lru=%s "
		 "thp_swap=%s hugetlb_pool=%" PRIu64 " shrink_underused=%s",
		 pages_to_bytes(c->total_pages), pages_to_bytes(c->base_pages),
		 c->lazy_reports ? "free" : "dontneed",
		 c->page_by_page ? "page" : "range",
		 c->thp ? "always" : "never", c->direct ? "on" : "off",
		 c->huge_limit == UINT64_MAX ? UINT64_C(1) << 40 :
					       c->huge_limit << 21,
		 c->drop_whole ? "whole" : "split",
		 c->free_tables ? "on" : "off", c->khugepaged ? "on" : "off",
		 c->pte_mapped ? "on" : "off", c->scan, c->max_none,
		 c->max_swap,
		 pages_to_bytes(t->naive.cache_pages),
		 pages_to_bytes(c->min_pages), pages_to_bytes(c->high_pages),
		 pages_to_bytes(c->high_pages), pages_to_bytes(c->limit),
		 pages_to_bytes((uint64_t)c->slots),
		 c->strict ? "strict" : "sampled", c->thp_swap ? "on" : "off",
		 pages_to_bytes(t->naive.pool), c->shrink ? "on" : "off");
	host_open(&t->mock, options, &mock_hypervisor, options);
}

/* False: the pool has not got as many pages. */
static bool add_hugetlb(struct race *t, uint32_t guest)
{
	const pfn_t nr_pages = HPAGE_PMD_NR *
			       (1 + rng_below(&t->rng, NAIVE_REGIONS));
	const int a = t->mock.hv.ops->guest_add_hugetlb(&t->mock.hv, nr_pages,
							HPAGE_PMD_ORDER);
	const int b = naive_replace_hugetlb(&t->naive, guest, nr_pages);

	snprintf(t->what, sizeof(t->what), "guest %u of %u pages, hugetlbfs",
		 guest, nr_pages);
	if (a != (b ? b : (int)guest))
		differ(t, "answer is %d, naive %d", a, b);
	return !b;
}

/* A new guest in place of the one before, if there was one. */
static void replace_guest(struct race *t, uint32_t guest)
{
	const struct hypervisor_ops *ops = t->mock.hv.ops;
	const pfn_t nr_pages = NAIVE_PAGES - rng_below(&t->rng, 3) *
						     rng_below(&t->rng, 1000);

	snprintf(t->what, sizeof(t->what), "guest %u of %u pages", guest,
		 nr_pages);
	if (t->naive.nr_pages[guest])
		ops->guest_remove(&t->mock.hv, guest);
	naive_replace(&t->naive, guest, nr_pages);
	if (rng_below(&t->rng, 3) == 0 && add_hugetlb(t, guest))
		return;
	if (ops->guest_add(&t->mock.hv, nr_pages) != (int)guest)
		differ(t, "wrong id");
}

static void compare_guest(struct race *t, uint32_t guest)
{
	const struct hypervisor *hv = &t->mock.hv;
	const struct hv_guest_map *map = hv->ops->guest_map(hv, guest);
	struct hv_gauges g, want;

	hv->ops->gauges(hv, guest, &g);
	naive_gauges(&t->naive, guest, &want);
	if (memcmp(&g, &want, sizeof(g))) {
		for (size_t i = 0; i < sizeof(g) / sizeof(uint64_t); i++) {
			const uint64_t a = ((uint64_t *)&g)[i];
			const uint64_t b = ((uint64_t *)&want)[i];

			if (a != b)
				differ(t, "guest %u: gauge %zu is %" PRIu64
				       ", naive %" PRIu64, guest, i, a, b);
		}
	}
	for (pfn_t pfn = 0; pfn < map->nr_pages; pfn++) {
		if (hv_block_mapped(map, pfn, 0) !=
		    naive_mapped(&t->naive, guest, pfn))
			differ(t, "guest %u: mapped bit of page %u", guest,
			       pfn);
	}
}

static void compare(struct race *t, const struct hv_events *naive)
{
	const uint64_t *is = (const uint64_t *)&t->mock.ev;
	const uint64_t *want = (const uint64_t *)naive;
	const char *broken = t->mock.hv.ops->check(&t->mock.hv);

	for (size_t i = 0; i < NR_HV_EVENTS; i++) {
		if (is[i] != want[i])
			differ(t, "%s is %" PRIu64 ", naive %" PRIu64,
			       hv_event_desc(i)->name, is[i], want[i]);
	}
	if (broken)
		differ(t, "check: %s", broken);
	for (uint32_t guest = 0; guest < NAIVE_GUESTS; guest++)
		compare_guest(t, guest);
}

static void access_both(struct race *t, uint32_t guest, pfn_t pfn,
			unsigned int order, struct hv_events *naive)
{
	const enum hv_access kind = (enum hv_access)rng_below(&t->rng, 4);
	int a, b;

	snprintf(t->what, sizeof(t->what), "access %d of %u order %u, guest %u",
		 kind, pfn, order, guest);
	a = t->mock.hv.ops->access(&t->mock.hv, guest, pfn, order, kind,
				   &t->mock.ev);
	b = naive_access(&t->naive, guest, pfn, order, kind, naive);
	if (a != b)
		differ(t, "answer is %d, naive %d", a, b);
}

static void discard_both(struct race *t, uint32_t guest, pfn_t pfn,
			 unsigned int order, struct hv_events *naive)
{
	const enum hv_origin origin = coin(t) ? HV_ORIGIN_REPORT :
						HV_ORIGIN_BALLOON;
	bool a, b;

	snprintf(t->what, sizeof(t->what),
		 "discard %d of %u order %u, guest %u", origin, pfn, order,
		 guest);
	a = t->mock.hv.ops->discard(&t->mock.hv, guest, pfn, order, origin,
				    &t->mock.ev);
	b = naive_discard(&t->naive, guest, pfn, order, origin, naive);
	if (a != b)
		differ(t, "answer is %d, naive %d", a, b);
}

static void khugepaged_both(struct race *t, struct hv_events *naive)
{
	static const uint64_t sleeps[] = {
		[NAIVE_SLEEP_NEVER] = HV_NEVER,
		[NAIVE_SLEEP_SCAN] = 10 * NSEC_PER_SEC,
		[NAIVE_SLEEP_ALLOC] = 60 * NSEC_PER_SEC,
	};
	uint64_t a, b;

	snprintf(t->what, sizeof(t->what), "khugepaged");
	a = t->mock.hv.ops->khugepaged(&t->mock.hv, &t->mock.ev);
	b = sleeps[naive_khugepaged(&t->naive, naive)];
	if (a != b)
		differ(t, "it sleeps %" PRIu64 " ns, naive %" PRIu64, a, b);
}

/* A turn of background reclaim. */
static void reclaim_both(struct race *t, struct hv_events *naive)
{
	bool a, b;

	snprintf(t->what, sizeof(t->what), "background reclaim");
	a = t->mock.hv.ops->reclaim(&t->mock.hv, &t->mock.ev);
	b = naive_reclaim(&t->naive, naive);
	if (a != b)
		differ(t, "answer is %d, naive %d", a, b);
}

static void dirty_log_both(struct race *t, uint32_t guest,
			   struct hv_events *naive)
{
	const bool on = rng_below(&t->rng, 3) != 0;
	uint64_t a, b;

	snprintf(t->what, sizeof(t->what), "dirty log %s, guest %u",
		 on ? "on" : "off", guest);
	a = t->mock.hv.ops->dirty_log(&t->mock.hv, guest, on, &t->mock.ev);
	b = naive_dirty_log(&t->naive, guest, on, naive);
	if (a != b)
		differ(t, "%" PRIu64 " pages were written, naive %" PRIu64, a,
		       b);
}

static void step(struct race *t)
{
	const uint32_t guest = rng_below(&t->rng, NAIVE_GUESTS);
	const unsigned int order = t->large || coin(t) ?
					   8 + rng_below(&t->rng, 2) :
					   rng_below(&t->rng, 11);
	const pfn_t pfn = pfn_align_down(rng_below(&t->rng, NAIVE_PAGES),
					 order);
	struct hv_events naive = { 0 };

	memset(&t->mock.ev, 0, sizeof(t->mock.ev));
	if (rng_below(&t->rng, 40) == 0)
		replace_guest(t, guest);
	else if (rng_below(&t->rng, 12) == 0)
		khugepaged_both(t, &naive);
	else if (rng_below(&t->rng, 30) == 0)
		dirty_log_both(t, guest, &naive);
	else if (rng_below(&t->rng, 20) == 0)
		reclaim_both(t, &naive);
	else if (coin(t))
		discard_both(t, guest, pfn, order, &naive);
	else if (pfn + order_nr_pages(order) <= t->naive.nr_pages[guest])
		access_both(t, guest, pfn, order, &naive);
	compare(t, &naive);
	hv_events_add(&t->met, &naive);
}

static struct hv_events met; /* by all seeds */

static void run_seed(uint64_t seed, uint64_t nr_steps)
{
	struct race *t = test_calloc(1, sizeof(*t));

	t->seed = seed;
	t->nr_steps = nr_steps;
	rng_init(&t->rng, seed, "test_mock_random", 0);
	t->large = rng_below(&t->rng, 3) == 0;
	choose_host(t);
	for (uint32_t guest = 0; guest < NAIVE_GUESTS; guest++)
		replace_guest(t, guest);
	/* The naive host takes its time to find the oldest of all pages. */
	if (t->naive.config.slots)
		nr_steps = nr_steps / 4 + 1;
	for (t->step = 1; t->step <= nr_steps; t->step++)
		step(t);
	hv_events_add(&met, &t->met);
	host_close(&t->mock);
	test_free(t);
}

static uint64_t first_seed = 1, last_seed = NR_SEEDS, steps = NR_STEPS;

#define EVENT(member) offsetof(struct hv_events, member)

/* What the seeds have to come across, or they prove little. */
static const size_t rare[] = {
	EVENT(ept_violation[HV_VIOLATION_LAZY][HV_LEVEL_2M]),
	EVENT(ept_violation[HV_VIOLATION_SWAP_IN][HV_LEVEL_4K]),
	EVENT(thp_fault_fallback_charge), EVENT(thp_split_page),
	EVENT(thp_split_pmd_by[HV_SPLIT_SWAP_OUT]),
	EVENT(thp_split_pmd_by[HV_SPLIT_LAZY_FREE]),
	EVENT(thp_split_page_by[HV_SPLIT_RECLAIM]),
	EVENT(discard_swapped_pages), EVENT(pglazyfreed), EVENT(zap_pmd),
	EVENT(allocstall), EVENT(memcg_max), EVENT(cache_dropped_pages),
	EVENT(pgsteal[HV_DIRECT]), EVENT(pgsteal[HV_KSWAPD]),
	EVENT(pswpout), EVENT(pswpin), EVENT(thp_swpout),
	EVENT(thp_swpout_fallback), EVENT(host_oom), EVENT(memcg_oom),
	EVENT(khugepaged_collapsed), EVENT(reinflated_pages),
	EVENT(thp_collapse_alloc_failed),
};

static void test_mock_random__equals_the_naive_host(void **state)
{
	/* Accesses, discards and replaced guests on hosts of every kind. */
	(void)state;
	for (uint64_t seed = first_seed; seed <= last_seed; seed++)
		run_seed(seed, steps);
	if (last_seed - first_seed + 1 < NR_SEEDS || steps < 1000)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rare); i++) {
		if (!*(const uint64_t *)((const char *)&met + rare[i]))
			fail_msg("no seed met %s",
				 hv_event_desc(rare[i] / 8)->name);
	}
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest cases[] = {
		cmocka_unit_test(test_mock_random__equals_the_naive_host),
	};

	if (argc > 1)
		first_seed = last_seed = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		steps = strtoull(argv[2], NULL, 10);
	if (argc > 3)
		last_seed = strtoull(argv[3], NULL, 10);
	return cmocka_run_group_tests(cases, NULL, NULL) ? 1 : 0;
}
