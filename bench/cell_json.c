/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results to JSON and CSV and back. Counters are integers; derived values are
 * printed with 15 digits, which every compiler's library rounds alike; jansson
 * sorts the keys. What is named rather than computed (title, variant, axes,
 * phase names) is not part of the id, so it is filled in anew when a stored
 * result is read for another experiment.
 */
#include "bench/cell_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/json_memory.h"
#include "bench/results.h"
#include "bench/store.h"
#include "bench/version.h"
#include "include/check.h"
#include "include/input.h"

#define NR_RESULT_FIELDS 14
#define NR_PHASE_FIELDS 7
#define JSON_STYLE (JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15))

/* jansson ignores a NULL that is set: without memory a field is missing. */
static json_t *whole(json_t *o, size_t nr_fields)
{
	if (json_object_size(o) == nr_fields)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *counters_json(const struct sim_counter *c, unsigned int nr)
{
	json_t *o = json_object();
	unsigned int i;

	for (i = 0; i < nr && o; i++) {
		/* jansson's integers are signed. */
		CHECK_LE(c[i].value, INT64_MAX);
		json_object_set_new(o, c[i].name,
				    json_integer((json_int_t)c[i].value));
	}
	return whole(o, nr);
}

static json_t *metrics_json(const struct sim_metric *m, unsigned int nr)
{
	json_t *o = json_object();
	unsigned int i;

	for (i = 0; i < nr && o; i++)
		json_object_set_new(o, m[i].name, json_real(m[i].value));
	return whole(o, nr);
}

static void set_u64(json_t *o, const char *key, uint64_t value)
{
	CHECK_LE(value, INT64_MAX);
	json_object_set_new(o, key, json_integer((json_int_t)value));
}

static json_t *phase_json(const struct sim_phase_result *p)
{
	json_t *o = json_object();

	json_object_set_new(o, "name", json_string(p->name));
	set_u64(o, "start_ns", p->start);
	set_u64(o, "end_ns", p->end);
	set_u64(o, "measured_ns", p->measured_ns);
	set_u64(o, "iterations", p->iterations);
	json_object_set_new(o, "counters",
			    counters_json(p->counters, p->nr_counters));
	json_object_set_new(o, "metrics",
			    metrics_json(p->metrics, p->nr_metrics));
	return whole(o, NR_PHASE_FIELDS);
}

struct options_json {
	const struct experiment *e;
	const struct cell_body *b;
	json_t *o;
};

static void add_option(void *ctx, enum section_kind kind, unsigned int phase,
		       const struct option_desc *o, const void *base)
{
	const struct options_json *j = ctx;
	char name[200], value[CELL_TEXT_SIZE], section[96];

	snprintf(name, sizeof(name), "%s.%s",
		 experiment_section(j->e, kind, phase, section,
				    sizeof(section)), o->name);
	cell_value(j->b, o, base, value, sizeof(value));
	json_object_set_new(j->o, name, json_string(value));
	if (!cell_is_file(j->b, o, base))
		return;
	/* What the id is made of, so that a comparison can say why. */
	snprintf(name + strlen(name), sizeof(name) - strlen(name), ".content");
	cell_id_value(j->b, o, base, value, sizeof(value));
	json_object_set_new(j->o, name, json_string(value));
}

/* What the experiment at hand calls things. */
static void set_names(json_t *o, const struct experiment *e,
		      const struct cell *c)
{
	struct options_json options = { e, c->body, json_object() };
	json_t *axes = json_object(), *phases = json_object_get(o, "phases");
	unsigned int i;

	for (i = 0; i < c->nr_axes; i++)
		json_object_set_new(axes, c->axes[i].name,
				    json_string(c->axes[i].value));
	cell_visit(c->body, &e->schema, add_option, &options);
	if (e->columns)
		json_object_set_new(options.o, "experiment.columns",
				    json_string(e->columns));
	json_object_set_new(o, "experiment", json_string(e->title));
	json_object_set_new(o, "variant", json_string(c->variant));
	json_object_set_new(o, "axes", axes);
	json_object_set_new(o, "options", options.o);
	for (i = 0; i < json_array_size(phases) && i < e->nr_phases; i++)
		json_object_set_new(json_array_get(phases, i), "name",
				    json_string(e->phases[i].name));
}

static json_t *wall_json(const struct sim_result *r,
			 const struct cell_wall *wall)
{
	json_t *o = json_object();

	json_object_set_new(o, "seconds", json_real(wall->seconds));
	json_object_set_new(o, "shared_seconds",
			    json_real(wall->shared_seconds));
	set_u64(o, "events", r->events);
	if (wall->host)
		json_object_set_new(o, "host", json_string(wall->host));
	if (wall->cpus[0])
		json_object_set_new(o, "cpus", json_string(wall->cpus));
	for (size_t i = 0; wall->is_real && i < NR_HV_REAL; i++) {
		char name[64];

		snprintf(name, sizeof(name), "real_%s", hv_real_name(i));
		set_u64(o, name, ((const uint64_t *)&wall->real)[i]);
	}
	return o;
}

static json_t *result_json(const struct experiment *e, const struct cell *c,
			   const struct sim_result *r,
			   const struct cell_wall *wall)
{
	json_t *o = json_object(), *phases = json_array();
	unsigned int i;

	set_u64(o, "schema", RESULT_SCHEMA);
	set_u64(o, "model_version", MODEL_VERSION);
	json_object_set_new(o, "id", json_string(c->id));
	set_u64(o, "seed", c->seed);
	json_object_set_new(o, "digest", json_string(r->digest));
	set_u64(o, "virtual_ns", r->virtual_ns);
	json_object_set_new(o, "counters",
			    counters_json(r->counters, r->nr_counters));
	json_object_set_new(o, "metrics",
			    metrics_json(r->metrics, r->nr_metrics));
	for (i = 0; i < r->nr_phases; i++)
		json_array_append_new(phases, phase_json(&r->phases[i]));
	if (json_array_size(phases) == r->nr_phases)
		json_object_set(o, "phases", phases);
	json_decref(phases);
	json_object_set_new(o, "wall", wall_json(r, wall));
	set_names(o, e, c);
	o = whole(o, NR_RESULT_FIELDS);
	if (!json_memory_failed())
		return o;
	json_decref(o);
	return NULL;
}

/* In one piece: to a stream jansson writes each token with a call. */
char *cell_text(const json_t *o)
{
	return json_memory_dump(o, JSON_STYLE);
}

int cell_print(const json_t *o, FILE *out)
{
	char *text = cell_text(o);
	int err = 0;

	if (!text)
		return -ENOMEM;
	errno = 0;
	if (fputs(text, out) == EOF || fputc('\n', out) == EOF)
		err = errno ? -errno : -EIO;
	free(text);
	return err;
}

/* Totals first, as of a single guest; then those of each. */
static void series_header(const struct sim_result *r, FILE *out)
{
	unsigned int i;

	fputs("at_ns,guest_free_pages,guest_used_pages,reported_pages,"
	      "host_rss_pages,host_anon_huge_pages,host_lazy_pages,"
	      "host_free_pages,host_swapped_pages,host_cache_pages,"
	      "balloon_pages,balloon_target_pages", out);
	for (i = 0; i < NR_PAGE_ORDERS; i++)
		fprintf(out, ",free_order%u", i);
	if (r->guest_samples)
		fputs(",guests_running", out);
	for (i = 1; r->guest_samples && i <= r->nr_guests; i++)
		fprintf(out, ",guest%u_free_pages,guest%u_used_pages,"
			"guest%u_rss_pages,guest%u_anon_huge_pages,"
			"guest%u_swapped_pages", i, i, i, i, i);
	fputc('\n', out);
}

static void series_guests(const struct sim_result *r, unsigned int sample,
			  FILE *out)
{
	const struct sim_guest_sample *g = &r->guest_samples[
			(size_t)sample * r->nr_guests];
	unsigned int i;

	fprintf(out, ",%" PRIu64, r->samples[sample].guests_running);
	for (i = 0; i < r->nr_guests; i++)
		fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
			",%" PRIu64, g[i].free_pages, g[i].used_pages,
			g[i].rss_pages, g[i].anon_huge_pages,
			g[i].swapped_pages);
}

