/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab list TOPIC`: what is compiled in. Everything printed comes from the
 * tables that the program itself works with.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/profile.h"
#include "bench/bench.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/plugin.h"
#include "include/spell.h"
#include "replay/rules.h"

enum { PLUGIN, FORMAT };

static const struct args_option options[] = {
	[PLUGIN] = PLUGIN_OPTION,
	[FORMAT] = { "format", 0, "text|json", "json: a list of objects" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_list = {
	.name = "list",
	.synopsis = "[TOPIC]",
	.text = "List what is compiled in, and loaded. Topics: reporters,\n"
		"hypervisors, workloads, kernels, options, counters, columns, "
		"figures,\nrules, thresholds; without a topic the first four.\n",
	.options = options,
	.example = "  buddylab list options\n",
};

/* Where lines go: to standard output, or as objects into a list. */
struct lister {
	const struct sim_registry *reg;
	json_t *rows;            /* NULL: text */
	size_t nr_rows;          /* that should be in it */
};

static void add_row(struct lister *l, json_t *row)
{
	l->nr_rows++;
	json_array_append_new(l->rows, row);
}

static void put_row(struct lister *l, int width, const char *name,
		    const char *text)
{
	if (l->rows)
		add_row(l, json_pack("{s:s, s:s}", "name", name, "text",
				     text));
	else
		printf("%-*s%s\n", width, name, text);
}

static int list_reporters(struct lister *l)
{
	size_t i;

	for (i = 0; l->reg->reporters[i]; i++)
		put_row(l, 18, l->reg->reporters[i]->name,
			l->reg->reporters[i]->summary);
	return EXIT_FINE;
}

static int list_hypervisors(struct lister *l)
{
	size_t i;

	for (i = 0; l->reg->hypervisors[i]; i++)
		put_row(l, 18, l->reg->hypervisors[i]->name,
			l->reg->hypervisors[i]->summary);
	return EXIT_FINE;
}

static int list_workloads(struct lister *l)
{
	size_t i;

	for (i = 0; l->reg->workloads[i]; i++)
		put_row(l, 18, l->reg->workloads[i]->name,
			l->reg->workloads[i]->summary);
	return EXIT_FINE;
}

static int list_kernels(struct lister *l)
{
	const char *const *names = alloc_profile_names();

	for (; *names; names++) {
		const struct alloc_profile *p = alloc_profile_find(*names);

		if (l->rows)
			add_row(l, json_pack("{s:s, s:s, s:s}", "name", p->name,
					     "read_from", p->release,
					     "stands_on",
					     alloc_profile_standing(p)));
		else
			printf("%-18sread from %s; stands on %s\n", p->name,
			       p->release, alloc_profile_standing(p));
	}
	return EXIT_FINE;
}

static void print_allowed(const struct option_desc *o)
{
	char min[SPELL_SIZE], max[SPELL_SIZE];
	size_t i;

	if (o->type == OPTION_BOOL)
		printf("; on, off");
	for (i = 0; o->type == OPTION_NAME && o->names[i]; i++)
		printf("%s%s", i ? ", " : "; ", o->names[i]);
	if (o->type == OPTION_NAME || o->type == OPTION_BOOL)
		return;
	spell_limit(o->type, o->min, min);
	spell_limit(o->type, o->max, max);
	if (o->max)
		printf("; %s to %s", min, max);
	else if (o->min)
		printf("; at least %s", min);
}

static void print_option(const struct option_desc *o, const char *required)
{
	static const char *const types[] = {
		"switch", "number", "size", "time", "size or share", "name",
		"text"
	};

	printf("  %-21s %s\n  %-22s(%s", o->name, o->help, "", types[o->type]);
	if (o->unit && o->unit[0] && o->type != OPTION_TIME &&
	    o->type != OPTION_SIZE && o->type != OPTION_SHARE)
		printf(", %s", o->unit);
	print_allowed(o);
	if (o->def)
		printf("; default %s)\n", o->def[0] ? o->def : "empty");
	else if (required && !strcmp(o->name, required))
		printf("; required)\n");
	else
		printf("; may be left out)\n");
}

/* `with`: what chooses the table, "" for none. */
static void put_option(struct lister *l, const struct option_desc *o,
		       const char *section, const char *with,
		       const char *required)
{
	if (l->rows)
		add_row(l, json_pack("{s:s, s:s, s:s, s:s, s:s?, s:b}",
				     "section", section, "with", with,
				     "name", o->name, "text", o->help,
				     "default", o->def, "required",
				     required && !strcmp(o->name, required)));
	else
		print_option(o, required);
}

static void print_table(struct lister *l, const struct option_table *t,
			const char *section, const char *with,
			const char *required)
{
	const struct option_desc *o;

	for (o = t->descs; o->name; o++)
		put_option(l, o, section, with, required);
}

static void print_section(struct lister *l, const struct schema *s,
			  enum section_kind kind)
{
	const char *required = schema_required(kind);
	const char *section = schema_section_name(kind);
	unsigned int i;

	if (!l->rows)
		printf("[%s%s]\n", section,
		       schema_is_named(kind) ? " NAME" : "");
	print_table(l, &s->head[kind], section, "", required);
	print_table(l, &s->common[kind], section, "", required);
	for (i = 0; i < schema_nr_members(s, kind); i++) {
		const struct option_table *t = schema_member(s, kind, i);

		if (!t->descs->name)
			continue;
		if (!l->rows)
			printf("  with %s = %s:\n", schema_chooser(kind),
			       schema_member_name(s, kind, i));
		print_table(l, t, section, schema_member_name(s, kind, i),
			    NULL);
	}
	if (!l->rows)
		printf("\n");
}

static int list_options(struct lister *l)
{
	struct schema *s = malloc(sizeof(*s));
	unsigned int i;

	if (!s)
		return EXIT_RUNTIME;
	schema_init(s, l->reg);
	for (i = 0; i < NR_SECTION_KINDS; i++)
		print_section(l, s, (enum section_kind)i);
	if (!l->rows)
		printf("[variant NAME]\n  section.key, phase.NAME.key, "
	       "event.NAME.key, inject.NAME.key: values\n  instead of those "
	       "above\n");
	free(s);
	return EXIT_FINE;
}

/* Keys of the file that `check --thresholds` reads. */
static int list_thresholds(struct lister *l)
{
	if (!l->rows)
		printf("[default], [metric NAME]\n");
	print_table(l, &threshold_options, "default", "", NULL);
	if (!l->rows)
		printf("\n[thresholds]\n  NAME = N%%, N or ignore\n");
	return EXIT_FINE;
}

static int list_counters(struct lister *l)
{
	struct sim_counter_desc *c = calloc(SIM_MAX_COUNTERS + 1, sizeof(*c));
	size_t i;

	if (!c)
		return EXIT_RUNTIME;
	sim_counter_table(c);
	for (i = 0; c[i].name[0]; i++)
		if (l->rows)
			add_row(l, json_pack("{s:s, s:s, s:s}", "name",
					     c[i].name, "unit", c[i].unit,
					     "text", c[i].help));
		else
			printf("%-36s%-12s%s\n", c[i].name, c[i].unit,
			       c[i].help);
	free(c);
	return EXIT_FINE;
}

/* What `columns` of [experiment] takes besides counters. */
static int list_columns(struct lister *l)
{
	const struct column_desc *c;

	for (size_t i = 0; (c = columns_list(i))->name; i++)
		put_row(l, 18, c->name, c->help);
	return EXIT_FINE;
}

static int list_figures(struct lister *l)
{
	const struct figure_desc *f;

	for (f = figure_descs; f->name; f++)
		put_row(l, 18, f->name, f->help);
	return EXIT_FINE;
}

/* Of the page allocator: what `replay --without` takes. */
static int list_rules(struct lister *l)
{
	const struct replay_rule *r;

	for (r = replay_rules; r->name; r++)
		if (l->rows)
			add_row(l, json_pack("{s:s, s:s, s:s}", "name", r->name,
					     "text", r->rule, "without",
					     r->without));
		else
			printf("%-26s%s\n%-26swithout: %s\n", r->name,
			       r->rule, "", r->without);
	return EXIT_FINE;
}

struct topic {
	const char *name;
	int (*print)(struct lister *l);
	bool brief;          /* part of the list without a topic */
};

static const struct topic topics[] = {
	{ "reporters", list_reporters, true },
	{ "hypervisors", list_hypervisors, true },
	{ "workloads", list_workloads, true },
	{ "kernels", list_kernels, true },
	{ "options", list_options, false },
	{ "counters", list_counters, false },
	{ "columns", list_columns, false },
	{ "figures", list_figures, false },
	{ "rules", list_rules, false },
	{ "thresholds", list_thresholds, false },
};

const char *list_topic_name(size_t i)
{
	return i < ARRAY_SIZE(topics) ? topics[i].name : NULL;
}

static int list_brief(struct lister *l)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(topics); i++) {
		if (!topics[i].brief)
			continue;
		printf("%s%s:\n", i ? "\n" : "", topics[i].name);
		topics[i].print(l);
	}
	return EXIT_FINE;
}

static int list_topic(const struct args *a, struct lister *l,
		      const char *name)
{
	const char *names[ARRAY_SIZE(topics) + 1] = { 0 };
	const char *near;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(topics); i++) {
		names[i] = topics[i].name;
		if (!strcmp(name, names[i]))
			return topics[i].print(l);
	}
	near = diag_nearest(name, names);
	return args_error(a, "unknown topic '%s'%s%s%s", name,
			  near ? "; did you mean '" : "", near ? near : "",
			  near ? "'?" : "");
}

static int list_json(const struct args *a, struct lister *l)
{
	int code;

	if (!a->nr_words)
		return args_error(a, "--format json wants a topic");
	l->rows = json_array();
	code = list_topic(a, l, a->words[0]);
	if (code || json_array_size(l->rows) != l->nr_rows) {
		json_decref(l->rows);
		return code ? code : print_json_document("list", NULL);
	}
	return print_json_document("list", l->rows);
}

int cmd_list(int argc, char **argv)
{
	struct lister l = { 0 };
	struct plugins p;
	struct args a;
	bool json = false;
	int option;

	plugins_init(&p);
	l.reg = &p.registry;
	args_init(&a, &command_list, argc, argv);
	while ((option = args_next(&a)) >= 0)
		if (option == FORMAT)
			json = a.choice == 1;
		else if (plugins_take(&p, &a))
			return EXIT_USAGE;
	if (option != ARGS_END)
		return option == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
	if (a.nr_words > 1)
		return args_error(&a, "one topic only");
	if (json)
		return list_json(&a, &l);
	return a.nr_words ? list_topic(&a, &l, a.words[0]) : list_brief(&l);
}
