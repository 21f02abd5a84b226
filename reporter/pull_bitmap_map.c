/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bitmaps of pull_bitmap: arch_free_page and arch_alloc_page of the
 * proposal, and its get_hints and put_hints.
 *
 * A page's bit is set in the map of the CPU that freed it; with one map for
 * all, in that. `owner` stands for what a remote clear has to find out.
 */
#include <errno.h>
#include <stdlib.h>

#include "include/check.h"
#include "include/sparse.h"
#include "reporter/pull_bitmap.h"

#define NR_WORDS(s) BITMAP_WORDS((s)->nr_pages)

int pull_maps_create(struct reporter *r)
{
	struct pull_bitmap *s = r->state;
	const struct alloc *a = r->env->view;
	const bool per_cpu = pull_options(r)->variant == PULL_PER_CPU;
	bool all;

	s->nr_pages = alloc_end_pfn(a);
	s->nr_maps = per_cpu ? alloc_nr_cpus(a) : 1;
	s->maps = calloc(s->nr_maps, sizeof(*s->maps));
	s->flight = sparse_alloc(NR_WORDS(s), sizeof(uint64_t));
	s->taken = sparse_alloc(NR_WORDS(s), sizeof(uint64_t));
	if (per_cpu)
		s->owner = sparse_alloc(s->nr_pages, sizeof(*s->owner));
	all = s->maps && s->flight && s->taken && (s->owner || !per_cpu);
	for (unsigned int m = 0; all && m < s->nr_maps; m++) {
		s->maps[m] = sparse_alloc(NR_WORDS(s), sizeof(uint64_t));
		all = s->maps[m] != NULL;
	}
	if (all)
		return 0;
	pull_maps_destroy(r);
	return -ENOMEM;
}

static void free_map(const struct pull_bitmap *s, uint64_t *map)
{
	if (map)
		sparse_free(map, NR_WORDS(s), sizeof(*map));
}

void pull_maps_destroy(struct reporter *r)
{
	struct pull_bitmap *s = r->state;

	for (unsigned int m = 0; s->maps && m < s->nr_maps; m++)
		free_map(s, s->maps[m]);
	free(s->maps);
	free_map(s, s->flight);
	free_map(s, s->taken);
	if (s->owner)
		sparse_free(s->owner, s->nr_pages, sizeof(*s->owner));
	s->maps = NULL;
	s->flight = s->taken = NULL;
	s->owner = NULL;
}

static void set_free(struct pull_bitmap *s, pfn_t pfn, unsigned int map)
{
	bitmap_set(s->maps[map], pfn);
	if (s->owner)
		s->owner[pfn] = (uint16_t)map;
}

static void fill_block(struct pull_bitmap *s, pfn_t pfn, unsigned int order)
{
	for (uint32_t i = 0; i < order_nr_pages(order); i++)
		if (!bitmap_test(s->flight, pfn + i))
			set_free(s, pfn + i, 0);
}

static void fill_pcp(struct pull_bitmap *s, const struct alloc *a,
		     unsigned int zone, unsigned int cpu)
{
	struct alloc_pcp_info info;

	alloc_pcp_info(a, zone, cpu, &info);
	for (unsigned int i = 0; i < info.nr_lists; i++) {
		pfn_t pfn = alloc_pcp_first(a, zone, cpu, i);
		enum migratetype mt;
		unsigned int order;

		alloc_pindex_decode(a, i, &order, &mt);
		for (; pfn != PFN_NONE; pfn = alloc_list_next(a, pfn))
			fill_block(s, pfn, order);
	}
}

/* Pages that were free before are nobody's: the map of the first CPU. */
void pull_maps_fill(struct reporter *r)
{
	const struct alloc *a = r->env->view;
	struct pull_bitmap *s = r->state;

	for (unsigned int m = 0; m < s->nr_maps; m++)
		bitmap_clear_range(s->maps[m], 0, s->nr_pages);
	for (unsigned int z = 0; z < alloc_nr_zones(a); z++) {
		for (unsigned int i = 0;
		     i < NR_PAGE_ORDERS * MIGRATE_TYPES; i++) {
			const unsigned int order = i / MIGRATE_TYPES;
			pfn_t pfn = alloc_list_first(a, z, order,
						     i % MIGRATE_TYPES);

			for (; pfn != PFN_NONE; pfn = alloc_list_next(a, pfn))
				fill_block(s, pfn, order);
		}
		for (unsigned int cpu = 0; cpu < alloc_nr_cpus(a); cpu++)
			fill_pcp(s, a, z, cpu);
	}
}

