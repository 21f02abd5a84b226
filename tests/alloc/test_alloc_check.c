/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alloc_check(): silent on anything the allocator does, and loud on each
 * corruption that is seeded here.
 */
#include <string.h>

#include "alloc/lists.h"
#include "include/rng.h"
#include "tests/alloc/fixture.h"
#include "tests/test.h"

#define NR_PAGES 4096
#define NR_HELD 512

/*
 * The victim, 6.1: order-0 blocks 1024, 1030; o3 1040; o9 1536 marked; o9/I
 * 512; o10 2048; a pcp page 1100 of type M and a pcp huge page 3072.
 */
static struct alloc *create_victim(void)
{
	struct alloc *a = fixture_create("6.1", 0, NR_PAGES);

	alloc_set_pageblock_type(a, 512, MIGRATE_ISOLATE);
	fixture_put(a, 512, 9);
	fixture_put(a, 1024, 0);
	fixture_put(a, 1030, 0);
	fixture_put(a, 1040, 3);
	fixture_put(a, 1536, 9);
	alloc_block_set_mark(a, 1536, BLOCK_REPORTED);
	fixture_put(a, 2048, 10);
	alloc_load_pcp(a, 0, 0, MIGRATE_MOVABLE, 1100, MIGRATE_MOVABLE);
	alloc_load_pcp(a, 0, 0, PCP_THP_PINDEX + 1, 3072, MIGRATE_MOVABLE);
	return a;
}

static struct page_list *list_m(struct alloc *a, unsigned int order)
{
	return &zone_at(a, 0)->free_area[order].free_list[MIGRATE_MOVABLE];
}

/* A block that is on no list, and one that is on a list and no block. */
static void unlink_block(struct alloc *a)
{
	list_del(a, list_m(a, 3), 1040, 3);
	zone_at(a, 0)->free_area[3].nr_free--;
	zone_at(a, 0)->free_pages -= 8;
}

static void forget_state(struct alloc *a)
{
	a->pages[1030].state = PAGE_NONE;
}

static void wrong_order(struct alloc *a)
{
	a->pages[1030].order = 1;
}

static void wrong_list(struct alloc *a)
{
	a->pages[1030].list = MIGRATE_UNMOVABLE;
}

/* The chunk of the order-0 list. */
static uint32_t *chunk_m(struct alloc *a)
{
	return &a->words[chunk_of(list_m(a, 0)->head)];
}

static void wrong_place(struct alloc *a)
{
	a->pages[1030].place++;
}

static void wrong_count(struct alloc *a)
{
	chunk_m(a)[CHUNK_COUNT]++;
}

static void wrong_head(struct alloc *a)
{
	list_m(a, 0)->head++;
}

static void chunk_back(struct alloc *a)
{
	chunk_m(a)[CHUNK_PREV] = CHUNK_WORDS;
}

static void chunk_cycle(struct alloc *a)
{
	chunk_m(a)[CHUNK_NEXT] = chunk_of(list_m(a, 0)->head);
}

static void wild_chunk(struct alloc *a)
{
	chunk_m(a)[CHUNK_NEXT] = a->chunk_top;
}

static void empty_chunk(struct alloc *a)
{
	const uint32_t chunk = list_m(a, 0)->head;

	list_del(a, list_m(a, 0), 1024, 0);
	list_del(a, list_m(a, 0), 1030, 0);
	list_m(a, 0)->head = list_m(a, 0)->tail = chunk;
}

static void lost_region_tail(struct alloc *a)
{
	list_m(a, 9)->tail = 7;
}

static void cut_back(struct alloc *a)
{
	a->links[3].prev = 1;
}

static void cycle(struct alloc *a)
{
	a->links[3].next = 3;
}

static void lost_tail(struct alloc *a)
{
	list_m(a, 0)->tail = list_m(a, 0)->head;
}

static void tail_of_an_empty_list(struct alloc *a)
{
	list_m(a, 5)->tail = 64;
}

static void wild_link(struct alloc *a)
{
	list_m(a, 10)->head = NR_PAGES + 5000;
	list_m(a, 10)->tail = NR_PAGES + 5000;
}

