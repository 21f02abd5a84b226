/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words of `expect` that all good designs and hosts keep: each is broken here
 * by a design or a host that is wrong in one thing, and kept by the same one
 * without the mistake.
 */
#include "sim/events.h"
#include "tests/sim/cell.h"

/* A design with a mistake, and one word of its own behind its state. */
static struct reporter_ops with_mistake(const struct reporter_ops *right)
{
	struct reporter_ops ops = *right;

	ops.state_size = right->state_size + sizeof(uint64_t);
	return ops;
}

static uint64_t *own_word(const struct reporter *r)
{
	return (uint64_t *)(void *)((char *)r->state + r->ops->state_size -
				    sizeof(uint64_t));
}

/* It sends what has failed again at once. */
static void hasty_drain(struct reporter *r, struct page_report *entries,
			unsigned int nr, int err)
{
	if (err && !*own_word(r) &&
	    !r->env->report(r->env->ctx, entries, nr)) {
		*own_word(r) = 1;
		return;
	}
	page_reporting_reporter.drain(r, entries, nr, err);
}

static void look_again(struct reporter *r, unsigned int zone, pfn_t pfn)
{
	const struct alloc *a = r->env->view;
	const unsigned int order = alloc_block_order(a, pfn);

	r->env->lock(r->env->ctx, zone);
	if (r->env->isolate(r->env->ctx, pfn))
		r->env->putback(r->env->ctx, pfn, order,
				alloc_pageblock_type(a, pfn));
	r->env->unlock(r->env->ctx, zone, 1);
}

/* When the device comes back it takes up blocks that have a mark. */
static void forgetful_start(struct reporter *r)
{
	const struct alloc *a = r->env->view;

	page_reporting_reporter.start(r);
	if (!(*own_word(r))++)
		return;
	for (unsigned int z = 0; z < alloc_nr_zones(a); z++) {
		pfn_t pfn = alloc_list_first(a, z, MAX_PAGE_ORDER,
					     MIGRATE_MOVABLE);

		while (pfn != PFN_NONE && !alloc_block_marks(a, pfn))
			pfn = alloc_list_next(a, pfn);
		if (pfn != PFN_NONE)
			look_again(r, z, pfn);
	}
}

/* It holds up all allocations from its second second to its sixth. */
static void sleepy_start(struct reporter *r)
{
	r->env->schedule(r->env->ctx, NSEC_PER_SEC);
}

static void sleepy_process(struct reporter *r)
{
	if ((*own_word(r))++)
		r->env->wake_stalled(r->env->ctx);
	else
		r->env->schedule(r->env->ctx, 4 * NSEC_PER_SEC);
}

static bool sleepy_stall(struct reporter *r, unsigned int zone, pfn_t pfn,
			 unsigned int order, unsigned int cpu)
{
	(void)zone;
	(void)pfn;
	(void)order;
	(void)cpu;
	return *own_word(r) == 1;
}

/*
 * A host that loses 2 MiB of a guest whenever somebody looks at it: the first
 * that it has as a whole.
 */
static void lossy_gauges(const struct hypervisor *hv, uint32_t guest,
			 struct hv_gauges *out)
{
	struct hypervisor *mine = (struct hypervisor *)(uintptr_t)hv;
	const struct hv_guest_map *map;
	struct hv_events unseen = { 0 };

	mock_hypervisor.gauges(hv, guest, out);
	if (guest == HV_ALL_GUESTS)
		return;
	map = mock_hypervisor.guest_map(hv, guest);
	for (pfn_t pfn = 0; pfn < map->nr_pages; pfn += HPAGE_PMD_NR) {
		if (!bitmap_test(map->regions, pfn_region(pfn)))
			continue;
		mock_hypervisor.discard(mine, guest, pfn, HPAGE_PMD_ORDER,
					HV_ORIGIN_BALLOON, &unseen);
		return;
	}
}

