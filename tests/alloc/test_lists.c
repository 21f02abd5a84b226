/* SPDX-License-Identifier: GPL-2.0-or-later */
/* List operations against a plain array, at orders on both levels. */
#include <stdlib.h>
#include <string.h>

#include "alloc/lists.h"
#include "include/rng.h"
#include "include/sparse.h"
#include "tests/test.h"

#define NR_BLOCKS 64
#define NR_STEPS 20000
/* A chunk for each block; the first is not used. */
#define NR_WORDS ((NR_BLOCKS + 1) * CHUNK_WORDS)

static const unsigned int orders[] = { 0, 3, 8, 9, 10 };

/* Only the tables of an allocator are in use here. */
struct tables {
	struct alloc *a;
	uint32_t nr_regions;
};

static struct tables take_tables(unsigned int order)
{
	struct tables t;

	t.nr_regions = ((NR_BLOCKS << order) >> HPAGE_PMD_ORDER) + 2;
	t.a = calloc(1, sizeof(*t.a));
	assert_non_null(t.a);
	t.a->regions = sparse_alloc(t.nr_regions, sizeof(struct page_rec));
	t.a->pages = sparse_alloc((size_t)t.nr_regions << HPAGE_PMD_ORDER,
				  sizeof(struct page_rec));
	t.a->links = sparse_alloc(t.nr_regions, sizeof(struct region_links));
	t.a->words = sparse_alloc(NR_WORDS, sizeof(uint32_t));
	t.a->chunk_free = LINK_NONE;
	t.a->chunk_top = CHUNK_WORDS;
	t.a->chunk_end = NR_WORDS;
	assert_non_null(t.a->regions);
	assert_non_null(t.a->links);
	assert_non_null(t.a->words);
	assert_non_null(t.a->pages);
	return t;
}

static void free_tables(struct tables *t)
{
	sparse_free(t->a->pages, (size_t)t->nr_regions << HPAGE_PMD_ORDER,
		    sizeof(struct page_rec));
	sparse_free(t->a->regions, t->nr_regions, sizeof(struct page_rec));
	sparse_free(t->a->links, t->nr_regions, sizeof(struct region_links));
	sparse_free(t->a->words, NR_WORDS, sizeof(uint32_t));
	free(t->a);
}

/* The obvious model: an array in list order. */
struct model {
	pfn_t at[NR_BLOCKS];
	unsigned int nr;
};

static void model_insert(struct model *m, unsigned int i, pfn_t pfn)
{
	memmove(&m->at[i + 1], &m->at[i], (m->nr - i) * sizeof(pfn_t));
	m->at[i] = pfn;
	m->nr++;
}

static void model_remove(struct model *m, unsigned int i)
{
	m->nr--;
	memmove(&m->at[i], &m->at[i + 1], (m->nr - i) * sizeof(pfn_t));
}

static void model_rotate(struct model *m, unsigned int first)
{
	struct model old = *m;

	for (unsigned int i = 0; i < m->nr; i++)
		m->at[i] = old.at[(first + i) % m->nr];
}

static void assert_same(const struct alloc *a, const struct page_list *list,
			const struct model *m, unsigned int order)
{
	pfn_t pfn = list_first(a, list, order);
	pfn_t back = list_last(a, list, order);

	assert_int_equal(list_empty(list), m->nr == 0);
	for (unsigned int i = 0; i < m->nr; i++) {
		ASSERT_U64("forward", pfn, m->at[i]);
		ASSERT_U64("backward", back, m->at[m->nr - 1 - i]);
		pfn = list_next(a, pfn, order);
		back = list_prev(a, back, order);
	}
	ASSERT_U64("forward end", pfn, PFN_NONE);
	ASSERT_U64("backward end", back, PFN_NONE);
}

static void add_block(struct alloc *a, struct page_list *list, struct model *m,
		      unsigned int order, struct rng *rng, pfn_t pfn)
{
	const unsigned int where = rng_below(rng, 3);
	unsigned int i;

	if (where == 0) {
		list_add_head(a, list, pfn, order);
		model_insert(m, 0, pfn);
	} else if (where == 1 || m->nr == 0) {
		list_add_tail(a, list, pfn, order);
		model_insert(m, m->nr, pfn);
	} else {
		i = rng_below(rng, m->nr + 1);
		list_insert_before(a, list, i < m->nr ? m->at[i] : PFN_NONE,
				   pfn, order);
		model_insert(m, i, pfn);
	}
}

