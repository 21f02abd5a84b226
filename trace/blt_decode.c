/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events of a .blt block from its records. The block is followed by room that
 * no record can cross, so the end is looked at once per record and not once
 * per byte. What a block holds is not trusted: numbers are checked before they
 * index anything, and the events keep the bounds of the request stream.
 */
#include "trace/blt_format.h"

static bool wrong(struct blt_decoder *d, const char *why)
{
	d->why = why;
	return false;
}

bool blt_decoder_start(struct blt_decoder *d, const uint8_t *block,
		       size_t size, uint32_t nr_tasks)
{
	uint32_t clock;

	memset(&d->state, 0, sizeof(d->state));
	d->nr_shapes = 0;
	d->nr_tasks = nr_tasks;
	d->why = NULL;
	d->left = 0;
	d->at = d->end = block + size;
	if (size < BLT_BLOCK_HEADER)
		return wrong(d, "the block is shorter than its header");
	clock = blt_get32(block + 4);
	if (clock >= BLT_NR_CLOCKS || blt_get64(block + 8))
		return wrong(d, "the block's header is not of this version");
	d->unit = blt_clock_unit(clock);
	d->left = blt_get32(block);
	d->at = block + BLT_BLOCK_HEADER;
	return true;
}

/* Reads at most 10 bytes; what does not fit in 64 bits is cut off. */
static inline uint64_t get_varint(const uint8_t **p)
{
	uint64_t v = *(*p)++;

	if (__builtin_expect(v < 0x80, 1))
		return v;
	v &= 0x7f;
	for (unsigned int shift = 7; shift < 64; shift += 7) {
		const uint8_t byte = *(*p)++;

		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			break;
	}
	return v;
}

static void fill_request(struct trace_event *e, const struct blt_shape *s)
{
	struct req_record *r = &e->u.req;

	e->kind = TRACE_REQUEST;
	r->kind = s->code;
	r->order = s->order;
	r->mt = s->mt;
	r->zone = s->zone;
	r->pindex = s->a;
	r->on = s->b != 0;
	r->gfp = s->gfp;
}

static void fill_kmem(struct trace_event *e, const struct blt_shape *s)
{
	struct trace_kmem *k = &e->u.kmem;

	k->gfp = s->gfp;
	k->order = s->order;
	k->mt = s->mt;
	if (e->kind == TRACE_ZONE_LOCKED)
		k->refill = s->a != 0;
	if (e->kind == TRACE_EXTFRAG) {
		k->fallback_order = s->a;
		k->fallback_mt = s->b;
		k->change_ownership = s->c != 0;
	}
}

_Static_assert(BLT_MAX_SHAPES == 1u << PLAIN_CPU_SHIFT &&
	       TRACE_MAX_CPUS == 1u << (PLAIN_ORDER_SHIFT - PLAIN_CPU_SHIFT) &&
	       REQ_NR_KINDS <= 1u << (32 - PLAIN_KIND_SHIFT),
	       "a plain record's word");

static void fill_template(struct blt_template *t, const struct blt_shape *s)
{
	const unsigned int has = blt_code(s->code)->has;

	memset(t, 0, sizeof(*t));
	t->code = s->code;
	t->request = s->code < BLT_CODE_KMEM;
	t->has = has & (BLT_HAS_CPU | BLT_HAS_MORE);
	if (s->page)
		t->has |= BLT_HAS_PAGE;
	if (t->request)
		fill_request(&t->event, s);
	else
		t->event.kind = (uint8_t)(s->code - BLT_CODE_KMEM);
	if (t->event.kind == TRACE_MEM)
		t->event.u.mem.op = s->a;
	else if (!t->request && t->event.kind != TRACE_LOST)
		fill_kmem(&t->event, s);
	if (!s->page && has & BLT_MAY_FAIL && t->request)
		t->event.u.req.pfn = PFN_NONE;
	if (!s->page && has & BLT_MAY_FAIL && !t->request)
		t->event.u.kmem.pfn = PFN_NONE;
}