/* An atomic operation per word, on a line that others write or one's own. */
static void charge(const struct reporter *r, unsigned int order, bool local)
{
	const uint64_t words = order > 6 ? order_nr_pages(order - 6) : 1;

	r->env->charge(r->env->ctx, local ? COST_LOCAL : COST_SHARED, words);
}

void pull_free_capture(struct reporter *r, unsigned int zone, pfn_t pfn,
		       unsigned int order, unsigned int cpu)
{
	struct pull_bitmap *s = r->state;
	const unsigned int map = s->owner ? cpu : 0;

	(void)zone;
	if (!s->started && !s->nr)
		return;
	for (uint32_t i = 0; i < order_nr_pages(order); i++) {
		/* Given up by somebody who was still waiting for it. */
		bitmap_clear(s->taken, pfn + i);
		if (s->started && !bitmap_test(s->flight, pfn + i))
			set_free(s, pfn + i, map);
		else if (s->owner)
			s->owner[pfn + i] = (uint16_t)map;
	}
	if (!s->started)
		return;
	r->counters.captured++;
	charge(r, order, s->owner);
}

/* One page of an allocation; true: it is with the host. */
static bool take_page(struct pull_bitmap *s, pfn_t pfn)
{
	if (bitmap_test(s->flight, pfn)) {
		bitmap_set(s->taken, pfn);
		return true;
	}
	if (!s->lazy)
		bitmap_clear(s->maps[s->owner ? s->owner[pfn] : 0], pfn);
	return false;
}

bool pull_alloc_stall(struct reporter *r, unsigned int zone, pfn_t pfn,
		      unsigned int order, unsigned int cpu)
{
	struct pull_bitmap *s = r->state;
	bool wait = false;

	(void)zone;
	if (!s->started && !s->nr)
		return false;
	for (uint32_t i = 0; i < order_nr_pages(order); i++)
		wait |= take_page(s, pfn + i);
	charge(r, order, s->owner && (s->lazy || s->owner[pfn] == cpu));
	return wait;
}

/* ---- get_hints ---- */

/* First set bit of the map at or after pfn; nr_pages: none. */
static pfn_t next_set(const struct pull_bitmap *s, const uint64_t *map,
		      pfn_t pfn)
{
	size_t w = pfn / 64;
	uint64_t word;

	if (pfn >= s->nr_pages)
		return s->nr_pages;
	word = map[w] & (UINT64_MAX << (pfn % 64));
	while (!word) {
		if (++w >= NR_WORDS(s))
			return s->nr_pages;
		word = map[w];
	}
	return (pfn_t)(w * 64 + (size_t)__builtin_ctzll(word));
}

static bool is_free(const struct alloc *a, pfn_t pfn, pfn_t *end)
{
	unsigned int order = 0;
	pfn_t head = pfn;

	if (alloc_page_lookup(a, pfn, &head, &order) == ALLOC_PAGE_USED)
		return false;
	*end = head + order_nr_pages(order);
	return true;
}

/*
 * End of the run that begins at pfn: bits set, pages free and not with the
 * host. Equal to pfn if that page is none.
 */
static pfn_t run_end(const struct reporter *r, const uint64_t *map, pfn_t pfn,
		     uint64_t most)
{
	const struct pull_bitmap *s = r->state;
	const pfn_t limit = s->nr_pages - pfn < most ? s->nr_pages :
						       pfn + (pfn_t)most;
	pfn_t free_to = pfn;

	while (pfn < limit && bitmap_test(map, pfn) &&
	       !bitmap_test(s->flight, pfn)) {
		if (pfn == free_to && !is_free(r->env->view, pfn, &free_to))
			break;
		pfn++;
	}
	return pfn;
}

/* The largest aligned block at pfn, before end and inside one zone. */
static unsigned int block_order(const struct alloc *a, pfn_t pfn, pfn_t end)
{
	unsigned int order = MAX_PAGE_ORDER;

	while (order && (!pfn_aligned(pfn, order) ||
			 pfn + order_nr_pages(order) > end ||
			 alloc_zone_of(a, pfn + order_nr_pages(order) - 1) !=
			 alloc_zone_of(a, pfn)))
		order--;
	return order;
}

