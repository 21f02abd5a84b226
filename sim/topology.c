/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Topologies through hwloc: a synthetic string, the XML of another machine, or
 * the one this program runs on. Taken are the node of each CPU, distances of
 * nodes, and last-level caches, all in the order of the numbers that the
 * machine's kernel gave them. Memory sizes come from the experiment: hwloc
 * reads "4GB" as decimal, and a guest need not be as large as its model.
 */
#include "sim/topology.h"

#include <ctype.h>
#include <errno.h>
#include <hwloc.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"
#include "sim/topology_internal.h"

#define MAX_UNITS ALLOC_MAX_CPUS
/* Several times of what hwloc takes for MAX_UNITS. */
#define HWLOC_ROOM (16 << 20)
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
		/* hwloc takes blanks and '+' before a number; "l3" is a name. */
		if (depth || !isdigit((unsigned char)*at) ||
		    (at != text && isalnum((unsigned char)at[-1])))
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

/* Numbers of objects are bits of hwloc's sets, each of a set as long as that. */
static bool too_large_index(const char *text)
{
	const char *at = text;

	while ((at = strstr(at, "indexes="))) {
		at += strlen("indexes=");
		while (*at && *at != ' ' && *at != ')') {
			char *end = (char *)at + 1;

			if (isdigit((unsigned char)*at) &&
			    strtoull(at, &end, 10) >
			    TOPOLOGY_MAX_INDEX)
				return true;
			at = end;
		}
	}
	return false;
}

/* What can be told of the text before hwloc looks at it. */
static int check_text(const char *text, char *why, size_t why_size)
{
	if (!strncmp(text, "file:", 5)) {
		const char *reason = topology_xml_check(text + 5);

		if (reason)
			snprintf(why, why_size, "cannot build topology "
				 "'%.120s': %s; write " TOPOLOGY_EXAMPLE, text,
				 reason);
		return reason ? -EINVAL : 0;
	}
	if (too_large_index(text)) {
		snprintf(why, why_size, "topology '%.120s' has indexes above "
			 "%d; write " TOPOLOGY_EXAMPLE, text,
			 TOPOLOGY_MAX_INDEX);
		return -EINVAL;
	}
	if (!too_many_units(text))
		return 0;
	snprintf(why, why_size, "topology '%.120s' has more than %d processing "
		 "units; write " TOPOLOGY_EXAMPLE, text, MAX_UNITS);
	return -EINVAL;
}

/* What hwloc would only refuse: the first word that is none of its own. */
static const char *word_error(const char *word, bool attached)
{
	union hwloc_obj_attr_u attr;
	hwloc_obj_type_t type;
	const char *number = strchr(word, ':');

	if (hwloc_type_sscanf(word, &type, &attr, sizeof(attr)))
		return "is no kind of object that hwloc knows";
	if (!attached && (!number || strtoul(number + 1, NULL, 0) < 1))
		return "needs ':' and a number from 1 on";
	return NULL;
}

static void explain(const char *text, char *why, size_t why_size)
{
	const char *reason = NULL, *at = text;
	char word[64] = "";

	while (!reason && *(at += strspn(at, " []"))) {
		const size_t n = strcspn(at, " [](");

		snprintf(word, sizeof(word), "%.*s", (int)(n < 60 ? n : 60),
			 at);
		if (n)
			reason = word_error(word, at > text && at[-1] == '[');
		at += n;
		if (*at == '(')
			at += strcspn(at, ")");
		at += *at == ')';
	}
	if (reason)
		snprintf(why, why_size, "'%s' %s", word, reason);
	else if (!word[0])
		snprintf(why, why_size, "it is empty");
	else
		snprintf(why, why_size, "hwloc cannot read it; a description "
			 "goes from large objects down to pu:N");
}

/* What replaces the machine that hwloc finds. The program clears them before
 * anything else runs (sim_topology_environment). */
static const char *const replacing[] = {
	"HWLOC_SYNTHETIC", "HWLOC_XMLFILE", "HWLOC_FSROOT",
	"HWLOC_CPUID_PATH", "HWLOC_COMPONENTS", "HWLOC_THISSYSTEM",
	"HWLOC_DUMPED_HWDATA_DIR",
};

void sim_topology_environment(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(replacing); i++)
		unsetenv(replacing[i]);
	/* Where there is no sysfs, as in a chroot, hwloc complains on stderr
	 * even to who asked about another machine. What matters we say. */
	setenv("HWLOC_HIDE_ERRORS", "2", 0);
}

