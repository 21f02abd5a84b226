/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Merging, splitting, placement and the hooks around them. */
#include <string.h>

#include "alloc/lists.h"
#include "tests/alloc/fixture.h"
#include "tests/test.h"

/* Frees in order, then the lists. Pages not freed stay allocated. */
struct put {
	pfn_t pfn;
	unsigned int order;
};

#define MAX_PUTS 8

static const struct merge_row {
	const char *name;
	struct put puts[MAX_PUTS];
	unsigned int nr_puts;
	const char *lists;
} merge_rows[] = {
	{ "no neighbours", { { 1024, 0 }, { 1030, 0 }, { 1026, 0 } }, 3,
	  "o0/M[1026 1030 1024]" },
	{ "one pair", { { 1024, 0 }, { 1030, 0 }, { 1026, 0 }, { 1027, 0 } }, 4,
	  "o0/M[1030 1024] o1/M[1026]" },
	{ "a pair and the pair above",
	  { { 1024, 0 }, { 1030, 0 }, { 1026, 0 }, { 1027, 0 }, { 1025, 0 } },
	  5, "o0/M[1030] o2/M[1024]" },
	{ "lower half free, upper half in parts",
	  { { 1024, 0 }, { 1030, 0 }, { 1026, 0 }, { 1027, 0 }, { 1025, 0 },
	    { 1031, 0 }, { 1028, 0 } },
	  7, "o0/M[1028] o1/M[1030] o2/M[1024]" },
	{ "all eight",
	  { { 1024, 2 }, { 1030, 0 }, { 1031, 0 }, { 1028, 0 }, { 1029, 0 } },
	  5, "o3/M[1024]" },
	{ "tail when the pair above waits",
	  { { 1034, 0 }, { 1035, 0 }, { 1040, 0 }, { 1032, 0 } }, 4,
	  "o0/M[1040 1032] o1/M[1034]" },
	{ "head again without it",
	  { { 1034, 0 }, { 1035, 0 }, { 1040, 0 }, { 1032, 0 }, { 1042, 0 } },
	  5, "o0/M[1042 1040 1032] o1/M[1034]" },
	{ "the waiting pair merges",
	  { { 1034, 0 }, { 1035, 0 }, { 1040, 0 }, { 1032, 0 }, { 1042, 0 },
	    { 1033, 0 } },
	  6, "o0/M[1042 1040] o2/M[1032]" },
	{ "an order-8 block waits for an order-9 pair",
	  { { 1536, 9 }, { 2048, 8 }, { 1024, 8 } }, 3,
	  "o8/M[2048 1024] o9/M[1536]" },
	{ "order 9 never goes to the tail",
	  { { 1024, 10 }, { 3072, 9 }, { 2048, 9 } }, 3,
	  "o9/M[2048 3072] o10/M[1024]" },
	{ "merging stops at order 10", { { 0, 10 }, { 1024, 10 } }, 2,
	  "o10/M[1024 0]" },
	{ "unequal orders do not merge", { { 1024, 1 }, { 1026, 0 } }, 2,
	  "o0/M[1026] o1/M[1024]" },
};

static void put_all(struct alloc *a, const struct put *puts, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		fixture_put(a, puts[i].pfn, puts[i].order);
}

