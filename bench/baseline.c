/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Baselines live in a repository, so they hold only what is compared: no host
 * time, and no counter that is zero, which is what a comparison takes a missing
 * one for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare.h"
#include "bench/json_memory.h"
#include "bench/store.h"

#define BASELINE_STYLE \
	(JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15))

static void drop_zeros(json_t *counters)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(counters, next, key, value)
		if (json_is_integer(value) && !json_integer_value(value))
			json_object_del(counters, key);
}

static void strip_cell(json_t *o)
{
	json_t *phases = json_object_get(o, "phases");

	json_object_del(o, "wall");
	drop_zeros(json_object_get(o, "counters"));
	for (size_t i = 0; i < json_array_size(phases); i++)
		drop_zeros(json_object_get(json_array_get(phases, i),
					   "counters"));
}

/* The reader has seen this line before, so it is well formed. */
static int copy_line(const char *line, size_t len, FILE *out)
{
	json_t *o = json_memory_load(line, len, 0, NULL);
	int err;

	if (!o)
		return json_memory_failed() ? -ENOMEM : -EINVAL;
	strip_cell(o);
	err = json_dumpf(o, out, BASELINE_STYLE) ? -EIO : 0;
	fputc('\n', out);
	json_decref(o);
	if (json_memory_failed())
		return -ENOMEM;
	return err;
}

static int copy_lines(FILE *in, FILE *out)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int err = 0;

	while (!err && (len = getline(&line, &size, in)) >= 0)
		if (strspn(line, " \t\r\n") < (size_t)len)
			err = copy_line(line, (size_t)len, out);
	if (!err && !feof(in))
		err = ferror(in) ? -EIO : -ENOMEM;
	/* What cannot be written is said when the file is closed. */
	if (err && ferror(out))
		err = 0;
	free(line);
	return err;
}

int baseline_write(const struct results *new, const char *path, char *why,
		   size_t why_size)
{
	struct store_file f;
	FILE *in = fopen(new->path, "re");
	int err;

	if (!in) {
		err = -errno;
		snprintf(why, why_size, "%s: %s", new->path, strerror(-err));
		return err;
	}
	err = store_create(&f, path, why, why_size);
	if (!err) {
		err = copy_lines(in, f.out);
		if (err) {
			snprintf(why, why_size, "%s: cannot be copied: %s",
				 new->path, strerror(-err));
			store_discard(&f);
		} else {
			err = store_commit(&f, why, why_size);
		}
	}
	fclose(in);
	return err;
}
