/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab replay FILE --snapshot BEFORE`: run a recorded request stream on a
 * twin of the kernel's state and say how many PFNs it predicts. docs/replay.md
 * is the reference.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/cmd_replay.h"
#include "include/option.h"
#include "replay/replay.h"

#define EXIT_DIFFERS 1
#define EXIT_USAGE 2
#define EXIT_RUNTIME 3

static const char usage[] =
	"usage: buddylab replay FILE --snapshot BEFORE [options]\n"
	"\n"
	"Run a recorded request stream on a twin of the kernel's page allocator\n"
	"and compare every page frame number handed out. FILE and the snapshots\n"
	"may be zstd-compressed; FILE may be - for standard input.\n"
	"\n"
	"  --snapshot FILE   state before the first record (required)\n"
	"  --expect FILE     compare the end state with this snapshot\n"
	"  --kernel PROFILE  rules of this release (default 6.1)\n"
	"  --mode MODE       predict (default), or assisted: after a miss the\n"
	"                    observed page is forced\n"
	"  --hints LIST      none (default), all, or a list of T, M, zone:\n"
	"                    observations that may be used, and are counted\n"
	"  --limit N         stop after N records\n"
	"  --format FORMAT   text (default) or json\n"
	"  --help            show this\n"
	"\n"
	"Exit status: 0 all predicted and equal; 1 not; 2 usage; 3 a file is\n"
	"missing, cut short or wrong.\n"
	"\n"
	"Example:\n"
	"  buddylab replay req.txt.zst --snapshot before.snap.zst \\\n"
	"    --expect after.snap.zst --format json\n";

enum option_key {
	KEY_SNAPSHOT = 1,
	KEY_EXPECT,
	KEY_KERNEL,
	KEY_MODE,
	KEY_HINTS,
	KEY_LIMIT,
	KEY_FORMAT,
	KEY_HELP,
};

static const struct option long_options[] = {
	{ "snapshot", required_argument, NULL, KEY_SNAPSHOT },
	{ "expect", required_argument, NULL, KEY_EXPECT },
	{ "kernel", required_argument, NULL, KEY_KERNEL },
	{ "mode", required_argument, NULL, KEY_MODE },
	{ "hints", required_argument, NULL, KEY_HINTS },
	{ "limit", required_argument, NULL, KEY_LIMIT },
	{ "format", required_argument, NULL, KEY_FORMAT },
	{ "help", no_argument, NULL, KEY_HELP },
	{ NULL, 0, NULL, 0 },
};

struct command {
	struct replay_options replay;
	bool json;
	bool help;
};

__attribute__((format(printf, 1, 2)))
static int usage_error(const char *fmt, ...)
{
	va_list ap;

	fputs("buddylab replay: error: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("; see buddylab replay --help\n", stderr);
	return -EINVAL;
}

static int unknown_option(const char *word, size_t len)
{
	const char *names[ARRAY_SIZE(long_options)];
	const char *near;
	char name[32];

	for (size_t i = 0; i < ARRAY_SIZE(long_options); i++)
		names[i] = long_options[i].name;
	snprintf(name, sizeof(name), "%.*s", (int)len, word);
	near = diag_nearest(name, names);
	if (near)
		return usage_error("unknown option --%s; did you mean --%s?",
				   name, near);
	return usage_error("unknown option --%s", name);
}

static const struct option *find_option(const char *word, size_t len)
{
	for (const struct option *o = long_options; o->name; o++)
		if (strlen(o->name) == len && !memcmp(o->name, word, len))
			return o;
	return NULL;
}

/* getopt_long() takes unambiguous beginnings; we take full names only. */
static int check_full_names(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const struct option *o;
		size_t len;

		if (strncmp(argv[i], "--", 2) != 0)
			continue;
		if (argv[i][2] == '\0')
			return 0;
		len = strcspn(argv[i] + 2, "=");
		o = find_option(argv[i] + 2, len);
		if (!o)
			return unknown_option(argv[i] + 2, len);
		if (o->has_arg && argv[i][2 + len] == '\0')
			i++;
	}
	return 0;
}

static int parse_mode(const char *text, enum replay_mode *mode)
{
	if (!strcmp(text, "predict"))
		*mode = REPLAY_PREDICT;
	else if (!strcmp(text, "assisted"))
		*mode = REPLAY_ASSISTED;
	else
		return usage_error("unknown mode \"%s\"; allowed are predict and assisted",
				   text);
	return 0;
}

static int parse_format(const char *text, bool *json)
{
	if (strcmp(text, "json") != 0 && strcmp(text, "text") != 0)
		return usage_error("unknown format \"%s\"; allowed are text and json",
				   text);
	*json = !strcmp(text, "json");
	return 0;
}

static int parse_kernel(const char *text, const char **kernel)
{
	const char *near;

	*kernel = text;
	if (alloc_profile_find(text))
		return 0;
	near = diag_nearest(text, alloc_profile_names());
	return usage_error("unknown kernel \"%s\"%s%s%s; "
			   "allowed are 5.3 5.7 5.10 6.1 6.12.0 6.12 6.18",
			   text, near ? "; did you mean \"" : "",
			   near ? near : "", near ? "\"?" : "");
}

static int parse_limit(const char *text, unsigned int *limit)
{
	uint64_t n = 0;

	if (parse_u64(text, &n) || n == 0 || n > UINT32_MAX)
		return usage_error("limit is \"%s\"; allowed is a number from 1 to %u",
				   text, UINT32_MAX);
	*limit = (unsigned int)n;
	return 0;
}

static int parse_hints(const char *text, unsigned int *hints)
{
	char why[160];

	if (replay_parse_hints(text, hints, why, sizeof(why)))
		return usage_error("%s", why);
	return 0;
}

static int parse_option(int key, struct command *c)
{
	switch (key) {
	case KEY_SNAPSHOT:
		c->replay.before = optarg;
		return 0;
	case KEY_EXPECT:
		c->replay.after = optarg;
		return 0;
	case KEY_KERNEL:
		return parse_kernel(optarg, &c->replay.kernel);
	case KEY_MODE:
		return parse_mode(optarg, &c->replay.mode);
	case KEY_HINTS:
		return parse_hints(optarg, &c->replay.hints);
	case KEY_LIMIT:
		return parse_limit(optarg, &c->replay.limit);
	case KEY_FORMAT:
		return parse_format(optarg, &c->json);
	case KEY_HELP:
		c->help = true;
		return 0;
	default:
		/* getopt_long() has said what is wrong. */
		return -EINVAL;
	}
}

static int parse_command(int argc, char **argv, struct command *c)
{
	int key;
	int err = check_full_names(argc, argv);

	optind = 1;
	while (!err && !c->help &&
	       (key = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		err = parse_option(key, c);
	if (err || c->help)
		return err;
	if (optind == argc)
		return usage_error("no request stream is named");
	if (optind + 1 < argc)
		return usage_error("one request stream only; \"%s\" is one more",
				   argv[optind + 1]);
	if (!c->replay.before)
		return usage_error("--snapshot is missing: the state to start from");
	c->replay.stream = argv[optind];
	return 0;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static int print_result(const struct command *c, const struct replay_result *r)
{
	if (c->json && replay_print_json(r, stdout))
		return EXIT_RUNTIME;
	if (!c->json)
		replay_print_text(&c->replay, r, stdout);
	if (fflush(stdout) || ferror(stdout))
		return EXIT_RUNTIME;
	return replay_exact(r) ? 0 : EXIT_DIFFERS;
}

int cmd_replay(int argc, char **argv)
{
	struct command c = { .replay = { .mode = REPLAY_PREDICT } };
	struct diag d = { .out = stderr };
	struct replay_result result = { 0 };
	const uint64_t start = now_ns();

	if (parse_command(argc, argv, &c))
		return EXIT_USAGE;
	if (c.help) {
		fputs(usage, stdout);
		return 0;
	}
	if (replay_run(&c.replay, &d, &result))
		return EXIT_RUNTIME;
	result.wall_ns = now_ns() - start;
	return print_result(&c, &result);
}
