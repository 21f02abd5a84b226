/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files that draw. */
#ifndef BENCH_FIGURE_INTERNAL_H
#define BENCH_FIGURE_INTERNAL_H

#include "bench/figure.h"
#include "bench/grouping.h"
#include "bench/store.h"

#define FIGURE_PATH_SIZE 4096
#define FIGURE_NAME_SIZE 128
#define FIGURE_TEXT_COLUMNS 75
#define FIGURE_TEXT_LINES 20

/* One cell over time. */
struct series_row {
	uint64_t at_ns;
	uint64_t guest_free_pages, guest_used_pages, host_rss_pages;
	uint64_t free_blocks[NR_PAGE_ORDERS]; /* zero if not in the file */
	uint64_t host_free_pages, host_anon_huge_pages;
	uint64_t balloon_pages, balloon_target_pages;
};

#define SERIES_MAX_GUESTS 64

struct series {
	const struct result_cell *cell;
	const char *file;              /* name of its data, in the folder */
	struct series_row *rows;
	size_t nr;
	unsigned int nr_guests;        /* with columns of their own, or 0 */
	unsigned int nr_seen;          /* up to the last that ever ran */
	uint64_t *guest_rss;           /* pages, [nr][nr_guests] */
	bool has_balloon;              /* anything is or should be in one */
};

/* All that is known while figures are drawn. */
struct figure {
	const struct results *r;
	enum figure_backend backend;
	enum figure_terminal terminal;
	FILE *out, *messages;
	bool zero_ended;               /* paths in `out` */
	int unread;                    /* first error of a series, -errno */
	struct arena a;
	struct grouping g;
	char dir[FIGURE_PATH_SIZE];    /* where data, scripts, pictures go */
	bool temporary;                /* dir is removed in the end */
};

/*
 * The samples of a cell: 0; -ENODATA if it has none; -EBADMSG with a message.
 */
int series_read(struct figure *f, const struct result_cell *c,
		struct series *out);
/* Write file in GiB and seconds. 0 or -errno. */
int series_write(struct figure *f, const struct series *s);
void series_free(struct series *s);
/*
 * The cell of a variant that stands for it: first workload, first seed, last
 * values of the axes.
 */
const struct result_cell *series_cell(const struct figure *f,
				      const char *variant);
/* "page_fault1, tasks 16, seed 1" */
const char *series_caption(struct figure *f, const struct result_cell *c);

/* "NAME" or "NAME-VARIANT", with nothing a file name should not have. */
void figure_file_name(char *out, size_t size, const char *name,
		      const char *variant);

/* A heading of up to two lines, above a figure that is text. */
void figure_text_heading(struct figure *f, const char *text);

/* DIR/NAME.csv; 0 or -errno, which was said. */
int figure_data_open(struct figure *f, const char *name, struct store_file *to);
int figure_data_close(struct figure *f, struct store_file *to);
/* A text of a CSV file, in quotes that gnuplot reads as well. */
void figure_data_word(FILE *out, const char *text);

/* A script under construction: head with variables, then plots/NAME.gp. */
struct script {
	struct figure *f;
	const char *name;              /* of the figure's files */
	FILE *out;                     /* of file */
	struct store_file file;
};

/* Begin: terminal and output are set. 0 or -errno. */
int script_begin(struct script *s, struct figure *f, const char *name);
/* name = 'text', quoted for gnuplot. */
void script_text(struct script *s, const char *name, const char *text);
void script_number(struct script *s, const char *name, double value);
/* An array of so many texts; name[1] is the first. */
void script_array(struct script *s, const char *name, size_t nr);
/* What stands below the points 0, 1, ... of the x axis. */
void script_ticks(struct script *s, const char *const *labels, size_t nr);
/* The title, of one or two lines. */
void script_heading(struct script *s, const char *text);
/* Lines and names of the phases of a cell. */
void script_phases(struct script *s, const struct result_cell *c);
/* Append plots/PLOT.gp, run gnuplot, show or name what came out. */
int script_run(struct script *s, const char *plot);

/* Text of plots/NAME.gp, NULL-ended list by name; generated. */
struct plot_script {
	const char *name, *text;
};
extern const struct plot_script plot_scripts[];
/* NULL if there is none. */
const char *plot_text(const char *name);

/*
 * Run the program on a script in folder `dir`. The picture, if it is one, gets
 * that name there. The standard output, if wanted, is allocated. 0; -ENOENT:
 * there is no such program, or no matplotlib; -EIO: it failed.
 */
int figure_run(enum figure_backend backend, const char *dir,
	       const char *script, const char *picture, char **text,
	       size_t *len);

/*
 * Do the variants of any point run for more than 5 % longer than others? The
 * first such point's shortest and longest run.
 */
bool figure_lengths_differ(const struct figure *f, double *shortest_s,
			   double *longest_s);

/* The figures themselves. */
int figure_memory(struct figure *f);
int figure_resident(struct figure *f);
int figure_guests(struct figure *f);
int figure_huge(struct figure *f);
int figure_throughput(struct figure *f);
int figure_map(struct figure *f);
int figure_footprint(struct figure *f);
int figure_tradeoff(struct figure *f);
int figure_scaling(struct figure *f);
int figure_holds(struct figure *f);
int figure_batches(struct figure *f);
int figure_orders(struct figure *f);

#endif