static const struct scenario {
	const char *word;
	enum inject_kind kind;
	sim_ns_t at, span;
	uint64_t count;
	const struct workload_ops *workload; /* of the second phase */
	bool wrong_host;
} scenarios[] = {
	{ "no_retry", INJECT_HOST_REJECTS, 0, 0, 1,
	  &page_fault1_workload, false },
	{ "marks_honoured", INJECT_UNREGISTER,
	  8 * NSEC_PER_SEC, NSEC_PER_SEC, 0, &idle_workload, false },
	{ "guest_runs", INJECT_WATCH, 2 * NSEC_PER_SEC, NSEC_PER_SEC,
	  0, &page_fault1_workload, false },
	{ "footprint_kept", INJECT_VFIO, 0, 0, 0,
	  &page_fault1_workload, true },
	{ "no_refaults", INJECT_VFIO, 0, 0, 0,
	  &page_fault1_workload, true },
};

static struct reporter_ops wrong_design(const char *word)
{
	struct reporter_ops ops = with_mistake(&page_reporting_reporter);

	if (!strcmp(word, "no_retry"))
		ops.drain = hasty_drain;
	if (!strcmp(word, "marks_honoured"))
		ops.start = forgetful_start;
	if (strcmp(word, "guest_runs"))
		return ops;
	ops = with_mistake(&none_reporter);
	ops.start = sleepy_start;
	ops.process = sleepy_process;
	ops.alloc_stall = sleepy_stall;
	return ops;
}

/* What the run says of the injection: empty if all is as expected. */
static void run(const struct scenario *sc, const struct reporter_ops *design,
		const struct hypervisor_ops *host, char *why, size_t size)
{
	struct sim_inject_config inject = { .name = "it", .phase = 1 };
	struct cell c;
	struct sim *s;

	cell_setup(&c, design, 1);
	c.cfg.hypervisor = host;
	c.cfg.step_by_step = true;
	c.cfg.sample_ns = 20 * NSEC_PER_MSEC;
	add_phase(&c, "fill", &memhog_workload, 1, UNTIL_TASKS);
	c.phases[0].opt.size.is_percent = true;
	c.phases[0].opt.size.value = 10000;
	add_phase(&c, "run", sc->workload, 2, UNTIL_DURATION);
	c.phases[1].opt.duration = 12 * NSEC_PER_SEC;
	c.phases[1].opt.thp = true;
	option_defaults(&inject_option_table, &inject.opt);
	inject.opt.kind = sc->kind;
	inject.opt.at = sc->at;
	inject.opt.span = sc->span;
	inject.opt.count = sc->count;
	snprintf(inject.opt.expect, sizeof(inject.opt.expect), "%s", sc->word);
	c.cfg.injects = &inject;
	c.cfg.nr_injects = 1;
	s = cell_run(&c);
	why[0] = '\0';
	if (sim_verdict(s, why, size) && !why[0])
		fail_msg("%s: no reason is given", sc->word);
	sim_destroy(s);
	cell_destroy(&c);
}

static void test_expect__word_fails_for_what_is_wrong(void **state)
{
	/* One mistake each: the verdict names the word; without it, nothing. */
	struct hypervisor_ops lossy = mock_hypervisor;

	(void)state;
	lossy.gauges = lossy_gauges;
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
		const struct scenario *sc = &scenarios[i];
		const struct reporter_ops wrong = wrong_design(sc->word);
		char why[256], expected[96];

		run(sc, &page_reporting_reporter, &mock_hypervisor, why,
		    sizeof(why));
		if (why[0])
			fail_msg("%s, nothing is wrong: %s", sc->word, why);
		run(sc, sc->wrong_host ? &page_reporting_reporter : &wrong,
		    sc->wrong_host ? &lossy : &mock_hypervisor, why,
		    sizeof(why));
		snprintf(expected, sizeof(expected), "expected %s, but saw",
			 sc->word);
		if (!strstr(why, expected))
			fail_msg("%s is kept by what is wrong: %s", sc->word,
				 why[0] ? why : "(nothing)");
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_expect__word_fails_for_what_is_wrong),
};

TEST_MAIN(cases)
