/* SPDX-License-Identifier: GPL-2.0-or-later */
/* getopt_long() behind a table of ours, with full names and suggestions. */
#include "cli/args.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "alloc/profile.h"
#include "include/check.h"
#include "include/diag.h"
#include "include/plain.h"

#define HELP_OPTION 1000
#define NOT_SEEN 999
#define HELP_COLUMN 26

int args_error(const struct args *a, const char *fmt, ...)
{
	char text[6000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "buddylab %s: error: ", a->command->name);
	/* A shell's pattern puts names of others' files among the words. */
	plain_put(text, stderr);
	fprintf(stderr, "; see buddylab %s --help\n", a->command->name);
	return EXIT_USAGE;
}

static void print_option(char letter, const char *name, const char *value,
			 const char *help)
{
	char left[80];

	if (letter)
		snprintf(left, sizeof(left), "-%c, --%s%s%s", letter, name,
			 value ? " " : "", value ? value : "");
	else
		snprintf(left, sizeof(left), "    --%s%s%s", name,
			 value ? " " : "", value ? value : "");
	if (strlen(left) + 4 > HELP_COLUMN)
		printf("  %s\n%*s%s\n", left, HELP_COLUMN, "", help);
	else
		printf("  %-*s%s\n", HELP_COLUMN - 2, left, help);
}

void args_help(const struct args_command *command)
{
	const struct args_option *o;

	printf("usage: buddylab %s %s\n\n%s\n", command->name,
	       command->synopsis, command->text);
	for (o = command->options; o && o->name; o++)
		print_option(o->letter, o->name, o->value, o->help);
	print_option(0, "help", NULL, "show this");
	if (command->example)
		printf("\nExample:\n%s", command->example);
}

void args_init(struct args *a, const struct args_command *command, int argc,
	       char **argv)
{
	*a = (struct args){ .command = command, .argc = argc, .argv = argv };
	/* 0 makes glibc forget an earlier use in the same process. */
	optind = 0;
	opterr = 0;
}

static const struct args_option *find_name(const struct args *a,
					   const char *name, size_t len)
{
	const struct args_option *o;

	for (o = a->command->options; o && o->name; o++)
		if (strlen(o->name) == len && !memcmp(o->name, name, len))
			return o;
	return NULL;
}

static void unknown_option(const struct args *a, const char *word, size_t len)
{
	const char *names[ARGS_MAX_OPTIONS + 2] = { "help" };
	const struct args_option *o;
	const char *near;
	char name[64];
	size_t n = 1;

	for (o = a->command->options; o && o->name; o++)
		names[n++] = o->name;
	snprintf(name, sizeof(name), "%.*s", (int)(len < 63 ? len : 63), word);
	near = diag_nearest(name, names);
	if (near)
		args_error(a, "unknown option --%s; did you mean --%s?", name,
			   near);
	else
		args_error(a, "unknown option --%s", name);
}

/* The option at argv[optind] is spelled in full, or is no long option. */
static bool full_name(const struct args *a)
{
	const char *word = optind && optind < a->argc ? a->argv[optind] :
			   !optind && a->argc > 1 ? a->argv[1] : "";
	size_t len;

	if (strncmp(word, "--", 2) != 0 || !word[2])
		return true;
	len = strcspn(word + 2, "=");
	if ((len == 4 && !memcmp(word + 2, "help", 4)) ||
	    find_name(a, word + 2, len))
		return true;
	unknown_option(a, word + 2, len);
	return false;
}

/* Tables for getopt_long(); `+` keeps the words where they are. */
static void build_tables(const struct args *a, struct option *longs,
			 char *shorts)
{
	const struct args_option *o;
	int n = 0;

	*shorts++ = '+';
	*shorts++ = ':';
	for (o = a->command->options; o && o->name; o++, n++) {
		CHECK_LT(n, ARGS_MAX_OPTIONS);
		longs[n] = (struct option){ o->name, o->value ? 1 : 0, NULL,
					    256 + n };
		if (!o->letter)
			continue;
		*shorts++ = o->letter;
		if (o->value)
			*shorts++ = ':';
	}
	longs[n++] = (struct option){ "help", 0, NULL, HELP_OPTION };
	longs[n] = (struct option){ 0 };
	*shorts = '\0';
}

static int by_letter(const struct args *a, int letter)
{
	const struct args_option *o;

	for (o = a->command->options; o && o->name; o++)
		if (o->letter == letter)
			return (int)(o - a->command->options);
	return NOT_SEEN;
}

