/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A set of addresses as disjoint ranges, ascending: what a process maps. */
#ifndef TRACE_RANGES_H
#define TRACE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addr_range {
	uint64_t start, end;
};

struct addr_chunk;

struct addr_ranges {
	struct addr_chunk **chunks;    /* none of them is empty */
	size_t nr_chunks, room;
	size_t nr;                     /* ranges */
};

void ranges_free(struct addr_ranges *s);
/* [start, end) is in the set, or is not; 0 or -ENOMEM, then as before. */
int ranges_add(struct addr_ranges *s, uint64_t start, uint64_t end);
int ranges_del(struct addr_ranges *s, uint64_t start, uint64_t end);
/* All of [start, end), or any of it. */
bool ranges_cover(const struct addr_ranges *s, uint64_t start, uint64_t end);
bool ranges_overlap(const struct addr_ranges *s, uint64_t start, uint64_t end);
/*
 * The first range that ends behind addr, or NULL; valid until the set changes.
 * With the end of one range it is the next one.
 */
const struct addr_range *ranges_first(const struct addr_ranges *s,
				      uint64_t addr);
/*
 * Start of the highest free range of len bytes in [floor, top), a multiple of
 * align, a power of two; 0 if there is none.
 */
uint64_t ranges_gap(const struct addr_ranges *s, uint64_t floor, uint64_t top,
		    uint64_t len, uint64_t align);

#endif
