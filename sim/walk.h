/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a TLB miss costs at most, in memory references of the page-table walk.
 *
 * A guest's walk has two dimensions: each of the g entries of the guest's table
 * stands at a guest-physical address, which takes h references of the host's
 * table to translate and one to read, and the guest-physical address found in
 * the end takes h more: g * (h + 1) + h. With four levels that is 24 for 4 KiB
 * pages on 4 KiB pages, 19 with huge pages on one side, and 15 on both; the
 * commit message of transparent huge pages (Linux 2.6.38) gives these three.
 *
 * An upper bound: caches of paging structures and of nested translations, which
 * no processor is without, hide most of it.
 */
#ifndef SIM_WALK_H
#define SIM_WALK_H

#include "include/types.h"

/* Levels of an x86-64 table down to the entry that maps a page. */
#define WALK_LEVELS_4K 4u
#define WALK_LEVELS_2M 3u
#define WALK_LEVELS_1G 2u
/* More of each with five-level paging. */
#define WALK_LEVELS_LA57 1u

/* References of one miss of a process that runs on the host itself. */
static inline unsigned int walk_refs_native(unsigned int levels)
{
	return levels;
}

/* References of one miss inside a guest; 0 host levels: as on the host. */
static inline unsigned int walk_refs(unsigned int guest_levels,
				     unsigned int host_levels)
{
	return (guest_levels + 1) * (host_levels + 1) - 1;
}

#endif
