/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scripts for gnuplot and for matplotlib: a head that sets the same variables in
 * the language of each, then the text of plots/NAME.gp, or of plots/common.py and
 * plots/NAME.py. Names of files start with "./", and all other text is quoted.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/figure_internal.h"

static bool is_python(const struct script *s)
{
	return s->f->backend == FIGURE_MATPLOTLIB;
}

static void put_python(FILE *out, const char *text)
{
	fputc('\'', out);
	for (; *text; text++)
		if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '\'' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else
			fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
	fputc('\'', out);
}

/* Single quotes keep everything but themselves. */
static void put_quoted(FILE *out, const char *text)
{
	fputc('\'', out);
	for (; *text; text++) {
		if (*text == '\'')
			fputc('\'', out);
		fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
	}
	fputc('\'', out);
}

static void put_terminal(struct script *s)
{
	switch (s->f->terminal) {
	case FIGURE_DUMB:
		fprintf(s->out, "set terminal dumb size %d,%d\n",
			FIGURE_TEXT_COLUMNS, FIGURE_TEXT_LINES);
		fputs("text = 1\n", s->out);
		return;
	case FIGURE_SVG:
		fputs("set terminal svg size 760,440 font 'sans,13' "
		      "background 'white'\n", s->out);
		break;
	case FIGURE_PNG:
		fputs("set terminal pngcairo size 1140,660 font 'sans,15' "
		      "background 'white'\n", s->out);
		break;
	}
	/* Whoever runs it by hand gives no other name. */
	fprintf(s->out, "if (!exists('picture')) picture = './%s.%s'\n"
		"set output picture\ntext = 0\n", s->name,
		figure_terminal_names[s->f->terminal]);
}

/*
 * Results come from others and may have a link where a script or a picture is
 * going to be: through it any file could be written, and a script that is the
 * picture would be run. So the name is always a new file.
 */
int script_begin(struct script *s, struct figure *f, const char *name)
{
	char path[FIGURE_PATH_SIZE], why[4400];
	int err;

	*s = (struct script){ .f = f, .name = name };
	snprintf(path, sizeof(path), "%.3900s/%s.%s", f->dir, name,
		 is_python(s) ? "py" : "gp");
	err = store_create_own(&s->file, path, why, sizeof(why));
	if (err) {
		fprintf(f->messages, "error: %s\n", why);
		return err;
	}
	s->out = s->file.out;
	if (is_python(s)) {
		fprintf(s->out, "# Made by buddylab plot.\n"
			"output = './%s.%s'\n", name,
			figure_terminal_names[f->terminal]);
		return 0;
	}
	fputs("set encoding utf8\n", s->out);
	put_terminal(s);
	/* An underscore in a name is an underscore. */
	fputs("set termoption noenhanced\n"
	      "set datafile separator ','\n", s->out);
	return 0;
}

void script_text(struct script *s, const char *name, const char *text)
{
	fprintf(s->out, "%s = ", name);
	if (is_python(s))
		put_python(s->out, text);
	else
		put_quoted(s->out, text);
	fputc('\n', s->out);
}

static void put_label(struct script *s, const char *text, bool tick)
{
	for (; *text; text++)
		if (*text == '\n')
			fputs("\\n", s->out);
		else if (*text == '%' && tick)
			fputs("%%", s->out);
		else
			fputc(strchr("\"\\`", *text) ? '_' : *text, s->out);
}

/* Double quotes read \n, and more that a name should not do. */
static void script_label(struct script *s, const char *text)
{
	fputc('"', s->out);
	put_label(s, text, false);
	fputc('"', s->out);
}

/* What stands at a tick is a format for its number. */
static void script_tick(struct script *s, const char *text, bool raised)
{
	fputc('"', s->out);
	put_label(s, text, true);
	fputs(raised ? "\\n\"" : "\"", s->out);
}

void script_heading(struct script *s, const char *text)
{
	fputs("heading = ", s->out);
	if (is_python(s))
		put_python(s->out, text);
	else
		script_label(s, text);
	fputc('\n', s->out);
}

void script_number(struct script *s, const char *name, double value)
{
	fprintf(s->out, "%s = %.9g\n", name, value);
}

static bool phase_is_narrow(const struct result_cell *c,
			    const struct result_phase *p)
{
	/* Columns of 60 that the phase takes. */
	const double share = c->virtual_ns ? (double)(p->end - p->start) *
			     60.0 / (double)c->virtual_ns : 0;

	return share < (double)strlen(p->name) + 2.0;
}

/* Names in two rows where one would run together. */
static void put_phase_names(struct script *s, const struct result_cell *c)
{
	bool narrow = false;

	for (size_t i = 0; i < c->nr_phases; i++)
		narrow |= phase_is_narrow(c, &c->phases[i]);
	fputs("set x2tics (", s->out);
	for (size_t i = 0; i < c->nr_phases; i++) {
		const struct result_phase *p = &c->phases[i];

		if (i)
			fputs(", ", s->out);
		script_tick(s, p->name, narrow && i % 2 == 0);
		fprintf(s->out, " %.9g",
			((double)p->start + (double)p->end) / 2e9);
	}
	fputs(") scale 0\n", s->out);
}

