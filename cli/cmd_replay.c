/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab replay FILE --snapshot BEFORE`: run a recorded trace on a twin of
 * the kernel's state and say how many PFNs it predicts. docs/replay.md is the
 * reference.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/plugin.h"
#include "include/option.h"
#include "replay/replay.h"
#include "replay/rules.h"
#include "sim/sim.h"
#include "trace/source.h"

enum {
	OPT_SNAPSHOT,
	OPT_EXPECT,
	OPT_KERNEL,
	OPT_WITHOUT,
	OPT_MODE,
	OPT_HINTS,
	OPT_REPORTER,
	OPT_PLUGIN,
	OPT_LIMIT,
	OPT_FORMAT,
	OPT_ASSUME,
	OPT_MEMORY,
	OPT_CPUS,
	OPT_PROC,
	OPT_THREADS,
};

static const struct args_option options[] = {
	[OPT_SNAPSHOT] = { "snapshot", 0, "FILE",
			   "state before the first record" },
	[OPT_EXPECT] = { "expect", 0, "FILE",
			 "compare the end state with this snapshot" },
	[OPT_KERNEL] = { "kernel", 0, "PROFILE",
			 "rules of this release (default: the snapshot's, the trace's, or 6.1)" },
	[OPT_WITHOUT] = { "without", 0, "RULES",
			  "take rules away; `buddylab list rules` shows them" },
	[OPT_MODE] = { "mode", 0, "predict|assisted",
		       "default predict; assisted: force missed pages" },
	[OPT_HINTS] = { "hints", 0, "LIST",
			"none (default), all, or a list of T, M, zone, L" },
	[OPT_REPORTER] = { "reporter", 0, "DESIGN",
			   "act by itself; I R TF TB Q are expectations" },
	[OPT_PLUGIN] = PLUGIN_OPTION,
	[OPT_LIMIT] = { "limit", 0, "N", "stop after N records" },
	[OPT_FORMAT] = { "format", 0, "text|json", "default text" },
	[OPT_ASSUME] = { "assume", 0, "boot|FILE",
			 "no snapshot: a booted guest, or recorded free counts" },
	[OPT_MEMORY] = { "memory", 0, "SIZE",
			 "of the guest of --assume boot (default 1G)" },
	[OPT_CPUS] = { "cpus", 0, "N", "its CPUs (default 1)" },
	[OPT_PROC] = { "proc", 0, "FILE",
		       "compare buddyinfo and pagetypeinfo at the end" },
	[OPT_THREADS] = { "threads", 0, "N",
			  "2 read a plain .blt ahead, 1 does not (default: by "
			  "CPUs)" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_replay = {
	.name = "replay",
	.synopsis = "FILE --snapshot BEFORE|--assume START [options]",
	.text = "Run a recorded trace on a twin of the kernel's page allocator\n"
		"and compare every page frame number handed out. FILE is a\n"
		"request stream, a .blt, or a trace of the kmem tracepoints in\n"
		"any format that import reads. Files may be zstd-compressed; -\n"
		"reads the trace from standard input. Exit status: 0 all is\n"
		"predicted and equal; 1 it is not; 2 usage; 3 a file is missing\n"
		"or wrong.\n",
	.options = options,
	.example = "  buddylab replay req.txt.zst --snapshot before.snap.zst \\\n"
		   "    --expect after.snap.zst --format json\n",
};

struct replay_command {
	struct args args;
	struct replay_options replay;
	bool json;
	const char *assume, *memory, *cpus;
	const char *reporter;          /* its name; found among the plugins */
	struct plugins plugins;
	struct alloc *booted;
};

static int parse_without(struct replay_command *c, const char *text)
{
	char why[160];

	c->replay.without = text;
	if (replay_check_rules(text, why, sizeof(why)))
		return args_error(&c->args, "%s", why);
	return 0;
}

static int parse_hints(struct replay_command *c, const char *text)
{
	char why[160];

	if (replay_parse_hints(text, &c->replay.hints, why, sizeof(why)))
		return args_error(&c->args, "%s", why);
	return 0;
}

static int parse_limit(struct replay_command *c, const char *text)
{
	uint64_t n = 0;

	if (parse_u64(text, &n) || n == 0 || n > UINT32_MAX)
		return args_error(&c->args,
				  "limit is \"%s\"; allowed is a number from 1 to %u",
				  text, UINT32_MAX);
	c->replay.limit = (unsigned int)n;
	return 0;
}

static int parse_threads(struct replay_command *c, const char *text)
{
	uint64_t n = 0;

	if (parse_u64(text, &n) || n < 1 || n > 2)
		return args_error(&c->args,
				  "threads is \"%s\"; allowed are 1 and 2", text);
	c->replay.threads = (unsigned int)n;
	return 0;
}

static int parse_option(void *ctx, int option)
{
	struct replay_command *c = ctx;
	const char *value = c->args.value;

	switch (option) {
	case OPT_SNAPSHOT:
		c->replay.before = value;
		return 0;
	case OPT_EXPECT:
		c->replay.after = value;
		return 0;
	case OPT_KERNEL:
		c->replay.kernel = value;
		return args_kernel(&c->args);
	case OPT_WITHOUT:
		return parse_without(c, value);
	case OPT_MODE:
		c->replay.mode = c->args.choice == 1 ? REPLAY_ASSISTED :
						       REPLAY_PREDICT;
		return 0;
	case OPT_HINTS:
		return parse_hints(c, value);
	case OPT_REPORTER:
		c->reporter = value;
		return 0;
	case OPT_PLUGIN:
		return plugins_take(&c->plugins, &c->args);
	case OPT_LIMIT:
		return parse_limit(c, value);
	case OPT_ASSUME:
		c->assume = value;
		return 0;
	case OPT_MEMORY:
		c->memory = value;
		return 0;
	case OPT_CPUS:
		c->cpus = value;
		return 0;
	case OPT_PROC:
		c->replay.proc = value;
		return 0;
	case OPT_THREADS:
		return parse_threads(c, value);
	default:
		c->json = c->args.choice == 1;
		return 0;
	}
}

/* The kernel that the trace names, or 6.1; a trace that cannot be opened is
 * the replay's to report. */
static void trace_kernel(const char *path, char out[16])
{
	struct diag quiet = { .out = NULL };
	struct trace_source *s = NULL;
	const char *named = NULL;
	struct stat st;

	/* A pipe can be read once. */
	if (!stat(path, &st) && S_ISREG(st.st_mode) &&
	    !trace_open(&s, path, NULL, &quiet))
		named = trace_source_kernel(s);
	snprintf(out, 16, "%s", named && alloc_profile_find(named) ? named :
								     "6.1");
	trace_close(s);
}

static int boot_guest(struct replay_command *c)
{
	const char *kernel = c->replay.kernel;
	char why[256], named[16];
	uint64_t cpus = 1;

	if (c->cpus && (parse_u64(c->cpus, &cpus) || cpus > ALLOC_MAX_CPUS))
		return args_error(&c->args,
				  "cpus is \"%s\"; allowed is a number from 1 to %u",
				  c->cpus, ALLOC_MAX_CPUS);
	if (!kernel) {
		trace_kernel(c->replay.stream, named);
		kernel = named;
	}
	if (sim_boot_alloc(&c->booted, kernel, c->memory ? c->memory : "1G",
			   (unsigned int)cpus, why, sizeof(why)))
		return args_error(&c->args, "cannot boot the guest: %s", why);
	c->replay.booted = c->booted;
	return 0;
}

/* After all options: a plugin may be named behind the design. */
static int choose_reporter(struct replay_command *c)
{
	if (!c->reporter)
		return 0;
	c->replay.reporter = plugins_find(&c->plugins, &c->args, c->reporter);
	return c->replay.reporter ? 0 : EXIT_USAGE;
}

/* One start state, and options that belong to it. */
static int choose_start(struct replay_command *c)
{
	const bool boot = c->assume && !strcmp(c->assume, "boot");

	if (!c->replay.before && !c->assume)
		return args_error(&c->args,
				  "--snapshot is missing: the state to start from; "
				  "or --assume one");
	if (c->replay.before && c->assume)
		return args_error(&c->args,
				  "--snapshot and --assume: one start state only");
	if (!boot && (c->memory || c->cpus))
		return args_error(&c->args,
				  "--memory and --cpus go with --assume boot");
	if (boot)
		return boot_guest(c);
	c->replay.free_counts = c->assume;
	return 0;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static int print_result(const struct replay_command *c,
			const struct replay_result *r)
{
	if (c->json && replay_print_json(r, stdout))
		return EXIT_RUNTIME;
	if (!c->json)
		replay_print_text(&c->replay, r, stdout);
	if (fflush(stdout) || ferror(stdout))
		return EXIT_RUNTIME;
	return replay_exact(r) ? EXIT_FINE : EXIT_REGRESSION;
}

static int replay_words(struct replay_command *c)
{
	struct diag d = { .out = stderr };
	struct replay_result result = { 0 };
	const uint64_t start = now_ns();

	if (replay_run(&c->replay, &d, &result))
		return EXIT_RUNTIME;
	if (!result.events && !c->replay.after) {
		diag_error(&d, (struct diag_place){ .file = c->replay.stream },
			   "holds no records; there is nothing to compare");
		return EXIT_RUNTIME;
	}
	result.wall_ns = now_ns() - start;
	return print_result(c, &result);
}

int cmd_replay(int argc, char **argv)
{
	struct replay_command c = { .json = false };
	int code;

	plugins_init(&c.plugins);
	args_init(&c.args, &command_replay, argc, argv);
	code = args_one_word(&c.args, parse_option, &c, "trace",
			     &c.replay.stream);
	if (code != ARGS_END)
		return code;
	code = choose_reporter(&c);
	if (!code)
		code = choose_start(&c);
	if (!code)
		code = replay_words(&c);
	if (c.booted)
		alloc_destroy(c.booted);
	return code;
}
