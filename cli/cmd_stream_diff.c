/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab stream-diff TRACE --workload NAME`: what a recorded program asked
 * its kernel's page allocator for, beside what our model of the program asks
 * ours for. docs/stream-diff.md is the reference.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/registry.h"
#include "cli/stream_diff.h"

enum {
	OPT_WORKLOAD,
	OPT_SET,
	OPT_TASK,
	OPT_KERNEL,
	OPT_LOOPS,
	OPT_MMAP_BASE,
	OPT_IMAGE,
	OPT_MIN_SIMILARITY,
	OPT_ALL,
	OPT_CONTEXT,
	OPT_LINES,
	OPT_FORMAT,
};

static const struct args_option options[] = {
	[OPT_WORKLOAD] = { "workload", 0, "WORKLOAD", "ours (required)" },
	[OPT_SET] = { "set", 0, "KEY=VALUE",
		      "guest.KEY, or a key of phase or workload; repeatable" },
	[OPT_TASK] = { "task", 0, "TASK",
		       "COMM, COMM-PID or PID (default: most calls)" },
	[OPT_KERNEL] = { "kernel", 0, "PROFILE",
			 "rules of this release (default: the trace's, or 6.1)" },
	[OPT_LOOPS] = { "loops", 0, "N",
			"unmaps of an endless workload (default: to match)" },
	[OPT_MMAP_BASE] = { "mmap-base", 0, "ADDRESS",
			    "mappings grow down from here (default: to match)" },
	[OPT_IMAGE] = { "image", 0, "PAGES",
			"of the program that its exit passes (default: to match)" },
	[OPT_MIN_SIMILARITY] = { "min-similarity", 0, "PERCENT",
				 "exit 1 below it" },
	[OPT_ALL] = { "all", 0, NULL,
		      "of all calls, not of those in the window" },
	[OPT_CONTEXT] = { "context", 0, "N",
			  "matched lines around a difference (default 2)" },
	[OPT_LINES] = { "lines", 0, "N",
			"lines of differences to print (default 100)" },
	[OPT_FORMAT] = { "format", 0, "text|json", "default text" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_stream_diff = {
	.name = "stream-diff",
	.synopsis = "TRACE --workload NAME [options]",
	.text = "Compare the page-allocator calls of a recorded task with those\n"
		"of a workload: operation, order, type, gfp class, and which\n"
		"page a free gives back. TRACE is a kernel trace of any format.\n"
		"Exit status: 0 fine; 1 less similar than --min-similarity; 2\n"
		"usage; 3 the trace is missing or wrong, or the run failed.\n",
	.options = options,
	.example = "  buddylab stream-diff trace.txt.zst --workload usemem \\\n"
		   "    --set size=800M --set punch_holes=on \\\n"
		   "    --set guest.thp_aligned=off\n",
};

#define MAX_SETS 64
#define LOOPS_MAX 1000000
#define IMAGE_MAX 1000000
#define PPM 1000000u
/* Of the guest kernel, guest.h. */
#define MMAP_BASE UINT64_C(0x7ffff7fff000)
#define MMAP_BASE_MAX UINT64_C(0x7fffffffe000)

struct stream_command {
	struct args args;
	const char *trace, *task, *kernel;
	const struct workload_ops *workload;
	char *sets[MAX_SETS];
	unsigned int nr_sets;
	uint64_t loops, mmap_base, image;
	bool image_given;
	uint32_t min_ppm;
	bool all, json;
	struct stream_print_options print;
};

static int parse_workload(struct stream_command *c, const char *text)
{
	const char *names[32] = { NULL };

	for (size_t i = 0; registry.workloads[i] && i < 31; i++) {
		names[i] = registry.workloads[i]->name;
		if (!strcmp(names[i], text))
			c->workload = registry.workloads[i];
	}
	if (c->workload == &trace_workload || c->workload == &idle_workload)
		return args_error(&c->args, "workload %s makes no calls of its "
				  "own", text);
	return c->workload ? 0 : args_unknown(&c->args, "workload", text, names,
					      "workloads");
}

static int parse_set(struct stream_command *c, char *text)
{
	if (c->nr_sets == MAX_SETS)
		return args_error(&c->args, "more than %d --set", MAX_SETS);
	if (!strchr(text, '='))
		return args_error(&c->args, "--set wants KEY=VALUE, not '%s'",
				  text);
	c->sets[c->nr_sets++] = text;
	return 0;
}

static int parse_number(struct stream_command *c, const char *option,
			uint64_t max, uint64_t *out)
{
	if (!parse_u64(c->args.value, out) && *out <= max)
		return 0;
	return args_error(&c->args, "--%s wants a number up to %llu, not '%s'",
			  option, (unsigned long long)max, c->args.value);
}

/* Hexadecimal, page aligned. */
static int parse_base(struct stream_command *c, const char *text)
{
	char *end;

	c->mmap_base = strtoull(text, &end, 16);
	if (*text && !*end && c->mmap_base % PAGE_SIZE == 0 &&
	    c->mmap_base >= PAGE_SIZE && c->mmap_base <= MMAP_BASE_MAX)
		return 0;
	return args_error(&c->args, "--mmap-base wants a page-aligned address "
			  "up to %#llx, not '%s'",
			  (unsigned long long)MMAP_BASE_MAX, text);
}

/* Percent with up to four digits behind the point, as parts per million. */
static int parse_share(struct stream_command *c, const char *text)
{
	uint32_t ppm = 0, digits = 0;
	bool point = false;
	const char *p;

	for (p = text; *p && ppm <= PPM && digits <= 4; p++) {
		if (*p == '.' && !point && p > text) {
			point = true;
			continue;
		}
		if (*p < '0' || *p > '9')
			break;
		ppm = ppm * 10 + (uint32_t)(*p - '0');
		digits += point;
	}
	for (; digits < 4; digits++)
		ppm *= 10;
	c->min_ppm = ppm;
	if (p > text && !*p && digits == 4 && ppm <= PPM)
		return 0;
	return args_error(&c->args, "--min-similarity wants 0 to 100 with at "
			  "most four digits behind the point, not '%s'", text);
}

static int parse_option(void *ctx, int option)
{
	struct stream_command *c = ctx;
	char *value = (char *)(uintptr_t)c->args.value;
	uint64_t n = 0;
	int err;

	switch (option) {
	case OPT_WORKLOAD:
		return parse_workload(c, value);
	case OPT_SET:
		return parse_set(c, value);
	case OPT_TASK:
		c->task = value;
		return 0;
	case OPT_KERNEL:
		c->kernel = value;
		return args_kernel(&c->args);
	case OPT_LOOPS:
		return parse_number(c, "loops", LOOPS_MAX, &c->loops);
	case OPT_MMAP_BASE:
		return parse_base(c, value);
	case OPT_IMAGE:
		c->image_given = true;
		return parse_number(c, "image", IMAGE_MAX, &c->image);
	case OPT_MIN_SIMILARITY:
		return parse_share(c, value);
	case OPT_ALL:
		c->all = true;
		return 0;
	case OPT_CONTEXT:
		err = parse_number(c, "context", 1000, &n);
		c->print.context = (unsigned int)n;
		return err;
	case OPT_LINES:
		err = parse_number(c, "lines", UINT32_MAX, &n);
		c->print.max_lines = (unsigned int)n;
		return err;
	default:
		c->json = c->args.choice == 1;
		return 0;
	}
}

/* 0 or the exit code. */
static int check_options(const struct stream_command *c)
{
	struct stat st;

	if (!c->workload)
		return args_error(&c->args, "--workload is missing");
	if (c->workload == &page_fault2_workload && c->image)
		return args_error(&c->args, "page_fault2 has a file of its own, "
				  "and no --image");
	if (!strcmp(c->trace, "-") ||
	    (!stat(c->trace, &st) && S_ISFIFO(st.st_mode)))
		return args_error(&c->args, "the trace is read twice; standard "
				  "input or a pipe will not do");
	return 0;
}

/* What the command line says of the machine; 0 or the exit code. */
static int set_machine(struct stream_command *c, struct stream_machine *m,
		       const char *kernel)
{
	char why[400], key[64];

	if (c->kernel)
		kernel = c->kernel;
	if (alloc_profile_find(kernel) &&
	    stream_machine_set(m, "guest.kernel", kernel, why, sizeof(why)))
		return args_error(&c->args, "%s", why);
	for (unsigned int i = 0; i < c->nr_sets; i++) {
		const char *value = strchr(c->sets[i], '=') + 1;

		snprintf(key, sizeof(key), "%.*s",
			 (int)(value - 1 - c->sets[i]), c->sets[i]);
		if (stream_machine_set(m, key, value, why, sizeof(why)))
			return args_error(&c->args, "--set %s: %s", c->sets[i],
					  why);
	}
	return 0;
}

/* One run; 0 or the exit code. */
static int run_once(const struct stream_command *c, struct stream_machine *m,
		    struct stream *out)
{
	char why[400];
	const int ret = stream_machine_run(m, out, why, sizeof(why));

	if (!ret)
		return 0;
	fprintf(stderr, "buddylab stream-diff: error: workload %s: %s\n",
		c->workload->name, why);
	return ret == -EINVAL ? EXIT_USAGE : EXIT_RUNTIME;
}

/* Calls of a run with so many loops; 0 and *nr, or the exit code. */
static int count_calls(const struct stream_command *c,
		       struct stream_machine *m, uint64_t loops, uint64_t *nr)
{
	struct stream s;
	int code;

	stream_machine_loops(m, loops);
	code = run_once(c, m, &s);
	*nr = s.nr;
	stream_free(&s);
	return code;
}

/*
 * As many loops as come nearest to the recorded number of calls. The first
 * loop may have more to do than the others, so the second and third count.
 */
static int match_loops(const struct stream_command *c, struct stream_machine *m,
		       uint64_t wanted)
{
	uint64_t two = 0, three = 0, each, loops;
	int code = count_calls(c, m, 2, &two);

	if (!code)
		code = count_calls(c, m, 3, &three);
	if (code)
		return code;
	each = three - two;
	if (wanted + each / 2 < two)
		loops = 1;
	else
		loops = 2 + (each ? (wanted + each / 2 - two) / each : 0);
	stream_machine_loops(m, loops < LOOPS_MAX ? loops : LOOPS_MAX);
	return 0;
}

/* Our stream, with mappings where the recorded ones were in their ranges. */
static int run_matched(const struct stream_command *c, struct stream_machine *m,
		       const struct stream *recorded, struct stream *ours)
{
	uint64_t shift;
	int code = 0;

	if (c->loops)
		stream_machine_loops(m, c->loops);
	else if (c->workload->endless)
		code = match_loops(c, m, recorded->nr);
	if (code)
		return code;
	stream_machine_base(m, c->mmap_base);
	stream_machine_image(m, c->image);
	code = run_once(c, m, ours);
	if (code || c->mmap_base)
		return code;
	shift = stream_range_shift(recorded, ours);
	if (!shift)
		return 0;
	stream_free(ours);
	stream_machine_base(m, MMAP_BASE + pages_to_bytes(shift));
	return run_once(c, m, ours);
}

static void print_memory_error(void)
{
	fprintf(stderr, "buddylab stream-diff: error: out of memory\n");
}

/* Keep the result with an image of so many pages if it is nearer. */
static void try_image(struct stream_machine *m, uint64_t image,
		      const struct stream *recorded, struct stream *ours,
		      struct stream_diff *d)
{
	struct stream_diff better = { .mate = NULL };
	struct stream again = { .nr = 0 };
	char why[400];
	int err;

	stream_machine_image(m, image);
	err = stream_machine_run(m, &again, why, sizeof(why));
	if (!err)
		err = stream_diff(&better, recorded, &again);
	if (!err && stream_similarity(&better, false) >
			    stream_similarity(d, false)) {
		const struct stream first = *ours;
		const struct stream_diff worse = *d;

		*ours = again;
		again = first;
		*d = better;
		d->ours = ours;
		better = worse;
	}
	stream_diff_free(&better);
	stream_free(&again);
}

/*
 * The image of the program is part of the recording only. Its size is what the
 * order of frees at exit tells, perhaps less the pages of the first array, of
 * 8 or 7. That a larger program does not fit into the guest is no error.
 */
static void match_image(const struct stream_command *c,
			struct stream_machine *m, const struct stream *recorded,
			struct stream *ours, struct stream_diff *d)
{
	static const uint32_t first_array[] = { 0, 7, 8 };
	const uint32_t pages = stream_image_pages(d);

	if (c->image_given || c->workload == &page_fault2_workload)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(first_array); i++)
		if (pages > first_array[i] && pages <= IMAGE_MAX)
			try_image(m, pages - first_array[i], recorded, ours, d);
}

/* A task's name may be any bytes, JSON may not. */
static void fit_for_json(char *name)
{
	json_t *text = json_string(name);

	for (char *p = name; !text && *p; p++)
		if (*p & 0x80)
			*p = '?';
	json_decref(text);
}

static int print_result(const struct stream_command *c,
			const struct stream_record *r,
			const struct stream_diff *d)
{
	char recorded_name[320], ours_name[64];
	const struct stream_names names = { recorded_name, ours_name };

	snprintf(recorded_name, sizeof(recorded_name), "%s, task %s", c->trace,
		 r->task);
	snprintf(ours_name, sizeof(ours_name), "%s", c->workload->name);
	if (c->json)
		fit_for_json(recorded_name);
	if ((c->json ? stream_print_json : stream_print_text)(d, &names,
							      &c->print,
							      stdout)) {
		print_memory_error();
		return EXIT_RUNTIME;
	}
	return stream_similarity(d, c->all) < c->min_ppm ? EXIT_REGRESSION :
							   EXIT_FINE;
}

static int compare(struct stream_command *c, struct stream_machine *m)
{
	struct diag diag = { .out = stderr };
	struct stream_diff d = { .mate = NULL };
	struct stream ours = { .nr = 0 };
	struct stream_record r;
	int code = stream_record_load(&r, c->trace, c->task, c->kernel, &diag);

	if (!code)
		code = set_machine(c, m, r.kernel);
	if (!code)
		code = run_matched(c, m, &r.stream, &ours);
	if (!code && stream_diff(&d, &r.stream, &ours)) {
		print_memory_error();
		code = EXIT_RUNTIME;
	}
	if (!code) {
		match_image(c, m, &r.stream, &ours, &d);
		code = print_result(c, &r, &d);
	}
	stream_diff_free(&d);
	stream_free(&ours);
	stream_record_free(&r);
	return code;
}

int cmd_stream_diff(int argc, char **argv)
{
	struct stream_command c = {
		.print = { .context = 2, .max_lines = 100 },
	};
	struct stream_machine *m;
	int code;

	args_init(&c.args, &command_stream_diff, argc, argv);
	code = args_one_word(&c.args, parse_option, &c, "trace", &c.trace);
	if (code != ARGS_END)
		return code;
	code = check_options(&c);
	if (code)
		return code;
	m = stream_machine_new(c.workload);
	if (!m) {
		print_memory_error();
		return EXIT_RUNTIME;
	}
	code = compare(&c, m);
	stream_machine_free(m);
	return code;
}
