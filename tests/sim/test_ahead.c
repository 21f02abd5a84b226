/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running ahead changes nothing: random small cells, each run once with runs
 * of faults and once step by step, have to agree in everything but the number
 * of engine events. tests/bench/test_golden.sh holds the results themselves.
 *
 *     test_ahead [FIRST_SEED [CELLS]]
 */
#include "include/rng.h"
#include "sim/machine.h"
#include "tests/sim/cell.h"
#include "tests/sim/forgetful_host.h"

static uint64_t first_seed = 1, nr_cells = 40;

/* What was drawn, to be printed with a failure. */
struct drawn {
	char text[2048];
	size_t len;
	bool swaps; /* a host that has to */
};

__attribute__((format(printf, 2, 3)))
static void note(struct drawn *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	d->len += (size_t)vsnprintf(d->text + d->len,
				    sizeof(d->text) - d->len, fmt, ap);
	va_end(ap);
	assert_true(d->len < sizeof(d->text));
}

static const char *pick(struct rng *r, const char *const *words)
{
	unsigned int nr = 0;

	while (words[nr])
		nr++;
	return words[rng_below(r, nr)];
}

#define PICK(r, ...) pick(r, (const char *const[]){ __VA_ARGS__, NULL })

static void set(struct drawn *d, const struct option_table *t, void *base,
		const char *name, const char *value)
{
	char why[256];

	if (option_parse(option_find(t, name), value, base, why, sizeof(why)))
		fail_msg("%s = %s: %s", name, value, why);
	note(d, " %s=%s", name, value);
}

#define GRID_PS (4096 * 1000)

/*
 * On a coarse grid vCPUs that have once waited for each other meet at the same
 * nanosecond again and again; a fraction of one tests what is carried over; and
 * faults without a price stop the time.
 */
static void draw_prices(struct rng *r, struct drawn *d, struct price_list *l)
{
	static const uint64_t fault_ps[] = { 0, 4 * GRID_PS, 1750000, 2320333,
					     20000999 };
	const bool coarse = rng_below(r, 2);
	const uint64_t anon = fault_ps[rng_below(r, ARRAY_SIZE(fault_ps))];
	const uint64_t cow = fault_ps[rng_below(r, ARRAY_SIZE(fault_ps))];
	unsigned int i;

	price_list_default(l);
	l->p[PRICE_FAULT_ANON].ps_1 = l->p[PRICE_FAULT_ANON].ps_n = anon;
	l->p[PRICE_FAULT_COW].ps_1 = l->p[PRICE_FAULT_COW].ps_n = cow;
	for (i = 0; coarse && i < NR_PRICES; i++) {
		l->p[i].ps_1 -= l->p[i].ps_1 % GRID_PS;
		l->p[i].ps_n = l->p[i].ps_1;
	}
	if (coarse)
		l->p[PRICE_LOCK].ps_1 = l->p[PRICE_LOCK].ps_n = GRID_PS;
	note(d, " prices=%s,%" PRIu64 ",%" PRIu64, coarse ? "coarse" : "fine",
	     anon, cow);
}

static void draw_guest(struct rng *r, struct drawn *d, struct cell *c,
		       const char *kernel)
{
	const struct option_table *t = &guest_option_table;
	struct guest_options *o = &c->cfg.guest;

	set(d, t, o, "kernel", kernel);
	set(d, t, o, "memory", PICK(r, "128M", "192M", "384M", "1G"));
	set(d, t, o, "base", PICK(r, "0", "16M", "60M"));
	set(d, t, o, "topology", PICK(r, "core:1 pu:1", "core:2 pu:1",
				      "core:4 pu:1", "core:8 pu:2",
				      "numa:2 core:2 pu:1"));
	set(d, t, o, "shuffle", PICK(r, "off", "off", "on"));
	set(d, t, o, "thp", PICK(r, "always", "madvise", "never"));
	set(d, t, o, "thp_aligned", PICK(r, "off", "on"));
	set(d, t, o, "thp_defrag", PICK(r, "madvise", "always", "defer"));
	set(d, t, o, "files", PICK(r, "memory", "disk"));
	set(d, t, o, "compaction", PICK(r, "on", "on", "off"));
	set(d, t, o, "khugepaged_scan_sleep", PICK(r, "5ms", "50ms", "10s"));
}

