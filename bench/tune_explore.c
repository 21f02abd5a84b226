/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the search looks: first at points that lie far from each other, every
 * variant having its share, then beside the points that are in front. Values of
 * a key are in the order in which they were written, and the next one in it is
 * the neighbour.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench/tune_search.h"
#include "include/rng.h"

static size_t stand_in(const struct tune_search *s, size_t point)
{
	return s->space->stand_in ? s->space->stand_in[point] : point;
}

/* Where a point is in its family's grid. */
static void place_of(const struct tune_family *f, size_t point,
		     unsigned int *at)
{
	size_t rest = point - f->first;

	for (unsigned int i = f->nr_dims; i-- > 0;) {
		at[i] = (unsigned int)(rest % f->size[i]);
		rest /= f->size[i];
	}
}

/* Squared, every side of the grid being as long as any other. */
static double distance(const struct tune_family *f, const unsigned int *a,
		       const unsigned int *b)
{
	double sum = 0;

	for (unsigned int i = 0; i < f->nr_dims; i++) {
		const double x = f->size[i] < 2 ? 0 :
			((double)a[i] - b[i]) / (f->size[i] - 1);

		sum += x * x;
	}
	return sum;
}

/* A point that is as far from those chosen as any; of several, one by lot. */
static size_t farthest(const double *gap, size_t nr, struct rng *rng)
{
	uint32_t ties = 0;
	size_t best = 0;

	for (size_t i = 0; i < nr; i++) {
		if (gap[i] > gap[best] || !i) {
			best = i;
			ties = 1;
		} else if (!(gap[i] < gap[best]) && !rng_below(rng, ++ties)) {
			best = i;
		}
	}
	return best;
}

/* At an end of every key? What is best for one objective often is. */
static bool is_corner(const struct tune_family *f, const unsigned int *at)
{
	for (unsigned int i = 0; i < f->nr_dims; i++)
		if (at[i] && at[i] + 1 < f->size[i])
			return false;
	return true;
}

static size_t nr_corners(const struct tune_family *f)
{
	size_t nr = 1;

	for (unsigned int i = 0; i < f->nr_dims; i++)
		nr *= f->size[i] > 1 ? 2 : 1;
	return nr;
}

/* How far each point is from those chosen, when `next` is one of them. */
static void close_in(const struct tune_family *f, size_t next, double *gap)
{
	unsigned int at[TUNE_MAX_DIMS], other[TUNE_MAX_DIMS];

	place_of(f, f->first + next, at);
	for (size_t i = 0; i < f->nr; i++) {
		double d;

		place_of(f, f->first + i, other);
		d = distance(f, at, other);
		gap[i] = d < gap[i] ? d : gap[i];
	}
}

/* All corners, if there are so many points to choose, and then the middle. */
static int start_family(struct tune_search *s, const struct tune_family *f,
			size_t nr, struct rng *rng)
{
	const bool corners = nr_corners(f) <= nr;
	unsigned int at[TUNE_MAX_DIMS];
	double *gap = calloc(f->nr, sizeof(*gap));
	size_t next;

	if (!gap)
		return -ENOMEM;
	for (size_t i = 0; i < f->nr; i++)
		gap[i] = 1e9;
	for (size_t i = 0; i < f->nr && corners; i++) {
		place_of(f, f->first + i, at);
		if (!is_corner(f, at))
			continue;
		tune_ask(s, stand_in(s, f->first + i));
		close_in(f, i, gap);
		nr--;
	}
	next = corners ? farthest(gap, f->nr, rng) :
			 rng_below(rng, (uint32_t)f->nr);
	for (; nr && gap[next] > 0; nr--) {
		tune_ask(s, stand_in(s, f->first + next));
		close_in(f, next, gap);
		next = farthest(gap, f->nr, rng);
	}
	free(gap);
	return 0;
}

/* A fifth of a small grid; of a large one, some points a dimension. */
static size_t start_size(const struct tune_search *s,
			 const struct tune_family *f)
{
	const uint64_t share = s->rules.budget / 4 / s->space->nr_families;
	const size_t most = 8 * (size_t)f->nr_dims + 1;
	size_t nr = f->nr / 5 + 1;

	if (nr > most)
		nr = most;
	if (nr > share)
		nr = (size_t)share;
	return nr ? nr : 1;
}

int tune_start(struct tune_search *s)
{
	struct rng rng;
	int err = 0;

	rng_init(&rng, s->rules.seed, "tune", 0);
	for (size_t i = 0; i < s->space->nr_families && !err; i++) {
		const struct tune_family *f = &s->space->families[i];

		err = start_family(s, f, start_size(s, f), &rng);
	}
	return err;
}

static const struct tune_family *family_of(const struct tune_search *s,
					   size_t point)
{
	const struct tune_family *f = s->space->families;

	while (point >= f->first + f->nr)
		f++;
	return f;
}

static void ask_beside(struct tune_search *s, size_t point)
{
	const struct tune_family *f = family_of(s, point);
	unsigned int at[TUNE_MAX_DIMS];
	size_t stride = 1;

	place_of(f, point, at);
	for (unsigned int i = f->nr_dims; i-- > 0; stride *= f->size[i]) {
		if (at[i])
			tune_ask(s, stand_in(s, point - stride));
		if (at[i] + 1 < f->size[i])
			tune_ask(s, stand_in(s, point + stride));
	}
}

/* Nothing is tried that would take from the front the seeds it needs. */
void tune_neighbours(struct tune_search *s)
{
	const uint64_t left = s->rules.budget - s->used;
	const uint64_t kept = tune_front_needs(s);

	for (size_t i = 0; i < s->space->nr_points; i++)
		if (s->points[i].front)
			ask_beside(s, i);
	if (s->nr_asks + kept > left)
		tune_keep_asks(s, left > kept ? (size_t)(left - kept) : 0);
}
