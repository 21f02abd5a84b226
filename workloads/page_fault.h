/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What page_fault1 and page_fault2 share: map, write every page, unmap, again
 * and again. They differ in what is mapped.
 */
#ifndef WORKLOADS_PAGE_FAULT_H
#define WORKLOADS_PAGE_FAULT_H

#include "workloads/workload.h"

enum page_fault_stage { PAGE_FAULT_MAP, PAGE_FAULT_TOUCH, PAGE_FAULT_UNMAP };

struct page_fault_state {
	enum page_fault_stage *stages; /* per task: what comes next */
	uint64_t len;                  /* bytes of the mapping */
	uint32_t map_flags;            /* WORKLOAD_MAP_* */
};

int page_fault_prepare(struct workload *w, uint64_t size, uint32_t map_flags,
		       char *why, size_t why_size);
bool page_fault_next(struct workload *w, unsigned int task,
		     struct workload_op *op);
void page_fault_cleanup(struct workload *w);

#endif
