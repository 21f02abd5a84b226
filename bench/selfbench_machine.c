/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the figures were measured on: through hwloc, uname and /proc. */
#define _GNU_SOURCE
#include <hwloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench/selfbench.h"

#include "sim/sim.h"

/* "L1d 32K": the first cache of a kind, which the others equal. */
static void add_cache(struct selfbench_machine *m, hwloc_topology_t t,
		      hwloc_obj_type_t type, const char *name)
{
	hwloc_obj_t o = hwloc_get_obj_by_type(t, type, 0);
	const size_t used = strlen(m->caches);
	uint64_t size;

	if (!o)
		return;
	size = o->attr->cache.size;
	snprintf(m->caches + used, sizeof(m->caches) - used, "%s%s %llu%c",
		 used ? ", " : "", name, size >> 20 ?
		 (unsigned long long)size >> 20 : (unsigned long long)size >> 10,
		 size >> 20 ? 'M' : 'K');
}

static unsigned int count(hwloc_topology_t t, hwloc_obj_type_t type)
{
	const int n = hwloc_get_nbobjs_by_type(t, type);

	return n > 0 ? (unsigned int)n : 0;
}

static void copy_cpu_model(struct selfbench_machine *m, hwloc_topology_t t)
{
	hwloc_obj_t pkg = hwloc_get_obj_by_type(t, HWLOC_OBJ_PACKAGE, 0);
	const char *model = pkg ? hwloc_obj_get_info_by_name(pkg, "CPUModel") :
				  NULL;

	snprintf(m->cpu, sizeof(m->cpu), "%s", model ? model : "unknown");
	/* Some firmware pads the name. */
	for (size_t n = strlen(m->cpu); n && m->cpu[n - 1] == ' '; n--)
		m->cpu[n - 1] = '\0';
}

static void describe_topology(struct selfbench_machine *m)
{
	hwloc_topology_t t;

	if (!sim_topology_room() || hwloc_topology_init(&t))
		return;
	if (!hwloc_topology_load(t)) {
		m->assumed = !hwloc_topology_is_thissystem(t);
		copy_cpu_model(m, t);
		m->packages = count(t, HWLOC_OBJ_PACKAGE);
		m->cores = count(t, HWLOC_OBJ_CORE);
		m->pus = count(t, HWLOC_OBJ_PU);
		m->nodes = count(t, HWLOC_OBJ_NUMANODE);
		m->memory = hwloc_get_root_obj(t)->total_memory;
		add_cache(m, t, HWLOC_OBJ_L1CACHE, "L1d");
		add_cache(m, t, HWLOC_OBJ_L2CACHE, "L2");
		add_cache(m, t, HWLOC_OBJ_L3CACHE, "L3");
	}
	hwloc_topology_destroy(t);
}

/* What hwloc cannot see where no sysfs is mounted. */
static void complete(struct selfbench_machine *m)
{
	const long pages = sysconf(_SC_PHYS_PAGES);
	const long size = sysconf(_SC_PAGESIZE);
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (!m->memory && pages > 0 && size > 0)
		m->memory = (uint64_t)pages * (uint64_t)size;
	if (!m->pus && cpus > 0)
		m->pus = (unsigned int)cpus;
}

void selfbench_machine(struct selfbench_machine *m, const char *compiler,
		       const char *build)
{
	struct utsname u;

	memset(m, 0, sizeof(*m));
	snprintf(m->cpu, sizeof(m->cpu), "unknown");
	snprintf(m->compiler, sizeof(m->compiler), "%s", compiler);
	snprintf(m->build, sizeof(m->build), "%s", build);
	if (!uname(&u))
		snprintf(m->kernel, sizeof(m->kernel), "%.40s %.60s %.20s",
			 u.sysname, u.release, u.machine);
	if (getloadavg(&m->load, 1) != 1)
		m->load = -1;
	describe_topology(m);
	complete(m);
}

void selfbench_machine_line(char *out, size_t out_size)
{
	struct selfbench_machine m;

	selfbench_machine(&m, "", "");
	snprintf(out, out_size, "%s%s; packages %u, nodes %u, cores %u, "
		 "CPUs %u; %s; %s", m.cpu,
		 m.assumed ? " (not this machine)" : "", m.packages, m.nodes,
		 m.cores, m.pus, m.caches[0] ? m.caches : "caches unknown",
		 m.kernel);
}
