/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of a .blt block from events. A record names its shape (all fields
 * that repeat) by number; a shape is spelled out where it is first met.
 */
#include "trace/blt_format.h"

#define BUCKETS (2 * BLT_MAX_SHAPES)

void blt_encoder_reset(struct blt_encoder *e, enum blt_clock clock)
{
	memset(&e->state, 0, sizeof(e->state));
	memset(e->table, 0, sizeof(e->table));
	e->clock = clock;
	e->nr_shapes = 0;
}

static uint32_t hash(const struct blt_shape *s)
{
	uint64_t fields;

	memcpy(&fields, s, sizeof(fields));
	fields = (fields ^ s->gfp) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(fields >> 40);
}

/* The shape's number; nr_shapes, after adding it, if it is new. */
static unsigned int find_shape(struct blt_encoder *e,
			       const struct blt_shape *s)
{
	for (uint32_t i = hash(s);; i++) {
		uint16_t *bucket = &e->table[i % BUCKETS];

		if (!*bucket) {
			e->shapes[e->nr_shapes] = *s;
			*bucket = (uint16_t)(e->nr_shapes + 1);
			return e->nr_shapes;
		}
		if (!memcmp(&e->shapes[*bucket - 1], s, sizeof(*s)))
			return *bucket - 1u;
	}
}

static uint8_t *put_shape(struct blt_encoder *e, const struct blt_shape *s,
			  uint8_t *p)
{
	const uint8_t fields[BLT_SHAPE_BYTES] = {
		s->code, s->order, s->mt, s->zone, s->a, s->b, s->c, s->page,
	};

	memcpy(p, fields, sizeof(fields));
	e->nr_shapes++;
	return blt_put_varint(p + sizeof(fields), s->gfp);
}

static unsigned int context_of(const struct blt_state *st, unsigned int has,
			       const struct trace_event *ev)
{
	unsigned int ctx = 0;

	if (has & BLT_HAS_CPU && ev->cpu != st->cpu)
		ctx |= BLT_CTX_CPU;
	if (ev->task != st->task)
		ctx |= BLT_CTX_TASK;
	if (ev->line != st->line + 1)
		ctx |= BLT_CTX_LINE;
	return ctx;
}

static uint8_t *put_context(struct blt_state *st, unsigned int ctx,
			    const struct trace_event *ev, uint8_t *p)
{
	*p++ = (uint8_t)ctx;
	if (ctx & BLT_CTX_CPU)
		p = blt_put_varint(p, st->cpu = ev->cpu);
	if (ctx & BLT_CTX_TASK)
		p = blt_put_varint(p, st->task = ev->task);
	if (ctx & BLT_CTX_LINE)
		p = blt_put_varint(p, blt_zigzag((uint64_t)ev->line -
						 (st->line + 1u)));
	return p;
}

static uint8_t *put_page(struct blt_state *st, const struct blt_shape *s,
			 const struct trace_event *ev, uint8_t *p)
{
	const pfn_t pfn = ev->kind == TRACE_REQUEST ? ev->u.req.pfn :
						      ev->u.kmem.pfn;
	pfn_t *last = &st->pfn[s->code][st->cpu % BLT_CPU_SLOTS];

	p = blt_put_varint(p, blt_zigzag((uint64_t)pfn - *last));
	*last = pfn;
	return p;
}

static uint8_t *put_more(struct blt_state *st, const struct trace_event *ev,
			 uint8_t *p)
{
	const struct req_record *r = &ev->u.req;

	if (ev->kind == TRACE_LOST)
		return blt_put_varint(p, ev->u.lost);
	if (ev->kind == TRACE_MEM) {
		p = blt_put_varint(p, blt_zigzag(ev->u.mem.addr - st->addr));
		st->addr = ev->u.mem.addr + ev->u.mem.len;
		return blt_put_varint(p, ev->u.mem.len);
	}
	if (r->kind == REQ_K)
		return blt_put_varint(p, blt_zigzag((uint64_t)r->freed -
						    r->pfn));
	p = blt_put_varint(p, r->nr_pages);
	return blt_put_varint(p, r->count);
}

uint8_t *blt_encode(struct blt_encoder *e, const struct trace_event *ev,
		    uint8_t *p)
{
	struct blt_state *st = &e->state;
	struct blt_shape s;
	const uint64_t unit = blt_clock_unit(e->clock);
	unsigned int number, ctx, has;
	uint64_t time;

	blt_shape_of(ev, &s);
	has = blt_code(s.code)->has;
	number = find_shape(e, &s);
	ctx = context_of(st, has, ev);
	p = blt_put_varint(p, (uint64_t)number << 1 | (ctx != 0));
	if (number == e->nr_shapes)
		p = put_shape(e, &s, p);
	if (ctx)
		p = put_context(st, ctx, ev, p);
	st->line = ev->line;
	if (unit) {
		time = ev->ns / unit;
		p = blt_put_varint(p, blt_zigzag(time - st->time));
		st->time = time;
	}
	if (s.page)
		p = put_page(st, &s, ev, p);
	return has & BLT_HAS_MORE ? put_more(st, ev, p) : p;
}
