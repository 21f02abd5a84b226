/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host does when memory is short, only as far as it has to: drop its
 * own page cache, drop lazy-free pages (shrink_page_list() and
 * try_to_unmap_one(), 5.6), split partly unmapped huge pages
 * (deferred_split_scan(), 5.6), then swap guests' pages out. If that is not
 * enough, the allocation fails; who is killed is for the caller to decide.
 *
 * Direct reclaim happens in the allocation that finds less than `watermark_min`
 * beyond what it wants (__alloc_pages_direct_reclaim()), or its guest at its
 * limit (try_charge()). An allocation that leaves less than `watermark_low`
 * wakes background reclaim, which the caller runs in turns of its own, up to
 * `watermark_high` (balance_pgdat()). A huge page is not swapped for: costly
 * orders give up early (should_reclaim_retry(), 5.6).
 *
 * Simplified: the stages are strictly one after the other, where Linux looks at
 * all lists and shrinkers in proportion; pages are free at once, without a wait
 * for their write, which the caller prices; no zones and no compaction.
 *
 * Deviation: lazy pages are dropped a region at a time, in the order in which
 * the regions were first marked, where Linux walks batches of 32 pages of its
 * inactive list; see docs/fidelity.md.
 */
#include "hypervisor/mock.h"

/* SWAP_CLUSTER_MAX: what a reclaimer takes at least once it has begun. */
#define BATCH 32u
/* Of background reclaim between two looks at the clock. */
#define KSWAPD_BATCH HPAGE_PMD_NR

struct job {
	struct mock_host *host;
	uint32_t only;            /* guest at its limit, or HV_ALL_GUESTS */
	bool kswapd, may_swap;
	uint64_t want;            /* pages of room */
	uint64_t scanned, stolen;
	struct hv_events *ev;
};

/* Pages that could be had at once, by the rules of whoever reclaims. */
static uint64_t room(const struct job *j)
{
	if (j->only != HV_ALL_GUESTS)
		return memcg_room(j->host, &j->host->guests[j->only]);
	return j->kswapd ? host_free_pages(j->host) : host_room(j->host);
}

static bool done(const struct job *j)
{
	return room(j) >= j->want;
}

/* What the stages in batches go for: some more than is missing. */
static uint64_t batch(const struct job *j)
{
	const uint64_t missing = j->want - room(j);

	return missing > BATCH ? missing : BATCH;
}

/* The host's own clean pages of files; they belong to no guest. */
static void drop_cache(struct job *j)
{
	uint64_t nr;

	if (j->only != HV_ALL_GUESTS || done(j))
		return;
	nr = batch(j);
	if (nr > j->host->cache_pages)
		nr = j->host->cache_pages;
	j->host->cache_pages -= nr;
	j->ev->cache_dropped_pages += nr;
	j->scanned += nr;
	j->stolen += nr;
}

/*
 * Before 6.11 reclaim split the mapping of a lazy huge page and so left a page
 * table behind; since then it unmaps the page as a whole.
 */
static void drop_lazy_huge(const struct region_ref *r)
{
	r->ev->pglazyfreed += HPAGE_PMD_NR;
	huge_unmap(r);
	if (r->host->opt->lazy_drop == LAZY_DROP_SPLIT) {
		count_split_pmd(r->ev, HV_SPLIT_LAZY_FREE);
		region_set_small(r);
	}
}

static void drop_lazy_small(const struct region_ref *r)
{
	const struct small_region *s = small_of(r->guest, r->region);
	/* A huge page can be dropped if none of its pages was written again. */
	const bool keep_thp = !thp_is_lazy(s);

	for (uint32_t w = 0; w < PAGE_WORDS; w++) {
		const uint64_t kept = keep_thp ? s->lazy[w] & s->thp[w] : 0;
		const uint64_t drop = s->lazy[w] & ~kept;

		small_zap_ept(r, w, kept);
		small_clear_lazy(r, w, kept);
		r->ev->pglazyfreed += nr_bits(drop);
		small_unmap(r, w, drop);
	}
	small_put_if_empty(r);
}

