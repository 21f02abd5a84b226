/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building and taking down a cell: host, guests, their devices and hooks. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "include/check.h"
#include "include/sparse.h"
#include "sim/inject.h"
#include "sim/machine.h"

void sim_fail(struct sim *s, int error, const char *fmt, ...)
{
	va_list ap;

	if (s->failed)
		return;
	s->failed = true;
	s->error = error;
	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
}

void sim_set_prices(struct sim *s, unsigned int busy)
{
	struct price_now *p = &s->price;

	price_list_at(s->cfg.prices, busy, p);
	/* A guest that fills free pages does so when it unmaps them. */
	if (s->cfg.guest.poison != POISON_OFF) {
		p->ps[PRICE_ZAP_4K] += p->ps[PRICE_ZERO_4K];
		p->ps[PRICE_ZAP_THP] += p->ps[PRICE_ZERO_2M];
	}
}

static uint64_t shuffle_word(void *ctx)
{
	struct sim_guest *g = ctx;

	return rng_next(&g->shuffle_rng);
}

static void guest_hooks(struct sim_guest *g, struct alloc_hooks *h)
{
	*h = (struct alloc_hooks){ .ctx = g, .shuffle_word = shuffle_word,
				   .digest = &g->sim->digest,
				   .cpu_digests = g->cpu_digests };
	ahead_fill_hooks(h);
	/* A recorded run brings its own. */
	if (!g->replay)
		h->kswapd_wake = kthread_kswapd_wake;
	tap_fill_hooks(g, h);
}

/* Memory that the kernel holds from boot on is backed like any other. */
static void touch_base_page(void *ctx, pfn_t pfn, unsigned int order,
			    bool movable)
{
	struct sim_guest *g = ctx;

	g->base_pages += order_nr_pages(order);
	if (movable)
		alloc_set_lru(g->alloc, pfn, order_nr_pages(order), true);
	host_touch(g, pfn, order, TOUCH_WRITE);
}

static void touch_reserved(struct sim_guest *g)
{
	unsigned int i;
	pfn_t pfn;

	for (i = 0; i < g->map.nr_reserved; i++)
		for (pfn = g->map.reserved[i].start;
		     pfn < g->map.reserved[i].end; pfn++)
			host_touch(g, pfn, 0, TOUCH_WRITE);
}

static int take_base(struct sim_guest *g, char *why, size_t why_size)
{
	const struct guest_options *opt = &g->sim->cfg.guest;

	if (guest_take_base(g->alloc, opt, &g->boot_rng, touch_base_page, g) >=
	    bytes_to_pages(opt->base))
		return 0;
	snprintf(why, why_size, "the guest's memory (%llu bytes) has no room "
		 "for its base (%llu bytes)", (unsigned long long)opt->memory,
		 (unsigned long long)opt->base);
	return -EINVAL;
}

static int digests_init(struct sim_guest *g)
{
	unsigned int i;
	int ret = 0;

	g->cpu_digests = calloc(g->topo.nr_cpus, sizeof(*g->cpu_digests));
	if (!g->cpu_digests)
		return -ENOMEM;
	for (i = 0; i < g->topo.nr_cpus && !ret; i++)
		ret = digest_init(&g->cpu_digests[i]);
	return ret;
}

static void digests_destroy(struct sim_guest *g)
{
	for (unsigned int i = 0; g->cpu_digests && i < g->topo.nr_cpus; i++)
		digest_destroy(&g->cpu_digests[i]);
	free(g->cpu_digests);
	g->cpu_digests = NULL;
}

static int boot_guest(struct sim_guest *g, char *why, size_t why_size)
{
	const struct guest_options *opt = &g->sim->cfg.guest;
	struct alloc_hooks hooks;
	int ret;

	ret = topology_load(&g->topo, opt->topology, why, why_size);
	if (ret)
		return ret;
	if (opt->cpus && opt->cpus > g->topo.nr_cpus) {
		snprintf(why, why_size, "cpus = %llu, but the topology has %u "
			 "processing units", (unsigned long long)opt->cpus,
			 g->topo.nr_cpus);
		return -EINVAL;
	}
	if (opt->cpus)
		g->topo.nr_cpus = (unsigned int)opt->cpus;
	ret = guest_map_build(&g->map, opt, g->topo.nr_nodes, why, why_size);
	if (ret)
		return ret;
	ret = digests_init(g);
	if (ret)
		return ret;
	guest_hooks(g, &hooks);
	return guest_boot(&g->alloc, opt, &g->map, &g->topo, &hooks, why,
			  why_size);
}

static int movable_migrate(void *ctx, unsigned int cpu, pfn_t from, pfn_t to)
{
	(void)cpu;
	return device_migrate_page(ctx, from, to);
}

