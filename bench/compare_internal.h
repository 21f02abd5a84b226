/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files that print a comparison. */
#ifndef BENCH_COMPARE_INTERNAL_H
#define BENCH_COMPARE_INTERNAL_H

#include <jansson.h>

#include "bench/compare.h"

/*
 * The texts live in the arena and are never NULL, however little memory is
 * left: "variant enabled, phase.measure.tasks=16, seed 2".
 */
const char *compare_cell_name(const struct result_cell *c, struct arena *a);
/*
 * compare_visit() for those who show only some: the digest, then what the design
 * counted itself, the host, and all else; of the whole run before its phases.
 */
void compare_visit_telling(const struct comparison *c,
			   const struct compare_pair *p, difference_fn fn,
			   void *ctx);
/* "phase measure: host.zeroed_pages 512 -> 1024 (+100.00 %)" */
void difference_text(const struct difference *d, char *out, size_t out_size);
/*
 * Why the other side lacks the cell: the options in which the cell of the same
 * variant, axes and seed differs there. "" if there is no such cell.
 */
const char *compare_missing_text(const struct comparison *c,
				 const struct compare_pair *p,
				 struct arena *a);
/* Variant and axes, whatever the seed is. */
bool compare_same_point(const struct result_cell *a,
			const struct result_cell *b);
/* Options in which two cells differ, "guest.cpus 2 -> 4, ..."; "" if none. */
const char *compare_settings_text(const struct result_cell *base,
				  const struct result_cell *new,
				  struct arena *a);
/* "buddylab run-cell ... --cell ID" */
const char *compare_repeat_text(const struct comparison *c,
				const struct compare_pair *p,
				struct arena *a);
/* "the baseline is of model 1, the new cells are of model 2", or NULL. */
const char *compare_model_text(const struct comparison *c, struct arena *a);

/* Judge what is compared over seeds. 0 or -ENOMEM. */
int compare_over_seeds(struct comparison *c);
/* "variant enabled, phase.measure.tasks=16, 5 seeds" */
const char *seeds_point_name(const struct seeds_value *v, struct arena *a);
/* "metric.x median 5 -> 4 (-20.00 %), p 0.008, ...: why it is no pass" */
const char *seeds_text(const struct seeds_value *v, struct arena *a);
/* "buddylab run ... --only VARIANT" */
const char *seeds_repeat_text(const struct comparison *c,
			      const struct seeds_value *v, struct arena *a);
/* Change of the median in percent; false if it was 0. */
bool seeds_change(const struct seeds_value *v, double *percent);
/* "1 value", "2 values" */
const char *counted(struct arena *a, size_t nr, const char *what);

/* Print o with all that is to be said in it; it is given back. */
int compare_add_json(const struct comparison *c, json_t *o, FILE *out);

/* 0 or -EIO. */
int compare_finished(FILE *out);
/* "equal", "moved", "not comparable" */
extern const char *const compare_verdict_names[];

/* A counter's sum over all cells of both sides, in which it may have moved. */
struct moved_counter {
	const char *name;
	double was, is;
	size_t nr_cells;
};
/* Those that moved in the whole run of some cell, sorted by name. */
int compare_moved_counters(const struct comparison *c, struct arena *a,
			   const struct moved_counter **out, size_t *nr);

/* compare_defaults.c: is the cell's option at its default? Not known: no. */
bool compare_is_default(const struct sim_registry *registry,
			const struct result_cell *c,
			const struct result_text *option);

#endif