static void nr_free_off(struct alloc *a)
{
	zone_at(a, 0)->free_area[10].nr_free++;
}

static void free_pages_off(struct alloc *a)
{
	zone_at(a, 0)->free_pages++;
}

static void isolated_counted(struct alloc *a)
{
	zone_at(a, 0)->free_pages += 512;
}

static void highatomic_off(struct alloc *a)
{
	zone_at(a, 0)->nr_free_highatomic = 1;
}

static void cma_off(struct alloc *a)
{
	zone_at(a, 0)->nr_free_cma = 1;
}

static void isolate_count_off(struct alloc *a)
{
	zone_at(a, 0)->nr_isolate_pageblock = 0;
}

static void pcp_count_off(struct alloc *a)
{
	zone_at(a, 0)->pcp[0].count--;
}

static void pcp_wrong_index(struct alloc *a)
{
	a->pages[1100].list = MIGRATE_RECLAIMABLE;
}

static void pcp_page_lost(struct alloc *a)
{
	a->pages[1100].state = PAGE_NONE;
}

static void pcp_bad_type(struct alloc *a)
{
	a->pages[1100].aux = MIGRATE_TYPES;
}

static void put_record(struct alloc *a, pfn_t pfn, unsigned int order)
{
	struct free_area *area = &zone_at(a, 0)->free_area[order];
	struct page_rec *rec = rec_of(a, pfn, order);

	list_add_head(a, &area->free_list[MIGRATE_MOVABLE], pfn, order);
	rec->state = PAGE_BUDDY;
	rec->order = (uint8_t)order;
	rec->list = MIGRATE_MOVABLE;
	rec->aux = 0;
	area->nr_free++;
	zone_at(a, 0)->free_pages += order_nr_pages(order);
}

static void overlap_pages(struct alloc *a)
{
	put_record(a, 1042, 1);
}

static void overlap_pcp(struct alloc *a)
{
	put_record(a, 1096, 3);
}

static void overlap_region(struct alloc *a)
{
	put_record(a, 2560, 9);
}

static void page_in_region(struct alloc *a)
{
	put_record(a, 2050, 0);
	/* What list_add_head() noted about the region, undone. */
	a->regions[4].order = 10;
}

static void misaligned(struct alloc *a)
{
	put_record(a, 1201, 1);
}

static void misaligned_region(struct alloc *a)
{
	a->regions[3].order = 10;
}

static void outside_zone(struct alloc *a)
{
	zone_at(a, 0)->start = 1025;
}

static void unmerged(struct alloc *a)
{
	put_record(a, 1025, 0);
}

static void unknown_mark(struct alloc *a)
{
	a->regions[3].aux |= 0x10;
}

static void nonsense_state(struct alloc *a)
{
	a->pages[1030].state = 7;
}

static void state_of_the_other(struct alloc *a)
{
	a->pages[1030].state = PAGE_PCP;
}

static void free_on_a_pcp_list(struct alloc *a)
{
	a->pages[1100].state = PAGE_BUDDY;
}

static void end_outside_zone(struct alloc *a)
{
	zone_at(a, 0)->end = 3064;
	put_record(a, 3056, 4);
}

static void mark_unheard_of(struct alloc *a)
{
	a->marked_orders = 0;
}

static void odd_chunk(struct alloc *a)
{
	chunk_m(a)[CHUNK_NEXT] = CHUNK_WORDS + 1;
}

static void pcp_tail_of_nothing(struct alloc *a)
{
	zone_at(a, 0)->pcp[0].lists[MIGRATE_UNMOVABLE].tail = 64;
}

static void hit_limit_off(struct alloc *a)
{
	zone_at(a, 0)->hit_limit[ZONE_NORMAL]++;
}

static void stray_order(struct alloc *a)
{
	a->pages[1200].state = PAGE_BUDDY;
	a->pages[1200].order = HPAGE_PMD_ORDER;
}

static void stray_misaligned(struct alloc *a)
{
	a->pages[1201].state = PAGE_BUDDY;
	a->pages[1201].order = 1;
}

