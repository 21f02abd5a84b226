/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recording and asking the times of use of regions (future.h). Memory is
 * bounded: when there are too many times, the grain doubles and what is closer
 * than that becomes one time. A reader who only asks whether a block rests for
 * longer than the grain gets the same answer before and after.
 */
#include "sim/future.h"

#include <errno.h>
#include <stdlib.h>

#include "include/check.h"
#include "include/sparse.h"

#define GRAIN_NS (10 * NSEC_PER_MSEC)
#define MAX_TIMES (UINT64_C(1) << 23)

int future_init(struct future *f, unsigned int nr_guests, pfn_t nr_pages,
		unsigned int nr_phases)
{
	*f = (struct future){
		.nr_guests = nr_guests,
		.nr_regions = pfn_region(nr_pages - 1) + 1,
		.grain = GRAIN_NS, .limit = MAX_TIMES,
		.nr_phases = nr_phases,
	};
	f->logs = sparse_alloc((size_t)nr_guests * f->nr_regions,
			       sizeof(*f->logs));
	f->phases = calloc(nr_phases + 1, sizeof(*f->phases));
	return f->logs && f->phases ? 0 : -ENOMEM;
}

static size_t nr_logs(const struct future *f)
{
	return (size_t)f->nr_guests * f->nr_regions;
}

void future_destroy(struct future *f)
{
	size_t i;

	for (i = 0; f->logs && f->nr && i < nr_logs(f); i++)
		free(f->logs[i].v);
	if (f->logs)
		sparse_free(f->logs, nr_logs(f), sizeof(*f->logs));
	free(f->phases);
	*f = (struct future){ 0 };
}

/* Times of one log that are closer than the grain become one. */
static void coalesce(struct future *f, struct busy_log *log)
{
	uint32_t out = 0, i;

	for (i = 1; i < log->nr; i++) {
		if (log->v[i].from - log->v[out].to <= f->grain)
			log->v[out].to = log->v[i].to;
		else
			log->v[++out] = log->v[i];
	}
	if (log->nr)
		log->nr = out + 1;
	f->nr += log->nr;
}

static void coarsen(struct future *f)
{
	size_t i;

	while (f->nr > f->limit) {
		f->grain *= 2;
		f->nr = 0;
		for (i = 0; i < nr_logs(f); i++)
			coalesce(f, &f->logs[i]);
	}
}

static struct busy_time *new_time(struct future *f, struct busy_log *log)
{
	if (log->nr == log->capacity) {
		const uint32_t capacity = log->capacity * 2 + 2;
		struct busy_time *v = realloc(log->v, capacity * sizeof(*v));

		if (!v) {
			f->failed = true;
			return NULL;
		}
		log->v = v;
		log->capacity = capacity;
	}
	f->nr++;
	return &log->v[log->nr++];
}

static void note_region(struct future *f, struct busy_log *log, sim_ns_t now)
{
	struct busy_time *t = log->nr ? &log->v[log->nr - 1] : NULL;

	if (t && now <= t->to + f->grain) {
		if (t->to < now)
			t->to = now;
		return;
	}
	t = new_time(f, log);
	if (t)
		*t = (struct busy_time){ now, now };
	if (f->nr > f->limit)
		coarsen(f);
}

static struct busy_log *log_of(const struct future *f, unsigned int guest,
			       uint32_t region)
{
	CHECK_LT(guest, f->nr_guests);
	CHECK_LT(region, f->nr_regions);
	return &f->logs[(size_t)guest * f->nr_regions + region];
}

void future_note(struct future *f, unsigned int guest, pfn_t pfn,
		 unsigned int order, sim_ns_t now)
{
	const uint32_t last = pfn_region(pfn + order_nr_pages(order) - 1);
	uint32_t region;

	for (region = pfn_region(pfn); region <= last; region++)
		note_region(f, log_of(f, guest, region), now);
}

static sim_ns_t next_of_region(const struct busy_log *log, sim_ns_t at)
{
	uint32_t low = 0, high = log->nr;

	/* The first time of use that is not over. */
	while (low < high) {
		const uint32_t mid = low + (high - low) / 2;

		if (log->v[mid].to <= at)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == log->nr)
		return FUTURE_NEVER;
	return log->v[low].from > at ? log->v[low].from - at : 0;
}

sim_ns_t future_next_use(const struct future *f, unsigned int guest, pfn_t pfn,
			 unsigned int order, sim_ns_t at)
{
	const uint32_t last = pfn_region(pfn + order_nr_pages(order) - 1);
	sim_ns_t next = FUTURE_NEVER;
	uint32_t region;

	for (region = pfn_region(pfn); region <= last; region++) {
		const sim_ns_t t = next_of_region(log_of(f, guest, region),
						  at);

		if (t < next)
			next = t;
	}
	return next;
}

sim_ns_t future_time(const struct future *f, unsigned int phase,
		     sim_ns_t since_start)
{
	const struct busy_time *p = &f->phases[phase];
	const sim_ns_t len = p->to - p->from;

	CHECK_LT(phase, f->nr_phases);
	return p->from + (since_start < len ? since_start : len);
}
