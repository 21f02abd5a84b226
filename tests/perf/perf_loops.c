/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fixed loops over the hot paths, for counting instructions: what callgrind
 * collects inside measured_loop() is the same in every run.
 *
 *     perf_loops order0|order9|storm|fault        prints the operations done
 */
#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "sim/sim.h"

#define STORM_PAGES 2048u

struct loop {
	const char *name;
	struct alloc *a;
	struct sim *sim;
	uint64_t ops;
};

static uint64_t pairs(struct alloc *a, unsigned int order, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		const pfn_t pfn = alloc_page_fast(a, 0, order,
						  GFP_HIGHUSER_MOVABLE);

		CHECK(pfn != PFN_NONE);
		alloc_free(a, 0, pfn, order);
	}
	return nr;
}

/* More than a pageset holds comes and goes: refills and flushes. */
static uint64_t storm(struct alloc *a, unsigned int rounds)
{
	pfn_t pfn[STORM_PAGES];

	for (unsigned int r = 0; r < rounds; r++) {
		for (unsigned int i = 0; i < STORM_PAGES; i++) {
			pfn[i] = alloc_page_fast(a, 0, 0, GFP_HIGHUSER_MOVABLE);
			CHECK(pfn[i] != PFN_NONE);
		}
		for (unsigned int i = 0; i < STORM_PAGES; i++)
			alloc_free(a, 0, pfn[i], 0);
	}
	return 2ull * rounds * STORM_PAGES;
}

static uint64_t fault(struct sim *s)
{
	char why[128];

	CHECK_MSG(!sim_run_phase(s, 0, NULL, why, sizeof(why)), "%s", why);
	return sim_result(s)->phases[0].iterations;
}

/* Callgrind collects from here to the return: it must not be inlined. */
__attribute__((noinline)) void measured_loop(struct loop *l);
void measured_loop(struct loop *l)
{
	if (l->sim)
		l->ops = fault(l->sim);
	else if (!strcmp(l->name, "storm"))
		l->ops = storm(l->a, 50);
	else
		l->ops = pairs(l->a, strcmp(l->name, "order9") ? 0 :
			       HPAGE_PMD_ORDER, 100000);
}

/* Four tasks of page_fault1, single pages, in a small guest with reporting. */
static struct sim *make_cell(void)
{
	struct price_list *prices = malloc(sizeof(*prices));
	struct sim_phase_config *p = calloc(1, sizeof(*p));
	void *hv = calloc(1, mock_hypervisor.options.size + 1);
	void *rep = calloc(1, page_reporting_reporter.options.size + 1);
	void *work = calloc(1, page_fault1_workload.options.size + 1);
	struct sim_config cfg = { .seed = 1, .nr_phases = 1, .phases = p,
				  .hypervisor = &mock_hypervisor,
				  .hypervisor_options = hv,
				  .reporter = &page_reporting_reporter,
				  .reporter_options = rep, .prices = prices,
				  .reporter_enabled = true };
	struct sim *s;
	char why[128];

	CHECK(prices && p && hv && rep && work);
	price_list_default(prices);
	option_defaults(&guest_option_table, &cfg.guest);
	option_defaults(&host_option_table, &cfg.host);
	option_defaults(&phase_option_table, &p->opt);
	option_defaults(&mock_hypervisor.options, hv);
	option_defaults(&page_reporting_reporter.options, rep);
	if (page_fault1_workload.options.descs)
		option_defaults(&page_fault1_workload.options, work);
	snprintf(cfg.guest.topology, sizeof(cfg.guest.topology),
		 "core:4 pu:1");
	p->workload = &page_fault1_workload;
	p->workload_options = work;
	p->opt.tasks = 4;
	p->opt.iterations = 50000;
	CHECK_MSG(!sim_create(&s, &cfg, why, sizeof(why)), "%s", why);
	return s;
}

int main(int argc, char **argv)
{
	struct loop l = { .name = argc > 1 ? argv[1] : "" };
	char why[128];

	if (!strcmp(l.name, "fault"))
		l.sim = make_cell();
	else
		CHECK_MSG(!sim_boot_alloc(&l.a, "6.1", "1G", 1, why,
					  sizeof(why)), "%s", why);
	measured_loop(&l);
	printf("%llu\n", (unsigned long long)l.ops);
	/* The config of the cell is borrowed until the end. */
	return 0;
}
