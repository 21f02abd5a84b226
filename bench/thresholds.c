/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reader of threshold files, on the reader of experiment files. */
#include "bench/thresholds.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "bench/ini.h"
#include "include/option.h"

#define DEFAULT_ALPHA 0.05

/* A section as it is written. */
struct rule_text {
	unsigned int kind, better;
	uint64_t min_samples;
	char max_change[OPTION_STRING_SIZE], max_regress[OPTION_STRING_SIZE];
	char min_effect[OPTION_STRING_SIZE], alpha[OPTION_STRING_SIZE];
};

static const char *const better_names[] = {
	"neither", "lower", "higher", NULL,
};

#define OFFSET(member) offsetof(struct rule_text, member)

static const struct option_desc descs[] = {
	{ .name = "kind", .type = OPTION_NAME, .offset = OFFSET(kind),
	  .names = stats_kind_names, .def = "exact", .unit = "",
	  .help = "exact: every cell by itself; seeded: the seeds of a point "
		  "as a distribution; timed: the same of " WALL_SECONDS },
	{ .name = "better", .type = OPTION_NAME, .offset = OFFSET(better),
	  .names = better_names, .def = "neither", .unit = "",
	  .help = "a move in this direction never fails" },
	{ .name = "max_change", .type = OPTION_STRING,
	  .offset = OFFSET(max_change), .def = "0%", .unit = "",
	  .help = "change that is allowed, N% or N; if neither direction is "
		  "better" },
	{ .name = "max_regress", .type = OPTION_STRING,
	  .offset = OFFSET(max_regress), .def = "0%", .unit = "",
	  .help = "change for the worse that is allowed, N% or N; needs "
		  "better" },
	{ .name = "min_effect", .type = OPTION_STRING,
	  .offset = OFFSET(min_effect), .def = "0", .unit = "",
	  .help = "a change of less than this, in the value's unit, is none" },
	{ .name = "alpha", .type = OPTION_STRING, .offset = OFFSET(alpha),
	  .def = "0.05", .unit = "",
	  .help = "seeded, timed: a change counts if the rank test gives a p "
		  "below this" },
	{ .name = "min_samples", .type = OPTION_UINT,
	  .offset = OFFSET(min_samples), .min = 1, .max = 1000000, .def = "1",
	  .unit = "cells",
	  .help = "seeded, timed: with fewer on a side nothing can be said; "
		  "never fewer than alpha needs" },
	{ .name = NULL },
};

const struct option_table threshold_options = {
	.descs = descs, .size = sizeof(struct rule_text),
};

/* "5%", "0.25%", "100": digits and at most one point. */
static int parse_decimal(const char *text, double *out, bool *is_percent)
{
	const size_t len = strlen(text);
	const size_t digits = strspn(text, "0123456789");
	size_t end = digits;

	if (text[end] == '.')
		end += 1 + strspn(text + end + 1, "0123456789");
	if (!digits || end > 30 || (end < len && strcmp(text + end, "%") != 0))
		return -EINVAL;
	*is_percent = end < len;
	/* No locale is set: the point is a point. */
	*out = strtod(text, NULL);
	return 0;
}

/* ---- [thresholds] ---- */

static void read_short(const struct ini *ini, const struct ini_entry *e,
		       struct threshold *t, struct diag *d)
{
	t->pattern = e->key;
	t->ignore = !strcmp(e->value, "ignore");
	if (!t->ignore &&
	    parse_decimal(e->value, &t->limit, &t->is_percent))
		ini_error(ini, d, e->value_at, "'%s' is not a threshold; "
			  "write 5%%, 100 or ignore", e->value);
}

/* ---- [default] and [metric PATTERN] ---- */

/* A section under inspection. */
struct rule {
	const struct ini *ini;
	const struct ini_section *s;
	struct rule_text text;
	struct diag *d;
};

static const struct ini_entry *entry_of(const struct rule *r, const char *key)
{
	for (const struct ini_entry *e = r->s->entries; e; e = e->next)
		if (!strcmp(e->key, key))
			return e;
	return NULL;
}

static struct ini_place place_of(const struct rule *r, const char *key)
{
	const struct ini_entry *e = entry_of(r, key);

	return e ? e->value_at : r->s->at;
}

static void parse_entry(struct rule *r, const struct ini_entry *e)
{
	const struct option_desc *o = option_find(&threshold_options, e->key);
	const char *names[16], *near;
	char why[400];

	if (o) {
		if (option_parse(o, e->value, &r->text, why, sizeof(why)))
			ini_error(r->ini, r->d, e->value_at, "%s: %s", e->key,
				  why);
		return;
	}
	option_names(&threshold_options, names, 16);
	near = diag_nearest(e->key, names);
	ini_error(r->ini, r->d, e->key_at, "unknown key '%s' in [%s%s%s]%s%s%s",
		  e->key, r->s->type, *r->s->name ? " " : "", r->s->name,
		  near ? "; did you mean '" : "", near ? near : "",
		  near ? "'?" : "");
}

static void take_number(struct rule *r, const char *key, const char *text,
			bool *is_percent, double *out)
{
	bool percent;

	if (parse_decimal(text, out, &percent) || (percent && !is_percent))
		ini_error(r->ini, r->d, place_of(r, key), "%s: '%s' is not a "
			  "number%s", key, text,
			  is_percent ? ", nor one with % behind it" : "");
	else if (is_percent)
		*is_percent = percent;
}

