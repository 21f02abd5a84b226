/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters under their public names, collected from the parts that count them
 * and summed over guests; samples over virtual time; the phase and run results.
 */
#include "sim/machine.h"

#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "sim/counters.h"

enum {
	NR_OWN = sizeof(counter_descs) / sizeof(counter_descs[0]) - 1,
	NR_COUNTERS = NR_OWN + NR_HV_EVENTS,
};

_Static_assert(NR_COUNTERS <= SIM_MAX_COUNTERS, "counters fit the results");

static uint64_t read_u64(const void *base, size_t offset)
{
	uint64_t v;

	memcpy(&v, (const char *)base + offset, sizeof(v));
	return v;
}

/* The structure that holds a counter of `source` for guest g. */
static const void *counter_base(const struct sim_guest *g,
				enum counter_source source)
{
	switch (source) {
	case FROM_ALLOC:
		return alloc_counters(g->alloc);
	case FROM_GUEST:
		return guest_counters(g->mm);
	case FROM_REPORTER:
		return &g->dev.r.counters;
	case FROM_DEVICE:
		return &g->dev;
	case FROM_SIM:
		return g;
	case FROM_LOCKS:
		break;
	case FROM_RUN:
		return g->sim;
	}
	return NULL;
}

static uint64_t read_locks(const struct sim_guest *g, size_t offset, bool max)
{
	uint64_t sum = 0, v;
	unsigned int z;

	for (z = 0; z < alloc_nr_zones(g->alloc); z++) {
		v = read_u64(&g->locks[z], offset);
		if (!max)
			sum += v;
		else if (v > sum)
			sum = v;
	}
	return sum;
}

/* Over the guests that have been there. */
static uint64_t read_guests(const struct sim *s, const struct counter_desc *c)
{
	uint64_t sum = 0, v;
	unsigned int n;

	for (n = 0; n < s->nr_guests; n++) {
		const struct sim_guest *g = &s->guests[n];

		if (g->state == GUEST_ABSENT)
			continue;
		v = c->source == FROM_LOCKS ?
			read_locks(g, c->offset, c->is_max) :
			read_u64(counter_base(g, c->source), c->offset);
		if (!c->is_max)
			sum += v;
		else if (v > sum)
			sum = v;
	}
	return sum;
}

static void read_own(struct sim *s, uint64_t *values)
{
	unsigned int i;

	for (i = 0; i < NR_OWN; i++) {
		const struct counter_desc *c = &counter_descs[i];

		values[i] = c->source == FROM_RUN ? read_u64(s, c->offset) :
						    read_guests(s, c);
	}
}

void stats_read(struct sim *s, uint64_t values[SIM_MAX_COUNTERS])
{
	uint64_t *host = values + NR_OWN;
	unsigned int i, n;

	for (n = 0; n < s->nr_guests; n++)
		walk_update(&s->guests[n].walk);
	read_own(s, values);
	memset(host, 0, NR_HV_EVENTS * sizeof(*host));
	hv_events_add((struct hv_events *)host, &s->native.host);
	hv_events_add((struct hv_events *)host, &s->host_own);
	for (n = 0; n < s->nr_guests; n++)
		for (i = 0; i < NR_HV_EVENTS; i++)
			host[i] += read_u64(&s->guests[n].host, i * 8);
}

static bool counter_is_max(unsigned int i)
{
	return i < NR_OWN && counter_descs[i].is_max;
}

static int samples_grow(struct sim *s)
{
	const unsigned int capacity = s->samples_capacity * 2 + 1024;
	struct sim_sample *p = realloc(s->samples, capacity * sizeof(*p));
	struct sim_guest_sample *each;

	if (!p)
		return -1;
	s->samples = p;
	if (s->nr_guests > 1) {
		each = realloc(s->guest_samples, (size_t)capacity *
			       s->nr_guests * sizeof(*each));
		if (!each)
			return -1;
		s->guest_samples = each;
	}
	s->samples_capacity = capacity;
	return 0;
}

static void sample_guest(const struct sim_guest *g,
			 struct sim_guest_sample *out)
{
	struct alloc_zone_info z;
	struct hv_gauges hv;
	unsigned int i;

