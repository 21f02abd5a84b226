/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two streams compared in two steps. First calls are aligned by what they are:
 * operation, order, type and class. That says which allocation corresponds to
 * which, and so which free to which: the free of the corresponding page. Then
 * the longest sequence of corresponding calls that has the same order in both
 * streams is what is matched; a free that both have, but at another place
 * among the others, is not.
 */
#include <errno.h>
#include <stdlib.h>

#include "replay/stream_internal.h"

/* A stretch of so many matched calls in a row begins and ends the window. */
#define ANCHOR 8

uint16_t stream_token(const struct stream_call *c)
{
	_Static_assert(STREAM_NR_CLASSES <= 16, "a class has four bits");
	return (uint16_t)(c->cls | (c->mt & 7) << 4 | (c->order & 15) << 7 |
			  c->is_free << 11 | c->failed << 12);
}

static uint16_t *tokens(const struct stream *s)
{
	uint16_t *t = malloc((s->nr + (size_t)1) * sizeof(*t));

	for (uint32_t i = 0; t && i < s->nr; i++)
		t[i] = stream_token(&s->calls[i]);
	return t;
}

/*
 * In a run of equal calls any of them may be the one without a mate. Let it be
 * the first ones: a program has pages of its own before it starts its work.
 */
static void surplus_first(const uint16_t *t, uint32_t nr, uint32_t *mate)
{
	uint32_t first, end, i, to;

	for (first = 0; first < nr; first = end) {
		for (end = first + 1; end < nr && t[end] == t[first];)
			end++;
		for (i = to = end; i > first; i--)
			if (mate[i - 1] != STREAM_NONE)
				mate[--to] = mate[i - 1];
		while (to > first)
			mate[--to] = STREAM_NONE;
	}
}

/* inverse[mate[i]] := i */
static void invert(const uint32_t *mate, uint32_t nr, uint32_t *inverse,
		   uint32_t nr_inverse)
{
	for (uint32_t i = 0; i < nr_inverse; i++)
		inverse[i] = STREAM_NONE;
	for (uint32_t i = 0; i < nr; i++)
		if (mate[i] != STREAM_NONE)
			inverse[mate[i]] = i;
}

/* Step one; and the frees follow their allocations. */
static int correspond(struct stream_diff *d)
{
	const uint32_t nr = d->recorded->nr, nr_ours = d->ours->nr;
	uint16_t *a = tokens(d->recorded), *b = tokens(d->ours);
	const struct stream_call *theirs = d->recorded->calls;
	int ret = -ENOMEM;

	if (a && b)
		ret = stream_align(a, nr, b, nr_ours, d->mate, &d->exact);
	if (!ret) {
		surplus_first(a, nr, d->mate);
		invert(d->mate, nr, d->mate_ours, nr_ours);
		surplus_first(b, nr_ours, d->mate_ours);
		invert(d->mate_ours, nr_ours, d->mate, nr);
	}
	free(a);
	free(b);
	if (ret)
		return ret;
	for (uint32_t i = 0; i < nr; i++) {
		uint32_t page;

		if (!theirs[i].is_free || theirs[i].other == STREAM_NONE)
			continue;
		page = d->mate[theirs[i].other];
		d->mate[i] = page == STREAM_NONE ? STREAM_NONE :
						   d->ours->calls[page].other;
	}
	return 0;
}

/* Longest ascending sequence of mate[]: ends[k] is the end of one of k + 1. */
struct ascent {
	uint32_t *ends, *before;
	uint32_t nr;
};

static void ascend(struct ascent *s, const uint32_t *mate, uint32_t i)
{
	uint32_t low = 0, high = s->nr;

	while (low < high) {
		const uint32_t mid = low + (high - low) / 2;

		if (mate[s->ends[mid]] < mate[i])
			low = mid + 1;
		else
			high = mid;
	}
	s->before[i] = low ? s->ends[low - 1] : STREAM_NONE;
	s->ends[low] = i;
	if (low == s->nr)
		s->nr++;
}

/* Step two: what is out of order loses its mate and counts as moved. */
static int keep_ascending(struct stream_diff *d)
{
	const uint32_t nr = d->recorded->nr;
	struct ascent s = { .nr = 0 };
	uint32_t i, keep;

	s.ends = malloc((nr + (size_t)1) * sizeof(*s.ends));
	s.before = malloc((nr + (size_t)1) * sizeof(*s.before));
	if (!s.ends || !s.before) {
		free(s.ends);
		free(s.before);
		return -ENOMEM;
	}
	for (i = 0; i < nr; i++)
		if (d->mate[i] != STREAM_NONE)
			ascend(&s, d->mate, i);
	keep = s.nr ? s.ends[s.nr - 1] : STREAM_NONE;
	for (i = nr; i-- > 0;) {
		if (i == keep) {
			keep = s.before[i];
		} else if (d->mate[i] != STREAM_NONE) {
			d->mate[i] = STREAM_NONE;
			d->moved++;
		}
	}
	d->matched_all = s.nr;
	invert(d->mate, nr, d->mate_ours, d->ours->nr);
	free(s.ends);
	free(s.before);
	return 0;
}

static bool follows(const struct stream_diff *d, uint32_t i)
{
	return i > 0 && d->mate[i] != STREAM_NONE &&
	       d->mate[i - 1] != STREAM_NONE &&
	       d->mate[i - 1] + 1 == d->mate[i];
}

