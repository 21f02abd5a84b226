/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of results. One rule for every experiment: a row is a variant with
 * values of the axes, an axis over workloads becomes groups of columns, and a
 * number is the mean over the seeds. The first variant is the reference.
 */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include <stdio.h>

#include "bench/results.h"

enum report_format {
	REPORT_TABLE,   /* for a terminal */
	REPORT_MD,      /* Markdown */
	REPORT_CSV,     /* one number a line, with its minimum and maximum */
	REPORT_JSON,    /* the same as an object per table */
	REPORT_COVER,   /* plain text for a mail: ASCII, at most 75 columns */
	REPORT_HTML,    /* one file with tables, figures and options */
	REPORT_METRICS, /* OpenMetrics: every counter of every cell */
};

/* What a cover letter shows. Every layout but the first has each variant against
 * the first one, with a test of the difference. */
enum cover_layout {
	COVER_TABLES,    /* the tables of the other formats */
	COVER_MMTESTS,   /* as mmtests prints it, gains positive */
	COVER_BENCHSTAT, /* one metric a line, with p */
	COVER_LKP,       /* as the kernel test robot prints it */
};

extern const char *const cover_layout_names[]; /* NULL-ended */
int cover_layout_parse(const char *text, enum cover_layout *out);

/* Spelling of each format, NULL-ended, in the order of the enum. */
extern const char *const report_format_names[];
/* 0 or -EINVAL. */
int report_format_parse(const char *text, enum report_format *out);

/*
 * Print throughput, memory and footprint of all cells, or the one table that
 * the experiment asks for. HTML draws figures too, in the folder of the results,
 * and goes without them, saying so on standard error, where there is no gnuplot.
 * 0; -ENODATA if there are no cells; -ENOMEM; -EIO if `out` could not be
 * written.
 */
int report_print(const struct results *r, enum report_format format,
		 FILE *out);
struct report_request {
	const char *columns;      /* bench/columns.h; NULL: the experiment's */
	enum report_format format;
	enum cover_layout layout; /* of REPORT_COVER */
};

/*
 * The same with a choice of columns and layout. -EINVAL with a sentence in why
 * if it cannot be.
 */
int report_columns(const struct results *r, const struct report_request *req,
		   FILE *out, char *why, size_t why_size);

#endif