	*out = (struct sim_guest_sample){ 0 };
	if (!guest_runs(g))
		return;
	for (i = 0; i < alloc_nr_zones(g->alloc); i++) {
		alloc_zone_info(g->alloc, i, &z);
		out->free_pages += z.free + z.pcp;
		out->used_pages += z.managed - z.free - z.pcp;
	}
	host_gauges(g, &hv);
	out->rss_pages = hv.rss_pages;
	out->lazy_pages = hv.lazy_pages;
	out->swapped_pages = hv.swapped_pages;
	out->anon_huge_pages = hv.anon_huge_regions * HPAGE_PMD_NR;
}

static void count_blocks(const struct sim_guest *g,
			 uint64_t blocks[NR_PAGE_ORDERS])
{
	if (!guest_runs(g))
		return;
	for (unsigned int z = 0; z < alloc_nr_zones(g->alloc); z++)
		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
			blocks[o] += alloc_nr_free(g->alloc, z, o);
}

static void sample_balloon(const struct sim_guest *g, struct sim_sample *out)
{
	const struct reporter_counters *c = &g->dev.r.counters;

	out->balloon_pages += c->balloon_inflate - c->balloon_deflate;
	out->balloon_target_pages += c->balloon_target;
}

/* Of all guests, and of each if `each` is not NULL. */
static void read_gauges(struct sim *s, struct sim_sample *out,
			struct sim_guest_sample *each)
{
	struct sim_guest_sample one;
	struct hv_gauges hv;

	*out = (struct sim_sample){ .at = s->engine.now };
	for (unsigned int i = 0; i < s->nr_guests; i++) {
		sample_guest(&s->guests[i], &one);
		out->guest_free_pages += one.free_pages;
		out->guest_used_pages += one.used_pages;
		out->host_rss_pages += one.rss_pages;
		out->host_anon_huge_pages += one.anon_huge_pages;
		out->host_lazy_pages += one.lazy_pages;
		out->reported_pages += s->guests[i].dev.r.counters.pages;
		count_blocks(&s->guests[i], out->free_blocks);
		if (guest_runs(&s->guests[i]))
			sample_balloon(&s->guests[i], out);
		if (each)
			each[i] = one;
	}
	s->hv->ops->gauges(s->hv, HV_ALL_GUESTS, &hv);
	out->host_swapped_pages = hv.swapped_pages;
	out->host_cache_pages = hv.host_cache_pages;
	native_gauges(s, out);
	out->host_free_pages = hv.host_free_pages;
	out->guests_running = s->nr_guests_running;
}

void stats_gauges(struct sim *s, struct sim_sample *out)
{
	read_gauges(s, out, NULL);
}

void stats_sample(struct sim *s)
{
	if (s->nr_samples && s->samples[s->nr_samples - 1].at == s->engine.now)
		s->nr_samples--;
	if (s->nr_samples == s->samples_capacity && samples_grow(s)) {
		sim_fail(s, -12, "out of memory for samples");
		return;
	}
	read_gauges(s, &s->samples[s->nr_samples],
		    s->guest_samples ? s->guest_samples +
		    (size_t)s->nr_samples * s->nr_guests : NULL);
	s->nr_samples++;
	map_sample(s);
}

static void put_metric(struct sim_metric *m, unsigned int *nr, const char *name,
		       double value)
{
	CHECK_LT(*nr, SIM_MAX_METRICS);
	m[(*nr)++] = (struct sim_metric){ name, value };
}

static double per_second(uint64_t n, sim_ns_t ns)
{
	return ns ? (double)n * 1e9 / (double)ns : 0.0;
}

/* While the tasks still have what they had. */
static void close_metrics(struct sim *s, struct sim_metric *m,
			  unsigned int *nr)
{
	const struct sim_sample *at = &s->gauges_at_close;

	put_metric(m, nr, "host_rss_close_bytes",
		   (double)pages_to_bytes(at->host_rss_pages));
	put_metric(m, nr, "host_anon_huge_close_bytes",
		   (double)pages_to_bytes(at->host_anon_huge_pages));
	put_metric(m, nr, "guest_free_close_bytes",
		   (double)pages_to_bytes(at->guest_free_pages));
	put_metric(m, nr, "reclaimed_bytes",
		   (double)pages_to_bytes(s->reclaim.peak_at_close -
					  at->host_rss_pages));
}