/* From the begin of the first anchor to the end of the last. */
static void find_window(struct stream_diff *d)
{
	uint32_t run = 0, first = STREAM_NONE, last = 0;

	for (uint32_t i = 0; i < d->recorded->nr; i++) {
		run = follows(d, i) ? run + 1 : d->mate[i] != STREAM_NONE;
		if (run < ANCHOR)
			continue;
		if (first == STREAM_NONE)
			first = i + 1 - ANCHOR;
		last = i;
	}
	if (first == STREAM_NONE)
		return;
	d->first = first;
	d->end = last + 1;
	d->first_ours = d->mate[first];
	d->end_ours = d->mate[last] + 1;
}

static struct stream_count *count_of(struct stream_diff *d,
				     const struct stream_call *c)
{
	return c->is_free ? &d->frees[c->cls] : &d->allocs[c->cls];
}

static void count_window(struct stream_diff *d)
{
	for (uint32_t i = d->first; i < d->end; i++) {
		const struct stream_call *c = &d->recorded->calls[i];

		count_of(d, c)->recorded++;
		if (d->mate[i] == STREAM_NONE)
			continue;
		count_of(d, c)->matched++;
		d->matched++;
		d->gfp_differs += c->gfp != d->ours->calls[d->mate[i]].gfp;
	}
	for (uint32_t i = d->first_ours; i < d->end_ours; i++)
		count_of(d, &d->ours->calls[i])->ours++;
}

int stream_diff(struct stream_diff *d, const struct stream *recorded,
		const struct stream *ours)
{
	int ret;

	*d = (struct stream_diff){
		.recorded = recorded, .ours = ours,
		.end = recorded->nr, .end_ours = ours->nr,
	};
	d->mate = malloc((recorded->nr + (size_t)1) * sizeof(*d->mate));
	d->mate_ours = malloc((ours->nr + (size_t)1) * sizeof(*d->mate_ours));
	if (!d->mate || !d->mate_ours)
		return -ENOMEM;
	ret = correspond(d);
	if (!ret)
		ret = keep_ascending(d);
	if (ret)
		return ret;
	find_window(d);
	count_window(d);
	return 0;
}

void stream_diff_free(struct stream_diff *d)
{
	free(d->mate);
	free(d->mate_ours);
	d->mate = d->mate_ours = NULL;
}

uint32_t stream_similarity(const struct stream_diff *d, bool all)
{
	const uint64_t both = all ?
		(uint64_t)d->recorded->nr + d->ours->nr :
		(uint64_t)(d->end - d->first) + (d->end_ours - d->first_ours);
	const uint64_t matched = all ? d->matched_all : d->matched;

	return both ? (uint32_t)(2 * matched * 1000000 / both) : 1000000;
}

#define PAGES_PER_RANGE 512

/* Pages got in a row, up to the next free or gather page. */
struct stretch {
	uint32_t pages, since_table;
};

static void stretch_end(struct stretch *t, uint32_t *votes)
{
	if (t->pages >= PAGES_PER_RANGE)
		votes[t->since_table % PAGES_PER_RANGE]++;
	*t = (struct stretch){ 0, 0 };
}

/*
 * Where in their 2 MiB range mappings end, by the page-table pages of their
 * faults; STREAM_NONE: there is none of a range or more.
 */
static uint32_t range_end(const struct stream *s)
{
	uint32_t votes[PAGES_PER_RANGE] = { 0 }, best = 0;
	struct stretch t = { 0, 0 };

	for (uint32_t i = 0; i < s->nr; i++) {
		const struct stream_call *c = &s->calls[i];

		if (c->is_free || c->cls == STREAM_GATHER) {
			stretch_end(&t, votes);
		} else if ((c->cls == STREAM_ANON || c->cls == STREAM_COPY) &&
			   c->order == 0) {
			t.pages++;
			t.since_table++;
		} else if (c->cls == STREAM_TABLE) {
			t.since_table = 0;
		}
	}
	stretch_end(&t, votes);
	for (uint32_t i = 1; i < PAGES_PER_RANGE; i++)
		if (votes[i] > votes[best])
			best = i;
	return votes[best] ? best : STREAM_NONE;
}

uint32_t stream_range_shift(const struct stream *recorded,
			    const struct stream *ours)
{
	const uint32_t theirs = range_end(recorded), own = range_end(ours);

	if (theirs == STREAM_NONE || own == STREAM_NONE)
		return 0;
	return (theirs - own) % PAGES_PER_RANGE;
}

/*
 * An exit frees in arrays, and inside an array in reverse order up to 6.1. The
 * program's own pages, which come first, shift the borders of all arrays; ours
 * begin with so many pages that the recording has at another place.
 */
uint32_t stream_image_pages(const struct stream_diff *d)
{
	const struct stream_call *ours = d->ours->calls;
	uint32_t j, nr = 0;

	/* Behind the last gather page: the arrays of the last unmap. */
	for (j = d->ours->nr; j > 0; j--)
		if (!ours[j - 1].is_free && ours[j - 1].cls == STREAM_GATHER)
			break;
	for (; j > 0 && j < d->ours->nr; j++, nr++)
		if (d->mate_ours[j] != STREAM_NONE ||
		    ours[j].cls != STREAM_ANON)
			return nr;
	return 0;
}
