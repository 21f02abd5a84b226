/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command that made a folder of results, kept beside them, so that tables
 * and differences can say how to repeat what they show.
 */
#ifndef BENCH_COMMAND_H
#define BENCH_COMMAND_H

#include "bench/results.h"

/* Keep `command` ("buddylab run EXP.ini -o DIR") in dir/command. */
int command_save(const char *dir, const char *command, char *why,
		 size_t why_size);
/*
 * The command with `verb` in place of `run`; if none was kept, one that says
 * EXP.ini and DIR. NULL: no memory, or it cannot be read,
 * after a message.
 */
const char *command_text(const struct results *r, const char *verb,
			 struct arena *a);

#endif
