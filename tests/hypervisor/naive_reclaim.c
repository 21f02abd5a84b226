/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The naive host short of memory: what goes, and in which order. */
#include <stdlib.h>

#include "tests/hypervisor/naive_internal.h"

/* ---- pressure ---- */

static void drop_lazy(struct naive_host *h, struct naive_region *r,
		      struct hv_events *ev)
{
	const bool keep = !naive_thp_lazy(r);

	ev->tlb_flush_rounds++;
	if (r->pmd) {
		ev->pglazyfreed += HPAGE_PMD_NR;
		naive_unmap_huge(r, ev);
		if (!h->config.drop_whole) {
			ev->thp_split_pmd++;
			ev->thp_split_pmd_by[HV_SPLIT_LAZY_FREE]++;
			r->table = true;
		}
		return;
	}
	for (uint32_t i = 0; i < HPAGE_PMD_NR; i++) {
		if (!r->page[i].lazy)
			continue;
		if (r->page[i].thp && keep) {
			r->page[i].lazy = false;
			naive_drop_leaf(r, i, ev);
		} else {
			ev->pglazyfreed++;
			naive_unmap_page(r, i, ev);
		}
	}
	naive_restamp(h, r, ev);
}

/* Region that has waited longest, by one of the two stamps; NULL if none. */
static struct naive_region *oldest(struct naive_host *h, int guest, bool lazy)
{
	struct naive_region *best = NULL;
	uint64_t best_stamp = UINT64_MAX;

	for (uint32_t g = 0; g < NAIVE_GUESTS; g++) {
		for (uint32_t i = 0; i < NAIVE_REGIONS; i++) {
			struct naive_region *r = &h->region[g][i];
			const uint64_t stamp = lazy ? r->lazy_since :
						      r->split_since;

			if (!stamp || stamp > best_stamp ||
			    (guest >= 0 && g != (uint32_t)guest))
				continue;
			best = r;
			best_stamp = stamp;
		}
	}
	return best;
}

/* The huge page that nobody has looked at for the longest time. */
static struct naive_region *oldest_new(struct naive_host *h, int guest)
{
	struct naive_region *best = NULL;

	for (uint32_t g = 0; g < NAIVE_GUESTS; g++) {
		for (uint32_t i = 0; i < NAIVE_REGIONS; i++) {
			struct naive_region *r = &h->region[g][i];

			if (!r->new_since || !r->pmd ||
			    (guest >= 0 && g != (uint32_t)guest) ||
			    (best && best->new_since < r->new_since))
				continue;
			best = r;
		}
	}
	return best;
}

/* Pages of zeroes go, if they are too many. */
static void consider(struct naive_host *h, struct naive_region *r,
		     struct hv_events *ev)
{
	uint32_t zeroes = 0;

	r->new_since = 0;
	for (uint32_t i = 0; i < HPAGE_PMD_NR; i++)
		zeroes += !r->page[i].written;
	if (h->config.max_none == HPAGE_PMD_NR - 1 ||
	    zeroes <= h->config.max_none)
		return;
	naive_split_mapping(r, HV_SPLIT_RECLAIM, ev);
	naive_split_page(r, HV_SPLIT_RECLAIM, ev);
	for (uint32_t i = 0; i < HPAGE_PMD_NR; i++) {
		if (!r->page[i].written)
			naive_unmap_page(r, i, ev);
	}
	ev->thp_underused_split_page++;
	ev->tlb_flush_rounds++;
	naive_restamp(h, r, ev);
}

/* ---- swap ---- */

uint32_t naive_swap_used(const struct naive_host *h)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < h->config.slots; i++)
		nr += h->slot_used[i];
	return nr;
}

/* First of 512 slots in a row, aligned, that are all free, or -1. */
static int free_cluster(const struct naive_host *h)
{
	for (uint32_t c = 0; c + HPAGE_PMD_NR <= h->config.slots;
	     c += HPAGE_PMD_NR) {
		uint32_t i = 0;

		while (i < HPAGE_PMD_NR && !h->slot_used[c + i])
			i++;
		if (i == HPAGE_PMD_NR)
			return (int)c;
	}
	return -1;
}

