/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads cells.jsonl. Strict about what is needed and about types, because a
 * counter that is read as something else would be compared as something else;
 * fields that a later version adds are passed over.
 */
#define _GNU_SOURCE
#include "bench/results.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/json_memory.h"
#include "bench/version.h"
#include "include/input.h"
#include "include/plain.h"

#define MAX_RESULT_CELLS 1000000

/* What one line is read with. */
struct reader {
	struct results *r;
	struct diag *d;
	struct diag_place at;
	bool failed, other_schema, no_memory;
};

__attribute__((format(printf, 2, 3)))
static void bad(struct reader *rd, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	diag_error(rd->d, rd->at, "%s", text);
	rd->failed = true;
}

static void out_of_memory(struct reader *rd)
{
	bad(rd, "out of memory");
	rd->no_memory = true;
}

/* A copy in which nothing moves the cursor or ends the line of a table. */
static char *shown_copy(struct reader *rd, const char *text)
{
	char *copy = arena_strdup(&rd->r->arena, text);
	size_t len;

	for (char *c = copy; c && *c; c += len) {
		len = plain_length(c);
		if (!len) {
			*c = ' ';
			len = 1;
		}
	}
	return copy;
}

static const char *get_text(struct reader *rd, json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	const char *copy = text ? shown_copy(rd, text) : NULL;

	if (!text)
		bad(rd, "'%s' is missing or is not a string", key);
	else if (!copy)
		out_of_memory(rd);
	return copy;
}

static uint64_t get_u64(struct reader *rd, json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0) {
		bad(rd, "'%s' is missing or is not a count", key);
		return 0;
	}
	return (uint64_t)json_integer_value(v);
}

static json_t *get_object(struct reader *rd, json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	if (json_is_object(v))
		return v;
	bad(rd, "'%s' is missing or is not an object", key);
	return NULL;
}

static void *get_array(struct reader *rd, size_t nr, size_t size)
{
	void *p = arena_array(&rd->r->arena, nr ? nr : 1, size);

	if (!p)
		out_of_memory(rd);
	return p;
}

