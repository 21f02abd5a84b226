/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which figures there are, and the folder that they are drawn in. */
#define _GNU_SOURCE
#include "bench/figure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/figure_internal.h"
#include "bench/grid.h"
#include "include/guard.h"

const char *const figure_terminal_names[] = {
	[FIGURE_DUMB] = "dumb", [FIGURE_SVG] = "svg", [FIGURE_PNG] = "png",
	NULL
};

const char *const figure_backend_names[] = {
	[FIGURE_GNUPLOT] = "gnuplot", [FIGURE_MATPLOTLIB] = "matplotlib", NULL
};

const struct figure_desc figure_descs[] = {
	{ "resident", "memory that the host holds, all variants over time" },
	{ "memory", "guest and host memory over time, one picture a variant" },
	{ "guests", "what the host holds for each of several guests" },
	{ "huge", "huge pages of the host against the balloon" },
	{ "throughput", "iterations per second against the first variant" },
	{ "footprint", "GiB x minutes that the host held" },
	{ "tradeoff", "memory held against throughput, with the Pareto front" },
	{ "scaling", "throughput over the number of tasks" },
	{ "orders", "free memory by order over time, one picture a variant" },
	{ "holds", "how long zone locks are held" },
	{ "batches", "how many blocks a request holds" },
	{ "map", "memory map: address over time, one picture a variant" },
	{ NULL, NULL }
};

/* In the order of figure_descs. */
static const struct {
	int (*draw)(struct figure *f);
} drawers[] = {
	{ figure_resident }, { figure_memory }, { figure_guests },
	{ figure_huge }, { figure_throughput },
	{ figure_footprint }, { figure_tradeoff }, { figure_scaling },
	{ figure_orders }, { figure_holds }, { figure_batches },
	{ figure_map },
};

/* ---- figures over time ---- */

/* Read and write the samples of a variant's cell. */
static int put_series(struct figure *f, const char *variant,
		      struct series *s)
{
	char name[FIGURE_NAME_SIZE];
	const struct result_cell *c = series_cell(f, variant);
	int err;

	if (!c)
		return -ENODATA;
	err = series_read(f, c, s);
	if (err)
		return err;
	figure_file_name(name, sizeof(name) - 4, "memory", variant);
	s->file = arena_printf(&f->a, "%s.csv", name);
	err = s->file ? series_write(f, s) : -ENOMEM;
	series_free(s);
	return err;
}

static const char *heading(struct figure *f, const char *variant,
			   const struct result_cell *c)
{
	const char *text = arena_printf(&f->a, "%s\n%s (%s)", c->experiment,
					variant, series_caption(f, c));

	return text ? text : "";
}

void figure_text_heading(struct figure *f, const char *text)
{
	const char *newline = strchr(text, '\n');
	char first[FIGURE_PATH_SIZE];

	snprintf(first, sizeof(first), "%.*s", newline ?
		 (int)(newline - text) : (int)strlen(text), text);
	print_wrapped(first, 2, FIGURE_TEXT_COLUMNS, true, f->out);
	if (newline)
		print_wrapped(newline + 1, 2, FIGURE_TEXT_COLUMNS, true,
			      f->out);
}

/* Above a text figure, which has no room for a title and for labels. */
static void print_heading(struct figure *f, const char *text,
			  const struct result_cell *c, bool phases)
{
	figure_text_heading(f, text);
	for (size_t i = 0; i < c->nr_phases && phases; i++)
		fprintf(f->out, "%s%s %.1f..%.1f s", i ? ", " : "phases: ",
			c->phases[i].name, (double)c->phases[i].start / 1e9,
			(double)c->phases[i].end / 1e9);
	fputs(c->nr_phases && phases ? "\n" : "", f->out);
}

/* Figures of one variant over time, and which series they can show. */
enum over_time { FIGURE_MEMORY, FIGURE_GUESTS, FIGURE_HUGE };

static const char *const over_time_names[] = { "memory", "guests", "huge" };

static bool shows(enum over_time what, const struct series *s)
{
	return what == FIGURE_MEMORY ||
	       (what == FIGURE_GUESTS && s->nr_guests) ||
	       (what == FIGURE_HUGE && s->has_balloon);
}

static int draw_over_time(struct figure *f, const char *variant,
			  enum over_time what)
{
	char name[FIGURE_NAME_SIZE];
	struct script script;
	struct series s;
	int err = put_series(f, variant, &s);
	const char *title;

	if (!err && !shows(what, &s))
		err = -ENODATA;
	if (err)
		return err;
	title = heading(f, variant, s.cell);
	if (f->terminal == FIGURE_DUMB)
		print_heading(f, title, s.cell, true);
	figure_file_name(name, sizeof(name), over_time_names[what], variant);
	err = script_begin(&script, f, name);
	if (err)
		return err;
	script_heading(&script, title);
	script_text(&script, "data",
		    arena_printf(&f->a, "./%s", s.file));
	script_number(&script, "nr", s.nr_seen);
	script_phases(&script, s.cell);
	return script_run(&script, over_time_names[what]);
}

