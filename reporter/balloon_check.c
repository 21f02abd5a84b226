/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The promises of the balloon design, looked up in the guest. Tests call this
 * after every event.
 */
#include "reporter/balloon.h"

uint64_t balloon_managed_pages(const struct reporter *r)
{
	struct alloc_zone_info z;
	uint64_t sum = 0;

	for (unsigned int i = 0; i < alloc_nr_zones(r->env->view); i++) {
		alloc_zone_info(r->env->view, i, &z);
		sum += z.managed;
	}
	return sum;
}

/* Every page of the balloon is allocated, and there are as many as counted. */
static const char *check_pages(const struct reporter *r)
{
	const struct balloon *s = r->state;
	uint64_t nr = 0;

	for (pfn_t pfn = s->pages.newest; pfn != PFN_NONE;
	     pfn = s->pages.links[pfn].next) {
		if (!balloon_pages_has(&s->pages, pfn))
			return "balloon: a page on its list is not its own";
		nr += order_nr_pages(balloon_pages_order(&s->pages, pfn));
		if (nr > s->pages.nr)
			break;
		if (!alloc_block_is_allocated(r->env->view, pfn,
				balloon_pages_order(&s->pages, pfn)))
			return "balloon: a page of the balloon is free";
		if (s->movable && !alloc_test_lru(r->env->view, pfn))
			return "balloon: a page cannot be moved";
	}
	if (nr != s->pages.nr)
		return "balloon: pages and their number differ";
	return NULL;
}

static const char *check_batch(const struct reporter *r)
{
	const struct balloon *s = r->state;

	if (s->nr > balloon_options(r)->batch)
		return "balloon: more than one request may hold";
	for (unsigned int i = 0; i < s->nr; i++) {
		const struct page_report *e = &s->batch[i];

		if (!alloc_block_is_allocated(r->env->view, e->pfn, e->order))
			return s->state == BALLOON_DEFLATING ?
			       "balloon: a page is free before the host knows" :
			       "balloon: a page of the step is free";
		if (balloon_pages_has(&s->pages, e->pfn) !=
		    (s->state == BALLOON_INFLATING))
			return "balloon: a page of the step is in the balloon "
			       "and should not be, or the other way round";
	}
	return NULL;
}

static const char *check_state(const struct reporter *r)
{
	const struct balloon *s = r->state;
	const struct balloon_options *o = balloon_options(r);
	uint64_t out = 0;

	if (s->state == BALLOON_IDLE && s->nr)
		return "balloon: IDLE, but a step is under way";
	if (s->state >= BALLOON_INFLATING && !s->nr)
		return "balloon: nothing is with the host";
	if (s->state < BALLOON_INFLATING && s->actual != s->pages.nr)
		return "balloon: the host was told another size";
	if (!o->fallback && !s->movable &&
	    s->pages.nr % order_nr_pages(balloon_unit_order(r)))
		return "balloon: not a whole number of units";
	/* Pages that leave the balloon are adjusted when they are freed. */
	if (s->state == BALLOON_DEFLATING)
		for (unsigned int i = 0; i < s->nr; i++)
			out += order_nr_pages(s->batch[i].order);
	if (o->oom != OOM_OFF)
		out = 0;
	else
		out += s->pages.nr;
	if (s->managed && balloon_managed_pages(r) + out != s->managed)
		return "balloon: managed pages do not add up";
	return NULL;
}

const char *balloon_check(const struct reporter *r)
{
	const char *broken = check_state(r);

	if (!broken)
		broken = check_batch(r);
	return broken ? broken : check_pages(r);
}