static void test_buddy__frees_merge_and_find_their_place(void **state)
{
	/* Every row in every profile: below pageblock order they agree. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(merge_rows); i++) {
		const struct merge_row *row = &merge_rows[i];

		for (const char *const *k = fixture_kernels; *k; k++) {
			struct alloc *a = fixture_create(*k, 0, 8192);

			put_all(a, row->puts, row->nr_puts);
			fixture_assert_lists(row->name, a, 0, row->lists);
			alloc_destroy(a);
		}
	}
}

/* Two pageblocks of different type, freed one after the other or at once. */
static const struct type_row {
	const char *kernel;
	enum migratetype first, second; /* types of blocks 0 and 1 */
	struct put puts[2];
	unsigned int nr_puts;
	const char *lists;
	const char *types; /* of blocks 0 and 1, afterwards */
	uint64_t free;
} type_rows[] = {
#define BOTH { { 0, 9 }, { 512, 9 } }, 2
#define WHOLE { { 0, 10 } }, 1
	{ "5.3", MIGRATE_UNMOVABLE, MIGRATE_MOVABLE, BOTH,
	  "o10/M[0]", "UM", 1024 },
	{ "6.1", MIGRATE_UNMOVABLE, MIGRATE_MOVABLE, BOTH,
	  "o10/M[0]", "UM", 1024 },
	{ "6.12.0", MIGRATE_UNMOVABLE, MIGRATE_MOVABLE, BOTH,
	  "o10/M[0]", "MM", 1024 },
	{ "6.12", MIGRATE_UNMOVABLE, MIGRATE_MOVABLE, BOTH,
	  "o10/M[0]", "MM", 1024 },
	{ "5.7", MIGRATE_HIGHATOMIC, MIGRATE_MOVABLE, BOTH,
	  "o10/M[0]", "HM", 1024 },
	{ "6.1", MIGRATE_HIGHATOMIC, MIGRATE_MOVABLE, BOTH,
	  "o9/M[512] o9/H[0]", "HM", 1024 },
	{ "6.18", MIGRATE_HIGHATOMIC, MIGRATE_MOVABLE, BOTH,
	  "o9/M[512] o9/H[0]", "HM", 1024 },
	{ "5.10", MIGRATE_CMA, MIGRATE_MOVABLE, BOTH,
	  "o10/M[0]", "CM", 1024 },
	{ "6.1", MIGRATE_CMA, MIGRATE_MOVABLE, BOTH,
	  "o9/M[512] o9/C[0]", "CM", 1024 },
	{ "5.3", MIGRATE_ISOLATE, MIGRATE_MOVABLE, BOTH,
	  "o9/M[512] o9/I[0]", "IM", 512 },
	{ "6.1", MIGRATE_ISOLATE, MIGRATE_MOVABLE, BOTH,
	  "o9/M[512] o9/I[0]", "IM", 512 },
	{ "6.1", MIGRATE_HIGHATOMIC, MIGRATE_HIGHATOMIC, BOTH,
	  "o10/H[0]", "HH", 1024 },
	{ "5.7", MIGRATE_UNMOVABLE, MIGRATE_MOVABLE, WHOLE,
	  "o10/U[0]", "UM", 1024 },
	{ "6.1", MIGRATE_UNMOVABLE, MIGRATE_MOVABLE, WHOLE,
	  "o10/U[0]", "UM", 1024 },
	{ "6.12", MIGRATE_UNMOVABLE, MIGRATE_MOVABLE, WHOLE,
	  "o10/M[0]", "MM", 1024 },
#undef BOTH
#undef WHOLE
};

static void test_buddy__types_at_pageblock_order(void **state)
{
	/* What merges, which list it joins and what the pageblocks become. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(type_rows); i++) {
		const struct type_row *row = &type_rows[i];
		struct alloc *a = fixture_create(row->kernel, 0, 4096);

		alloc_set_pageblock_type(a, 0, row->first);
		alloc_set_pageblock_type(a, 512, row->second);
		put_all(a, row->puts, row->nr_puts);
		fixture_assert_lists(row->kernel, a, 0, row->lists);
		for (pfn_t b = 0; b < 2; b++)
			ASSERT_U64(row->kernel,
				   "UMRHCI"[alloc_pageblock_type(a, b * 512)],
				   row->types[b]);
		ASSERT_U64(row->kernel, alloc_free_pages(a), row->free);
		alloc_destroy(a);
	}
}

static void test_buddy__single_switch_lets_foreign_types_merge(void **state)
{
	/* 6.1 with the merge restriction of 5.7 alone. */
	struct alloc_profile p = *alloc_profile_find("6.1");
	struct alloc *a;

	(void)state;
	p.merge_any_foreign = false;
	a = fixture_create_profile(&p, 0, 4096, 9);
	alloc_set_pageblock_type(a, 0, MIGRATE_HIGHATOMIC);
	fixture_put(a, 0, 9);
	ASSERT_U64("before", zone_at(a, 0)->nr_free_highatomic, 512);
	fixture_put(a, 512, 9);
	fixture_assert_lists("merged", a, 0, "o10/M[0]");
	ASSERT_U64("after", zone_at(a, 0)->nr_free_highatomic, 0);
	alloc_destroy(a);
}

static void test_buddy__split_leaves_upper_halves_at_the_head(void **state)
{
	/* One order-10 block serves orders 3, 1 and 0 in ascending PFN. */
	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = fixture_create(*k, 0, 4096);

		fixture_put(a, 1024, 10);
		ASSERT_U64(*k, fixture_take(a, MIGRATE_MOVABLE, 3, 0), 1024);
		ASSERT_U64(*k, fixture_take(a, MIGRATE_MOVABLE, 1, 0), 1032);
		ASSERT_U64(*k, fixture_take(a, MIGRATE_MOVABLE, 0, 0), 1034);
		fixture_assert_lists(*k, a, 0,
				     "o0/M[1035] o2/M[1036] o4/M[1040] "
				     "o5/M[1056] o6/M[1088] o7/M[1152] "
				     "o8/M[1280] o9/M[1536]");
		ASSERT_U64(*k, alloc_free_pages(a), 1024 - 11);
		ASSERT_U64(*k, a->cnt.buddy_splits, 7 + 2 + 1);
		alloc_destroy(a);
	}
}