static int draw_variants(struct figure *f, enum over_time what)
{
	size_t drawn = 0, i;
	int err = 0;

	for (i = 0; i < f->g.nr_variants && !err; i++) {
		err = draw_over_time(f, f->g.variants[i], what);
		drawn += !err;
		if (err == -ENODATA)
			err = 0;
	}
	return err || drawn ? err : -ENODATA;
}

int figure_memory(struct figure *f)
{
	return draw_variants(f, FIGURE_MEMORY);
}

int figure_guests(struct figure *f)
{
	return draw_variants(f, FIGURE_GUESTS);
}

int figure_huge(struct figure *f)
{
	return draw_variants(f, FIGURE_HUGE);
}

/* "A baseline, B enabled": text has no other legend. */
static void print_letters(struct figure *f, const struct series *s, size_t nr)
{
	size_t at = 0;

	for (size_t i = 0; i < nr; i++) {
		const size_t len = strlen(s[i].cell->variant) + 4;

		if (at && at + len > FIGURE_TEXT_COLUMNS) {
			fputc('\n', f->out);
			at = 0;
		}
		fprintf(f->out, "  %c %s", (char)('A' + i % 26),
			s[i].cell->variant);
		at += len;
	}
	fputs("\n\n", f->out);
}

static void put_array(struct script *s, const char *name, size_t i,
		      const char *text)
{
	char left[64];

	snprintf(left, sizeof(left), "%s[%zu]", name, i + 1);
	script_text(s, left, text);
}

/* Boundaries are drawn only where they hold for all variants. */
static bool same_phases(const struct series *s, size_t nr)
{
	for (size_t i = 1; i < nr; i++) {
		if (s[i].cell->nr_phases != s[0].cell->nr_phases)
			return false;
		for (size_t k = 0; k < s[0].cell->nr_phases; k++)
			if (s[i].cell->phases[k].start !=
			    s[0].cell->phases[k].start)
				return false;
	}
	return true;
}

static int draw_resident(struct figure *f, const struct series *s, size_t nr)
{
	const bool phases = same_phases(s, nr);
	const char *text = arena_printf(&f->a, "%s\nMemory of the host (%s)",
					s[0].cell->experiment,
					series_caption(f, s[0].cell));
	struct script script;
	int err = text ? script_begin(&script, f, "resident") : -ENOMEM;

	if (err)
		return err;
	if (f->terminal == FIGURE_DUMB)
		print_heading(f, text, s[0].cell, phases);
	script_heading(&script, text);
	script_number(&script, "nr", (double)nr);
	script_array(&script, "file", nr);
	script_array(&script, "label", nr);
	for (size_t i = 0; i < nr; i++) {
		put_array(&script, "file", i,
			  arena_printf(&f->a, "./%s", s[i].file));
		put_array(&script, "label", i, s[i].cell->variant);
	}
	if (phases)
		script_phases(&script, s[0].cell);
	err = script_run(&script, "resident");
	if (!err && f->terminal == FIGURE_DUMB)
		print_letters(f, s, nr);
	return err;
}

int figure_resident(struct figure *f)
{
	struct series *s = arena_array(&f->a, f->g.nr_variants, sizeof(*s));
	size_t nr = 0, i;
	int err = s ? 0 : -ENOMEM;

	for (i = 0; i < f->g.nr_variants && !err; i++) {
		err = put_series(f, f->g.variants[i], &s[nr]);
		nr += !err;
		if (err == -ENODATA)
			err = 0;
	}
	if (err)
		return err;
	return nr ? draw_resident(f, s, nr) : -ENODATA;
}

/* ---- the folder ---- */

static int open_folder(struct figure *f)
{
	int err = 0;

	f->temporary = f->terminal == FIGURE_DUMB;
	if (f->temporary) {
		err = guard_folder(guard_parent(), f->dir, sizeof(f->dir));
	} else {
		if (strlen(f->r->dir) > 3800)
			return -ENAMETOOLONG;
		snprintf(f->dir, sizeof(f->dir), "%s/figures", f->r->dir);
		if (mkdir(f->dir, 0777) && errno != EEXIST)
			err = -errno;
	}
	if (err)
		fprintf(f->messages, "error: %s: cannot be made: %s\n", f->dir,
			strerror(-err));
	return err;
}

/* ---- all of them ---- */

static int find_figure(const char *name)
{
	for (int i = 0; figure_descs[i].name; i++)
		if (!strcmp(figure_descs[i].name, name))
			return i;
	return -1;
}

