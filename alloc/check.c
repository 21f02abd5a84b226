/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alloc_check(): every invariant of the allocator, from two sides. The lists
 * are walked and each node's record is compared with the list it is on; then
 * the records are scanned, which finds blocks that no list knows, blocks that
 * overlap and buddies that should have merged. Counters are compared with both.
 *
 * A region that was never broken is one step of the scan, so that the cost is
 * that of the memory in use and not of the guest's size.
 */
#include <stdarg.h>
#include <stdio.h>

#include "alloc/lists.h"
#include "alloc/pageblock.h"

#define ALL_MARKS (BLOCK_REPORTED | BLOCK_HINTED)

static _Thread_local char check_text[240];

__attribute__((format(printf, 1, 2), cold))
static const char *broken(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(check_text, sizeof(check_text), fmt, ap);
	va_end(ap);
	return check_text;
}

/* Blocks that the lists know, to be compared with those the scan finds. */
struct census {
	uint64_t buddy, pcp;
};

/* What every node of one list has to be. */
struct expected {
	const struct zone *z;
	enum page_state state;
	unsigned int order;
	unsigned int list; /* migratetype, or pindex */
	uint64_t nr;       /* nodes found */
};

static const char *state_name(unsigned int state)
{
	switch (state) {
	case PAGE_NONE:
		return "no block";
	case PAGE_BUDDY:
		return "a free block";
	case PAGE_PCP:
		return "a pcp block";
	}
	return "nonsense";
}

static const char *list_name(const struct expected *e)
{
	return e->state == PAGE_BUDDY ? "free list" : "pcp list";
}

static const char *check_place(const struct alloc *a, const struct expected *e,
			       pfn_t pfn)
{
	const struct page_rec *pair;

	if (!pfn_aligned(pfn, e->order))
		return broken("pfn %u on an order-%u %s is not aligned", pfn,
			      e->order, list_name(e));
	if (!zone_spans_pfn(e->z, pfn) ||
	    order_nr_pages(e->order) > e->z->end - pfn)
		return broken("pfn %u order %u on a %s is outside zone %u",
			      pfn, e->order, list_name(e), e->z->idx);
	if (e->order < HPAGE_PMD_ORDER &&
	    !region_broken(a, pfn_region(pfn)))
		return broken("pfn %u order %u on a %s is in a whole region",
			      pfn, e->order, list_name(e));
	pair = &a->regions[pfn_region(pfn) & ~1u];
	if ((pfn_region(pfn) & 1) && pair->state != PAGE_NONE &&
	    pair->order == MAX_PAGE_ORDER)
		return broken("pfn %u order %u on a %s is inside a block", pfn,
			      e->order, list_name(e));
	return NULL;
}

static const char *check_record(const struct alloc *a,
				const struct expected *e, pfn_t pfn,
				const struct page_rec *rec)
{
	if (rec->state != e->state)
		return broken("pfn %u on a %s is %s", pfn, list_name(e),
			      state_name(rec->state));
	if (rec->order != e->order)
		return broken("pfn %u on an order-%u %s says order %u", pfn,
			      e->order, list_name(e), rec->order);
	if (rec->list != e->list)
		return broken("pfn %u on %s %u says %u", pfn, list_name(e),
			      e->list, rec->list);
	if (e->state == PAGE_BUDDY && (rec->aux & ~ALL_MARKS))
		return broken("pfn %u has unknown marks %#x", pfn, rec->aux);
	if (e->state == PAGE_BUDDY && rec->aux &&
	    !(a->marked_orders >> rec->order & 1))
		return broken("pfn %u is marked, and its order never was", pfn);
	if (e->state == PAGE_PCP && rec->aux >= MIGRATE_TYPES)
		return broken("pfn %u has cached type %u", pfn, rec->aux);
	return NULL;
}

