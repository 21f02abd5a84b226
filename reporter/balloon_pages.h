/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages that a design holds by allocation, as the kernel's lists keep them. */
#ifndef REPORTER_BALLOON_PAGES_H
#define REPORTER_BALLOON_PAGES_H

#include "include/types.h"

/*
 * Blocks of a balloon, newest first. Both arrays have one entry a page of
 * the guest; those of untouched parts take no memory.
 */
struct balloon_pages {
	struct balloon_link {
		pfn_t next, prev;     /* PFN_NONE at the ends */
	} *links;                     /* [pfn of a block] */
	uint8_t *orders;              /* order + 1; 0 = not in the balloon */
	pfn_t nr_pfns;
	pfn_t newest;
	uint64_t nr;                  /* 4 KiB pages in it */
};

/* 0 or -ENOMEM. */
int balloon_pages_init(struct balloon_pages *p, pfn_t nr_pfns);
void balloon_pages_destroy(struct balloon_pages *p);
void balloon_pages_add(struct balloon_pages *p, pfn_t pfn, unsigned int order);
void balloon_pages_del(struct balloon_pages *p, pfn_t pfn);
static inline bool balloon_pages_has(const struct balloon_pages *p, pfn_t pfn)
{
	return pfn < p->nr_pfns && p->orders[pfn];
}
static inline unsigned int balloon_pages_order(const struct balloon_pages *p,
					       pfn_t pfn)
{
	return p->orders[pfn] - 1u;
}

#endif