/* What it has besides: swap, page cache, marks, a limit for each guest. */
static void draw_swap(struct rng *r, struct drawn *d, struct cell *c)
{
	const struct option_table *t = &mock_hypervisor.options;
	void *o = c->hypervisor_options;

	set(d, t, o, "swap", d->swaps ? "4G" : PICK(r, "0", "3M", "40M"));
	set(d, t, o, "lru", PICK(r, "sampled", "sampled", "strict"));
	set(d, t, o, "thp_swap", PICK(r, "off", "on"));
	set(d, t, o, "cache", PICK(r, "0", "5M"));
	set(d, &host_option_table, &c->cfg.host, "swap_bandwidth",
	    PICK(r, "0", "100M", "1G"));
	if (rng_below(r, d->swaps ? 4 : 2) == 0) {
		set(d, t, o, "watermark_high", "7M");
		set(d, t, o, "watermark_low", PICK(r, "2M", "7M"));
		set(d, t, o, "watermark_min", PICK(r, "0", "1M"));
	}
	if (!rng_below(r, 4))
		set(d, t, o, "memcg_limit", PICK(r, "90M", "120M", "200M"));
}

/* A host that is too small drops and splits what it can, or gives up. */
static void draw_host(struct rng *r, struct drawn *d, struct cell *c)
{
	static const unsigned int percent[] = { 60, 75, 85, 95, 300 };
	static const unsigned int tight[] = { 25, 35, 50, 60, 75 };
	const struct option_table *t = &mock_hypervisor.options;
	void *o = c->hypervisor_options;
	char text[32];

	set(d, &host_option_table, &c->cfg.host, "guests",
	    PICK(r, "1", "1", "2", "3"));
	set(d, &host_option_table, &c->cfg.host, "launch",
	    PICK(r, "together", "sequence", "interval"));
	set(d, &host_option_table, &c->cfg.host, "launch_gap",
	    PICK(r, "0ms", "7ms", "40ms"));
	set(d, &host_option_table, &c->cfg.host, "oom",
	    PICK(r, "kill", "kill", "fail"));
	set(d, t, o, "thp", PICK(r, "always", "always", "never"));
	set(d, t, o, "discard", PICK(r, "dontneed", "free"));
	set(d, t, o, "base", "0");
	set(d, t, o, "khugepaged", PICK(r, "off", "on", "on"));
	set(d, t, o, "khugepaged_scan_sleep", PICK(r, "1ms", "7ms", "10s"));
	set(d, t, o, "shrink_underused", PICK(r, "off", "off", "on"));
	set(d, t, o, "khugepaged_pte_mapped", PICK(r, "off", "on"));
	set(d, t, o, "khugepaged_max_ptes_none", PICK(r, "0", "200", "511"));
	snprintf(text, sizeof(text), "%" PRIu64 "M",
		 c->cfg.guest.memory / MIB * c->cfg.host.guests *
		 (d->swaps ? tight : percent)
			 [rng_below(r, ARRAY_SIZE(percent))] / 100);
	set(d, t, o, "memory", text);
	draw_swap(r, d, c);
	if (d->swaps || rng_below(r, 4))
		return;
	note(d, " forgetful");
	c->cfg.hypervisor = &forgetful_hypervisor;
}

