/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory maps: address over time, one picture a variant. The file of a cell has
 * one line a bin; the maps were taken with samples, whose distance may vary at
 * the ends of phases, and a picture has an even grid: each point of it shows the
 * last map that was taken before it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/figure_internal.h"
#include "bench/grid.h"
#include "bench/store.h"
#include "include/diag.h"
#include "include/input.h"

#define MAX_BINS 1024
#define MAX_LINE 512
#define MAX_LINES 4000000
#define MAX_POINTS 4000
#define MAX_NS (UINT64_C(1) << 57) /* four years; products of it fit */
#define GIB_PAGES 262144.0
#define TEXT_COLUMNS 60
#define TEXT_ROWS 16

struct bin {
	uint64_t at_ns, first_pfn, pages, free, reported, mapped, huge;
};

struct map_file {
	const struct result_cell *cell;
	struct bin *bins;          /* map by map */
	size_t nr, nr_bins;        /* nr_bins: of each map */
	uint64_t step_ns;          /* least distance of two maps */
};

static int bad_line(struct figure *f, const char *path, unsigned int line,
		    const char *why)
{
	struct diag d = { .out = f->messages };

	diag_error(&d, (struct diag_place){ .file = path, .line = line },
		   "%s", why);
	return -EBADMSG;
}

static int parse_line(const char *line, struct bin *b)
{
	int end = 0;
	const int n = sscanf(line, "%" SCNu64 ",%" SCNu64 ",%" SCNu64 ",%"
			     SCNu64 ",%" SCNu64 ",%" SCNu64 ",%" SCNu64 "%n",
			     &b->at_ns, &b->first_pfn, &b->pages, &b->free,
			     &b->reported, &b->mapped, &b->huge, &end);

	return n == 7 && !line[end] && b->at_ns < MAX_NS && b->free <= b->pages &&
	       b->reported <= b->free && b->mapped <= b->pages &&
	       b->huge <= b->mapped ? 0 : -EBADMSG;
}

static int read_lines(struct figure *f, struct map_file *m, const char *path,
		      FILE *in)
{
	size_t size = 0, capacity = 0;
	unsigned int nr = 0;
	char *line = NULL;
	ssize_t len = 0;
	int err = 0;

	while (!err && (len = input_line(&line, &size, MAX_LINE, in)) > 0) {
		if (len > MAX_LINE) {
			err = bad_line(f, path, nr + 1, "line is too long");
			break;
		}
		line[strcspn(line, "\r\n")] = '\0';
		if (!nr++)
			continue;
		if (m->nr == capacity) {
			struct bin *bins;

			capacity = capacity * 2 + 4096;
			bins = capacity > MAX_LINES ? NULL :
			       realloc(m->bins, capacity * sizeof(*bins));
			err = bins ? 0 : -ENOMEM;
			m->bins = bins ? bins : m->bins;
		}
		if (!err && parse_line(line, &m->bins[m->nr]))
			err = bad_line(f, path, nr, "is not a bin of a map");
		m->nr += !err;
	}
	free(line);
	return err ? err : (int)len;
}

/* Every map has as many bins as the first one, and later ones come later. */
static int check_maps(struct figure *f, struct map_file *m, const char *path)
{
	while (m->nr_bins < m->nr && m->bins[m->nr_bins].at_ns ==
				     m->bins[0].at_ns)
		m->nr_bins++;
	if (!m->nr_bins)
		return -ENODATA;
	if (m->nr % m->nr_bins || m->nr_bins > MAX_BINS)
		return bad_line(f, path, 0, "maps have different sizes");
	m->step_ns = UINT64_MAX;
	for (size_t i = m->nr_bins; i < m->nr; i += m->nr_bins) {
		const uint64_t was = m->bins[i - m->nr_bins].at_ns;

		if (m->bins[i].at_ns <= was)
			return bad_line(f, path, (unsigned int)i + 2,
					"maps are not in order of time");
		if (m->bins[i].at_ns - was < m->step_ns)
			m->step_ns = m->bins[i].at_ns - was;
	}
	return m->nr > m->nr_bins ? 0 : -ENODATA;
}

static int read_map(struct figure *f, const char *variant, struct map_file *m)
{
	char path[FIGURE_PATH_SIZE];
	FILE *in;
	int err;

	*m = (struct map_file){ .cell = series_cell(f, variant) };
	if (!m->cell)
		return -ENODATA;
	snprintf(path, sizeof(path), "%.3900s/series/%s.map.csv", f->r->dir,
		 m->cell->id);
	in = input_stream(path, 0);
	if (!in)
		return errno == ENOENT ? -ENODATA : -errno;
	err = read_lines(f, m, path, in);
	if (!err && ferror(in))
		err = -EIO;
	fclose(in);
	return err ? err : check_maps(f, m, path);
}

/* The map that holds at a time: the last one that was taken by then. */
static const struct bin *map_at(const struct map_file *m, uint64_t at_ns,
				size_t *from)
{
	while ((*from + 1) * m->nr_bins < m->nr &&
	       m->bins[(*from + 1) * m->nr_bins].at_ns <= at_ns)
		(*from)++;
	return &m->bins[*from * m->nr_bins];
}

/* A bin without memory has shares of nothing. */
static void put_bin(const struct bin *b, double middle, double seconds,
		    FILE *out)
{
	const double n = b->pages ? (double)b->pages : 1.0;

	fprintf(out, "%.6f,%.6f,%.4f,%.4f,%.4f,%.4f,%.4f,%.4f\n", seconds,
		((double)b->first_pfn + middle) / GIB_PAGES,
		(double)(b->pages - b->free) / n,
		(double)(b->free - b->reported) / n, (double)b->reported / n,
		(double)b->huge / n, (double)(b->mapped - b->huge) / n,
		(double)(b->pages - b->mapped) / n);
}

