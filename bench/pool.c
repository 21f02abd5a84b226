/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fork() and a pipe of tokens, after the job server of make. A parent accounts
 * for the tokens of its children, so one that crashes loses none.
 */
#define _GNU_SOURCE
#include "bench/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define IDLE_NS 200000000

struct child {
	pid_t pid;
	size_t job;
	bool borrowed;           /* runs on its parent's own token */
};

struct pool {
	const struct pool_jobs *jobs;
	struct child *live;
	size_t nr_live, capacity, next;
	bool own_free;           /* the own token is not lent */
	bool told;               /* the children were asked to end */
	sigset_t outside;        /* signals blocked around pool_run() */
};

int pool_budget_init(struct pool_budget *b, unsigned int tokens)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	*b = (struct pool_budget){ fds[0], fds[1] };
	while (tokens--)
		if (write(b->write_fd, "+", 1) != 1)
			return -errno;
	return 0;
}

void pool_budget_destroy(struct pool_budget *b)
{
	close(b->read_fd);
	close(b->write_fd);
}

static bool take_token(struct pool *p, bool *borrowed)
{
	char c;

	*borrowed = p->own_free;
	if (p->own_free) {
		p->own_free = false;
		return true;
	}
	return read(p->jobs->budget->read_fd, &c, 1) == 1;
}

static void return_token(struct pool *p, bool borrowed)
{
	if (borrowed)
		p->own_free = true;
	else if (write(p->jobs->budget->write_fd, "+", 1) != 1)
		/* The pipe cannot be full: it held this token before. */
		return;
}

static void child_main(struct pool *p, size_t job, pid_t parent)
{
	/* No worker outlives the one who waits for it. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	sigprocmask(SIG_SETMASK, &p->outside, NULL);
	free(p->live);
	_exit(p->jobs->run(p->jobs->ctx, job));
}

static void start_job(struct pool *p, bool borrowed)
{
	const size_t job = p->next++;
	const pid_t parent = getpid();
	const pid_t pid = fork();

	if (pid == 0)
		child_main(p, job, parent);
	if (pid < 0) {
		return_token(p, borrowed);
		p->jobs->failed(p->jobs->ctx, job, errno);
		return;
	}
	p->live[p->nr_live++] = (struct child){ pid, job, borrowed };
}

static int make_room(struct pool *p)
{
	struct child *grown;

	if (p->nr_live < p->capacity)
		return 0;
	p->capacity = p->capacity * 2 + 8;
	grown = realloc(p->live, p->capacity * sizeof(*p->live));
	if (!grown)
		return -ENOMEM;
	p->live = grown;
	return 0;
}

static int start_jobs(struct pool *p)
{
	bool borrowed;
	int err = 0;

	while (!*p->jobs->stop && p->next < p->jobs->nr && !err) {
		err = make_room(p);
		if (err || !take_token(p, &borrowed))
			break;
		start_job(p, borrowed);
	}
	return err;
}

/* Collect the children that have ended. Others' children are not ours. */
static void reap(struct pool *p)
{
	size_t i = 0;
	int status;

	while (i < p->nr_live) {
		const struct child c = p->live[i];

		if (waitpid(c.pid, &status, WNOHANG) != c.pid) {
			i++;
			continue;
		}
		p->live[i] = p->live[--p->nr_live];
		return_token(p, c.borrowed);
		p->jobs->ended(p->jobs->ctx, c.job, status);
	}
}

static void tell_children(struct pool *p)
{
	size_t i;

	if (p->told)
		return;
	p->told = true;
	for (i = 0; i < p->nr_live; i++)
		kill(p->live[i].pid, SIGTERM);
}

/* Until a child ends, a token comes free, a signal, or the time is over. */
static void wait_for_news(struct pool *p)
{
	const struct timespec limit = { 0, IDLE_NS };
	struct pollfd fds[2];
	const bool more = p->next < p->jobs->nr && !*p->jobs->stop;
	sigset_t mask = p->outside;
	nfds_t n = 0;

	if (more && p->own_free)
		return;
	if (more)
		fds[n++] = (struct pollfd){ p->jobs->budget->read_fd, POLLIN,
					    0 };
	if (p->jobs->watch_fd >= 0)
		fds[n++] = (struct pollfd){ p->jobs->watch_fd, POLLIN, 0 };
	sigdelset(&mask, SIGCHLD);
	sigdelset(&mask, SIGINT);
	sigdelset(&mask, SIGTERM);
	ppoll(fds, n, &limit, &mask);
}

static void on_child(int sig)
{
	(void)sig;
}

int pool_run(const struct pool_jobs *jobs)
{
	struct pool p = { .jobs = jobs, .own_free = jobs->own_token };
	const struct sigaction wake = { .sa_handler = on_child };
	struct sigaction before;
	sigset_t block;
	int err = 0;

	sigemptyset(&block);
	sigaddset(&block, SIGCHLD);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigaction(SIGCHLD, &wake, &before);
	sigprocmask(SIG_BLOCK, &block, &p.outside);
	for (;;) {
		err = start_jobs(&p);
		if (*jobs->stop || err)
			tell_children(&p);
		reap(&p);
		if (jobs->idle)
			jobs->idle(jobs->ctx);
		if (!p.nr_live &&
		    (p.next == jobs->nr || *jobs->stop || err))
			break;
		wait_for_news(&p);
	}
	sigprocmask(SIG_SETMASK, &p.outside, NULL);
	sigaction(SIGCHLD, &before, NULL);
	free(p.live);
	return err;
}
