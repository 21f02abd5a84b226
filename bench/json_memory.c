/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A JSON object that a member could not be added to looks like one that never
 * had it: jansson takes the NULL of a value that could not be made for nothing
 * to add. So that a result without an option is not taken for a whole one, each
 * allocation that fails is remembered. The only state is that mark, one for
 * each thread; a forked worker starts with its parent's.
 */
#include "bench/json_memory.h"

#include <jansson.h>
#include <stdlib.h>

static _Thread_local bool failed;

static void *take(size_t size)
{
	void *p = malloc(size);

	if (!p)
		failed = true;
	return p;
}

void json_memory_watch(void)
{
	json_set_alloc_funcs(take, free);
}

void json_memory_lacked(void)
{
	failed = true;
}

bool json_memory_failed(void)
{
	return failed;
}
