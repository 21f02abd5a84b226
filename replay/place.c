/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the twin has a page that the kernel handed out and the twin did not:
 * the cause of a miss, as far as the twin's own state shows it.
 */
#include "replay/internal.h"

static enum replay_place on_pcp(const struct replay *r,
				const struct req_record *rec, pfn_t head)
{
	const int asked = twin_pindex(r->alloc, rec->order,
				      twin_type(r->before, rec->mt));
	unsigned int pindex, cpu;

	cpu = alloc_pcp_owner(r->alloc, head, rec->cpu, &pindex);
	if (cpu != rec->cpu)
		return REPLAY_AT_OTHER_CPU;
	return (int)pindex == asked ? REPLAY_AT_SAME_LIST :
				      REPLAY_AT_OTHER_LIST;
}

enum replay_place place_of(const struct replay *r, const struct req_record *rec)
{
	pfn_t head = PFN_NONE;
	unsigned int order = 0;

	switch (alloc_page_lookup(r->alloc, rec->pfn, &head, &order)) {
	case ALLOC_PAGE_BUDDY:
		return REPLAY_AT_BUDDY;
	case ALLOC_PAGE_PCP:
		return on_pcp(r, rec, head);
	default:
		return names_is_old(&r->names, rec->pfn) ?
			       REPLAY_AT_OLDER : REPLAY_AT_HANDED_OUT;
	}
}