static void test_buddy__smallest_fit_takes_the_head(void **state)
{
	/* Three lists could serve; the smallest one's head does. */
	struct alloc *a = fixture_create("6.1", 0, 4096);
	struct zone *z = zone_at(a, 0);

	(void)state;
	put_all(a, (const struct put[]){ { 16, 1 }, { 32, 2 }, { 48, 2 } }, 3);
	ASSERT_U64("order 2", rmqueue_smallest(a, z, 2, MIGRATE_MOVABLE), 48);
	ASSERT_U64("cached type", rec_of(a, 48, 2)->aux, MIGRATE_MOVABLE);
	ASSERT_U64("order 0", rmqueue_smallest(a, z, 0, MIGRATE_MOVABLE), 16);
	ASSERT_U64("none", rmqueue_smallest(a, z, 3, MIGRATE_MOVABLE),
		   PFN_NONE);
	fixture_assert_lists("rest", a, 0, "o0/M[17] o2/M[32]");
	alloc_destroy(a);
}

static void test_buddy__work_counts_what_was_done(void **state)
{
	/* A free with three merges, and an allocation with ten splits. */
	struct alloc *a = fixture_create("6.1", 0, 4096);
	struct alloc_work work = { 0 };

	(void)state;
	put_all(a, (const struct put[]){ { 1, 0 }, { 2, 1 }, { 4, 2 } }, 3);
	alloc_set_work(a, &work);
	fixture_put(a, 0, 0);
	ASSERT_U64("merges", work.merges, 3);
	ASSERT_U64("touches", work.list_touches, 4);
	ASSERT_U64("locks", work.lock_acquisitions, 1);
	ASSERT_U64("zones", work.zones_locked, 1);
	fixture_put(a, 1024, 10);
	memset(&work, 0, sizeof(work));
	ASSERT_U64("pfn", fixture_take(a, MIGRATE_MOVABLE, 4, 0), 1024);
	ASSERT_U64("splits", work.splits, 6);
	ASSERT_U64("touches", work.list_touches, 7);
	alloc_destroy(a);
}

