/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reader of target files: published rows that prices are solved from. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/calibrate.h"
#include "bench/ini.h"
#include "include/option.h"

#define MAX_TASKS 4096

/* "8827457.25", and nothing that only a C library reads as a number. */
static int parse_rate(const char *text, double *out)
{
	const size_t digits = strspn(text, "0123456789");
	size_t end = digits;

	if (text[end] == '.')
		end += 1 + strspn(text + end + 1, "0123456789");
	if (!digits || digits > 15 || text[end])
		return -EINVAL;
	*out = strtod(text, NULL);
	return *out > 0 ? 0 : -EINVAL;
}

static char *trim(char *s)
{
	char *end = s + strlen(s);

	while (isspace((unsigned char)*s))
		s++;
	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return s;
}

/* key "page_fault1@16", value "8827457.25 | source" */
static int read_row(const struct ini *ini, const struct ini_entry *e,
		    struct arena *a, struct target_row *row, struct diag *d)
{
	char *name = arena_strdup(a, e->key), *value = arena_strdup(a, e->value);
	char *at, *bar;
	uint64_t tasks;

	if (!name || !value)
		return -ENOMEM;
	at = strchr(name, '@');
	bar = strchr(value, '|');
	if (!at || parse_u64(at + 1, &tasks) || !tasks || tasks > MAX_TASKS) {
		ini_error(ini, d, e->key_at, "'%s' is not a row; write "
			  "WORKLOAD@TASKS, e.g. page_fault1@16", e->key);
		return -EINVAL;
	}
	if (!bar || !*trim(bar + 1)) {
		ini_error(ini, d, e->value_at, "'%s' has no '| source': say "
			  "where the number was published", e->key);
		return -EINVAL;
	}
	*at = *bar = '\0';
	if (parse_rate(trim(value), &row->rate)) {
		ini_error(ini, d, e->value_at, "'%s' is not a rate; write "
			  "iterations per second, e.g. 8827457.25",
			  trim(value));
		return -EINVAL;
	}
	row->workload = name;
	row->tasks = (unsigned int)tasks;
	row->source = trim(bar + 1);
	return 0;
}

int target_read(const char *path, struct arena *a, struct target_row **rows,
		size_t *nr, struct diag *d)
{
	struct ini ini;
	int err = ini_read(&ini, a, path, d), bad = 0;

	*nr = 0;
	if (err)
		return err;
	*rows = arena_array(a, ini.nr_entries + 1, sizeof(**rows));
	if (!*rows)
		return -ENOMEM;
	for (const struct ini_section *s = ini.sections; s; s = s->next) {
		if (strcmp(s->type, "target") != 0 || *s->name) {
			ini_error(&ini, d, s->at, "unknown section [%s]; only "
				  "[target] is known", s->type);
			bad = -EINVAL;
		}
		for (const struct ini_entry *e = s->entries; e; e = e->next) {
			err = read_row(&ini, e, a, &(*rows)[*nr], d);
			*nr += !err;
			bad = err ? err : bad;
		}
	}
	if (!bad && !*nr) {
		diag_error(d, (struct diag_place){ .file = path },
			   "holds no rows");
		return -EINVAL;
	}
	return bad;
}
