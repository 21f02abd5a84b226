/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The allocator of a guest that has just booted, without the machine around
 * it: memory map, memblock hand-over, pagesets and watermarks as guest_boot()
 * makes them, every other option at its default.
 */
#include <errno.h>
#include <string.h>

#include "include/option.h"
#include "sim/guest_boot.h"

static int set_options(struct guest_options *opt, const char *kernel,
		       const char *memory, unsigned int cpus, char *why,
		       size_t why_size)
{
	int err;

	option_defaults(&guest_option_table, opt);
	opt->cpus = cpus;
	err = option_parse(option_find(&guest_option_table, "kernel"), kernel,
			   opt, why, why_size);
	if (err)
		return err;
	return option_parse(option_find(&guest_option_table, "memory"), memory,
			    opt, why, why_size);
}

int sim_boot_alloc(struct alloc **out, const char *kernel, const char *memory,
		   unsigned int cpus, char *why, size_t why_size)
{
	const struct alloc_hooks hooks = { .notify_order = NR_PAGE_ORDERS };
	struct topology t = { .nr_cpus = cpus, .nr_nodes = 1,
			      .nr_cores = cpus };
	struct guest_options opt;
	struct guest_map map;
	int err;

	if (!cpus || cpus > ALLOC_MAX_CPUS) {
		snprintf(why, why_size, "%u CPUs; allowed are 1 to %d", cpus,
			 ALLOC_MAX_CPUS);
		return -EINVAL;
	}
	err = set_options(&opt, kernel, memory, cpus, why, why_size);
	if (!err)
		err = guest_map_build(&map, &opt, 1, why, why_size);
	return err ? err : guest_boot(out, &opt, &map, &t, &hooks, why,
				      why_size);
}
