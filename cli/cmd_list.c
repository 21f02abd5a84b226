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
#include "cli/plugin.h"
#include "replay/rules.h"

static const struct args_option options[] = {
	PLUGIN_OPTION,
	{ NULL, 0, NULL, NULL },
};

static const struct args_command command = {
	.name = "list",
	.synopsis = "[TOPIC]",
	.text = "List what is compiled in, and loaded. Topics: reporters,\n"
		"hypervisors, workloads, kernels, options, counters, columns, "
		"figures,\nrules, thresholds; without a topic the first four.\n",
	.options = options,
	.example = "  buddylab list options\n",
};

static int list_reporters(const struct sim_registry *reg)
{
	size_t i;

	for (i = 0; reg->reporters[i]; i++)
		printf("%-18s%s\n", reg->reporters[i]->name,
		       reg->reporters[i]->summary);
	return EXIT_FINE;
}

static int list_hypervisors(const struct sim_registry *reg)
{
	size_t i;

	for (i = 0; reg->hypervisors[i]; i++)
		printf("%-18s%s\n", reg->hypervisors[i]->name,
		       reg->hypervisors[i]->summary);
	return EXIT_FINE;
}

static int list_workloads(const struct sim_registry *reg)
{
	size_t i;

	for (i = 0; reg->workloads[i]; i++)
		printf("%-18s%s\n", reg->workloads[i]->name,
		       reg->workloads[i]->summary);
	return EXIT_FINE;
}

static int list_kernels(const struct sim_registry *reg)
{
	const char *const *names = alloc_profile_names();

	(void)reg;
	for (; *names; names++) {
		const struct alloc_profile *p = alloc_profile_find(*names);

		printf("%-18sread from %s; stands on %s\n", p->name,
		       p->release, alloc_profile_standing(p));
	}
	return EXIT_FINE;
}

static void print_allowed(const struct option_desc *o)
{
	const char *unit = o->type == OPTION_TIME ? "ns" :
			   o->type == OPTION_SIZE ? " bytes" : "";
	size_t i;

	if (o->type == OPTION_BOOL)
		printf("; on, off");
	for (i = 0; o->type == OPTION_NAME && o->names[i]; i++)
		printf("%s%s", i ? ", " : "; ", o->names[i]);
	if (o->type == OPTION_NAME || o->type == OPTION_BOOL)
		return;
	if (o->max)
		printf("; %" PRIu64 "%s to %" PRIu64 "%s", o->min, unit,
		       o->max, unit);
	else if (o->min)
		printf("; at least %" PRIu64 "%s", o->min, unit);
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

static void print_table(const struct option_table *t, const char *required)
{
	const struct option_desc *o;

	for (o = t->descs; o->name; o++)
		print_option(o, required);
}

static void print_section(const struct schema *s, enum section_kind kind)
{
	const char *required = schema_required(kind);
	unsigned int i;

	printf("[%s%s]\n", schema_section_name(kind),
	       schema_is_named(kind) ? " NAME" : "");
	print_table(&s->head[kind], required);
	print_table(&s->common[kind], required);
	for (i = 0; i < schema_nr_members(s, kind); i++) {
		const struct option_table *t = schema_member(s, kind, i);

		if (!t->descs->name)
			continue;
		printf("  with %s = %s:\n", schema_chooser(kind),
		       schema_member_name(s, kind, i));
		print_table(t, NULL);
	}
	printf("\n");
}

static int list_options(const struct sim_registry *reg)
{
	struct schema *s = malloc(sizeof(*s));
	unsigned int i;

	if (!s)
		return EXIT_RUNTIME;
	schema_init(s, reg);
	for (i = 0; i < NR_SECTION_KINDS; i++)
		print_section(s, (enum section_kind)i);
	printf("[variant NAME]\n  section.key, phase.NAME.key, "
	       "event.NAME.key, inject.NAME.key: values\n  instead of those "
	       "above\n");
	free(s);
	return EXIT_FINE;
}

/* Keys of the file that `check --thresholds` reads. */
static int list_thresholds(const struct sim_registry *reg)
{
	(void)reg;
	printf("[default], [metric NAME]\n");
	print_table(&threshold_options, NULL);
	printf("\n[thresholds]\n  NAME = N%%, N or ignore\n");
	return EXIT_FINE;
}

static int list_counters(const struct sim_registry *reg)
{
	struct sim_counter_desc *c = calloc(SIM_MAX_COUNTERS + 1, sizeof(*c));
	size_t i;

	(void)reg;
	if (!c)
		return EXIT_RUNTIME;
	sim_counter_table(c);
	for (i = 0; c[i].name[0]; i++)
		printf("%-36s%-12s%s\n", c[i].name, c[i].unit, c[i].help);
	free(c);
	return EXIT_FINE;
}

/* What `columns` of [experiment] takes besides counters. */
static int list_columns(const struct sim_registry *reg)
{
	const struct column_desc *c;

	(void)reg;
	for (size_t i = 0; (c = columns_list(i))->name; i++)
		printf("%-18s%s\n", c->name, c->help);
	return EXIT_FINE;
}

static int list_figures(const struct sim_registry *reg)
{
	const struct figure_desc *f;

	(void)reg;
	for (f = figure_descs; f->name; f++)
		printf("%-18s%s\n", f->name, f->help);
	return EXIT_FINE;
}

/* Of the page allocator: what `replay --without` takes. */
static int list_rules(const struct sim_registry *reg)
{
	const struct replay_rule *r;

	(void)reg;
	for (r = replay_rules; r->name; r++)
		printf("%-26s%s\n%-26swithout: %s\n", r->name, r->rule, "",
		       r->without);
	return EXIT_FINE;
}

struct topic {
	const char *name;
	int (*print)(const struct sim_registry *reg);
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

static int list_brief(const struct sim_registry *reg)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(topics); i++) {
		if (!topics[i].brief)
			continue;
		printf("%s%s:\n", i ? "\n" : "", topics[i].name);
		topics[i].print(reg);
	}
	return EXIT_FINE;
}

static int list_topic(const struct args *a, const struct sim_registry *reg,
		      const char *name)
{
	const char *names[ARRAY_SIZE(topics) + 1] = { 0 };
	const char *near;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(topics); i++) {
		names[i] = topics[i].name;
		if (!strcmp(name, names[i]))
			return topics[i].print(reg);
	}
	near = diag_nearest(name, names);
	return args_error(a, "unknown topic '%s'%s%s%s", name,
			  near ? "; did you mean '" : "", near ? near : "",
			  near ? "'?" : "");
}

int cmd_list(int argc, char **argv)
{
	struct plugins p;
	struct args a;
	int option;

	plugins_init(&p);
	args_init(&a, &command, argc, argv);
	while ((option = args_next(&a)) >= 0)
		if (plugins_take(&p, &a))
			return EXIT_USAGE;
	if (option != ARGS_END)
		return option == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
	if (a.nr_words > 1)
		return args_error(&a, "one topic only");
	return a.nr_words ? list_topic(&a, &p.registry, a.words[0]) :
			    list_brief(&p.registry);
}
