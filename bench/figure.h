/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures of results. Pictures are drawn by gnuplot from the scripts in plots/,
 * which are part of the program, and lie in DIR/figures with the exact numbers
 * and the script beside them. Figures for a mail are text.
 */
#ifndef BENCH_FIGURE_H
#define BENCH_FIGURE_H

#include <stdio.h>

#include "bench/results.h"

enum figure_backend { FIGURE_GNUPLOT, FIGURE_MATPLOTLIB };
enum figure_terminal { FIGURE_DUMB, FIGURE_SVG, FIGURE_PNG };

/* Spellings, NULL-ended, in the order of the enums. */
extern const char *const figure_terminal_names[];
extern const char *const figure_backend_names[];

/* What can be drawn; ends with a NULL name. */
struct figure_desc {
	const char *name, *help;
};
extern const struct figure_desc figure_descs[];

struct figure_request {
	const char *name;              /* NULL = all */
	enum figure_terminal terminal;
	enum figure_backend backend;   /* matplotlib draws pictures only */
	bool zero_ended;               /* paths of pictures end with '\0' */
};

/*
 * Draw. Text goes to `out`; of pictures the paths are printed there. 0;
 * -EINVAL: no such figure; -ENODATA: the results have nothing to show; -EBADMSG:
 * a series is broken; -ENOENT: the backend is
 * missing; another -errno. A sentence
 * goes to `messages`.
 */
int figure_plot(const struct results *r, const struct figure_request *req,
		FILE *out, FILE *messages);

/*
 * One picture from a file of numbers that is there already: DIR/NAME.csv, as
 * plots/PLOT wants it. Its path is printed to `out`. As figure_plot().
 */
struct figure_of_data {
	const char *dir, *name, *plot;
	const char *heading, *across;  /* title; label of the x axis */
	const char *up;                /* label of the y axis, or NULL */
	size_t nr;                     /* rows */
	enum figure_terminal terminal; /* not FIGURE_DUMB */
	enum figure_backend backend;
};
int figure_draw_data(const struct figure_of_data *d, FILE *out,
		     FILE *messages);

/*
 * What gnuplot prints on a dumb terminal, fit for a mail: no form feed, no
 * blank at the end of a line, no empty line at either end, ASCII, and at most
 * 75 columns (longer lines are cut).
 */
void figure_clean_text(const char *text, size_t len, FILE *out);

#endif
