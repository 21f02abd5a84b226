/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Topologies through hwloc: a synthetic string, the XML of another machine, or
 * the one this program runs on. Only the shape is taken; memory sizes come
 * from the experiment, because hwloc reads "4GB" as decimal. Synthetic
 * topologies have no distance matrix, so distances are the kernel's defaults.
 */
#include "sim/topology.h"

#include <ctype.h>
#include <errno.h>
#include <hwloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/sim.h"

#define MAX_UNITS ALLOC_MAX_CPUS
#define MAX_XML_BYTES (16 << 20)
#define TOPOLOGY_EXAMPLE "e.g. 'pack:1 core:8 pu:2', file:HOST.xml, or this"

/*
 * Does a synthetic description ask for more than a guest can have? hwloc would
 * build all of it before it could be counted. What stands in brackets is
 * attached beside the tree, what stands in parentheses are attributes.
 */
static bool too_many_units(const char *text)
{
	unsigned long long product = 1, n;
	const char *at = text;
	int depth = 0;

	for (; *at; at++) {
		depth += *at == '[' || *at == '(';
		depth -= *at == ']' || *at == ')';
		if (depth || !isdigit((unsigned char)*at) ||
		    (at != text && at[-1] != ':' && at[-1] != ' '))
			continue;
		n = strtoull(at, NULL, 0);
		if (n > MAX_UNITS)
			return true;
		product *= n ? n : 1;
		if (product > MAX_UNITS)
			return true;
	}
	return false;
}

/* A file of a size that a description can have; devices never end. */
static bool is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) &&
	       st.st_size <= MAX_XML_BYTES;
}

/* What can be told of the text before hwloc looks at it. */
static int check_text(const char *text, char *why, size_t why_size)
{
	if (!strncmp(text, "file:", 5)) {
		if (is_file(text + 5))
			return 0;
		snprintf(why, why_size, "cannot build topology '%.120s': no "
			 "such file, or none of at most %d MiB; write "
			 TOPOLOGY_EXAMPLE, text, MAX_XML_BYTES >> 20);
		return -EINVAL;
	}
	if (!too_many_units(text))
		return 0;
	snprintf(why, why_size, "topology '%.120s' has more than %d processing "
		 "units; write " TOPOLOGY_EXAMPLE, text, MAX_UNITS);
	return -EINVAL;
}

static int topology_open(hwloc_topology_t *t, const char *text, char *why,
			 size_t why_size)
{
	int err = check_text(text, why, why_size);

	if (err)
		return err;
	/* The environment must not silently replace what was asked for. */
	unsetenv("HWLOC_SYNTHETIC");
	unsetenv("HWLOC_XMLFILE");
	if (hwloc_topology_init(t))
		return -ENOMEM;
	/* Caches do not shape anything here; without them strings are short. */
	hwloc_topology_set_cache_types_filter(*t, HWLOC_TYPE_FILTER_KEEP_NONE);
	if (!strncmp(text, "file:", 5))
		err = hwloc_topology_set_xml(*t, text + 5);
	else if (strcmp(text, "this") != 0)
		err = hwloc_topology_set_synthetic(*t, text);
	if (!err)
		err = hwloc_topology_load(*t);
	if (!err)
		return 0;
	snprintf(why, why_size, "cannot build topology '%.120s'; write "
		 TOPOLOGY_EXAMPLE, text);
	hwloc_topology_destroy(*t);
	return -EINVAL;
}

/*
 * Memory sizes and caches of the described machine would make two experiments
 * differ that simulate the same thing; export only the tree down to the PUs.
 */
int sim_topology_resolve(const char *text, char *out, size_t out_size,
			 char *why, size_t why_size)
{
	const unsigned long flags =
		HWLOC_TOPOLOGY_EXPORT_SYNTHETIC_FLAG_NO_ATTRS;
	hwloc_topology_t t;
	int ret = topology_open(&t, text, why, why_size);

	if (ret)
		return ret;
	ret = hwloc_topology_export_synthetic(t, out, out_size, flags);
	hwloc_topology_destroy(t);
	if (ret > 0)
		return 0;
	snprintf(why, why_size, "topology '%.120s' is not regular enough for "
		 "a synthetic description", text);
	return -EINVAL;
}

void sim_topology_describe(char *out, size_t out_size)
{
	char why[256];

	if (sim_topology_resolve("this", out, out_size, why, sizeof(why)))
		snprintf(out, out_size, "unknown");
}

int topology_load(struct topology *t, const char *synthetic, char *why,
		  size_t why_size)
{
	hwloc_topology_t h;
	hwloc_obj_t pu = NULL;
	int nr, ret = topology_open(&h, synthetic, why, why_size);

	if (ret)
		return ret;
	memset(t, 0, sizeof(*t));
	nr = hwloc_get_nbobjs_by_type(h, HWLOC_OBJ_PU);
	t->nr_nodes = (unsigned int)hwloc_get_nbobjs_by_type(h, HWLOC_OBJ_NUMANODE);
	t->nr_cores = (unsigned int)hwloc_get_nbobjs_by_type(h, HWLOC_OBJ_CORE);
	if (nr < 1 || nr > ALLOC_MAX_CPUS || t->nr_nodes < 1 ||
	    t->nr_nodes > ALLOC_MAX_NODES) {
		snprintf(why, why_size, "topology '%.120s' has %d processing "
			 "units and %u nodes; 1..%d and 1..%d are possible",
			 synthetic, nr, t->nr_nodes, ALLOC_MAX_CPUS,
			 ALLOC_MAX_NODES);
		hwloc_topology_destroy(h);
		return -EINVAL;
	}
	while ((pu = hwloc_get_next_obj_by_type(h, HWLOC_OBJ_PU, pu))) {
		int node = hwloc_bitmap_first(pu->nodeset);

		t->cpu_node[t->nr_cpus++] = (uint8_t)(node < 0 ? 0 : node);
	}
	hwloc_topology_destroy(h);
	return 0;
}
