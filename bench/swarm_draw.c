/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drawing a cell. Every section is made of its option tables: a key is set or
 * left to its default, to a value that its type, range and default allow. What
 * stands in the table of hints has values that keep a cell small and busy; a
 * key that is not there is drawn all the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/swarm.h"
#include "include/check.h"
#include "include/rng.h"

#define MIB (UINT64_C(1) << 20)

struct draw {
	const struct swarm_options *o;
	struct swarm_text *t;
	struct schema schema;
	struct rng r;
	uint64_t memory;          /* of a guest */
	uint64_t guests;
	unsigned int nr_phases;
	unsigned int density;     /* of 8 keys so many are set */
	const struct hypervisor_ops *host;
};

/* Values by blanks or, if they hold some, by bars. */
struct hint {
	const char *section, *member, *key, *values;
};

static const struct hint hints[] = {
	{ "experiment", NULL, "sample", "0s 1ms 10ms 100ms" },
	{ "guest", NULL, "below_4g", "16M 32M 64M 96M 3G" },
	{ "guest", NULL, "cpus", "0 0 0 0 1 2" },
	{ "guest", NULL, "topology",
	  "core:1 pu:1|core:2 pu:1|core:3 pu:1|core:4 pu:1|core:4 pu:2|"
	  "numa:2 core:2 pu:1|numa:2 core:1 pu:1|numa:3 core:1 pu:2|"
	  "nodes:2 cpus:0*2,1*1|pack:2 core:4 pu:2" },
	{ "guest", NULL, "base", "0 1M 2M 4M 7M" },
	{ "guest", NULL, "khugepaged_pages_to_scan", "16 512 4096 65536" },
	{ "guest", NULL, "khugepaged_scan_sleep", "1ms 5ms 50ms 10s" },
	{ "guest", NULL, "khugepaged_alloc_sleep", "1ms 20ms 60s" },
	{ "host", NULL, "launch_gap", "0s 3ms 20ms" },
	{ "host", NULL, "pull_below", "0 4M 64M 1G" },
	{ "host", NULL, "swap_bandwidth", "0 100M 1G" },
	{ "host", NULL, "backing", "4K 4K 4K 4K 4K 4K 4K 4K 4K 4K 4K 4K 4K 4K 4K 64K 64K 2M 1G" },
	{ "host", "mock", "cache", "0 4M 16M" },
	{ "host", "mock", "swap", "0 3M 64M 4G" },
	{ "host", "mock", "huge_pages", "100% 50% 10% 0%" },
	{ "host", "mock", "hugetlb_pool", "0 50% 20M" },
	{ "host", "mock", "khugepaged_pages_to_scan", "16 512 4096 65536" },
	{ "host", "mock", "khugepaged_scan_sleep", "1ms 7ms 50ms 10s" },
	{ "host", "mock", "khugepaged_alloc_sleep", "1ms 20ms 60s" },
	{ "reporter", "pull_bitmap", "remote_clear", "atomic" },
	{ "reporter", "percpu_array", "capacity", "16 64 256 1024" },
	{ "reporter", "percpu_array", "threshold", "0 1 2 3 16" },
	{ "reporter", NULL, "enabled", "on on on on on on on off" },
	{ "reporter", NULL, "capacity", "1 2 7 32 256 1024" },
	{ "reporter", NULL, "threshold", "1 2 3 16 100" },
	{ "reporter", NULL, "delay", "1ms 5ms 20ms 100ms" },
	{ "reporter", "balloon", "target", "0 1M 8M 40M 200M 2G" },
	{ "reporter", "balloon", "target_at", "0s 1ms 10ms" },
	{ "reporter", "balloon", "queue", "pfn" },
	{ "reporter", "balloon", "retry", "100us 1ms 200ms" },
	{ "reporter", "balloon", "stats", "0s 1ms 100ms" },
	{ "reporter", "balloon", "oom_pages", "1 16 256 4096" },
	{ "reporter", "free_page_hint", "start_at", "0s 1ms 20ms" },
	{ "reporter", "free_page_hint", "round", "100us 2ms 20ms" },
	{ "reporter", "free_page_hint", "rounds", "0 1 2 5" },
	{ "reporter", "free_page_hint", "limit", "0 4M 64M" },
	{ "phase", NULL, "tasks", "1 1 2 3 4 7 16 33" },
	{ "phase", NULL, "native",
	  "off off off off off off off off off off off off off off off on" },
	{ "phase", NULL, "warmup", "0s 500us 3ms" },
	{ "phase", NULL, "iterations", "0 0 1 100 1000 4000" },
	{ "phase", NULL, "stagger", "0s 2ms" },
	{ "phase", NULL, "map_size", "4K 256K 1M 5M 12M 128M" },
	{ "phase", NULL, "chunk", "4K 64K 128K 1M" },
	{ "phase", NULL, "passes", "1 2 3" },
	{ "phase", NULL, "sleep", "0s 1ms 10ms" },
	{ "phase", NULL, "tick", "20us 1ms 100ms" },
	{ "phase", "fork_storm", "copied", "4K 64K" },
	{ "phase", "fork_storm", "text", "64K 256K 1M" },
	{ "phase", "fork_storm", "data", "4K 128K" },
	{ "phase", "fork_storm", "anon", "4K 256K 1M" },
	{ "phase", "brk1", "step", "4K 64K 2M" },
	{ "phase", "malloc1", "malloc_size", "32M 128M" },
	{ "phase", "jemalloc", "min_size", "8 64 4K" },
	{ "phase", "jemalloc", "max_size", "4K 64K 1M" },
	{ "phase", "jemalloc", "replace", "0 50 100 300" },
	{ "phase", "jemalloc", "idle", "0s 1ms 20ms" },
	{ "phase", "jemalloc", "waves", "1 2 3" },
	{ "phase", "jemalloc", "think", "0ns 500ns 5us" },
	{ "phase", "jemalloc", "dirty_decay", "0s 10ms 100ms" },
	{ "phase", "jemalloc", "muzzy_decay", "0s 10ms 100ms" },
	{ "phase", "jemalloc", "purge_every", "0 100" },
	{ "event", NULL, "id", "2 3 4" },
	{ "inject", NULL, "for", "0s 1ms 20ms" },
	{ "inject", NULL, "every", "1 2 5" },
	{ "inject", NULL, "count", "0 1 3" },
	{ "inject", NULL, "latency", "1ms 10ms 100ms" },
};

