/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From trace events to a stream of calls without page frame numbers. The
 * events are those of include/trace/events/kmem.h, 5.3 to 6.18: a call is one
 * mm_page_alloc or mm_page_free; mm_page_free_batched repeats frees.
 *
 * Left out: allocations that no stock tracepoint shows, such as the stacks
 * that vmalloc takes in bulk.
 */
#include "replay/stream.h"

#include <errno.h>
#include <stdlib.h>

#include "alloc/alloc.h"

/*
 * The last allocation of each page: open addressing, grown at half full. Keys
 * stay, so its size is bounded by the pages that the trace names.
 */
struct page_entry {
	pfn_t pfn;
	uint32_t call;     /* of the task, or STREAM_NONE: somebody else's */
	uint8_t cls, order, mt;
	bool used, live;
};

struct page_map {
	struct page_entry *entries;
	uint32_t mask, nr;
};

#define PAGE_MAP_FIRST 1024u

static uint32_t page_hash(pfn_t pfn)
{
	uint32_t h = pfn * 0x9e3779b1u;

	return h ^ h >> 15;
}

static struct page_entry *page_slot(const struct page_map *m, pfn_t pfn)
{
	uint32_t i = page_hash(pfn) & m->mask;

	while (m->entries[i].used && m->entries[i].pfn != pfn)
		i = (i + 1) & m->mask;
	return &m->entries[i];
}

static int page_map_grow(struct page_map *m)
{
	struct page_map next = { .mask = m->mask * 2 + 1, .nr = m->nr };

	next.entries = calloc((size_t)next.mask + 1, sizeof(*next.entries));
	if (!next.entries)
		return -ENOMEM;
	for (uint32_t i = 0; i <= m->mask; i++)
		if (m->entries[i].used)
			*page_slot(&next, m->entries[i].pfn) = m->entries[i];
	free(m->entries);
	*m = next;
	return 0;
}

/* The entry of a page, made if need be; NULL without memory. */
static struct page_entry *page_entry(struct page_map *m, pfn_t pfn)
{
	struct page_entry *e;

	if (m->nr >= m->mask / 2 && page_map_grow(m))
		return NULL;
	e = page_slot(m, pfn);
	if (!e->used) {
		*e = (struct page_entry){ .pfn = pfn, .used = true };
		m->nr++;
	}
	return e;
}

int stream_init(struct stream *s)
{
	*s = (struct stream){ .nr = 0 };
	s->pages = calloc(1, sizeof(*s->pages));
	if (!s->pages)
		return -ENOMEM;
	s->pages->mask = PAGE_MAP_FIRST - 1;
	s->pages->entries = calloc(PAGE_MAP_FIRST,
				   sizeof(*s->pages->entries));
	return s->pages->entries ? 0 : -ENOMEM;
}

void stream_free(struct stream *s)
{
	if (s->pages)
		free(s->pages->entries);
	free(s->pages);
	free(s->calls);
	*s = (struct stream){ .nr = 0 };
}

static int stream_add(struct stream *s, const struct stream_call *call)
{
	struct stream_call *calls;

	if (s->nr == s->capacity) {
		const uint32_t capacity = s->capacity * 2 + 1024;

		if (s->nr >= STREAM_MAX_CALLS)
			return -EFBIG;
		calls = realloc(s->calls, capacity * sizeof(*calls));
		if (!calls)
			return -ENOMEM;
		s->calls = calls;
		s->capacity = capacity;
	}
	s->calls[s->nr++] = *call;
	return 0;
}

static int put_alloc(struct stream *s, const struct trace_kmem *k, bool mine)
{
	const struct stream_call call = {
		.gfp = k->gfp, .other = STREAM_NONE,
		.order = k->order, .mt = k->mt,
		.cls = (uint8_t)stream_classify(k->order, k->mt, k->gfp),
		.failed = k->pfn == PFN_NONE,
	};
	struct page_entry *e;

	if (k->pfn != PFN_NONE) {
		e = page_entry(s->pages, k->pfn);
		if (!e)
			return -ENOMEM;
		e->live = true;
		e->call = mine ? s->nr : STREAM_NONE;
		e->cls = call.cls;
		e->order = k->order;
		e->mt = k->mt;
	}
	return mine ? stream_add(s, &call) : 0;
}

