/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of addresses as disjoint ranges that do not touch each other, sorted,
 * in chunks: a file can make a process of a million of them, and one array
 * would move half of that for each.
 */
#include "trace/ranges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/check.h"

#define CHUNK_RANGES 128u

struct addr_chunk {
	size_t nr;
	struct addr_range v[CHUNK_RANGES];
};

/* A range by where it stands; behind the last one, chunk is nr_chunks. */
struct place {
	size_t chunk, at;
};

void ranges_free(struct addr_ranges *s)
{
	for (size_t i = 0; i < s->nr_chunks; i++)
		free(s->chunks[i]);
	free(s->chunks);
	*s = (struct addr_ranges){ 0 };
}

static struct addr_range *get(const struct addr_ranges *s, struct place p)
{
	return p.chunk < s->nr_chunks ? &s->chunks[p.chunk]->v[p.at] : NULL;
}

/* The first range that ends behind addr. */
static struct place find(const struct addr_ranges *s, uint64_t addr)
{
	size_t low = 0, high = s->nr_chunks;
	struct place p = { 0, 0 };

	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		const struct addr_chunk *c = s->chunks[mid];

		if (c->v[c->nr - 1].end > addr)
			high = mid;
		else
			low = mid + 1;
	}
	p.chunk = low;
	if (low == s->nr_chunks)
		return p;
	for (low = 0, high = s->chunks[p.chunk]->nr; low < high;) {
		const size_t mid = low + (high - low) / 2;

		if (s->chunks[p.chunk]->v[mid].end > addr)
			high = mid;
		else
			low = mid + 1;
	}
	p.at = low;
	return p;
}

static struct place next(const struct addr_ranges *s, struct place p)
{
	if (++p.at < s->chunks[p.chunk]->nr)
		return p;
	return (struct place){ p.chunk + 1, 0 };
}

/* False: there is none before it. */
static bool previous(const struct addr_ranges *s, struct place *p)
{
	if (!p->at && !p->chunk)
		return false;
	if (!p->at)
		p->at = s->chunks[--p->chunk]->nr;
	p->at--;
	return true;
}

/* An empty chunk in place i. */
static int add_chunk(struct addr_ranges *s, size_t i)
{
	struct addr_chunk **chunks, *c;

	if (s->nr_chunks == s->room) {
		const size_t room = s->room * 2 + 1;

		chunks = realloc(s->chunks, room * sizeof(*chunks));
		if (!chunks)
			return -ENOMEM;
		s->chunks = chunks;
		s->room = room;
	}
	c = malloc(sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->nr = 0;
	memmove(s->chunks + i + 1, s->chunks + i,
		(s->nr_chunks - i) * sizeof(*s->chunks));
	s->chunks[i] = c;
	s->nr_chunks++;
	return 0;
}

/* The upper half of a full chunk becomes one of its own. */
static int split(struct addr_ranges *s, struct place *p)
{
	const size_t half = CHUNK_RANGES / 2;
	struct addr_chunk *low, *high;

	if (add_chunk(s, p->chunk + 1))
		return -ENOMEM;
	low = s->chunks[p->chunk];
	high = s->chunks[p->chunk + 1];
	memcpy(high->v, low->v + half, half * sizeof(*low->v));
	low->nr = high->nr = half;
	if (p->at > half) {
		p->chunk++;
		p->at -= half;
	}
	return 0;
}

/* 0, or -ENOMEM and nothing has changed. */
static int insert(struct addr_ranges *s, struct place p, struct addr_range r)
{
	struct addr_chunk *c;

	if (!s->nr_chunks && add_chunk(s, 0))
		return -ENOMEM;
	if (p.chunk == s->nr_chunks) {
		p.chunk--;
		p.at = s->chunks[p.chunk]->nr;
	}
	if (s->chunks[p.chunk]->nr == CHUNK_RANGES && split(s, &p))
		return -ENOMEM;
	c = s->chunks[p.chunk];
	memmove(c->v + p.at + 1, c->v + p.at, (c->nr - p.at) * sizeof(*c->v));
	c->v[p.at] = r;
	c->nr++;
	s->nr++;
	return 0;
}

/* The place of the range behind it. */
static struct place erase(struct addr_ranges *s, struct place p)
{
	struct addr_chunk *c = s->chunks[p.chunk];

	s->nr--;
	c->nr--;
	memmove(c->v + p.at, c->v + p.at + 1, (c->nr - p.at) * sizeof(*c->v));
	if (c->nr && p.at < c->nr)
		return p;
	if (c->nr)
		return (struct place){ p.chunk + 1, 0 };
	free(c);
	s->nr_chunks--;
	memmove(s->chunks + p.chunk, s->chunks + p.chunk + 1,
		(s->nr_chunks - p.chunk) * sizeof(*s->chunks));
	return (struct place){ p.chunk, 0 };
}

int ranges_add(struct addr_ranges *s, uint64_t start, uint64_t end)
{
	/* Neighbours that end or begin just there are joined. */
	const struct place at = find(s, start ? start - 1 : 0);
	struct addr_range *r = get(s, at), *other;
	struct place p;

	if (start >= end)
		return 0;
	if (!r || r->start > end)
		return insert(s, at, (struct addr_range){ start, end });
	if (start < r->start)
		r->start = start;
	for (p = next(s, at); (other = get(s, p)) && other->start <= end;) {
		r->end = other->end;
		p = erase(s, p);
	}
	if (end > r->end)
		r->end = end;
	return 0;
}

int ranges_del(struct addr_ranges *s, uint64_t start, uint64_t end)
{
	struct place p = find(s, start);
	struct addr_range *r = get(s, p);

	if (start >= end || !r)
		return 0;
	if (r->start < start && r->end > end) {
		const struct addr_range rest = { end, r->end };

		if (insert(s, next(s, p), rest))
			return -ENOMEM;
		/* It may have moved, but is still there. */
		r = get(s, find(s, start));
		CHECK(r);
		r->end = start;
		return 0;
	}
	if (r->start < start) {
		r->end = start;
		p = next(s, p);
	}
	while ((r = get(s, p)) && r->end <= end)
		p = erase(s, p);
	if (r && r->start < end)
		r->start = end;
	return 0;
}

const struct addr_range *ranges_first(const struct addr_ranges *s,
				      uint64_t addr)
{
	return get(s, find(s, addr));
}

bool ranges_cover(const struct addr_ranges *s, uint64_t start, uint64_t end)
{
	const struct addr_range *r = ranges_first(s, start);

	return r && r->start <= start && end <= r->end;
}

bool ranges_overlap(const struct addr_ranges *s, uint64_t start, uint64_t end)
{
	const struct addr_range *r = ranges_first(s, start);

	return start < end && r && r->start < end;
}

uint64_t ranges_gap(const struct addr_ranges *s, uint64_t floor, uint64_t top,
		    uint64_t len, uint64_t align)
{
	struct place p = find(s, top - 1);
	const struct addr_range *r = get(s, p);
	uint64_t end = r && r->start < top ? r->start : top;

	for (;;) {
		const bool more = previous(s, &p);
		uint64_t low = floor, at;

		r = more ? get(s, p) : NULL;
		if (r && r->end > floor)
			low = r->end;
		at = end >= len ? (end - len) & ~(align - 1) : 0;
		if (at && at >= low)
			return at;
		if (!r || r->start <= floor)
			return 0;
		end = r->start;
	}
}
