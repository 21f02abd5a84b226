/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Effective values of a cell, its id, and the keys by which cells are alike. */
#include "bench/cell.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void visit_table(const struct option_table *t, const void *base,
			enum section_kind kind, unsigned int phase,
			cell_option_fn fn, void *ctx)
{
	const struct option_desc *o;

	for (o = t->descs; o->name; o++)
		fn(ctx, kind, phase, o, base);
}

/* [experiment]: only the sampling is part of what is run. */
static void visit_experiment(const struct cell_body *b, const struct schema *s,
			     cell_option_fn fn, void *ctx)
{
	const struct option_desc *o =
		option_find(&s->head[SECTION_EXPERIMENT], "sample");

	fn(ctx, SECTION_EXPERIMENT, 0, o, &b->experiment);
}

static void visit_phase(const struct cell_body *b, const struct schema *s,
			unsigned int i, cell_option_fn fn, void *ctx)
{
	const struct sim_phase_config *p = &b->phases[i];
	const struct option_table *t =
		schema_member(s, SECTION_PHASE, b->workloads[i].member);

	visit_table(&s->head[SECTION_PHASE], &b->workloads[i], SECTION_PHASE,
		    i, fn, ctx);
	visit_table(&s->common[SECTION_PHASE], &p->opt, SECTION_PHASE, i, fn,
		    ctx);
	visit_table(t, p->workload_options, SECTION_PHASE, i, fn, ctx);
}

/* Two builds of a design out of tree are two designs. */
static const struct option_desc plugin_desc = {
	.name = "plugin", .type = OPTION_STRING, .unit = "",
};

static void visit_base(const struct cell_body *b, const struct schema *s,
		       cell_option_fn fn, void *ctx)
{
	visit_experiment(b, s, fn, ctx);
	visit_table(&s->common[SECTION_GUEST], &b->guest, SECTION_GUEST, 0, fn,
		    ctx);
	visit_table(&s->head[SECTION_HOST], &b->host_choice, SECTION_HOST, 0,
		    fn, ctx);
	visit_table(&s->common[SECTION_HOST], &b->host, SECTION_HOST, 0, fn,
		    ctx);
	visit_table(schema_member(s, SECTION_HOST, b->host_choice.member),
		    b->hypervisor_options, SECTION_HOST, 0, fn, ctx);
	visit_table(&s->head[SECTION_REPORTER], &b->reporter_choice,
		    SECTION_REPORTER, 0, fn, ctx);
	visit_table(schema_member(s, SECTION_REPORTER,
				  b->reporter_choice.member),
		    b->reporter_options, SECTION_REPORTER, 0, fn, ctx);
	if (b->reporter_plugin[0])
		fn(ctx, SECTION_REPORTER, 0, &plugin_desc, b->reporter_plugin);
}

static void visit_event(const struct cell_body *b, const struct schema *s,
			unsigned int i, cell_option_fn fn, void *ctx)
{
	visit_table(&s->head[SECTION_EVENT], &b->event_phases[i],
		    SECTION_EVENT, i, fn, ctx);
	visit_table(&s->common[SECTION_EVENT], &b->events[i].opt,
		    SECTION_EVENT, i, fn, ctx);
}

static void visit_inject(const struct cell_body *b, const struct schema *s,
			 unsigned int i, cell_option_fn fn, void *ctx)
{
	visit_table(&s->head[SECTION_INJECT], &b->inject_phases[i],
		    SECTION_INJECT, i, fn, ctx);
	visit_table(&s->common[SECTION_INJECT], &b->injects[i].opt,
		    SECTION_INJECT, i, fn, ctx);
}

/* Events and injections of one phase, or of all with phase = nr_phases. */
static void visit_moments(const struct cell_body *b, const struct schema *s,
			  unsigned int phase, cell_option_fn fn, void *ctx)
{
	const bool all = phase == b->nr_phases;
	unsigned int i;

	for (i = 0; i < b->nr_events; i++)
		if (all || b->events[i].phase == phase)
			visit_event(b, s, i, fn, ctx);
	for (i = 0; i < b->nr_injects; i++)
		if (all || b->injects[i].phase == phase)
			visit_inject(b, s, i, fn, ctx);
}