/* Keep a word that is no option for the end, as getopt() permutes. */
static bool take_word(struct args *a)
{
	const int at = optind ? optind : 1;
	char *word;
	int i;

	if (at >= a->argc - a->nr_words || !strcmp(a->argv[at], "--") ||
	    (a->argv[at][0] == '-' && a->argv[at][1]))
		return false;
	word = a->argv[at];
	for (i = at; i + 1 < a->argc; i++)
		a->argv[i] = a->argv[i + 1];
	a->argv[a->argc - 1] = word;
	a->nr_words++;
	return true;
}

static int finish(struct args *a)
{
	a->words = a->argv + (optind ? optind : 1);
	a->nr_words = a->argc - (optind ? optind : 1);
	return ARGS_END;
}

bool args_words(const char *value, struct args_words *w)
{
	size_t n = 0, len = value ? strlen(value) : 0;
	char *next;

	if (!len || !strchr(value, '|') ||
	    strpbrk(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
		return false;
	CHECK_LT(len, sizeof(w->text));
	memcpy(w->text, value, len + 1);
	for (next = w->text; next; n++) {
		CHECK_LT(n, ARGS_MAX_WORDS);
		w->name[n] = strsep(&next, "|");
	}
	w->name[n] = NULL;
	return true;
}

static int unknown_word(const struct args *a, const struct args_option *o,
			const struct args_words *w)
{
	const char *near = diag_nearest(a->value, w->name);
	char all[2 * ARGS_WORDS_SIZE];
	size_t n = 0;

	for (int i = 0; w->name[i]; i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s",
				      !i ? "" : w->name[i + 1] ? ", " : " and ",
				      w->name[i]);
	args_error(a, "unknown %s '%s'%s%s%s; allowed are %s", o->name,
		   a->value, near ? "; did you mean '" : "", near ? near : "",
		   near ? "'?" : "", all);
	return ARGS_BAD;
}

/* The option, once its value is found to be one that it takes. */
static int choose(struct args *a, int option)
{
	const struct args_option *o = &a->command->options[option];
	struct args_words w;

	if (!args_words(o->value, &w))
		return option;
	for (a->choice = 0; w.name[a->choice]; a->choice++)
		if (!strcmp(w.name[a->choice], a->value))
			return option;
	return unknown_word(a, o, &w);
}

int args_next(struct args *a)
{
	struct option longs[ARGS_MAX_OPTIONS + 2];
	char shorts[2 * ARGS_MAX_OPTIONS + 3];
	int key;

	while (take_word(a))
		;
	if ((optind ? optind : 1) >= a->argc - a->nr_words)
		return finish(a);
	if (!full_name(a))
		return ARGS_BAD;
	build_tables(a, longs, shorts);
	key = getopt_long(a->argc - a->nr_words, a->argv, shorts, longs, NULL);
	a->value = optarg;
	if (key == -1)
		return finish(a);
	if (key == HELP_OPTION) {
		args_help(a->command);
		return ARGS_HELP;
	}
	if (key >= 256)
		return choose(a, key - 256);
	if (key != '?' && key != ':')
		return choose(a, by_letter(a, key));
	if (key == ':')
		args_error(a, "%s wants a value", a->argv[optind - 1]);
	else if (optopt && optopt < 256)
		args_error(a, "unknown option -%c", optopt);
	else
		args_error(a, "%s takes no value", a->argv[optind - 1]);
	return ARGS_BAD;
}

int args_one_word(struct args *a, args_take_fn take, void *ctx,
		  const char *what, const char **word)
{
	int option;

	while ((option = args_next(a)) >= 0)
		if (take(ctx, option))
			return EXIT_USAGE;
	if (option != ARGS_END)
		return option == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
	if (a->nr_words == 0)
		return args_error(a, "no %s is named", what);
	if (a->nr_words > 1)
		return args_error(a, "one %s only", what);
	*word = a->words[0];
	return ARGS_END;
}

int args_unknown(const struct args *a, const char *what, const char *name,
		 const char *const *names, const char *topic)
{
	const char *near = diag_nearest(name, names);

	return args_error(a, "unknown %s '%s'%s%s%s; `buddylab list %s` shows "
			  "all", what, name, near ? "; did you mean '" : "",
			  near ? near : "", near ? "'?" : "", topic);
}

int args_kernel(const struct args *a)
{
	if (alloc_profile_find(a->value))
		return 0;
	return args_unknown(a, "kernel", a->value, alloc_profile_names(),
			    "kernels");
}

