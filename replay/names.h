/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page frame numbers in a stream name what the kernel handed out; after a miss
 * the twin's page for that name is another one. This is the map from observed
 * to twin's PFN, page by page, because a block may come back in parts.
 */
#ifndef REPLAY_NAMES_H
#define REPLAY_NAMES_H

#include "include/types.h"

struct names {
	pfn_t end;
	uint32_t *twin;   /* per observed PFN: twin's PFN + 1; 0 = no entry */
	uint64_t *fresh;  /* bit per PFN: not a page older than the snapshot */
	uint64_t *live;   /* bit per PFN: handed out, and not freed since */
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
