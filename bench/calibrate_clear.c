/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clearing, in one thread and in several at a time: of memory that is in no
 * cache, and of memory that was cleared the moment before. The second is what a
 * guest does to a page that its host has just cleared for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "bench/calibrate_internal.h"
#include "include/types.h"

/* Enough of them that reading the clock does not count. */
#define SMALL_AT_ONCE 64

enum { HUGE_COLD, HUGE_AGAIN, SMALL_COLD, SMALL_AGAIN };

static double timed_clear(char *p, size_t size)
{
	const uint64_t t0 = calibrate_now_ns();

	calibrate_clear(p, size);
	return (double)(calibrate_now_ns() - t0);
}

/*
 * Region after region, round and round: when one comes again, the others have
 * pushed it out.
 */
static void clear_regions(const struct calibration *c, char *p, size_t nr,
			  struct proc_samples *out)
{
	const uint64_t end = calibrate_now_ns() + c->slice_ns;

	for (size_t i = 0; i < CALIBRATE_PROC_SAMPLES &&
			   (!i || calibrate_now_ns() < end); i++) {
		char *region = p + i % nr * HPAGE_PMD_SIZE;

		add_sample(out, HUGE_COLD, timed_clear(region,
						       HPAGE_PMD_SIZE));
		add_sample(out, HUGE_AGAIN, timed_clear(region,
							HPAGE_PMD_SIZE));
	}
}

/* A page of each of 64 places, so many times. */
static double clear_pages(char *p, size_t stride, unsigned int times)
{
	const uint64_t t0 = calibrate_now_ns();

	for (size_t i = 0; i < SMALL_AT_ONCE; i++)
		for (unsigned int n = 0; n < times; n++)
			calibrate_clear(p + i * stride, PAGE_SIZE);
	return (double)(calibrate_now_ns() - t0) / SMALL_AT_ONCE;
}

/* What twice takes longer than once is the second clear. */
static void clear_small(const struct calibration *c, char *p, size_t size,
			struct proc_samples *out)
{
	const uint64_t end = calibrate_now_ns() + c->slice_ns;
	/* An odd number of pages apart: not all in the same sets. */
	const size_t stride = size / PAGE_SIZE / SMALL_AT_ONCE * PAGE_SIZE -
			      PAGE_SIZE;
	const size_t nr = stride / PAGE_SIZE;

	for (size_t i = 0; i < CALIBRATE_PROC_SAMPLES &&
			   (!i || calibrate_now_ns() < end); i++) {
		const double once = clear_pages(p + 2 * i % nr * PAGE_SIZE,
						stride, 1);
		const double twice = clear_pages(p + (2 * i + 1) % nr *
						     PAGE_SIZE, stride, 2);

		add_sample(out, SMALL_COLD, once);
		add_sample(out, SMALL_AGAIN, twice > once ? twice - once : 0);
	}
}

struct clear_thread {
	const struct calibration *c;
	pthread_t thread;
	struct proc_start *start;
	unsigned int cpu;
	char *p;
	size_t size;
	struct proc_samples samples;
};

static void *clear_thread(void *arg)
{
	struct clear_thread *t = arg;

	calibrate_stay_on_cpu(t->cpu);
	proc_ready(t->start);
	clear_small(t->c, t->p, t->size, &t->samples);
	clear_regions(t->c, t->p, t->size / HPAGE_PMD_SIZE, &t->samples);
	return NULL;
}

/* Each thread has its share of the cold memory. */
static int run_threads(const struct calibration *c, struct clear_thread *t,
		       unsigned int nr)
{
	const size_t share = c->cold_bytes / nr & ~(HPAGE_PMD_SIZE - 1);
	struct proc_start start = { .nr = nr };
	unsigned int started;
	sigset_t all, before;
	int err = 0;

	/* Signals are for the thread that knows what to do with them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (started = 0; started < nr; started++) {
		t[started] = (struct clear_thread){
			.c = c, .start = &start, .cpu = started,
			.p = c->cold + started * share, .size = share };
		err = -pthread_create(&t[started].thread, NULL, clear_thread,
				      &t[started]);
		if (err)
			break;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	proc_missing(&start, nr - started);
	for (unsigned int i = 0; i < started; i++)
		pthread_join(t[i].thread, NULL);
	return err;
}

static int add_kind(struct calibration *c, const struct clear_thread *t,
		    unsigned int nr, const char *name, unsigned int kind)
{
	double *ns = calloc(nr, CALIBRATE_PROC_SAMPLES * sizeof(*ns));
	size_t n = 0;

	if (!ns)
		return -ENOMEM;
	for (unsigned int i = 0; i < nr; i++)
		for (unsigned int k = 0; k < t[i].samples.nr[kind]; k++)
			ns[n++] = t[i].samples.ns[kind][k];
	fact_add(c, name, nr, ns, n);
	free(ns);
	return 0;
}

int measure_clears(struct calibration *c)
{
	static const char *const names[] = {
		"clear_2m_cold", "clear_2m_again", "clear_4k_cold",
		"clear_4k_again"
	};
	struct clear_thread *t = calloc(c->procs, sizeof(*t));
	int err = t ? 0 : -ENOMEM;

	for (unsigned int n = calibrate_next_procs(c, 0); n && !err;
	     n = calibrate_next_procs(c, n)) {
		if (time_is_over(c, names[HUGE_COLD]))
			break;
		if (c->cold_bytes / n < HPAGE_PMD_SIZE) {
			gap_add(c, names[HUGE_COLD], "no memory for %u threads",
				n);
			break;
		}
		err = run_threads(c, t, n);
		for (unsigned int k = 0; k < ARRAY_SIZE(names) && !err; k++)
			err = add_kind(c, t, n, names[k], k);
	}
	free(t);
	return err;
}
