/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory map of an x86-64 guest and its boot up to user space. */
#ifndef SIM_GUEST_BOOT_H
#define SIM_GUEST_BOOT_H

#include "alloc/alloc.h"
#include "include/rng.h"
#include "sim/sim.h"
#include "sim/topology.h"

/* Physical ranges of a guest, ascending, and what firmware and memblock keep. */
#define GUEST_MAX_RANGES (2 + ALLOC_MAX_NODES)

struct guest_map {
	unsigned int nr_zones;
	struct alloc_zone_config zones[ALLOC_MAX_ZONES];
	unsigned int nr_free;             /* handed to the buddy at boot */
	struct { pfn_t start, end; } free[2 * GUEST_MAX_RANGES];
	unsigned int nr_reserved;         /* memmap, kernel image */
	struct { pfn_t start, end; } reserved[GUEST_MAX_RANGES];
	pfn_t end;                        /* one past the last PFN */
};

/* 0, or -EINVAL with a reason (e.g. below_4g larger than memory is clipped,
 * a node without memory is refused). */
int guest_map_build(struct guest_map *m, const struct guest_options *opt,
		    unsigned int nr_nodes, char *why, size_t why_size);

/*
 * Create the allocator and bring it to the state that user space finds:
 * memblock hand-over, pagesets, shuffle, watermarks, khugepaged's
 * min_free_kbytes. Hooks (shuffle words) must be given. 0 or -errno.
 */
int guest_boot(struct alloc **out, const struct guest_options *opt,
	       const struct guest_map *m, const struct topology *t,
	       const struct alloc_hooks *hooks, char *why, size_t why_size);

/* Pages that the kernel takes after boot: called for each block taken.
 * `movable`: user memory or page cache, which is on the LRU. */
typedef void (*base_page_fn)(void *ctx, pfn_t pfn, unsigned int order,
			     bool movable);
/*
 * Take opt->base bytes in a seeded mix of orders and types, on all CPUs in
 * turn, as slab, stacks and page cache of a booted system do. Returns pages
 * taken (less than asked for only if memory ran out).
 */
uint64_t guest_take_base(struct alloc *a, const struct guest_options *opt,
			 struct rng *rng, base_page_fn fn, void *ctx);

#endif
