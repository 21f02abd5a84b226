/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Published results held against predictions. Two files belong together:
 *
 *     bench/predictions/NAME.ini   what is predicted, from which cells, and how
 *                                  far each price may be off; no published value
 *     bench/published/NAME.ini     the published values, and what may be scored
 *
 * predict() is given the first file only and has no way to the second, so that
 * no prediction and no interval can depend on what it is compared with.
 * docs/reproduce.md
 */
#ifndef BENCH_REPRODUCE_CLAIM_H
#define BENCH_REPRODUCE_CLAIM_H

#include "bench/ini.h"
#include "bench/results.h"
#include "include/option.h"
#include "sim/sim.h"

#define MAX_WHERE 8

enum quantity_as {
	AS_VALUE,      /* the metric itself */
	AS_CHANGE,     /* percent, against another variant */
	AS_DIFFERENCE, /* minus another variant */
};

/* [quantity NAME] */
struct quantity_options {
	char variant[OPTION_STRING_SIZE], against[OPTION_STRING_SIZE];
	char where[OPTION_STRING_SIZE];   /* "tasks=16 workload=page_fault1" */
	char phase[OPTION_STRING_SIZE];   /* "": the measured one; run: all */
	char metric[OPTION_STRING_SIZE];
	unsigned int as;                  /* enum quantity_as */
	char divide[OPTION_STRING_SIZE];  /* by a number; "" = 1 */
	char unit[OPTION_STRING_SIZE];
	uint64_t decimals;
	bool interval;                    /* with its error budget by price */
	char walk[OPTION_STRING_SIZE];    /* instead of cells: "4 3" levels */
};

struct quantity {
	const char *name;
	struct ini_place at;
	struct quantity_options o;
	struct result_text where[MAX_WHERE];
	size_t nr_where;
	double divide;
	unsigned int walk_guest, walk_host; /* levels; guest 0 = no walk */
};

/* [price NAME]: the part and the multiple of it that it may really be. */
struct price_range {
	enum price_id price;
	double low, high;
	const char *reason;
};

struct claim {
	struct arena arena;
	struct ini ini;
	const char *name;
	const char *title, *experiment; /* experiment: NULL = none is run */
	const char *only;               /* variants, or NULL = all */
	struct quantity *quantities;
	size_t nr_quantities;
	struct price_range *prices;
	size_t nr_prices;
};

extern const struct option_table quantity_table;

/* 0; -EINVAL with messages in d; -ENOMEM. claim_free() takes it in any case. */
int claim_read(struct claim *c, const char *dir, const char *name,
	       struct diag *d);
void claim_free(struct claim *c);

/* "2", "0.75": digits and at most one point, and a sign. 0 or -EINVAL. */
int claim_number(const char *text, double *out);

/*
 * Every entry of the section into the table's struct at `base`, with defaults.
 * Mistakes are told to d.
 */
void claim_options(const struct ini *ini, const struct ini_section *s,
		   const struct option_table *t, void *base, struct diag *d);

#endif
