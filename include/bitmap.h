/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plain bitmaps of 64-bit words; the caller owns the words. */
#ifndef INCLUDE_BITMAP_H
#define INCLUDE_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BITMAP_WORDS(nr_bits) (((size_t)(nr_bits) + 63) / 64)

static inline bool bitmap_test(const uint64_t *map, size_t bit)
{
	return (map[bit / 64] >> (bit % 64)) & 1;
}

static inline void bitmap_set(uint64_t *map, size_t bit)
{
	map[bit / 64] |= UINT64_C(1) << (bit % 64);
}

static inline void bitmap_clear(uint64_t *map, size_t bit)
{
	map[bit / 64] &= ~(UINT64_C(1) << (bit % 64));
}

/* Set, clear or count `nr` bits from `start`. */
void bitmap_set_range(uint64_t *map, size_t start, size_t nr);
void bitmap_clear_range(uint64_t *map, size_t start, size_t nr);
size_t bitmap_count_range(const uint64_t *map, size_t start, size_t nr);

#endif