static unsigned int below(struct draw *d, unsigned int bound)
{
	return rng_below(&d->r, bound);
}

/* One of the values in a text, into out. */
static void pick(struct draw *d, const char *values, char *out, size_t size)
{
	const char *between = strchr(values, '|') ? "|" : " ";
	const char *at = values;
	unsigned int nr = 1, i;

	for (i = 0; values[i]; i++)
		nr += values[i] == between[0];
	for (i = below(d, nr); i; i--)
		at += strcspn(at, between) + 1;
	snprintf(out, size, "%.*s", (int)strcspn(at, between), at);
}

#define PICK(d, values, out) pick(d, values, out, sizeof(out))

static const char *hint_for(const char *section, const char *member,
			    const char *key)
{
	const char *general = NULL;
	size_t i;

	for (i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		const struct hint *h = &hints[i];

		if (strcmp(h->section, section) != 0 ||
		    strcmp(h->key, key) != 0)
			continue;
		if (h->member && member && !strcmp(h->member, member))
			return h->values;
		if (!h->member)
			general = h->values;
	}
	return general;
}

/* Small numbers as often as large ones, both ends of the range now and then. */
static uint64_t draw_number(struct draw *d, const struct option_desc *o,
			    uint64_t most, uint64_t unit)
{
	const uint64_t max = o->max && o->max < most ? o->max : most;
	uint64_t n;

	if (max <= o->min || !below(d, 6))
		return o->min;
	if (!below(d, 8))
		return max;
	n = rng_next(&d->r) >> (1 + below(d, 63));
	n = n % (max - o->min + 1) + o->min;
	if (n >= unit)
		n -= n % unit;
	return n < o->min ? o->min : n;
}