static int write_series(const struct sim_result *r, const char *path,
			char *why, size_t why_size)
{
	struct store_file f;
	unsigned int i, k;
	int err = store_create_own(&f, path, why, why_size);

	if (err)
		return err;
	series_header(r, f.out);
	for (i = 0; i < r->nr_samples; i++) {
		const struct sim_sample *s = &r->samples[i];

		fprintf(f.out, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
			",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
			",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64,
			s->at, s->guest_free_pages, s->guest_used_pages,
			s->reported_pages, s->host_rss_pages,
			s->host_anon_huge_pages, s->host_lazy_pages,
			s->host_free_pages, s->host_swapped_pages,
			s->host_cache_pages, s->balloon_pages,
			s->balloon_target_pages);
		for (k = 0; k < NR_PAGE_ORDERS; k++)
			fprintf(f.out, ",%" PRIu64, s->free_blocks[k]);
		if (r->guest_samples)
			series_guests(r, i, f.out);
		fputc('\n', f.out);
	}
	return store_publish(&f, why, why_size);
}

/* One line a bin; a bin that holds nothing of interest is there too. */
static int write_maps(const struct sim_result *r, const char *path, char *why,
		      size_t why_size)
{
	struct store_file f;
	int err = store_create_own(&f, path, why, why_size);

	if (err)
		return err;
	fputs("at_ns,first_pfn,pages,free,reported,mapped,huge\n", f.out);
	for (unsigned int i = 0; i < r->nr_maps; i++)
		for (unsigned int k = 0; k < r->maps[i].nr_bins; k++) {
			const struct sim_map *m = &r->maps[i];
			const struct sim_map_bin *b = &m->bins[k];

			fprintf(f.out, "%" PRIu64 ",%u,%u,%u,%u,%u,%u\n",
				m->at, k * m->bin_pages, b->pages, b->free,
				b->reported, b->mapped, b->huge);
		}
	return store_publish(&f, why, why_size);
}