static const char *check_node(const struct alloc *a, struct expected *e,
			      pfn_t pfn)
{
	const char *error;

	if (pfn >= (uint64_t)a->nr_regions << HPAGE_PMD_ORDER)
		return broken("order-%u %s %u has a link to nowhere", e->order,
			      list_name(e), e->list);
	error = check_place(a, e, pfn);
	if (!error)
		error = check_record(a, e, pfn, rec_of(a, pfn, e->order));
	e->nr++;
	return error;
}

static const char *tail_wrong(const struct expected *e)
{
	return broken("order-%u %s %u of zone %u: tail wrong", e->order,
		      list_name(e), e->list, e->z->idx);
}

/* The link back catches cycles, too: a node has one predecessor. */
static const char *check_regions(const struct alloc *a, struct expected *e,
				 const struct page_list *list)
{
	uint32_t prev = LINK_NONE;

	for (uint32_t link = list->head; link != LINK_NONE;
	     link = a->links[link].next) {
		const char *error = check_node(a, e, region_pfn(link));

		if (error)
			return error;
		if (a->links[link].prev != prev)
			return broken("pfn %u on a %s: link back wrong",
				      region_pfn(link), list_name(e));
		prev = link;
	}
	return list->tail == prev ? NULL : tail_wrong(e);
}

/* One chunk of a list: its blocks, their number, and their way back. */
static const char *check_chunk(const struct alloc *a, struct expected *e,
			       uint32_t chunk, struct page_list *ends)
{
	uint32_t blocks = 0;

	for (uint32_t place = chunk + CHUNK_FIRST;
	     place < chunk + CHUNK_WORDS; place++) {
		const pfn_t pfn = a->words[place];
		const char *error;

		if (pfn == PFN_NONE)
			continue;
		error = check_node(a, e, pfn);
		if (error)
			return error;
		if (a->pages[pfn].place != place)
			return broken("pfn %u on a %s: place wrong", pfn,
				      list_name(e));
		if (ends->head == LINK_NONE)
			ends->head = place;
		ends->tail = place;
		blocks++;
	}
	if (blocks == 0 || blocks != a->words[chunk + CHUNK_COUNT])
		return broken("order-%u %s %u: a chunk of %u blocks says %u",
			      e->order, list_name(e), e->list, blocks,
			      a->words[chunk + CHUNK_COUNT]);
	return NULL;
}

static const char *check_chunks(const struct alloc *a, struct expected *e,
				const struct page_list *list)
{
	struct page_list ends = { LINK_NONE, LINK_NONE };
	uint32_t prev = LINK_NONE;
	uint32_t chunk = list->head == LINK_NONE ? LINK_NONE :
						   chunk_of(list->head);

	for (; chunk != LINK_NONE; chunk = a->words[chunk + CHUNK_NEXT]) {
		const char *error;

		if (chunk >= a->chunk_top || chunk % CHUNK_WORDS)
			return broken("order-%u %s %u has a link to nowhere",
				      e->order, list_name(e), e->list);
		error = check_chunk(a, e, chunk, &ends);
		if (error)
			return error;
		if (a->words[chunk + CHUNK_PREV] != prev)
			return broken("order-%u %s %u: link back wrong",
				      e->order, list_name(e), e->list);
		prev = chunk;
	}
	if (ends.head != list->head)
		return broken("order-%u %s %u: head wrong", e->order,
			      list_name(e), e->list);
	return ends.tail == list->tail ? NULL : tail_wrong(e);
}

static const char *check_list(const struct alloc *a, struct expected *e,
			      const struct page_list *list)
{
	e->nr = 0;
	return order_is_large(e->order) ? check_regions(a, e, list) :
					  check_chunks(a, e, list);
}

static const char *compare(const struct zone *z, const char *what,
			   uint64_t counter, uint64_t walked)
{
	if (counter == walked)
		return NULL;
	return broken("zone %u: %s is %llu, the lists have %llu", z->idx, what,
		      (unsigned long long)counter, (unsigned long long)walked);
}

