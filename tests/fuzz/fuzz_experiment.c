/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Experiment files: read, checked, and planned into cells. */
#define _GNU_SOURCE
#include <string.h>

#include "bench/experiment.h"
#include "cli/registry.h"
#include "include/check.h"
#include "tests/fuzz/fuzz.h"

#define LARGEST_INPUT 16384

/* What names other files or this machine would not be repeatable. */
static bool leaves_input(const uint8_t *data, size_t size)
{
	static const char *const words[] = { "include", "file", "this",
					     "prices", "before", "after" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (memmem(data, size, words[i], strlen(words[i])))
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct experiment_request req = { .registry = &registry };
	struct experiment e;
	struct diag d = { 0 };
	struct fuzz_file f;
	int err;

	if (size > LARGEST_INPUT || leaves_input(data, size))
		return 0;
	fuzz_file_open(&f, data, size);
	req.path = f.path;
	err = experiment_load(&e, &req, &d);
	CHECK_MSG(!err == !d.nr_errors, "%d with %u messages", err,
		  d.nr_errors);
	experiment_free(&e);
	fuzz_file_close(&f);
	return 0;
}
