/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cells of a swarm in processes of their own. A cell that crashes, breaks an
 * invariant, or never ends takes nothing with it: what its process has said is
 * kept in a file in memory, and read when it is gone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/run_cell.h"
#include "bench/swarm.h"
#include "include/check.h"

#define SAID_SIZE 16384
/* By the clock a cell gets so many times its processor time. */
#define WALL_FACTOR 10

struct child {
	pid_t pid;                /* 0 = free */
	uint64_t cell;
	double began_s;
	bool late;                /* it was killed for that */
	int said_fd;
	/* Shared with it; kept even if it dies. */
	struct swarm_outcome *outcome;
	char *log;                /* of a script, or NULL */
};

struct swarm_pool {
	const struct swarm_options *o;
	struct child *children;
	unsigned int jobs, nr;
	sigset_t watched, outside;
	const char *log;          /* of the last that was over */
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *map_shared(size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return map == MAP_FAILED ? NULL : map;
}

static bool child_init(struct child *c, const struct swarm_options *o)
{
	c->said_fd = memfd_create("swarm", MFD_CLOEXEC);
	c->outcome = map_shared(sizeof(*c->outcome));
	if (o->scripts)
		c->log = map_shared(o->scripts->log_size);
	if (c->said_fd >= 0 && c->outcome && (c->log || !o->scripts))
		return true;
	if (c->said_fd >= 0)
		close(c->said_fd);
	if (c->outcome)
		munmap(c->outcome, sizeof(*c->outcome));
	return false;
}

struct swarm_pool *swarm_pool_create(const struct swarm_options *o,
				     unsigned int jobs)
{
	struct swarm_pool *p = calloc(1, sizeof(*p));
	unsigned int i;

	if (!p)
		return NULL;
	p->o = o;
	p->jobs = jobs;
	p->children = calloc(jobs, sizeof(*p->children));
	sigemptyset(&p->watched);
	sigaddset(&p->watched, SIGCHLD);
	sigaddset(&p->watched, SIGINT);
	sigaddset(&p->watched, SIGTERM);
	sigprocmask(SIG_BLOCK, &p->watched, &p->outside);
	for (i = 0; p->children && i < jobs; i++)
		if (!child_init(&p->children[i], o))
			break;
	if (p->children && i == jobs)
		return p;
	p->jobs = p->children ? i : 0;
	swarm_pool_destroy(p);
	return NULL;
}

void swarm_pool_destroy(struct swarm_pool *p)
{
	unsigned int i;
	int status;

	for (i = 0; i < p->jobs; i++) {
		struct child *c = &p->children[i];

		if (c->pid) {
			kill(c->pid, SIGKILL);
			waitpid(c->pid, &status, 0);
		}
		close(c->said_fd);
		munmap(c->outcome, sizeof(*c->outcome));
		if (c->log)
			munmap(c->log, p->o->scripts->log_size);
	}
	sigprocmask(SIG_SETMASK, &p->outside, NULL);
	free(p->children);
	free(p);
}

bool swarm_pool_full(const struct swarm_pool *p)
{
	return p->nr == p->jobs;
}

const char *swarm_pool_log(const struct swarm_pool *p)
{
	return p->log ? p->log : "";
}

bool swarm_pool_idle(const struct swarm_pool *p)
{
	return !p->nr;
}

static void limit_child(const struct swarm_options *o)
{
	const struct rlimit no_core = { 0, 0 };
	const struct rlimit cpu = { o->limit_s, o->limit_s + 5 };

	setrlimit(RLIMIT_CORE, &no_core);
	setrlimit(RLIMIT_CPU, &cpu);
}

__attribute__((noreturn))
static void child_main(struct swarm_pool *p, struct child *c, pid_t parent,
		       const char *text)
{
	struct swarm_text *drawn = malloc(sizeof(*drawn));
	char *own = malloc(SWARM_MAX_LINES * SWARM_LINE_SIZE);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (!drawn || !own) {
		*c->outcome = (struct swarm_outcome){
			.verdict = SWARM_ENDED, .why = "out of memory",
		};
		_exit(0);
	}
	/* Ctrl-C is for the parent, who ends its children. */
	signal(SIGINT, SIG_IGN);
	sigprocmask(SIG_SETMASK, &p->outside, NULL);
	dup2(c->said_fd, STDERR_FILENO);
	limit_child(p->o);
	if (p->o->scripts) {
		p->o->scripts->run(p->o, c->cell, text, c->log, c->outcome);
		_exit(0);
	}
	if (!text) {
		swarm_draw(p->o, c->cell, drawn);
		CHECK(swarm_text_print(drawn, own,
				       SWARM_MAX_LINES * SWARM_LINE_SIZE));
		text = own;
	}
	swarm_run_here(p->o, text, c->outcome);
	free(own);
	free(drawn);
	_exit(0);
}

int swarm_pool_start(struct swarm_pool *p, uint64_t cell, const char *text)
{
	const pid_t parent = getpid();
	struct child *c = p->children;

	CHECK_LT(p->nr, p->jobs);
	while (c->pid)
		c++;
	/* Until it says otherwise. */
	*c->outcome = (struct swarm_outcome){ .verdict = SWARM_VIOLATION };
	c->cell = cell;
	c->late = false;
	c->began_s = now_s();
	if (c->log)
		c->log[0] = '\0';
	if (ftruncate(c->said_fd, 0) || lseek(c->said_fd, 0, SEEK_SET))
		return -errno;
	fflush(NULL);
	c->pid = fork();
	if (c->pid < 0) {
		c->pid = 0;
		return -errno;
	}
	if (!c->pid)
		child_main(p, c, parent, text);
	p->nr++;
	return 0;
}

/* The line after a failed CHECK says with which values. */
static bool take_check(const char *said, char *why, size_t size)
{
	const char *at = strstr(said, "CHECK failed: "), *next;
	const char *line = at;
	int len;

	if (!at)
		return false;
	while (line > said && line[-1] != '\n')
		line--;
	len = (int)strcspn(line, "\n");
	next = line[len] ? line + len + 1 : "";
	snprintf(why, size, "%.*s;%.*s", len, line,
		 (int)strcspn(next, "\n"), next);
	return true;
}

/* What a sanitizer has found, in a line of its own. */
static bool take_sanitizer(const char *said, char *why, size_t size)
{
	static const char *const marks[] = { "runtime error: ", "SUMMARY: ",
					     "ERROR: " };
	const char *at = NULL;
	size_t i;

	for (i = 0; i < sizeof(marks) / sizeof(marks[0]) && !at; i++)
		at = strstr(said, marks[i]);
	if (!at)
		return false;
	while (at > said && at[-1] != '\n')
		at--;
	snprintf(why, size, "%.*s", (int)strcspn(at, "\n"), at);
	return true;
}

static void describe_end(struct child *c, int status, struct swarm_outcome *out)
{
	char *said = calloc(1, SAID_SIZE);
	const ssize_t n = said ? pread(c->said_fd, said, SAID_SIZE - 1, 0) : 0;
	const bool clean = WIFEXITED(status) && !WEXITSTATUS(status);

	*out = *c->outcome;
	if (n > 0 && take_sanitizer(said, out->why, sizeof(out->why))) {
		out->verdict = SWARM_VIOLATION;
	} else if (!clean) {
		out->verdict = SWARM_VIOLATION;
		if (c->late || (WIFSIGNALED(status) &&
				WTERMSIG(status) == SIGXCPU))
			snprintf(out->why, sizeof(out->why),
				 "it did not end within its time limit");
		else if (n <= 0 ||
			 !take_check(said, out->why, sizeof(out->why)))
			run_describe_status(status, out->why,
					    sizeof(out->why));
	}
	free(said);
}

/* A child that is over, if there is one. */
static bool reap(struct swarm_pool *p, uint64_t *cell,
		 struct swarm_outcome *out)
{
	unsigned int i;
	int status;