static void draw_phase(struct rng *r, struct drawn *d, struct cell *c,
		       const struct workload_ops *w)
{
	const unsigned int i = c->cfg.nr_phases;
	char text[32];
	void *o;

	add_phase(c, w->name, w, 1, UNTIL_TASKS);
	note(d, " [%s]", w->name);
	o = &c->phases[i].opt;
	snprintf(text, sizeof(text), "%u", 1 + rng_below(r, 16));
	set(d, &phase_option_table, o, "tasks", text);
	set(d, &phase_option_table, o, "thp", PICK(r, "off", "on"));
	set(d, &phase_option_table, o, "size", PICK(r, "20%", "70%", "100%"));
	set(d, &phase_option_table, o, "warmup", PICK(r, "0ms", "30ms",
						      "50ms"));
	set(d, &phase_option_table, o, "duration", PICK(r, "20ms", "110ms"));
	set(d, &phase_option_table, o, "iterations",
	    w->endless ? PICK(r, "1", "1000", "4000") : "0");
	set(d, &phase_option_table, o, "stagger", PICK(r, "0ms", "13ms"));
	if (option_find(&w->options, "map_size"))
		set(d, &w->options, c->workload_options[i], "map_size",
		    PICK(r, "256K", "1M", "5M", "12M"));
	if (w != &usemem_workload)
		return;
	/* Fragmented memory: page tables have to steal. */
	set(d, &w->options, c->workload_options[i], "punch_holes",
	    PICK(r, "on", "on", "off"));
	set(d, &w->options, c->workload_options[i], "sleep",
	    PICK(r, "0ms", "20ms", "50ms"));
}

/* Options that keep a small guest busy, as far as the design has them. */
static void draw_reporter(struct rng *r, struct drawn *d, struct cell *c)
{
	const struct option_table *t = &c->cfg.reporter->options;

	if (option_find(t, "delay"))
		set(d, t, c->reporter_options, "delay",
		    PICK(r, "1ms", "20ms", "2s"));
	if (option_find(t, "order"))
		set(d, t, c->reporter_options, "order",
		    PICK(r, "9", "7", "8"));
	if (c->cfg.reporter == &hinted_boundary_reporter)
		set(d, t, c->reporter_options, "variant",
		    PICK(r, "v2", "v10", "may2019"));
	if (c->cfg.reporter == &percpu_array_reporter) {
		set(d, t, c->reporter_options, "variant",
		    PICK(r, "v8", "v8-snapshot", "v9"));
		set(d, t, c->reporter_options, "threshold",
		    PICK(r, "3", "9", "30"));
	}
	if (c->cfg.reporter == &zone_bitmap_reporter)
		set(d, t, c->reporter_options, "threshold",
		    PICK(r, "2", "16", "16"));
	if (c->cfg.reporter == &per_free_reporter)
		set(d, t, c->reporter_options, "at",
		    PICK(r, "rest", "rest", "free"));
}

static void draw_cell(struct cell *c, struct drawn *d, uint64_t seed,
		      bool swaps)
{
	static const struct workload_ops *const workloads[] = {
		&memhog_workload, &page_fault1_workload,
		&page_fault2_workload, &usemem_workload,
		&page_fault1_workload, &page_fault2_workload,
	};
	static const struct reporter_ops *const reporters[] = {
		&none_reporter, &page_reporting_reporter,
		&hinted_boundary_reporter, &percpu_array_reporter,
		&zone_bitmap_reporter, &per_free_reporter,
	};
	const struct reporter_ops *rep;
	const char *kernel;
	struct rng r;
	unsigned int i, nr;

	rng_init(&r, seed, "ahead", 0);
	rep = reporters[rng_below(&r, ARRAY_SIZE(reporters))];
	kernel = rep == &page_reporting_reporter ?
			 PICK(&r, "5.7", "5.10", "6.1", "6.12", "6.18") :
			 PICK(&r, "5.3", "5.7", "6.1", "6.18");
	*d = (struct drawn){ .swaps = swaps };
	cell_setup(c, rep, seed);
	draw_reporter(&r, d, c);
	draw_guest(&r, d, c, kernel);
	draw_host(&r, d, c);
	draw_prices(&r, d, &c->prices);
	c->cfg.sample_ns = rng_below(&r, 2) ? 0 : 3 * NSEC_PER_MSEC;
	nr = 1 + rng_below(&r, 3);
	for (i = 0; i < nr; i++)
		draw_phase(&r, d, c,
			   workloads[rng_below(&r, ARRAY_SIZE(workloads))]);
}

/* As far as the cell comes; a failure is a result too. */
static struct sim *run_to_end(struct cell *c, char why[256])
{
	struct sim *s;
	unsigned int i;

	why[0] = '\0';
	if (sim_create(&s, &c->cfg, why, 256))
		return NULL;
	for (i = 0; i < c->cfg.nr_phases; i++) {
		if (sim_run_phase(s, i, NULL, why, 256)) {
			sim_destroy(s);
			return NULL;
		}
	}
	return s;
}

