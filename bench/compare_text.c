/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of a comparison: names of cells, values that moved, why not. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/command.h"
#include "bench/compare_internal.h"

#define MAX_OPTIONS_NAMED 4

const char *const compare_verdict_names[] = {
	[COMPARE_EQUAL] = "equal", [COMPARE_MOVED] = "moved",
	[COMPARE_NOT_COMPARABLE] = "not comparable",
};

int compare_finished(FILE *out)
{
	return fflush(out) || ferror(out) ? -EIO : 0;
}

const char *counted(struct arena *a, size_t nr, const char *what)
{
	const char *text = arena_printf(a, "%zu %s%s", nr, what,
					nr == 1 ? "" : "s");

	return text ? text : what;
}

static const char *point_name(const struct result_cell *c, struct arena *a)
{
	const char *text = arena_printf(a, "variant %s", c->variant);

	for (size_t i = 0; i < c->nr_axes && text; i++)
		text = arena_printf(a, "%s, %s=%s", text, c->axes[i].name,
				    c->axes[i].value);
	return text;
}

const char *compare_cell_name(const struct result_cell *c, struct arena *a)
{
	const char *text = point_name(c, a);

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

/* ---- the most telling first ---- */

enum { RANK_DIGEST, RANK_DESIGN, RANK_HOST, RANK_REST, RANK_PHASES, NR_RANKS };

struct ranked_visit {
	int rank;
	difference_fn fn;
	void *ctx;
};

static bool begins_with(const char *text, const char *begin)
{
	return !strncmp(text, begin, strlen(begin));
}

static int rank_of(const struct difference *d)
{
	if (d->phase)
		return RANK_PHASES;
	if (d->kind == DIFF_TEXT)
		return RANK_DIGEST;
	if (d->kind == DIFF_COUNT && begins_with(d->name, "reporter."))
		return RANK_DESIGN;
	if (d->kind == DIFF_COUNT && begins_with(d->name, "host."))
		return RANK_HOST;
	return RANK_REST;
}

static void visit_rank(void *ctx, const struct difference *d)
{
	const struct ranked_visit *v = ctx;

	if (rank_of(d) == v->rank)
		v->fn(v->ctx, d);
}

void compare_visit_telling(const struct comparison *c,
			   const struct compare_pair *p, difference_fn fn,
			   void *ctx)
{
	struct ranked_visit v = { .fn = fn, .ctx = ctx };

	for (v.rank = RANK_DIGEST; v.rank < NR_RANKS; v.rank++)
		compare_visit(c, p, visit_rank, &v);
}

/* ---- cells that one side lacks ---- */

static const struct result_cell *find_point(const struct results *r,
					    const struct result_cell *like)
{
	for (size_t i = 0; i < r->nr_cells; i++)
		if (compare_same_point(&r->cells[i], like) &&
		    r->cells[i].seed == like->seed)
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

const char *compare_settings_text(const struct result_cell *base,
				  const struct result_cell *new,
				  struct arena *a)
{
	const char *text;
	size_t nr = 0;

	text = options_text(base, new, false, "", &nr, a);
	text = options_text(base, new, true, text, &nr, a);
	if (text && nr > MAX_OPTIONS_NAMED)
		text = arena_printf(a, "%s and %zu more", text,
				    nr - MAX_OPTIONS_NAMED);
	return text ? text : "";
}

const char *compare_missing_text(const struct comparison *c,
				 const struct compare_pair *p,
				 struct arena *a)
{
	const struct result_cell *base = p->base, *new = p->new;
	const char *text;

	if (base)
		new = find_point(c->new, base);
	else
		base = find_point(c->base, new);
	if (!base || !new)
		return "";
	text = compare_settings_text(base, new, a);
	if (*text)
		text = arena_printf(a, "its settings differ: %s", text);
	return text ? text : "";
}

/*
 * Where the run wrote its results the cell is there already, and a command that
 * names the folder would do nothing.
 */
static const char *another_folder(const char *command, struct arena *a)
{
	const char *at = strstr(command, " -o "), *end;

	if (!at)
		return arena_printf(a, "%s -o again", command);
	end = at + strlen(" -o ");
	if (*end == '\'')
		end += 1 + strcspn(end + 1, "'");
	end += strcspn(end, " ");
	return arena_printf(a, "%.*s -o again%s", (int)(at - command), command,
			    end);
}

static const char *repeat_command(const struct results *r, const char *verb,
				  struct arena *a)
{
	const char *command = command_text(r, verb, a);

	return command ? another_folder(command, a) : NULL;
}

const char *compare_repeat_text(const struct comparison *c,
				const struct compare_pair *p, struct arena *a)
{
	const char *command = repeat_command(p->new ? c->new : c->base,
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

/* ---- values over seeds ---- */

const char *seeds_point_name(const struct seeds_value *v, struct arena *a)
{
	const char *text = point_name(v->cell, a);

	if (text && v->base.nr == v->new.nr)
		text = arena_printf(a, "%s, %s", text,
				    counted(a, v->new.nr, "seed"));
	return text ? text : v->cell->variant;
}

bool seeds_change(const struct seeds_value *v, double *percent)
{
	const double was = v->was.median;

	if (!(was > 0) && !(was < 0))
		return false;
	*percent = (v->is.median - was) * 100.0 / (was > 0 ? was : -was);
	return true;
}

/* Why it is no pass. */
static const char *seeds_reason(const struct seeds_value *v, struct arena *a)
{
	switch (v->verdict) {
	case SEEDS_TOO_FEW:
		return arena_printf(a, "%zu against %zu cells can say nothing: "
				    "alpha = %g and min_samples = %" PRIu64
				    " ask for more seeds", v->base.nr,
				    v->new.nr, v->rule->alpha,
				    v->rule->min_samples);
	case SEEDS_LACKING:
		return arena_printf(a, "%zu cells have it in the baseline, %zu "
				    "in the new results", v->base.nr,
				    v->new.nr);
	case SEEDS_MOVED:
		return arena_printf(a, "allowed is %g%s, p below %g counts",
				    v->rule->limit, v->rule->is_percent ?
				    " %" : "", v->rule->alpha);
	default:
		return "";
	}
}

const char *seeds_text(const struct seeds_value *v, struct arena *a)
{
	const char *head = v->phase ? arena_printf(a, "phase %s: ", v->phase) :
				      "";
	const char *why = seeds_reason(v, a), *text = NULL;
	char percent[40];

	percent_text(v->was.median, v->is.median, percent, sizeof(percent));
	if (head && why && v->verdict == SEEDS_LACKING)
		text = arena_printf(a, "%s%s: %s", head, v->name, why);
	else if (head && why)
		text = arena_printf(a, "%s%s median %.15g -> %.15g%s, p %.3g, "
				    "Cliff's delta %+.2f%s%s", head, v->name,
				    v->was.median, v->is.median, percent,
				    v->test.p, v->delta, *why ? "; " : "",
				    why);
	return text ? text : v->name;
}

const char *seeds_repeat_text(const struct comparison *c,
			      const struct seeds_value *v, struct arena *a)
{
	const char *command = repeat_command(c->new, "run", a);

	/* The one of a run of some variants only stays. */
	if (command && !strstr(command, " --only "))
		command = arena_printf(a, "%s --only %s", command,
				       v->cell->variant);
	return command ? command : "";
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
