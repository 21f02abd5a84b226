/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which page is swapped out next. Each guest has a list of its mapped pages, as
 * each memory cgroup has its lruvec; a huge page is one entry, named by its
 * first page. Two ways to choose:
 *
 *   strict   the page whose last access is longest ago, of all guests. Every
 *            access has to come here, so callers find no page mapped.
 *   sampled  what Linux does: an access sets a bit in the EPT, reclaim looks at
 *            it from the old end of the list (page_check_references(), 5.6); a
 *            page that was accessed since the last look gets another round.
 *
 * Simplified: one list instead of an active and an inactive one, no refault
 * distances, and swappiness plays no part: anonymous memory is looked at only
 * when nothing else is left. Guests take turns, each for a share of its size
 * (get_scan_count() at DEF_PRIORITY). Lists exist only where there is swap.
 */
#include "hypervisor/mock.h"

#include "include/check.h"
#include "include/sparse.h"

#define LRU_NIL UINT32_MAX
#define SWAP_CLUSTER_MAX 32u
#define DEF_PRIORITY 12

int mock_lru_init(const struct mock_host *h, struct mock_guest *g)
{
	g->lru = (struct mock_lru){ .oldest = LRU_NIL, .newest = LRU_NIL };
	if (!h->swap.nr_slots)
		return 0;
	g->page = sparse_alloc(g->nr_pages, sizeof(*g->page));
	g->strict = h->opt->lru == LRU_STRICT;
	if (g->strict)
		g->used_at = sparse_alloc(g->nr_pages, sizeof(*g->used_at));
	return g->page && (!g->strict || g->used_at) ? 0 : -1;
}

void mock_lru_destroy(struct mock_guest *g)
{
	sparse_free(g->page, g->nr_pages, sizeof(*g->page));
	sparse_free(g->used_at, g->nr_pages, sizeof(*g->used_at));
}

/* Behind `at`, towards the new end; LRU_NIL: as the oldest. */
static void link_behind(struct mock_guest *g, pfn_t pfn, pfn_t at)
{
	struct mock_lru *l = &g->lru;
	const pfn_t next = at == LRU_NIL ? l->oldest : g->page[at].next;

	g->page[pfn] = (struct mock_page){ .next = next, .prev = at };
	if (at == LRU_NIL)
		l->oldest = pfn;
	else
		g->page[at].next = pfn;
	if (next == LRU_NIL)
		l->newest = pfn;
	else
		g->page[next].prev = pfn;
	l->nr++;
}

static void unlink_page(struct mock_guest *g, pfn_t pfn)
{
	struct mock_lru *l = &g->lru;
	const struct mock_page p = g->page[pfn];

	CHECK(l->nr);
	if (p.prev == LRU_NIL)
		l->oldest = p.next;
	else
		g->page[p.prev].next = p.next;
	if (p.next == LRU_NIL)
		l->newest = p.prev;
	else
		g->page[p.next].prev = p.prev;
	l->nr--;
}

static pfn_t first_of(const struct region_ref *r, uint32_t w)
{
	return (r->region << HPAGE_PMD_ORDER) + w * 64;
}

static void add(const struct region_ref *r, pfn_t pfn)
{
	link_behind(r->guest, pfn, r->guest->lru.newest);
	if (r->guest->strict)
		r->guest->used_at[pfn] = ++r->host->clock;
}

void mock_lru_add_pages(const struct region_ref *r, uint32_t w, uint64_t bits)
{
	if (!r->guest->page)
		return;
	for (; bits; bits &= bits - 1)
		add(r, first_of(r, w) + (pfn_t)__builtin_ctzll(bits));
}

void mock_lru_del_pages(const struct region_ref *r, uint32_t w, uint64_t bits)
{
	if (!r->guest->page)
		return;
	for (; bits; bits &= bits - 1)
		unlink_page(r->guest,
			    first_of(r, w) + (pfn_t)__builtin_ctzll(bits));
}

void mock_lru_add_huge(const struct region_ref *r)
{
	if (r->guest->page)
		add(r, first_of(r, 0));
}

void mock_lru_del_huge(const struct region_ref *r)
{
	if (r->guest->page)
		unlink_page(r->guest, first_of(r, 0));
}