static int select_source(hwloc_topology_t t, const char *text, char *why,
			 size_t why_size)
{
	if (!strncmp(text, "file:", 5)) {
		snprintf(why, why_size, "it is no XML of hwloc 1.x or 2.x "
			 "(lstopo --of xml writes one)");
		return hwloc_topology_set_xml(t, text + 5);
	}
	if (strcmp(text, "this") != 0) {
		explain(text, why, why_size);
		return hwloc_topology_set_synthetic(t, text);
	}
	snprintf(why, why_size, "hwloc cannot look at this machine, or "
		 "HWLOC_XMLFILE, HWLOC_SYNTHETIC or the like replace it");
	return 0;
}

bool sim_topology_room(void)
{
	/* A compiler may leave out memory that nobody uses, and say yes. */
	void *volatile room = malloc(HWLOC_ROOM);
	const bool enough = room != NULL;

	free(room);
	return enough;
}

static int topology_open(hwloc_topology_t *t, const char *text, bool caches,
			 char *why, size_t why_size)
{
	int err = check_text(text, why, why_size);
	char reason[160];

	if (!err && !sim_topology_room()) {
		snprintf(why, why_size, "out of memory");
		err = -ENOMEM;
	}
	if (err)
		return err;
	if (hwloc_topology_init(t))
		return -ENOMEM;
	if (!caches)
		hwloc_topology_set_cache_types_filter(*t,
				HWLOC_TYPE_FILTER_KEEP_NONE);
	err = select_source(*t, text, reason, sizeof(reason));
	if (!err)
		err = hwloc_topology_load(*t);
	if (!err && !strcmp(text, "this") && !hwloc_topology_is_thissystem(*t))
		err = -EINVAL;
	if (!err)
		return 0;
	snprintf(why, why_size, "cannot build topology '%.120s': %s; write "
		 TOPOLOGY_EXAMPLE, text, reason);
	hwloc_topology_destroy(*t);
	return -EINVAL;
}

/* ---- from hwloc's objects ---- */

/* Numbers that the kernel gave may have gaps; those of a guest have none. */
static unsigned int rank_of(hwloc_const_bitmap_t set, unsigned int number)
{
	unsigned int i, rank = 0;

	/* A set may have no end. */
	hwloc_bitmap_foreach_begin(i, set)
		if (i >= number)
			break;
		rank++;
	hwloc_bitmap_foreach_end();
	return rank;
}

/* Models cpu_map_shared_cache: the last leaf, if it caches data. */
static hwloc_obj_t last_cache(hwloc_obj_t pu)
{
	hwloc_obj_t o, last = NULL;

	for (o = pu->parent; o; o = o->parent)
		if (hwloc_obj_type_is_dcache(o->type) && o->attr->cache.size)
			last = o;
	return last;
}

static uint16_t add_cache(struct topology *t, hwloc_obj_t *known,
			  hwloc_obj_t cache)
{
	unsigned int i;

	if (!cache)
		return TOPOLOGY_NO_CACHE;
	for (i = 0; i < t->nr_caches; i++)
		if (known[i] == cache)
			return (uint16_t)i;
	known[i] = cache;
	t->cache_size[i] = cache->attr->cache.size < UINT32_MAX ?
			   (uint32_t)cache->attr->cache.size : UINT32_MAX;
	t->nr_caches++;
	return (uint16_t)i;
}

/*
 * The CPU of the lowest number above this one. By the objects: a file may claim
 * a set of CPUs that never ends.
 */
static hwloc_obj_t next_cpu(hwloc_topology_t h, hwloc_obj_t after)
{
	hwloc_obj_t o = NULL, best = NULL;

	while ((o = hwloc_get_next_obj_by_type(h, HWLOC_OBJ_PU, o)))
		if ((!after || o->os_index > after->os_index) &&
		    (!best || o->os_index < best->os_index))
			best = o;
	return best;
}

/*
 * CPUs in the order of their numbers. Where a CPU is near to several nodes
 * (memory of another kind beside the usual), the kernel's node of the CPU is
 * the one of the lowest number, as firmware lists such memory last.
 */
static void scan_cpus(struct topology *t, hwloc_topology_t h)
{
	hwloc_const_bitmap_t nodes = hwloc_topology_get_topology_nodeset(h);
	hwloc_obj_t known[ALLOC_MAX_CPUS], pu = NULL;

	while (t->nr_cpus < ALLOC_MAX_CPUS && (pu = next_cpu(h, pu))) {
		const int node = hwloc_bitmap_first(pu->nodeset);
		const unsigned int cpu = t->nr_cpus++;

		t->cpu_node[cpu] = node < 0 ? 0 :
			(uint8_t)rank_of(nodes, (unsigned int)node);
		t->cpu_cache[cpu] = add_cache(t, known, last_cache(pu));
	}
}

