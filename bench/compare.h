/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two sets of results, cell by cell. Counters of a seeded run are exact, so
 * they are compared for equality; a cell that only one side has makes the
 * whole not comparable. Cells are the same if their ids are, whatever the
 * variants are called and whichever model version or build of a plugin computed
 * them.
 *
 * Values that a threshold calls seeded or timed are left out of that: they are
 * compared over the seeds of a point, a variant with its values of the axes.
 */
#ifndef BENCH_COMPARE_H
#define BENCH_COMPARE_H

#include "bench/results.h"
#include "bench/table.h"
#include "bench/thresholds.h"
#include "sim/sim.h"

enum difference_kind {
	DIFF_TEXT,              /* digest */
	DIFF_COUNT,             /* counters, times, iterations */
	DIFF_METRIC,
};

/* One value that moved. A counter that one side lacks is 0 there. */
struct difference {
	enum difference_kind kind;
	const char *phase;      /* NULL: of the whole run */
	const char *name;
	const char *text_was, *text_is;
	uint64_t was, is;
	double metric_was, metric_is;
	bool allowed;           /* inside its threshold */
	bool over_seeds;        /* judged there, and allowed here */
};

struct compare_pair {
	const struct result_cell *base, *new;  /* one may be NULL */
	size_t nr_moved;        /* values outside their threshold */
	size_t nr_allowed;
};

enum seeds_verdict {
	SEEDS_FINE,             /* no change that counts */
	SEEDS_MOVED,
	SEEDS_TOO_FEW,          /* nothing can be said with so few cells */
	SEEDS_LACKING,          /* some cells of one side do not have it */
};

/* One value of a point over its seeds. */
struct seeds_value {
	const struct result_cell *cell; /* one of the point's, of NEW */
	const char *phase;      /* NULL: of the whole run */
	const char *name;
	const struct threshold *rule;
	struct stats_sample base, new;
	struct stats_summary was, is;
	struct stats_test test; /* of ranks; not if values are lacking */
	double delta;           /* Cliff's */
	enum seeds_verdict verdict;
};

enum compare_verdict {
	COMPARE_EQUAL,          /* or inside the thresholds */
	COMPARE_MOVED,
	COMPARE_NOT_COMPARABLE, /* cells are missing or too many, or too few
				 * for what is compared over seeds */
};

struct comparison {
	struct arena arena;
	const struct results *base, *new;
	const struct thresholds *thresholds;
	struct compare_pair *pairs;  /* order of NEW, then what it lacks */
	size_t nr_pairs;
	size_t nr_equal, nr_moved, nr_missing, nr_extra;
	bool by_point;               /* compare_make_by_point() */
	const struct sim_registry *registry; /* knows defaults; or NULL */
	size_t nr_rebuilt;           /* pairs of two builds of a plugin */
	size_t nr_grown;             /* pairs of which one side lacks options
				      * that are at their default */
	size_t nr_resettled;         /* pairs of other settings; by_point */
	struct seeds_value *seeds;   /* by point, phase, name */
	size_t nr_seeds, nr_seeds_moved, nr_seeds_unknown;
	enum compare_verdict verdict;
};

/*
 * Borrows both results and the thresholds (NULL = none). Given a registry, an
 * option that only one side has, as it is of another version, does not make
 * another cell if it is at its default. 0 or -ENOMEM.
 */
int compare_make(struct comparison *c, const struct results *base,
		 const struct results *new, const struct thresholds *t,
		 const struct sim_registry *registry);
/*
 * The same, but cells that have no partner take the one of their variant, axes
 * and seed, whatever its settings are: to say what moved, not to judge it.
 */
int compare_make_by_point(struct comparison *c, const struct results *base,
			  const struct results *new);
void compare_free(struct comparison *c);

/* Call fn for every value of the pair that moved, in a fixed order. */
typedef void (*difference_fn)(void *ctx, const struct difference *d);
void compare_visit(const struct comparison *c, const struct compare_pair *p,
		   difference_fn fn, void *ctx);

/* ---- what can be printed; each 0 or -errno ---- */

/* For people: at most a few values of each cell, and how many there are. */
int compare_print(const struct comparison *c, FILE *out);
/* Means before and after, and the counters that moved, in any format. */
int compare_print_table(const struct comparison *c, enum report_format f,
			FILE *out);
int compare_print_tap(const struct comparison *c, FILE *out);
int compare_print_junit(const struct comparison *c, FILE *out);
/* All of it as one JSON object: docs/ci.md. */
int compare_print_json(const struct comparison *c, FILE *out);
/* What moved, summed over cells, as the body of a commit message. */
int compare_print_commit(const struct comparison *c, FILE *out);
/* The same as a JSON object. */
int compare_print_commit_json(const struct comparison *c, FILE *out);
/* Lines that GitHub shows beside the baseline's, and a page in Markdown. */
int compare_print_annotations(const struct comparison *c, FILE *out);
int compare_print_summary(const struct comparison *c, FILE *out);

/*
 * Replace the file `path` by the cells of NEW, without host time and without
 * counters that are zero. 0 or -errno with a sentence in why.
 */
int baseline_write(const struct results *new, const char *path, char *why,
		   size_t why_size);

#endif
