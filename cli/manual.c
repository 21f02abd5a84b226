/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages of the manual in the language of scdoc, made while building:
 *
 *     buddylab-manual --list
 *     buddylab-manual PAGE DIR
 *
 * PAGE is `buddylab`, `experiment` or a command. Options and keys are those of
 * the tables that the program parses with; DIR/PAGE.scd, if there is one, is
 * put behind the description.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "cli/commands.h"
#include "cli/registry.h"
#include "include/spell.h"

/* scdoc reads _ and * as fonts, and # - [ | ] ~ . at the start of a line. */
static void put_text(const char *text)
{
	bool start = true;

	for (; *text; text++) {
		if (strchr("_*\\<>`", *text) || (start && strchr("#-[|]~.", *text)))
			putchar('\\');
		putchar(*text);
		start = *text == '\n';
	}
}

/* Lines of an example, as they are. */
static void put_literal(const char *text)
{
	printf("```\n%s```\n", text);
}

static void put_option(char letter, const char *name, const char *value,
		       const char *help)
{
	if (letter)
		printf("*-%c*, ", letter);
	printf("*--%s*", name);
	if (value) {
		fputs(" _", stdout);
		for (; *value; value++)
			printf(strchr("_*\\<>", *value) ? "\\%c" : "%c", *value);
		putchar('_');
	}
	fputs("\n\t", stdout);
	put_text(help);
	fputs("\n\n", stdout);
}

/* Prose of a page's own. */
static void put_file(const char *dir, const char *page)
{
	char path[4096];
	FILE *f;
	int c;

	snprintf(path, sizeof(path), "%s/%s.scd", dir, page);
	f = fopen(path, "r");
	if (!f)
		return;
	while ((c = fgetc(f)) != EOF)
		putchar(c);
	putchar('\n');
	fclose(f);
}

static void put_head(const char *name, int section, const char *summary)
{
	printf("%s(%d) \"\" \"buddylab\"\n\n# NAME\n\n", name, section);
	put_text(name);
	fputs(" - ", stdout);
	put_text(summary);
	fputs("\n\n", stdout);
}

static void put_exit(void)
{
	fputs("# EXIT STATUS\n\n"
	      "*0*\n\tfine\n\n"
	      "*1*\n\ta regression, or an expectation that was not met\n\n"
	      "*2*\n\twrong usage, or an error in an experiment file\n\n"
	      "*3*\n\ta failure while running: input and output, memory, a "
	      "broken trace, failed cells; the others are kept\n\n"
	      "*4*\n\twhat is to be compared is not comparable\n\n"
	      "*77*\n\tskipped: this machine lacks what is needed\n\n"
	      "*130*\n\tinterrupted; what is finished is kept\n\n", stdout);
}

static void command_page(const struct command *c, const char *dir)
{
	const struct args_command *a = c->args;
	const struct args_option *o;
	char name[80];

	snprintf(name, sizeof(name), "buddylab-%s", a->name);
	put_head(name, 1, c->summary);
	printf("# SYNOPSIS\n\n*buddylab %s* ", a->name);
	put_text(a->synopsis);
	fputs("\n\n# DESCRIPTION\n\n", stdout);
	put_text(a->text);
	putchar('\n');
	put_file(dir, a->name);
	fputs("# OPTIONS\n\n", stdout);
	for (o = a->options; o && o->name; o++)
		put_option(o->letter, o->name, o->value, o->help);
	put_option(0, "help", NULL, "show the options");
	put_exit();
	if (a->example) {
		fputs("# EXAMPLES\n\n", stdout);
		put_literal(a->example);
		putchar('\n');
	}
	fputs("# SEE ALSO\n\n*buddylab*(1), *buddylab-experiment*(5)\n",
	      stdout);
}

