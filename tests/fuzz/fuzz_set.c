/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the command line adds to an experiment: a line each of --seeds and
 * --only, all others are --set. Cells that come of it are planned, and named
 * the same when they are planned again.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "bench/experiment.h"
#include "cli/registry.h"
#include "include/check.h"
#include "tests/fuzz/fuzz.h"

#define LARGEST_INPUT 4096
#define MOST_LINES 18

static const char base[] =
	"[experiment]\nseeds = 1\n[guest]\nmemory = 64M\n"
	"[phase a]\nworkload = memhog\nsize = 50%\n"
	"[phase b]\nworkload = page_fault1\nduration = 1ms\n"
	"[variant one]\n[variant two]\nreporter.design = page_reporting\n";

/* What names other files or this machine would not be repeatable. */
static bool leaves_input(const uint8_t *data, size_t size)
{
	static const char *const words[] = { "file", "this", "prices",
					     "before", "after", "trace" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (memmem(data, size, words[i], strlen(words[i])))
			return true;
	return false;
}

static unsigned int split(char *text, const char **lines)
{
	unsigned int nr = 0;

	while (text && nr < MOST_LINES) {
		lines[nr] = strsep(&text, "\n");
		nr++;
	}
	return nr;
}

static void plan(struct experiment_request *req)
{
	struct experiment e, again;
	struct diag d = { 0 };
	int err = experiment_load(&e, req, &d);

	CHECK_MSG(!err == !d.nr_errors, "%d with %u messages", err,
		  d.nr_errors);
	if (!err && e.nr_cells < 100) {
		CHECK(!experiment_load(&again, req, &d));
		CHECK_EQ(e.nr_cells, again.nr_cells);
		for (size_t i = 0; i < e.nr_cells; i++)
			CHECK(!strcmp(e.cells[i].id, again.cells[i].id));
		experiment_free(&again);
	}
	experiment_free(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct experiment_request req = { .registry = &registry };
	const char *lines[MOST_LINES];
	struct fuzz_file f;
	unsigned int nr;
	char *text;

	if (!size || size > LARGEST_INPUT || leaves_input(data, size) ||
	    memchr(data, '\0', size))
		return 0;
	text = strndup((const char *)data, size);
	CHECK(text);
	nr = split(text, lines);
	fuzz_file_open(&f, (const uint8_t *)base, strlen(base));
	req.path = f.path;
	req.seeds = nr > 0 && *lines[0] ? lines[0] : NULL;
	req.only = nr > 1 && *lines[1] ? lines[1] : NULL;
	req.sets = lines + 2;
	req.nr_sets = nr > 2 ? nr - 2 : 0;
	plan(&req);
	fuzz_file_close(&f);
	free(text);
	return 0;
}