static uint32_t lazy_pages(const struct region_ref *r)
{
	return region_state(r->guest, r->region) == REGION_HUGE ?
		       HPAGE_PMD_NR : small_of(r->guest, r->region)->nr_lazy;
}

static void drop_lazy_region(const struct region_ref *r)
{
	if (region_state(r->guest, r->region) == REGION_HUGE)
		drop_lazy_huge(r);
	else
		drop_lazy_small(r);
	r->ev->tlb_flush_rounds++;
}

static void drop_lazy(struct job *j)
{
	struct region_ref r = { .ev = j->ev };

	while (!done(j) && queue_first(j->host, j->only, QUEUE_LAZY, &r)) {
		const uint64_t before = j->ev->pglazyfreed;

		j->scanned += lazy_pages(&r);
		drop_lazy_region(&r);
		j->stolen += j->ev->pglazyfreed - before;
	}
}

static void split_deferred(struct job *j)
{
	struct region_ref r = { .ev = j->ev };

	while (!done(j) && queue_first(j->host, j->only, QUEUE_DEFERRED, &r)) {
		split_huge_page(&r, HV_SPLIT_RECLAIM);
		j->ev->tlb_flush_rounds++;
	}
	/* Simplified: behind those, where Linux has one list of both. */
	while (!done(j) && queue_first(j->host, j->only, QUEUE_UNDERUSED, &r))
		huge_consider(&r);
}

static void swap_some(struct job *j)
{
	struct region_ref r = { .host = j->host, .ev = j->ev };
	const struct swap_area *a = &j->host->swap;
	uint64_t goal;
	pfn_t pfn;

	if (done(j) || !j->may_swap)
		return;
	goal = room(j) + batch(j);
	while (room(j) < goal && a->nr_used < a->nr_slots &&
	       mock_lru_select(&r, j->only, &pfn, &j->scanned))
		j->stolen += swap_out(&r, pfn);
}

static bool reclaim(struct job *j)
{
	const unsigned int who = j->kswapd ? HV_KSWAPD : HV_DIRECT;

	drop_cache(j);
	drop_lazy(j);
	split_deferred(j);
	swap_some(j);
	j->ev->pgscan[who] += j->scanned;
	j->ev->pgsteal[who] += j->stolen;
	return done(j);
}

bool reclaim_direct(struct mock_host *h, uint32_t only, uint64_t nr_pages,
		    bool may_swap, struct hv_events *ev)
{
	struct job j = { .host = h, .only = only, .may_swap = may_swap,
			 .want = nr_pages, .ev = ev };

	ev->pressure++;
	return reclaim(&j);
}

bool host_make_room(struct mock_host *h, uint64_t nr_pages, bool may_swap,
		    struct hv_events *ev)
{
	if (host_room(h) >= nr_pages)
		return true;
	ev->allocstall++;
	return reclaim_direct(h, HV_ALL_GUESTS, nr_pages, may_swap, ev);
}

/* wakeup_kswapd(), once until it sleeps again. */
void host_wake_reclaim(struct mock_host *h)
{
	if (h->kswapd_awake || !h->env || !h->env->wake_reclaim)
		return;
	h->kswapd_awake = true;
	h->env->wake_reclaim(h->env->ctx);
}

/* It sleeps when all is well, and when it gets nowhere. */
bool mock_reclaim(struct hypervisor *hv, struct hv_events *ev)
{
	struct mock_host *h = hv->state;
	const uint64_t before = host_free_pages(h);
	struct job j = { .host = h, .only = HV_ALL_GUESTS, .kswapd = true,
			 .may_swap = true, .want = before + KSWAPD_BATCH,
			 .ev = ev };

	if (j.want > h->high_pages)
		j.want = h->high_pages;
	reclaim(&j);
	h->kswapd_awake = host_free_pages(h) > before &&
			  host_free_pages(h) < h->high_pages;
	return h->kswapd_awake;
}