void cell_visit(const struct cell_body *b, const struct schema *s,
		cell_option_fn fn, void *ctx)
{
	unsigned int i;

	visit_base(b, s, fn, ctx);
	for (i = 0; i < b->nr_phases; i++)
		visit_phase(b, s, i, fn, ctx);
	visit_moments(b, s, b->nr_phases, fn, ctx);
}

static const struct cell_path *find_path(const struct cell_body *b,
					 const struct option_desc *o,
					 const void *base)
{
	const char *at = (const char *)base + o->offset;
	unsigned int i;

	for (i = 0; i < b->nr_paths; i++)
		if (b->paths[i].at == at)
			return &b->paths[i];
	return NULL;
}

void cell_value(const struct cell_body *b, const struct option_desc *o,
		const void *base, char *out, size_t out_size)
{
	const struct cell_path *p = find_path(b, o, base);

	if (p)
		snprintf(out, out_size, "%s", p->written);
	else
		option_format(o, base, out, out_size);
}

void cell_id_value(const struct cell_body *b, const struct option_desc *o,
		   const void *base, char *out, size_t out_size)
{
	const struct cell_path *p = find_path(b, o, base);

	if (p)
		snprintf(out, out_size, "xxh3:%s", p->digest);
	else
		option_format(o, base, out, out_size);
}

bool cell_is_file(const struct cell_body *b, const struct option_desc *o,
		  const void *base)
{
	return find_path(b, o, base);
}

/* Lines under construction. */
struct lines {
	const struct cell_body *b;
	struct arena *a;
	char **line;
	size_t nr, capacity;
	bool no_memory;
};

static bool is_enabled(const struct cell_body *b, enum section_kind kind,
		       unsigned int i)
{
	return kind == SECTION_EVENT ? b->events[i].opt.enabled :
	       kind == SECTION_INJECT ? b->injects[i].opt.enabled : true;
}

/* Named sections count from 1; those that are off do not count. */
static unsigned int line_number(const struct cell_body *b,
				enum section_kind kind, unsigned int i)
{
	unsigned int nr = 0, k;

	for (k = 0; k <= i; k++)
		nr += is_enabled(b, kind, k);
	return nr;
}

/* The phase of an event is a number: names are no part of an id. */
static void id_value(const struct cell_body *b, enum section_kind kind,
		     const struct option_desc *o, const void *base, char *out,
		     size_t out_size)
{
	if ((kind == SECTION_EVENT || kind == SECTION_INJECT) &&
	    o->names && !strcmp(o->name, "phase"))
		snprintf(out, out_size, "%u",
			 ((const struct chooser_options *)base)->member + 1);
	else
		cell_id_value(b, o, base, out, out_size);
}