/* What the hooks were told. */
struct log {
	struct alloc *a;
	pfn_t tail_before;
	char text[1024];
	size_t used;
};

__attribute__((format(printf, 2, 3)))
static void log_line(struct log *log, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(log->text + log->used, sizeof(log->text) - log->used,
		      fmt, ap);
	va_end(ap);
	assert_true(n >= 0 && log->used + (size_t)n < sizeof(log->text));
	log->used += (size_t)n;
}

static void assert_log(struct log *log, const char *expected)
{
	assert_string_equal(log->text, expected);
	log->used = 0;
	log->text[0] = '\0';
}

static void on_notify(void *ctx, unsigned int zone, pfn_t pfn,
		      unsigned int order)
{
	log_line(ctx, "free %u %u/%u;", zone, pfn, order);
}

static void on_unmark(void *ctx, unsigned int zone, pfn_t pfn,
		      unsigned int order, enum migratetype mt,
		      enum unmark_reason why)
{
	struct log *log = ctx;

	/* Still on its list, mark and all. */
	assert_true(alloc_is_free_head(log->a, pfn));
	assert_true(alloc_block_marks(log->a, pfn) != 0);
	log_line(log, "unmark %u %u/%u %c %u;", zone, pfn, order,
		 "UMRHCI"[mt], why);
}

static pfn_t on_tail(void *ctx, unsigned int zone, unsigned int order,
		     enum migratetype mt)
{
	struct log *log = ctx;

	log_line(log, "tail %u %u %c;", zone, order, "UMRHCI"[mt]);
	return log->tail_before;
}

static void on_event(void *ctx, const struct alloc_event *ev)
{
	if (ev->kind == ALLOC_EVENT_MERGE)
		log_line(ctx, "merge %u/%u;", ev->pfn, ev->order);
}

static struct alloc *create_logged(struct log *log, bool unmark_on_move)
{
	const struct alloc_hooks hooks = {
		.reporter_ctx = log, .ctx = log, .notify_order = 9,
		.free_notify = on_notify,
		.block_unmark = on_unmark, .tail_position = on_tail,
		.unmark_on_move = unmark_on_move, .event = on_event,
	};

	memset(log, 0, sizeof(*log));
	log->tail_before = PFN_NONE;
	log->a = fixture_create("6.1", 0, 8192);
	alloc_set_hooks(log->a, &hooks);
	return log->a;
}

static void test_buddy__notify_sees_large_blocks_at_rest(void **state)
{
	/* An order-8 free is silent; the one that completes order 9 is not. */
	struct log log;
	struct alloc *a = create_logged(&log, false);

	(void)state;
	fixture_put(a, 1024, 8);
	assert_log(&log, "");
	fixture_put(a, 1280, 8);
	assert_log(&log, "merge 1024/9;free 0 1024/9;");
	free_one_page(a, zone_at(a, 0), 2048, 9, MIGRATE_MOVABLE,
		      FPI_SKIP_NOTIFY);
	assert_log(&log, "");
	alloc_destroy(a);
}

static void test_buddy__marks_fall_with_their_reason(void **state)
{
	/* A marked block is merged, allocated, split, moved. */
	struct log log;
	struct alloc *a = create_logged(&log, false);

	(void)state;
	fixture_put(a, 1024, 9);
	alloc_block_set_mark(a, 1024, BLOCK_REPORTED);
	fixture_assert_lists("marked", a, 0, "o9/M[1024r]");
	log.used = 0;
	fixture_put(a, 1536, 9);
	assert_log(&log, "unmark 0 1024/9 M 1;merge 1024/10;free 0 1024/10;");
	fixture_assert_lists("merged", a, 0, "o10/M[1024]");
	alloc_block_set_mark(a, 1024, BLOCK_HINTED);
	ASSERT_U64("split", fixture_take(a, MIGRATE_MOVABLE, 9, 0), 1024);
	assert_log(&log, "unmark 0 1024/10 M 0;");
	fixture_assert_lists("split", a, 0, "o9/M[1536]");
	ASSERT_U64("cold", a->cnt.cold_allocs[10], 1);
	alloc_destroy(a);
}

