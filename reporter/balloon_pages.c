/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages of a balloon, or of a run of hints: models the list of struct
 * balloon_dev_info (mm/balloon_compaction.c, 5.3 to 6.18), to which pages are
 * added in front and from which the newest are taken first.
 */
#include "reporter/balloon_pages.h"

#include <errno.h>

#include "include/check.h"
#include "include/sparse.h"

int balloon_pages_init(struct balloon_pages *p, pfn_t nr_pfns)
{
	p->nr_pfns = nr_pfns;
	p->newest = PFN_NONE;
	p->links = sparse_alloc(nr_pfns, sizeof(*p->links));
	p->orders = sparse_alloc(nr_pfns, sizeof(*p->orders));
	return p->links && p->orders ? 0 : -ENOMEM;
}

void balloon_pages_destroy(struct balloon_pages *p)
{
	if (p->links)
		sparse_free(p->links, p->nr_pfns, sizeof(*p->links));
	if (p->orders)
		sparse_free(p->orders, p->nr_pfns, sizeof(*p->orders));
}

void balloon_pages_add(struct balloon_pages *p, pfn_t pfn, unsigned int order)
{
	CHECK_LT(pfn, p->nr_pfns);
	CHECK_MSG(!p->orders[pfn], "pfn %u is in the balloon already", pfn);
	p->orders[pfn] = (uint8_t)(order + 1);
	p->links[pfn] = (struct balloon_link){ .next = p->newest,
					       .prev = PFN_NONE };
	if (p->newest != PFN_NONE)
		p->links[p->newest].prev = pfn;
	p->newest = pfn;
	p->nr += order_nr_pages(order);
}

void balloon_pages_del(struct balloon_pages *p, pfn_t pfn)
{
	const struct balloon_link l = p->links[pfn];

	CHECK_MSG(p->orders[pfn], "pfn %u is not in the balloon", pfn);
	p->nr -= order_nr_pages(p->orders[pfn] - 1u);
	p->orders[pfn] = 0;
	if (l.prev != PFN_NONE)
		p->links[l.prev].next = l.next;
	else
		p->newest = l.next;
	if (l.next != PFN_NONE)
		p->links[l.next].prev = l.prev;
}
