/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Touches: how guest/ says that it accessed physical memory. guest/ appends,
 * sim/ drains in batches into the hypervisor. Order within the buffer is the
 * order of the accesses.
 */
#ifndef INCLUDE_TOUCH_H
#define INCLUDE_TOUCH_H

#include "include/types.h"

enum touch_kind {
	TOUCH_ZERO,  /* guest kernel clears the block before handing it out */
	TOUCH_READ,  /* data is read; contents matter */
	TOUCH_WRITE, /* data is written */
	TOUCH_TABLE, /* page-table page: zeroed and written by the guest kernel */
};

struct touch {
	pfn_t pfn;
	uint8_t order;
	uint8_t kind; /* enum touch_kind */
};

#define TOUCH_BUFFER_NR 1024

struct touch_buffer {
	uint32_t nr;
	struct touch entries[TOUCH_BUFFER_NR];
};

static inline void touch_add(struct touch_buffer *b, pfn_t pfn,
			     unsigned int order, enum touch_kind kind)
{
	b->entries[b->nr++] = (struct touch){ .pfn = pfn,
					      .order = (uint8_t)order,
					      .kind = (uint8_t)kind };
}

/* guest/ stops an operation while fewer than `nr` entries are left. */
static inline bool touch_room(const struct touch_buffer *b, uint32_t nr)
{
	return TOUCH_BUFFER_NR - b->nr >= nr;
}

#endif
