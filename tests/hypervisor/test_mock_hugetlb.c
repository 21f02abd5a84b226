/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests whose memory is pages of 2 MiB or 1 GiB from a pool. */
#include <errno.h>

#include "tests/hypervisor/host.h"

#define GIB_PAGES (1u << HV_ORDER_1G)

static const struct row {
	const char *name, *options;
	unsigned int order;
	pfn_t nr_pages;
	const char *before, *script, *events, *gauges;
	int err;
} rows[] = {
	{ "one fault clears all of 2 MiB", "memory=64M base=0", 9, 4096,
	  "", "w 5 0; r 511 0; w 0 9",
	  "hugetlb_alloc=1 ept_violation_zero_2m=1 zeroed_pages=512",
	  "rss_pages=512 hugetlb_pages=512 ept_2m_leaves=1 anon_huge_regions=0 "
	  "host_pool_pages=4096 host_pool_free_pages=3584 "
	  "host_free_pages=12288", 0 },
	{ "or all of 1 GiB", "memory=4G base=0", 18, 2 * GIB_PAGES,
	  "", "w 262143 0; w 0 10; w 261632 9; w 262144 0",
	  "hugetlb_alloc=2 ept_violation_zero_1g=2 zeroed_pages=524288",
	  "rss_pages=524288 ept_1g_leaves=2 ept_2m_leaves=0 "
	  "host_pool_free_pages=0", 0 },
	{ "a block of whole pages goes back to the pool",
	  "memory=64M base=0", 9, 4096, "w 0 10", "d 0 10; b 1024 9; b 0 9",
	  "discard_dontneed_order10=1 discard_dontneed_order9=2 "
	  "discard_calls=3 discard_backed_pages=1024 "
	  "discard_unbacked_pages=1024 hugetlb_free=2 zap_pmd=2 ept_zap_2m=2 "
	  "rss_reclaimed_pages=1024 tlb_flush_rounds=1",
	  "rss_pages=0 host_pool_free_pages=4096 host_free_pages=12288", 0 },
	{ "and is cleared when it comes back", "memory=64M base=0", 9, 4096,
	  "w 0 9; d 0 9", "r 1 0",
	  "hugetlb_alloc=1 ept_violation_zero_2m=1 zeroed_pages=512",
	  "rss_pages=512", 0 },
	{ "a part of a page stays", "memory=64M base=0", 9, 4096,
	  "w 0 9", "d 0 8; b 0 0", "discard_ignored=2 discard_partial=2",
	  "rss_pages=512 ept_2m_leaves=1", 0 },
	{ "as does every block of a page of 1 GiB", "memory=2G base=0", 18,
	  GIB_PAGES, "w 0 0", "d 0 10; b 512 9",
	  "discard_ignored=2 discard_partial=2", "rss_pages=262144", 0 },
	{ "and every page of a VMM that discards them one by one",
	  "memory=64M base=0 discard_granularity=page", 9, 4096,
	  "w 0 9", "d 0 9", "discard_ignored=1 discard_partial=1",
	  "rss_pages=512", 0 },
	{ "nothing is lazy", "memory=64M base=0 discard=free", 9, 4096,
	  "w 0 9", "d 0 9",
	  "discard_dontneed_order9=1 discard_calls=1 discard_backed_pages=512 "
	  "hugetlb_free=1 zap_pmd=1 ept_zap_2m=1 rss_reclaimed_pages=512 "
	  "tlb_flush_rounds=1", "lazy_pages=0 rss_pages=0", 0 },
	{ "inhibited", "memory=64M base=0 inhibit=on", 9, 4096,
	  "w 0 9", "d 0 9", "discard_ignored=1", "rss_pages=512", 0 },
	{ "khugepaged has nothing to look at", "memory=64M base=0", 9, 4096,
	  "w 0 9", "k 0 0", "khugepaged_full_scans=1", "rss_pages=512", 0 },
};