static bool draw_typed(struct draw *d, const struct option_desc *o, char *out,
		       size_t size)
{
	unsigned int nr = 0;

	switch (o->type) {
	case OPTION_BOOL:
		snprintf(out, size, "%s", below(d, 2) ? "on" : "off");
		return true;
	case OPTION_NAME:
		while (o->names[nr])
			nr++;
		snprintf(out, size, "%s", o->names[below(d, nr)]);
		return true;
	case OPTION_UINT:
		snprintf(out, size, "%" PRIu64, draw_number(d, o, 5000, 1));
		return true;
	case OPTION_SIZE:
		snprintf(out, size, "%" PRIu64,
			 draw_number(d, o, 64 * MIB, PAGE_SIZE));
		return true;
	case OPTION_TIME:
		snprintf(out, size, "%" PRIu64 "ns",
			 draw_number(d, o, 50 * NSEC_PER_MSEC, NSEC_PER_USEC));
		return true;
	case OPTION_SHARE:
		snprintf(out, size, "%u%%", below(d, 101));
		return true;
	case OPTION_STRING:
		break;
	}
	return false;
}

static void draw_key(struct draw *d, const char *section, const char *member,
		     const struct option_desc *o)
{
	const char *values = hint_for(section, member, o->name);
	char text[SWARM_LINE_SIZE / 2];

	if (values)
		PICK(d, values, text);
	else if (!draw_typed(d, o, text, sizeof(text)))
		return;
	swarm_add(d->t, "%s = %s", o->name, text);
}

