/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wanted of a point: objectives and requirements. A name is a column of
 * tables, a counter, or a metric of results (bench/columns.h).
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/tune.h"

/* Metrics of results that no column shows as they are. */
static const char *const more_metrics[] = {
	"host_rss_end_bytes", "host_anon_huge_end_bytes",
	"guest_free_end_bytes", "guest_used_end_bytes", NULL
};

int tune_goal_add(struct tune_goal *g, const char *text, char *why,
		  size_t why_size)
{
	const char *colon = strrchr(text, ':');
	struct tune_objective *o = &g->objectives[g->nr_objectives];

	if (g->nr_objectives == TUNE_MAX_OBJECTIVES) {
		snprintf(why, why_size, "more than %d objectives",
			 TUNE_MAX_OBJECTIVES);
		return -EINVAL;
	}
	if (!colon || colon == text ||
	    (strcmp(colon, ":max") && strcmp(colon, ":min"))) {
		snprintf(why, why_size, "'%.80s' is no objective; write "
			 "[PHASE:]NAME:max or :min, as reclaimed:max", text);
		return -EINVAL;
	}
	o->text = arena_strndup(&g->arena, text, (size_t)(colon - text));
	o->smaller = !strcmp(colon, ":min");
	if (!o->text)
		return -ENOMEM;
	g->nr_objectives++;
	return 0;
}

int tune_goal_require(struct tune_goal *g, const char *text, char *why,
		      size_t why_size)
{
	const size_t len = strcspn(text, "<>=");
	struct tune_requirement *r = &g->required[g->nr_required];
	const char *op = text + len;
	char *end;

	if (g->nr_required == TUNE_MAX_REQUIRED) {
		snprintf(why, why_size, "more than %d requirements",
			 TUNE_MAX_REQUIRED);
		return -EINVAL;
	}
	r->least = *op == '>' || *op == '=';
	r->most = *op == '<' || *op == '=';
	op += *op == '=' || !*op ? 0 : 1;
	if (len && *op == '=') {
		r->bound = strtod(op + 1, &end);
		if (end != op + 1 && !*end && isfinite(r->bound)) {
			r->text = arena_strndup(&g->arena, text, len);
			g->nr_required += r->text != NULL;
			return r->text ? 0 : -ENOMEM;
		}
	}
	snprintf(why, why_size, "'%.80s' is no requirement; write "
		 "[PHASE:]NAME=N, NAME<=N or NAME>=N, as host.oom=0", text);
	return -EINVAL;
}

/* A metric by its name in results; false if there is none of that name. */
static bool find_metric(const char *name, struct column *out)
{
	size_t i;

	for (i = 0; columns[i].desc.name; i++)
		if (columns[i].kind == COLUMN_METRIC &&
		    !strcmp(columns[i].of[0], name))
			break;
	if (columns[i].desc.name) {
		*out = columns[i];
		out->scale = 1;
		out->desc.name = name;
		return true;
	}
	for (i = 0; more_metrics[i]; i++)
		if (!strcmp(more_metrics[i], name)) {
			*out = (struct column){
				.desc = { name, NULL }, .kind = COLUMN_METRIC,
				.of = { name }, .scale = 1,
			};
			return true;
		}
	return false;
}

/* Only a single word, and one that a column has when it stands alone. */
static int set_word(struct tune_goal *g, const char *text,
		    const char *const *phases, struct column_word *w, char *why,
		    size_t why_size)
{
	struct column_words *all = arena_alloc(&g->arena, sizeof(*all));
	const char *colon = strchr(text, ':');
	const char *name = colon ? colon + 1 : text;
	struct column metric;
	const bool is_metric = find_metric(name, &metric);
	/* Any column has the scope that a metric would have. */
	const char *like = is_metric ? arena_printf(&g->arena, "%.*sthroughput",
						    (int)(name - text), text) :
				       text;
	int err = all && like ? 0 : -ENOMEM;

	if (!err && (!*name || strpbrk(text, " \t,"))) {
		snprintf(why, why_size, "'%.80s' is not the name of one "
			 "column", text);
		err = -EINVAL;
	}
	if (!err && !strcmp(name, "ratio")) {
		snprintf(why, why_size, "'ratio' is of a row, not of a cell; "
			 "use throughput");
		err = -EINVAL;
	}
	if (!err)
		err = columns_check(like, phases, why, why_size);
	if (!err)
		err = columns_words(like, all, &g->arena);
	if (err)
		return err;
	*w = all->w[0];
	/* columns_words() leaves a counter's name pointing into `all`. */
	if (is_metric) {
		w->column = metric;
		snprintf(w->name, sizeof(w->name), "%s", name);
	}
	return 0;
}

int tune_goal_check(struct tune_goal *g, const struct experiment *e, char *why,
		    size_t why_size)
{
	const char *phases[EXPERIMENT_MAX_PHASES + 1] = { 0 };
	unsigned int i;
	int err = 0;

	for (i = 0; i < e->nr_phases; i++)
		phases[i] = e->phases[i].name;
	for (i = 0; i < g->nr_objectives && !err; i++) {
		struct tune_objective *o = &g->objectives[i];

		err = set_word(g, o->text, phases, &o->word, why, why_size);
		snprintf(o->label, sizeof(o->label), "%s, %s", o->text,
			 o->smaller ? "min" : "max");
	}
	for (i = 0; i < g->nr_required && !err; i++)
		err = set_word(g, g->required[i].text, phases,
			       &g->required[i].word, why, why_size);
	return err;
}
