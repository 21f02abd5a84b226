/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options that a version of the program added: results of an older version lack
 * them. At their default they change nothing, so that cells with and without
 * them are the same cell.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/compare_internal.h"
#include "bench/schema.h"

static bool kind_of(const char *section, size_t len, enum section_kind *kind)
{
	for (unsigned int i = 0; i < NR_SECTION_KINDS; i++) {
		const char *name = schema_section_name((enum section_kind)i);

		if (strlen(name) == len && !strncmp(name, section, len)) {
			*kind = (enum section_kind)i;
			return true;
		}
	}
	return false;
}

/* The table of the member that the cell has chosen for the section. */
static const struct option_table *chosen(const struct schema *s,
					 enum section_kind kind,
					 const struct result_cell *c,
					 const char *prefix)
{
	const char *key = schema_chooser(kind), *member;
	char name[400];

	if (!key)
		return NULL;
	snprintf(name, sizeof(name), "%s.%s", prefix, key);
	member = result_option(c, name);
	for (unsigned int i = 0; member && i < schema_nr_members(s, kind); i++)
		if (!strcmp(schema_member_name(s, kind, i), member))
			return schema_member(s, kind, i);
	return NULL;
}

/* As results spell it. */
static bool is_spelled(const struct option_desc *o, const char *value)
{
	char text[OPTION_STRING_SIZE + 8], why[300];
	void *base;
	bool same = false;

	if (!o->def)
		return false;
	base = calloc(1, o->offset + OPTION_STRING_SIZE);
	if (base && !option_parse(o, o->def, base, why, sizeof(why))) {
		option_format(o, base, text, sizeof(text));
		same = !strcmp(text, value);
	}
	free(base);
	return same;
}

bool compare_is_default(const struct sim_registry *registry,
			const struct result_cell *c,
			const struct result_text *option)
{
	const char *dot = strchr(option->name, '.');
	const char *last = strrchr(option->name, '.');
	const struct option_table *table;
	const struct option_desc *o;
	enum section_kind kind;
	struct schema s;
	char prefix[300];

	if (!registry || !dot ||
	    !kind_of(option->name, (size_t)(dot - option->name), &kind))
		return false;
	/* "host.cache", "phase.measure.laps" */
	if ((last != dot) != schema_is_named(kind))
		return false;
	snprintf(prefix, sizeof(prefix), "%.*s", (int)(last - option->name),
		 option->name);
	schema_init(&s, registry);
	o = schema_find_fixed(&s, kind, last + 1);
	table = o ? NULL : chosen(&s, kind, c, prefix);
	if (table)
		o = option_find(table, last + 1);
	return o && is_spelled(o, option->value);
}