static void same_phases(const char *row, const struct sim_result *a,
			const struct sim_result *b)
{
	unsigned int i, n;

	for (i = 0; i < a->nr_phases; i++) {
		const struct sim_phase_result *x = &a->phases[i];
		const struct sim_phase_result *y = &b->phases[i];

		ASSERT_U64(row, x->start, y->start);
		ASSERT_U64(row, x->end, y->end);
		ASSERT_U64(row, x->measured_ns, y->measured_ns);
		ASSERT_U64(row, x->iterations, y->iterations);
		for (n = 0; n < x->nr_counters; n++)
			ASSERT_U64(x->counters[n].name, x->counters[n].value,
				   y->counters[n].value);
	}
}

static void same_result(const char *row, const struct sim_result *a,
			const struct sim_result *b)
{
	unsigned int i;

	for (i = 0; i < a->nr_counters; i++)
		ASSERT_U64(a->counters[i].name, a->counters[i].value,
			   b->counters[i].value);
	ASSERT_U64(row, a->virtual_ns, b->virtual_ns);
	same_phases(row, a, b);
	for (i = 0; i < a->nr_metrics; i++)
		assert_true(a->metrics[i].value == b->metrics[i].value);
	ASSERT_U64(row, a->nr_samples, b->nr_samples);
	assert_memory_equal(a->samples, b->samples,
			    a->nr_samples * sizeof(*a->samples));
	if (a->guest_samples && a->nr_samples)
		assert_memory_equal(a->guest_samples, b->guest_samples,
				    (size_t)a->nr_samples * a->nr_guests *
				    sizeof(*a->guest_samples));
	assert_string_equal(a->digest, b->digest);
}

/* Over all cells, what must not be zero or they prove little. */
struct met {
	uint64_t saved;    /* engine events, by the run-ahead */
	uint64_t pswpout, pswpin, dead, kswapd, direct;
};

static void compare_drawn(struct cell *c, const struct drawn *d,
			  struct met *met)
{
	char why_ahead[256], why_steps[256];
	struct sim *ahead, *steps;

	ahead = run_to_end(c, why_ahead);
	c->cfg.step_by_step = true;
	steps = run_to_end(c, why_steps);
	assert_string_equal(why_ahead, why_steps);
	if (ahead && steps) {
		const struct sim_result *a = sim_result(ahead);
		const struct sim_result *b = sim_result(steps);

		same_result(d->text, a, b);
		assert_true(a->events <= b->events);
		met->saved += b->events - a->events;
		met->pswpout += counter(a, "host.pswpout");
		met->pswpin += counter(a, "host.pswpin");
		met->dead += counter(a, "host.swap_in_dead") &&
			     counter(a, "host.swap_out_of_guest_free_pages");
		met->direct += counter(a, "host.pgsteal_direct");
		met->kswapd += counter(a, "host.pgsteal_kswapd");
	} else {
		print_message("  ends with: %s\n", why_steps);
	}
	sim_destroy(ahead);
	sim_destroy(steps);
	cell_destroy(c);
}

static void compare_cell(uint64_t seed, bool swaps, struct met *met)
{
	struct drawn d;
	struct cell c;

	draw_cell(&c, &d, seed, swaps);
	print_message("test_ahead %" PRIu64 " 1:%s\n", seed, d.text);
	compare_drawn(&c, &d, met);
}

static void test_ahead__random_cells_agree(void **state)
{
	/* Workloads, kernels, reporters, pressure, ties: one engine or other. */
	struct met met = { 0 };
	uint64_t i;

	(void)state;
	for (i = 0; i < nr_cells; i++)
		compare_cell(first_seed + i, false, &met);
	print_message("engine events saved: %" PRIu64 "\n", met.saved);
	if (nr_cells >= 40)
		assert_true(met.saved > 50000);
}

