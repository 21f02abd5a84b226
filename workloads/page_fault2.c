/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page_fault2 of will-it-scale: a private mapping of a 128 MiB file, written
 * page by page and unmapped. Each task has its own file, sparse and without a
 * name; its pages are read into the cache by the first iteration and stay
 * there, so that later ones only copy.
 */
#include "workloads/page_fault.h"

struct page_fault2_options {
	uint64_t map_size;
};

static const struct option_desc page_fault2_descs[] = {
	{ .name = "map_size", .type = OPTION_SIZE,
	  .offset = offsetof(struct page_fault2_options, map_size),
	  .min = PAGE_SIZE, .def = "128M", .unit = "bytes",
	  .help = "Length of each task's file and of its mapping." },
	{ .name = NULL },
};

static int page_fault2_prepare(struct workload *w, char *why, size_t why_size)
{
	const struct page_fault2_options *o = w->options;

	return page_fault_prepare(w, o->map_size, WORKLOAD_MAP_FILE, why,
				  why_size);
}

const struct workload_ops page_fault2_workload = {
	.name = "page_fault2",
	.summary = "map, write and unmap a private copy of a file; endless",
	.endless = true,
	.options = { page_fault2_descs, sizeof(struct page_fault2_options) },
	.state_size = sizeof(struct page_fault_state),
	.prepare = page_fault2_prepare,
	.next = page_fault_next,
	.cleanup = page_fault_cleanup,
};
