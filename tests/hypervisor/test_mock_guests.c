/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several guests on one host, their coming and going, and very large ones. */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/hypervisor/host.h"

static uint32_t add(struct host *h, pfn_t nr_pages)
{
	const int id = h->hv.ops->guest_add(&h->hv, nr_pages);

	assert_true(id >= 0);
	return (uint32_t)id;
}

static void test_mock_guests__share_the_memory_of_the_host(void **state)
{
	/* 8 MiB, two guests of 8 MiB: the second takes the first one's lazy
	 * pages, and when the first is gone there is room for all. */
	struct host h;

	(void)state;
	host_open(&h, "two guests", &mock_hypervisor,
		  "memory=8M base=0 discard=free lazy_drop=whole");
	add(&h, 2048);
	add(&h, 2048);
	host_run(&h, "first", "w 0 9 4 512; d 0 9", true);
	h.guest = 1;
	host_run(&h, "second", "w 0 9", true);
	host_expect_events(&h, "second",
			   "pressure=1 allocstall=1 pglazyfreed=512 "
			   "pgscan_direct=512 pgsteal_direct=512 "
			   "tlb_flush_rounds=1 rss_reclaimed_pages=512 "
			   "phys_reclaimed_pages=512 thp_fault_alloc=1 "
			   "ept_violation_zero_2m=1 zeroed_pages=512");
	host_expect_gauges(&h, "second", "rss_pages=512 host_free_pages=0");
	host_run(&h, "too much", "w 512 9", true);
	ASSERT_U64("too much", (uint64_t)-h.err, ENOMEM);
	h.hv.ops->guest_remove(&h.hv, 0);
	host_run(&h, "alone", "w 512 9 3 512", true);
	ASSERT_U64("alone", (uint64_t)-h.err, 0);
	host_expect_gauges(&h, "alone", "rss_pages=2048 host_free_pages=0");
	host_close(&h);
}

static void test_mock_guests__sum_of_all(void **state)
{
	/* Gauges of HV_ALL_GUESTS are the sums, those of the host are not. */
	struct host h;

	(void)state;
	host_open(&h, "sum", &mock_hypervisor, "memory=16M base=4M");
	add(&h, 2048);
	add(&h, 1024);
	host_run(&h, "first", "w 0 9; w 512 9; d 512 0", true);
	h.guest = 1;
	host_run(&h, "second", "w 0 0", true);
	h.guest = HV_ALL_GUESTS;
	host_expect_gauges(&h, "sum",
			   "rss_pages=1535 anon_huge_regions=2 "
			   "small_regions=1 partial_thps=1 "
			   "partial_unmapped_pages=1 ept_2m_leaves=2 "
			   "host_total_pages=4096 host_base_pages=1024 "
			   "host_free_pages=1536");
	host_close(&h);
}

static void test_mock_guests__removal_gives_everything_back(void **state)
{
	/* A guest with every kind of page ends; its id and memory are free. */
	struct host h;

	(void)state;
	host_open(&h, "removal", &mock_hypervisor,
		  "memory=16M base=0 discard=free");
	add(&h, 4096);
	add(&h, 4096);
	host_run(&h, "first", "w 0 9 4 512; d 0 9; b 512 0; d 1024 3; w 512 0",
		 true);
	h.guest = 1;
	host_run(&h, "second", "w 0 9; d 0 9; w 512 9; b 512 5", true);
	h.hv.ops->guest_remove(&h.hv, 0);
	assert_null(h.hv.ops->check(&h.hv));
	host_expect_gauges(&h, "one left",
			   "rss_pages=992 partial_unmapped_pages=32 "
			   "host_free_pages=3072");
	ASSERT_U64("smallest free id", add(&h, 1024), 0);
	h.hv.ops->guest_remove(&h.hv, 1);
	h.guest = HV_ALL_GUESTS;
	host_expect_gauges(&h, "empty", "rss_pages=0 host_free_pages=4096 "
					"lazy_pages=0 partial_thps=0");
	host_close(&h);
}

static void test_mock_guests__impossible_hosts_are_refused(void **state)
{
	/* More base than memory is an error with a reason. */
	struct hypervisor hv = { .ops = &mock_hypervisor };
	char options[512], why[128] = "";

	(void)state;
	assert_true(mock_hypervisor.options.size <= sizeof(options));
	hv.state = test_calloc(1, mock_hypervisor.state_size);
	option_defaults(&mock_hypervisor.options, options);
	assert_int_equal(option_parse(option_find(&mock_hypervisor.options,
						  "memory"),
				      "512M", options, why, sizeof(why)), 0);
	hv.options = options;
	ASSERT_U64("base > memory",
		   (uint64_t)-mock_hypervisor.init(&hv, why, sizeof(why)),
		   EINVAL);
	assert_string_not_equal(why, "");
	mock_hypervisor.destroy(&hv);
	test_free(hv.state);
}

static long resident_kib(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

static void test_mock_guests__untouched_memory_is_cheap(void **state)
{
	/* 16 guests of 1 TiB, one page touched each GiB: 16,384 records. */
	const pfn_t nr_pages = 1u << 28;
	const long before = resident_kib();
	struct host h;

	(void)state;
	host_open(&h, "1 TiB", &mock_hypervisor, "memory=32T thp=never");
	for (h.guest = 0; h.guest < 16; h.guest++) {
		ASSERT_U64("id", add(&h, nr_pages), h.guest);
		memset(&h.ev, 0, sizeof(h.ev));
		for (uint64_t pfn = 0; pfn < nr_pages; pfn += 1u << 18)
			assert_int_equal(h.hv.ops->access(&h.hv, h.guest,
							  (pfn_t)pfn, 0,
							  HV_ACCESS_WRITE,
							  &h.ev), 0);
		host_expect_events(&h, "1 TiB", "ept_violation_zero_4k=1024 "
						"zeroed_pages=1024");
	}
	assert_null(h.hv.ops->check(&h.hv));
	if (resident_kib() - before > 256 * 1024)
		fail_msg("%ld KiB for 16 guests of 1 TiB",
			 resident_kib() - before);
	host_close(&h);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_mock_guests__share_the_memory_of_the_host),
	cmocka_unit_test(test_mock_guests__sum_of_all),
	cmocka_unit_test(test_mock_guests__removal_gives_everything_back),
	cmocka_unit_test(test_mock_guests__impossible_hosts_are_refused),
	cmocka_unit_test(test_mock_guests__untouched_memory_is_cheap),
};

TEST_MAIN(cases)
