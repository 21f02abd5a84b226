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
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/binding.h"

#define IDLE_NS 200000000

/* Written and read whole: pipes keep writes of this size together. */
typedef uint16_t token_t;

/* The pipe has room for as many as there can be. */
static int put_token(const struct pool_budget *b, token_t token)
{
	ssize_t n;

	do
		n = write(b->write_fd, &token, sizeof(token));
	while (n < 0 && errno == EINTR);
	return n == sizeof(token) ? 0 : n < 0 ? -errno : -EIO;
}

struct child {
	pid_t pid;
	size_t job;
	bool borrowed;           /* runs on its parent's own token */
	token_t token;           /* if not */
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
	*b = (struct pool_budget){ fds[0], fds[1], NULL };
	for (unsigned int i = 0; i < tokens; i++) {
		const int err = put_token(b, (token_t)i);

		if (err)
			return err;
	}
	return 0;
}

void pool_budget_destroy(struct pool_budget *b)
{
	close(b->read_fd);
	close(b->write_fd);
}

static bool take_token(struct pool *p, struct child *c)
{
	c->borrowed = p->own_free;
	if (p->own_free) {
		p->own_free = false;
		return true;
	}
	return read(p->jobs->budget->read_fd, &c->token, sizeof(c->token)) ==
	       sizeof(c->token);
}

static void return_token(struct pool *p, const struct child *c)
{
	if (c->borrowed)
		p->own_free = true;
	else
		(void)put_token(p->jobs->budget, c->token);
}

static void child_main(struct pool *p, const struct child *c, pid_t parent)
{
	/* No worker outlives the one who waits for it. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	sigprocmask(SIG_SETMASK, &p->outside, NULL);
	free(p->live);
	if (!c->borrowed)
		binding_take(p->jobs->budget->binding, c->token);
	_exit(p->jobs->run(p->jobs->ctx, c->job));
}

static void start_job(struct pool *p, struct child c)
{
	const pid_t parent = getpid();

	c.job = p->next++;
	c.pid = fork();
	if (c.pid == 0)
		child_main(p, &c, parent);
	if (c.pid < 0) {
		const int err = errno;

		return_token(p, &c);
		p->jobs->failed(p->jobs->ctx, c.job, err);
		return;
	}
	p->live[p->nr_live++] = c;
}

static int make_room(struct pool *p)
{
	const size_t capacity = p->capacity * 2 + 8;
	struct child *grown;

	if (p->nr_live < p->capacity)
		return 0;
	grown = realloc(p->live, capacity * sizeof(*p->live));
	if (!grown)
		return -ENOMEM;
	p->live = grown;
	p->capacity = capacity;
	return 0;
}

static int start_jobs(struct pool *p)
{
	struct child c = { 0 };
	int err = 0;

	while (!*p->jobs->stop && p->next < p->jobs->nr && !err) {
		err = make_room(p);
		if (err || !take_token(p, &c))
			break;
		start_job(p, c);
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
		return_token(p, &c);
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
		if (!err)
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
