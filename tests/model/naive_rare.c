/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Naive model of what happens now and then: the highatomic reserve, the boot
 * shuffle, a block taken from the middle of a free one. Rules as in
 * reserve_highatomic_pageblock, unreserve_highatomic_pageblock, __shuffle_zone
 * and take_page_off_buddy of the release.
 */
#include "include/check.h"
#include "tests/model/naive_alloc.h"

/* ---- the highatomic reserve ---- */

static void set_types(struct naive *m, uint32_t pfn, int order, int type)
{
	uint32_t p;

	for (p = pfn; p < pfn + (1u << order); p += NAIVE_PB)
		naive_set_type(m, p, type);
}

void naive_reserve_highatomic(struct naive *m, struct naive_zone *z,
			      uint32_t pfn, int order)
{
	uint32_t start = pfn / NAIVE_PB * NAIVE_PB, end = start + NAIVE_PB;
	int64_t limit = z->managed / 100;

	if (m->kernel < K612_0)
		limit += 512;
	else
		limit = limit < 512 ? 0 : (limit + 511) / 512 * 512;
	if (z->reserved_highatomic >= limit ||
	    m->pageblock[pfn / NAIVE_PB] >= NH)
		return;
	if (m->kernel >= K612_0 && order >= NAIVE_PB_ORDER) {
		z->reserved_highatomic += 1 << order;
		set_types(m, pfn, order, NH);
		return;
	}
	if (m->kernel >= K612_0 && (start < z->start || end > z->end))
		return;
	z->reserved_highatomic += 512;
	naive_set_type(m, pfn, NH);
	if (end <= z->end)
		naive_move_pageblock(m, z, start < z->start ? pfn : start, end,
				     NH);
}

/* Free blocks that begin in the pageblock, as the move would find them. */
static bool move_all(struct naive *m, struct naive_zone *z, uint32_t pfn,
		     int type)
{
	uint32_t start = pfn / NAIVE_PB * NAIVE_PB, end = start + NAIVE_PB;

	if (end > z->end || (m->kernel >= K612_0 && start < z->start))
		return false;
	naive_move_pageblock(m, z, start < z->start ? pfn : start, end, type);
	return true;
}

static bool unreserve(struct naive *m, struct naive_zone *z, uint32_t pfn,
		      int order, int type)
{
	int64_t size = NAIVE_PB;
	uint32_t start = pfn / NAIVE_PB * NAIVE_PB;

	if (m->kernel >= K612_0 && order > NAIVE_PB_ORDER)
		size = 1 << order;
	if (size > z->reserved_highatomic)
		size = z->reserved_highatomic;
	if (m->pageblock[pfn / NAIVE_PB] == NH)
		z->reserved_highatomic -= size;
	if (m->kernel >= K612_0 && order >= NAIVE_PB_ORDER) {
		naive_move_block(m, z, pfn, type);
		set_types(m, pfn, order, type);
		return true;
	}
	if (m->kernel < K612_0 ||
	    (start >= z->start && start + NAIVE_PB <= z->end))
		naive_set_type(m, pfn, type);
	return move_all(m, z, pfn, type);
}

bool naive_unreserve_highatomic(struct naive *m, int type)
{
	int i, o;

	for (i = naive_preferred(m, type == NM ? 3 : 2); i >= 0; i--) {
		struct naive_zone *z = &m->zone[i];

		if (z->reserved_highatomic <= NAIVE_PB)
			continue;
		for (o = 0; o < NAIVE_ORDERS; o++)
			if (z->free[o][NH].nr &&
			    unreserve(m, z, z->free[o][NH].head, o,
				      m->grouping ? type : NU))
				return true;
	}
	return false;
}

/* ---- the boot shuffle ---- */

static void swap_places(struct naive *m, struct naive_zone *z, uint32_t one,
			uint32_t two)
{
	struct naive_list *l1 = &z->free[10][m->page[one].type];
	struct naive_list *l2 = &z->free[10][m->page[two].type];
	uint8_t type = m->page[one].type;

	nl_replace(m, l1, one, NAIVE_PAGES);
	nl_replace(m, l2, two, one);
	nl_replace(m, l1, NAIVE_PAGES, two);
	m->page[one].type = m->page[two].type;
	m->page[two].type = type;
}

void naive_shuffle_zone(struct naive *m, int zone)
{
	struct naive_zone *z = &m->zone[zone];
	uint32_t i, j = NAIVE_NONE;
	int draws;

	for (i = (z->start + 1023) / 1024 * 1024; i < z->end; i += 1024) {
		bool found = false;

		if (naive_find(m, z, i, 10) < 0)
			continue;
		for (draws = 0; draws < 10 && !found; draws++) {
			uint64_t r = m->word(m->nr_words++) %
				     (z->end - z->start);

			j = z->start + (uint32_t)(r / 1024 * 1024);
			found = j != i && naive_find(m, z, j, 10) >= 0;
		}
		if (found && m->pageblock[i / NAIVE_PB] ==
			     m->pageblock[j / NAIVE_PB])
			swap_places(m, z, i, j);
	}
}

/* ---- out of the middle ---- */

bool naive_take_off_buddy(struct naive *m, uint32_t pfn, int order)
{
	struct naive_zone *z = naive_zone_of(m, pfn);
	uint32_t head = 0;
	int o, type = -1;

	for (o = order; o < NAIVE_ORDERS && type < 0; o++) {
		head = pfn & ~((1u << o) - 1);
		type = naive_find(m, z, head, o);
	}
	if (type < 0 || (pfn & ((1u << order) - 1)))
		return false;
	naive_take_free(m, z, head);
	for (o--; o > order;) {
		uint32_t upper = head + (1u << --o);

		naive_add_free(m, z, pfn < upper ? upper : head, o, type,
			       false);
		if (pfn >= upper)
			head = upper;
	}
	m->page[pfn].cached = (uint8_t)type;
	return true;
}
