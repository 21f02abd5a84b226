/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reader of threshold files, on the reader of experiment files. */
#include "bench/thresholds.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "bench/ini.h"
#include "include/option.h"

/* "5%", "0.25%", "100": digits and at most one point. */
static int parse_limit(const char *text, struct threshold *t)
{
	const size_t len = strlen(text);
	const size_t digits = strspn(text, "0123456789");
	size_t end = digits;

	if (text[end] == '.')
		end += 1 + strspn(text + end + 1, "0123456789");
	if (!digits || end > 30 || (end < len && strcmp(text + end, "%") != 0))
		return -EINVAL;
	t->is_percent = end < len;
	/* No locale is set: the point is a point. */
	t->limit = strtod(text, NULL);
	return 0;
}

static void read_entry(const struct ini *ini, const struct ini_entry *e,
		       struct threshold *t, struct diag *d)
{
	t->pattern = e->key;
	t->ignore = !strcmp(e->value, "ignore");
	if (!t->ignore && parse_limit(e->value, t))
		ini_error(ini, d, e->value_at, "'%s' is not a threshold; "
			  "write 5%%, 100 or ignore", e->value);
}

static int read_sections(struct thresholds *t, const struct ini *ini,
			 struct diag *d)
{
	struct threshold *all = arena_array(&t->arena, ini->nr_entries + 1,
					    sizeof(*all));
	const unsigned int before = d->nr_errors;

	if (!all)
		return -ENOMEM;
	for (const struct ini_section *s = ini->sections; s; s = s->next) {
		if (strcmp(s->type, "thresholds") != 0 || *s->name)
			ini_error(ini, d, s->at, "unknown section [%s%s%s]; "
				  "only [thresholds] is known", s->type,
				  *s->name ? " " : "", s->name);
		for (const struct ini_entry *e = s->entries; e; e = e->next)
			read_entry(ini, e, &all[t->nr++], d);
	}
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

static double distance(double a, double b)
{
	return a > b ? a - b : b - a;
}

static bool allows(const struct threshold *t, double was, double is)
{
	if (t->ignore)
		return true;
	if (!t->is_percent)
		return distance(was, is) <= t->limit;
	return distance(was, is) * 100.0 <= t->limit * distance(was, 0.0);
}

bool thresholds_allow(const struct thresholds *t, const char *name,
		      double was, double is)
{
	for (size_t i = t ? t->nr : 0; i-- > 0;)
		if (!fnmatch(t->t[i].pattern, name, 0))
			return allows(&t->t[i], was, is);
	return false;
}
