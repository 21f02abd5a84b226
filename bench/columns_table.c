/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `columns` of an experiment: its words, and the table they make. */
#include "bench/columns_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/diag.h"
#include "sim/sim.h"

#define SEPARATORS " \t,"
#define SAME_PHASE ','

static const struct column *find_column(const char *name)
{
	const struct column *c = columns;

	while (c->desc.name && strcmp(c->desc.name, name) != 0)
		c++;
	return c->desc.name ? c : NULL;
}

/*
 * The next word of the text: 1; 0 at its end; -EINVAL if it is too long. *w is
 * the word before, whose phase goes on behind a comma.
 */
static int next_word(const char **text, struct column_word *w)
{
	const struct column_word before = *w;
	const size_t gap = strspn(*text, SEPARATORS);
	const bool same = gap && memchr(*text, SAME_PHASE, gap);
	const char *colon;
	size_t len, phase = 0;

	*text += gap;
	len = strcspn(*text, SEPARATORS);
	if (!len)
		return 0;
	colon = memchr(*text, ':', len);
	if (colon)
		phase = (size_t)(colon - *text);
	if (phase >= sizeof(w->phase) || len - phase >= sizeof(w->name))
		return -EINVAL;
	*w = (struct column_word){ .scope = SCOPE_MEASURED };
	memcpy(w->phase, *text, phase);
	phase += colon != NULL;
	memcpy(w->name, *text + phase, len - phase);
	*text += len;
	if (colon)
		w->scope = strcmp(w->phase, "run") ? SCOPE_PHASE : SCOPE_RUN;
	if (!colon && same) {
		w->scope = before.scope;
		memcpy(w->phase, before.phase, sizeof(w->phase));
	}
	return 1;
}

/* A counter is shown as it is, under its own name. */
static void set_column(struct column_word *w)
{
	const struct column *c = find_column(w->name);

	if (c) {
		w->column = *c;
		if (w->scope == SCOPE_MEASURED && c->of_run)
			w->scope = SCOPE_RUN;
		return;
	}
	if (w->scope == SCOPE_MEASURED)
		w->scope = SCOPE_RUN;
	w->column = (struct column){
		.kind = COLUMN_SUM, .scale = 1, .shown = { .suffix = "" },
	};
}

/* ---- checking ---- */

static int unknown_name(const struct column_word *w,
			const struct sim_counter_desc *counters, char *why,
			size_t why_size)
{
	const char *names[SIM_MAX_COUNTERS + COLUMNS_LISTED + 2];
	const char *near;
	size_t nr = 0;

	for (size_t i = 0; columns[i].desc.name && nr < COLUMNS_LISTED; i++)
		names[nr++] = columns[i].desc.name;
	for (size_t i = 0; counters[i].name[0]; i++) {
		if (!strcmp(counters[i].name, w->name))
			return 0;
		names[nr++] = counters[i].name;
	}
	names[nr] = NULL;
	near = diag_nearest(w->name, names);
	snprintf(why, why_size, "'%s' is neither a column nor a counter%s%s%s; "
		 "`buddylab list columns` has them all", w->name,
		 near ? "; did you mean '" : "", near ? near : "",
		 near ? "'?" : "");
	return -EINVAL;
}

static int check_phase(const struct column_word *w, const char *const *phases,
		       char *why, size_t why_size)
{
	if (w->scope != SCOPE_PHASE)
		return 0;
	for (; *phases; phases++)
		if (!strcmp(w->phase, *phases))
			return 0;
	snprintf(why, why_size, "'%s' is not a phase of this experiment",
		 w->phase);
	return -EINVAL;
}

static int check_words(const char *text, const char *const *phases,
		       const struct sim_counter_desc *counters, char *why,
		       size_t why_size)
{
	struct column_word w = { .scope = SCOPE_MEASURED };
	unsigned int nr = 0;
	int ret;

	while ((ret = next_word(&text, &w)) > 0) {
		if (++nr > COLUMNS_MAX)
			break;
		if (!find_column(w.name) &&
		    unknown_name(&w, counters, why, why_size))
			return -EINVAL;
		if (check_phase(&w, phases, why, why_size))
			return -EINVAL;
	}
	if (!ret)
		return 0;
	snprintf(why, why_size, ret < 0 ? "a word of it is too long" :
					  "more than 32 columns");
	return -EINVAL;
}

int columns_check(const char *text, const char *const *phases, char *why,
		  size_t why_size)
{
	struct sim_counter_desc *counters =
		calloc(SIM_MAX_COUNTERS + 1, sizeof(*counters));
	int err;

	if (!counters)
		return -ENOMEM;
	sim_counter_table(counters);
	err = check_words(text, phases, counters, why, why_size);
	free(counters);
	return err;
}

/* ---- the table ---- */

static bool name_is_repeated(const struct column_words *all, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < all->nr; i++)
		n += !strcmp(all->w[i].name, name);
	return n > 1;
}