static void test_ahead__cells_of_hosts_that_swap_agree(void **state)
{
	/* The host's accessed bits, kswapd and swap take pages away. */
	struct met met = { 0 };
	uint64_t i;

	(void)state;
	for (i = 0; i < nr_cells; i++)
		compare_cell(first_seed + i, true, &met);
	print_message("engine events saved: %" PRIu64 ", pages swapped out %"
		      PRIu64 ", in %" PRIu64 ", taken by kswapd %" PRIu64
		      ", directly %" PRIu64 "\n", met.saved, met.pswpout,
		      met.pswpin, met.kswapd, met.direct);
	if (nr_cells >= 40)
		assert_true(met.saved && met.pswpout && met.pswpin &&
			    met.dead && met.kswapd && met.direct);
}

/*
 * Two guests whose memory together is more than the host's. The second starts
 * when the first is busy with pages that it has had before, so that its runs
 * are cut short.
 */
static void set_up_thrashing(struct cell *c, struct drawn *d, uint64_t seed)
{
	static const char *const sizes[] = { "34M", "38M", "43M", "48M" };
	void *hv;

	*d = (struct drawn){ .swaps = true };
	cell_setup(c, &none_reporter, seed);
	hv = c->hypervisor_options;
	set(d, &host_option_table, &c->cfg.host, "guests", "2");
	set(d, &host_option_table, &c->cfg.host, "swap_bandwidth", "0");
	c->prices.p[PRICE_SWAP_OUT_4K].ps_1 = 100000;
	c->prices.p[PRICE_SWAP_OUT_4K].ps_n = 100000;
	set(d, &guest_option_table, &c->cfg.guest, "memory", "128M");
	set(d, &guest_option_table, &c->cfg.guest, "base", "8M");
	set(d, &mock_hypervisor.options, hv, "base", "0");
	set(d, &mock_hypervisor.options, hv, "thp", "never");
	set(d, &mock_hypervisor.options, hv, "swap", "1G");
	set(d, &mock_hypervisor.options, hv, "memory",
	    sizes[seed % ARRAY_SIZE(sizes)]);
	if (seed & 4) {
		set(d, &mock_hypervisor.options, hv, "watermark_low", "1M");
		set(d, &mock_hypervisor.options, hv, "watermark_high", "2M");
	}
	add_phase(c, "thrash", seed & 8 ? &page_fault2_workload :
					  &page_fault1_workload, 4,
		  UNTIL_TASKS);
	set(d, &c->phases[0].workload->options, c->workload_options[0],
	    "map_size", seed & 8 ? "3M" : "6M");
	c->phases[0].opt.iterations = 20000;
	c->phases[0].opt.stagger = (7 + seed) * NSEC_PER_MSEC;
}

static void test_ahead__tasks_that_swap_each_other_out_agree(void **state)
{
	/* A run that others take pages from, again and again. */
	struct met met = { 0 };
	struct drawn d;
	struct cell c;

	(void)state;
	for (uint64_t seed = 0; seed < 16; seed++) {
		set_up_thrashing(&c, &d, seed);
		print_message("%s\n", d.text);
		compare_drawn(&c, &d, &met);
	}
	print_message("engine events saved: %" PRIu64 ", pages swapped out %"
		      PRIu64 ", in %" PRIu64 "\n", met.saved, met.pswpout,
		      met.pswpin);
	assert_true(met.saved && met.pswpout && met.pswpin && met.kswapd &&
		    met.direct);
}

#define NR_PROBES 3000

/* Looks at a running cell, at times that the step-by-step engine chose. */
struct probe {
	struct sim *s;
	struct rng r;
	bool chooses;
	unsigned int nr, nr_at_a_step;
	sim_ns_t at[NR_PROBES];
	struct digest seen;
};

static sim_ns_t due_at(const struct engine *e, const struct vcpu *v)
{
	return v->scheduled ? engine_slot_at(e, &v->slot) : 0;
}

static void probe_look(struct probe *p)
{
	uint64_t values[SIM_MAX_COUNTERS];
	struct alloc_zone_info z;
	unsigned int i, cpu;

	stats_read(p->s, values);
	for (i = 0; i < SIM_MAX_COUNTERS && p->s->counter_table[i].name[0];
	     i++)
		digest_u64(&p->seen, values[i]);
	alloc_zone_info(p->s->guests[0].alloc, 0, &z);
	digest_u64(&p->seen, z.pcp);
	for (cpu = 0; cpu < p->s->guests[0].topo.nr_cpus; cpu++) {
		const struct vcpu *v = &p->s->guests[0].vcpus[cpu];

		assert_int_equal(v->ahead.nr, 0);
		digest_u64(&p->seen, due_at(&p->s->engine, v));
		digest_u64(&p->seen, v->ps);
	}
}