static uint64_t grid_step(const struct map_file *m)
{
	const uint64_t span = m->bins[m->nr - 1].at_ns - m->bins[0].at_ns;
	const uint64_t least = span / MAX_POINTS + 1;

	return m->step_ns < least ? least : m->step_ns;
}

/* What a bin spans, whether there is memory or not. */
static double bin_pages(const struct map_file *m)
{
	return m->nr_bins > 1 ? (double)m->bins[1].first_pfn :
				(double)m->bins[0].pages;
}

static double high_gib(const struct map_file *m)
{
	return bin_pages(m) * (double)m->nr_bins / GIB_PAGES;
}

static int write_grid(struct figure *f, const struct map_file *m,
		      const char *name)
{
	const uint64_t end = m->bins[m->nr - 1].at_ns;
	char path[FIGURE_PATH_SIZE], why[4400] = "";
	struct store_file file;
	size_t from = 0;
	int err;

	snprintf(path, sizeof(path), "%.3900s/%s", f->dir, name);
	err = store_create_own(&file, path, why, sizeof(why));
	if (!err) {
		fputs("time_s,address_gib,used,free,reported,huge,small,"
		      "none\n", file.out);
		for (uint64_t at = m->bins[0].at_ns; at <= end;
		     at += grid_step(m)) {
			const struct bin *b = map_at(m, at, &from);

			for (size_t i = 0; i < m->nr_bins; i++)
				put_bin(&b[i], bin_pages(m) / 2,
					(double)at / 1e9, file.out);
		}
		err = store_commit(&file, why, sizeof(why));
	}
	if (err)
		fprintf(f->messages, "error: %s\n", why);
	return err;
}

/* ---- text ---- */

/* What most of a spot is: used, free but held by the host, or given back. */
static char spot(const struct map_file *m, const struct bin *map, size_t row)
{
	const size_t first = m->nr_bins * row / TEXT_ROWS;
	size_t end = m->nr_bins * (row + 1) / TEXT_ROWS;
	uint64_t pages = 0, used = 0, mapped = 0;

	end = end > first ? end : first + 1;
	for (size_t i = first; i < end && i < m->nr_bins; i++) {
		pages += map[i].pages;
		used += map[i].pages - map[i].free;
		mapped += map[i].mapped;
	}
	if (!pages)
		return ' ';
	if (used * 2 >= pages)
		return '#';
	return mapped * 2 >= pages ? 'o' : '.';
}

static void draw_text(struct figure *f, const struct map_file *m,
		      const char *text)
{
	const uint64_t begin = m->bins[0].at_ns;
	const uint64_t span = m->bins[m->nr - 1].at_ns - begin;
	const double high = high_gib(m);

	print_wrapped(text, 2, FIGURE_TEXT_COLUMNS, true, f->out);
	for (size_t row = TEXT_ROWS; row-- > 0;) {
		char line[TEXT_COLUMNS];
		size_t from = 0, end;

		for (size_t c = 0; c < TEXT_COLUMNS; c++)
			line[c] = spot(m, map_at(m, begin + span * c /
						 (TEXT_COLUMNS - 1), &from),
				       row);
		for (end = TEXT_COLUMNS; end && line[end - 1] == ' '; end--)
			line[end - 1] = '\0';
		fprintf(f->out, "%7.2f%s%.*s\n", high * (double)(row + 1) /
			TEXT_ROWS, end ? " " : "", (int)end, line);
	}
	fprintf(f->out, "    GiB %-30.1f%30.1f s\n"
		"        # used   o free, the host holds it   . free, given "
		"back\n\n", (double)begin / 1e9, (double)(begin + span) / 1e9);
}

/* ---- */

static int draw_picture(struct figure *f, const struct map_file *m,
			const char *variant, const char *text)
{
	char name[FIGURE_NAME_SIZE], data[FIGURE_NAME_SIZE + 8];
	struct script script;
	int err;

	figure_file_name(name, sizeof(name), "map", variant);
	snprintf(data, sizeof(data), "./%s.csv", name);
	err = write_grid(f, m, data);
	if (!err)
		err = script_begin(&script, f, name);
	if (err)
		return err;
	script_heading(&script, text);
	script_text(&script, "data", data);
	script_number(&script, "step", (double)grid_step(m) / 1e9);
	script_number(&script, "high", high_gib(m));
	return script_run(&script, "map");
}

static int map_of(struct figure *f, const char *variant)
{
	struct map_file m;
	const char *text;
	int err = read_map(f, variant, &m);

	if (!err) {
		text = arena_printf(&f->a, "%s, memory of the guest: %s (%s)",
				    m.cell->experiment, variant,
				    series_caption(f, m.cell));
		if (!text)
			err = -ENOMEM;
		else if (f->terminal == FIGURE_DUMB)
			draw_text(f, &m, text);
		else
			err = draw_picture(f, &m, variant, text);
	}
	free(m.bins);
	return err;
}

int figure_map(struct figure *f)
{
	size_t drawn = 0;
	int err = 0;

	for (size_t i = 0; i < f->g.nr_variants && !err; i++) {
		err = map_of(f, f->g.variants[i]);
		drawn += !err;
		if (err == -ENODATA)
			err = 0;
	}
	return err || drawn ? err : -ENODATA;
}
