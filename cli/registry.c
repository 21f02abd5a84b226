/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only place that names concrete designs, hosts and workloads. Adding one
 * is a line here; reader, `list`, contract tests and the manual follow.
 */
#include "cli/registry.h"

static const struct reporter_ops *const reporters[] = {
	&none_reporter,
	&page_reporting_reporter,
	&hinted_boundary_reporter,
	&host_zeroed_reporter,
	&pull_bitmap_reporter,
	&ideal_reporter,
	&percpu_array_reporter,
	&zone_bitmap_reporter,
	&per_free_reporter,
	&balloon_reporter,
	&free_page_hint_reporter,
	&skeleton_reporter,
	NULL,
};

static const struct hypervisor_ops *const hypervisors[] = {
	&mock_hypervisor,
	&live_hypervisor,
	&null_hypervisor,
	NULL,
};

static const struct workload_ops *const workloads[] = {
	&memhog_workload,
	&page_fault1_workload,
	&page_fault2_workload,
	&usemem_workload,
	&largepages3_workload,
	&brk1_workload,
	&malloc1_workload,
	&fork_storm_workload,
	&file_read_workload,
	&idle_workload,
	&jemalloc_workload,
	&trace_workload,
	NULL,
};

const struct sim_registry registry = { reporters, hypervisors, workloads,
				       NULL };