/* Over the time of a run. */
static bool sums_up(int figure)
{
	return drawers[figure].draw == figure_footprint ||
	       drawers[figure].draw == figure_tradeoff;
}

static void unknown_figure(const char *name, FILE *messages)
{
	fprintf(messages, "error: unknown figure '%s'; there are", name);
	for (int i = 0; figure_descs[i].name; i++)
		fprintf(messages, "%s %s", i ? "," : "", figure_descs[i].name);
	fputc('\n', messages);
}

static const char *nothing_to_show(const char *name)
{
	if (!strcmp(name, "throughput"))
		return "no second variant with iterations to compare";
	if (!strcmp(name, "map"))
		return "the results have no memory maps; set [experiment] map";
	if (!strcmp(name, "guests"))
		return "no series of several guests; set [experiment] sample, "
		       "[host] guests";
	if (!strcmp(name, "huge"))
		return "no series with a balloon; set [experiment] sample";
	return "the results have no series; set [experiment] sample";
}

static void explain(const struct figure *f, const char *name, int err)
{
	if (err == -ENOENT)
		fprintf(f->messages, "error: %s is not there, or cannot be "
			"run; Debian has it as %s\n",
			figure_backend_names[f->backend],
			f->backend == FIGURE_GNUPLOT ? "gnuplot-nox" :
						       "python3-matplotlib");
	else if (err == -ENODATA)
		fprintf(f->messages, "error: figure %s: %s\n", name,
			nothing_to_show(name));
	else if (err == -ECHILD)
		fprintf(f->messages, "error: figure %s: %s failed\n", name,
			figure_backend_names[f->backend]);
	else if (err && err != -EBADMSG)
		fprintf(f->messages, "error: figure %s: %s\n", name,
			strerror(-err));
}

/* Memory summed up over runs of other lengths: true if there is such a thing,
 * which is then said. */
static bool compares_lengths(struct figure *f, int only)
{
	double shortest, longest;

	if ((only >= 0 && !sums_up(only)) ||
	    !figure_lengths_differ(f, &shortest, &longest))
		return false;
	fprintf(f->messages, "note: %s runs of %.1f to %.1f s: who takes "
		"longer holds more. Phases with a fixed duration make them "
		"comparable\n", only < 0 ? "figures footprint and tradeoff are "
		"left out, they would compare" : "the figure compares",
		shortest, longest);
	return true;
}

/* Without a name, a figure that has nothing to show is left out, and one that
 * would show the wrong thing. */
static int draw_all(struct figure *f, int only)
{
	const bool lengths = compares_lengths(f, only);
	size_t drawn = 0;
	int err = 0;

	for (int i = 0; figure_descs[i].name && !err; i++) {
		if (only >= 0 ? i != only : lengths && sums_up(i))
			continue;
		err = drawers[i].draw(f);
		drawn += !err;
		if (err == -ENODATA && only < 0)
			err = 0;
		else if (err)
			explain(f, figure_descs[i].name, err);
	}
	if (err || drawn)
		return err;
	fputs("error: there is nothing to draw: no series, and no second "
	      "variant with iterations\n", f->messages);
	return -ENODATA;
}

int figure_plot(const struct results *r, const struct figure_request *req,
		FILE *out, FILE *messages)
{
	struct figure f = { .r = r, .backend = req->backend,
			    .terminal = req->terminal, .out = out,
			    .messages = messages,
			    .zero_ended = req->zero_ended };
	const int only = req->name ? find_figure(req->name) : -1;
	int err;

	if (req->name && only < 0) {
		unknown_figure(req->name, messages);
		return -EINVAL;
	}
	if (!r->nr_cells) {
		fprintf(messages, "error: %s holds no cells\n", r->path);
		return -ENODATA;
	}
	err = grouping_make(&f.g, r, &f.a);
	if (!err)
		err = open_folder(&f);
	if (!err) {
		err = draw_all(&f, only);
		if (f.temporary)
			guard_remove_folder(f.dir);
	}
	arena_free(&f.a);
	return err;
}

int figure_draw_data(const struct figure_of_data *d, FILE *out, FILE *messages)
{
	struct figure f = { .backend = d->backend, .terminal = d->terminal,
			    .out = out, .messages = messages };
	struct script script;
	const char *data;
	int err;

	snprintf(f.dir, sizeof(f.dir), "%.4000s", d->dir);
	data = arena_printf(&f.a, "./%s.csv", d->name);
	err = data ? script_begin(&script, &f, d->name) : -ENOMEM;
	if (!err) {
		script_heading(&script, d->heading);
		script_text(&script, "data", data);
		script_text(&script, "across", d->across);
		if (d->up)
			script_text(&script, "up", d->up);
		script_number(&script, "nr", (double)d->nr);
		err = script_run(&script, d->plot);
	}
	if (err)
		explain(&f, d->name, err);
	arena_free(&f.a);
	return err;
}
