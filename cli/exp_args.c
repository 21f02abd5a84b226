/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options that run, plan, run-cell, status and collect share. */
#include "cli/exp_args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void exp_args_init(struct exp_args *a, const struct args_command *command,
		   int argc, char **argv)
{
	memset(a, 0, sizeof(*a));
	args_init(&a->args, command, argc, argv);
	plugins_init(&a->plugins);
	a->req.registry = &a->plugins.registry;
	a->req.sets = a->sets;
}

/* out/NAME for any/NAME.ini. */
static void default_dir(struct exp_args *a)
{
	const char *slash = strrchr(a->req.path, '/');
	const char *name = slash ? slash + 1 : a->req.path;
	const char *dot = strrchr(name, '.');
	const int len = dot && dot != name ? (int)(dot - name) :
					     (int)strlen(name);

	snprintf(a->dir, sizeof(a->dir), "out/%.*s", len, name);
}

static int take_shared(struct exp_args *a, int option)
{
	const char *value = a->args.value;

	switch (option) {
	case EXP_OUTPUT:
		if (!value[0] || strlen(value) >= sizeof(a->dir))
			break;
		snprintf(a->dir, sizeof(a->dir), "%s", value);
		return 0;
	case EXP_SET:
		if (a->req.nr_sets == EXP_MAX_SETS)
			break;
		a->sets[a->req.nr_sets++] = value;
		return 0;
	case EXP_SEEDS:
		a->req.seeds = value;
		return 0;
	case EXP_LARGE:
		a->req.large = true;
		return 0;
	case EXP_PLUGIN:
		return plugins_take(&a->plugins, &a->args) ? ARGS_BAD : 0;
	default:
		a->req.only = value;
		return 0;
	}
	args_error(&a->args, option == EXP_SET ? "more than %d --set" :
		   "--output wants a folder of less than %d characters",
		   option == EXP_SET ? EXP_MAX_SETS : STORE_PATH_SIZE);
	return ARGS_BAD;
}

static int take_word(struct exp_args *a)
{
	if (a->args.nr_words == 0)
		args_error(&a->args, "no experiment file is named");
	else if (a->args.nr_words > 1)
		args_error(&a->args, "one experiment file only; '%s' is one "
			   "more", a->args.words[1]);
	else
		a->req.path = a->args.words[0];
	if (!a->req.path)
		return ARGS_BAD;
	if (!a->dir[0])
		default_dir(a);
	return ARGS_END;
}

int exp_args_next(struct exp_args *a)
{
	int option, err;

	for (;;) {
		option = args_next(&a->args);
		if (option == ARGS_END)
			return take_word(a);
		if (option < 0 || option >= EXP_NR_OPTIONS)
			return option;
		err = take_shared(a, option);
		if (err)
			return err;
	}
}

int exp_args_exit(int result)
{
	return result == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
}

int exp_args_load(struct exp_args *a, struct experiment *e)
{
	struct diag d = { .out = stderr };
	int err = experiment_load(e, &a->req, &d);

	if (!err)
		return 0;
	if (err == -ENOMEM)
		diag_error(&d, (struct diag_place){ .file = a->req.path },
			   "out of memory");
	experiment_free(e);
	return err == -EINVAL ? EXIT_USAGE : EXIT_RUNTIME;
}

int exp_args_allow(const struct exp_args *a, const struct experiment *e,
		   const struct cell *only)
{
	const struct cell *c = only ? only : demand_largest(e);
	const uint64_t have = demand_available();
	struct diag d = { .out = stderr };
	char text[300];

	if (a->req.large || !c || demand_of_cell(c) <= have)
		return 0;
	cell_describe(c, text, sizeof(text));
	diag_error(&d, (struct diag_place){ .file = a->req.path },
		   "cell %s (%s) simulates %llu guest pages, which may take %llu MiB "
		   "of memory, and this program can have %llu MiB; most "
		   "workloads need a small part of that: --large runs it "
		   "nevertheless", c->id, text, (unsigned long long)
		   (demand_of_cell(c) / DEMAND_BYTES_PER_PAGE),
		   (unsigned long long)(demand_of_cell(c) >> 20),
		   (unsigned long long)(have >> 20));
	return EXIT_USAGE;
}

int exp_args_stored(const struct exp_args *a, const struct cell *c)
{
	char path[STORE_PATH_SIZE];
	const int stored = cell_is_stored(c, a->dir);

	if (stored >= 0)
		return stored;
	store_cell_path(a->dir, c->id, path, sizeof(path));
	fprintf(stderr, "buddylab %s: error: %s: cannot read: %s\n",
		a->args.command->name, path, strerror(-stored));
	return stored;
}

int exp_args_jobs(const struct exp_args *a, const struct experiment *e,
		  unsigned int *jobs, bool chosen)
{
	const uint64_t have = demand_available_to_all();
	const unsigned int fit = a->req.large ? *jobs :
				 demand_jobs_that_fit(e, *jobs, have);
	struct diag d = { .out = stderr };

	if (!chosen)
		*jobs = fit;
	if (fit == *jobs)
		return 0;
	diag_error(&d, (struct diag_place){ .file = a->req.path },
		   "%u cells at a time may take %llu MiB of memory, and all of "
		   "them can have %llu MiB: -j %u does; most workloads need a "
		   "small part of that: --large runs it nevertheless", *jobs,
		   (unsigned long long)(demand_of_jobs(e, *jobs) >> 20),
		   (unsigned long long)(have >> 20), fit);
	return EXIT_USAGE;
}

/* Quote a word for sh if it needs that. */
static void put_word(FILE *out, const char *word)
{
	const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789_-+=./:,%@";

	if (word[0] && strspn(word, plain) == strlen(word)) {
		fprintf(out, " %s", word);
		return;
	}
	fputs(" '", out);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	}
	fputc('\'', out);
}

char *exp_args_quote(const char *word)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	put_word(out, word);
	if (fclose(out) == 0)
		return memmove(text, text + 1, strlen(text));
	free(text);
	return NULL;
}

char *exp_args_repeat(const struct exp_args *a, const char *command)
{
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "buddylab %s", command);
	put_word(out, a->req.path);
	fputs(" -o", out);
	put_word(out, a->dir);
	for (i = 0; i < a->req.nr_sets; i++) {
		fputs(" --set", out);
		put_word(out, a->req.sets[i]);
	}
	if (a->req.seeds) {
		fputs(" --seeds", out);
		put_word(out, a->req.seeds);
	}
	if (a->req.only) {
		fputs(" --only", out);
		put_word(out, a->req.only);
	}
	if (a->req.large)
		fputs(" --large", out);
	for (i = 0; i < a->plugins.nr; i++) {
		fputs(" --reporter-plugin", out);
		put_word(out, a->plugins.paths[i]);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

unsigned int exp_args_count(const struct exp_args *a, const char *option,
			    unsigned int max)
{
	uint64_t n = 0;

	if (!parse_u64(a->args.value, &n) && n >= 1 && n <= max)
		return (unsigned int)n;
	args_error(&a->args, "--%s wants a number from 1 to %u, not '%s'",
		   option, max, a->args.value);
	return 0;
}
