/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The marks that hinted_boundary finds in the lists, and its promises looked
 * up there: see the comment of hinted_boundary.c.
 */
#include "reporter/hinted_boundary.h"
#include "reporter/in_flight.h"

static uint64_t count_hinted(const struct alloc *a, unsigned int zone,
			     unsigned int order)
{
	uint64_t nr = 0;

	for (int mt = 0; mt < MIGRATE_TYPES; mt++) {
		pfn_t pfn = alloc_list_first(a, zone, order, mt);

		for (; pfn != PFN_NONE; pfn = alloc_list_next(a, pfn))
			nr += is_hinted(a, pfn);
	}
	return nr;
}

/* The counts outlive a device in v2; here its successor takes them anew. */
void hinted_boundary_take_over(struct reporter *r)
{
	struct hinted_boundary *s = r->state;
	const unsigned int nr_zones = alloc_nr_zones(r->env->view);

	for (unsigned int zone = 0; zone < nr_zones; zone++) {
		uint64_t *count = s->zones[zone].hinted_count;

		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
			count[o] = count_hinted(r->env->view, zone, o);
			s->old_marks |= count[o] && o < s->order;
		}
	}
}

static const char *check_requests(const struct reporter *r)
{
	const struct hinted_boundary *s = r->state;
	unsigned int requested = 0;

	for (unsigned int zone = 0; zone < ALLOC_MAX_ZONES; zone++)
		requested += s->zones[zone].requested;
	if (requested != s->refcount)
		return "hinted_boundary: refcount is not the zones requested";
	if (s->armed && s->running)
		return "hinted_boundary: armed while the worker runs";
	if (!s->running && s->armed != (s->refcount > 0))
		return "hinted_boundary: armed must mean a zone is requested";
	if (s->running != (s->nr > 0))
		return "hinted_boundary: a worker that runs has a batch out";
	if ((s->active != NO_ZONE) != (s->running && !is_may(r)))
		return "hinted_boundary: a batch belongs to an active zone";
	if (s->nr > s->capacity)
		return "hinted_boundary: more blocks in flight than fit";
	return NULL;
}

static const char *check_counts(const struct reporter *r)
{
	const struct hinted_boundary *s = r->state;
	const unsigned int nr_zones = alloc_nr_zones(r->env->view);

	for (unsigned int zone = 0; zone < nr_zones; zone++) {
		const uint64_t *count = s->zones[zone].hinted_count;

		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
			if (count[o] != count_hinted(r->env->view, zone, o))
				return "hinted_boundary: hinted_count is not "
				       "the number of hinted blocks";
			if (count[o] && o < s->order && !s->old_marks &&
			    !is_may(r))
				return "hinted_boundary: a hint below the "
				       "hinting order";
		}
	}
	return NULL;
}

static const char *check_boundary(const struct reporter *r,
				  unsigned int order, enum migratetype mt)
{
	const struct hinted_boundary *s = r->state;
	const struct alloc *a = r->env->view;
	pfn_t pfn = s->boundary[order][mt];

	if (pfn == PFN_NONE)
		return NULL;
	if (!alloc_is_free_head(a, pfn) ||
	    alloc_zone_of(a, pfn) != s->active ||
	    alloc_block_order(a, pfn) != order ||
	    alloc_block_type(a, pfn) != mt)
		return "hinted_boundary: a boundary is not on its list";
	if (!is_hinted(a, pfn))
		return "hinted_boundary: a boundary is not hinted";
	if (s->gave_up[order][mt])
		return NULL;
	for (; pfn != PFN_NONE; pfn = alloc_list_next(a, pfn))
		if (!is_hinted(a, pfn))
			return "hinted_boundary: an unhinted block behind the "
			       "boundary";
	return NULL;
}

/* A membrane is a hinted block of its list, or the end of it. */
static const char *check_membranes(const struct reporter *r)
{
	const unsigned int nr_zones = alloc_nr_zones(r->env->view);
	const struct hinted_boundary *s = r->state;
	const struct alloc *a = r->env->view;

	for (unsigned int i = 0; i < nr_zones * NR_PAGE_ORDERS; i++) {
		const unsigned int zone = i / NR_PAGE_ORDERS;
		const unsigned int order = i % NR_PAGE_ORDERS;
		const struct hinted_membrane *m = &s->membranes[zone][order];

		if (m->pfn == PFN_NONE)
			continue;
		if (!alloc_is_free_head(a, m->pfn) ||
		    alloc_zone_of(a, m->pfn) != (int)zone ||
		    alloc_block_order(a, m->pfn) != order ||
		    alloc_block_type(a, m->pfn) != (enum migratetype)m->mt)
			return "hinted_boundary: a membrane is not on its list";
		if (!is_hinted(a, m->pfn))
			return "hinted_boundary: a membrane is not hinted";
	}
	return NULL;
}

const char *hinted_boundary_check(const struct reporter *r)
{
	const struct hinted_boundary *s = r->state;
	const char *broken = check_requests(r);

	if (!broken)
		broken = check_counts(r);
	if (!broken)
		broken = check_membranes(r);
	if (broken || !s->running)
		return broken;
	for (unsigned int o = s->order; !is_may(r) && o < NR_PAGE_ORDERS; o++) {
		for (int mt = 0; mt < MIGRATE_TYPES; mt++) {
			broken = check_boundary(r, o, mt);
			if (broken)
				return broken;
		}
	}
	return in_flight_check(r, s->sg, s->nr, s->order);
}
