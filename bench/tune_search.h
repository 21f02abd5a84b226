/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The search behind `buddylab tune`, without any simulation in it: points on a
 * grid, a function that measures them, and the points that no other beats in
 * all objectives. docs/tune.md says what it promises.
 */
#ifndef BENCH_TUNE_SEARCH_H
#define BENCH_TUNE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TUNE_MAX_OBJECTIVES 4
#define TUNE_MAX_DIMS 16
/* Equal numbers for so many seeds make two points one. */
#define TUNE_SAME_SEEDS 3

/* Points that have the same keys: a grid, its last dimension fastest. */
struct tune_family {
	size_t first, nr;
	unsigned int nr_dims;
	unsigned int size[TUNE_MAX_DIMS];
};

struct tune_space {
	const struct tune_family *families;
	size_t nr_families, nr_points;
	/* The point that is run in place of this one; NULL = itself. */
	const size_t *stand_in;
	unsigned int nr_seeds, nr_objectives;
	bool smaller[TUNE_MAX_OBJECTIVES]; /* is better */
};

enum tune_verdict { TUNE_MEASURED, TUNE_UNMET, TUNE_NO_VALUE, TUNE_FAILED };

/* One cell: asked for by the search, answered by whoever measures. */
struct tune_ask {
	size_t point;
	unsigned int seed;        /* index */
	enum tune_verdict verdict;
	double value[TUNE_MAX_OBJECTIVES];
};

/* 0 or -errno, which ends the search. */
typedef int (*tune_measure_fn)(void *ctx, struct tune_ask *asks, size_t nr);

struct tune_rules {
	uint64_t budget;          /* cells */
	uint64_t seed;            /* of the choices the search makes */
	double level;             /* of confidence, above 0.5 and below 1 */
	bool everything;          /* no search: all points, all seeds */
};

enum tune_state {
	TUNE_UNTRIED,
	TUNE_ALIVE,               /* in the front, or nobody can tell yet */
	TUNE_DOMINATED,           /* with confidence */
	TUNE_SAME,                /* the same numbers as another point's */
	TUNE_OUT,                 /* a requirement, a missing value, a failure */
};

struct tune_point {
	enum tune_state state;
	enum tune_verdict verdict;
	unsigned int nr;          /* seeds measured */
	double *value;            /* [nr_seeds][nr_objectives], more is better */
	size_t like;              /* TUNE_SAME: whose numbers */
	bool front;               /* nobody's means beat it */
};

struct tune_search {
	const struct tune_space *space;
	struct tune_rules rules;
	tune_measure_fn measure;
	void *ctx;
	struct tune_point *points;
	double *critical;         /* [nr_seeds + 1], one-sided */
	uint64_t used;            /* cells */
	bool decided;             /* the budget did not end it */
	struct tune_ask *asks;
	size_t nr_asks;
};

/* The least budget that the space can be searched with. */
uint64_t tune_least_budget(const struct tune_space *space);
/* 0, -ENOMEM or -EINVAL; tune_search_free() may follow in any case. */
int tune_search_init(struct tune_search *s, const struct tune_space *space,
		     const struct tune_rules *rules, tune_measure_fn measure,
		     void *ctx);
/* 0, or what `measure` said; the points are those that are known by then. */
int tune_search_run(struct tune_search *s);
void tune_search_free(struct tune_search *s);

/* How a stands to b, over the seeds that both have. */
struct tune_against {
	unsigned int nr;
	bool equal;               /* in every number */
	bool beats;               /* a's means are nowhere worse, once better */
	bool surely_beats;        /* the same with confidence */
	bool surely_unbeaten;     /* b does not beat a, with confidence */
};

struct tune_against tune_compare(const struct tune_search *s, size_t a,
				 size_t b);
/*
 * Mean of an objective, more is better, and half the length of the interval of
 * what tells the point from the front: the spread over seeds without what a seed
 * does to all of the front.
 */
double tune_mean(const struct tune_search *s, size_t point,
		 unsigned int objective);
double tune_margin(const struct tune_search *s, size_t point,
		   unsigned int objective);
/* t that Student's distribution exceeds with probability 1 - level. */
double tune_critical(double level, unsigned int df);

/* ---- between the files that make it up ---- */

/* Points to begin with, spread over the space: asked for. */
int tune_start(struct tune_search *s);
/* Untried neighbours of the front: asked for. */
void tune_neighbours(struct tune_search *s);
/* Another seed for those that are not decided: asked for. */
void tune_more_seeds(struct tune_search *s);
/* One more cell, if the point is not asked for yet. */
void tune_ask(struct tune_search *s, size_t point);
/* The first so many; a point that is asked for the first time is untried again. */
void tune_keep_asks(struct tune_search *s, size_t nr);
/* Cells that the front needs for all of its seeds. */
uint64_t tune_front_needs(const struct tune_search *s);

#endif
