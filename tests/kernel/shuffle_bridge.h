/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The narrow place between mm/shuffle.c of a kernel tree and the test that
 * compares it with alloc/shuffle.c. Neither side can see the other's headers,
 * so this needs nothing of either. All functions are implemented on the
 * kernel's side (shuffle_guest.c) and exported by the plugin that it becomes.
 */
#ifndef TESTS_KERNEL_SHUFFLE_BRIDGE_H
#define TESTS_KERNEL_SHUFFLE_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHUFFLE_NO_PFN UINT32_MAX
#define SHUFFLE_MAX_ZONES 6
#define SHUFFLE_MAX_PFN (96u << 10)
#define SHUFFLE_PAGEBLOCK 512

struct shuffle_setup {
	unsigned int nr_zones;
	struct {
		unsigned int node;
		uint32_t start, end;
	} zones[SHUFFLE_MAX_ZONES];
	/* The next random word of the guest. */
	uint64_t (*word)(void *ctx);
	void *ctx;
};

/* A guest with these zones, everything allocated, no holes, page_alloc.shuffle=1. */
void kernel_shuffle_boot(const struct shuffle_setup *setup);
/* No struct page for [start, end): pfn_to_online_page() finds nothing. */
void kernel_shuffle_hole(uint32_t start, uint32_t end);
/* Of the 512 pages that pfn is in. */
void kernel_shuffle_set_type(uint32_t pfn, unsigned int mt);
/* A free block, to the tail of its list. */
void kernel_shuffle_add(unsigned int zone, unsigned int order, unsigned int mt,
			uint32_t pfn);
/* Shuffle the zones of a node: what __shuffle_free_memory() does. */
void kernel_shuffle_node(unsigned int node);
/* The block behind pfn on this list, SHUFFLE_NO_PFN: the first of all. */
uint32_t kernel_shuffle_next(unsigned int zone, unsigned int order,
			     unsigned int mt, uint32_t pfn);
/* Does the lists' code ask for a coin, for a block of this order? */
bool kernel_shuffle_is_order(unsigned int order);
bool kernel_shuffle_pick_tail(void);
/* Zone locks that were taken and not given back. */
int kernel_shuffle_locks_held(void);

#endif
