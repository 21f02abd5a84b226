/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of a comparison: names of cells, values that moved, why not. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/command.h"
#include "bench/compare_internal.h"

#define MAX_OPTIONS_NAMED 4

const char *compare_cell_name(const struct result_cell *c, struct arena *a)
{
	const char *text = arena_printf(a, "variant %s", c->variant);

	for (size_t i = 0; i < c->nr_axes && text; i++)
		text = arena_printf(a, "%s, %s=%s", text, c->axes[i].name,
				    c->axes[i].value);
	if (text)
		text = arena_printf(a, "%s, seed %" PRIu64, text, c->seed);
	return text ? text : c->id;
}

static void percent_text(double was, double is, char *out, size_t out_size)
{
	out[0] = '\0';
	if (was > 0 || was < 0)
		snprintf(out, out_size, " (%+.2f %%)",
			 (is - was) * 100.0 / was);
}

void difference_text(const struct difference *d, char *out, size_t out_size)
{
	char head[160] = "", percent[40];

	if (d->phase)
		snprintf(head, sizeof(head), "phase %s: ", d->phase);
	switch (d->kind) {
	case DIFF_TEXT:
		snprintf(out, out_size, "%s%s %s -> %s", head, d->name,
			 d->text_was, d->text_is);
		return;
	case DIFF_COUNT:
		percent_text((double)d->was, (double)d->is, percent,
			     sizeof(percent));
		snprintf(out, out_size, "%s%s %" PRIu64 " -> %" PRIu64 "%s",
			 head, d->name, d->was, d->is, percent);
		return;
	case DIFF_METRIC:
		percent_text(d->metric_was, d->metric_is, percent,
			     sizeof(percent));
		snprintf(out, out_size, "%smetric.%s %.15g -> %.15g%s", head,
			 d->name, d->metric_was, d->metric_is, percent);
		return;
	}
}

/* ---- cells that one side lacks ---- */

static bool same_point(const struct result_cell *a, const struct result_cell *b)
{
	if (a->seed != b->seed || a->nr_axes != b->nr_axes ||
	    strcmp(a->variant, b->variant) != 0)
		return false;
	for (size_t i = 0; i < a->nr_axes; i++)
		if (strcmp(a->axes[i].name, b->axes[i].name) != 0 ||
		    strcmp(a->axes[i].value, b->axes[i].value) != 0)
			return false;
	return true;
}

static const struct result_cell *find_point(const struct results *r,
					    const struct result_cell *like)
{
	for (size_t i = 0; i < r->nr_cells; i++)
		if (same_point(&r->cells[i], like))
			return &r->cells[i];
	return NULL;
}

static const char *value_or_none(const char *value)
{
	return value ? value : "(none)";
}

/* Names in `a` whose value differs in `b`, as "name was -> is". */
static const char *options_text(const struct result_cell *base,
				const struct result_cell *new, bool only_new,
				const char *text, size_t *nr, struct arena *a)
{
	const struct result_cell *walk = only_new ? new : base;

	for (size_t i = 0; i < walk->nr_options && text; i++) {
		const char *name = walk->options[i].name;
		const char *was = result_option(base, name);
		const char *is = result_option(new, name);

		if ((only_new && was) || (was && is && !strcmp(was, is)))
			continue;
		if ((*nr)++ < MAX_OPTIONS_NAMED)
			text = arena_printf(a, "%s%s%s %s -> %s", text,
					    *text ? ", " : "", name,
					    value_or_none(was),
					    value_or_none(is));
	}
	return text;
}

const char *compare_missing_text(const struct comparison *c,
				 const struct compare_pair *p,
				 struct arena *a)
{
	const struct result_cell *base = p->base, *new = p->new;
	const char *text;
	size_t nr = 0;

	if (base)
		new = find_point(c->new, base);
	else
		base = find_point(c->base, new);
	if (!base || !new)
		return "";
	text = options_text(base, new, false, "", &nr, a);
	text = options_text(base, new, true, text, &nr, a);
	if (!text || !*text)
		return "";
	if (nr > MAX_OPTIONS_NAMED)
		text = arena_printf(a, "its settings differ: %s and %zu more",
				    text, nr - MAX_OPTIONS_NAMED);
	else
		text = arena_printf(a, "its settings differ: %s", text);
	return text ? text : "";
}

const char *compare_repeat_text(const struct comparison *c,
				const struct compare_pair *p, struct arena *a)
{
	const char *command = command_text(p->new ? c->new : c->base,
					   "run-cell", a);

	if (command)
		command = arena_printf(a, "%s --cell %s", command,
				       p->new ? p->new->id : p->base->id);
	return command ? command : "";
}

static uint64_t model_of(const struct results *r)
{
	return r->nr_cells ? r->cells[0].model_version : 0;
}

const char *compare_model_text(const struct comparison *c, struct arena *a)
{
	const uint64_t base = model_of(c->base), new = model_of(c->new);

	if (base == new || !base || !new)
		return NULL;
	return arena_printf(a, "the baseline is of model version %" PRIu64
			    ", the new cells are of %" PRIu64 ": values are "
			    "expected to move", base, new);
}

/* ---- sums ---- */

struct sums {
	struct moved_counter *c;
	size_t nr, capacity;
	bool no_memory;
	struct arena *a;
};

static struct moved_counter *sums_find(struct sums *s, const char *name)
{
	for (size_t i = 0; i < s->nr; i++)
		if (!strcmp(s->c[i].name, name))
			return &s->c[i];
	return NULL;
}

static void sums_grow(struct sums *s)
{
	const size_t capacity = s->capacity * 2 + 64;
	struct moved_counter *c = arena_array(s->a, capacity, sizeof(*c));

	s->no_memory |= !c;
	if (!c)
		return;
	if (s->nr)
		memcpy(c, s->c, s->nr * sizeof(*c));
	s->c = c;
	s->capacity = capacity;
}

/* Only counters of whole runs: those of phases say the same again. */
static void sum_difference(void *ctx, const struct difference *d)
{
	struct sums *s = ctx;
	struct moved_counter *m;

	if (d->phase || d->kind != DIFF_COUNT)
		return;
	m = sums_find(s, d->name);
	if (!m && s->nr == s->capacity)
		sums_grow(s);
	if (s->no_memory)
		return;
	if (!m) {
		m = &s->c[s->nr++];
		m->name = d->name;
	}
	m->was += (double)d->was;
	m->is += (double)d->is;
	m->nr_cells++;
}

static int by_counter_name(const void *a, const void *b)
{
	return strcmp(((const struct moved_counter *)a)->name,
		      ((const struct moved_counter *)b)->name);
}

int compare_moved_counters(const struct comparison *c, struct arena *a,
			   const struct moved_counter **out, size_t *nr)
{
	struct sums s = { .a = a };

	for (size_t i = 0; i < c->nr_pairs; i++)
		compare_visit(c, &c->pairs[i], sum_difference, &s);
	if (s.no_memory)
		return -ENOMEM;
	if (s.nr)
		qsort(s.c, s.nr, sizeof(*s.c), by_counter_name);
	*out = s.c;
	*nr = s.nr;
	return 0;
}
