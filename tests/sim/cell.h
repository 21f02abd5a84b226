/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building and running a cell by hand, for tests of whole machines. */
#ifndef TESTS_SIM_CELL_H
#define TESTS_SIM_CELL_H

#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"
#include "tests/test.h"

#define MIB (UINT64_C(1) << 20)

struct cell {
	struct sim_config cfg;
	struct price_list prices;
	struct sim_phase_config phases[4];
	void *reporter_options, *hypervisor_options, *workload_options[4];
};

static inline void *defaults(const struct option_table *t)
{
	void *base = calloc(1, t->size ? t->size : 1);

	if (t->descs)
		option_defaults(t, base);
	return base;
}

static inline void add_phase(struct cell *c, const char *name,
		      const struct workload_ops *w, unsigned int tasks,
		      unsigned int until)
{
	const unsigned int i = c->cfg.nr_phases++;
	struct sim_phase_config *p = &c->phases[i];

	option_defaults(&phase_option_table, &p->opt);
	snprintf(p->name, sizeof(p->name), "%s", name);
	c->workload_options[i] = defaults(&w->options);
	p->workload = w;
	p->workload_options = c->workload_options[i];
	p->opt.tasks = tasks;
	p->opt.until = until;
}

/* No phases yet; a 256 MiB guest with four CPUs on the mock host. */
static inline void cell_setup(struct cell *c, const struct reporter_ops *reporter,
			      uint64_t seed)
{
	memset(c, 0, sizeof(*c));
	price_list_default(&c->prices);
	option_defaults(&guest_option_table, &c->cfg.guest);
	option_defaults(&host_option_table, &c->cfg.host);
	c->cfg.guest.memory = 256 * MIB;
	c->cfg.guest.base = 16 * MIB;
	snprintf(c->cfg.guest.topology, OPTION_STRING_SIZE, "core:4 pu:1");
	c->reporter_options = defaults(&reporter->options);
	c->hypervisor_options = defaults(&mock_hypervisor.options);
	c->cfg.hypervisor = &mock_hypervisor;
	c->cfg.hypervisor_options = c->hypervisor_options;
	c->cfg.reporter = reporter;
	c->cfg.reporter_options = c->reporter_options;
	c->cfg.reporter_enabled = true;
	c->cfg.phases = c->phases;
	c->cfg.seed = seed;
	c->cfg.prices = &c->prices;
	c->cfg.sample_ns = 100 * NSEC_PER_MSEC;
}

static inline void cell_destroy(struct cell *c)
{
	unsigned int i;

	free(c->reporter_options);
	free(c->hypervisor_options);
	for (i = 0; i < ARRAY_SIZE(c->workload_options); i++)
		free(c->workload_options[i]);
}

static inline struct sim *cell_run(struct cell *c)
{
	char why[256] = "";
	struct sim *s;
	unsigned int i;

	if (sim_create(&s, &c->cfg, why, sizeof(why)))
		fail_msg("sim_create: %s", why);
	for (i = 0; i < c->cfg.nr_phases; i++)
		if (sim_run_phase(s, i, NULL, why, sizeof(why)))
			fail_msg("phase %u: %s", i, why);
	return s;
}

static inline uint64_t counter(const struct sim_result *r, const char *name)
{
	unsigned int i;

	for (i = 0; i < r->nr_counters; i++)
		if (!strcmp(r->counters[i].name, name))
			return r->counters[i].value;
	fail_msg("no counter %s", name);
	return 0;
}

#endif