static void stray_region(struct alloc *a)
{
	a->regions[7].state = PAGE_BUDDY;
	a->regions[7].order = 3;
}

static void stray_large_region(struct alloc *a)
{
	a->regions[7].state = PAGE_BUDDY;
	a->regions[7].order = MAX_PAGE_ORDER + 1;
}

static void stray_pcp(struct alloc *a)
{
	a->pages[1200].state = PAGE_PCP;
	a->pages[1200].order = 0;
}

static const struct corruption {
	const char *name;
	void (*seed)(struct alloc *a);
	const char *message; /* a part of what alloc_check() says */
} corruptions[] = {
	{ "unlinked block", unlink_block, "records" },
	{ "state forgotten", forget_state, "is no block" },
	{ "wrong order", wrong_order, "says order 1" },
	{ "wrong list", wrong_list, "says 0" },
	{ "place of a page", wrong_place, "place wrong" },
	{ "blocks of a chunk", wrong_count, "of 2 blocks says 3" },
	{ "head lost", wrong_head, "head wrong" },
	{ "chunk's way back", chunk_back, "link back" },
	{ "chunk behind itself", chunk_cycle, "link back" },
	{ "wild chunk", wild_chunk, "nowhere" },
	{ "empty chunk", empty_chunk, "of 0 blocks" },
	{ "tail of regions lost", lost_region_tail, "tail wrong" },
	{ "backward link cut", cut_back, "link back" },
	{ "cycle", cycle, "link back" },
	{ "tail lost", lost_tail, "tail wrong" },
	{ "tail of an empty list", tail_of_an_empty_list, "tail wrong" },
	{ "wild link", wild_link, "nowhere" },
	{ "nr_free", nr_free_off, "nr_free is 2" },
	{ "free_pages", free_pages_off, "free_pages" },
	{ "isolated pages counted", isolated_counted, "free_pages" },
	{ "highatomic count", highatomic_off, "nr_free_highatomic" },
	{ "CMA count", cma_off, "nr_free_cma" },
	{ "isolated pageblocks", isolate_count_off, "nr_isolate_pageblock" },
	{ "pcp count", pcp_count_off, "pcp count" },
	{ "pcp index", pcp_wrong_index, "pcp list 1 says 2" },
	{ "pcp page lost", pcp_page_lost, "pcp list is no block" },
	{ "cached type", pcp_bad_type, "cached type 6" },
	{ "blocks overlap", overlap_pages, "inside a block" },
	{ "pcp page in a free block", overlap_pcp, "inside a block" },
	{ "regions overlap", overlap_region, "inside a block" },
	{ "page in a free region", page_in_region, "whole region" },
	{ "misaligned page block", misaligned, "not aligned" },
	{ "misaligned region block", misaligned_region, "says order 10" },
	{ "outside its zone", outside_zone, "outside" },
	{ "unmerged buddies", unmerged, "not merged" },
	{ "unknown mark", unknown_mark, "marks" },
	{ "no such state", nonsense_state, "is nonsense" },
	{ "pcp page on a free list", state_of_the_other, "is a pcp block" },
	{ "free page on a pcp list", free_on_a_pcp_list, "is a free block" },
	{ "end outside its zone", end_outside_zone, "outside" },
	{ "marks of an unmarked order", mark_unheard_of, "never was" },
	{ "link into a chunk", odd_chunk, "nowhere" },
	{ "tail of an empty pcp list", pcp_tail_of_nothing, "tail wrong" },
	{ "limit at sight", hit_limit_off, "at sight" },
	{ "page of a region's order", stray_order, "page record" },
	{ "misaligned stray", stray_misaligned, "says order 1" },
	{ "region of a page's order", stray_region, "region of pfn" },
	{ "region of no order", stray_large_region, "says order 11" },
	{ "stray pcp page", stray_pcp, "records 6 and 3" },
};