static void boot(struct host *h, const struct row *row)
{
	int id;

	host_open(h, row->name, &mock_hypervisor, row->options);
	id = h->hv.ops->guest_add_hugetlb(&h->hv, row->nr_pages, row->order);
	if (id < 0)
		fail_msg("%s: guest: %d", row->name, id);
	h->guest = (uint32_t)id;
}

static void test_hugetlb__whole_pages_only(void **state)
{
	/* Accesses and discards of one guest, on a pool of its size. */
	struct host h;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];

		boot(&h, row);
		host_run(&h, row->name, row->before, true);
		host_run(&h, row->name, row->script, true);
		ASSERT_U64(row->name, (uint64_t)-h.err, (uint64_t)-row->err);
		host_expect_events(&h, row->name, row->events);
		host_expect_gauges(&h, row->name, row->gauges);
		host_close(&h);
	}
}

static void test_hugetlb__a_page_given_back_is_not_reserved(void **state)
{
	/* A pool for two guests; what one gave back, a third one reserves. */
	static const struct row row = {
		"pool", "memory=64M base=0 hugetlb_pool=8M", 9, 1024,
		NULL, NULL, NULL, NULL, 0
	};
	const struct hypervisor_ops *ops = &mock_hypervisor;
	struct host h;

	(void)state;
	boot(&h, &row);
	assert_int_equal(ops->guest_add_hugetlb(&h.hv, 1024, 9), 1);
	assert_int_equal(ops->guest_add_hugetlb(&h.hv, 512, 9), -ENOMEM);
	host_run(&h, "pool", "w 0 10; d 0 9", true);
	assert_int_equal(ops->guest_add_hugetlb(&h.hv, 512, 9), 2);
	/* Its page is spoken for by another. */
	host_run(&h, "pool", "w 0 0", true);
	assert_int_equal(h.err, -ENOMEM);
	host_expect_events(&h, "pool", "host_oom=1");
	ops->guest_remove(&h.hv, 2);
	host_run(&h, "pool", "w 0 0", true);
	assert_int_equal(h.err, 0);
	ops->guest_remove(&h.hv, 1);
	host_run(&h, "pool", "r 0 0", true);
	host_expect_gauges(&h, "pool", "host_pool_pages=2048 "
			   "host_pool_free_pages=1024 host_free_pages=14336");
	host_close(&h);
}

static void test_hugetlb__refuses(void **state)
{
	/* What no pool can be asked for. */
	static const struct {
		const char *name, *options;
		pfn_t nr_pages;
		unsigned int order;
		int err;
	} cases[] = {
		{ "no whole page", "memory=64M base=0", 700, 9, -EINVAL },
		{ "no whole page of 1 GiB", "memory=4G base=0", 4096, 18, -EINVAL },
		{ "no such size", "memory=64M base=0", 1024, 10, -EINVAL },
		{ "nothing", "memory=64M base=0", 0, 9, -EINVAL },
		{ "more than the host has", "memory=64M base=1M", 16384, 9,
		  -ENOMEM },
		{ "more than the pool has", "memory=64M base=0 "
		  "hugetlb_pool=10%", 2048, 9, -ENOMEM },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host h;
		int err;

		host_open(&h, cases[i].name, &mock_hypervisor,
			  cases[i].options);
		err = h.hv.ops->guest_add_hugetlb(&h.hv, cases[i].nr_pages,
						  cases[i].order);
		ASSERT_U64(cases[i].name, (uint64_t)-err,
			   (uint64_t)-cases[i].err);
		host_run(&h, cases[i].name, "", true);
		host_close(&h);
	}
}

int main(void)
{
	static const struct CMUnitTest cases[] = {
		cmocka_unit_test(test_hugetlb__whole_pages_only),
		cmocka_unit_test(
			test_hugetlb__a_page_given_back_is_not_reserved),
		cmocka_unit_test(test_hugetlb__refuses),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