static void add_line(void *ctx, enum section_kind kind, unsigned int phase,
		     const struct option_desc *o, const void *base)
{
	struct lines *l = ctx;
	char value[CELL_TEXT_SIZE];
	char **grown;

	if (!is_enabled(l->b, kind, phase))
		return;
	if (l->nr == l->capacity) {
		const size_t capacity = l->capacity * 2 + 64;

		grown = realloc(l->line, capacity * sizeof(*l->line));
		l->no_memory |= !grown;
		if (!grown)
			return;
		l->line = grown;
		l->capacity = capacity;
	}
	id_value(l->b, kind, o, base, value, sizeof(value));
	if (schema_is_named(kind))
		l->line[l->nr] = arena_printf(l->a, "%s.%u.%s=%s\n",
					      schema_section_name(kind),
					      line_number(l->b, kind, phase),
					      o->name, value);
	else
		l->line[l->nr] = arena_printf(l->a, "%s.%s=%s\n",
					      schema_section_name(kind),
					      o->name, value);
	l->no_memory |= !l->line[l->nr];
	l->nr += !!l->line[l->nr];
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All lines in one text, sorted; NULL without memory. Empties *l. */
static char *join_lines(struct lines *l)
{
	size_t len = 0, at = 0, i;
	char *text;

	for (i = 0; i < l->nr; i++)
		len += strlen(l->line[i]);
	text = l->no_memory ? NULL : arena_alloc(l->a, len + 1);
	if (text) {
		qsort(l->line, l->nr, sizeof(*l->line), by_bytes);
		for (i = 0; i < l->nr; i++) {
			const size_t n = strlen(l->line[i]);

			memcpy(text + at, l->line[i], n);
			at += n;
		}
	}
	free(l->line);
	*l = (struct lines){ .b = l->b, .a = l->a };
	return text;
}

/* A phase whose workload reads files decides how the guest starts. */
static bool shapes_start(const struct cell_body *b, const struct schema *s,
			 unsigned int phase)
{
	const struct option_desc *o =
		schema_member(s, SECTION_PHASE, b->workloads[phase].member)
			->descs;

	for (; o->name; o++)
		if (option_is_path(o))
			return true;
	return false;
}

/* The phase number is in its lines; equal phases at other places differ. */
static int set_phase_key(struct cell_body *b, const struct schema *s,
			 struct arena *scratch, unsigned int i)
{
	struct lines l = { .b = b, .a = scratch };
	char *text;

	visit_phase(b, s, i, add_line, &l);
	visit_moments(b, s, i, add_line, &l);
	text = join_lines(&l);
	if (!text)
		return -ENOMEM;
	digest_bytes_hex(text, strlen(text), b->phase_keys[i]);
	return 0;
}

static int set_base_key(struct cell_body *b, const struct schema *s,
			struct arena *scratch)
{
	struct lines l = { .b = b, .a = scratch };
	/* Who knows the future has a first pass of all phases behind it. */
	const bool all = s->registry->reporters[b->reporter_choice.member]
				 ->needs_future;
	unsigned int i;
	char *text;

	visit_base(b, s, add_line, &l);
	for (i = 0; i < b->nr_phases; i++)
		if (all || shapes_start(b, s, i))
			visit_phase(b, s, i, add_line, &l);
	if (all)
		visit_moments(b, s, b->nr_phases, add_line, &l);
	text = join_lines(&l);
	if (!text)
		return -ENOMEM;
	digest_bytes_hex(text, strlen(text), b->base_key);
	return 0;
}

int cell_body_finish(struct cell_body *b, const struct schema *s,
		     struct arena *a)
{
	struct arena scratch = { 0 };
	struct lines l = { .b = b, .a = &scratch };
	unsigned int i;
	char *text;
	int err;

	cell_visit(b, s, add_line, &l);
	text = join_lines(&l);
	b->lines = text ? arena_strdup(a, text) : NULL;
	b->phase_keys = arena_array(a, b->nr_phases + 1,
				    sizeof(*b->phase_keys));
	err = b->lines && b->phase_keys ? 0 : -ENOMEM;
	if (!err)
		err = set_base_key(b, s, &scratch);
	for (i = 0; i < b->nr_phases && !err; i++)
		err = set_phase_key(b, s, &scratch, i);
	arena_free(&scratch);
	return err;
}

/* "seed=" sorts behind "reporter." and "phase.", so it is the last line. */
int cell_finish(struct cell *c)
{
	const size_t len = strlen(c->body->lines);
	char *text = malloc(len + 40);
	int n;

	if (!text)
		return -ENOMEM;
	memcpy(text, c->body->lines, len);
	n = snprintf(text + len, 40, "seed=%" PRIu64 "\n", c->seed);
	digest_bytes_hex(text, len + (size_t)n, c->id);
	free(text);
	return 0;
}

void cell_describe(const struct cell *c, char *out, size_t out_size)
{
	size_t len;
	unsigned int i;

	snprintf(out, out_size, "variant %s, ", c->variant);
	for (i = 0; i < c->nr_axes; i++) {
		len = strlen(out);
		snprintf(out + len, out_size - len, "%s=%s, ",
			 c->axes[i].name, c->axes[i].value);
	}
	len = strlen(out);
	snprintf(out + len, out_size - len, "seed %" PRIu64, c->seed);
}
