/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The marks that page_reporting finds in the lists, and its promises looked up
 * there: see the comment of page_reporting.c. Marks of an earlier device
 * persist and are honoured, as in the kernel.
 */
#include "reporter/in_flight.h"
#include "reporter/page_reporting.h"

static bool is_reported(const struct alloc *a, pfn_t pfn)
{
	return alloc_block_marks(a, pfn) & BLOCK_REPORTED;
}

/* A marked block of one list, or PFN_NONE. */
static pfn_t find_reported(const struct alloc *a, unsigned int zone,
			   unsigned int order, enum migratetype mt)
{
	pfn_t pfn = alloc_list_first(a, zone, order, mt);

	while (pfn != PFN_NONE && !is_reported(a, pfn))
		pfn = alloc_list_next(a, pfn);
	return pfn;
}

/* Any marked block below `order`, in any zone? */
static bool marks_below(const struct alloc *a, unsigned int order)
{
	const unsigned int nr_zones = alloc_nr_zones(a);

	for (unsigned int zone = 0; zone < nr_zones; zone++)
		for (unsigned int o = 0; o < order; o++)
			for (int mt = 0; mt < MIGRATE_TYPES; mt++)
				if (find_reported(a, zone, o, mt) != PFN_NONE)
					return true;
	return false;
}

static uint32_t marked_blocks(const struct alloc *a, unsigned int zone,
			      unsigned int order)
{
	uint32_t nr = 0;

	for (int mt = 0; mt < MIGRATE_TYPES; mt++) {
		pfn_t pfn = alloc_list_first(a, zone, order, mt);

		for (; pfn != PFN_NONE; pfn = alloc_list_next(a, pfn))
			nr += is_reported(a, pfn);
	}
	return nr;
}

static void take_over_zone(struct page_reporting *s, const struct alloc *a,
			   unsigned int zone)
{
	s->marked[zone] = 0;
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
		s->nr_marked[zone][o] = marked_blocks(a, zone, o);
		s->marked[zone] += (uint64_t)s->nr_marked[zone][o] << o;
	}
}

static const char *check_marked(const struct page_reporting *s,
				const struct alloc *a, unsigned int zone)
{
	uint64_t pages = 0;

	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
		const uint32_t nr = marked_blocks(a, zone, o);

		if (s->nr_marked[zone][o] != nr)
			return "page_reporting: nr_marked is not the blocks "
			       "marked";
		pages += (uint64_t)nr << o;
	}
	return s->marked[zone] == pages ? NULL :
	       "page_reporting: marked is not the pages marked";
}

void page_reporting_take_over(struct reporter *r)
{
	const unsigned int nr_zones = alloc_nr_zones(r->env->view);
	struct page_reporting *s = r->state;

	s->old_marks = marks_below(r->env->view, s->order);
	for (unsigned int zone = 0; zone < nr_zones; zone++)
		take_over_zone(s, r->env->view, zone);
}

static const char *check_in_flight(const struct reporter *r)
{
	const struct page_reporting *s = r->state;
	const unsigned int nr = s->limit - s->offset;

	if (!nr)
		return "page_reporting: a pass waits for no report";
	if (!s->leftover && nr != s->limit)
		return "page_reporting: a partial array in mid-zone";
	return in_flight_check(r, s->sg + s->offset, nr, s->order);
}

const char *page_reporting_check(const struct reporter *r)
{
	const unsigned int nr_zones = alloc_nr_zones(r->env->view);
	const struct page_reporting *s = r->state;

	if (s->state == PAGE_REPORTING_ACTIVE && !s->running)
		return "page_reporting: ACTIVE without a pass";
	if (s->state == PAGE_REPORTING_IDLE && (s->running || s->armed))
		return "page_reporting: IDLE, but a pass runs or is armed";
	if (s->state == PAGE_REPORTING_REQUESTED && s->running == s->armed)
		return "page_reporting: REQUESTED needs one of pass and timer";
	if (!s->running && s->offset != s->limit)
		return "page_reporting: blocks isolated outside a pass";
	if (s->budget < -1)
		return "page_reporting: a list had more reports than allowed";
	if (!s->old_marks && marks_below(r->env->view, s->order))
		return "page_reporting: a mark below the reporting order";
	for (unsigned int zone = 0; zone < nr_zones; zone++) {
		const char *broken = check_marked(s, r->env->view, zone);

		if (broken)
			return broken;
	}
	return s->running ? check_in_flight(r) : NULL;
}
