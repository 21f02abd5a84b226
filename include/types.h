/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The units that every folder shares: page frame numbers, orders and virtual
 * nanoseconds. Conversions between units go through the helpers below, so that
 * no file multiplies by 4096 on its own.
 */
#ifndef INCLUDE_TYPES_H
#define INCLUDE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Page frame number of a 4 KiB page; 32 bits reach 16 TiB of guest memory. */
typedef uint32_t pfn_t;
/* Virtual nanoseconds since the start of a run. Only sim/ creates them. */
typedef uint64_t sim_ns_t;

#define PFN_NONE UINT32_MAX

#define PAGE_SHIFT 12
#define PAGE_SIZE (UINT64_C(1) << PAGE_SHIFT)

/* Largest buddy order (inclusive, as spelled since 6.8) and number of orders. */
#define MAX_PAGE_ORDER 10
#define NR_PAGE_ORDERS (MAX_PAGE_ORDER + 1)

/* A region is an aligned 2 MiB piece: one PMD entry, one huge page. */
#define HPAGE_PMD_ORDER 9
#define HPAGE_PMD_NR (1u << HPAGE_PMD_ORDER)
#define HPAGE_PMD_SIZE ((uint64_t)HPAGE_PMD_NR << PAGE_SHIFT)

#define NSEC_PER_USEC UINT64_C(1000)
#define NSEC_PER_MSEC UINT64_C(1000000)
#define NSEC_PER_SEC UINT64_C(1000000000)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline uint64_t pages_to_bytes(uint64_t nr_pages)
{
	return nr_pages << PAGE_SHIFT;
}

static inline uint64_t bytes_to_pages(uint64_t bytes)
{
	return bytes >> PAGE_SHIFT;
}

static inline uint64_t pages_to_kib(uint64_t nr_pages)
{
	return nr_pages << (PAGE_SHIFT - 10);
}

static inline uint32_t order_nr_pages(unsigned int order)
{
	return 1u << order;
}

static inline pfn_t pfn_align_down(pfn_t pfn, unsigned int order)
{
	return pfn & ~(order_nr_pages(order) - 1);
}

static inline bool pfn_aligned(pfn_t pfn, unsigned int order)
{
	return (pfn & (order_nr_pages(order) - 1)) == 0;
}

static inline uint32_t pfn_region(pfn_t pfn)
{
	return pfn >> HPAGE_PMD_ORDER;
}

#endif
