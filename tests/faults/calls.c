/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls that are caught by their name: the allocator, and what starts
 * processes and threads. libc's own strdup(), fopen(), getline() and the other
 * libraries allocate through the same names.
 *
 * An allocation is told from others by where it comes from: a hash of the
 * places in their pages of the return addresses of the FAULTS_DEPTH callers
 * (default 6). A page's place in memory changes from run to run, the place in
 * the page does not.
 */
#define _GNU_SOURCE
#include "tests/faults/faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEPTH_MAX 24
#define DEPTH 6
#define OWN_FRAMES 2         /* site() and the function of that name */
#define EARLY 4096

/* Inside ourselves: what backtrace() and the report allocate is not counted. */
static __thread bool busy __attribute__((tls_model("initial-exec")));

static void *next(const char *name)
{
	void *found;
	const bool was = busy;

	busy = true;
	found = dlsym(RTLD_NEXT, name);
	busy = was;
	return found;
}

/*
 * hwloc is spared: it does not survive a failed allocation of its own. Ours is
 * that room is made sure of before it is called (sim_topology_room).
 */
static uintptr_t hwloc_begin, hwloc_end;

static int find_hwloc(struct dl_phdr_info *info, size_t size, void *ctx)
{
	(void)size;
	(void)ctx;
	if (!info->dlpi_name || !strstr(info->dlpi_name, "/libhwloc.so"))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
			continue;
		hwloc_begin = info->dlpi_addr + p->p_vaddr;
		hwloc_end = hwloc_begin + p->p_memsz;
	}
	return 1;
}

static bool is_hwloc(const void *address)
{
	return (uintptr_t)address - hwloc_begin < hwloc_end - hwloc_begin;
}

/* 0: not to be counted. */
__attribute__((noinline)) static uint64_t site(void)
{
	static int depth;
	void *frames[DEPTH_MAX + OWN_FRAMES];
	uint64_t hash = 0xcbf29ce484222325;
	int i, n;

	if (!depth) {
		const char *text = getenv("FAULTS_DEPTH");

		depth = text ? (int)strtol(text, NULL, 10) : DEPTH;
		depth = depth < 1 || depth > DEPTH_MAX ? DEPTH : depth;
		dl_iterate_phdr(find_hwloc, NULL);
	}
	n = backtrace(frames, depth + OWN_FRAMES);
	for (i = OWN_FRAMES; i < n; i++) {
		if (is_hwloc(frames[i]))
			return 0;
		hash = (hash ^ ((uintptr_t)frames[i] & 0xfff)) *
		       0x100000001b3;
	}
	return hash | 1;
}

static bool fails(const char *what)
{
	bool now;

	if (busy || fault_plan.class != FAULT_ALLOC)
		return false;
	busy = true;
	now = fault_site_now(site(), what);
	busy = false;
	if (now)
		errno = ENOMEM;
	return now;
}

/* dlsym() may allocate before it can tell where malloc() is. */
static void *early(size_t size)
{
	static char room[EARLY] __attribute__((aligned(16)));
	static size_t used;
	const size_t at = used;

	used += (size + 15) & ~(size_t)15;
	return used > EARLY ? NULL : room + at;
}

#define NEXT(type, name, ...)                                           \
	static type (*real)(__VA_ARGS__);                               \
	if (!real)                                                      \
		real = (type (*)(__VA_ARGS__))next(name)

void *malloc(size_t size)
{
	static bool looking;
	static void *(*real)(size_t);

	if (!real) {
		if (looking)
			return early(size);
		looking = true;
		real = (void *(*)(size_t))next("malloc");
	}
	return fails("malloc") ? NULL : real(size);
}

void *calloc(size_t nr, size_t size)
{
	static bool looking;
	static void *(*real)(size_t, size_t);

	if (!real) {
		if (looking)
			return early(nr * size);
		looking = true;
		real = (void *(*)(size_t, size_t))next("calloc");
	}
	return fails("calloc") ? NULL : real(nr, size);
}

void *realloc(void *old, size_t size)
{
	NEXT(void *, "realloc", void *, size_t);
	return fails("realloc") ? NULL : real(old, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	NEXT(void *, "aligned_alloc", size_t, size_t);
	return fails("aligned_alloc") ? NULL : real(align, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
	NEXT(int, "posix_memalign", void **, size_t, size_t);
	return fails("posix_memalign") ? ENOMEM : real(out, align, size);
}

/* A trapped call of a program that blocks SIGSYS, too, would be its end. */
static const sigset_t *without_trap(const sigset_t *set, sigset_t *copy)
{
	if (!set)
		return NULL;
	*copy = *set;
	sigdelset(copy, SIGSYS);
	return copy;
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	sigset_t copy;

	NEXT(int, "sigprocmask", int, const sigset_t *, sigset_t *);
	return real(how, how == SIG_UNBLOCK ? set : without_trap(set, &copy),
		    old);
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	sigset_t copy;

	NEXT(int, "pthread_sigmask", int, const sigset_t *, sigset_t *);
	return real(how, how == SIG_UNBLOCK ? set : without_trap(set, &copy),
		    old);
}

pid_t fork(void)
{
	NEXT(pid_t, "fork", void);
	if (!fault_now(FAULT_PROCESS, "fork", -1))
		return real();
	errno = fault_plan.error;
	return -1;
}

int pthread_create(pthread_t *t, const pthread_attr_t *attr,
		   void *(*run)(void *), void *arg)
{
	NEXT(int, "pthread_create", pthread_t *, const pthread_attr_t *,
	     void *(*)(void *), void *);
	return fault_now(FAULT_PROCESS, "pthread_create", -1) ?
		fault_plan.error : real(t, attr, run, arg);
}

int execvp(const char *file, char *const argv[])
{
	NEXT(int, "execvp", const char *, char *const []);
	if (!fault_now(FAULT_PROCESS, "execvp", -1))
		return real(file, argv);
	errno = fault_plan.error;
	return -1;
}
