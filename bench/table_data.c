/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grids for other programs: CSV with one number a line, JSON, and Markdown.
 * Numbers carry all digits that a mean over seeds can have.
 */
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "bench/grid.h"

/*
 * Would a spreadsheet compute it? Names from an experiment file may begin with a
 * sign, and have nothing in them by which a sign would be more than text.
 */
static bool is_formula(const char *text)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.";

	return *text && strchr("=@+-", *text) &&
	       strspn(text, name) != strlen(text);
}

/*
 * Quoted where a separator, a quote or a line break is in it. Results come from
 * others: an apostrophe keeps what looks like a formula from being one.
 */
static void csv_text(const char *text, FILE *out)
{
	if (!strpbrk(text, ",\"\r\n") && !is_formula(text)) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	if (is_formula(text))
		fputc('\'', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static const char *row_key(const struct grid *g, const struct grid_row *row,
			   const char *name)
{
	for (size_t k = 0; k < g->nr_keys; k++)
		if (!strcmp(g->key_names[k], name))
			return row->keys[k];
	return "";
}

static void csv_number(const struct grid *g, const struct grid_row *row,
		       size_t group, size_t column, const char *const *keys,
		       size_t nr_keys, FILE *out)
{
	const struct grid_column *c = &g->columns[column];
	const struct grid_value *v =
		&row->values[group * g->nr_columns + column];

	if (!v->present)
		return;
	csv_text(g->name, out);
	for (size_t k = 0; k < nr_keys; k++) {
		fputc(',', out);
		csv_text(row_key(g, row, keys[k]), out);
	}
	fputc(',', out);
	csv_text(g->groups[group], out);
	fprintf(out, ",%s,%s,%.12g,%.12g,%.12g\n", c->name, c->unit, v->mean,
		v->min, v->max);
}

void grid_print_csv(const struct grid *g, const char *const *keys,
		    size_t nr_keys, FILE *out)
{
	size_t r, i, c;

	for (r = 0; r < g->nr_rows; r++)
		for (i = 0; i < g->nr_groups; i++)
			for (c = 0; c < g->nr_columns; c++)
				csv_number(g, &g->rows[r], i, c, keys, nr_keys,
					   out);
}

/* A bar would end the cell. */
void grid_md_text(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '<') {
			fputs("&lt;", out);
			continue;
		}
		if (*text == '|')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void md_rule(const struct grid *g, FILE *out)
{
	size_t k;

	fputc('|', out);
	for (k = 0; k < g->nr_keys; k++)
		fputs(k ? "---:|" : "---|", out);
	for (k = 0; k < g->nr_groups * g->nr_columns; k++)
		fputs("---:|", out);
	fputc('\n', out);
}

static void md_row(const struct grid *g, const struct grid_row *row,
		   FILE *out)
{
	char text[64];
	size_t k;

	fputc('|', out);
	for (k = 0; k < g->nr_keys; k++) {
		fputc(' ', out);
		grid_md_text(row->keys[k], out);
		fputs(" |", out);
	}
	for (k = 0; k < g->nr_groups * g->nr_columns; k++) {
		grid_text(&g->columns[k % g->nr_columns], &row->values[k],
			  text, sizeof(text));
		fprintf(out, " %s |", text);
	}
	fputc('\n', out);
}

void grid_print_md(const struct grid *g, FILE *out)
{
	size_t k, c;

	fputc('|', out);
	for (k = 0; k < g->nr_keys; k++) {
		fputc(' ', out);
		grid_md_text(g->keys[k], out);
		fputs(" |", out);
	}
	for (k = 0; k < g->nr_groups; k++)
		for (c = 0; c < g->nr_columns; c++) {
			fputc(' ', out);
			grid_md_text(g->groups[k], out);
			fprintf(out, "%s%s |", *g->groups[k] ? " " : "",
				g->columns[c].label);
		}
	fputc('\n', out);
	md_rule(g, out);
	for (k = 0; k < g->nr_rows; k++)
		md_row(g, &g->rows[k], out);
}

static json_t *json_value(const struct grid_value *v)
{
	return json_pack("{s:f, s:f, s:f}", "mean", v->mean, "min", v->min,
			 "max", v->max);
}

static json_t *json_row(const struct grid *g, const struct grid_row *row,
			size_t group)
{
	json_t *keys = json_object(), *values = json_object();
	size_t k;

	for (k = 0; k < g->nr_keys; k++)
		json_object_set_new(keys, g->key_names[k],
				    json_string(row->keys[k]));
	for (k = 0; k < g->nr_columns; k++) {
		const struct grid_value *v =
			&row->values[group * g->nr_columns + k];

		json_object_set_new(values, g->columns[k].name, v->present ?
				    json_value(v) : json_null());
	}
	return json_pack("{s:o, s:s, s:o}", "keys", keys, "group",
			 g->groups[group], "values", values);
}

static json_t *json_grid(const struct grid *g)
{
	json_t *rows = json_array(), *units = json_object();
	size_t r, i;

	for (i = 0; i < g->nr_columns; i++)
		json_object_set_new(units, g->columns[i].name,
				    json_string(g->columns[i].unit));
	for (r = 0; r < g->nr_rows; r++)
		for (i = 0; i < g->nr_groups; i++)
			json_array_append_new(rows,
					      json_row(g, &g->rows[r], i));
	return json_pack("{s:s, s:s, s:o, s:o}", "name", g->name, "title",
			 g->title, "units", units, "rows", rows);
}

static int json_facts(const struct page *p, json_t *o)
{
	int err = json_object_set_new(o, "title", json_string(p->title));

	for (size_t i = 0; i < PAGE_MAX_LINES && p->facts[i].name; i++)
		err |= json_object_set_new(o, p->facts[i].name,
					   json_string(p->facts[i].value));
	if (p->warning)
		err |= json_object_set_new(o, "warning",
					   json_string(p->warning));
	return err;
}

json_t *page_json(const struct page *p)
{
	json_t *tables = json_array(), *o = json_object();
	int err = json_facts(p, o);

	for (size_t i = 0; i < p->nr_tables; i++)
		err |= json_array_append_new(tables, json_grid(&p->tables[i]));
	err |= json_object_set_new(o, "tables", tables);
	if (!err)
		return o;
	json_decref(o);
	return NULL;
}

int page_print_json(const struct page *p, FILE *out)
{
	json_t *o = page_json(p);
	int err = 0;

	if (!o)
		err = -ENOMEM;
	else if (json_dumpf(o, out, JSON_INDENT(1) |
			    JSON_REAL_PRECISION(12)))
		err = -EIO;
	else
		fputc('\n', out);
	json_decref(o);
	return err;
}
