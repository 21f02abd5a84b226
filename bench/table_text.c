/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A grid as aligned text. On a page of limited width, keys that are too long
 * move to a line of their own above their rows, and groups of columns that do
 * not fit beside each other follow one another.
 */
#include <errno.h>
#include <string.h>

#include "bench/grid.h"

#define CELL_TEXT 64
#define GAP_COLUMNS 2
#define GAP_GROUPS 3
#define HEAD_INDENT 2

/* Writes a line from left to right and never leaves blanks at its end. */
struct pen {
	FILE *out;
	size_t at, want;
	bool ascii;
};

struct layout {
	const struct grid *g;
	struct arena *a;
	size_t columns;          /* 0 = no limit */
	size_t head_keys;        /* keys that stand on a line above the rows */
	size_t *key_width;       /* [nr_keys] */
	size_t *width;           /* [nr_groups * nr_columns], 0 = left out */
	size_t *group_width;     /* [nr_groups] */
};

/* Columns that a text takes: bytes that do not continue a character. */
static size_t text_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static size_t max_size(size_t a, size_t b)
{
	return a > b ? a : b;
}

static void pen_to(struct pen *p, size_t column)
{
	p->want = column;
}

static void pen_text(struct pen *p, const char *text)
{
	/* Blanks wait for what comes behind them. */
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;
		const bool more = (c & 0xc0) == 0x80;

		if (more && p->ascii)
			continue;
		if (c == ' ') {
			p->want = max_size(p->at, p->want) + 1;
			continue;
		}
		for (; !more && p->at < p->want; p->at++)
			fputc(' ', p->out);
		fputc(p->ascii && (c < ' ' || c > '~') ? '?' : c, p->out);
		p->at += !more;
	}
}

static void pen_right(struct pen *p, size_t end, const char *text)
{
	const size_t width = text_width(text);

	pen_to(p, end > width ? end - width : 0);
	pen_text(p, text);
}

static void pen_line(struct pen *p)
{
	fputc('\n', p->out);
	p->at = p->want = 0;
}

/* Do two numbers look the same with so many decimals? */
static bool same_print(double a, double b, int decimals)
{
	char x[CELL_TEXT], y[CELL_TEXT];

	snprintf(x, sizeof(x), "%.*f", decimals, a);
	snprintf(y, sizeof(y), "%.*f", decimals, b);
	return !strcmp(x, y);
}

void grid_text(const struct grid_column *c, const struct grid_value *v,
	       char *out, size_t out_size)
{
	double value = v->mean;

	if (!v->present) {
		snprintf(out, out_size, "-");
		return;
	}
	if (c->range && !same_print(v->min, v->max, c->decimals)) {
		snprintf(out, out_size, "%.*f..%.*f%s", c->decimals, v->min,
			 c->decimals, v->max, c->suffix);
		return;
	}
	if (same_print(value, -0.0, c->decimals) || same_print(value, 0.0,
							       c->decimals))
		value = 0.0; /* no "-0.00" */
	snprintf(out, out_size, c->sign ? "%+.*f%s" : "%.*f%s", c->decimals,
		 value, c->suffix);
}

static const struct grid_value *value_at(const struct grid *g, size_t row,
					 size_t group, size_t column)
{
	return &g->rows[row].values[group * g->nr_columns + column];
}

static void measure_group(struct layout *l, size_t group)
{
	const struct grid *g = l->g;
	size_t *width = &l->width[group * g->nr_columns];
	char text[CELL_TEXT];
	size_t c, r, sum = 0;

	for (c = 0; c < g->nr_columns; c++) {
		if (l->columns && g->columns[c].wide_only)
			continue;
		width[c] = text_width(g->columns[c].label);
		for (r = 0; r < g->nr_rows; r++) {
			grid_text(&g->columns[c], value_at(g, r, group, c),
				  text, sizeof(text));
			width[c] = max_size(width[c], text_width(text));
		}
		sum += width[c] + (sum ? GAP_COLUMNS : 0);
	}
	l->group_width[group] = max_size(sum, text_width(g->groups[group]));
}

