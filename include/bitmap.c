/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranges of a bitmap, a word at a time. Models nothing of the kernel; the
 * bit order inside a word is of no importance to any caller.
 */
#include "include/bitmap.h"

/* The first nr bits of a word; nr is 1 to 64. */
static uint64_t low_bits(size_t nr)
{
	return UINT64_MAX >> (64 - nr);
}

/* Of a range of nr bits from `start`: how many lie in its first word. */
static size_t bits_in_first(size_t start, size_t nr)
{
	const size_t room = 64 - start % 64;

	return nr < room ? nr : room;
}

void bitmap_set_range(uint64_t *map, size_t start, size_t nr)
{
	uint64_t *w = &map[start / 64];

	if (start % 64 && nr) {
		const size_t n = bits_in_first(start, nr);

		*w++ |= low_bits(n) << (start % 64);
		nr -= n;
	}
	for (; nr >= 64; nr -= 64)
		*w++ = UINT64_MAX;
	if (nr)
		*w |= low_bits(nr);
}

void bitmap_clear_range(uint64_t *map, size_t start, size_t nr)
{
	uint64_t *w = &map[start / 64];

	if (start % 64 && nr) {
		const size_t n = bits_in_first(start, nr);

		*w++ &= ~(low_bits(n) << (start % 64));
		nr -= n;
	}
	for (; nr >= 64; nr -= 64)
		*w++ = 0;
	if (nr)
		*w &= ~low_bits(nr);
}

size_t bitmap_count_range(const uint64_t *map, size_t start, size_t nr)
{
	size_t count = 0;

	while (nr) {
		const size_t n = bits_in_first(start, nr);
		const uint64_t bits = map[start / 64] >> (start % 64);

		count += (size_t)__builtin_popcountll(bits & low_bits(n));
		start += n;
		nr -= n;
	}
	return count;
}
