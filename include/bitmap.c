/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranges of a bitmap, a word at a time. Models nothing of the kernel; the
 * bit order inside a word is of no importance to any caller.
 */
#include "include/bitmap.h"

/* Bits of word `word` that lie in [start, end), as a mask. */
static uint64_t range_mask(size_t word, size_t start, size_t end)
{
	uint64_t mask = UINT64_MAX;

	if (word == start / 64)
		mask &= UINT64_MAX << (start % 64);
	if (word == end / 64)
		mask &= ~(UINT64_MAX << (end % 64));
	return mask;
}

void bitmap_set_range(uint64_t *map, size_t start, size_t nr)
{
	const size_t end = start + nr;

	for (size_t w = start / 64; w < BITMAP_WORDS(end); w++)
		map[w] |= range_mask(w, start, end);
}

void bitmap_clear_range(uint64_t *map, size_t start, size_t nr)
{
	const size_t end = start + nr;

	for (size_t w = start / 64; w < BITMAP_WORDS(end); w++)
		map[w] &= ~range_mask(w, start, end);
}

size_t bitmap_count_range(const uint64_t *map, size_t start, size_t nr)
{
	const size_t end = start + nr;
	size_t count = 0;

	for (size_t w = start / 64; w < BITMAP_WORDS(end); w++)
		count += (size_t)__builtin_popcountll(
			map[w] & range_mask(w, start, end));
	return count;
}