	for (i = 0; i < p->jobs; i++) {
		struct child *c = &p->children[i];

		if (!c->pid || waitpid(c->pid, &status, WNOHANG) != c->pid)
			continue;
		*cell = c->cell;
		describe_end(c, status, out);
		p->log = c->log;
		c->pid = 0;
		p->nr--;
		return true;
	}
	return false;
}

static void kill_late(struct swarm_pool *p)
{
	const double now = now_s();
	unsigned int i;

	for (i = 0; i < p->jobs; i++) {
		struct child *c = &p->children[i];

		if (!c->pid || now - c->began_s < p->o->limit_s * WALL_FACTOR)
			continue;
		c->late = true;
		kill(c->pid, SIGKILL);
	}
}

int swarm_pool_wait(struct swarm_pool *p, uint64_t *cell,
		    struct swarm_outcome *out)
{
	const struct timespec second = { 1, 0 };
	int sig;

	CHECK(p->nr);
	for (;;) {
		if (reap(p, cell, out))
			return 0;
		sig = sigtimedwait(&p->watched, NULL, &second);
		if (sig == SIGINT || sig == SIGTERM) {
			/* It is over soon. A second one, as timeout(1) and
			 * the impatient send, must not cost the summary. */
			signal(SIGINT, SIG_IGN);
			signal(SIGTERM, SIG_IGN);
			return -EINTR;
		}
		kill_late(p);
	}
}
