/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page frame numbers in a stream name what the kernel handed out; after a miss
 * the twin's page for that name is another one. This is the map from observed
 * to twin's PFN, page by page, because a block may come back in parts.
 */
#ifndef REPLAY_NAMES_H
#define REPLAY_NAMES_H

#include "include/types.h"

/* An observed page: the twin's PFN, and these. 0 = never named. */
#define NAME_LIVE 0x80000000u  /* handed out, and not freed since */
#define NAME_KNOWN 0x40000000u
#define NAME_PFN 0x3fffffffu   /* TRACE_MAX_PFN - 1 */

struct names {
	pfn_t end;
	uint32_t *twin;   /* per observed PFN */
	/* Bit per PFN, of those that were never named: free in the snapshot. */
	uint64_t *fresh;
};

/* 0 or -ENOMEM. names_destroy() accepts a zeroed struct. */
int names_init(struct names *n, pfn_t end);
void names_destroy(struct names *n);
/* This block is free in the snapshot: its pages have no name yet. */
void names_mark_free(struct names *n, pfn_t pfn, unsigned int order);
/* This page is in use from before the first event, whatever was said. */
void names_mark_old(struct names *n, pfn_t pfn);
/* Is this a page that was in use before the first event, and is still? */
bool names_is_old(const struct names *n, pfn_t observed);
void names_bind(struct names *n, pfn_t observed, pfn_t twin,
		unsigned int order);
void names_drop(struct names *n, pfn_t observed, unsigned int order);

/* The same of one page below n->end, for those who are in a hurry. */
static inline void names_bind_page(struct names *n, pfn_t observed, pfn_t twin)
{
	n->twin[observed] = NAME_LIVE | NAME_KNOWN | twin;
}

static inline void names_drop_page(struct names *n, pfn_t observed)
{
	const uint32_t name = n->twin[observed];

	n->twin[observed] = name ? name & ~NAME_LIVE : NAME_KNOWN | observed;
}

/* Handed out, and not freed since? */
static inline bool names_is_live(const struct names *n, pfn_t observed)
{
	return n->twin[observed] & NAME_LIVE;
}

/*
 * Twin's block for an observed one: PFN_NONE unless every page has a name and
 * they form one block. Pages older than the snapshot name themselves.
 */
pfn_t names_find(const struct names *n, pfn_t observed, unsigned int order);

/*
 * Twin's page for an observed page that may have been freed since: the last
 * one it named, or itself.
 */
pfn_t names_last(const struct names *n, pfn_t observed);

#endif