static int layout_measure(struct layout *l)
{
	const struct grid *g = l->g;
	size_t k, r, i;

	l->key_width = arena_array(l->a, g->nr_keys + 1, sizeof(size_t));
	l->width = arena_array(l->a, g->nr_groups * g->nr_columns + 1,
			       sizeof(size_t));
	l->group_width = arena_array(l->a, g->nr_groups + 1, sizeof(size_t));
	if (!l->key_width || !l->width || !l->group_width)
		return -ENOMEM;
	for (k = 0; k < g->nr_keys; k++) {
		l->key_width[k] = text_width(g->keys[k]);
		for (r = 0; r < g->nr_rows; r++)
			l->key_width[k] = max_size(
				l->key_width[k],
				text_width(g->rows[r].keys[k]));
	}
	for (i = 0; i < g->nr_groups; i++)
		measure_group(l, i);
	return 0;
}

/* Columns taken by the keys when `head` of them stand above the rows. */
static size_t keys_width(const struct layout *l, size_t head)
{
	size_t sum = head ? HEAD_INDENT : 0, k;

	for (k = head; k < l->g->nr_keys; k++)
		sum += l->key_width[k] + GAP_COLUMNS;
	return sum;
}

static size_t all_width(const struct layout *l, size_t head, size_t first,
			size_t end)
{
	size_t sum = keys_width(l, head), i;

	for (i = first; i < end; i++)
		sum += l->group_width[i] + (i > first ? GAP_GROUPS : 0);
	return sum;
}

/*
 * How many keys go above: none if all fits; else the fewest with which all
 * groups fit; else the fewest with which the widest group fits alone.
 */
static void layout_choose(struct layout *l)
{
	const struct grid *g = l->g;
	size_t head, i, widest = 0;

	l->head_keys = 0;
	if (!l->columns)
		return;
	for (head = 0; head <= g->nr_keys; head++) {
		l->head_keys = head;
		if (all_width(l, head, 0, g->nr_groups) <= l->columns)
			return;
	}
	for (i = 1; i < g->nr_groups; i++)
		if (l->group_width[i] > l->group_width[widest])
			widest = i;
	for (head = 0; head <= g->nr_keys; head++) {
		l->head_keys = head;
		if (all_width(l, head, widest, widest + 1) <= l->columns)
			return;
	}
}

static void print_group_heads(const struct layout *l, struct pen *p,
			      size_t first, size_t end)
{
	size_t at = keys_width(l, l->head_keys), i;
	bool any = false;

	for (i = first; i < end; i++) {
		const size_t width = text_width(l->g->groups[i]);

		pen_to(p, at + (l->group_width[i] - width) / 2);
		pen_text(p, l->g->groups[i]);
		any |= width > 0;
		at += l->group_width[i] + GAP_GROUPS;
	}
	if (any)
		pen_line(p);
}

/* Ends of the columns, from the right edge of the group. */
static void print_columns(const struct layout *l, struct pen *p, size_t group,
			  size_t at, const struct grid_row *row)
{
	const struct grid *g = l->g;
	const size_t *width = &l->width[group * g->nr_columns];
	char text[CELL_TEXT];
	size_t c, used = 0;

	for (c = 0; c < g->nr_columns; c++)
		if (width[c])
			used += width[c] + (used ? GAP_COLUMNS : 0);
	at += l->group_width[group] - used;
	for (c = 0; c < g->nr_columns; c++) {
		if (!width[c])
			continue;
		if (row)
			grid_text(&g->columns[c],
				  &row->values[group * g->nr_columns + c],
				  text, sizeof(text));
		else
			snprintf(text, sizeof(text), "%s",
				 g->columns[c].label);
		at += width[c];
		pen_right(p, at, text);
		at += GAP_COLUMNS;
	}
}