/* Of a page from before the trace only the order is known: that of the free. */
static int put_free(struct stream *s, const struct trace_kmem *k, bool mine)
{
	struct page_entry *e = page_slot(s->pages, k->pfn);
	const bool known = e->used && e->live && e->order == k->order;
	struct stream_call call = {
		.is_free = true, .other = STREAM_NONE, .order = k->order,
		.mt = MIGRATE_TYPES, .cls = STREAM_ELSEWHERE,
	};

	if (known && e->call != STREAM_NONE) {
		call.other = e->call;
		call.mt = e->mt;
		call.cls = e->cls;
		if (mine)
			s->calls[e->call].other = s->nr;
		else
			s->freed_elsewhere++;
	}
	if (e->used)
		e->live = false;
	return mine ? stream_add(s, &call) : 0;
}

int stream_put(struct stream *s, const struct trace_event *e, bool mine)
{
	switch (e->kind) {
	case TRACE_ALLOC:
		return put_alloc(s, &e->u.kmem, mine);
	case TRACE_FREE:
		return put_free(s, &e->u.kmem, mine);
	case TRACE_FREE_BATCHED:
		s->batched += mine;
		return 0;
	default:
		return 0;
	}
}

static enum stream_class classify_user(unsigned int order, uint32_t gfp)
{
	const uint32_t huge = GFP_BIT_NOMEMALLOC | GFP_BIT_NOWARN |
			      GFP_BIT_COMP;

	if (order == HPAGE_PMD_ORDER && (gfp & huge) == huge)
		return STREAM_HUGE;
	/* Readahead does not try hard. */
	if (gfp & (GFP_BIT_NORETRY | GFP_BIT_WRITE))
		return STREAM_CACHE;
	return gfp & GFP_BIT_ZERO ? STREAM_ANON : STREAM_COPY;
}

enum stream_class stream_classify(unsigned int order, unsigned int mt,
				  uint32_t gfp)
{
	const uint32_t table = GFP_PAGE_TABLE & ~GFP_BIT_ACCOUNT;

	if (mt == MIGRATE_MOVABLE)
		return gfp & GFP_BIT_HARDWALL ? classify_user(order, gfp) :
						STREAM_MOVABLE;
	if (mt != MIGRATE_UNMOVABLE)
		return STREAM_MOVABLE;
	if (!(gfp & GFP_BIT_DIRECT_RECLAIM) && (gfp & GFP_GATHER) == GFP_GATHER)
		return STREAM_GATHER;
	/* Slabs are tried at a generous order first. */
	if ((gfp & (GFP_BIT_NORETRY | GFP_BIT_NOWARN)) ==
	    (GFP_BIT_NORETRY | GFP_BIT_NOWARN))
		return STREAM_SLAB;
	if (order <= 1 && (gfp & table) == table)
		return STREAM_TABLE;
	return STREAM_KERNEL;
}

const char *stream_class_name(enum stream_class c)
{
	static const char *const names[] = {
		[STREAM_HUGE] = "huge page",
		[STREAM_ANON] = "anonymous page",
		[STREAM_COPY] = "copy or cache page",
		[STREAM_TABLE] = "page table",
		[STREAM_GATHER] = "gather page",
		[STREAM_CACHE] = "page read from a file",
		[STREAM_SLAB] = "slab page",
		[STREAM_MOVABLE] = "movable or reclaimable",
		[STREAM_KERNEL] = "kernel memory",
		[STREAM_ELSEWHERE] = "page from elsewhere",
	};

	return names[c];
}