static bool is_node(hwloc_obj_t o)
{
	return o && o->type == HWLOC_OBJ_NUMANODE;
}

/* Pairs that a matrix leaves out have the kernel's default. */
static void copy_matrix(struct topology *t, hwloc_topology_t h,
			const struct hwloc_distances_s *d)
{
	hwloc_const_bitmap_t nodes = hwloc_topology_get_topology_nodeset(h);
	const unsigned int n = t->nr_nodes;

	t->has_distances = true;
	for (unsigned int i = 0; i < n * n; i++)
		t->distance[i] = i % (n + 1) ? TOPOLOGY_REMOTE_DISTANCE :
					       TOPOLOGY_LOCAL_DISTANCE;
	for (unsigned int i = 0; i < d->nbobjs; i++) {
		for (unsigned int j = 0; j < d->nbobjs; j++) {
			const uint64_t v = d->values[i * d->nbobjs + j];
			unsigned int from, to;

			if (!is_node(d->objs[i]) || !is_node(d->objs[j]))
				continue;
			from = rank_of(nodes, d->objs[i]->os_index);
			to = rank_of(nodes, d->objs[j]->os_index);
			t->distance[from * n + to] =
				(uint8_t)(v < 255 ? v : 255);
		}
	}
}

/* As slit_valid: 10 to itself, more to others, 255 is unreachable. */
static bool valid_matrix(const struct topology *t)
{
	const unsigned int n = t->nr_nodes;

	for (unsigned int i = 0; i < n * n; i++) {
		const uint8_t v = t->distance[i];

		if (i % (n + 1) ? v <= TOPOLOGY_LOCAL_DISTANCE || v == 255 :
				  v != TOPOLOGY_LOCAL_DISTANCE)
			return false;
	}
	return true;
}

static int scan_distances(struct topology *t, hwloc_topology_t h, char *why,
			  size_t why_size)
{
	struct hwloc_distances_s *d = NULL;
	unsigned int nr = 1;

	if (hwloc_distances_get_by_name(h, "NUMALatency", &nr, &d, 0) || !nr) {
		nr = 1;
		if (hwloc_distances_get_by_type(h, HWLOC_OBJ_NUMANODE, &nr, &d,
				HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0))
			nr = 0;
	}
	if (!nr || !d)
		return 0;
	copy_matrix(t, h, d);
	hwloc_distances_release(h, d);
	if (valid_matrix(t))
		return 0;
	snprintf(why, why_size, "its distances of nodes are not 10 from a "
		 "node to itself and 11 to 254 to others");
	return -EINVAL;
}

static int scan(struct topology *t, hwloc_topology_t h, const char *text,
		char *why, size_t why_size)
{
	const int nr = hwloc_get_nbobjs_by_type(h, HWLOC_OBJ_PU);
	const int nodes = hwloc_get_nbobjs_by_type(h, HWLOC_OBJ_NUMANODE);
	const int cores = hwloc_get_nbobjs_by_type(h, HWLOC_OBJ_CORE);
	char reason[120];

	memset(t, 0, sizeof(*t));
	if (nr < 1 || nr > ALLOC_MAX_CPUS || nodes < 1 ||
	    nodes > ALLOC_MAX_NODES) {
		snprintf(why, why_size, "topology '%.120s' has %d processing "
			 "units and %d nodes; 1..%d and 1..%d are possible",
			 text, nr, nodes, ALLOC_MAX_CPUS, ALLOC_MAX_NODES);
		return -EINVAL;
	}
	t->nr_nodes = (unsigned int)nodes;
	t->nr_cores = cores > 0 ? (unsigned int)cores : 0;
	scan_cpus(t, h);
	if (!scan_distances(t, h, reason, sizeof(reason)))
		return 0;
	snprintf(why, why_size, "topology '%.120s': %s", text, reason);
	return -EINVAL;
}

/* ---- descriptions ---- */

/* hwloc's part, then ours. */
static int load_text(struct topology *t, const char *text, char *why,
		     size_t why_size)
{
	const size_t head = topology_text_head(text);
	char first[OPTION_STRING_SIZE], reason[200];
	hwloc_topology_t h;
	int ret = 0;

	memset(t, 0, sizeof(*t));
	snprintf(first, sizeof(first), "%.*s", (int)head, text);
	if (head || !text[strspn(text, " ")]) {
		ret = topology_open(&h, first, true, why, why_size);
		if (ret)
			return ret;
		ret = scan(t, h, first, why, why_size);
		hwloc_topology_destroy(h);
	}
	if (ret)
		return ret;
	ret = topology_text_parse(t, text + head, reason, sizeof(reason));
	if (ret)
		snprintf(why, why_size, "topology '%.120s': %s; write "
			 TOPOLOGY_EXAMPLE, text, reason);
	return ret;
}