static int by_name(const void *a, const void *b)
{
	/* The name is the first member of all three kinds. */
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void read_texts(struct reader *rd, json_t *o,
		       const struct result_text **out, size_t *nr)
{
	struct result_text *t = get_array(rd, json_object_size(o), sizeof(*t));
	const char *key;
	json_t *value;

	*nr = 0;
	if (!t || !o)
		return;
	json_object_foreach(o, key, value) {
		t[*nr].name = shown_copy(rd, key);
		t[*nr].value = get_text(rd, o, key);
		if (!t[*nr].name || !t[*nr].value)
			return;
		(*nr)++;
	}
	qsort(t, *nr, sizeof(*t), by_name);
	*out = t;
}

static void read_counters(struct reader *rd, json_t *o,
			  struct result_values *v)
{
	struct result_counter *c = get_array(rd, json_object_size(o),
					     sizeof(*c));
	const char *key;
	json_t *value;
	size_t n = 0;

	if (!c || !o)
		return;
	json_object_foreach(o, key, value) {
		c[n].name = shown_copy(rd, key);
		c[n].value = get_u64(rd, o, key);
		if (!c[n++].name)
			return;
	}
	qsort(c, n, sizeof(*c), by_name);
	v->counters = c;
	v->nr_counters = n;
}

static void read_metrics(struct reader *rd, json_t *o, struct result_values *v)
{
	struct result_metric *m = get_array(rd, json_object_size(o),
					    sizeof(*m));
	const char *key;
	json_t *value;
	size_t n = 0;

	if (!m || !o)
		return;
	json_object_foreach(o, key, value) {
		if (!json_is_number(value))
			bad(rd, "metric '%s' is not a number", key);
		m[n].name = shown_copy(rd, key);
		m[n].value = json_number_value(value);
		if (!m[n++].name)
			return;
	}
	qsort(m, n, sizeof(*m), by_name);
	v->metrics = m;
	v->nr_metrics = n;
}

static void read_values(struct reader *rd, json_t *o, struct result_values *v)
{
	read_counters(rd, get_object(rd, o, "counters"), v);
	read_metrics(rd, get_object(rd, o, "metrics"), v);
}

static void read_phases(struct reader *rd, json_t *list, struct result_cell *c)
{
	const size_t nr = json_array_size(list);
	struct result_phase *p = get_array(rd, nr, sizeof(*p));

	if (!json_is_array(list))
		bad(rd, "'phases' is missing or is not a list");
	for (size_t i = 0; p && i < nr && !rd->failed; i++) {
		json_t *o = json_array_get(list, i);

		p[i].name = get_text(rd, o, "name");
		p[i].start = get_u64(rd, o, "start_ns");
		p[i].end = get_u64(rd, o, "end_ns");
		p[i].measured_ns = get_u64(rd, o, "measured_ns");
		p[i].iterations = get_u64(rd, o, "iterations");
		read_values(rd, o, &p[i].values);
	}
	c->phases = p;
	c->nr_phases = p ? nr : 0;
}

static void read_cell(struct reader *rd, json_t *o, struct result_cell *c)
{
	c->line = rd->at.line;
	c->schema = get_u64(rd, o, "schema");
	if (!rd->failed && c->schema != RESULT_SCHEMA) {
		bad(rd, "schema %" PRIu64 " is not known; this program reads %d",
		    c->schema, RESULT_SCHEMA);
		rd->other_schema = true;
		return;
	}
	c->model_version = get_u64(rd, o, "model_version");
	c->id = get_text(rd, o, "id");
	c->experiment = get_text(rd, o, "experiment");
	c->variant = get_text(rd, o, "variant");
	c->seed = get_u64(rd, o, "seed");
	c->digest = get_text(rd, o, "digest");
	c->virtual_ns = get_u64(rd, o, "virtual_ns");
	read_texts(rd, get_object(rd, o, "axes"), &c->axes, &c->nr_axes);
	read_texts(rd, get_object(rd, o, "options"), &c->options,
		   &c->nr_options);
	read_values(rd, o, &c->values);
	read_phases(rd, json_object_get(o, "phases"), c);
	c->wall_s = json_number_value(
		json_object_get(json_object_get(o, "wall"), "seconds"));
}

static void read_line(struct reader *rd, const char *line, size_t len)
{
	struct results *r = rd->r;
	json_error_t err;
	json_t *o = json_memory_load(line, len, JSON_REJECT_DUPLICATES,
				     &err);

	if (!o && json_memory_failed()) {
		out_of_memory(rd);
		return;
	}
	if (!o) {
		rd->at.column = err.column > 0 ? (unsigned int)err.column : 0;
		bad(rd, "not a JSON object: %s", err.text);
		rd->at.column = 0;
		return;
	}
	/* The file is read twice: the first time to count. */
	read_cell(rd, o, &r->cells[r->nr_cells]);
	if (!rd->failed)
		r->nr_cells++;
	json_decref(o);
}

static int read_lines(struct reader *rd, FILE *f, bool count, size_t *nr)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len = 0;

	*nr = 0;
	rd->at.line = 0;
	while (!rd->failed &&
	       (len = input_line(&line, &size, MAX_RESULT_LINE, f)) > 0) {
		rd->at.line++;
		if ((size_t)len > MAX_RESULT_LINE) {
			bad(rd, "line is longer than %zu bytes",
			    MAX_RESULT_LINE);
			break;
		}
		if (strspn(line, " \t\r\n") == (size_t)len)
			continue;
		(*nr)++;
		if (line[len - 1] == '\n')
			len--;
		if (!count)
			read_line(rd, line, (size_t)len);
	}
	if (!rd->failed && len < 0)
		out_of_memory(rd);
	if (ferror(f))
		bad(rd, "cannot be read: %s", strerror(errno));
	free(line);
	if (rd->other_schema)
		return -EPROTO;
	return rd->no_memory ? -ENOMEM : rd->failed ? -EINVAL : 0;
}

