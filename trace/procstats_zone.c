/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reader of recorded /proc/zoneinfo, as zoneinfo_show_print (5.3 to 6.18)
 * prints it: sizes, watermarks, lowmem reserves and pagesets. Zones without
 * memory and all other lines are passed over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/procstats_internal.h"

void proc_zoneinfo_end(struct procstats *p)
{
	if (!p->nr_zones || p->zones[p->nr_zones - 1].spanned)
		return;
	free(p->zones[p->nr_zones - 1].pagesets);
	p->nr_zones--;
}

static int begin_zone(struct procstats *p, unsigned int node,
		      const char zone[16])
{
	struct proc_zone *z;

	proc_zoneinfo_end(p);
	if (p->nr_zones == TRACE_MAX_ZONES)
		return -EINVAL;
	z = &p->zones[p->nr_zones++];
	*z = (struct proc_zone){ .node = node };
	memcpy(z->name, zone, sizeof(z->name));
	return 0;
}

static int add_pageset(struct proc_zone *z, uint64_t cpu)
{
	struct proc_pageset *sets;

	if (cpu != z->nr_cpus || cpu >= TRACE_MAX_CPUS)
		return -EINVAL;
	sets = realloc(z->pagesets, (z->nr_cpus + 1) * sizeof(*sets));
	if (!sets)
		return -ENOMEM;
	z->pagesets = sets;
	sets[z->nr_cpus++] = (struct proc_pageset){ 0 };
	return 0;
}

static void pageset_field(struct proc_zone *z, const char *name, uint64_t value)
{
	struct proc_pageset *ps;
	const uint32_t n = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;

	if (!z->nr_cpus)
		return;
	ps = &z->pagesets[z->nr_cpus - 1];
	if (!strcmp(name, "count:"))
		ps->count = n;
	else if (!strcmp(name, "high:"))
		ps->high = n;
	else if (!strcmp(name, "batch:"))
		ps->batch = n;
	else if (!strcmp(name, "high_min:"))
		ps->high_min = n;
	else if (!strcmp(name, "high_max:"))
		ps->high_max = n;
}

static void parse_protection(struct proc_zone *z, const char *at)
{
	at += strspn(at, " (");
	for (unsigned int i = 0; i < TRACE_MAX_ZONES; i++) {
		if (!proc_number(&at, &z->protection[i]))
			return;
		at += strspn(at, ", ");
	}
}

static void zone_field(struct proc_zone *z, const char *name, uint64_t value)
{
	const struct {
		const char *name;
		uint64_t *field;
	} fields[] = {
		{ "boost", &z->boost }, { "min", &z->min }, { "low", &z->low },
		{ "high", &z->high }, { "spanned", &z->spanned },
		{ "present", &z->present }, { "managed", &z->managed },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!strcmp(name, fields[i].name))
			*fields[i].field = value;
	if (!strcmp(name, "start_pfn:") && value < TRACE_MAX_PFN)
		z->start = (pfn_t)value;
}

int proc_zoneinfo_line(struct procstats *p, bool *in_zone, const char *text)
{
	unsigned int node;
	struct proc_zone *z;
	char name[16];
	const char *at = text;
	uint64_t value;

	if (proc_zone_line(&at, &node, name)) {
		*in_zone = true;
		return begin_zone(p, node, name);
	}
	at = text;
	if (!*in_zone || !proc_name(&at, name))
		return 0;
	z = &p->zones[p->nr_zones - 1];
	if (!strcmp(name, "pages")) {
		if (proc_name(&at, name) && proc_number(&at, &value))
			z->free = value;
		return 0;
	}
	if (!strcmp(name, "protection:")) {
		parse_protection(z, at);
		return 0;
	}
	if (!proc_number(&at, &value))
		return 0;
	if (!strcmp(name, "cpu:"))
		return add_pageset(z, value);
	zone_field(z, name, value);
	pageset_field(z, name, value);
	return 0;
}
