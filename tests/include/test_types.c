/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conversions between units, and the touch buffer's room. */
#include "include/touch.h"
#include "include/types.h"
#include "tests/test.h"

static void test_types__units_convert_without_loss(void **state)
{
	/* 16 TiB of pages do not overflow on the way to bytes or KiB. */
	const uint64_t nr_pages = UINT64_C(1) << 32;

	(void)state;
	ASSERT_U64("bytes", pages_to_bytes(nr_pages), UINT64_C(1) << 44);
	ASSERT_U64("back", bytes_to_pages(pages_to_bytes(nr_pages)), nr_pages);
	ASSERT_U64("KiB", pages_to_kib(nr_pages), UINT64_C(1) << 34);
	ASSERT_U64("one page", pages_to_kib(1), 4);
	ASSERT_U64("rounds down", bytes_to_pages(4095), 0);
}

static void test_types__pfn_alignment_follows_the_order(void **state)
{
	/* A PFN in the middle of a max-order block, seen from each order. */
	static const struct {
		const char *name;
		unsigned int order;
		pfn_t down;
		bool aligned;
	} rows[] = {
		{ "order 0", 0, 0x0fffff08, true },
		{ "order 3", 3, 0x0fffff08, true },
		{ "order 4", 4, 0x0fffff00, false },
		{ "order 9", 9, 0x0ffffe00, false },
		{ "order 10", 10, 0x0ffffc00, false },
	};
	const pfn_t pfn = 0x0fffff08;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ASSERT_U64(rows[i].name, pfn_align_down(pfn, rows[i].order),
			   rows[i].down);
		ASSERT_U64(rows[i].name, pfn_aligned(pfn, rows[i].order),
			   rows[i].aligned);
	}
	ASSERT_U64("region", pfn_region(pfn), pfn / 512);
	ASSERT_U64("order 10", order_nr_pages(MAX_PAGE_ORDER), 1024);
}

static void test_touch__room_ends_with_the_buffer(void **state)
{
	/* A buffer filled to the last entry keeps order and refuses more. */
	static struct touch_buffer b;

	(void)state;
	b.nr = 0;
	for (uint32_t i = 0; i < TOUCH_BUFFER_NR; i++) {
		assert_true(touch_room(&b, TOUCH_BUFFER_NR - i));
		assert_false(touch_room(&b, TOUCH_BUFFER_NR - i + 1));
		touch_add(&b, i, i % 11, TOUCH_WRITE);
	}
	assert_false(touch_room(&b, 1));
	assert_true(touch_room(&b, 0));
	ASSERT_U64("pfn", b.entries[17].pfn, 17);
	ASSERT_U64("order", b.entries[17].order, 6);
	ASSERT_U64("kind", b.entries[17].kind, TOUCH_WRITE);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_types__units_convert_without_loss),
	cmocka_unit_test(test_types__pfn_alignment_follows_the_order),
	cmocka_unit_test(test_touch__room_ends_with_the_buffer),
};

TEST_MAIN(cases)