static void main_page(const char *dir)
{
	const struct command *c;

	put_head("buddylab", 1,
		 "experiments on how a guest tells which memory is free");
	fputs("# SYNOPSIS\n\n*buddylab* _COMMAND_ [options]\n\n"
	      "*buddylab* help _COMMAND_\n\n# DESCRIPTION\n\n", stdout);
	put_file(dir, "buddylab");
	fputs("# COMMANDS\n\n", stdout);
	for (c = commands; c->run; c++) {
		printf("*buddylab-%s*(1)\n\t", c->args->name);
		put_text(c->summary);
		fputs("\n\n", stdout);
	}
	put_exit();
	fputs("# ENVIRONMENT\n\n*NO_COLOR*\n\tno colours, whatever the "
	      "terminal\n\n*TMPDIR*\n\twhere temporary folders are made, if it "
	      "begins with /; otherwise in /tmp\n\n# SEE ALSO\n\n"
	      "*buddylab-experiment*(5)\n", stdout);
}

/* "number, 1 to 64; default 1" */
static void put_kind(const struct option_desc *o)
{
	static const char *const types[] = {
		"switch", "number", "size", "time", "size or share", "name",
		"text"
	};
	size_t i;

	fputs(types[o->type], stdout);
	if (o->type == OPTION_BOOL)
		fputs(": on, off", stdout);
	for (i = 0; o->type == OPTION_NAME && o->names[i]; i++) {
		fputs(i ? ", " : ": ", stdout);
		put_text(o->names[i]);
	}
	if (o->type != OPTION_NAME && o->type != OPTION_BOOL && o->max) {
		char min[SPELL_SIZE], max[SPELL_SIZE];

		spell_limit(o->type, o->min, min);
		spell_limit(o->type, o->max, max);
		printf(", %s to %s", min, max);
	}
	if (o->def && o->def[0]) {
		fputs("; default ", stdout);
		put_text(o->def);
	}
	fputs(")\n\n", stdout);
}

static void put_table(const struct option_table *t)
{
	const struct option_desc *o;

	for (o = t->descs; o->name; o++) {
		fputs("*", stdout);
		put_text(o->name);
		fputs("*\n\t", stdout);
		put_text(o->help);
		fputs(" (", stdout);
		put_kind(o);
	}
}

static void put_section(const struct schema *s, enum section_kind kind)
{
	unsigned int i;

	printf("# KEYS OF [%s%s]\n\n", schema_section_name(kind),
	       schema_is_named(kind) ? " NAME" : "");
	put_table(&s->head[kind]);
	put_table(&s->common[kind]);
	for (i = 0; i < schema_nr_members(s, kind); i++) {
		const struct option_table *t = schema_member(s, kind, i);

		if (!t->descs->name)
			continue;
		printf("## With %s = ", schema_chooser(kind));
		put_text(schema_member_name(s, kind, i));
		fputs("\n\n", stdout);
		put_table(t);
	}
}

static void experiment_page(const char *dir)
{
	struct schema *s = malloc(sizeof(*s));

	if (!s) {
		fputs("buddylab-manual: error: out of memory\n", stderr);
		exit(EXIT_RUNTIME);
	}
	schema_init(s, &registry);
	put_head("buddylab-experiment", 5, "the experiment file of buddylab");
	put_file(dir, "experiment");
	for (int i = 0; i < NR_SECTION_KINDS; i++)
		put_section(s, (enum section_kind)i);
	fputs("# SEE ALSO\n\n*buddylab*(1), *buddylab-run*(1), "
	      "*buddylab-list*(1)\n", stdout);
	free(s);
}

int main(int argc, char **argv)
{
	const struct command *c;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		puts("buddylab\nexperiment");
		for (c = commands; c->run; c++)
			puts(c->args->name);
		return EXIT_FINE;
	}
	if (argc != 3) {
		fputs("usage: buddylab-manual PAGE DIR\n", stderr);
		return EXIT_USAGE;
	}
	for (c = commands; c->run && strcmp(c->args->name, argv[1]) != 0; c++)
		;
	if (c->run) {
		command_page(c, argv[2]);
	} else if (!strcmp(argv[1], "buddylab")) {
		main_page(argv[2]);
	} else if (!strcmp(argv[1], "experiment")) {
		experiment_page(argv[2]);
	} else {
		fprintf(stderr, "buddylab-manual: error: unknown page '%s'\n",
			argv[1]);
		return EXIT_USAGE;
	}
	return fflush(stdout) || ferror(stdout) ? EXIT_RUNTIME : EXIT_FINE;
}
