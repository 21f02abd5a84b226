/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab check NEW --baseline BASE`: the gate. docs/ci.md */
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/pair.h"

enum { BASELINE, THRESHOLDS, JUNIT, TAP };

static const struct args_option options[] = {
	[BASELINE] = { "baseline", 0, "BASE", "folder or .jsonl file to check "
		       "against" },
	[THRESHOLDS] = { "thresholds", 0, "F", "how far values may move; "
			 "without it not at all" },
	[JUNIT] = { "junit", 0, "F", "write JUnit XML to the file F" },
	[TAP] = { "tap", 0, NULL, "print TAP, one test per cell" },
	{ NULL, 0, NULL, NULL },
};

static const struct args_command command = {
	.name = "check",
	.synopsis = "NEW --baseline BASE [options]",
	.text = "Compare results with a baseline, exactly: counters of a "
		"seeded run have no\n"
		"noise. Exit status: 0 nothing moved, 1 something did, 4 cells "
		"are missing or\n"
		"new, so that the two cannot be compared.\n",
	.options = options,
	.example = "  buddylab check out/quick --baseline "
		   "bench/baselines/quick.jsonl\n",
};

struct check {
	const char *baseline, *thresholds, *junit;
	bool tap;
};

static int write_junit(const struct comparison *c, const char *path)
{
	struct store_file f;
	char why[4400] = "";
	int err = store_create(&f, path, why, sizeof(why));

	if (!err) {
		compare_print_junit(c, f.out);
		err = store_commit(&f, why, sizeof(why));
	}
	if (err)
		fprintf(stderr, "buddylab check: error: %s\n", why);
	return err;
}

static int check(const struct check *k, const char *new)
{
	struct pair p;
	int code = pair_load(&p, k->baseline, new, k->thresholds, false);

	if (!code) {
		code = pair_exit(&p);
		if (k->tap ? compare_print_tap(&p.comparison, stdout) :
			     compare_print(&p.comparison, stdout))
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

int cmd_check(int argc, char **argv)
{
	struct check k = { 0 };
	struct args a;
	int opt;

	args_init(&a, &command, argc, argv);
	while ((opt = args_next(&a)) >= 0)
		switch (opt) {
		case BASELINE:
			k.baseline = a.value;
			break;
		case THRESHOLDS:
			k.thresholds = a.value;
			break;
		case JUNIT:
			k.junit = a.value;
			break;
		default:
			k.tap = true;
		}
	if (opt != ARGS_END)
		return opt == ARGS_HELP ? EXIT_FINE : EXIT_USAGE;
	if (a.nr_words != 1)
		return args_error(&a, "expects one folder of results");
	if (!k.baseline)
		return args_error(&a, "--baseline is missing");
	return check(&k, a.words[0]);
}
