/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cells of `buddylab swarm --step`: random step scripts. What has to hold while
 * one runs is looked at by the script's own `check`; what it printed has to be
 * what it prints when it is read as a whole.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/swarm_step.h"
#include "include/check.h"
#include "replay/step.h"

/* All that a script prints, to be freed. */
static char *print_whole(const char *script)
{
	FILE *in = fmemopen((void *)(uintptr_t)script, strlen(script), "r");
	struct diag d = { 0 };
	char *printed = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&printed, &size);
	int err;

	CHECK_MSG(in && out, "no memory for a script");
	err = step_run(in, "script", out, &d);
	fclose(out);
	fclose(in);
	CHECK_MSG(!err, "a script that ran line by line: %s", d.last);
	return printed;
}

static void compare(const char *script, const char *printed)
{
	char *whole = print_whole(script);
	const bool prints_the_same_as_a_whole = !strcmp(whole, printed);

	CHECK_MSG(prints_the_same_as_a_whole, "script of %zu bytes",
		  strlen(script));
	free(whole);
}

static void run(const struct swarm_options *o, uint64_t cell,
		const char *text, char *log, struct swarm_outcome *out)
{
	struct step_log l = { .text = log, .size = o->scripts->log_size };
	struct diag d = { 0 };
	char *printed = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&printed, &size);
	int err;

	CHECK_MSG(to, "no memory for what a script prints");
	if (text)
		err = step_run_some(text, &l, to, &d);
	else
		err = step_draw(o->seed, cell, o->nr_ops, &l, to, &d);
	fclose(to);
	*out = (struct swarm_outcome){ .verdict = SWARM_PASSED };
	if (err) {
		out->verdict = SWARM_REFUSED;
		snprintf(out->why, sizeof(out->why), "%s", d.last);
	} else if (l.len) {
		compare(log, printed);
		out->alloc_calls = 2 * l.operations;
	}
	free(printed);
}

void swarm_step_scripts(struct swarm_scripts *s, unsigned int nr_ops)
{
	*s = (struct swarm_scripts){
		.name = "step", .log_size = step_log_size(nr_ops), .run = run,
	};
}

int swarm_step_print(const struct swarm_options *o, uint64_t cell)
{
	struct swarm_pool *p = swarm_pool_create(o, 1);
	struct swarm_outcome out;
	int err = p ? swarm_pool_start(p, cell, NULL) : -ENOMEM;

	if (!err)
		err = swarm_pool_wait(p, &cell, &out);
	if (!err)
		fputs(swarm_pool_log(p), stdout);
	if (p)
		swarm_pool_destroy(p);
	return err;
}