/* Names of shares that were not reached are left out. */
static void reclaim_metrics(struct sim *s, struct sim_metric *m,
			    unsigned int *nr, sim_ns_t since)
{
	static const char *const names[RECLAIM_NR_SHARES] = {
		"reclaimed_50_s", "reclaimed_90_s", "reclaimed_99_s"
	};
	const struct reclaim *r = &s->reclaim;

	if (r->any)
		put_metric(m, nr, "first_discard_s",
			   (double)(r->first - since) / 1e9);
	for (unsigned int i = 0; i < r->reached; i++)
		put_metric(m, nr, names[i], (double)(r->at[i] - since) / 1e9);
}

static void end_metrics(struct sim *s, struct sim_metric *m, unsigned int *nr)
{
	struct sim_sample now;

	stats_gauges(s, &now);
	put_metric(m, nr, "host_rss_end_bytes",
		   (double)pages_to_bytes(now.host_rss_pages));
	put_metric(m, nr, "host_anon_huge_end_bytes",
		   (double)pages_to_bytes(now.host_anon_huge_pages));
	put_metric(m, nr, "guest_free_end_bytes",
		   (double)pages_to_bytes(now.guest_free_pages));
	put_metric(m, nr, "guest_used_end_bytes",
		   (double)pages_to_bytes(now.guest_used_pages));
	guests_note_peak(s);
	put_metric(m, nr, "host_used_peak_bytes",
		   (double)pages_to_bytes(s->peak_used_pages));
}

static uint64_t counter_named(const struct sim_counter *c, unsigned int nr,
			      const char *name)
{
	for (unsigned int i = 0; i < nr; i++)
		if (!strcmp(c[i].name, name))
			return c[i].value;
	return 0;
}

/* Of the walks of what the counters say was accessed; none: left out. */
static void walk_metrics(const struct sim_counter *c, unsigned int nr_counters,
			 struct sim_metric *m, unsigned int *nr)
{
	static const char *const pages[] = {
		"guest.accessed_4k_on_4k", "guest.accessed_4k_on_2m",
		"guest.accessed_4k_on_1g", "guest.accessed_2m_on_4k",
		"guest.accessed_2m_on_2m", "guest.accessed_2m_on_1g",
	};
	uint64_t sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		sum += counter_named(c, nr_counters, pages[i]);
	if (sum)
		put_metric(m, nr, "walk_refs_per_page",
			   (double)counter_named(c, nr_counters,
						 "guest.walk_refs") /
			   (double)sum);
}

static void lap_metrics(struct sim *s, struct sim_metric *m, unsigned int *nr)
{
	static const char *const names[WORKLOAD_MAX_LAPS] = {
		"lap_1_s", "lap_2_s", "lap_3_s", "lap_4_s",
		"lap_5_s", "lap_6_s", "lap_7_s", "lap_8_s",
	};
	sim_ns_t ns;

	for (unsigned int i = 0; i < WORKLOAD_MAX_LAPS; i++)
		if (laps_mean(s, i, &ns))
			put_metric(m, nr, names[i], (double)ns / 1e9);
}

void stats_phase(struct sim *s, unsigned int i)
{
	struct sim_phase_result *p = &s->phases[i];
	unsigned int c;

	p->name = s->cfg.phases[i].name;
	p->measured_ns = s->window_end - s->window_start;
	p->iterations = s->window_iterations;
	p->nr_counters = NR_COUNTERS;
	for (c = 0; c < NR_COUNTERS; c++) {
		p->counters[c].name = s->counter_table[c].name;
		p->counters[c].value = counter_is_max(c) ?
			s->at_close[c] : s->at_close[c] - s->at_open[c];
	}
	p->nr_metrics = 0;
	put_metric(p->metrics, &p->nr_metrics, "iterations_per_s",
		   per_second(p->iterations, p->measured_ns));
	put_metric(p->metrics, &p->nr_metrics, "duration_s",
		   (double)(p->end - p->start) / 1e9);
	lap_metrics(s, p->metrics, &p->nr_metrics);
	walk_metrics(p->counters, p->nr_counters, p->metrics, &p->nr_metrics);
	close_metrics(s, p->metrics, &p->nr_metrics);
	reclaim_metrics(s, p->metrics, &p->nr_metrics, p->start);
	end_metrics(s, p->metrics, &p->nr_metrics);
}

