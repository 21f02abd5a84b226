/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page_fault1 of will-it-scale: 128 MiB of anonymous memory, mapped, written
 * page by page and unmapped. With THP this is 64 huge faults if the mapping is
 * aligned, else 63 and 512 small ones; which it is depends on the release (6.7
 * aligns) and on what else is mapped, so it is an option.
 */
#include "workloads/page_fault.h"

struct page_fault1_options {
	uint64_t map_size;
	bool aligned;
};

static const struct option_desc page_fault1_descs[] = {
	{ .name = "map_size", .type = OPTION_SIZE,
	  .offset = offsetof(struct page_fault1_options, map_size),
	  .min = PAGE_SIZE, .def = "128M", .unit = "bytes",
	  .help = "Length of the mapping of each task." },
	{ .name = "aligned", .type = OPTION_BOOL,
	  .offset = offsetof(struct page_fault1_options, aligned),
	  .def = "on", .unit = "",
	  .help = "Let the mapping start on a 2 MiB boundary if the guest "
		  "aligns mappings; off: never." },
	{ .name = NULL },
};

static int page_fault1_prepare(struct workload *w, char *why, size_t why_size)
{
	const struct page_fault1_options *o = w->options;
	uint32_t flags = 0;

	if (w->ctx.thp)
		flags |= WORKLOAD_MAP_HUGEPAGE;
	if (!o->aligned)
		flags |= WORKLOAD_MAP_UNALIGNED;
	return page_fault_prepare(w, o->map_size, flags, why, why_size);
}

const struct workload_ops page_fault1_workload = {
	.name = "page_fault1",
	.summary = "map, write and unmap anonymous memory; endless",
	.endless = true,
	.options = { page_fault1_descs, sizeof(struct page_fault1_options) },
	.state_size = sizeof(struct page_fault_state),
	.anon_only = true,
	.prepare = page_fault1_prepare,
	.next = page_fault_next,
	.cleanup = page_fault_cleanup,
};
