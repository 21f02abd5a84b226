/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Through hwloc, on the real topology only: on one that a string or a file
 * describes, hwloc_set_cpubind() returns 0 and does nothing.
 */
#include "bench/binding.h"

#include <hwloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/sim.h"

struct binding {
	hwloc_topology_t topology;
	hwloc_obj_type_t type;     /* a place is part of one of these */
	unsigned int places;
};

/* Only what this process was given (taskset, a container's CPUs). */
static void keep_own_cpus(hwloc_topology_t t)
{
	hwloc_bitmap_t set = hwloc_bitmap_alloc();

	if (set && !hwloc_get_cpubind(t, set, HWLOC_CPUBIND_THREAD))
		hwloc_topology_restrict(t, set, 0);
	hwloc_bitmap_free(set);
}

static unsigned int count(hwloc_topology_t t, hwloc_obj_type_t type)
{
	const int n = hwloc_get_nbobjs_by_type(t, type);

	return n > 0 ? (unsigned int)n : 0;
}

static int open_real(hwloc_topology_t *t)
{
	if (!sim_topology_room() || hwloc_topology_init(t))
		return -1;
	if (hwloc_topology_load(*t) || !hwloc_topology_is_thissystem(*t)) {
		hwloc_topology_destroy(*t);
		return -1;
	}
	keep_own_cpus(*t);
	return 0;
}

struct binding *binding_create(unsigned int places, char *why,
			       size_t why_size)
{
	struct binding *b = calloc(1, sizeof(*b));
	unsigned int pus;

	if (!b || open_real(&b->topology)) {
		snprintf(why, why_size, "hwloc cannot look at this machine");
		free(b);
		return NULL;
	}
	pus = count(b->topology, HWLOC_OBJ_PU);
	if (places > pus) {
		snprintf(why, why_size, "%u jobs do not fit on %u CPUs",
			 places, pus);
		binding_destroy(b);
		return NULL;
	}
	b->places = places;
	b->type = places <= count(b->topology, HWLOC_OBJ_CORE) ?
		  HWLOC_OBJ_CORE : HWLOC_OBJ_PU;
	return b;
}

void binding_destroy(struct binding *b)
{
	if (!b)
		return;
	hwloc_topology_destroy(b->topology);
	free(b);
}

/* Evenly over the machine: two workers on two nodes use both memories. */
void binding_take(const struct binding *b, unsigned int place)
{
	hwloc_obj_t o;
	unsigned int i;

	if (!b || place >= b->places)
		return;
	i = (unsigned int)((uint64_t)place * count(b->topology, b->type) /
			   b->places);
	o = hwloc_get_obj_by_type(b->topology, b->type, i);
	/* What is not allowed is no reason to fail: it runs where it is. */
	if (o)
		(void)hwloc_set_cpubind(b->topology, o->cpuset,
					HWLOC_CPUBIND_THREAD);
}

void binding_describe(const struct binding *b, char *out, size_t out_size)
{
	hwloc_bitmap_t set = b ? hwloc_bitmap_alloc() : NULL;

	out[0] = '\0';
	if (set && !hwloc_get_cpubind(b->topology, set, HWLOC_CPUBIND_THREAD))
		hwloc_bitmap_list_snprintf(out, out_size, set);
	hwloc_bitmap_free(set);
}
