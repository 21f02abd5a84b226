/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes of the host itself (`native = on` of a phase): their memory is the
 * host's, with no guest kernel and no EPT in between.
 *
 * To the host, a guest is an anonymous mapping of its VMM. So is a mapping of
 * any other process; each is added to the back end as if it were a guest's
 * memory, and faults, huge pages and discards follow the same rules. What only
 * a guest has, EPT leaves, is taken out of the events.
 */
#ifndef SIM_NATIVE_H
#define SIM_NATIVE_H

#include "hypervisor/hypervisor.h"
#include "include/rng.h"
#include "workloads/workload.h"

/*
 * One stretch of a mapping. A mapping that does not start on 2 MiB is two: its
 * part before the first boundary, where no huge page fits, and the rest.
 */
struct native_part {
	uint32_t hv_id;
	const struct hv_guest_map *map;
	pfn_t nr_pages;            /* 0 = none */
};

enum { NATIVE_HEAD, NATIVE_BODY, NATIVE_PARTS };

struct native_mapping {
	struct native_part part[NATIVE_PARTS];
};

/* The address space of a process. */
struct native_mm {
	struct native_mapping slots[WORKLOAD_MAX_SLOTS];
	struct rng rng;            /* where unaligned mappings start */
};

/* What processes of the host did, all of them together. */
struct native_counters {
	uint64_t pgfault;          /* page faults, huge ones included */
	uint64_t pgfault_huge;     /* that mapped 2 MiB or more */
	uint64_t tlb_misses;       /* estimated: pages newly come to */
	uint64_t walk_refs;        /* references of their walks */
	struct hv_events host;     /* without EPT leaves */
};

struct sim;
struct sim_guest;
struct sim_sample;
struct task;
struct vcpu;

/* An empty address space for t; 0 or -ENOMEM. */
int native_create(struct sim_guest *g, struct task *t);
/* All that is mapped goes; accepts a task without address space. */
void native_destroy(struct sim *s, struct task *t);
/* One step of the operation in t->op; price in picoseconds. */
uint64_t native_step(struct vcpu *v, struct task *t, bool *done);
/* Add what the processes have to a sample. */
void native_gauges(const struct sim *s, struct sim_sample *out);

#endif
