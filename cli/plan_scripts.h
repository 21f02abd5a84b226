/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scripts that run the cells of a plan elsewhere. All of them call the same
 * run-cell, which does nothing where a result is, and so all of them can be run
 * again: nothing has to be remembered but the results.
 */
#ifndef CLI_PLAN_SCRIPTS_H
#define CLI_PLAN_SCRIPTS_H

#include <stddef.h>

/* More tasks of an array than this are put together into chunks. */
#define PLAN_MAX_TASKS 100

struct plan {
	const char *dir;         /* of results, quoted for sh */
	const char *run;         /* "buddylab run-cell EXP -o DIR ..." for sh */
	const char *collect;     /* "buddylab collect EXP -o DIR ..." for sh */
	const char **ids;        /* cells to be run, each once */
	size_t nr;
	size_t chunk;            /* cells a task of an array; 0 = choose */
};

void plan_commands(const struct plan *p);  /* one a line */
void plan_make(const struct plan *p);      /* a makefile */
void plan_parallel(const struct plan *p);  /* GNU parallel, here or by ssh */
void plan_slurm(const struct plan *p);     /* a job array and its collection */

#endif
