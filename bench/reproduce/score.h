/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Published values beside predictions, and a verdict for each. A miss is said to
 * be one; docs/reproduce.md names its candidate causes.
 */
#ifndef BENCH_REPRODUCE_SCORE_H
#define BENCH_REPRODUCE_SCORE_H

#include "bench/reproduce/predict.h"

/* How a row is judged. */
enum judge {
	JUDGE_SHOWN,      /* not at all: its own spread is as large */
	JUDGE_CALIBRATED, /* not at all: prices were solved from it */
	JUDGE_INTERVAL,   /* published inside of the predicted interval */
	JUDGE_BAND,       /* no further away than `band`, in its unit */
	JUDGE_BAND_SHARE, /* ... than `band` percent of the published value */
	JUDGE_RANGE,      /* inside [low, high]: quartiles over seeds, or, where
			   * prices are in doubt, the mean */
	JUDGE_EXACT,      /* the same number */
};

/* [row NAME]; the name is that of a quantity. */
struct published_row {
	const char *name, *title;
	struct ini_place at;
	bool has_value;
	double value, spread;     /* spread 0: not published */
	enum judge judge;
	double band, low, high;
};

/* [order NAME]: rows, greatest first. */
struct published_order {
	const char *name;
	const char **rows;
	size_t nr;
	struct ini_place at;
};

struct published {
	struct arena arena;
	struct ini ini;
	const char *source, *calibrated, *note;
	struct published_row *rows;
	size_t nr_rows;
	struct published_order *orders;
	size_t nr_orders;
};

/* 0; -EINVAL with messages in d; -ENOMEM. published_free() in any case. */
int published_read(struct published *p, const char *dir, const char *name,
		   struct diag *d);
void published_free(struct published *p);

enum verdict { VERDICT_NONE, VERDICT_HIT, VERDICT_MISS };

struct scored_row {
	const struct published_row *published;
	const struct predicted *predicted;
	enum verdict verdict;
};

struct scored_order {
	const struct published_order *order;
	enum verdict verdict;
};

/*
 * Over the rows judged by interval, the root of the mean of squared distances
 * from the published value: of the model, of "no effect at all", and of the one
 * constant that fits best, which unlike the model has seen what was published.
 */
struct score_models {
	size_t nr;                /* rows; below 2 there is nothing to say */
	double model, zero, constant;
	enum verdict verdict;     /* better than both */
};

struct score {
	const struct prediction *prediction;
	const struct published *published;
	struct scored_row *rows;
	size_t nr_rows;
	struct scored_order *orders;
	size_t nr_orders;
	struct score_models models;
	size_t nr_hits, nr_misses;  /* of everything that is judged */
};

/* In the published file's arena. 0; -EINVAL: a row that is not predicted. */
int score(const struct prediction *prediction, struct published *published,
	  struct score *out, struct diag *d);

/* "interval", "within 1.00", "calibrated": how the row is judged. */
void score_judge_text(const struct scored_row *r, char *out, size_t out_size);

enum reproduce_format {
	REPRODUCE_TABLE, REPRODUCE_MD, REPRODUCE_JSON, REPRODUCE_SUMMARY
};
extern const char *const reproduce_format_names[];

/* Text and Markdown: one claim after another. JSON: one object per claim, which
 * the caller puts into a list. Summary: rows of the one Markdown table of all
 * claims, whose head the caller prints. 0 or -ENOMEM. */
int score_print(const struct score *s, enum reproduce_format format, FILE *out);
void score_print_summary_head(FILE *out);

/* The unit of the first row that has a published value. */
const char *score_unit(const struct score *s);
/*
 * What plots/reproduce takes: "row,published,spread,predicted,low,high" of all
 * rows of that unit. Their number.
 */
size_t score_print_csv(const struct score *s, FILE *out);

#endif
