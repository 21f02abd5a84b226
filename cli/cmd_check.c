/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab check NEW --baseline BASE`: the gate. docs/ci.md
 *
 * In a step of GitHub Actions it also leaves notes beside the lines of the
 * baseline and a page in the summary of the step; both places come from the
 * environment, as that is how the runner names them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/pair.h"

enum { BASELINE, THRESHOLDS, JUNIT, TAP, FORMAT };

static const struct args_option options[] = {
	[BASELINE] = { "baseline", 0, "BASE", "folder or .jsonl file to check "
		       "against" },
	[THRESHOLDS] = { "thresholds", 0, "F", "how far values may move; "
			 "without it not at all" },
	[JUNIT] = { "junit", 0, "F", "write JUnit XML to the file F" },
	[TAP] = { "tap", 0, NULL, "print TAP, one test per cell" },
	[FORMAT] = { "format", 0, "text|json", "default text" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_check = {
	.name = "check",
	.synopsis = "NEW --baseline BASE [options]",
	.text = "Compare results with a baseline, exactly: counters of a "
		"seeded run have no\n"
		"noise. Exit status: 0 nothing moved, 1 something did, 4 cells "
		"are missing or\n"
		"new, or too few for a comparison over seeds, so that nothing "
		"can be said.\n",
	.options = options,
	.example = "  buddylab check out/quick --baseline "
		   "bench/baselines/quick.jsonl\n",
};

struct check {
	const char *baseline, *thresholds, *junit;
	bool tap, json;
};

static int write_junit(const struct comparison *c, const char *path)
{
	struct store_file f;
	char why[4400] = "";
	int err = store_create(&f, path, why, sizeof(why));

	if (!err) {
		compare_print_junit(c, f.out);
		/* Why it cannot be written is said when it is closed. */
		if (json_memory_failed()) {
			snprintf(why, sizeof(why), "%s: out of memory", path);
			store_discard(&f);
			err = -ENOMEM;
		} else {
			err = store_commit(&f, why, sizeof(why));
		}
	}
	if (err)
		fprintf(stderr, "buddylab check: error: %s\n", why);
	return err;
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* Steps before may have written to the page, too. */
static int add_summary(const struct comparison *c, const char *path)
{
	FILE *out = fopen(path, "ae");
	int err;

	if (!out) {
		fprintf(stderr, "buddylab check: error: %s: %s\n", path,
			strerror(errno));
		return -EIO;
	}
	err = compare_print_summary(c, out);
	if (fclose(out))
		err = -EIO;
	return err;
}

static int tell_github(const struct comparison *c)
{
	const char *actions = environment("GITHUB_ACTIONS");
	const char *summary = environment("GITHUB_STEP_SUMMARY");
	int err = 0;

	if (!actions || strcmp(actions, "true") != 0)
		return 0;
	/* The runner reads both streams; stdout may be a format of its own. */
	if (c->verdict != COMPARE_EQUAL)
		err = compare_print_annotations(c, stderr);
	if (!err && summary)
		err = add_summary(c, summary);
	return err;
}

static int print(const struct check *k, const struct comparison *c)
{
	if (k->tap)
		return compare_print_tap(c, stdout);
	return k->json ? compare_print_json(c, stdout) :
			 compare_print(c, stdout);
}

/* Nothing to compare with: never a pass, and no failure of the machine. */
static int no_baseline(const struct check *k, const char *new)
{
	fprintf(stderr, "%s: error: there is no such baseline; `buddylab accept "
		"%s --baseline %s` makes it\n", k->baseline, new, k->baseline);
	return EXIT_NOT_COMPARABLE;
}

static int check(const struct check *k, const char *new)
{
	struct pair p;
	int code;

	if (access(k->baseline, F_OK) && errno == ENOENT)
		return no_baseline(k, new);
	code = pair_load(&p, k->baseline, new, k->thresholds, false);

	if (!code) {
		code = pair_exit(&p);
		if (!pair_printed("check", print(k, &p.comparison)) ||
		    tell_github(&p.comparison))
			code = EXIT_RUNTIME;
		if (k->junit && write_junit(&p.comparison, k->junit))
			code = EXIT_RUNTIME;
	}
	if (code == EXIT_REGRESSION)
		fprintf(stderr, "If this is meant: buddylab accept %s "
			"--baseline %s\n", new, k->baseline);
	pair_free(&p);
	return code;
}

/* 0, or 2 after a message. */
static int take_option(struct check *k, const struct args *a, int option)
{
	switch (option) {
	case BASELINE:
		k->baseline = a->value;
		return 0;
	case THRESHOLDS:
		k->thresholds = a->value;
		return 0;
	case JUNIT:
		k->junit = a->value;
		return 0;
	case FORMAT:
		k->json = a->choice == 1;
		return 0;
	default:
		k->tap = true;
		return 0;
	}
}

int cmd_check(int argc, char **argv)
{
	struct check k = { 0 };
	struct args a;
	int opt;

	args_init(&a, &command_check, argc, argv);
	while ((opt = args_next(&a)) >= 0)
		if (take_option(&k, &a, opt))
			return EXIT_USAGE;
	if (opt != ARGS_END)
		return opt == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
	if (a.nr_words != 1)
		return args_error(&a, "expects one folder of results");
	if (!k.baseline)
		return args_error(&a, "--baseline is missing");
	if (k.tap && k.json)
		return args_error(&a, "--tap and --format json both want "
				  "stdout");
	return check(&k, a.words[0]);
}