/*
 * hwloc's own line, if it says all there is to say. Sizes of memory would make
 * two experiments differ that simulate the same thing: the tree alone. 1, 0, or
 * -ENOMEM: then it is not known, and a cell would get another id.
 */
static int regular_line(const struct topology *t, const char *text, char *out,
			size_t out_size)
{
	const unsigned long flags =
		HWLOC_TOPOLOGY_EXPORT_SYNTHETIC_FLAG_NO_ATTRS;
	char first[OPTION_STRING_SIZE], why[300];
	struct topology again;
	hwloc_topology_t h;
	int len, err;

	if (!topology_text_head(text) || t->nr_caches)
		return 0;
	snprintf(first, sizeof(first), "%.*s", (int)topology_text_head(text),
		 text);
	err = topology_open(&h, first, false, why, sizeof(why));
	if (err)
		return err == -ENOMEM ? err : 0;
	len = hwloc_topology_export_synthetic(h, out, out_size, flags);
	hwloc_topology_destroy(h);
	if (len <= 0 || (size_t)len >= out_size)
		return 0;
	err = load_text(&again, out, why, sizeof(why));
	if (err)
		return err == -ENOMEM ? err : 0;
	return again.nr_cpus == t->nr_cpus && again.nr_nodes == t->nr_nodes &&
	       again.nr_cores == t->nr_cores &&
	       !memcmp(again.cpu_node, t->cpu_node, sizeof(t->cpu_node));
}

int sim_topology_resolve(const char *text, char *out, size_t out_size,
			 char *why, size_t why_size)
{
	char line[OPTION_STRING_SIZE];
	struct topology t;
	int regular, ret = load_text(&t, text, why, why_size);

	if (ret)
		return ret;
	regular = regular_line(&t, text, line, sizeof(line));
	if (regular < 0) {
		snprintf(why, why_size, "out of memory");
		return regular;
	}
	ret = topology_text_print(&t, regular ? line : NULL, out, out_size);
	if (!ret)
		return 0;
	snprintf(why, why_size, "topology '%.120s' is too irregular to be "
		 "told in %zu characters", text, out_size - 1);
	return -EINVAL;
}

int topology_load(struct topology *t, const char *text, char *why,
		  size_t why_size)
{
	return load_text(t, text, why, why_size);
}

unsigned int sim_topology_cpus(const char *text)
{
	struct topology t;
	char why[300];

	return load_text(&t, text, why, sizeof(why)) ? 0 : t.nr_cpus;
}

void sim_topology_describe(char *out, size_t out_size)
{
	const unsigned long flags =
		HWLOC_TOPOLOGY_EXPORT_SYNTHETIC_FLAG_NO_ATTRS;
	hwloc_topology_t h;
	char why[300];
	int len;

	snprintf(out, out_size, "unknown");
	if (topology_open(&h, "this", false, why, sizeof(why)))
		return;
	len = hwloc_topology_export_synthetic(h, out, out_size, flags);
	if (len <= 0 || (size_t)len >= out_size)
		snprintf(out, out_size, "irregular: %d nodes, %d cores, "
			 "%d processing units",
			 hwloc_get_nbobjs_by_type(h, HWLOC_OBJ_NUMANODE),
			 hwloc_get_nbobjs_by_type(h, HWLOC_OBJ_CORE),
			 hwloc_get_nbobjs_by_type(h, HWLOC_OBJ_PU));
	hwloc_topology_destroy(h);
}

/* Models update_per_cpu_data_slice_size, 6.7: only CPUs that are online share. */
void topology_cache_slices(const struct topology *t, uint32_t *pages)
{
	uint32_t sharing[ALLOC_MAX_CPUS] = { 0 };

	for (unsigned int i = 0; i < t->nr_cpus; i++)
		if (t->cpu_cache[i] != TOPOLOGY_NO_CACHE)
			sharing[t->cpu_cache[i]]++;
	for (unsigned int i = 0; i < t->nr_cpus; i++) {
		const uint16_t c = t->cpu_cache[i];

		pages[i] = c == TOPOLOGY_NO_CACHE ? 0 :
			   t->cache_size[c] / sharing[c] >> PAGE_SHIFT;
	}
}