/* Pages by type and blocks by order of one zone, by walking. */
static const char *check_free_lists(const struct alloc *a,
				    const struct zone *z,
				    struct census *census,
				    uint64_t pages[MIGRATE_TYPES])
{
	const char *error = NULL;

	for (unsigned int o = 0; o < NR_PAGE_ORDERS && !error; o++) {
		const struct free_area *area = &z->free_area[o];
		uint64_t blocks = 0;

		for (unsigned int mt = 0; mt < MIGRATE_TYPES && !error; mt++) {
			struct expected e = { z, PAGE_BUDDY, o, mt, 0 };

			if (list_empty(&area->free_list[mt]) &&
			    area->free_list[mt].tail == LINK_NONE)
				continue;
			error = check_list(a, &e, &area->free_list[mt]);
			blocks += e.nr;
			pages[mt] += e.nr << o;
		}
		if (!error)
			error = compare(z, "nr_free", area->nr_free, blocks);
		census->buddy += blocks;
	}
	return error;
}

static const char *check_accounting(const struct zone *z,
				    const uint64_t pages[MIGRATE_TYPES])
{
	const char *error;
	uint64_t sum = 0;

	for (unsigned int mt = 0; mt < MIGRATE_TYPES; mt++)
		if (mt != MIGRATE_ISOLATE)
			sum += pages[mt];
	error = compare(z, "free_pages", z->free_pages, sum);
	if (!error)
		error = compare(z, "nr_free_highatomic", z->nr_free_highatomic,
				pages[MIGRATE_HIGHATOMIC]);
	if (!error)
		error = compare(z, "nr_free_cma", z->nr_free_cma,
				pages[MIGRATE_CMA]);
	return error;
}

static const char *check_pageset(const struct alloc *a, const struct zone *z,
				 unsigned int cpu, struct census *census)
{
	const struct per_cpu_pages *pcp = &z->pcp[cpu];
	uint64_t pages = 0;

	for (unsigned int pindex = 0; pindex < NR_PCP_LISTS; pindex++) {
		const struct page_list *list = &pcp->lists[pindex];
		struct expected e = { z, PAGE_PCP, 0, pindex, 0 };
		enum migratetype mt;
		const char *error;

		if (list_empty(list) && list->tail == LINK_NONE)
			continue;
		alloc_pindex_decode(a, pindex, &e.order, &mt);
		error = check_list(a, &e, list);
		if (error)
			return error;
		pages += e.nr << e.order;
		census->pcp += e.nr;
	}
	if (pages != pcp->count)
		return broken("zone %u cpu %u: pcp count is %u, lists have %llu",
			      z->idx, cpu, pcp->count,
			      (unsigned long long)pages);
	return NULL;
}

static const char *check_isolate_count(const struct alloc *a,
				       const struct zone *z)
{
	const pfn_t start = pfn_align_down(z->start, a->pageblock_order);
	uint64_t nr = 0;

	for (pfn_t pfn = start; pfn < z->end; pfn += pageblock_nr_pages(a))
		nr += pageblock_mt(a, pfn) == MIGRATE_ISOLATE;
	if (nr != z->nr_isolate_pageblock)
		return broken("zone %u: nr_isolate_pageblock is %u, found %llu",
			      z->idx, z->nr_isolate_pageblock,
			      (unsigned long long)nr);
	return NULL;
}

static const char *check_hit_limits(const struct alloc *a,
				    const struct zone *z)
{
	for (unsigned int j = 0; j < MAX_NR_ZONES; j++) {
		const uint64_t limit = zone_hit_limit(a, z, j);

		if (z->hit_limit[j] != limit)
			return broken("zone %u: limit %u at sight is %llu, "
				      "not %llu", z->idx, j,
				      (unsigned long long)z->hit_limit[j],
				      (unsigned long long)limit);
	}
	return NULL;
}

static const char *check_zone(const struct alloc *a, const struct zone *z,
			      struct census *census)
{
	uint64_t pages[MIGRATE_TYPES] = { 0 };
	const char *error = check_free_lists(a, z, census, pages);

