/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The smaller, the larger, and what lies between; one name for each width. */
#ifndef INCLUDE_MINMAX_H
#define INCLUDE_MINMAX_H

#include <stdint.h>

static inline uint32_t min_u32(uint32_t x, uint32_t y)
{
	return x < y ? x : y;
}

static inline uint32_t max_u32(uint32_t x, uint32_t y)
{
	return x > y ? x : y;
}

/* The upper bound wins if the two contradict. */
static inline uint32_t clamp_u32(uint32_t value, uint32_t low, uint32_t high)
{
	return min_u32(max_u32(value, low), high);
}

static inline uint64_t min_u64(uint64_t x, uint64_t y)
{
	return x < y ? x : y;
}

static inline uint64_t max_u64(uint64_t x, uint64_t y)
{
	return x > y ? x : y;
}

#endif