static void test_alloc_check__each_corruption_is_found(void **state)
{
	/* A valid guest, one corruption, and the message for it. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(corruptions); i++) {
		const struct corruption *c = &corruptions[i];
		struct alloc *a = create_victim();
		const char *error;

		fixture_assert_valid("before", a);
		c->seed(a);
		error = alloc_check(a);
		if (!error)
			fail_msg("%s: not found", c->name);
		if (!strstr(error, c->message))
			fail_msg("%s: found as \"%s\"", c->name, error);
		alloc_destroy(a);
	}
}

static void test_alloc_check__types_explain_unmerged_pageblocks(void **state)
{
	/* An H pageblock that was given back sits unmerged beside its buddy. */
	struct alloc *a = fixture_create("6.1", 0, NR_PAGES);

	(void)state;
	alloc_set_pageblock_type(a, 1024, MIGRATE_HIGHATOMIC);
	fixture_put(a, 1024, 9);
	fixture_put(a, 1536, 9);
	set_pageblock_mt(a, 1024, MIGRATE_MOVABLE);
	(void)move_freepages_block(a, zone_at(a, 0), 1024, MIGRATE_MOVABLE);
	fixture_assert_lists("given back", a, 0, "o9/M[1536 1024]");
	alloc_destroy(a);
}

static void test_alloc_check__lookup_agrees_with_the_lists(void **state)
{
	/* Pages inside, at the edge of and outside of blocks. */
	static const struct {
		pfn_t pfn;
		enum alloc_page_state state;
		pfn_t head;
		unsigned int order;
	} pages[] = {
		{ 512, ALLOC_PAGE_BUDDY, 512, 9 },
		{ 1023, ALLOC_PAGE_BUDDY, 512, 9 },
		{ 1024, ALLOC_PAGE_BUDDY, 1024, 0 },
		{ 1025, ALLOC_PAGE_USED, 0, 99 },
		{ 1047, ALLOC_PAGE_BUDDY, 1040, 3 },
		{ 1048, ALLOC_PAGE_USED, 0, 99 },
		{ 1100, ALLOC_PAGE_PCP, 1100, 0 },
		{ 3071, ALLOC_PAGE_BUDDY, 2048, 10 },
		{ 3500, ALLOC_PAGE_PCP, 3072, 9 },
		{ 3584, ALLOC_PAGE_USED, 0, 99 },
		{ NR_PAGES, ALLOC_PAGE_USED, 0, 99 },
	};
	struct alloc *a = create_victim();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		unsigned int order = 99;
		pfn_t head = 0;

		ASSERT_U64("state",
			   alloc_page_lookup(a, pages[i].pfn, &head, &order),
			   pages[i].state);
		ASSERT_U64("head", head, pages[i].head);
		ASSERT_U64("order", order, pages[i].order);
	}
	assert_true(alloc_block_is_allocated(a, 1032, 3));
	assert_true(alloc_block_is_allocated(a, 3584, 9));
	assert_false(alloc_block_is_allocated(a, 1024, 3));
	assert_false(alloc_block_is_allocated(a, 1044, 2));
	assert_false(alloc_block_is_allocated(a, 1096, 3));
	assert_false(alloc_block_is_allocated(a, 2560, 9));
	assert_false(alloc_block_is_allocated(a, 3072, 10));
	assert_false(alloc_block_is_allocated(a, 1033, 1));
	assert_false(alloc_block_is_allocated(a, NR_PAGES, 0));
	alloc_destroy(a);
}

/* Blocks that the random test holds, to free or to put back. */
struct held {
	struct put {
		pfn_t pfn;
		uint8_t order;
		bool isolated;
	} block[NR_HELD];
	unsigned int nr;
};

static void hold(struct held *h, pfn_t pfn, unsigned int order, bool isolated)
{
	h->block[h->nr++] = (struct put){ pfn, (uint8_t)order, isolated };
}