/* Blocks of reports; a balloon's pages are allocated. */
static bool with_host(void *ctx, pfn_t from, pfn_t to)
{
	const struct sim_guest *g = ctx;

	for (unsigned int i = 0; g->dev.in_flight && i < MAX_FLIGHTS; i++) {
		const struct host_request *rq = &g->dev.flights[i].rq;

		if (!g->dev.flights[i].used || rq->kind != REQUEST_REPORT)
			continue;
		for (unsigned int k = 0; k < rq->nr; k++) {
			const struct page_report *e = &rq->entries[k];

			if (e->pfn < to &&
			    from < e->pfn + order_nr_pages(e->order))
				return true;
		}
	}
	return false;
}

static uint64_t shrink(void *ctx)
{
	return device_shrink(ctx);
}

static bool may_stall(const struct sim_config *cfg)
{
	return cfg->reporter_enabled && cfg->reporter->alloc_stall;
}

static int build_mm(struct sim_guest *g)
{
	const struct guest_options *opt = &g->sim->cfg.guest;
	const struct guest_config cfg = {
		.alloc = g->alloc,
		.touches = g->touches,
		.nr_cpus = g->topo.nr_cpus,
		.thp_enabled = (enum thp_enabled)opt->thp,
		.thp_defrag = (enum thp_defrag)opt->thp_defrag,
		.mmap_thp_aligned = opt->thp_aligned,
		.mmap_base = g->sim->cfg.mmap_base,
		/* A recorded run brings what its kernel's threads did. */
		.compaction = opt->compaction && !g->replay,
		.reclaim = !g->replay,
		.max_ptes_none = (uint32_t)opt->khugepaged_max_ptes_none,
		.ctx = g,
		.look_around = ahead_look_around,
		.movable_migrate = movable_migrate,
		.with_host = with_host,
		.shrink = shrink,
		.may_stall = g->may_stall,
		.known_zero = g->known_zero,
	};

	return guest_create(&g->mm, &cfg);
}

static int alloc_guest_memory(struct sim_guest *g)
{
	unsigned int i;

	g->touches = calloc(1, sizeof(*g->touches));
	g->vcpus = calloc(g->topo.nr_cpus, sizeof(*g->vcpus));
	if (!g->touches || !g->vcpus)
		return -ENOMEM;
	for (i = 0; i < g->topo.nr_cpus; i++) {
		g->vcpus[i].guest = g;
		g->vcpus[i].cpu = (uint16_t)i;
		if (engine_slot_init(&g->sim->engine, &g->vcpus[i].slot,
				     g->launch_nr * ALLOC_MAX_CPUS + i,
				     vcpu_event,
				     &g->vcpus[i]))
			return -ENOMEM;
	}
	return 0;
}

/* The allocator, the vCPUs, and a place on the host. */
static int begin_guest(struct sim_guest *g, char *why, size_t why_size)
{
	struct sim *s = g->sim;
	const unsigned int id = g->id;
	int ret;

	g->launch_nr = (unsigned int)s->guests_launched;
	g->may_stall = may_stall(&s->cfg);
	rng_init(&g->shuffle_rng, s->cfg.seed, "shuffle", id);
	rng_init(&g->boot_rng, s->cfg.seed, "boot", id);
	rng_init(&g->phase_rng, s->cfg.seed, "phase", id);
	ret = record_wanted(s) ? record_boot(g, why, why_size) :
				 boot_guest(g, why, why_size);
	if (!ret && !g->cpu_digests)
		ret = digests_init(g);
	if (!ret)
		ret = alloc_guest_memory(g);
	if (!ret)
		ret = host_add_guest(g, why, why_size);
	if (ret)
		return ret;
	g->state = GUEST_RUNS;
	s->nr_guests_running++;
	s->guests_launched++;
	return 0;
}

int sim_guest_build(struct sim *s, unsigned int id, char *why, size_t why_size)
{
	struct sim_guest *g = &s->guests[id];
	struct alloc_hooks hooks;
	int ret;

	ret = begin_guest(g, why, why_size);
	if (ret)
		return ret;
	alloc_set_work(g->alloc, &g->work);
	ret = device_init(g, why, why_size);
	if (ret)
		return ret;
	guest_hooks(g, &hooks);
	record_fill_hooks(g, &hooks);
	device_fill_hooks(g, &hooks);
	alloc_set_hooks(g->alloc, &hooks);
	g->frees_unseen = !s->cfg.step_by_step && !hooks.free_capture &&
			  !hooks.event;
	if (record_wanted(s)) {
		record_touch_allocated(g);
	} else {
		touch_reserved(g);
		ret = take_base(g, why, why_size);
		if (ret)
			return ret;
	}
	ret = build_mm(g);
	if (ret)
		return ret;
	ret = inject_init(g);
	/* Booting may take the host's last page. */
	if (ret || !guest_runs(g))
		return ret;
	device_start(g);
	kthreads_start(g);
	return 0;
}

