/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of addresses as a sorted array of disjoint ranges that do not touch
 * each other; a process has few enough of them for memmove.
 */
#include "trace/ranges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void ranges_free(struct addr_ranges *s)
{
	free(s->v);
	*s = (struct addr_ranges){ 0 };
}

size_t ranges_find(const struct addr_ranges *s, uint64_t addr)
{
	size_t low = 0, high = s->nr;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (s->v[mid].end > addr)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static int grow(struct addr_ranges *s)
{
	const size_t capacity = s->capacity * 2 + 8;
	struct addr_range *v;

	if (s->nr < s->capacity)
		return 0;
	v = realloc(s->v, capacity * sizeof(*v));
	if (!v)
		return -ENOMEM;
	s->v = v;
	s->capacity = capacity;
	return 0;
}

/* Ranges [from, to) of the array make way for `nr` others, at most one more. */
static void replace(struct addr_ranges *s, size_t from, size_t to,
		    const struct addr_range *with, size_t nr)
{
	memmove(s->v + from + nr, s->v + to, (s->nr - to) * sizeof(*s->v));
	memcpy(s->v + from, with, nr * sizeof(*with));
	s->nr = s->nr - (to - from) + nr;
}

int ranges_add(struct addr_ranges *s, uint64_t start, uint64_t end)
{
	/* Neighbours that end or begin just there are joined. */
	const size_t from = ranges_find(s, start ? start - 1 : 0);
	struct addr_range all = { start, end };
	size_t to = from;

	if (start >= end)
		return 0;
	if (grow(s))
		return -ENOMEM;
	for (; to < s->nr && s->v[to].start <= end; to++) {
		if (s->v[to].start < all.start)
			all.start = s->v[to].start;
		if (s->v[to].end > all.end)
			all.end = s->v[to].end;
	}
	replace(s, from, to, &all, 1);
	return 0;
}

int ranges_del(struct addr_ranges *s, uint64_t start, uint64_t end)
{
	const size_t from = ranges_find(s, start);
	struct addr_range rest[2];
	size_t to = from, nr = 0;

	if (start >= end)
		return 0;
	if (grow(s))
		return -ENOMEM;
	for (; to < s->nr && s->v[to].start < end; to++) {
		if (s->v[to].start < start)
			rest[nr++] = (struct addr_range){ s->v[to].start,
							  start };
		if (s->v[to].end > end)
			rest[nr++] = (struct addr_range){ end, s->v[to].end };
	}
	if (to > from)
		replace(s, from, to, rest, nr);
	return 0;
}

bool ranges_cover(const struct addr_ranges *s, uint64_t start, uint64_t end)
{
	const size_t i = ranges_find(s, start);

	return i < s->nr && s->v[i].start <= start && end <= s->v[i].end;
}

bool ranges_overlap(const struct addr_ranges *s, uint64_t start, uint64_t end)
{
	const size_t i = ranges_find(s, start);

	return start < end && i < s->nr && s->v[i].start < end;
}

uint64_t ranges_gap(const struct addr_ranges *s, uint64_t floor, uint64_t top,
		    uint64_t len, uint64_t align)
{
	size_t i = ranges_find(s, top - 1);
	uint64_t end = i < s->nr && s->v[i].start < top ? s->v[i].start : top;

	for (;;) {
		const uint64_t low = i && s->v[i - 1].end > floor ?
				     s->v[i - 1].end : floor;
		const uint64_t at = end >= len ? (end - len) & ~(align - 1) : 0;

		if (at && at >= low)
			return at;
		if (!i || s->v[i - 1].start <= floor)
			return 0;
		end = s->v[--i].start;
	}
}
