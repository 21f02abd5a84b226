/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The promises of percpu_array: see the comment of percpu_array.c. */
#include "reporter/in_flight.h"
#include "reporter/percpu_array.h"

/* Only what lies in its zone can have been freed there. */
static const char *check_entries(const struct reporter *r,
				 const struct array_cpu *c)
{
	const bool alone = c->compacted &&
		percpu_array_options(r)->variant == ARRAY_V8;

	for (unsigned int i = 0; i < c->nr; i++) {
		const struct captured_block *e = &c->captured[i];

		if (alloc_zone_of(r->env->view, e->pfn) != e->zone)
			return "percpu_array: an entry names the wrong zone";
		for (unsigned int j = 0; alone && j < i; j++)
			if (c->captured[j].pfn == e->pfn)
				return "percpu_array: a block is remembered "
				       "twice after compaction";
	}
	return NULL;
}

static const char *check_cpu(const struct reporter *r,
			     const struct array_cpu *c)
{
	const struct percpu_array *s = r->state;
	const char *broken;

	if (c->nr > s->capacity || c->nr_isolated > s->capacity)
		return "percpu_array: more blocks than fit";
	if ((c->state == ARRAY_WITH_HOST) != (c->nr_isolated > 0))
		return "percpu_array: blocks isolated, but not with the host";
	if (c->state == ARRAY_WAKING && c->nr < s->threshold)
		return "percpu_array: a thread is woken for nothing";
	if (c->state == ARRAY_CAPTURE && c->nr >= s->threshold)
		return "percpu_array: nobody looks at a full array";
	if (!s->registered && c->state == ARRAY_CAPTURE && c->nr)
		return "percpu_array: frees remembered without a device";
	broken = check_entries(r, c);
	return broken ? broken :
	       in_flight_check(r, c->isolated, c->nr_isolated, 0);
}

const char *percpu_array_check(const struct reporter *r)
{
	const struct percpu_array *s = r->state;

	if (s->frees != r->counters.captured + r->counters.captures_lost)
		return "percpu_array: a free was neither remembered nor lost";
	for (unsigned int cpu = 0; cpu < s->nr_cpus; cpu++) {
		const char *broken = check_cpu(r, &s->cpus[cpu]);

		if (broken)
			return broken;
	}
	return NULL;
}
