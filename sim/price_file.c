/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Price files, one price a line:
 *
 *     fault_thp = 505.7us, 928us @ 16 | baseline | v17 table, page_fault1
 *
 * The second value and its number of tasks are optional. A line without a tag
 * and a source is an error: a price nobody can trace is worth nothing.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "include/input.h"
#include "sim/cost.h"

#define MAX_LINE 512
#define MAX_TASKS 1024
#define MAX_PS (UINT64_C(3600) * 1000000000000)

static char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return s;
}

static uint64_t unit_ps(const char *unit)
{
	if (!strcmp(unit, "ns"))
		return 1000;
	if (!strcmp(unit, "us"))
		return 1000000;
	if (!strcmp(unit, "ms"))
		return UINT64_C(1000000000);
	return 0;
}

/* "505.727us" to picoseconds, exactly; -EINVAL if it is not a time. */
static int parse_ps(const char *s, uint64_t *out)
{
	uint64_t whole = 0, frac = 0, scale = 1, unit;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	for (; isdigit((unsigned char)*s); s++) {
		whole = whole * 10 + (uint64_t)(*s - '0');
		if (whole > MAX_PS)
			return -EINVAL;
	}
	if (*s == '.')
		for (s++; isdigit((unsigned char)*s) && scale < 1000000; s++) {
			frac = frac * 10 + (uint64_t)(*s - '0');
			scale *= 10;
		}
	unit = unit_ps(s);
	if (!unit || whole > MAX_PS / unit)
		return -EINVAL;
	*out = whole * unit + frac * unit / scale;
	return 0;
}

static int parse_tasks(const char *s, unsigned int *out)
{
	unsigned int v = 0;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	for (; isdigit((unsigned char)*s); s++) {
		v = v * 10 + (unsigned int)(*s - '0');
		if (v > MAX_TASKS)
			return -EINVAL;
	}
	*out = v;
	return *s || v < 2 ? -EINVAL : 0;
}

static int parse_values(char *text, struct price *p)
{
	char *comma = strchr(text, ','), *at;

	if (comma)
		*comma++ = '\0';
	if (parse_ps(trim(text), &p->ps_1))
		return -EINVAL;
	p->ps_n = p->ps_1;
	p->tasks = 1;
	if (!comma)
		return 0;
	at = strchr(comma, '@');
	if (!at)
		return -EINVAL;
	*at++ = '\0';
	if (parse_ps(trim(comma), &p->ps_n))
		return -EINVAL;
	return parse_tasks(trim(at), &p->tasks);
}

static int find_price(const char *name)
{
	int i;

	for (i = 0; i < NR_PRICES; i++)
		if (!strcmp(price_name((enum price_id)i), name))
			return i;
	return -1;
}

static int find_tag(const char *name)
{
	int i;

	for (i = PRICE_LITERATURE; i <= PRICE_BASELINE; i++)
		if (!strcmp(price_tag_name((enum price_tag)i), name))
			return i;
	return -1;
}

static void unknown_price(struct diag *d, struct diag_place at,
			  const char *name)
{
	const char *names[NR_PRICES + 1] = { 0 };
	const char *near;
	unsigned int i;

	for (i = 0; i < NR_PRICES; i++)
		names[i] = price_name((enum price_id)i);
	near = diag_nearest(name, names);
	diag_error(d, at, "unknown price '%s'%s%s%s", name,
		   near ? "; did you mean '" : "", near ? near : "",
		   near ? "'?" : "");
}

static void read_price(struct price_list *l, char *line, struct diag *d,
		       struct diag_place at, unsigned int *seen_line)
{
	char *value = strchr(line, '='), *tag, *source;
	int id, tag_id;

	if (!value) {
		diag_error(d, at, "expected 'name = value | tag | source'");
		return;
	}
	*value++ = '\0';
	line = trim(line);
	id = find_price(line);
	if (id < 0) {
		unknown_price(d, at, line);
		return;
	}
	if (seen_line[id])
		diag_error(d, at, "'%s' was already set on line %u", line,
			   seen_line[id]);
	seen_line[id] = at.line;
	tag = strchr(value, '|');
	source = tag ? strchr(tag + 1, '|') : NULL;
	if (!source) {
		diag_error(d, at, "'%s' has no '| tag | source'", line);
		return;
	}
	*tag++ = '\0';
	*source++ = '\0';
	tag_id = find_tag(trim(tag));
	if (tag_id < 0 || !*trim(source))
		diag_error(d, at, "the tag is one of literature, measured, "
			   "baseline, and a source must follow");
	else
		l->p[id].tag = (enum price_tag)tag_id;
	snprintf(l->p[id].source, sizeof(l->p[id].source), "%s", trim(source));
	if (parse_values(trim(value), &l->p[id]))
		diag_error(d, at, "'%s' is not a price; write '1.5us' or "
			   "'1.5us, 2us @ 16'", trim(value));
}

/*
 * Who says what a clear costs and not what the second one does says that it is
 * no cheaper.
 */
static void fill_in_rezero(struct price_list *l, const unsigned int *seen_line)
{
	static const enum price_id pairs[][2] = {
		{ PRICE_GUEST_ZERO_2M, PRICE_GUEST_REZERO_2M },
		{ PRICE_GUEST_ZERO_4K, PRICE_GUEST_REZERO_4K },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (seen_line[pairs[i][0]] && !seen_line[pairs[i][1]])
			l->p[pairs[i][1]] = l->p[pairs[i][0]];
}

int price_list_read(struct price_list *l, const char *path, struct diag *d)
{
	unsigned int seen_line[NR_PRICES] = { 0 }, before = d->nr_errors;
	struct diag_place at = { .file = path };
	char buf[MAX_LINE], *line, *hash;
	FILE *f = input_stream(path, PRICE_FILE_MAX);

	if (!f) {
		diag_error(d, at, "cannot read price file: %s",
			   input_error(errno));
		return -ENOENT;
	}
	snprintf(l->name, sizeof(l->name), "%s",
		 strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
	while (fgets(buf, sizeof(buf), f)) {
		at.line++;
		at.column = 1;
		if (!strchr(buf, '\n') && !feof(f)) {
			diag_error(d, at, "line is longer than %d bytes",
				   MAX_LINE - 2);
			break;
		}
		hash = strchr(buf, '#');
		if (hash)
			*hash = '\0';
		line = trim(buf);
		if (*line && strcmp(line, "[prices]") != 0)
			read_price(l, line, d, at, seen_line);
	}
	if (ferror(f))
		diag_error(d, at, "read failed: %s", strerror(errno));
	fclose(f);
	fill_in_rezero(l, seen_line);
	return d->nr_errors == before ? 0 : -EINVAL;
}

static void print_ps(FILE *out, uint64_t ps)
{
	fprintf(out, "%" PRIu64 ".%03" PRIu64 "ns", ps / 1000, ps % 1000);
}

void price_list_print(const struct price_list *l, FILE *out)
{
	unsigned int i;

	fprintf(out, "[prices]\n");
	for (i = 0; i < NR_PRICES; i++) {
		const struct price *p = &l->p[i];

		fprintf(out, "%s = ", price_name((enum price_id)i));
		print_ps(out, p->ps_1);
		if (p->tasks > 1) {
			fprintf(out, ", ");
			print_ps(out, p->ps_n);
			fprintf(out, " @ %u", p->tasks);
		}
		fprintf(out, " | %s | %s\n", price_tag_name(p->tag), p->source);
	}
}
