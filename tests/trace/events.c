/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events by chance, within the bounds that any reader of a trace keeps. */
#include "tests/trace/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static pfn_t random_pfn(struct rng *r, unsigned int order, bool may_fail)
{
	const uint32_t bits = rng_below(r, 31);

	if (may_fail && !rng_below(r, 8))
		return PFN_NONE;
	return pfn_align_down(rng_below(r, 1u << bits), order);
}

static void random_request(struct rng *r, uint8_t kind, struct trace_event *e)
{
	/* Which letter of request.c's table a kind has. */
	static const char *const fields[REQ_NR_KINDS] = {
		"coma", "coma", "coma", "czoma", "cop", "cop", "cop", "cop",
		"czdi", "zw", "czomp", "czomp", "czomp", "czomp", "czompf",
		"wp", "zpmd", "op", "zw", "cz", "zd",
	};
	struct req_record *q = &e->u.req;

	q->kind = kind;
	for (const char *f = fields[kind]; *f; f++) {
		if (*f == 'c')
			e->cpu = q->cpu = (uint16_t)rng_below(r, 40);
		else if (*f == 'o')
			q->order = (uint8_t)rng_below(r, 11);
		else if (*f == 'm')
			q->mt = (uint8_t)rng_below(r, 6);
		else if (*f == 'z')
			q->zone = (uint8_t)rng_below(r, 5);
		else if (*f == 'w')
			q->on = rng_below(r, 2);
		else if (*f == 'i')
			q->pindex = (uint8_t)rng_below(r, 14);
		else if (*f == 'f')
			q->freed = random_pfn(r, 0, false);
		else if (*f == 'a' || *f == 'p')
			q->pfn = random_pfn(r, q->order, *f == 'a');
		if (*f == 'd') {
			q->nr_pages = (uint32_t)rng_next(r);
			q->count = (uint32_t)rng_next(r);
		}
	}
	if (kind <= REQ_AK)
		q->gfp = (uint32_t)rng_next(r) >> rng_below(r, 32);
	if ((q->gfp & GFP_BOTH_TYPES) == GFP_BOTH_TYPES)
		q->gfp ^= rng_below(r, 2) ? 0x08 : 0x10;
}

static void random_kmem(struct rng *r, struct trace_event *e)
{
	struct trace_kmem *k = &e->u.kmem;

	e->cpu = (uint16_t)rng_below(r, 1024);
	k->order = (uint8_t)rng_below(r, 11);
	k->pfn = random_pfn(r, 0, true);
	if (e->kind == TRACE_ALLOC)
		k->gfp = (uint32_t)rng_next(r) >> rng_below(r, 32);
	if (e->kind != TRACE_FREE && e->kind != TRACE_FREE_BATCHED)
		k->mt = (uint8_t)rng_below(r, 6);
	if (e->kind == TRACE_ZONE_LOCKED)
		k->refill = rng_below(r, 2);
	if (e->kind == TRACE_EXTFRAG) {
		k->fallback_order = (uint8_t)rng_below(r, 11);
		k->fallback_mt = (uint8_t)rng_below(r, 6);
		k->change_ownership = rng_below(r, 2);
	}
}

void event_random(struct rng *r, unsigned int sort, uint32_t tasks,
		  struct trace_event *out)
{
	memset(out, 0, sizeof(*out));
	out->task = rng_below(r, tasks);
	out->line = (uint32_t)rng_next(r) >> rng_below(r, 32);
	if (sort < REQ_NR_KINDS) {
		out->kind = TRACE_REQUEST;
		random_request(r, (uint8_t)sort, out);
		return;
	}
	out->kind = (uint8_t)(sort - REQ_NR_KINDS + 1);
	if (out->kind == TRACE_LOST) {
		out->cpu = (uint16_t)rng_below(r, 8);
		out->u.lost = rng_next(r) >> rng_below(r, 64);
	} else if (out->kind == TRACE_MEM) {
		out->u.mem.addr = rng_next(r) >> rng_below(r, 64);
		out->u.mem.len = rng_next(r) >> rng_below(r, 64);
		out->u.mem.op = (uint8_t)rng_below(r, TRACE_MEM_NR_OPS);
	} else {
		random_kmem(r, out);
	}
}

static int kmem_text(const struct trace_kmem *k, char *out, size_t size)
{
	return snprintf(out, size, "pfn %u gfp %x order %u mt %u %d %u %u %d",
			k->pfn, k->gfp, k->order, k->mt, k->refill,
			k->fallback_order, k->fallback_mt,
			k->change_ownership);
}

void event_text(const struct trace_event *e, char *out, size_t size)
{
	const struct req_record *q = &e->u.req;
	const int n = snprintf(out, size, "%" PRIu64 " t%u l%u c%u k%u: ",
			       e->ns, e->task, e->line, e->cpu, e->kind);
	const size_t room = size - (size_t)n;

	out += n;
	if (e->kind == TRACE_LOST)
		snprintf(out, room, "%" PRIu64, e->u.lost);
	else if (e->kind == TRACE_MEM)
		snprintf(out, room, "%u %" PRIx64 " %" PRIx64, e->u.mem.op,
			 e->u.mem.addr, e->u.mem.len);
	else if (e->kind == TRACE_REQUEST)
		snprintf(out, room, "%u %u %u %u %u %u %d %u %u %x %u",
			 q->kind, q->order, q->mt, q->zone, q->cpu, q->pindex,
			 q->on, q->pfn, q->freed, q->gfp, q->count);
	else
		kmem_text(&e->u.kmem, out, room);
}
