/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page as one HTML file that needs nothing else: style, script and figures are
 * in it. All text of results is escaped; figures are images, so that nothing in
 * them can run; and the policy of the page forbids to load anything.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench/figure_internal.h"
#include "bench/grid.h"
#include "bench/markup.h"
#include "include/input.h"

#define MAX_PICTURE ((size_t)16 << 20)

static void put_element(const char *open, const char *text, const char *close,
			FILE *out)
{
	fputs(open, out);
	markup_text(text, out);
	fputs(close, out);
}

/* ---- figures ---- */

static void put_base64(const unsigned char *data, size_t len, FILE *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		const size_t left = len - i;
		const uint32_t v = (uint32_t)data[i] << 16 |
				   (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
				   (left > 2 ? data[i + 2] : 0u);

		fputc(digits[v >> 18], out);
		fputc(digits[v >> 12 & 63], out);
		fputc(left > 1 ? digits[v >> 6 & 63] : '=', out);
		fputc(left > 2 ? digits[v & 63] : '=', out);
	}
}

static int put_picture(const struct page_picture *p, FILE *out)
{
	unsigned char *data = malloc(MAX_PICTURE);
	FILE *f = input_stream(p->path, 0);
	size_t len = 0;
	int err = !data ? -ENOMEM : !f ? -errno : 0;

	if (!err) {
		len = fread(data, 1, MAX_PICTURE, f);
		err = ferror(f) ? -EIO : 0;
	}
	if (!err) {
		fputs("<figure>\n<img alt=\"", out);
		markup_text(p->name, out);
		fputs("\" src=\"data:image/svg+xml;base64,", out);
		put_base64(data, len, out);
		put_element("\">\n<figcaption>", p->name,
			    "</figcaption>\n</figure>\n", out);
	}
	if (f)
		fclose(f);
	free(data);
	return err;
}

/* ---- tables ---- */

static void put_head(const char *label, const char *class, size_t column,
		     FILE *out)
{
	fprintf(out, "<th%s data-column=\"%zu\" scope=\"col\">", class, column);
	put_element("<button type=\"button\">", label, "</button></th>", out);
}

static void put_heads(const struct grid *g, FILE *out)
{
	size_t column = 0;

	fputs("<thead>\n", out);
	if (g->nr_groups > 1) {
		fprintf(out, "<tr><td class=\"key\" colspan=\"%zu\"></td>",
			g->nr_keys);
		for (size_t i = 0; i < g->nr_groups; i++) {
			fprintf(out, "<th colspan=\"%zu\" scope=\"colgroup\">",
				g->nr_columns);
			put_element("", g->groups[i], "</th>", out);
		}
		fputs("</tr>\n", out);
	}
	fputs("<tr>", out);
	for (size_t k = 0; k < g->nr_keys; k++)
		put_head(g->keys[k], " class=\"key\"", column++, out);
	for (size_t i = 0; i < g->nr_groups * g->nr_columns; i++)
		put_head(g->columns[i % g->nr_columns].label, "", column++,
			 out);
	fputs("</tr>\n</thead>\n", out);
}

static void put_value(const struct grid_column *c, const struct grid_value *v,
		      FILE *out)
{
	char text[128];

	grid_text(c, v, text, sizeof(text));
	if (!v->present)
		fputs("<td>", out);
	else if (v->min < v->max)
		fprintf(out, "<td data-v=\"%.12g\" title=\"%.12g to %.12g\">",
			v->mean, v->min, v->max);
	else
		fprintf(out, "<td data-v=\"%.12g\">", v->mean);
	put_element("", text, "</td>", out);
}

static void put_grid(const struct grid *g, FILE *out)
{
	put_element("<h2>", g->title, "</h2>\n", out);
	if (g->note)
		put_element("<p class=\"faint\">", g->note, "</p>\n", out);
	fputs("<div class=\"wide\">\n<table class=\"sortable\">\n", out);
	put_heads(g, out);
	fputs("<tbody>\n", out);
	for (size_t r = 0; r < g->nr_rows; r++) {
		fputs("<tr>", out);
		for (size_t k = 0; k < g->nr_keys; k++)
			put_element("<td class=\"key\">", g->rows[r].keys[k],
				    "</td>", out);
		for (size_t i = 0; i < g->nr_groups * g->nr_columns; i++)
			put_value(&g->columns[i % g->nr_columns],
				  &g->rows[r].values[i], out);
		fputs("</tr>\n", out);
	}
	fputs("</tbody>\n</table>\n</div>\n", out);
}

static void put_options(const struct page *p, FILE *out)
{
	if (!p->nr_options)
		return;
	fprintf(out, "<details>\n<summary>All %zu options</summary>\n"
		"<div class=\"wide\">\n<table class=\"sortable\">\n<thead>\n"
		"<tr>", p->nr_options);
	put_head("option", " class=\"key\"", 0, out);
	put_head("value", " class=\"key\"", 1, out);
	fputs("</tr>\n</thead>\n<tbody>\n", out);
	for (size_t i = 0; i < p->nr_options; i++) {
		put_element("<tr><td class=\"key\">", p->options[i].name,
			    "</td>", out);
		put_element("<td class=\"key\">", p->options[i].value,
			    "</td></tr>\n", out);
	}
	fputs("</tbody>\n</table>\n</div>\n</details>\n", out);
}

/* ---- the page ---- */

static void put_begin(const struct page *p, FILE *out)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	      "<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\""
	      "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
	      "script-src 'unsafe-inline'\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, "
	      "initial-scale=1\">\n", out);
	put_element("<title>", p->title, "</title>\n<style>\n", out);
	fputs(plot_text("report.css"), out);
	put_element("</style>\n</head>\n<body>\n<h1>", p->title, "</h1>\n",
		    out);
	for (size_t i = 0; i < PAGE_MAX_LINES; i++)
		if (p->intro[i] && *p->intro[i])
			put_element("<p>", p->intro[i], "</p>\n", out);
	if (p->warning)
		put_element("<p class=\"warning\">", p->warning, "</p>\n",
			    out);
}

static void put_end(const struct page *p, FILE *out)
{
	put_options(p, out);
	if (p->repeat[0])
		fputs("<h2>To repeat</h2>\n<pre>", out);
	for (size_t i = 0; i < PAGE_MAX_LINES && p->repeat[i]; i++)
		put_element("", p->repeat[i], "\n", out);
	fputs(p->repeat[0] ? "</pre>\n<script>\n" : "<script>\n", out);
	fputs(plot_text("report.js"), out);
	fputs("</script>\n</body>\n</html>\n", out);
}

int page_print_html(const struct page *p, FILE *out)
{
	int err = 0;

	put_begin(p, out);
	for (size_t i = 0; i < p->nr_tables; i++)
		put_grid(&p->tables[i], out);
	if (p->nr_pictures)
		fputs("<h2>Figures</h2>\n", out);
	for (size_t i = 0; i < p->nr_pictures && !err; i++)
		err = put_picture(&p->pictures[i], out);
	put_end(p, out);
	return err;
}