	if (!error)
		error = check_accounting(z, pages);
	if (!error)
		error = check_isolate_count(a, z);
	if (!error)
		error = check_hit_limits(a, z);
	for (unsigned int cpu = 0; cpu < a->nr_cpus && !error; cpu++)
		error = check_pageset(a, z, cpu, census);
	return error;
}

/*
 * Two buddies are both free only where a pageblock's type stops or once
 * stopped their merge; below pageblock order nothing does.
 */
static const char *check_merged(const struct alloc *a, pfn_t pfn,
				unsigned int order)
{
	const pfn_t buddy = pfn ^ order_nr_pages(order);
	const struct page_rec *rec;
	const struct zone *z;

	if (order >= MAX_PAGE_ORDER || buddy < pfn)
		return NULL;
	rec = rec_of(a, buddy, order);
	if (rec->state != PAGE_BUDDY || rec->order != order)
		return NULL;
	z = pfn_zone(a, pfn);
	if (!zone_spans_pfn(z, buddy) ||
	    (order >= a->pageblock_order && z->unmerged_ok))
		return NULL;
	return broken("pfn %u and %u order %u are free and not merged", pfn,
		      buddy, order);
}

struct scan {
	const struct alloc *a;
	struct census found;
	pfn_t covered; /* end of the block before */
};

static const char *scan_head(struct scan *s, pfn_t pfn,
			     const struct page_rec *rec)
{
	const char *error = NULL;

	if (pfn < s->covered)
		return broken("pfn %u order %u is inside a block", pfn,
			      rec->order);
	if (rec->order > MAX_PAGE_ORDER || !pfn_aligned(pfn, rec->order))
		return broken("pfn %u says order %u", pfn, rec->order);
	s->covered = pfn + order_nr_pages(rec->order);
	if (rec->state == PAGE_PCP) {
		s->found.pcp++;
	} else {
		s->found.buddy++;
		error = check_merged(s->a, pfn, rec->order);
	}
	return error;
}

static const char *scan_pages(struct scan *s, pfn_t pfn)
{
	const struct page_rec *rec = &s->a->pages[pfn];

	for (const pfn_t end = pfn + HPAGE_PMD_NR; pfn < end; pfn++, rec++) {
		const char *error;

		if (rec->state == PAGE_NONE)
			continue;
		if (rec->order >= HPAGE_PMD_ORDER)
			return broken("page record of pfn %u says order %u",
				      pfn, rec->order);
		error = scan_head(s, pfn, rec);
		if (error)
			return error;
	}
	return NULL;
}

static const char *scan_records(struct scan *s)
{
	const struct alloc *a = s->a;
	const char *error = NULL;

	for (uint32_t r = 0; r < a->nr_regions && !error; r++) {
		const struct page_rec *rec = &a->regions[r];
		const pfn_t pfn = r << HPAGE_PMD_ORDER;

		if (region_broken(a, r))
			error = scan_pages(s, pfn);
		else if (rec->state == PAGE_NONE)
			continue;
		else if (rec->order < HPAGE_PMD_ORDER)
			error = broken("region of pfn %u says order %u", pfn,
				       rec->order);
		else
			error = scan_head(s, pfn, rec);
	}
	return error;
}

const char *alloc_check(const struct alloc *a)
{
	struct census known = { 0 };
	struct scan s = { .a = a };
	const char *error = NULL;

	for (unsigned int i = 0; i < a->nr_zones && !error; i++)
		error = check_zone(a, &a->zones[i], &known);
	if (!error)
		error = scan_records(&s);
	if (error)
		return error;
	if (s.found.buddy != known.buddy || s.found.pcp != known.pcp)
		return broken("free and pcp blocks: lists have %llu and %llu, "
			      "records %llu and %llu",
			      (unsigned long long)known.buddy,
			      (unsigned long long)known.pcp,
			      (unsigned long long)s.found.buddy,
			      (unsigned long long)s.found.pcp);
	return NULL;
}
