/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Worker processes in a tree, with one budget for all of it. A process that
 * computes holds a token of the budget. The root holds none; every child is
 * started with one. A worker that starts workers of its own lends them the
 * token it has, and takes more from the budget as they come free, so that the
 * last group of a run can use every CPU. A token is a place of the binding:
 * who takes one moves there, and who has it lent is there already.
 */
#ifndef BENCH_POOL_H
#define BENCH_POOL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct binding;

struct pool_budget {
	int read_fd, write_fd;   /* a pipe with a number per free token */
	const struct binding *binding; /* NULL = workers run anywhere */
};

int pool_budget_init(struct pool_budget *b, unsigned int tokens);
void pool_budget_destroy(struct pool_budget *b);

struct pool_jobs {
	struct pool_budget *budget;
	size_t nr;
	bool own_token;          /* false in the root */
	/* In the child: do job i; its return value is the exit status. */
	int (*run)(void *ctx, size_t i);
	/* In the parent: job i's process ended with `status` of waitpid(). */
	void (*ended)(void *ctx, size_t i, int status);
	/* In the parent: fork() failed for job i with this errno. */
	void (*failed)(void *ctx, size_t i, int err);
	void *ctx;
	/* Watched meanwhile: idle() is called when it is readable, and every
	 * 200 ms. -1 = none. */
	int watch_fd;
	void (*idle)(void *ctx);
	const volatile sig_atomic_t *stop;
};

/*
 * Run all jobs. Returns when every child has ended; after *stop became true
 * no job is started and the children are asked to end. 0 or -ENOMEM.
 */
int pool_run(const struct pool_jobs *jobs);

#endif