/* A column that is shown of several phases says of which. */
static int label_columns(struct column_words *all, struct arena *a)
{
	for (size_t i = 0; i < all->nr; i++) {
		const struct column_word *w = &all->w[i];
		struct grid_column *c = &all->shown[i];
		const char *of = w->scope == SCOPE_RUN ? "run" :
				 w->scope == SCOPE_PHASE ? w->phase : "measured";

		*c = w->column.shown;
		if (!c->label)
			c->label = c->name = w->name;
		if (!c->unit)
			c->unit = "";
		if (name_is_repeated(all, w->name)) {
			c->label = arena_printf(a, "%s %s", of, c->label);
			c->name = arena_printf(a, "%s:%s", of, c->name);
		}
		if (!c->label || !c->name)
			return -ENOMEM;
	}
	return 0;
}

int columns_words(const char *text, struct column_words *all, struct arena *a)
{
	struct column_word next = { .scope = SCOPE_MEASURED };

	while (all->nr < COLUMNS_MAX && next_word(&text, &next) > 0) {
		struct column_word *w = &all->w[all->nr++];

		*w = next;
		set_column(w);
		if (!w->column.desc.name)
			w->column.of[0] = w->name;
	}
	return label_columns(all, a);
}

/* "(t50: seconds until ...; hold: ...)" */
static const char *note_text(const struct column_words *all, struct arena *a)
{
	const char *text = "(";

	for (size_t i = 0; i < all->nr && text; i++) {
		const struct column_word *w = &all->w[i];
		size_t k = 0;

		while (strcmp(all->w[k].name, w->name) != 0)
			k++;
		if (k == i && w->column.desc.help)
			text = arena_printf(a, "%s%s%s: %s", text,
					    text[1] ? "; " : "",
					    w->column.shown.label,
					    w->column.desc.help);
	}
	return text ? arena_printf(a, "%s)", text) : NULL;
}

static struct grid_value slot_number(const struct column_word *w,
				     const struct group_slot *s)
{
	struct tally t = { 0 };
	double v;

	for (size_t i = 0; i < s->nr; i++)
		if (column_number(w, s->cells[i], &v))
			tally_add(&t, v);
	/* The mean of some seeds would say something about them only. */
	return (struct grid_value){ t.nr && t.nr == s->nr, tally_mean(&t),
				    t.min, t.max };
}

static struct grid_value word_value(const struct column_word *w,
				    const struct grouping *g,
				    const struct group_row *row, size_t group)
{
	struct grid_value v = slot_number(w, &row->slots[group]), base;
	const struct group_row *ref;

	if (w->column.kind != COLUMN_RATIO)
		return v;
	ref = grouping_reference(g, row);
	base = ref ? slot_number(w, &ref->slots[group]) :
		     (struct grid_value){ 0 };
	v.present = v.present && base.present && base.mean > 0;
	if (v.present)
		v.mean = v.min = v.max = v.mean / base.mean;
	return v;
}

static int fill_row(struct grid_row *out, const struct grid *t,
		    const struct column_words *all, const struct grouping *g,
		    const struct group_row *row, size_t group, struct arena *a)
{
	size_t k = 0;

	out->keys = arena_array(a, t->nr_keys, sizeof(*out->keys));
	out->values = arena_array(a, all->nr, sizeof(*out->values));
	if (!out->keys || !out->values)
		return -ENOMEM;
	out->keys[k++] = row->variant;
	if (g->group_axis)
		out->keys[k++] = g->groups[group];
	for (size_t i = 0; i < g->nr_axes; i++)
		out->keys[k++] = row->axes[i];
	for (size_t i = 0; i < all->nr; i++)
		out->values[i] = word_value(&all->w[i], g, row, group);
	return 0;
}

static int make_keys(struct grid *t, const struct grouping *g, struct arena *a)
{
	size_t k = 0;

	t->nr_keys = 1 + (g->group_axis != NULL) + g->nr_axes;
	t->keys = arena_array(a, t->nr_keys, sizeof(*t->keys));
	t->key_names = arena_array(a, t->nr_keys, sizeof(*t->key_names));
	if (!t->keys || !t->key_names)
		return -ENOMEM;
	t->keys[k] = t->key_names[k] = "variant";
	k++;
	if (g->group_axis) {
		t->keys[k] = "workload";
		t->key_names[k++] = g->group_axis;
	}
	for (size_t i = 0; i < g->nr_axes; i++, k++) {
		t->keys[k] = g->axis_labels[i];
		t->key_names[k] = g->axes[i];
	}
	return 0;
}

/* Workload by workload, so that what compares stands together. */
int table_columns(struct grid *t, const char *text, const struct grouping *g,
		  struct arena *a)
{
	static const char *const no_groups[] = { "" };
	struct column_words *all = arena_alloc(a, sizeof(*all));
	int err = all ? columns_words(text, all, a) : -ENOMEM;

	if (err)
		return err;
	*t = (struct grid){
		.name = "columns", .title = "Results",
		.note = note_text(all, a), .groups = no_groups, .nr_groups = 1,
		.columns = all->shown, .nr_columns = all->nr,
	};
	t->rows = arena_array(a, g->nr_rows * g->nr_groups + 1,
			      sizeof(*t->rows));
	if (!t->note || !t->rows || make_keys(t, g, a))
		return -ENOMEM;
	for (size_t i = 0; i < g->nr_groups && all->nr && !err; i++)
		for (size_t r = 0; r < g->nr_rows && !err; r++) {
			if (!g->rows[r].slots[i].nr)
				continue;
			err = fill_row(&t->rows[t->nr_rows], t, all, g,
				       &g->rows[r], i, a);
			t->nr_rows += !err;
		}
	return err;
}
