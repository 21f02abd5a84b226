/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks between isolation and the host's acknowledgement. Every page of them
 * is looked up in the allocator, not the first alone: the buddies of a block
 * that was half put back would else pass for in flight.
 */
#include "reporter/in_flight.h"

const char *in_flight_check(const struct reporter *r,
			    const struct page_report *entries, unsigned int nr,
			    unsigned int min_order)
{
	for (unsigned int i = 0; i < nr; i++) {
		const struct page_report *e = &entries[i];

		if (e->order < min_order || e->order > MAX_PAGE_ORDER)
			return "a block of the wrong order is in flight";
		if (!alloc_block_is_allocated(r->env->view, e->pfn, e->order))
			return "a block in flight is free";
	}
	return NULL;
}
