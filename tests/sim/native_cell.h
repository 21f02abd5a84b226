/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cells whose only phase is a process of the host, for tests. */
#ifndef TESTS_SIM_NATIVE_CELL_H
#define TESTS_SIM_NATIVE_CELL_H

#include "sim/machine.h"
#include "tests/sim/cell.h"

static inline void set(const struct option_table *t, void *options,
		       const char *name, const char *value)
{
	char why[256] = "";

	if (option_parse(option_find(t, name), value, options, why,
			 sizeof(why)))
		fail_msg("%s = %s: %s", name, value, why);
}

static inline void native_setup(struct cell *c, const struct workload_ops *w,
				uint64_t bytes, const char *thp)
{
	cell_setup(c, &none_reporter, 1);
	set(&mock_hypervisor.options, c->hypervisor_options, "thp", thp);
	add_phase(c, "native", w, 1, UNTIL_TASKS);
	c->phases[0].opt.native = true;
	c->phases[0].opt.size = (struct option_share){ .value = bytes };
	c->cfg.check_every = 50;
}

static inline uint64_t phase_counter(const struct sim_result *r,
				     const char *name)
{
	const struct sim_phase_result *p = &r->phases[r->nr_phases - 1];

	for (unsigned int i = 0; i < p->nr_counters; i++)
		if (!strcmp(p->counters[i].name, name))
			return p->counters[i].value;
	fail_msg("no counter %s", name);
	return 0;
}

static inline double phase_metric(const struct sim_result *r,
				  const char *name)
{
	const struct sim_phase_result *p = &r->phases[r->nr_phases - 1];

	for (unsigned int i = 0; i < p->nr_metrics; i++)
		if (!strcmp(p->metrics[i].name, name))
			return p->metrics[i].value;
	return -1;
}

#endif
