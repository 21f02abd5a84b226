/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The recorded program as threads that halt; only record/ includes it. */
#ifndef RECORD_TRACER_H
#define RECORD_TRACER_H

#include "record/space.h"

#define MAX_ARGS 6

struct thread {
	pid_t tid;
	struct space *space;     /* NULL before the first execve() */
	bool known;              /* its parent has told of it */
	bool halted;             /* it has, and waits to be known */
	bool in_call;            /* a recorded call is under way */
	uint64_t nr, args[MAX_ARGS];
	struct thread *next;
};

struct tracer {
	struct record_sink sink;
	struct thread *threads;
	struct space *spaces;
	pid_t child;
	uint32_t arch;           /* of the first program */
	int status;              /* of the child, when `ended` */
	bool ended;
};

/* child.c: start the program, halted before execve(). Its pid or -errno. */
pid_t child_start(const struct record_options *o, int *error_pipe,
		  struct diag *d);

/* tracee.c: what waitpid() said of a thread. */
void tracee_stopped(struct tracer *t, pid_t tid, int status);
struct thread *thread_add(struct tracer *t, pid_t tid);
/* All that is left when the program has ended. */
void tracer_clear(struct tracer *t);

#endif
