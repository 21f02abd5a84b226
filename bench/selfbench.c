/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of `buddylab bench`, one process each: warm-up, samples, spread. CPU
 * time is what is judged, because other programs on the machine do not count in
 * it; wall time stands beside it.
 */
#define _GNU_SOURCE
#include "bench/selfbench.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/calibrate_internal.h"
#include "include/guard.h"
#include "include/types.h"

#define SLOW_SAMPLES 3u

static uint64_t cpu_clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

void selfbench_start(struct selfbench_timer *t)
{
	t->wall_from = calibrate_now_ns();
	t->cpu_from = cpu_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	t->thread_from = cpu_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* Adds, so that a sample can leave parts out. */
void selfbench_stop(struct selfbench_timer *t)
{
	t->thread_ns += cpu_clock_ns(CLOCK_THREAD_CPUTIME_ID) - t->thread_from;
	t->cpu_ns += cpu_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - t->cpu_from;
	t->wall_ns += calibrate_now_ns() - t->wall_from;
}

double selfbench_millions_per_s(const struct selfbench_timer *t, uint64_t units)
{
	return t->cpu_ns ? (double)units * 1e3 / (double)t->cpu_ns : 0;
}

double selfbench_pipelined_millions_per_s(const struct selfbench_timer *t,
					  uint64_t units)
{
	const uint64_t others = t->cpu_ns - t->thread_ns;
	const uint64_t busier = others > t->thread_ns ? others : t->thread_ns;

	return busier ? (double)units * 1e3 / (double)busier : 0;
}

double selfbench_ns_per(const struct selfbench_timer *t, uint64_t units)
{
	return units ? (double)t->cpu_ns / (double)units : 0;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct selfbench_spread spread_of(double *v, unsigned int n)
{
	struct selfbench_spread s = { 0 };

	if (!n)
		return s;
	qsort(v, n, sizeof(*v), by_value);
	s.min = v[0];
	s.max = v[n - 1];
	s.median = n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
	return s;
}

static void sum_up(struct selfbench_result *r)
{
	double value[SELFBENCH_MAX_REPEAT], cpu[SELFBENCH_MAX_REPEAT];
	double wall[SELFBENCH_MAX_REPEAT];
	unsigned int i;

	for (i = 0; i < r->nr; i++) {
		value[i] = r->samples[i].value;
		cpu[i] = (double)r->samples[i].cpu_ns / 1e9;
		wall[i] = (double)r->samples[i].wall_ns / 1e9;
	}
	r->value = spread_of(value, r->nr);
	r->cpu_s = spread_of(cpu, r->nr);
	r->wall_s = spread_of(wall, r->nr);
}

static int take_samples(const struct selfbench_row *row, void *ctx,
			unsigned int repeat, struct selfbench_result *r)
{
	struct selfbench_sample warm_up;
	int err = 0;

	if (!row->slow)
		err = row->run(row, ctx, &warm_up, r->why, sizeof(r->why));
	for (r->nr = 0; !err && r->nr < repeat; ) {
		struct selfbench_sample *s = &r->samples[r->nr];

		err = row->run(row, ctx, s, r->why, sizeof(r->why));
		if (!err && !isfinite(s->value)) {
			snprintf(r->why, sizeof(r->why), "no finite figure: "
				 "too little was measured");
			err = -ERANGE;
		}
		r->nr += !err;
	}
	return err;
}

/* In the child; *r is memory that the parent reads. */
static void measure(const struct selfbench_row *row, unsigned int repeat,
		    struct selfbench_result *r)
{
	void *ctx = NULL;
	int err = 0;

	if (row->slow && repeat > SLOW_SAMPLES)
		repeat = SLOW_SAMPLES;
	if (row->setup)
		err = row->setup(row, repeat + !row->slow, &ctx, r->why,
				 sizeof(r->why));
	if (!err) {
		err = take_samples(row, ctx, repeat, r);
		if (row->teardown)
			row->teardown(ctx);
	}
	if (err < 0 && !r->why[0])
		snprintf(r->why, sizeof(r->why), "%s", strerror(-err));
	r->status = !err ? SELFBENCH_DONE : err == SELFBENCH_NO_PEER ?
		    SELFBENCH_SKIPPED : SELFBENCH_FAILED;
}

int selfbench_run(const struct selfbench_row *row, unsigned int repeat,
		  struct selfbench_result *out)
{
	struct selfbench_result *shared;
	int status, err;
	pid_t pid;

	if (repeat > SELFBENCH_MAX_REPEAT)
		repeat = SELFBENCH_MAX_REPEAT;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return -errno;
	shared->status = SELFBENCH_FAILED;
	fflush(NULL);
	pid = guard_fork();
	if (pid < 0) {
		status = -errno;
		munmap(shared, sizeof(*shared));
		return status;
	}
	if (!pid) {
		measure(row, repeat, shared);
		_exit(0);
	}
	err = guard_wait(pid, &status);
	*out = *shared;
	munmap(shared, sizeof(*shared));
	if (err)
		return err;
	out->row = row;
	if (!WIFEXITED(status)) {
		out->status = SELFBENCH_FAILED;
		snprintf(out->why, sizeof(out->why), "killed by signal %d (%s)",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	} else if (out->status == SELFBENCH_FAILED && !out->why[0]) {
		snprintf(out->why, sizeof(out->why), "ended without a result, "
			 "exit status %d", WEXITSTATUS(status));
	}
	sum_up(out);
	return 0;
}

const char *selfbench_verdict(const struct selfbench_result *r)
{
	const struct selfbench_row *row = r->row;
	const double v = r->value.median;

	if (r->status != SELFBENCH_DONE || row->goal <= 0)
		return "-";
	if (row->higher ? v >= row->goal : v <= row->goal)
		return "met";
	return (row->higher ? v >= row->floor : v <= row->floor) ? "floor" :
								  "missed";
}

int selfbench_kernel_faults(bool file, unsigned int procs, double *per_s,
			    double *cpu_ns_per_fault)
{
	const int err = calibrate_page_faults(file, procs, cpu_ns_per_fault);

	if (!err)
		*per_s = *cpu_ns_per_fault > 0 ?
			 1e9 * procs / *cpu_ns_per_fault : 0;
	return err;
}