/* Every other time the very nanosecond at which a vCPU takes its next step. */
static sim_ns_t probe_choose(struct probe *p)
{
	const struct engine *e = &p->s->engine;
	const sim_ns_t some = e->now + 1 + rng_below(&p->r, 30000);
	uint32_t i;

	if (rng_below(&p->r, 2))
		return some;
	i = e->nr_leaves + rng_below(&p->r, e->nr_slots);
	if (e->tree[i].at == ENGINE_IDLE)
		return some;
	p->nr_at_a_step++;
	return e->tree[i].at;
}

static void probe_event(void *ctx, uint64_t nr)
{
	struct probe *p = ctx;

	probe_look(p);
	if (nr + 1 == NR_PROBES)
		return;
	if (p->chooses)
		p->at[nr + 1] = probe_choose(p);
	engine_at(&p->s->engine, p->at[nr + 1], probe_event, p, nr + 1);
	p->nr++;
}

static void run_probed(struct cell *c, struct probe *p, bool step_by_step,
		       char hex[DIGEST_HEX_SIZE])
{
	char why[256];

	c->cfg.step_by_step = step_by_step;
	p->chooses = step_by_step;
	p->nr = 0;
	assert_int_equal(digest_init(&p->seen), 0);
	assert_int_equal(sim_create(&p->s, &c->cfg, why, sizeof(why)), 0);
	engine_at(&p->s->engine, 30 * NSEC_PER_MSEC, probe_event, p, 0);
	assert_int_equal(sim_run_phase(p->s, 0, NULL, why, sizeof(why)), 0);
	digest_hex(&p->seen, hex);
	digest_destroy(&p->seen);
	sim_destroy(p->s);
}

static void test_ahead__any_moment_looks_the_same(void **state)
{
	/* Three thousand looks at counters and vCPUs, many between two steps. */
	static const struct workload_ops *const workloads[] = {
		&page_fault1_workload, &page_fault2_workload,
	};
	char steps[DIGEST_HEX_SIZE], ahead[DIGEST_HEX_SIZE];
	struct probe *p = calloc(1, sizeof(*p));
	unsigned int i;

	(void)state;
	assert_non_null(p);
	for (i = 0; i < ARRAY_SIZE(workloads); i++) {
		char why[256];
		struct cell c;

		cell_setup(&c, &none_reporter, 1);
		add_phase(&c, "busy", workloads[i], 6, UNTIL_TASKS);
		c.phases[0].opt.duration = 150 * NSEC_PER_MSEC;
		assert_int_equal(option_parse(
			option_find(&workloads[i]->options, "map_size"), "3M",
			c.workload_options[0], why, sizeof(why)), 0);
		c.prices.p[PRICE_FAULT_ANON].ps_1 = 1750333;
		c.prices.p[PRICE_FAULT_ANON].ps_n = 1750333;
		rng_init(&p->r, 1, "probe", i);
		run_probed(&c, p, true, steps);
		assert_int_equal(p->nr, NR_PROBES - 1);
		assert_true(p->nr_at_a_step > NR_PROBES / 4);
		run_probed(&c, p, false, ahead);
		assert_int_equal(p->nr, NR_PROBES - 1);
		assert_string_equal(steps, ahead);
		cell_destroy(&c);
	}
	free(p);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_ahead__any_moment_looks_the_same),
	cmocka_unit_test(test_ahead__random_cells_agree),
	cmocka_unit_test(test_ahead__cells_of_hosts_that_swap_agree),
	cmocka_unit_test(test_ahead__tasks_that_swap_each_other_out_agree),
};

int main(int argc, char **argv)
{
	if (argc > 1)
		first_seed = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		nr_cells = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests(cases, NULL, NULL) ? 1 : 0;
}