int sim_create(struct sim **out, const struct sim_config *cfg, char *why,
	       size_t why_size)
{
	struct sim *s = calloc(1, sizeof(*s));
	int ret = -ENOMEM;

	*out = NULL;
	snprintf(why, why_size, "out of memory");
	if (!s)
		return ret;
	s->cfg = *cfg;
	s->nr_guests = (unsigned int)cfg->host.guests;
	s->guests = calloc(s->nr_guests, sizeof(*s->guests));
	s->phases = calloc(cfg->nr_phases + 1, sizeof(*s->phases));
	if (!s->guests || !s->phases)
		goto fail;
	ret = digest_init(&s->digest);
	if (!ret)
		ret = digest_init(&s->joined);
	if (!ret)
		ret = engine_init(&s->engine);
	if (ret)
		goto fail;
	sim_counter_table(s->counter_table);
	sim_set_prices(s, 1);
	ret = host_init(s, why, why_size);
	if (!ret)
		ret = guests_launch_first(s, why, why_size);
	if (!ret)
		host_threads_start(s);
	if (s->failed) {
		snprintf(why, why_size, "%s", s->why);
		ret = s->error;
	}
	if (ret)
		goto fail;
	*out = s;
	return 0;
fail:
	sim_destroy(s);
	return ret;
}

static void destroy_guest(struct sim_guest *g)
{
	unsigned int i;

	if (g->alloc)
		alloc_set_hooks(g->alloc, NULL);
	if (g->state == GUEST_ABSENT && !g->alloc) {
		/* It failed to boot after it had these. */
		digests_destroy(g);
		return;
	}
	device_destroy(g);
	inject_destroy(g);
	guest_destroy(g->mm);
	if (g->replay)
		record_destroy(g);
	else
		alloc_destroy(g->alloc);
	reuse_destroy(&g->reuse);
	if (g->known_zero)
		sparse_free(g->known_zero, g->known_zero_words,
			    sizeof(*g->known_zero));
	for (i = 0; g->vcpus && i < g->topo.nr_cpus; i++)
		free(g->vcpus[i].tasks);
	digests_destroy(g);
	free(g->vcpus);
	free(g->touches);
	free(g->tasks);
}

void sim_destroy(struct sim *s)
{
	unsigned int i;

	if (!s)
		return;
	for (i = 0; s->guests && i < s->nr_guests; i++)
		destroy_guest(&s->guests[i]);
	host_destroy(s);
	first_pass_destroy(s);
	engine_destroy(&s->engine);
	digest_destroy(&s->digest);
	digest_destroy(&s->joined);
	free(s->guests);
	free(s->phases);
	free(s->samples);
	free(s->maps);
	free(s->guest_samples);
	free(s);
}

int sim_set_phases(struct sim *s, const struct sim_phase_config *phases,
		   unsigned int nr_phases)
{
	struct sim_phase_result *p;

	CHECK_LE(s->nr_phases_run, nr_phases);
	p = realloc(s->phases, (nr_phases + 1) * sizeof(*p));
	if (!p)
		return -ENOMEM;
	s->phases = p;
	s->cfg.phases = phases;
	s->cfg.nr_phases = nr_phases;
	return 0;
}

void sim_set_events(struct sim *s, const struct sim_event_config *events,
		    const struct sim_inject_config *injects)
{
	s->cfg.events = events;
	s->cfg.injects = injects;
}

int sim_verdict(struct sim *s, char *why, size_t why_size)
{
	const int ret = events_verdict(s, why, why_size);

	return ret ? ret : inject_verdict(s, why, why_size);
}

static void check_guest(struct sim_guest *g)
{
	uint64_t *anon = calloc(BITMAP_WORDS(alloc_end_pfn(g->alloc)),
				sizeof(*anon));
	const char *what;

	CHECK_MSG(anon, "no host memory for the check");
	what = alloc_check(g->alloc);
	CHECK_MSG(!what, "allocator: %s", what);
	what = guest_check_anon(g->mm, anon);
	CHECK_MSG(!what, "guest: %s", what);
	conserve_check(g, anon);
	free(anon);
	if (g->dev.present && g->dev.r.ops->check) {
		what = g->dev.r.ops->check(&g->dev.r);
		CHECK_MSG(!what, "reporter: %s", what);
	}
}

void sim_check(struct sim *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_guests; i++)
		if (guest_runs(&s->guests[i]))
			check_guest(&s->guests[i]);
	host_check(s);
}
