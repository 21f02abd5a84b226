/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Do runs that are compared with each other last equally long? Memory summed up
 * over time (figures footprint and tradeoff) is more for who takes longer: a
 * variant that waits for its reporter would seem to hold more than one without.
 */
#include <unistd.h>

#include "bench/figure_internal.h"

/* What is shorter or longer by less is said by the lines over the seeds. */
#define PERCENT_UNEVEN 5

struct span {
	sim_ns_t shortest, longest;
};

/* The mean of its seeds: every variant has the same ones. */
static void add_row(const struct group_row *row, size_t group, struct span *s)
{
	const size_t nr = row->slots[group].nr;
	sim_ns_t ns = 0;

	for (size_t i = 0; i < nr; i++)
		ns += row->slots[group].cells[i]->virtual_ns / nr;
	if (nr && (!s->longest || ns < s->shortest))
		s->shortest = ns;
	if (ns > s->longest)
		s->longest = ns;
}

static bool uneven(const struct span *s)
{
	return (s->longest - s->shortest) * 100 > s->longest * PERCENT_UNEVEN;
}

/* The variants of one point; points may differ from each other. */
static struct span span_at(const struct figure *f, const struct group_row *ref,
			   size_t group)
{
	struct span s = { 0 };

	for (size_t r = 0; r < f->g.nr_rows; r++)
		if (grouping_reference(&f->g, &f->g.rows[r]) == ref)
			add_row(&f->g.rows[r], group, &s);
	return s;
}

/* Without samples there is nothing to sum up. */
static bool sampled(const struct figure *f, const struct group_row *row,
		    size_t group)
{
	char path[FIGURE_PATH_SIZE];

	if (!row->slots[group].nr)
		return false;
	results_series_path(f->r, row->slots[group].cells[0], path,
			    sizeof(path));
	return !access(path, F_OK);
}

bool figure_lengths_differ(const struct figure *f, double *shortest_s,
			   double *longest_s)
{
	for (size_t i = 0; i < f->g.nr_groups; i++)
		for (size_t r = 0; r < f->g.nr_rows; r++) {
			const struct group_row *row = &f->g.rows[r];
			struct span s;

			if (grouping_reference(&f->g, row) != row)
				continue;
			s = span_at(f, row, i);
			if (!uneven(&s) || !sampled(f, row, i))
				continue;
			*shortest_s = (double)s.shortest / 1e9;
			*longest_s = (double)s.longest / 1e9;
			return true;
		}
	return false;
}