/*
 * Names of host counters get their prefix here. The table is built by the
 * caller's memory, so that nothing global has to be initialised.
 */
void sim_counter_table(struct sim_counter_desc out[SIM_MAX_COUNTERS + 1])
{
	unsigned int i;

	for (i = 0; i < NR_OWN; i++) {
		snprintf(out[i].name, sizeof(out[i].name), "%s",
			 counter_descs[i].name);
		out[i].unit = counter_descs[i].unit;
		out[i].help = counter_descs[i].help;
	}
	for (i = 0; i < NR_HV_EVENTS; i++) {
		const struct hv_event_desc *d = hv_event_desc(i);

		snprintf(out[NR_OWN + i].name, sizeof(out->name), "host.%s",
			 d->name);
		out[NR_OWN + i].unit = d->unit;
		out[NR_OWN + i].help = d->help;
	}
	out[NR_COUNTERS].name[0] = '\0';
}

/* The ordered stream first, then each CPU's, guests and CPUs ascending. */
static void result_digest(struct sim *s, char out[DIGEST_HEX_SIZE])
{
	struct digest *all = &s->joined;
	unsigned int i, cpu;

	digest_reset(all);
	digest_join(all, &s->digest);
	for (i = 0; i < s->nr_guests; i++)
		for (cpu = 0; cpu < s->guests[i].topo.nr_cpus; cpu++)
			digest_join(all, &s->guests[i].cpu_digests[cpu]);
	digest_hex(all, out);
}

/* Of the blocks reported so far, how many were not worth it. */
static double wasted_share(const struct sim *s)
{
	uint64_t discards = 0, wasted = 0;
	unsigned int i;

	for (i = 0; i < s->nr_guests; i++) {
		discards += s->guests[i].reuse.reported;
		wasted += s->guests[i].reuse.wasted;
	}
	return discards ? (double)wasted / (double)discards : 0.0;
}

const struct sim_result *sim_result(struct sim *s)
{
	struct sim_result *r = &s->result;
	uint64_t values[SIM_MAX_COUNTERS];
	unsigned int c;

	stats_read(s, values);
	r->virtual_ns = s->engine.now;
	r->events = s->engine.nr_run;
	result_digest(s, r->digest);
	r->nr_counters = NR_COUNTERS;
	for (c = 0; c < NR_COUNTERS; c++)
		r->counters[c] = (struct sim_counter){ s->counter_table[c].name,
						       values[c] };
	r->nr_metrics = 0;
	if (s->nr_phases_run) {
		const struct sim_phase_result *last =
			&s->phases[s->nr_phases_run - 1];

		put_metric(r->metrics, &r->nr_metrics, "iterations_per_s",
			   per_second(last->iterations, last->measured_ns));
	}
	put_metric(r->metrics, &r->nr_metrics, "virtual_s",
		   (double)s->engine.now / 1e9);
	put_metric(r->metrics, &r->nr_metrics, "wasted_report_share",
		   wasted_share(s));
	walk_metrics(r->counters, r->nr_counters, r->metrics, &r->nr_metrics);
	end_metrics(s, r->metrics, &r->nr_metrics);
	r->nr_phases = s->nr_phases_run;
	r->phases = s->phases;
	r->nr_samples = s->nr_samples;
	r->maps = s->maps;
	r->nr_maps = s->nr_maps;
	r->samples = s->samples;
	r->nr_guests = s->nr_guests;
	r->guest_samples = s->guest_samples;
	return r;
}
