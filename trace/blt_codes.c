/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each code of a .blt record has: one table that encoder and decoder
 * follow, so that they cannot disagree. The bounds are those of the request
 * stream; an event outside them is refused when it is written.
 */
#include "trace/blt_format.h"

#define PLAIN (BLT_IS_CODE | BLT_HAS_CPU)
#define ORDER_PAGE (PLAIN | BLT_HAS_ORDER | BLT_HAS_PAGE)
#define ALLOCATION (PLAIN | BLT_HAS_ORDER | BLT_HAS_GFP | BLT_HAS_TYPE | \
		    BLT_MAY_FAIL)
#define BLOCK (ORDER_PAGE | BLT_HAS_ZONE | BLT_HAS_TYPE)
#define TYPED_PAGE (ORDER_PAGE | BLT_HAS_TYPE)

#define KMEM(kind) [BLT_CODE_KMEM + (kind)]

static const struct blt_code codes[BLT_NR_CODES] = {
	[REQ_A] = { .has = ALLOCATION },
	[REQ_AB] = { .has = ALLOCATION },
	[REQ_AK] = { .has = ALLOCATION },
	[REQ_B] = { .has = PLAIN | BLT_HAS_ZONE | BLT_HAS_ORDER |
			   BLT_HAS_TYPE | BLT_MAY_FAIL },
	[REQ_F] = { .has = ORDER_PAGE },
	[REQ_FB] = { .has = ORDER_PAGE },
	[REQ_P] = { .has = ORDER_PAGE },
	[REQ_C] = { .has = ORDER_PAGE },
	[REQ_D] = { .has = PLAIN | BLT_HAS_ZONE | BLT_HAS_MORE,
		    .a_max = TRACE_MAX_PINDEX - 1 },
	[REQ_W] = { .has = BLT_IS_CODE | BLT_HAS_ZONE, .b_max = 1 },
	[REQ_I] = { .has = BLOCK },
	[REQ_R] = { .has = BLOCK },
	[REQ_TF] = { .has = BLOCK },
	[REQ_TB] = { .has = BLOCK },
	[REQ_K] = { .has = BLOCK | BLT_HAS_MORE },
	[REQ_T] = { .has = BLT_IS_CODE | BLT_HAS_PAGE, .b_max = 1 },
	[REQ_M] = { .has = BLT_IS_CODE | BLT_HAS_ZONE | BLT_HAS_TYPE |
			   BLT_HAS_PAGE | BLT_HAS_MORE },
	[REQ_Q] = { .has = BLT_IS_CODE | BLT_HAS_ORDER | BLT_HAS_PAGE },
	[REQ_L] = { .has = BLT_IS_CODE | BLT_HAS_ZONE, .b_max = 1 },
	[REQ_V] = { .has = PLAIN | BLT_HAS_ZONE },
	[REQ_G] = { .has = BLT_IS_CODE | BLT_HAS_ZONE | BLT_HAS_MORE },
	KMEM(TRACE_ALLOC) = { .has = ALLOCATION },
	KMEM(TRACE_FREE) = { .has = PLAIN | BLT_HAS_ORDER | BLT_MAY_FAIL },
	KMEM(TRACE_FREE_BATCHED) = { .has = PLAIN | BLT_HAS_ORDER |
					    BLT_MAY_FAIL },
	KMEM(TRACE_ZONE_LOCKED) = { .has = PLAIN | BLT_HAS_ORDER |
					   BLT_HAS_TYPE | BLT_MAY_FAIL,
				    .a_max = 1 },
	KMEM(TRACE_PCPU_DRAIN) = { .has = PLAIN | BLT_HAS_ORDER |
					  BLT_HAS_TYPE | BLT_MAY_FAIL },
	KMEM(TRACE_EXTFRAG) = { .has = PLAIN | BLT_HAS_ORDER | BLT_HAS_TYPE |
				       BLT_MAY_FAIL,
				.a_max = MAX_PAGE_ORDER,
				.b_max = TRACE_MAX_TYPES - 1, .c_max = 1 },
	KMEM(TRACE_LOST) = { .has = PLAIN | BLT_HAS_MORE },
	KMEM(TRACE_MEM) = { .has = PLAIN | BLT_HAS_MORE,
			    .a_max = TRACE_MEM_NR_OPS - 1 },
};

const struct blt_code *blt_code(unsigned int code)
{
	return code < BLT_NR_CODES && codes[code].has ? &codes[code] : NULL;
}

