/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to guest/: the queue of partly mapped huge pages. */
#ifndef GUEST_DEFERRED_SPLIT_H
#define GUEST_DEFERRED_SPLIT_H

#include "guest/internal.h"

/* The huge page is mapped by PTEs of this address space from now on. */
void deferred_split_mapped(struct guest *g, pfn_t huge, uint32_t mm,
			   uint64_t addr);
/* A PTE of it is gone. */
void deferred_split_add(struct guest *g, pfn_t piece);
/* Its last piece is freed. */
void deferred_split_forget(struct guest *g, pfn_t piece);
/* One call of the shrinker at this priority of reclaim. */
void deferred_split_shrink(struct run *r, int priority);
/* NULL, or what is wrong. */
const char *deferred_split_check(const struct guest *g);

#endif