static int read_file(struct reader *rd, FILE *f)
{
	struct results *r = rd->r;
	size_t nr;
	int err = read_lines(rd, f, true, &nr);

	if (err)
		return err;
	rd->at.line = 0;
	if (nr > MAX_RESULT_CELLS) {
		bad(rd, "%zu cells; at most %d can be read", nr,
		    MAX_RESULT_CELLS);
		return -EINVAL;
	}
	r->cells = get_array(rd, nr, sizeof(*r->cells));
	if (!r->cells)
		return -ENOMEM;
	rewind(f);
	return read_lines(rd, f, false, &nr);
}

/* Folder or file, and where series/ is. */
static int set_paths(struct results *r, const char *path)
{
	struct stat st;
	const char *slash;

	if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
		r->dir = arena_strdup(&r->arena, path);
		r->path = arena_printf(&r->arena, "%s/cells.jsonl", path);
	} else {
		slash = strrchr(path, '/');
		r->path = arena_strdup(&r->arena, path);
		r->dir = slash ? arena_strndup(&r->arena, path,
					       (size_t)(slash - path)) :
				 arena_strdup(&r->arena, ".");
	}
	return r->dir && r->path ? 0 : -ENOMEM;
}

int results_read(struct results *r, const char *path, struct diag *d)
{
	struct reader rd = { .r = r, .d = d };
	FILE *f;
	int err;

	*r = (struct results){ 0 };
	err = set_paths(r, path);
	if (err) {
		rd.at.file = path;
		out_of_memory(&rd);
		return err;
	}
	rd.at.file = r->path;
	/* It is read twice, and a device never ends. */
	f = input_stream(r->path, 0);
	if (!f) {
		err = -errno;
		if (err == -ENODEV)
			bad(&rd, "is not a regular file");
		else
			bad(&rd, "cannot be opened: %s", strerror(errno));
		return err == -ENODEV ? -EINVAL : err;
	}
	err = read_file(&rd, f);
	fclose(f);
	return err;
}

void results_free(struct results *r)
{
	arena_free(&r->arena);
	*r = (struct results){ 0 };
}

void results_series_path(const struct results *r, const struct result_cell *c,
			 char *out, size_t out_size)
{
	snprintf(out, out_size, "%s/series/%s.csv", r->dir, c->id);
}

bool result_counter(const struct result_values *v, const char *name,
		    uint64_t *out)
{
	const struct result_counter key = { .name = name };
	const struct result_counter *c =
		v->nr_counters ? bsearch(&key, v->counters, v->nr_counters,
					 sizeof(key), by_name) : NULL;

	if (c)
		*out = c->value;
	return c;
}

bool result_metric(const struct result_values *v, const char *name,
		   double *out)
{
	const struct result_metric key = { .name = name };
	const struct result_metric *m =
		v->nr_metrics ? bsearch(&key, v->metrics, v->nr_metrics,
					sizeof(key), by_name) : NULL;

	if (m)
		*out = m->value;
	return m;
}

const char *result_option(const struct result_cell *c, const char *name)
{
	const struct result_text key = { .name = name };
	const struct result_text *t =
		c->nr_options ? bsearch(&key, c->options, c->nr_options,
					sizeof(key), by_name) : NULL;

	return t ? t->value : NULL;
}

const char *result_axis(const struct result_cell *c, const char *name)
{
	for (size_t i = 0; i < c->nr_axes; i++)
		if (!strcmp(c->axes[i].name, name))
			return c->axes[i].value;
	return NULL;
}

const struct result_phase *result_phase(const struct result_cell *c,
					const char *name)
{
	for (size_t i = 0; i < c->nr_phases; i++)
		if (!strcmp(c->phases[i].name, name))
			return &c->phases[i];
	return NULL;
}
