/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What mm/shuffle.c needs beside kernel/shim.h; every header that it includes
 * becomes this one, apart from mm/shuffle.h.
 */
#ifndef TESTS_KERNEL_SHUFFLE_SHIM_H
#define TESTS_KERNEL_SHUFFLE_SHIM_H

#include "kernel/shim.h"

#define CONFIG_SHUFFLE_PAGE_ALLOCATOR 1

#define MAX_NR_ZONES 6

typedef struct pglist_data {
	struct zone node_zones[MAX_NR_ZONES];
} pg_data_t;

struct page *pfn_to_online_page(unsigned long pfn);
void list_swap(struct list_head *one, struct list_head *two);
u64 get_random_u64(void);
#define get_random_long() ((unsigned long)get_random_u64())

#endif