static bool is_among(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

/* Keys of a table that the caller has not written itself. */
static void draw_table(struct draw *d, const struct option_table *t,
		       const char *section, const char *member,
		       const char *const *written)
{
	const struct option_desc *o;

	for (o = t->descs; o && o->name; o++)
		if (!is_among(written, o->name) && below(d, 8) < d->density)
			draw_key(d, section, member, o);
}

#define WRITTEN(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void draw_guest(struct draw *d)
{
	const struct option_desc *kernel =
		option_find(&guest_option_table, "kernel");
	char text[64];

	PICK(d, "16M 24M 32M 48M 64M 64M 96M 128M 128M 192M 384M 1G", text);
	CHECK(!parse_size(text, &d->memory));
	swarm_add(d->t, "[guest]");
	draw_key(d, "guest", NULL, kernel);
	swarm_add(d->t, "memory = %s", text);
	draw_key(d, "guest", NULL, option_find(&guest_option_table, "base"));
	draw_key(d, "guest", NULL,
		 option_find(&guest_option_table, "topology"));
	draw_table(d, &guest_option_table, "guest", NULL,
		   WRITTEN("kernel", "memory", "base", "topology"));
}

/* The host's memory, between far too small and more than is wanted. */
static void draw_host_memory(struct draw *d)
{
	static const unsigned int percent[] = { 30, 50, 70, 85, 95, 120, 300,
						300, 300 };
	const uint64_t all = d->memory * d->guests;
	char text[32];

	swarm_add(d->t, "memory = %" PRIu64 "M",
		  all / MIB * percent[below(d, 9)] / 100 + 21);
	swarm_add(d->t, "base = 0");
	if (below(d, 3))
		return;
	swarm_add(d->t, "watermark_high = 5M");
	PICK(d, "1M 2M 5M", text);
	swarm_add(d->t, "watermark_low = %s", text);
	PICK(d, "0 512K 1M", text);
	swarm_add(d->t, "watermark_min = %s", text);
	if (!below(d, 3))
		swarm_add(d->t, "memcg_limit = %" PRIu64 "M",
			  d->memory / MIB * (60 + below(d, 60)) / 100);
}

static void draw_host(struct draw *d)
{
	const struct hypervisor_ops *const *all = d->o->registry->hypervisors;
	unsigned int nr = 0, i;
	char text[8];

	/* Those that real memory stands behind are for this machine only. */
	for (i = 0; all[i]; i++)
		nr += !all[i]->no_fork && !all[i]->real;
	CHECK(nr);
	i = below(d, 2) ? 0 : below(d, nr);
	for (nr = 0; all[nr]->no_fork || all[nr]->real || i; nr++)
		i -= !all[nr]->no_fork && !all[nr]->real;
	d->host = all[nr];
	PICK(d, "1 1 1 2 2 3 5", text);
	CHECK(!parse_u64(text, &d->guests));
	swarm_add(d->t, "[host]");
	swarm_add(d->t, "hypervisor = %s", d->host->name);
	swarm_add(d->t, "guests = %s", text);
	if (option_find(&d->host->options, "memory"))
		draw_host_memory(d);
	draw_table(d, &host_option_table, "host", NULL, WRITTEN("guests"));
	draw_table(d, &d->host->options, "host", d->host->name,
		   WRITTEN("memory", "base", "watermark_min", "watermark_low",
			   "watermark_high", "memcg_limit"));
}

static void draw_reporter(struct draw *d)
{
	const struct reporter_ops *const *all = d->o->registry->reporters;
	unsigned int nr = 0;

	while (all[nr])
		nr++;
	nr = below(d, nr);
	swarm_add(d->t, "[reporter]");
	swarm_add(d->t, "design = %s", all[nr]->name);
	draw_table(d, &d->schema.head[SECTION_REPORTER], "reporter", NULL,
		   WRITTEN("design"));
	draw_table(d, &all[nr]->options, "reporter", all[nr]->name,
		   WRITTEN(""));
}

static bool reads_files(const struct workload_ops *w)
{
	const struct option_desc *o;

	for (o = w->options.descs; o && o->name; o++)
		if (option_is_path(o))
			return true;
	return false;
}

static const struct workload_ops *draw_workload(struct draw *d)
{
	const struct workload_ops *const *all = d->o->registry->workloads;
	const struct workload_ops *w;
	unsigned int nr = 0;

	while (all[nr])
		nr++;
	do
		w = all[below(d, nr)];
	while (reads_files(w) && !d->o->nr_traces);
	return w;
}

/* What ends the phase, and when. */
static void draw_end(struct draw *d, const struct workload_ops *w)
{
	const bool endless = w->endless || !strcmp(w->name, "idle");
	const bool busy = strcmp(w->name, "idle") != 0;
	const unsigned int until = below(d, 6);
	char text[16];

	if (until <= 1)
		swarm_add(d->t, "until = %s", until ? "duration" :
			  "reporter_idle");
	if (!endless && until > 1 && below(d, 2))
		return;
	PICK(d, busy ? "500us 1ms 3ms 8ms" : "5ms 50ms 500ms 2s", text);
	swarm_add(d->t, "duration = %s", text);
}

static void draw_phase(struct draw *d, unsigned int nr)
{
	const struct workload_ops *w = draw_workload(d);
	const bool files = reads_files(w);
	char text[16];

	swarm_add(d->t, "[phase p%u]", nr);
	swarm_add(d->t, "workload = %s", w->name);
	PICK(d, "1M 8M 10% 25% 50% 70% 100%", text);
	swarm_add(d->t, "size = %s", text);
	if (files) {
		swarm_add(d->t, "file = %s",
			  d->o->traces[below(d, d->o->nr_traces)]);
		swarm_add(d->t, "tasks = 16");
	}
	draw_end(d, w);
	draw_table(d, &phase_option_table, "phase", w->name,
		   files ? WRITTEN("size", "until", "duration", "tasks",
				   "native") :
			   WRITTEN("size", "until", "duration"));
	draw_table(d, &w->options, "phase", w->name,
		   WRITTEN("file", "before", "after"));
}

static void draw_moment(struct draw *d)
{
	const unsigned int phase = below(d, d->nr_phases);
	char text[16];

	swarm_add(d->t, "phase = p%u", phase);
	PICK(d, "0s 0s 200us 1ms 2ms", text);
	swarm_add(d->t, "at = %s", text);
	if (phase + 1 < d->nr_phases && !below(d, 4))
		swarm_add(d->t, "from = end");
}

static void draw_event(struct draw *d, unsigned int nr)
{
	const struct option_desc *actions =
		option_find(&event_option_table, "action");
	char action[32], text[16];

	swarm_add(d->t, "[event e%u]", nr);
	draw_typed(d, actions, action, sizeof(action));
	/* Few hosts have a guest to launch, or a log of writes. */
	if ((!strcmp(action, "launch") || !strcmp(action, "dirty_log_on")) &&
	    below(d, 4))
		draw_typed(d, actions, action, sizeof(action));
	swarm_add(d->t, "action = %s", action);
	draw_moment(d);
	if (!strcmp(action, "drop_caches"))
		PICK(d, "1 2 3", text);
	else if (!strcmp(action, "gigantic_page") ||
		 !strcmp(action, "memory_offline"))
		PICK(d, "4M 8M 32M 128M", text);
	else
		PICK(d, "0 1M 8M 40M 500M", text);
	swarm_add(d->t, "value = %s", text);
	if (!below(d, 3)) {
		PICK(d, "100us 1ms 5ms", text);
		swarm_add(d->t, "every = %s", text);
		swarm_add(d->t, "count = %u", 1 + below(d, 20));
	}
	if (!below(d, 3))
		swarm_add(d->t, "guest = %u",
			  1 + below(d, (unsigned int)d->guests));
	draw_table(d, &event_option_table, "event", NULL,
		   WRITTEN("action", "enabled", "from", "at", "every", "count",
			   "guest", "value"));
}

static void draw_inject(struct draw *d, unsigned int nr)
{
	const struct option_desc *kinds =
		option_find(&inject_option_table, "kind");
	char kind[32], text[16];

	swarm_add(d->t, "[inject i%u]", nr);
	draw_typed(d, kinds, kind, sizeof(kind));
	swarm_add(d->t, "kind = %s", kind);
	draw_moment(d);
	PICK(d, "1M 8M 32M", text);
	if (!strcmp(kind, "oom_inflate"))
		swarm_add(d->t, "value = %" PRIu64, d->memory);
	else
		swarm_add(d->t, "value = %s", text);
	if (!below(d, 3))
		swarm_add(d->t, "guest = %u",
			  1 + below(d, (unsigned int)d->guests));
	draw_table(d, &inject_option_table, "inject", NULL,
		   WRITTEN("kind", "enabled", "from", "at", "guest", "value"));
}

/* None of them more often than not: most of a cell is how it is used. */
static unsigned int draw_some(struct draw *d)
{
	if (!d->o->max_events || below(d, 5) < 3)
		return 0;
	return 1 + below(d, d->o->max_events);
}

/* Many have no opportunity, and end the cell with a message that says so. */
static unsigned int draw_nr_injects(struct draw *d)
{
	return below(d, 4) ? 0 : draw_some(d);
}

void swarm_draw(const struct swarm_options *o, uint64_t cell,
		struct swarm_text *out)
{
	static const uint8_t densities[] = { 1, 2, 3, 5, 8 };
	struct draw d = { .o = o, .t = out };
	unsigned int i, nr;

	rng_init(&d.r, o->seed, "swarm", cell);
	schema_init(&d.schema, o->registry);
	out->nr = 0;
	swarm_add(out, "[experiment]");
	swarm_add(out, "seeds = %u", 1 + below(&d, 1000000));
	swarm_add(out, "sample = %s", below(&d, 2) ? "0s" : "2ms");
	d.density = densities[below(&d, 5)];
	draw_guest(&d);
	draw_host(&d);
	draw_reporter(&d);
	d.nr_phases = 1 + below(&d, 4);
	for (i = 0; i < d.nr_phases; i++)
		draw_phase(&d, i);
	for (i = 0, nr = draw_some(&d); i < nr; i++)
		draw_event(&d, i);
	for (i = 0, nr = draw_nr_injects(&d); i < nr; i++)
		draw_inject(&d, i);
}
