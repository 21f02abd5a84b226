/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reports that were not worth it: which block was discarded when, and whether
 * the guest used it again soon. Counted for every design in the same way, from
 * what the host was asked and what the guest then touched.
 */
#ifndef SIM_REUSE_H
#define SIM_REUSE_H

#include "include/types.h"

/* A report whose block is used again within this time was wasted. */
#define REUSE_SOON_NS (2 * NSEC_PER_SEC)

/*
 * A stamp is time << 4 | order of a discarded block that was not used since,
 * or 0. Blocks of a huge page and more have theirs at their regions, smaller
 * ones at each of their pages.
 */
struct reuse_map {
	uint32_t nr_regions;
	uint64_t *region;         /* [nr_regions] */
	uint64_t **pages;         /* [nr_regions], 512 each, NULL: none */
	bool any;                 /* was anything ever noted? */
	uint64_t reported;        /* blocks noted */
	uint64_t wasted;          /* of these, used again soon */
};

int reuse_init(struct reuse_map *m, pfn_t nr_pages); /* 0 or -ENOMEM */
/* Accepts a zeroed struct. */
void reuse_destroy(struct reuse_map *m);
/* The host has discarded the block. 0 or -ENOMEM. */
int reuse_discarded(struct reuse_map *m, pfn_t pfn, unsigned int order,
		    sim_ns_t now);
/* The guest uses the block, and the host has something to do for it. */
void reuse_touched(struct reuse_map *m, pfn_t pfn, unsigned int order,
		   sim_ns_t now);

#endif