/* The next of the cluster that is being filled, or of a free one; else any. */
static uint32_t get_slot(struct naive_host *h)
{
	int cluster;

	for (int tries = 0; tries < 2; tries++) {
		for (; h->filling && h->next_slot < h->filling * HPAGE_PMD_NR &&
		       h->next_slot < h->config.slots; h->next_slot++) {
			if (h->slot_used[h->next_slot])
				continue;
			h->slot_used[h->next_slot] = true;
			return h->next_slot++;
		}
		cluster = tries ? -1 : free_cluster(h);
		h->filling = cluster < 0 ? 0 :
			     (uint32_t)cluster / HPAGE_PMD_NR + 1;
		h->next_slot = cluster < 0 ? 0 : (uint32_t)cluster;
	}
	for (uint32_t i = 0; i < h->config.slots; i++) {
		if (h->slot_used[i])
			continue;
		h->slot_used[i] = true;
		return i;
	}
	abort();
}

static void out_small(struct naive_host *h, struct naive_region *r, uint32_t i,
		      struct hv_events *ev)
{
	ev->tlb_flush_rounds += r->page[i].ept;
	naive_unmap_page(r, i, ev);
	r->page[i].swapped = true;
	r->page[i].slot = get_slot(h);
	ev->pswpout++;
}

static void out_huge(struct naive_host *h, struct naive_region *r,
		     struct hv_events *ev)
{
	const int cluster = h->config.thp_swap ? free_cluster(h) : -1;

	ev->tlb_flush_rounds++;
	if (cluster < 0) {
		ev->thp_swpout_fallback += h->config.thp_swap;
		naive_split_mapping(r, HV_SPLIT_SWAP_OUT, ev);
		naive_split_page(r, HV_SPLIT_SWAP_OUT, ev);
		for (uint32_t i = 0; i < HPAGE_PMD_NR; i++) {
			if (naive_swap_used(h) < h->config.slots)
				out_small(h, r, i, ev);
		}
		return;
	}
	naive_split_mapping(r, HV_SPLIT_SWAP_OUT, ev);
	ev->thp_swpout++;
	for (uint32_t i = 0; i < HPAGE_PMD_NR; i++) {
		naive_unmap_page(r, i, ev);
		r->page[i].swapped = true;
		r->page[i].slot = (uint32_t)cluster + i;
		h->slot_used[cluster + (int)i] = true;
		ev->pswpout++;
	}
}

bool naive_drop_swapped(struct naive_host *h, struct naive_page *p)
{
	if (!p->swapped)
		return false;
	h->slot_used[p->slot] = false;
	*p = (struct naive_page){ 0 };
	return true;
}

/* An entry of the list: a huge page or a small one. */
struct entry {
	struct naive_region *r;
	uint32_t guest, i;
	uint64_t since;
};

static struct entry oldest_entry(struct naive_host *h, int guest)
{
	struct entry best = { .since = UINT64_MAX };

	for (uint32_t n = 0; n < NAIVE_GUESTS * NAIVE_REGIONS; n++) {
		struct naive_region *r = &h->region[n / NAIVE_REGIONS]
						   [n % NAIVE_REGIONS];

		if (guest >= 0 && n / NAIVE_REGIONS != (uint32_t)guest)
			continue;
		for (uint32_t i = 0; i < (r->pmd ? 1 : HPAGE_PMD_NR); i++) {
			if (r->page[i].present && r->page[i].since < best.since)
				best = (struct entry){ r, n / NAIVE_REGIONS, i,
						       r->page[i].since };
		}
	}
	return best;
}

static uint64_t rss(const struct naive_host *h, uint32_t guest)
{
	uint64_t nr = 0;

	for (uint32_t i = 0; i < NAIVE_REGIONS; i++)
		nr += naive_present(&h->region[guest][i]);
	return nr;
}

static struct entry entry_in_turn(struct naive_host *h)
{
	struct entry e = { 0 };

	for (uint32_t n = 0; n <= NAIVE_GUESTS; n++) {
		if (h->turn_left && rss(h, h->turn))
			return oldest_entry(h, (int)h->turn);
		h->turn = (h->turn + 1) % NAIVE_GUESTS;
		h->turn_left = rss(h, h->turn) / 4096;
		if (h->turn_left < 32)
			h->turn_left = 32;
	}
	return e;
}

void naive_renew(struct naive_host *h, struct naive_region *r, uint32_t i)
{
	h->clock++;
	for (uint32_t k = 0; r->pmd && k < HPAGE_PMD_NR; k++)
		r->page[k].since = h->clock;
	r->page[i].since = h->clock;
}