/* lru_add_page_tail(), 5.6: its pages take the place of the huge page. */
void mock_lru_split_huge(const struct region_ref *r)
{
	struct mock_guest *g = r->guest;
	const pfn_t head = first_of(r, 0);

	if (!g->page)
		return;
	for (pfn_t i = 1; i < HPAGE_PMD_NR; i++) {
		link_behind(g, head + i, head + i - 1);
		if (g->strict)
			g->used_at[head + i] = g->used_at[head];
	}
}

static void make_newest(const struct region_ref *r, pfn_t pfn)
{
	unlink_page(r->guest, pfn);
	add(r, pfn);
}

void mock_lru_access_huge(const struct region_ref *r)
{
	if (r->guest->strict)
		make_newest(r, first_of(r, 0));
}

void mock_lru_access_pages(const struct region_ref *r, uint32_t w,
			   uint64_t bits)
{
	for (; r->guest->strict && bits; bits &= bits - 1)
		make_newest(r, first_of(r, w) + (pfn_t)__builtin_ctzll(bits));
}

/* ---- the next one to go ---- */

static void point_at(struct region_ref *r, uint32_t guest)
{
	r->guest = &r->host->guests[guest];
	r->guest_id = guest;
	r->region = pfn_region(r->guest->lru.oldest);
}

static bool has_pages(const struct mock_host *h, uint32_t guest)
{
	return h->guests[guest].nr_pages && h->guests[guest].lru.nr;
}

/* The guest whose oldest page is older than those of all others. */
static bool oldest_of_all(struct region_ref *r)
{
	const struct mock_host *h = r->host;
	uint64_t best = UINT64_MAX;

	for (uint32_t i = 0; i < h->nr_ids; i++) {
		const struct mock_guest *g = &h->guests[i];

		if (has_pages(h, i) && g->used_at[g->lru.oldest] < best) {
			best = g->used_at[g->lru.oldest];
			point_at(r, i);
		}
	}
	return best != UINT64_MAX;
}

/* mem_cgroup_iter() and get_scan_count(): the guest whose turn it is. */
static bool guest_in_turn(struct region_ref *r)
{
	struct mock_host *h = r->host;
	uint64_t share;

	for (uint32_t n = 0; n <= h->nr_ids; n++) {
		if (h->turn < h->nr_ids && h->turn_left &&
		    has_pages(h, h->turn)) {
			point_at(r, h->turn);
			return true;
		}
		h->turn = h->turn + 1 < h->nr_ids ? h->turn + 1 : 0;
		share = h->guests[h->turn].gauges.rss_pages >> DEF_PRIORITY;
		h->turn_left = share > SWAP_CLUSTER_MAX ? share :
							  SWAP_CLUSTER_MAX;
	}
	return false;
}

/* True if the entry was accessed since the last look; it is not any more. */
static bool test_and_clear_young(const struct region_ref *r, pfn_t pfn)
{
	if (region_state(r->guest, r->region) == REGION_HUGE)
		return huge_set_old(r);
	return small_set_old(r, pfn & (HPAGE_PMD_NR - 1));
}

static uint32_t entry_pages(const struct region_ref *r)
{
	return region_state(r->guest, r->region) == REGION_HUGE ?
		       HPAGE_PMD_NR : 1;
}

static bool next_entry(struct region_ref *r, uint32_t only)
{
	if (only != HV_ALL_GUESTS) {
		if (!has_pages(r->host, only))
			return false;
		point_at(r, only);
		return true;
	}
	return r->host->opt->lru == LRU_STRICT ? oldest_of_all(r) :
						 guest_in_turn(r);
}

/* Of the guests' turns, those that a limit of one guest asks for are none. */
static void end_of_look(struct mock_host *h, uint32_t only, uint32_t nr)
{
	if (only == HV_ALL_GUESTS)
		h->turn_left -= nr < h->turn_left ? nr : h->turn_left;
}

bool mock_lru_select(struct region_ref *r, uint32_t only, pfn_t *pfn,
		     uint64_t *scanned)
{
	while (next_entry(r, only)) {
		const uint32_t nr = entry_pages(r);

		*pfn = r->guest->lru.oldest;
		*scanned += nr;
		end_of_look(r->host, only, nr);
		if (r->guest->strict || !test_and_clear_young(r, *pfn))
			return true;
		/* page_referenced() has KVM flush what had been accessed. */
		r->ev->tlb_flush_rounds++;
		make_newest(r, *pfn);
	}
	return false;
}
