/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loops of will-it-scale's page_fault1 and page_fault2 on the real kernel,
 * with the parts of an iteration timed apart: 128 MiB are mapped, one byte of
 * every 4 KiB page is written, all is unmapped. Each process stays on its CPU;
 * they begin together and count what they do in one second.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/calibrate_internal.h"
#include "include/types.h"

#define LOOP_BYTES ((size_t)128 << 20)
#define LOOP_NS NSEC_PER_SEC
#define WAIT_NS (60 * NSEC_PER_SEC)
#define MAX_PROCS 1024

/* What one process reports; in memory that all of them share. */
struct proc_result {
	uint64_t iterations, touch_ns, unmap_ns, faults;
	int error;
};

struct shared {
	unsigned int ready;       /* processes that wait for the others */
	unsigned int nr;
	struct proc_result r[MAX_PROCS];
};

static uint64_t faults_so_far(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)u.ru_minflt + (uint64_t)u.ru_majflt;
}

/* The n-th CPU that this process may run on. */
static void stay_on_cpu(unsigned int n)
{
	cpu_set_t all, one;

	if (sched_getaffinity(0, sizeof(all), &all))
		return;
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &all) && !n--) {
			CPU_ZERO(&one);
			CPU_SET(cpu, &one);
			(void)sched_setaffinity(0, sizeof(one), &one);
			return;
		}
}

static int make_file(void)
{
	char name[] = P_tmpdir "/buddylab-XXXXXX";
	int fd = mkostemp(name, O_CLOEXEC);

	if (fd < 0)
		return -errno;
	unlink(name);
	if (ftruncate(fd, (off_t)LOOP_BYTES)) {
		const int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static char *loop_map(enum loop_kind kind, int fd)
{
	char *p;

	if (kind != LOOP_PAGE_FAULT2)
		return calibrate_map(LOOP_BYTES, kind != LOOP_PAGE_FAULT1 &&
						 kind != LOOP_READ_FAULT);
	p = mmap(NULL, LOOP_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

static void loop_touch(enum loop_kind kind, char *p)
{
	for (size_t at = 0; at < LOOP_BYTES; at += PAGE_SIZE)
		if (kind == LOOP_READ_FAULT)
			(void)*(volatile char *)(p + at);
		else
			*(volatile char *)(p + at) = 1;
}

static void loop_clear(char *p)
{
	for (size_t at = 0; at < LOOP_BYTES; at += HPAGE_PMD_SIZE)
		calibrate_clear(p + at, HPAGE_PMD_SIZE);
}

/* One pass over a fresh mapping. */
static int loop_once(enum loop_kind kind, int fd, struct proc_result *r)
{
	char *p = loop_map(kind, fd);
	const uint64_t f0 = faults_so_far();
	uint64_t t0, t1;

	if (!p)
		return -ENOMEM;
	t0 = calibrate_cpu_ns();
	loop_touch(kind, p);
	t1 = calibrate_cpu_ns();
	r->faults += faults_so_far() - f0;
	calibrate_unmap(p, LOOP_BYTES);
	r->touch_ns += t1 - t0;
	r->unmap_ns += calibrate_cpu_ns() - t1;
	r->iterations += LOOP_BYTES / PAGE_SIZE;
	return 0;
}

static int loop_run(enum loop_kind kind, int fd, struct proc_result *r)
{
	const uint64_t end = calibrate_now_ns() + LOOP_NS;
	char *p;
	int err = 0;

	if (kind != LOOP_CLEAR) {
		while (!err && calibrate_now_ns() < end)
			err = loop_once(kind, fd, r);
		return err;
	}
	p = loop_map(kind, fd);
	if (!p)
		return -ENOMEM;
	memset(p, 1, LOOP_BYTES);
	while (calibrate_now_ns() < end) {
		const uint64_t t0 = calibrate_cpu_ns();

		loop_clear(p);
		r->touch_ns += calibrate_cpu_ns() - t0;
		r->iterations += LOOP_BYTES / PAGE_SIZE;
	}
	calibrate_unmap(p, LOOP_BYTES);
	return 0;
}

/* In a child. The first pass warms page cache and page tables. */
static int run_proc(struct shared *s, enum loop_kind kind, unsigned int n)
{
	struct proc_result warm = { 0 }, mine = { 0 };
	int fd = kind == LOOP_PAGE_FAULT2 ? make_file() : -1, err = 0;
	uint64_t give_up;

	stay_on_cpu(n);
	if (kind == LOOP_PAGE_FAULT2 && fd < 0)
		err = fd;
	if (!err)
		err = loop_once(kind, fd, &warm);
	/* Waiting is counted before any error ends this process. */
	__atomic_add_fetch(&s->ready, 1, __ATOMIC_SEQ_CST);
	give_up = calibrate_now_ns() + WAIT_NS;
	while (__atomic_load_n(&s->ready, __ATOMIC_SEQ_CST) < s->nr &&
	       calibrate_now_ns() < give_up)
		sched_yield();
	if (!err)
		err = loop_run(kind, fd, &mine);
	mine.error = err;
	s->r[n] = mine;
	return 0;
}

static int start_procs(struct shared *s, enum loop_kind kind, unsigned int nr)
{
	unsigned int started = 0;
	int err = 0, status;

	s->nr = nr;
	for (; started < nr; started++) {
		const pid_t pid = fork();

		if (pid < 0) {
			err = -errno;
			/* Let those go on that wait for the missing ones. */
			__atomic_add_fetch(&s->ready, nr - started,
					   __ATOMIC_SEQ_CST);
			break;
		}
		if (!pid)
			_exit(run_proc(s, kind, started));
	}
	while (started) {
		const pid_t pid = wait(&status);

		if (pid < 0 && errno != EINTR)
			return -errno;
		if (pid < 0)
			continue;
		started--;
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			err = -EIO;
	}
	return err;
}

static int sum_up(const struct shared *s, struct loop_cost *out)
{
	*out = (struct loop_cost){ 0 };
	for (unsigned int i = 0; i < s->nr; i++) {
		const struct proc_result *r = &s->r[i];
		const double n = (double)r->iterations * s->nr;

		if (r->error)
			return r->error;
		if (!r->iterations)
			return -EIO;
		out->touch_ns += (double)r->touch_ns / n;
		out->unmap_ns += (double)r->unmap_ns / n;
		out->faults += (double)r->faults / n;
	}
	out->iteration_ns = out->touch_ns + out->unmap_ns;
	return 0;
}

int measure_loop(enum loop_kind kind, unsigned int nr_procs,
		 struct loop_cost *out)
{
	struct shared *s;
	int err;

	if (!nr_procs || nr_procs > MAX_PROCS)
		return -EINVAL;
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		return -errno;
	err = start_procs(s, kind, nr_procs);
	if (!err)
		err = sum_up(s, out);
	munmap(s, sizeof(*s));
	return err;
}