void blt_shape_of(const struct trace_event *e, struct blt_shape *s)
{
	const struct req_record *r = &e->u.req;
	const struct trace_kmem *k = &e->u.kmem;
	unsigned int has;

	memset(s, 0, sizeof(*s));
	if (e->kind == TRACE_REQUEST) {
		has = codes[r->kind].has;
		s->code = r->kind;
		s->order = has & BLT_HAS_ORDER ? r->order : 0;
		s->mt = has & BLT_HAS_TYPE ? r->mt : 0;
		s->zone = has & BLT_HAS_ZONE ? r->zone : 0;
		s->a = r->kind == REQ_D ? r->pindex : 0;
		s->b = codes[r->kind].b_max ? r->on : 0;
		s->gfp = has & BLT_HAS_GFP ? r->gfp : 0;
		s->page = has & BLT_HAS_PAGE ||
			  (has & BLT_MAY_FAIL && r->pfn != PFN_NONE);
		return;
	}
	s->code = (uint8_t)(BLT_CODE_KMEM + e->kind);
	has = codes[s->code].has;
	if (e->kind == TRACE_MEM)
		s->a = e->u.mem.op;
	if (e->kind == TRACE_MEM || e->kind == TRACE_LOST)
		return;
	s->order = k->order;
	s->mt = has & BLT_HAS_TYPE ? k->mt : 0;
	s->gfp = has & BLT_HAS_GFP ? k->gfp : 0;
	s->page = k->pfn != PFN_NONE;
	if (e->kind == TRACE_ZONE_LOCKED)
		s->a = k->refill;
	if (e->kind == TRACE_EXTFRAG) {
		s->a = k->fallback_order;
		s->b = k->fallback_mt;
		s->c = k->change_ownership;
	}
}

const char *blt_shape_check(const struct blt_shape *s)
{
	const struct blt_code *c = blt_code(s->code);

	if (!c)
		return "a kind of record that this version does not know";
	if (s->order > (c->has & BLT_HAS_ORDER ? MAX_PAGE_ORDER : 0))
		return "an order that does not exist";
	if (s->mt >= (c->has & BLT_HAS_TYPE ? TRACE_MAX_TYPES : 1))
		return "a migratetype that does not exist";
	if (s->zone >= (c->has & BLT_HAS_ZONE ? TRACE_MAX_ZONES : 1))
		return "a zone that does not exist";
	if (s->a > c->a_max || s->b > c->b_max || s->c > c->c_max ||
	    (s->gfp && !(c->has & BLT_HAS_GFP)))
		return "a field out of its range";
	if (s->code < BLT_CODE_KMEM &&
	    (s->gfp & GFP_BOTH_TYPES) == GFP_BOTH_TYPES)
		return "a request for pages of two types";
	if (s->page > !!(c->has & (BLT_HAS_PAGE | BLT_MAY_FAIL)) ||
	    (!s->page && c->has & BLT_HAS_PAGE))
		return "a page where there is none, or none where there is one";
	return NULL;
}

static const char *check_request(const struct req_record *r)
{
	const unsigned int has = codes[r->kind].has;
	const uint64_t pages = has & BLT_HAS_ORDER ? order_nr_pages(r->order) :
						     1;

	if (r->kind == REQ_K && r->freed >= TRACE_MAX_PFN)
		return "a freed page beyond the format's bound";
	if (!(has & (BLT_HAS_PAGE | BLT_MAY_FAIL)) ||
	    (has & BLT_MAY_FAIL && r->pfn == PFN_NONE))
		return NULL;
	if (r->pfn & (pages - 1))
		return "a page that is not aligned to its order";
	if (r->pfn + pages > TRACE_MAX_PFN)
		return "a page beyond the format's bound";
	return NULL;
}

const char *blt_check(const struct trace_event *e)
{
	const bool request = e->kind == TRACE_REQUEST;
	struct blt_shape s;
	const char *why;

	if (e->kind >= TRACE_NR_KINDS ||
	    (request && e->u.req.kind >= REQ_NR_KINDS))
		return "a kind that does not exist";
	if (e->cpu >= TRACE_MAX_CPUS)
		return "a CPU beyond the format's bound";
	if (request && (e->cpu != e->u.req.cpu ||
			(e->cpu && !(codes[e->u.req.kind].has & BLT_HAS_CPU))))
		return "two CPUs, or one where the kind has none";
	blt_shape_of(e, &s);
	why = blt_shape_check(&s);
	return why || !request ? why : check_request(&e->u.req);
}

enum blt_clock blt_clock_of(const struct trace_event *e, enum blt_clock now)
{
	if (now == BLT_CLOCK_NSEC || !e->ns)
		return now;
	return e->ns % NSEC_PER_USEC ? BLT_CLOCK_NSEC : BLT_CLOCK_USEC;
}
