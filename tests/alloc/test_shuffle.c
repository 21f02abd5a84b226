/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boot and runtime shuffle with given random words. */
#include <string.h>

#include "include/rng.h"
#include "tests/alloc/fixture.h"
#include "tests/test.h"

#define MAX_WORDS 64

/* Words to hand out in order; running dry fails the test. */
struct words {
	uint64_t word[MAX_WORDS];
	unsigned int nr, used;
	int coin; /* for shuffle_coin */
	pfn_t coin_pfn;
};

static uint64_t next_word(void *ctx)
{
	struct words *w = ctx;

	if (w->used == w->nr)
		fail_msg("word %u was not expected", w->used);
	return w->word[w->used++];
}

static int toss(void *ctx, pfn_t pfn)
{
	struct words *w = ctx;

	w->coin_pfn = pfn;
	return w->coin;
}

static struct alloc *create_shuffled(const char *kernel, pfn_t start,
				     pfn_t end, struct words *w, bool hinted)
{
	struct alloc *a = fixture_create(kernel, start, end);
	const struct alloc_hooks hooks = {
		.ctx = w, .shuffle_word = next_word,
		.shuffle_coin = hinted ? toss : NULL,
	};

	alloc_set_hooks(a, &hooks);
	return a;
}

static void test_shuffle__bits_are_used_from_the_lowest(void **state)
{
	/* Word 0x16 = ...10110: five placements of order-10 blocks. */
	static const struct {
		const char *kernel, *lists;
	} rows[] = {
		{ "5.3", "o10/M[5120 3072 2048 1024 4096]" },
		{ "5.7", "o10/M[4096 1024 2048 3072 5120]" },
		{ "6.1", "o10/M[4096 1024 2048 3072 5120]" },
		{ "6.12", "o10/M[4096 1024 2048 3072 5120]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct words w = { { 0x16 }, 1, 0, -1, 0 };
		struct alloc *a = create_shuffled(rows[i].kernel, 0, 8192, &w,
						  false);

		alloc_set_shuffle(a, true);
		for (pfn_t pfn = 1024; pfn <= 5120; pfn += 1024) {
			fixture_put(a, pfn + 512, 9);
			fixture_put(a, pfn, 9);
		}
		fixture_assert_lists(rows[i].kernel, a, 0, rows[i].lists);
		alloc_destroy(a);
	}
}

static void test_shuffle__a_word_lasts_64_placements(void **state)
{
	/* The 65th placement draws the second word. */
	struct words w = { { 0, UINT64_MAX }, 2, 0, -1, 0 };
	struct alloc *a = create_shuffled("6.1", 0, 1024 * 70, &w, false);

	(void)state;
	alloc_set_shuffle(a, true);
	for (pfn_t n = 0; n < 64; n++)
		fixture_put(a, n * 1024, 10);
	ASSERT_U64("words", w.used, 1);
	fixture_put(a, 64 * 1024, 10);
	ASSERT_U64("words", w.used, 2);
	ASSERT_U64("head", alloc_list_first(a, 0, 10, MIGRATE_MOVABLE),
		   63 * 1024);
	ASSERT_U64("tail", alloc_list_last(a, 0, 10, MIGRATE_MOVABLE),
		   64 * 1024);
	alloc_destroy(a);
}

static void test_shuffle__forced_tails_and_small_orders_draw_nothing(void **s)
{
	/* Boot and put-back of 5.10 on, and any order below 10. */
	struct words w = { { 0 }, 0, 0, -1, 0 };
	struct alloc *a = create_shuffled("6.1", 0, 8192, &w, false);

	(void)s;
	alloc_set_shuffle(a, true);
	alloc_boot_range(a, 1024, 3072);
	alloc_putback(a, 4096, 10, MIGRATE_MOVABLE);
	fixture_put(a, 3072, 9);
	fixture_assert_lists("placed", a, 0,
			     "o9/M[3072] o10/M[1024 2048 4096]");
	alloc_destroy(a);
}

static void test_shuffle__boot_hand_over_tosses_before_5_10(void **state)
{
	/* 5.7, bits 0,1,0: head, tail, head. */
	struct words w = { { 2 }, 1, 0, -1, 0 };
	struct alloc *a = create_shuffled("5.7", 0, 8192, &w, false);

	(void)state;
	alloc_set_shuffle(a, true);
	alloc_boot_range(a, 1024, 4096);
	fixture_assert_lists("placed", a, 0, "o10/M[3072 1024 2048]");
	alloc_destroy(a);
}

static void test_shuffle__a_hinted_coin_replaces_the_bit(void **state)
{
	/* The hint is asked with the freed page; -1 leaves it to our bit. */
	struct words w = { { 1 }, 1, 0, 0, 0 };
	struct alloc *a = create_shuffled("6.1", 0, 8192, &w, true);

	(void)state;
	alloc_set_shuffle(a, true);
	fixture_put(a, 1024, 10);
	w.coin = 1;
	fixture_put(a, 2048, 9);
	fixture_put(a, 2560, 9);
	ASSERT_U64("asked about", w.coin_pfn, 2560);
	ASSERT_U64("words", w.used, 0);
	fixture_assert_lists("hinted", a, 0, "o10/M[1024 2048]");
	w.coin = -1;
	fixture_put(a, 3072, 10);
	ASSERT_U64("words", w.used, 1);
	fixture_assert_lists("own bit", a, 0, "o10/M[1024 2048 3072]");
	alloc_destroy(a);
}

/* The obvious model of __shuffle_zone: an array in list order. */
struct model {
	pfn_t at[32];
	unsigned int nr;
};

static int model_find(const struct model *m, pfn_t pfn)
{
	for (unsigned int i = 0; i < m->nr; i++)
		if (m->at[i] == pfn)
			return (int)i;
	return -1;
}

static void model_shuffle(struct model *m, struct words *w, pfn_t end)
{
	for (pfn_t pfn = 0; pfn < end; pfn += 1024) {
		const int i = model_find(m, pfn);
		int j = -1;

		for (int retry = 0; i >= 0 && j < 0 && retry < 10; retry++) {
			const pfn_t r = (pfn_t)(next_word(w) % end);

			j = model_find(m, r & ~1023u);
			if (j == i)
				j = -1;
		}
		if (j < 0)
			continue;
		m->at[i] = m->at[j];
		m->at[j] = pfn;
	}
}

static void assert_shuffled_like(const struct model *m, struct alloc *a)
{
	pfn_t pfn = alloc_list_first(a, 0, 10, MIGRATE_MOVABLE);

	for (unsigned int i = 0; i < m->nr; i++) {
		ASSERT_U64("block", pfn, m->at[i]);
		pfn = alloc_list_next(a, pfn);
	}
	ASSERT_U64("end", pfn, PFN_NONE);
	fixture_assert_valid("shuffled", a);
}

static void test_shuffle__boot_shuffle_equals_an_array(void **state)
{
	/* Six of eight blocks are free; 200 sets of random words. */
	const pfn_t blocks[] = { 0, 1024, 3072, 4096, 6144, 7168 };
	struct rng rng;

	(void)state;
	rng_init(&rng, 1, "test_shuffle", 0);
	for (unsigned int round = 0; round < 200; round++) {
		struct words ours = { .nr = MAX_WORDS, .coin = -1 };
		struct words theirs;
		struct model m = { .nr = 0 };
		struct alloc *a = create_shuffled("6.1", 0, 8192, &ours,
						  false);

		for (unsigned int i = 0; i < MAX_WORDS; i++)
			ours.word[i] = rng_next(&rng);
		theirs = ours;
		for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
			alloc_boot_range(a, blocks[i], blocks[i] + 1024);
			m.at[m.nr++] = blocks[i];
		}
		alloc_shuffle_zone(a, 0);
		model_shuffle(&m, &theirs, 8192);
		assert_shuffled_like(&m, a);
		ASSERT_U64("words", ours.used, theirs.used);
		alloc_destroy(a);
	}
}