int cell_write(const struct experiment *e, const struct cell *c,
	       const struct sim_result *r, const struct cell_wall *wall,
	       const char *dir, char *why, size_t why_size)
{
	char path[STORE_PATH_SIZE];
	struct store_file f;
	json_t *o;
	int err = 0;

	store_series_path(dir, c->id, path, sizeof(path));
	if (c->body->experiment.sample_ns)
		err = write_series(r, path, why, why_size);
	store_map_path(dir, c->id, path, sizeof(path));
	if (!err && c->body->experiment.map_ns && r->nr_maps)
		err = write_maps(r, path, why, why_size);
	/* The cell's file is the mark that all of it is there: last. */
	store_cell_path(dir, c->id, path, sizeof(path));
	if (!err)
		err = store_create_own(&f, path, why, why_size);
	if (err)
		return err;
	o = result_json(e, c, r, wall);
	err = o ? cell_print(o, f.out) : -ENOMEM;
	json_decref(o);
	if (!err)
		return store_publish(&f, why, why_size);
	snprintf(why, why_size, "%s: cannot write: %s", path, strerror(-err));
	store_discard(&f);
	return err;
}

static bool is_valid(json_t *o, const struct cell *c)
{
	const char *id = json_string_value(json_object_get(o, "id"));

	return id && !strcmp(id, c->id) &&
	       json_integer_value(json_object_get(o, "schema")) ==
		       RESULT_SCHEMA &&
	       json_integer_value(json_object_get(o, "model_version")) ==
		       MODEL_VERSION &&
	       json_is_object(json_object_get(o, "counters")) &&
	       json_array_size(json_object_get(o, "phases")) ==
		       c->body->nr_phases;
}

/* 0 if it is a file, -ENOENT if it is not, or why that cannot be told. */
static int find_file(const char *path)
{
	struct stat st;

	if (!stat(path, &st))
		return S_ISREG(st.st_mode) ? 0 : -ENOENT;
	return errno == ENOTDIR ? -ENOENT : -errno;
}

/* The text of an open file; NULL with *err set. */
static char *read_text(FILE *f, size_t *len, int *err)
{
	struct stat st;
	char *text = NULL;

	*err = 0;
	if (fstat(fileno(f), &st)) {
		*err = -errno;
		return NULL;
	}
	*len = (size_t)st.st_size;
	text = malloc(*len + 1);
	if (!text)
		*err = -ENOMEM;
	else if (fread(text, 1, *len, f) != *len)
		/* Shorter than it was: somebody writes to it. */
		*err = ferror(f) ? -EIO : -ENOENT;
	if (!*err)
		return text;
	free(text);
	return NULL;
}

/*
 * Read first and parsed then: jansson takes what cannot be read for the end,
 * and asks for each byte of a stream with a call.
 */
static int load_file(const char *path, json_t **out)
{
	FILE *f = input_stream(path, MAX_RESULT_LINE);
	json_error_t why;
	size_t len;
	char *text;
	int err;

	/* What is no file, or far too large for one, is no result. */
	if (!f)
		return errno == ENODEV || errno == EISDIR || errno == EFBIG ?
			-ENOENT : -errno;
	text = read_text(f, &len, &err);
	fclose(f);
	if (!text)
		return err;
	*out = json_memory_load(text, len, JSON_REJECT_DUPLICATES, &why);
	free(text);
	if (json_memory_failed())
		return -ENOMEM;
	return *out ? 0 : -ENOENT;
}

/* As it was stored: what it names is another experiment's, maybe. */
static int load_cell(const struct cell *c, const char *dir, json_t **out)
{
	char path[STORE_PATH_SIZE];
	int err = 0;

	*out = NULL;
	store_series_path(dir, c->id, path, sizeof(path));
	if (c->body->experiment.sample_ns)
		err = find_file(path);
	store_cell_path(dir, c->id, path, sizeof(path));
	if (!err)
		err = find_file(path);
	if (!err)
		err = load_file(path, out);
	if (!err && !is_valid(*out, c))
		err = -ENOENT;
	return err;
}

int cell_read(const struct experiment *e, const struct cell *c,
	      const char *dir, json_t **out)
{
	int err = load_cell(c, dir, out);

	if (!err)
		set_names(*out, e, c);
	if (!err && json_memory_failed())
		err = -ENOMEM;
	if (err) {
		json_decref(*out);
		*out = NULL;
	}
	return err;
}

int cell_is_stored(const struct cell *c, const char *dir)
{
	json_t *o;
	const int err = load_cell(c, dir, &o);

	json_decref(o);
	return !err ? 1 : err == -ENOENT ? 0 : err;
}