void script_array(struct script *s, const char *name, size_t nr)
{
	if (is_python(s))
		fprintf(s->out, "%s = {}\n", name);
	else
		fprintf(s->out, "array %s[%zu]\n", name, nr);
}

void script_ticks(struct script *s, const char *const *labels, size_t nr)
{
	fputs(is_python(s) ? "ticks = [" : "set xtics (", s->out);
	for (size_t i = 0; i < nr; i++) {
		fputs(i ? ", " : "", s->out);
		if (is_python(s)) {
			put_python(s->out, labels[i]);
			continue;
		}
		script_tick(s, labels[i], false);
		fprintf(s->out, " %zu", i);
	}
	fputs(is_python(s) ? "]\n" : ")\n", s->out);
}

/* phases = [('fill', begin, end), ...] */
static void python_phases(struct script *s, const struct result_cell *c)
{
	fputs("phases = [", s->out);
	for (size_t i = 0; i < c->nr_phases; i++) {
		fputs(i ? ", (" : "(", s->out);
		put_python(s->out, c->phases[i].name);
		fprintf(s->out, ", %.9g, %.9g)",
			(double)c->phases[i].start / 1e9,
			(double)c->phases[i].end / 1e9);
	}
	fputs("]\n", s->out);
}

void script_phases(struct script *s, const struct result_cell *c)
{
	if (is_python(s)) {
		python_phases(s, c);
		return;
	}
	if (!c->nr_phases)
		return;
	if (s->f->terminal != FIGURE_DUMB)
		put_phase_names(s, c);
	for (size_t i = 1; i < c->nr_phases; i++)
		fprintf(s->out, "set arrow from %.9g, graph 0 to %.9g, graph "
			"1 nohead dashtype 3 linecolor rgb 'gray40' back\n",
			(double)c->phases[i].start / 1e9,
			(double)c->phases[i].start / 1e9);
}

const char *plot_text(const char *name)
{
	for (size_t i = 0; plot_scripts[i].name; i++)
		if (!strcmp(plot_scripts[i].name, name))
			return plot_scripts[i].text;
	return NULL;
}

static int show_text(struct figure *f, const char *script)
{
	char *text = NULL;
	size_t len = 0;
	int err = figure_run(FIGURE_GNUPLOT, f->dir, script, NULL, &text,
			     &len);

	if (!err) {
		figure_clean_text(text, len, f->out);
		fputc('\n', f->out);
	}
	free(text);
	return err;
}

/* The programs do not always say that a disk is full; the last bytes do. */
static int check_picture(const char *path, bool svg)
{
	char end[16] = "";
	FILE *f = fopen(path, "re");
	bool whole;

	if (!f)
		return -errno;
	whole = !fseek(f, -12, SEEK_END) && fread(end, 1, 12, f) == 12 &&
		memmem(end, 12, svg ? "</svg>" : "IEND", svg ? 6 : 4);
	fclose(f);
	return whole ? 0 : -ECHILD;
}

/* Under another name until it is whole. */
static int draw_picture(struct script *s, const char *file)
{
	const bool svg = s->f->terminal == FIGURE_SVG;
	char path[FIGURE_PATH_SIZE], why[4400];
	struct store_file picture;
	int err;

	snprintf(path, sizeof(path), "%.3900s/%s.%s", s->f->dir, s->name,
		 figure_terminal_names[s->f->terminal]);
	err = store_create_own(&picture, path, why, sizeof(why));
	if (err) {
		fprintf(s->f->messages, "error: %s\n", why);
		return err;
	}
	err = figure_run(s->f->backend, s->f->dir, file,
			 strrchr(picture.file.temporary, '/') + 1, NULL, NULL);
	if (!err)
		err = check_picture(picture.file.temporary, svg);
	if (err) {
		store_discard(&picture);
		return err;
	}
	err = store_commit(&picture, why, sizeof(why));
	if (err)
		fprintf(s->f->messages, "error: %s\n", why);
	return err;
}

static void put_text(const struct script *s, const char *text)
{
	if (text)
		fputs(text, s->out);
}

int script_run(struct script *s, const char *plot)
{
	char file[FIGURE_NAME_SIZE + 8], python[FIGURE_NAME_SIZE];
	char why[4400];
	const char *text;
	int err;

	snprintf(python, sizeof(python), "%s.py", plot);
	text = plot_text(is_python(s) ? python : plot);
	if (is_python(s))
		put_text(s, plot_text("common.py"));
	put_text(s, text);
	err = store_commit(&s->file, why, sizeof(why));
	if (err) {
		fprintf(s->f->messages, "error: %s\n", why);
		return err;
	}
	snprintf(file, sizeof(file), "%s.%s", s->name,
		 is_python(s) ? "py" : "gp");
	if (s->f->terminal == FIGURE_DUMB)
		return show_text(s->f, file);
	err = draw_picture(s, file);
	if (!err)
		fprintf(s->f->out, "%s/%s.%s%c", s->f->dir, s->name,
			figure_terminal_names[s->f->terminal],
			s->f->zero_ended ? '\0' : '\n');
	return err;
}
