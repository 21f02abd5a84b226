/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One measurement in several processes at a time: each stays on its CPU, they
 * begin together, and leave their samples in memory that all of them share.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/calibrate_internal.h"
#include "include/types.h"

#define WAIT_NS (60 * NSEC_PER_SEC)

struct shared {
	struct proc_start start;
	struct proc_samples r[];
};

void proc_ready(struct proc_start *s)
{
	const uint64_t give_up = calibrate_now_ns() + WAIT_NS;

	__atomic_add_fetch(&s->ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&s->ready, __ATOMIC_SEQ_CST) < s->nr &&
	       calibrate_now_ns() < give_up)
		sched_yield();
}

void proc_missing(struct proc_start *s, unsigned int nr)
{
	__atomic_add_fetch(&s->ready, nr, __ATOMIC_SEQ_CST);
}

void calibrate_stay_on_cpu(unsigned int n)
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

static int start_all(struct shared *s, const struct calibration *c, proc_fn fn,
		     const void *arg, unsigned int *started)
{
	for (*started = 0; *started < s->start.nr; ++*started) {
		const pid_t pid = fork();

		if (pid < 0) {
			const int err = -errno;

			proc_missing(&s->start, s->start.nr - *started);
			return err;
		}
		if (!pid) {
			/* Nobody is to go on after an interrupt. */
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			calibrate_stay_on_cpu(*started);
			s->r[*started].error = fn(&s->start, c, arg,
						  s->start.nr, &s->r[*started]);
			_exit(0);
		}
	}
	return 0;
}

static int wait_all(unsigned int started)
{
	int err = 0, status;

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

static int add_kind(struct calibration *c, const struct shared *s,
		    const char *name, unsigned int kind)
{
	size_t n = 0;
	double *ns = calloc(s->start.nr, CALIBRATE_PROC_SAMPLES * sizeof(*ns));

	if (!ns)
		return -ENOMEM;
	for (unsigned int i = 0; i < s->start.nr; i++)
		for (unsigned int k = 0; k < s->r[i].nr[kind]; k++)
			ns[n++] = s->r[i].ns[kind][k];
	if (n)
		fact_add(c, name, s->start.nr, ns, n);
	free(ns);
	return n ? 0 : -EIO;
}

static int add_all(struct calibration *c, const struct shared *s,
		   const char *const *names)
{
	int err = 0;

	for (unsigned int i = 0; i < s->start.nr; i++)
		if (s->r[i].error)
			return s->r[i].error;
	for (unsigned int k = 0; names[k] && !err; k++)
		err = add_kind(c, s, names[k], k);
	return err;
}

int calibrate_procs(struct calibration *c, unsigned int procs, proc_fn fn,
		    const void *arg, const char *const *names)
{
	const size_t size = sizeof(struct shared) +
			    procs * sizeof(struct proc_samples);
	unsigned int started;
	struct shared *s;
	int err, err2;

	s = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		 -1, 0);
	if (s == MAP_FAILED)
		return -errno;
	s->start.nr = procs;
	err = start_all(s, c, fn, arg, &started);
	err2 = wait_all(started);
	if (!err)
		err = err2;
	if (!err)
		err = add_all(c, s, names);
	munmap(s, size);
	return err;
}