__attribute__((noinline))
static bool define_shape(struct blt_decoder *d, const uint8_t **p)
{
	const uint8_t *f = *p;
	const struct blt_shape s = { f[0], f[1], f[2], f[3], f[4], f[5], f[6],
				     f[7], 0 };
	struct blt_shape whole = s;
	const char *why;
	uint64_t gfp;

	*p += BLT_SHAPE_BYTES;
	gfp = get_varint(p);
	whole.gfp = (uint32_t)gfp;
	why = gfp > UINT32_MAX ? "a GFP mask of more than 32 bits" :
	      blt_shape_check(&whole);
	if (why)
		return wrong(d, why);
	if (d->nr_shapes == BLT_MAX_SHAPES)
		return wrong(d, "more shapes than a block may have");
	fill_template(&d->shapes[d->nr_shapes], &whole);
	d->shapes[d->nr_shapes].plain =
		d->nr_shapes | (uint32_t)whole.order << PLAIN_ORDER_SHIFT |
		(uint32_t)whole.code << PLAIN_KIND_SHIFT;
	d->nr_shapes++;
	return true;
}

__attribute__((noinline))
static bool read_context(struct blt_decoder *d, const uint8_t **p)
{
	struct blt_state *st = &d->state;
	const unsigned int ctx = *(*p)++;
	uint64_t v;

	if (ctx & ~BLT_CTX_ALL || !ctx)
		return wrong(d, "a change of context of an unknown sort");
	if (ctx & BLT_CTX_CPU) {
		v = get_varint(p);
		if (v >= TRACE_MAX_CPUS)
			return wrong(d, "a CPU beyond the format's bound");
		st->cpu = (uint16_t)v;
	}
	if (ctx & BLT_CTX_TASK) {
		v = get_varint(p);
		if (v >= d->nr_tasks)
			return wrong(d, "a task that is not in the table");
		st->task = (uint32_t)v;
	}
	if (ctx & BLT_CTX_LINE)
		st->line += (uint32_t)blt_unzigzag(get_varint(p));
	return true;
}

static inline bool request_page(struct blt_decoder *d, unsigned int order,
				uint64_t pfn, pfn_t *out)
{
	const uint64_t pages = order_nr_pages(order);

	if (__builtin_expect((pfn & (pages - 1)) != 0 ||
			     pfn > TRACE_MAX_PFN - pages, 0))
		return wrong(d, "a page that is not aligned, or beyond the format's bound");
	*out = (pfn_t)pfn;
	return true;
}

static inline bool read_page(struct blt_decoder *d,
			     const struct blt_template *t,
			     struct trace_event *e, const uint8_t **p)
{
	pfn_t *last = &d->state.pfn[t->code][d->state.cpu % BLT_CPU_SLOTS];
	const uint64_t pfn = *last + blt_unzigzag(get_varint(p));

	*last = (pfn_t)pfn;
	if (t->request)
		return request_page(d, e->u.req.order, pfn, &e->u.req.pfn);
	if (__builtin_expect(pfn >= PFN_NONE, 0))
		return wrong(d, "a page beyond 32 bits");
	e->u.kmem.pfn = (pfn_t)pfn;
	return true;
}

__attribute__((noinline))
static bool read_more(struct blt_decoder *d, struct trace_event *e,
		      const uint8_t **p)
{
	struct req_record *r = &e->u.req;
	const uint64_t first = get_varint(p);
	uint64_t second;

	if (e->kind == TRACE_LOST) {
		e->u.lost = first;
		return true;
	}
	if (e->kind == TRACE_REQUEST && r->kind == REQ_K) {
		second = r->pfn + blt_unzigzag(first);
		r->freed = (pfn_t)second;
		return second < TRACE_MAX_PFN ||
		       wrong(d, "a freed page beyond the format's bound");
	}
	second = get_varint(p);
	if (e->kind == TRACE_MEM) {
		e->u.mem.addr = d->state.addr + blt_unzigzag(first);
		e->u.mem.len = second;
		d->state.addr = e->u.mem.addr + second;
		return true;
	}
	r->nr_pages = (uint32_t)first;
	r->count = (uint32_t)second;
	return (first <= UINT32_MAX && second <= UINT32_MAX) ||
	       wrong(d, "a count of more than 32 bits");
}

