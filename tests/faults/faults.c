/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A preloaded library that lets exactly one call of a program fail: the plan
 * and the count. Own code, because libfiu and strace --inject, which are
 * packaged, see neither the Nth call of a whole tree of processes, nor the
 * place an allocation comes from, nor (libfiu) what stdio writes by itself, nor
 * (strace) a write that is short.
 *
 *     FAULTS=CLASS:ERRNO:WHICH[:sticky]  FAULTS_STATE=FILE  LD_PRELOAD=...
 *
 * Leaves out: machines other than x86-64, programs that are linked statically.
 */
#define _GNU_SOURCE
#include "tests/faults/faults.h"

#include <execinfo.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct fault_plan fault_plan;
struct fault_state *fault_state;

static const char *const classes[] = {
	[FAULT_ALLOC] = "alloc", [FAULT_MMAP] = "mmap", [FAULT_OPEN] = "open",
	[FAULT_READ] = "read", [FAULT_WRITE] = "write", [FAULT_SYNC] = "sync",
	[FAULT_CLOSE] = "close", [FAULT_RENAME] = "rename",
	[FAULT_MKDIR] = "mkdir", [FAULT_STAT] = "stat",
	[FAULT_READDIR] = "readdir", [FAULT_PIPE] = "pipe",
	[FAULT_PROCESS] = "process", [FAULT_WAIT] = "wait",
	[FAULT_LOCK] = "lock",
};

/* The frames of the fault, for addr2line; asked for by FAULTS_TRACE. */
static void print_stack(void)
{
	void *frames[40];

	if (getenv("FAULTS_TRACE"))
		backtrace_symbols_fd(frames, backtrace(frames, 40),
				     STDERR_FILENO);
}

static void on_crash(int sig)
{
	fprintf(stderr, "crashed in:\n");
	print_stack();
	signal(sig, SIG_DFL);
	raise(sig);
}

static bool hit(const char *what, int fd)
{
	char link[64], path[512] = "";
	const uint64_t before = atomic_fetch_add(
		(_Atomic uint64_t *)&fault_state->hits, 1);

	if (before)
		return true;
	if (fd >= 0) {
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, path, sizeof(path) - 1);
		path[n > 0 ? n : 0] = '\0';
	}
	snprintf(fault_state->what, FAULT_WHAT, "%s %s", what, path);
	print_stack();
	return true;
}

static bool planned(uint64_t nr)
{
	return fault_plan.which && (nr == fault_plan.which ||
				    (fault_plan.sticky &&
				     nr > fault_plan.which));
}

bool fault_now(enum fault_class class, const char *what, int fd)
{
	uint64_t nr;

	if (class != fault_plan.class)
		return false;
	nr = atomic_fetch_add((_Atomic uint64_t *)&fault_state->calls, 1) + 1;
	return planned(nr) && hit(what, fd);
}

/* True if the site was not in the table; a full table holds no new ones. */
static bool note_site(uint64_t site)
{
	_Atomic uint64_t *table = (_Atomic uint64_t *)fault_state->table;
	uint64_t i, nr, found;

	for (i = 0; i < FAULT_SITES; i++) {
		found = 0;
		if (atomic_compare_exchange_strong(
			&table[(site + i) % FAULT_SITES], &found, site))
			break;
		if (found == site)
			return false;
	}
	if (i == FAULT_SITES)
		return false;
	nr = atomic_fetch_add((_Atomic uint64_t *)&fault_state->calls, 1);
	fault_state->order[nr] = site;
	return true;
}

bool fault_site_now(uint64_t site, const char *what)
{
	if (!site)
		return false;
	if (fault_plan.sticky && fault_state->hits)
		return hit(what, -1);
	return note_site(site) && site == fault_plan.which && hit(what, -1);
}

static bool parse(const char *text, struct fault_plan *p)
{
	char name[16] = "", sticky[8] = "";
	unsigned long long which;

	if (sscanf(text, "%15[a-z]:%d:%llx:%7s", name, &p->error, &which,
		   sticky) < 3)
		return false;
	p->which = which;
	p->sticky = !strcmp(sticky, "sticky");
	for (size_t i = 1; i < sizeof(classes) / sizeof(*classes); i++)
		if (!strcmp(classes[i], name))
			p->class = (enum fault_class)i;
	return p->class != FAULT_NONE;
}

static struct fault_state *map_state(const char *path)
{
	const int fd = open(path, O_RDWR | O_CLOEXEC);
	void *p = fd < 0 ? MAP_FAILED :
		mmap(NULL, sizeof(struct fault_state), PROT_READ | PROT_WRITE,
		     MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	return p == MAP_FAILED ? NULL : p;
}

/* Programs that ours starts (gnuplot, python3) are to be left alone. */
__attribute__((constructor)) static void start(void)
{
	const char *plan = getenv("FAULTS"), *path = getenv("FAULTS_STATE");
	struct fault_plan p = { .class = FAULT_NONE };
	void *frames[2];

	if (!plan || !path || strcmp(program_invocation_short_name, "buddylab"))
		return;
	backtrace(frames, 2);   /* loads what it needs, before it counts */
	fault_state = map_state(path);
	if (!fault_state || !parse(plan, &p)) {
		fprintf(stderr, "faults: FAULTS or FAULTS_STATE is wrong\n");
		_exit(125);
	}
	if (getenv("FAULTS_TRACE")) {
		signal(SIGSEGV, on_crash);
		signal(SIGABRT, on_crash);
	}
	fault_plan = p;
	fault_trap(p.class);
}