/* Names to the left, values of axes to the right. */
static void print_keys(const struct layout *l, struct pen *p,
		       const char *const *keys, const char *const *above)
{
	size_t at = l->head_keys ? HEAD_INDENT : 0, k;

	for (k = l->head_keys; k < l->g->nr_keys; k++) {
		const bool repeated = k == 0 && above &&
				      !strcmp(above[k], keys[k]);

		pen_to(p, at);
		if (k)
			pen_right(p, at + l->key_width[k], keys[k]);
		else if (!repeated)
			pen_text(p, keys[k]);
		at += l->key_width[k] + GAP_COLUMNS;
	}
}

static void print_line(const struct layout *l, struct pen *p, size_t first,
		       size_t end, size_t row)
{
	const struct grid *g = l->g;
	size_t at = keys_width(l, l->head_keys), i;
	const struct grid_row *r = &g->rows[row];

	print_keys(l, p, r->keys, row ? g->rows[row - 1].keys : NULL);
	for (i = first; i < end; i++) {
		print_columns(l, p, i, at, r);
		at += l->group_width[i] + GAP_GROUPS;
	}
	pen_line(p);
}

/* The line above the rows, if its keys have changed: "enabled, tasks 16". */
static int print_head(const struct layout *l, struct pen *p, size_t row)
{
	const struct grid *g = l->g;
	const struct grid_row *r = &g->rows[row];
	const char *text = "";
	size_t k;
	bool changed = row == 0;

	for (k = 0; k < l->head_keys; k++) {
		changed |= row && strcmp(g->rows[row - 1].keys[k],
					 r->keys[k]) != 0;
		text = k ? arena_printf(l->a, "%s, %s %s", text, g->keys[k],
					r->keys[k]) : r->keys[k];
		if (!text)
			return -ENOMEM;
	}
	if (changed && l->head_keys)
		print_wrapped(text, HEAD_INDENT, l->columns, p->ascii,
			      p->out);
	return 0;
}

static int print_block(const struct layout *l, struct pen *p, size_t first,
		       size_t end)
{
	const struct grid *g = l->g;
	size_t at = keys_width(l, l->head_keys), i, r;
	int err;

	print_group_heads(l, p, first, end);
	print_keys(l, p, g->keys, NULL);
	for (i = first; i < end; i++) {
		print_columns(l, p, i, at, NULL);
		at += l->group_width[i] + GAP_GROUPS;
	}
	pen_line(p);
	for (r = 0; r < g->nr_rows; r++) {
		err = print_head(l, p, r);
		if (err)
			return err;
		print_line(l, p, first, end, r);
	}
	return 0;
}

int grid_print_text(const struct grid *g, size_t columns, FILE *out)
{
	struct arena a = { 0 };
	struct layout l = { .g = g, .a = &a, .columns = columns };
	struct pen p = { .out = out, .ascii = columns };
	size_t first = 0, end;
	int err = layout_measure(&l);

	if (!err)
		layout_choose(&l);
	while (!err && first < g->nr_groups) {
		end = first + 1;
		while (end < g->nr_groups &&
		       (!columns || all_width(&l, l.head_keys, first,
					      end + 1) <= columns))
			end++;
		if (first)
			pen_line(&p);
		err = print_block(&l, &p, first, end);
		first = end;
	}
	arena_free(&a);
	return err;
}

/* Bytes of the next line: up to a blank if there is one in reach. */
static size_t line_length(const char *text, size_t room)
{
	size_t len = strlen(text), i;

	if (len <= room)
		return len;
	for (i = room; i > 0; i--)
		if (text[i] == ' ')
			return i;
	return room;
}

void print_wrapped(const char *text, size_t indent, size_t columns,
		   bool ascii, FILE *out)
{
	struct pen p = { .out = out, .ascii = ascii };
	char part[256];
	size_t len, room;

	for (bool first = true; first || *text; first = false) {
		room = columns - (first ? 0 : indent);
		len = line_length(text, room < sizeof(part) - 1 ? room :
						sizeof(part) - 1);
		memcpy(part, text, len);
		part[len] = '\0';
		for (room = len; room && part[room - 1] == ' '; room--)
			part[room - 1] = '\0';
		pen_to(&p, first ? 0 : indent);
		pen_text(&p, part);
		pen_line(&p);
		text += len;
		while (*text == ' ')
			text++;
	}
}