static void test_shuffle__an_unaligned_zone_burns_its_words(void **state)
{
	/* A zone that starts at 1 never finds a partner: ten draws a block. */
	struct words w = { .nr = 30, .coin = -1 };
	struct alloc *a = create_shuffled("6.1", 1, 4096, &w, false);

	(void)state;
	alloc_boot_range(a, 1024, 4096);
	alloc_shuffle_zone(a, 0);
	ASSERT_U64("words", w.used, 30);
	fixture_assert_lists("unmoved", a, 0, "o10/M[1024 2048 3072]");
	alloc_destroy(a);
}

static void test_shuffle__types_must_agree(void **state)
{
	/* Block 2048 draws 1024, which is U: no swap. 3072 draws 2048. */
	struct words w = { { 2048, 1024, 2048 }, 3, 0, -1, 0 };
	struct alloc *a = create_shuffled("6.1", 0, 4096, &w, false);

	(void)state;
	alloc_boot_range(a, 1024, 4096);
	alloc_set_pageblock_type(a, 1024, MIGRATE_UNMOVABLE);
	alloc_shuffle_zone(a, 0);
	fixture_assert_lists("swapped", a, 0, "o10/M[1024 3072 2048]");
	alloc_destroy(a);
}

static void test_shuffle__places_belong_to_lists(void **state)
{
	/* Up to 6.1 a list may hold blocks of other types: they trade lists. */
	struct words w = { { 2048, 3072, 3072, 3072, 3072, 3072, 3072, 3072,
			     3072, 3072, 3072 }, 11, 0, -1, 0 };
	struct alloc *a = create_shuffled("6.1", 0, 4096, &w, false);

	(void)state;
	alloc_load_free(a, 0, 10, MIGRATE_UNMOVABLE, 1024, 0);
	alloc_load_free(a, 0, 10, MIGRATE_MOVABLE, 2048, 0);
	alloc_shuffle_zone(a, 0);
	ASSERT_U64("words", w.used, 11);
	fixture_assert_lists("swapped", a, 0, "o10/U[2048] o10/M[1024]");
	alloc_destroy(a);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_shuffle__bits_are_used_from_the_lowest),
	cmocka_unit_test(test_shuffle__a_word_lasts_64_placements),
	cmocka_unit_test(
		test_shuffle__forced_tails_and_small_orders_draw_nothing),
	cmocka_unit_test(test_shuffle__boot_hand_over_tosses_before_5_10),
	cmocka_unit_test(test_shuffle__a_hinted_coin_replaces_the_bit),
	cmocka_unit_test(test_shuffle__boot_shuffle_equals_an_array),
	cmocka_unit_test(test_shuffle__an_unaligned_zone_burns_its_words),
	cmocka_unit_test(test_shuffle__types_must_agree),
	cmocka_unit_test(test_shuffle__places_belong_to_lists),
};

TEST_MAIN(cases)