static void take_random(struct alloc *a, struct held *h, struct rng *rng)
{
	static const uint8_t orders[] = { 0, 0, 0, 0, 1, 2, 3, 5, 9, 10 };
	const unsigned int order = orders[rng_below(rng, ARRAY_SIZE(orders))];
	const enum migratetype mt = (enum migratetype)rng_below(rng, 3);
	const unsigned int flags = (rng_below(rng, 4) ? 0 : AF_NOFRAGMENT) |
				   (mt == MIGRATE_MOVABLE ? AF_CMA : 0);
	const pfn_t pfn = fixture_take(a, mt, order, flags);

	if (pfn == PFN_NONE)
		return;
	hold(h, pfn, order, false);
	alloc_set_lru(a, pfn, order_nr_pages(order), mt == MIGRATE_MOVABLE);
}

static void isolate_random(struct alloc *a, struct held *h, struct rng *rng)
{
	const unsigned int order = rng_below(rng, NR_PAGE_ORDERS);
	const enum migratetype mt =
		(enum migratetype)rng_below(rng, MIGRATE_TYPES);
	const pfn_t pfn = alloc_list_last(a, 0, order, mt);

	if (pfn == PFN_NONE)
		return;
	if (rng_below(rng, 2))
		alloc_block_set_mark(a, pfn, BLOCK_REPORTED);
	if (rng_below(rng, 2))
		alloc_list_rotate_to_front(a, pfn);
	else if (alloc_isolate(a, pfn))
		hold(h, pfn, order, true);
}

static void release_random(struct alloc *a, struct held *h, struct rng *rng)
{
	const unsigned int i = rng_below(rng, h->nr);
	const struct put b = h->block[i];

	h->block[i] = h->block[--h->nr];
	alloc_set_lru(a, b.pfn, order_nr_pages(b.order), false);
	if (b.isolated)
		alloc_putback(a, b.pfn, b.order,
			      alloc_pageblock_type(a, b.pfn));
	else if (b.order > 0 && rng_below(rng, 4) == 0)
		/* Page by page, as after a split. */
		for (uint32_t n = 0; n < order_nr_pages(b.order); n++)
			fixture_put(a, b.pfn + n, 0);
	else
		fixture_put(a, b.pfn, b.order);
}

static void retype_random(struct alloc *a, struct rng *rng)
{
	const pfn_t pfn = rng_below(rng, NR_PAGES / 512) * 512;
	const enum migratetype mt =
		(enum migratetype)rng_below(rng, MIGRATE_TYPES);

	set_pageblock_mt(a, pfn, mt);
	move_freepages_block(a, zone_at(a, 0), pfn, mt);
}

static void run_random(const char *kernel, bool retype, unsigned int steps)
{
	struct alloc *a = fixture_create(kernel, 0, NR_PAGES);
	struct held h = { .nr = 0 };
	struct rng rng;

	rng_init(&rng, 1, kernel, retype);
	alloc_boot_range(a, 0, NR_PAGES);
	for (unsigned int step = 0; step < steps; step++) {
		const uint32_t dice = rng_below(&rng, 100);
		const char *error;

		if (retype && dice == 0)
			retype_random(a, &rng);
		else if (dice < 10 && h.nr < NR_HELD)
			isolate_random(a, &h, &rng);
		else if (h.nr && (h.nr == NR_HELD || dice < 52))
			release_random(a, &h, &rng);
		else
			take_random(a, &h, &rng);
		error = alloc_check(a);
		if (error)
			fail_msg("%s, step %u: %s", kernel, step, error);
	}
	while (h.nr)
		release_random(a, &h, &rng);
	fixture_assert_valid(kernel, a);
	if (!retype)
		ASSERT_U64(kernel, alloc_free_pages(a), NR_PAGES);
	alloc_destroy(a);
}

static void test_alloc_check__random_work_is_always_valid(void **state)
{
	/* Allocate, free, isolate, put back, mark, rotate; then retype, too. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		run_random(*k, false, 3000);
		run_random(*k, true, 3000);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_alloc_check__each_corruption_is_found),
	cmocka_unit_test(test_alloc_check__types_explain_unmerged_pageblocks),
	cmocka_unit_test(test_alloc_check__lookup_agrees_with_the_lists),
	cmocka_unit_test(test_alloc_check__random_work_is_always_valid),
};

TEST_MAIN(cases)