static void change_block(struct alloc *a, struct page_list *list,
			 struct model *m, unsigned int order, struct rng *rng)
{
	const unsigned int i = rng_below(rng, m->nr);
	const pfn_t pfn = m->at[i];

	switch (rng_below(rng, 3)) {
	case 0:
		list_del(a, list, pfn, order);
		model_remove(m, i);
		break;
	case 1:
		list_rotate_to_front(a, list, pfn, order);
		model_rotate(m, i);
		break;
	default:
		list_rotate_to_back(a, list, pfn, order);
		model_rotate(m, (i + 1) % m->nr);
		break;
	}
}

static bool model_has(const struct model *m, pfn_t pfn)
{
	for (unsigned int i = 0; i < m->nr; i++)
		if (m->at[i] == pfn)
			return true;
	return false;
}

static void compare_random_steps(unsigned int order)
{
	struct tables t = take_tables(order);
	struct model m = { .nr = 0 };
	struct page_list list;
	struct rng rng;

	rng_init(&rng, 1, "test_lists", order);
	list_init(&list);
	for (unsigned int step = 0; step < NR_STEPS; step++) {
		const pfn_t pfn = rng_below(&rng, NR_BLOCKS) << order;

		if (m.nr == 0 || !model_has(&m, pfn))
			add_block(t.a, &list, &m, order, &rng, pfn);
		else
			change_block(t.a, &list, &m, order, &rng);
		assert_same(t.a, &list, &m, order);
	}
	free_tables(&t);
}

static void test_lists__random_steps_equal_an_array(void **state)
{
	/* Add, insert, delete and rotate; compare both directions each step. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		compare_random_steps(orders[i]);
}

static void test_lists__large_orders_leave_page_records_alone(void **state)
{
	/* Order 9 goes to the region table, order 8 breaks the region. */
	struct tables t = take_tables(9);
	struct page_list list;

	(void)state;
	list_init(&list);
	list_add_head(t.a, &list, 512, 9);
	list_add_head(t.a, &list, 0, 9);
	ASSERT_U64("page record", t.a->pages[512].place, 0);
	ASSERT_U64("chunks", t.a->chunk_top, CHUNK_WORDS);
	ASSERT_U64("region links", t.a->links[1].prev, 0);
	ASSERT_U64("region links", t.a->links[0].next, 1);
	assert_false(region_broken(t.a, 1));
	list_init(&list);
	list_add_head(t.a, &list, 512, 8);
	assert_true(region_broken(t.a, 1));
	assert_false(region_broken(t.a, 0));
	free_tables(&t);
}

static void test_lists__rotation_of_the_end_changes_nothing(void **state)
{
	/* The head to the front and the tail to the back: nothing moves. */
	struct tables t = take_tables(0);
	struct page_list list;

	(void)state;
	list_init(&list);
	for (pfn_t pfn = 1; pfn <= 3; pfn++)
		list_add_tail(t.a, &list, pfn, 0);
	list_rotate_to_front(t.a, &list, 1, 0);
	list_rotate_to_back(t.a, &list, 3, 0);
	ASSERT_U64("head", list_first(t.a, &list, 0), 1);
	ASSERT_U64("tail", list_last(t.a, &list, 0), 3);
	ASSERT_U64("next", list_next(t.a, 1, 0), 2);
	free_tables(&t);
}

static void test_lists__chunks_are_used_again(void **state)
{
	/* Twenty lists' worth of blocks through one list: 2 chunks at a time. */
	struct tables t = take_tables(0);
	struct page_list list;

	(void)state;
	list_init(&list);
	for (unsigned int round = 0; round < 20; round++) {
		for (pfn_t pfn = 0; pfn < 20; pfn++)
			list_add_tail(t.a, &list, pfn, 0);
		for (pfn_t pfn = 0; pfn < 20; pfn++)
			ASSERT_U64("first", list_take_first(t.a, &list, 0),
				   pfn);
		assert_true(list_empty(&list));
	}
	ASSERT_U64("chunks", t.a->chunk_top, 3 * CHUNK_WORDS);
	free_tables(&t);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_lists__random_steps_equal_an_array),
	cmocka_unit_test(test_lists__large_orders_leave_page_records_alone),
	cmocka_unit_test(test_lists__chunks_are_used_again),
	cmocka_unit_test(test_lists__rotation_of_the_end_changes_nothing),
};

TEST_MAIN(cases)