/* False: nothing is left to look at. */
static bool look_at_one(struct naive_host *h, int guest, uint64_t *scanned,
			uint64_t *stolen, struct hv_events *ev)
{
	const struct entry e = guest >= 0 || h->config.strict ?
				       oldest_entry(h, guest) :
				       entry_in_turn(h);
	const uint64_t before = ev->pswpout;
	uint32_t nr;

	if (!e.r)
		return false;
	nr = e.r->pmd ? HPAGE_PMD_NR : 1;
	*scanned += nr;
	if (guest < 0)
		h->turn_left -= h->turn_left < nr ? h->turn_left : nr;
	if (!h->config.strict && !e.r->page[e.i].old &&
	    (e.r->pmd ? naive_huge_leaf(e.r) : e.r->page[e.i].ept)) {
		for (uint32_t k = 0; k < nr; k++)
			e.r->page[e.i + k].old = true;
		naive_renew(h, e.r, e.i);
		ev->tlb_flush_rounds++;
		return true;
	}
	if (e.r->pmd)
		out_huge(h, e.r, ev);
	else
		out_small(h, e.r, e.i, ev);
	*stolen += ev->pswpout - before;
	return true;
}

/* ---- reclaim ---- */

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t charged(const struct naive_host *h, uint32_t guest)
{
	uint64_t nr = rss(h, guest);

	for (uint32_t i = 0; i < NAIVE_REGIONS; i++)
		nr += naive_held(&h->region[guest][i]);
	return nr;
}

/* Of the host (guest -1), or of a guest under its limit. */
uint64_t naive_room(const struct naive_host *h, int guest, uint64_t min)
{
	if (guest < 0)
		return less(naive_free(h), min);
	return h->config.limit ?
		       less(h->config.limit, charged(h, (uint32_t)guest)) :
		       UINT64_MAX;
}

static bool reclaim(struct naive_host *h, int guest, uint64_t min, uint64_t nr,
		    bool may_swap, enum hv_reclaimer who, struct hv_events *ev)
{
	uint64_t scanned = 0, stolen = 0, goal, missing;
	const uint64_t freed = ev->pglazyfreed;
	struct naive_region *r;

	missing = less(nr, naive_room(h, guest, min));
	if (guest < 0 && missing) {
		stolen = missing < 32 ? 32 : missing;
		if (stolen > h->cache_pages)
			stolen = h->cache_pages;
		h->cache_pages -= stolen;
		ev->cache_dropped_pages += stolen;
		scanned = stolen;
	}
	while (naive_room(h, guest, min) < nr && (r = oldest(h, guest, true))) {
		scanned += naive_lazy(r);
		drop_lazy(h, r, ev);
	}
	stolen += ev->pglazyfreed - freed;
	while (naive_room(h, guest, min) < nr && (r = oldest(h, guest, false))) {
		ev->tlb_flush_rounds++;
		naive_split_page(r, HV_SPLIT_RECLAIM, ev);
		naive_restamp(h, r, ev);
	}
	while (naive_room(h, guest, min) < nr && (r = oldest_new(h, guest)))
		consider(h, r, ev);
	missing = less(nr, naive_room(h, guest, min));
	goal = naive_room(h, guest, min) + (missing < 32 ? 32 : missing);
	while (missing && may_swap && naive_room(h, guest, min) < goal &&
	       naive_swap_used(h) < h->config.slots) {
		if (!look_at_one(h, guest, &scanned, &stolen, ev))
			break;
	}
	ev->pgscan[who] += scanned;
	ev->pgsteal[who] += stolen;
	return naive_room(h, guest, min) >= nr;
}

bool naive_make_room(struct naive_host *h, int guest, uint32_t nr,
		      bool may_swap, struct hv_events *ev)
{
	const uint64_t min = h->config.min_pages;

	if (naive_room(h, guest, min) >= nr)
		return true;
	ev->pressure++;
	if (guest < 0)
		ev->allocstall++;
	else
		ev->memcg_max++;
	return reclaim(h, guest, min, nr, may_swap, HV_DIRECT, ev);
}

bool naive_reclaim(struct naive_host *h, struct hv_events *ev)
{
	const uint64_t before = naive_free(h);
	uint64_t want = before + HPAGE_PMD_NR;

	if (want > h->config.high_pages)
		want = h->config.high_pages;
	reclaim(h, -1, 0, want, true, HV_KSWAPD, ev);
	return naive_free(h) > before && naive_free(h) < h->config.high_pages;
}