/* What the keys of a section mean together. */
static void check_rule(struct rule *r, const struct threshold *t)
{
	const char *key = t->better ? "max_change" : "max_regress";

	if (entry_of(r, key))
		ini_error(r->ini, r->d, entry_of(r, key)->key_at, t->better ?
			  "max_change: with 'better' the key is max_regress" :
			  "max_regress: which direction is worse? say better "
			  "= lower or higher, or use max_change");
	if (!(t->alpha > 0) || t->alpha >= 1)
		ini_error(r->ini, r->d, place_of(r, "alpha"), "alpha: above 0 "
			  "and below 1 is allowed");
	if (t->kind == STATS_TIMED && strncmp(t->pattern, "wall.", 5) != 0)
		ini_error(r->ini, r->d, place_of(r, "kind"), "nothing that is "
			  "timed is called '%s'; " WALL_SECONDS " is",
			  t->pattern);
}

/* The rule starts as `base`, the default, and changes what it names. */
static void read_rule(const struct ini *ini, const struct ini_section *s,
		      struct rule_text *base, struct threshold *t,
		      struct diag *d)
{
	struct rule r = { .ini = ini, .s = s, .text = *base, .d = d };

	for (const struct ini_entry *e = s->entries; e; e = e->next)
		parse_entry(&r, e);
	*t = (struct threshold){
		.pattern = *s->name ? s->name : "*", .kind = r.text.kind,
		.better = r.text.better, .min_samples = r.text.min_samples,
	};
	if (t->better)
		take_number(&r, "max_regress", r.text.max_regress,
			    &t->is_percent, &t->limit);
	else
		take_number(&r, "max_change", r.text.max_change,
			    &t->is_percent, &t->limit);
	take_number(&r, "min_effect", r.text.min_effect, NULL,
		    &t->min_effect);
	take_number(&r, "alpha", r.text.alpha, NULL, &t->alpha);
	check_rule(&r, t);
	if (!strcmp(s->type, "default"))
		*base = r.text;
}

static bool is_section(const struct ini_section *s, const char *type,
		       bool named)
{
	return !strcmp(s->type, type) && named == (*s->name != '\0');
}

static void read_section(struct thresholds *t, struct threshold *all,
			 const struct ini *ini, const struct ini_section *s,
			 struct rule_text *base, struct diag *d)
{
	if (is_section(s, "metric", true)) {
		read_rule(ini, s, base, &all[t->nr++], d);
	} else if (is_section(s, "thresholds", false)) {
		for (const struct ini_entry *e = s->entries; e; e = e->next)
			read_short(ini, e, &all[t->nr++], d);
	} else if (!is_section(s, "default", false)) {
		ini_error(ini, d, s->at, "unknown section [%s%s%s]; "
			  "[thresholds], [default] and [metric NAME] are known",
			  s->type, *s->name ? " " : "", s->name);
	}
}

/* Of exact values that nobody spoke of. */
static const struct threshold unmoved = {
	.pattern = "*", .is_percent = true, .alpha = DEFAULT_ALPHA,
};

static int read_sections(struct thresholds *t, const struct ini *ini,
			 struct diag *d)
{
	struct threshold *all = arena_array(&t->arena, ini->nr_entries +
					    ini->nr_sections + 1,
					    sizeof(*all));
	const unsigned int before = d->nr_errors;
	const struct ini_section *s;
	struct rule_text base;

	if (!all)
		return -ENOMEM;
	option_defaults(&threshold_options, &base);
	all[t->nr++] = unmoved;
	/* The default is the base of all others, wherever it stands. */
	for (s = ini->sections; s; s = s->next)
		if (is_section(s, "default", false))
			read_rule(ini, s, &base, &all[0], d);
	for (s = ini->sections; s; s = s->next)
		read_section(t, all, ini, s, &base, d);
	t->t = all;
	return d->nr_errors == before ? 0 : -EINVAL;
}

int thresholds_read(struct thresholds *t, const char *path, struct diag *d)
{
	struct ini ini;
	int err;

	*t = (struct thresholds){ 0 };
	err = ini_read(&ini, &t->arena, path, d);
	return err ? err : read_sections(t, &ini, d);
}

void thresholds_free(struct thresholds *t)
{
	arena_free(&t->arena);
	*t = (struct thresholds){ 0 };
}

const struct threshold *thresholds_find(const struct thresholds *t,
					const char *name)
{
	for (size_t i = t ? t->nr : 0; i-- > 1;)
		if (!fnmatch(t->t[i].pattern, name, 0))
			return &t->t[i];
	return t && t->nr ? &t->t[0] : &unmoved;
}

bool threshold_allows(const struct threshold *t, double was, double is)
{
	const double change = is > was ? is - was : was - is;
	const double size = was > 0 ? was : -was;

	if (t->ignore || !(change > 0) || change < t->min_effect ||
	    (t->better == BETTER_LOWER && is < was) ||
	    (t->better == BETTER_HIGHER && is > was))
		return true;
	return t->is_percent ? change * 100.0 <= t->limit * size :
			       change <= t->limit;
}