static void take_block(struct pull_bitmap *s, const struct alloc *a,
		       uint64_t *map, pfn_t pfn, unsigned int order)
{
	const uint32_t nr = order_nr_pages(order);

	bitmap_clear_range(map, pfn, nr);
	bitmap_set_range(s->flight, pfn, nr);
	s->sg[s->nr++] = (struct page_report){
		.pfn = pfn, .order = (uint8_t)order,
		.migratetype = (uint8_t)alloc_pageblock_type(a, pfn),
		.zone = (uint8_t)alloc_zone_of(a, pfn),
	};
	s->sent += nr;
	s->wanted -= nr < s->wanted ? nr : s->wanted;
}

/* Blocks of the run [pfn, end); returns where the round goes on. */
static pfn_t take_run(struct reporter *r, uint64_t *map, pfn_t pfn, pfn_t end)
{
	const struct pull_bitmap_options *o = pull_options(r);
	const struct alloc *a = r->env->view;
	struct pull_bitmap *s = r->state;

	while (pfn < end && s->nr < o->capacity && s->wanted) {
		const unsigned int order = block_order(a, pfn, end);

		if (order >= o->order)
			take_block(s, a, map, pfn, order);
		pfn += order_nr_pages(order);
	}
	return pfn;
}

/* A bit that means nothing: a page in use, or with the host. */
static pfn_t pass_over(struct reporter *r, uint64_t *map, pfn_t pfn)
{
	const struct pull_bitmap *s = r->state;

	if (s->lazy) {
		bitmap_clear(map, pfn);
		r->counters.stale_bits++;
	}
	return pfn + 1;
}

/* Go on with the map the round stands at, to its end or to a full answer. */
static void pull_from_map(struct reporter *r)
{
	const struct pull_bitmap_options *o = pull_options(r);
	struct pull_bitmap *s = r->state;
	uint64_t *map = s->maps[s->map];
	const pfn_t stop = s->left < s->nr_pages - s->cursor ?
			   s->cursor + (pfn_t)s->left : s->nr_pages;
	const pfn_t from = s->cursor;
	pfn_t pfn = from;

	while (s->nr < o->capacity && s->wanted) {
		uint64_t most = s->wanted;
		pfn_t end;

		pfn = next_set(s, map, pfn);
		if (pfn >= stop) {
			pfn = stop;
			break;
		}
		/* Whole blocks: the last one may be more than was asked for. */
		if (most < order_nr_pages((unsigned int)o->order))
			most = order_nr_pages((unsigned int)o->order);
		end = run_end(r, map, pfn, most);
		pfn = end > pfn ? take_run(r, map, pfn, end) :
				  pass_over(r, map, pfn);
	}
	if (pfn > stop)
		pfn = stop;
	s->left -= pfn - from;
	s->cursor = pfn;
	r->env->charge(r->env->ctx, COST_SCAN, (pfn - from) / 64 + 1);
}

unsigned int pull_get_hints(struct reporter *r)
{
	const struct pull_bitmap_options *o = pull_options(r);
	struct pull_bitmap *s = r->state;

	r->counters.passes++;
	while (s->left && s->wanted && s->nr < o->capacity) {
		if (s->cursor >= s->nr_pages) {
			s->cursor = 0;
			s->map = s->map + 1 < s->nr_maps ? s->map + 1 : 0;
		}
		pull_from_map(r);
	}
	return s->nr;
}

void pull_put_hints(struct reporter *r)
{
	struct pull_bitmap *s = r->state;

	for (unsigned int i = 0; i < s->nr; i++) {
		const struct page_report *e = &s->sg[i];
		const pfn_t end = e->pfn + order_nr_pages(e->order);

		s->acknowledged += order_nr_pages(e->order);
		for (pfn_t pfn = e->pfn; pfn < end; pfn++) {
			bitmap_clear(s->flight, pfn);
			if (bitmap_test(s->taken, pfn))
				bitmap_clear(s->taken, pfn);
			else if (s->started)
				set_free(s, pfn, s->owner ? s->owner[pfn] : 0);
		}
		r->env->charge(r->env->ctx, COST_SHARED,
			       order_nr_pages(e->order) / 64 + 1);
	}
	s->nr = 0;
}
