/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What others ask of the mock without changing it: the level of a mapping and
 * the pages behind a block; and khugepaged among guests that come and go.
 */
#include "hypervisor/mock.h"
#include "tests/hypervisor/host.h"

#define NR_PAGES 2148 /* four whole regions and 100 pages */

static void test_mock__levels_and_backed_pages(void **state)
{
	/* Huge pages are mapped by 2 MiB unless writes are logged; pages of a
	 * block that lie beyond the guest do not count. */
	static const struct {
		const char *name, *script;
		pfn_t pfn;
		unsigned int order;
		enum hv_level level;
		uint32_t backed;
	} rows[] = {
		{ "nothing there", "", 0, 10, HV_LEVEL_4K, 0 },
		{ "huge", "w 0 9", 0, 9, HV_LEVEL_2M, 512 },
		{ "huge and nothing", "w 512 9", 0, 10, HV_LEVEL_4K, 512 },
		{ "huge, logged", "w 0 9; l 0 0", 0, 9, HV_LEVEL_4K, 512 },
		{ "a hole", "w 0 9; b 16 4", 0, 9, HV_LEVEL_4K, 496 },
		{ "in the hole", "w 0 9; b 16 4", 16, 4, HV_LEVEL_4K, 0 },
		{ "the end of the guest", "w 2048 0 100 1", 2048, 9,
		  HV_LEVEL_4K, 100 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host h;

		host_boot(&h, rows[i].name, &mock_hypervisor,
			  "memory=64M base=0", NR_PAGES);
		host_run(&h, rows[i].name, rows[i].script, true);
		ASSERT_U64(rows[i].name,
			   mock_hypervisor.level(&h.hv, 0, rows[i].pfn),
			   rows[i].level);
		ASSERT_U64(rows[i].name,
			   mock_hypervisor.backed(&h.hv, 0, rows[i].pfn,
						  rows[i].order),
			   rows[i].backed);
		host_close(&h);
	}
}

static void test_mock__levels_of_hugetlbfs(void **state)
{
	/* The size of its pages, touched or not; backed are whole ones. */
	static const struct {
		unsigned int order;
		enum hv_level level;
		uint32_t backed; /* of the first 1024 pages, 600 written */
	} rows[] = {
		{ 9, HV_LEVEL_2M, 1024 }, { HV_ORDER_1G, HV_LEVEL_1G, 1024 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *row = test_row((unsigned int)i);
		struct host h;

		host_open(&h, row, &mock_hypervisor, "memory=4G base=0");
		assert_int_equal(mock_hypervisor.guest_add_hugetlb(
			&h.hv, 1u << HV_ORDER_1G, rows[i].order), 0);
		ASSERT_U64(row, mock_hypervisor.level(&h.hv, 0, 5),
			   rows[i].level);
		ASSERT_U64(row, mock_hypervisor.backed(&h.hv, 0, 0, 10), 0);
		host_run(&h, row, "w 0 0 600 1", false);
		ASSERT_U64(row, mock_hypervisor.backed(&h.hv, 0, 0, 10),
			   rows[i].backed);
		mock_hypervisor.guest_remove(&h.hv, 0);
		assert_null(mock_hypervisor.check(&h.hv));
		host_close(&h);
	}
}

static void test_khugepaged__guests_that_come_and_go(void **state)
{
	/* No guest: nothing to scan. The first is gone: the round begins with
	 * the second. One that is not being scanned goes: the scan goes on. */
	struct host h;

	(void)state;
	host_open(&h, "none", &mock_hypervisor,
		  "memory=64M base=0 khugepaged_pages_to_scan=600");
	host_run(&h, "none", "k 0 0", true);
	host_expect_events(&h, "none", "");
	assert_int_equal(mock_hypervisor.guest_add(&h.hv, 1024), 0);
	assert_int_equal(mock_hypervisor.guest_add(&h.hv, 1024), 1);
	h.guest = 1;
	mock_hypervisor.guest_remove(&h.hv, 0);
	host_run(&h, "second", "w 0 9; b 0 0 512 1; w 0 9; k 0 0", true);
	ASSERT_U64("second", h.ev.khugepaged_collapsed, 1);
	assert_int_equal(mock_hypervisor.guest_add(&h.hv, 1024), 0);
	mock_hypervisor.guest_remove(&h.hv, 0);
	host_run(&h, "the rest", "k 0 0", true);
	ASSERT_U64("the rest", h.ev.khugepaged_full_scans, 1);
	host_close(&h);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_mock__levels_and_backed_pages),
	cmocka_unit_test(test_mock__levels_of_hugetlbfs),
	cmocka_unit_test(test_khugepaged__guests_that_come_and_go),
};

TEST_MAIN(cases)