static void test_buddy__marks_survive_a_move_unless_told(void **state)
{
	/* Move a marked block to the U lists under both settings. */
	(void)state;
	for (int unmark = 0; unmark < 2; unmark++) {
		struct log log;
		struct alloc *a = create_logged(&log, unmark);
		struct zone *z = zone_at(a, 0);

		fixture_put(a, 1024, 9);
		alloc_block_set_mark(a, 1024, BLOCK_REPORTED);
		log.used = 0;
		move_to_free_list(a, z, 1024, 9, MIGRATE_UNMOVABLE);
		assert_log(&log, unmark ? "unmark 0 1024/9 M 3;tail 0 9 U;"
					: "tail 0 9 U;");
		fixture_assert_lists("moved", a, 0,
				     unmark ? "o9/U[1024]" : "o9/U[1024r]");
		alloc_destroy(a);
	}
}

static void test_buddy__tail_is_where_the_hook_says(void **state)
{
	/* Tail insertions at order 9 go in front of the block it names. */
	struct log log;
	struct alloc *a = create_logged(&log, false);
	struct zone *z = zone_at(a, 0);

	(void)state;
	fixture_put(a, 1024, 9);
	fixture_put(a, 2048, 9);
	log.used = 0;
	log.tail_before = 1024;
	free_one_page(a, z, 3072, 9, MIGRATE_MOVABLE,
		      FPI_TO_TAIL | FPI_SKIP_NOTIFY);
	assert_log(&log, "tail 0 9 M;");
	fixture_assert_lists("placed", a, 0, "o9/M[2048 3072 1024]");
	free_one_page(a, z, 4096, 8, MIGRATE_MOVABLE, FPI_TO_TAIL);
	assert_log(&log, "");
	alloc_destroy(a);
}

static void test_buddy__capture_takes_the_block_on_its_way_up(void **state)
{
	/* A compactor waits for order 2; the merge to order 3 never comes. */
	struct alloc *a = fixture_create("6.1", 0, 4096);
	struct alloc_work work = { 0 };

	(void)state;
	put_all(a, (const struct put[]){ { 9, 0 }, { 10, 1 }, { 12, 2 } }, 3);
	alloc_set_work(a, &work);
	alloc_capture_arm(a, 8, 2);
	fixture_put(a, 8, 0);
	ASSERT_U64("captured", alloc_capture_collect(a), 8);
	ASSERT_U64("merges", work.merges, 2);
	ASSERT_U64("free", alloc_free_pages(a), 4);
	fixture_assert_lists("rest", a, 0, "o2/M[12]");
	fixture_put(a, 8, 2);
	ASSERT_U64("empty slot", alloc_capture_collect(a), PFN_NONE);
	fixture_assert_lists("freed", a, 0, "o3/M[8]");
	alloc_destroy(a);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_buddy__frees_merge_and_find_their_place),
	cmocka_unit_test(test_buddy__types_at_pageblock_order),
	cmocka_unit_test(test_buddy__single_switch_lets_foreign_types_merge),
	cmocka_unit_test(test_buddy__split_leaves_upper_halves_at_the_head),
	cmocka_unit_test(test_buddy__smallest_fit_takes_the_head),
	cmocka_unit_test(test_buddy__work_counts_what_was_done),
	cmocka_unit_test(test_buddy__notify_sees_large_blocks_at_rest),
	cmocka_unit_test(test_buddy__marks_fall_with_their_reason),
	cmocka_unit_test(test_buddy__marks_survive_a_move_unless_told),
	cmocka_unit_test(test_buddy__tail_is_where_the_hook_says),
	cmocka_unit_test(test_buddy__capture_takes_the_block_on_its_way_up),
};

TEST_MAIN(cases)