/* The shape of the next record, and what changes before it; NULL: see why. */
static inline const struct blt_template *read_head(struct blt_decoder *d,
						   const uint8_t **p)
{
	const uint64_t head = get_varint(p);

	if (__builtin_expect(head >> 1 >= d->nr_shapes, 0) &&
	    (head >> 1 != d->nr_shapes || !define_shape(d, p))) {
		if (!d->why)
			wrong(d, "a shape that was not defined");
		return NULL;
	}
	if (head & 1 && !read_context(d, p))
		return NULL;
	return &d->shapes[head >> 1];
}

static inline bool read_record(struct blt_decoder *d, const uint8_t **p,
			       struct trace_event *e)
{
	struct blt_state *st = &d->state;
	const struct blt_template *t = read_head(d, p);

	if (!t)
		return false;
	*e = t->event;
	e->task = st->task;
	e->line = ++st->line;
	if (d->unit) {
		st->time += blt_unzigzag(get_varint(p));
		e->ns = st->time * d->unit;
	}
	if (t->has & BLT_HAS_CPU) {
		e->cpu = st->cpu;
		if (t->request)
			e->u.req.cpu = st->cpu;
	}
	if (t->has & BLT_HAS_PAGE && !read_page(d, t, e, p))
		return false;
	return !(t->has & BLT_HAS_MORE) || read_more(d, e, p);
}

/* The records up to p were read: does the block end where it should? */
static void finish_batch(struct blt_decoder *d, const uint8_t *p,
			 unsigned int nr)
{
	d->at = p;
	d->left -= nr;
	if (!d->why && !d->left && p != d->end)
		wrong(d, "bytes behind the last record");
}

unsigned int blt_decode(struct blt_decoder *d, struct trace_event *out,
			unsigned int n)
{
	const uint8_t *p = d->at;
	unsigned int i;

	if (n > d->left)
		n = d->left;
	for (i = 0; i < n; i++) {
		if (!read_record(d, &p, &out[i]))
			break;
		if (__builtin_expect(p > d->end, 0)) {
			wrong(d, "a record that does not end");
			break;
		}
	}
	finish_batch(d, p, i);
	return i;
}

static inline bool read_plain(struct blt_decoder *d, const uint8_t **p,
			      struct blt_plain *out)
{
	const struct blt_template *t = read_head(d, p);
	uint32_t cpu;
	uint64_t pfn;
	pfn_t *last;

	if (!t)
		return false;
	if (__builtin_expect(!t->request || t->has & BLT_HAS_MORE, 0))
		return wrong(d, "an event that the index does not have");
	d->state.line++;
	if (d->unit)
		d->state.time += blt_unzigzag(get_varint(p));
	cpu = t->has & BLT_HAS_CPU ? d->state.cpu : 0;
	out->word = t->plain | cpu << PLAIN_CPU_SHIFT;
	out->page = t->event.u.req.pfn;
	if (!(t->has & BLT_HAS_PAGE))
		return true;
	last = &d->state.pfn[t->code][d->state.cpu % BLT_CPU_SLOTS];
	pfn = *last + blt_unzigzag(get_varint(p));
	*last = (pfn_t)pfn;
	return request_page(d, t->event.u.req.order, pfn, &out->page);
}

unsigned int blt_decode_plain(struct blt_decoder *d, struct blt_plain *out,
			      uint32_t *lines, unsigned int n)
{
	const uint8_t *p = d->at;
	unsigned int i;

	if (n > d->left)
		n = d->left;
	for (i = 0; i < n; i++) {
		if (!read_plain(d, &p, &out[i]))
			break;
		lines[i] = d->state.line;
		if (__builtin_expect(p > d->end, 0)) {
			wrong(d, "a record that does not end");
			break;
		}
	}
	finish_batch(d, p, i);
	return i;
}
