/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A failure is worth what repeats it: the command, and the small file. */
#include "cli/swarm_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exp_args.h"
#include "cli/json.h"
#include "include/plain.h"

static const char *const verdict_names[] = {
	"passed", "ended", "refused", "violation"
};

void swarm_print_over(void *ctx, uint64_t cell, const struct swarm_outcome *o)
{
	const struct swarm_args *a = ctx;

	if (!a->verbose)
		return;
	fprintf(stderr, "cell %" PRIu64 ": %s%s%s\n", cell,
		verdict_names[o->verdict], o->why[0] ? ": " : "", o->why);
}

/* An option with a name that a shell reads as one word. */
static void print_word(const char *option, const char *word)
{
	char *quoted = exp_args_quote(word);

	printf("%s %s", option, quoted ? quoted : word);
	free(quoted);
}

static void print_plugins(const struct swarm_args *a)
{
	for (unsigned int i = 0; i < a->plugins.nr; i++)
		print_word(" --reporter-plugin", a->plugins.paths[i]);
	putchar('\n');
}

static void print_repeat(const struct swarm_args *a, uint64_t cell)
{
	unsigned int i;

	printf("  to repeat: buddylab swarm %s--seed %" PRIu64 " --cell %"
	       PRIu64, a->step ? "--step " : "", a->o.seed, cell);
	if (a->ops_given)
		printf(" --ops %u", a->o.nr_ops);
	if (a->o.max_events != SWARM_EVENTS_DEFAULT)
		printf(" --events %u", a->o.max_events);
	if (a->o.check_every != SWARM_CHECK_DEFAULT)
		printf(" --check-every %" PRIu64, a->o.check_every);
	if (a->o.limit_s != SWARM_LIMIT_S)
		printf(" --limit %us", a->o.limit_s);
	for (i = 0; i < a->o.nr_traces; i++)
		print_word(" --trace", a->o.traces[i]);
	print_plugins(a);
}

static void print_small(const struct swarm_args *a,
			const struct swarm_failure *f)
{
	printf("  %u of %u lines are left after %u runs%s: %s\n",
	       f->shrunk.lines, f->shrunk.lines_before, f->shrunk.runs,
	       f->shrunk.complete ? "" : ", and there may be less", f->path);
	if (a->step) {
		print_word("  the same: buddylab step", f->path);
		putchar('\n');
		return;
	}
	if (strstr(f->why, "allocator: ") || strstr(f->why, "alloc/"))
		puts("  no step script: it takes the machine; those of the "
		     "allocator alone are drawn by --step");
	print_word("  the same: buddylab swarm", f->path);
	print_plugins(a);
}

static void print_failures(const struct swarm_args *a,
			   const struct swarm_summary *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_failures; i++) {
		const struct swarm_failure *f = &s->failures[i];

		if (a->path)
			printf("%s: ", a->path);
		else
			printf("cell %" PRIu64 ": ", f->cell);
		/* A plugin may have written it. */
		plain_put(f->why, stdout);
		putchar('\n');
		if (f->like)
			printf("  like cell %" PRIu64 "\n", f->like->cell);
		if (!a->path)
			print_repeat(a, f->cell);
		if (f->path[0])
			print_small(a, f);
	}
	if (s->nr_failures < s->verdicts[SWARM_VIOLATION])
		printf("... and %" PRIu64 " more\n",
		       s->verdicts[SWARM_VIOLATION] - s->nr_failures);
}

void swarm_print(const struct swarm_args *a, const struct swarm_summary *s)
{
	const uint64_t operations = s->alloc_calls + s->host_events;

	print_failures(a, s);
	printf("%s%" PRIu64 " cells: %" PRIu64 " passed, %" PRIu64
	       " ended with a message, %" PRIu64 " refused, %" PRIu64
	       " violations\n", s->interrupted ? "interrupted after " : "",
	       s->cells, s->verdicts[SWARM_PASSED], s->verdicts[SWARM_ENDED],
	       s->verdicts[SWARM_REFUSED], s->verdicts[SWARM_VIOLATION]);
	printf("%" PRIu64 " operations: %" PRIu64 " calls of the allocator, %"
	       PRIu64 " events of the host; in %.1f s\n", operations,
	       s->alloc_calls, s->host_events, s->wall_s);
}

static json_t *failure_json(const struct swarm_failure *f)
{
	json_t *o = json_pack("{s:I, s:s}", "cell", (json_int_t)f->cell, "why",
			      f->why);

	if (f->like)
		json_object_set_new(o, "like",
				    json_integer((json_int_t)f->like->cell));
	if (f->path[0]) {
		json_object_set_new(o, "file", json_string(f->path));
		json_object_set_new(o, "lines",
				    json_integer(f->shrunk.lines));
		json_object_set_new(o, "lines_before",
				    json_integer(f->shrunk.lines_before));
		json_object_set_new(o, "runs", json_integer(f->shrunk.runs));
		json_object_set_new(o, "complete",
				    json_boolean(f->shrunk.complete));
	}
	return o;
}

int swarm_print_json(const struct swarm_args *a, const struct swarm_summary *s)
{
	json_t *failures = json_array();
	unsigned int i;

	for (i = 0; i < s->nr_failures; i++)
		json_array_append_new(failures, failure_json(&s->failures[i]));
	return print_json_document("swarm", json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:b, s:o}",
		"seed", (json_int_t)a->o.seed,
		"cells", (json_int_t)s->cells,
		"passed", (json_int_t)s->verdicts[SWARM_PASSED],
		"ended", (json_int_t)s->verdicts[SWARM_ENDED],
		"refused", (json_int_t)s->verdicts[SWARM_REFUSED],
		"violations", (json_int_t)s->verdicts[SWARM_VIOLATION],
		"allocator_calls", (json_int_t)s->alloc_calls,
		"host_events", (json_int_t)s->host_events,
		"engine_events", (json_int_t)s->engine_events,
		"wall_s", s->wall_s, "interrupted", s->interrupted,
		"failures", failures));
}
