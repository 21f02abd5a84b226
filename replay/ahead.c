/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records handed out in order, read ahead by the T, M and K records that stand
 * behind one: they belong to it as well as those in front of it do.
 */
#include <errno.h>
#include <stdlib.h>

#include "replay/internal.h"

/* How far to look for a record of a CPU. */
#define MAX_SIGHT 256

struct ahead {
	unsigned int first, nr;
	int last;            /* what the stream said after the entries; 1 = more */
	struct trace_event entries[MAX_PENDING];
};

struct ahead *ahead_create(void)
{
	struct ahead *a = calloc(1, sizeof(*a));

	if (a)
		a->last = 1;
	return a;
}

void ahead_destroy(struct ahead *a)
{
	free(a);
}

static const struct trace_event *newest(const struct ahead *a)
{
	return &a->entries[(a->first + a->nr - 1) % MAX_PENDING];
}

static const struct req_record *entry(const struct ahead *a, unsigned int i)
{
	return &a->entries[(a->first + i) % MAX_PENDING].u.req;
}

/* Read one record; false when the stream has no more for now. */
static bool read_one(struct replay *r)
{
	struct ahead *a = r->ahead;
	struct trace_event *e = &a->entries[(a->first + a->nr) % MAX_PENDING];

	/* Tracepoints beside requests tell the same story twice. */
	do {
		a->last = next_event(r, e);
		if (a->last != 1)
			return false;
	} while (e->kind != TRACE_REQUEST && ++r->res.passed_over);
	a->nr++;
	return true;
}

static bool is_companion(const struct req_record *rec)
{
	return rec->kind == REQ_T || rec->kind == REQ_M || rec->kind == REQ_K;
}

/* Read until a record that is no companion is in sight. */
static void read_companions(struct replay *r)
{
	struct ahead *a = r->ahead;

	while (a->nr < MAX_PENDING && a->last == 1) {
		if (a->nr && !is_companion(&newest(a)->u.req))
			return;
		if (!read_one(r))
			return;
		hints_take_up(r, &newest(a)->u.req);
	}
}

const struct req_record *ahead_peek(const struct replay *r)
{
	const struct ahead *a = r->ahead;

	for (unsigned int i = 0; i < a->nr; i++)
		if (!is_companion(entry(a, i)))
			return entry(a, i);
	return NULL;
}

static bool may_reclaim(const struct req_record *rec)
{
	return (rec->kind == REQ_A || rec->kind == REQ_AB ||
		rec->kind == REQ_AK) &&
	       (rec->gfp & GFP_BIT_DIRECT_RECLAIM);
}

const struct req_record *ahead_reclaimer(struct replay *r, unsigned int cpu)
{
	struct ahead *a = r->ahead;

	for (unsigned int i = 0; i < MAX_SIGHT; i++) {
		if (i == a->nr) {
			if (a->last != 1 || !read_one(r))
				return NULL;
			hints_take_up(r, entry(a, i));
		}
		if (may_reclaim(entry(a, i)) && entry(a, i)->cpu == cpu)
			return entry(a, i);
	}
	return NULL;
}

int ahead_next(struct replay *r, struct req_record *out)
{
	struct ahead *a = r->ahead;
	int ret;

	if (!a->nr && a->last == 1 && read_one(r))
		hints_take_up(r, &newest(a)->u.req);
	if (!a->nr) {
		ret = a->last;
		/* A wrong line is told once; behind it there may be more. */
		if (ret == -EINVAL)
			a->last = 1;
		return ret;
	}
	*out = a->entries[a->first].u.req;
	r->line = a->entries[a->first].line;
	a->first = (a->first + 1) % MAX_PENDING;
	/* Few are ahead as a rule: stay in the cache lines at hand. */
	if (!--a->nr)
		a->first = 0;
	if (!is_companion(out))
		read_companions(r);
	return 1;
}
