/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LRU batches: when pages come to the LRU, and who frees them. */
#include "tests/guest/rig.h"

#define CPUS 3

static uint64_t begin(struct rig *r, const char *kernel, uint32_t *mm)
{
	const struct rig_options o = { .kernel = kernel, .mib = 64,
				       .cpus = CPUS, .thp = THP_MADVISE,
				       .aligned = true };

	rig_open(r, &o);
	*mm = rig_mm(r, 0);
	return rig_mmap(r, *mm, 8 * MIB, 0);
}

static uint64_t batched(const struct rig *r)
{
	struct guest_gauges gauges;

	guest_gauges(r->guest, &gauges);
	return gauges.lru_batched;
}

static void touch_on(struct rig *r, unsigned int cpu, uint32_t mm,
		     uint64_t addr, uint64_t pages)
{
	struct guest_op op = { .kind = GUEST_TOUCH, .mm = mm, .addr = addr,
			       .len = pages_to_bytes(pages) };

	rig_op(r, &op, cpu);
}

static void unmap_on(struct rig *r, unsigned int cpu, uint32_t mm,
		     uint64_t addr, uint64_t pages)
{
	struct guest_op op = { .kind = GUEST_MADV_DONTNEED, .mm = mm,
			       .addr = addr, .len = pages_to_bytes(pages) };

	rig_op(r, &op, cpu);
}

/* The mark comes with the page that fills the batch: the 15th or the 31st. */
static void test_lru__batch_is_flushed_when_full(void **state)
{
	(void)state;
	for (int k = 0; rig_kernels[k]; k++) {
		const uint64_t size =
			alloc_profile_find(rig_kernels[k])->lru_batch;
		struct rig r;
		uint32_t mm;
		uint64_t addr = begin(&r, rig_kernels[k], &mm);

		touch_on(&r, 0, mm, addr, size - 1);
		ASSERT_U64(rig_kernels[k], batched(&r), size - 1);
		assert_false(alloc_test_lru(r.alloc,
					    rig_event_pfn(&r, 'p', 0)));
		touch_on(&r, 0, mm, addr, size);
		ASSERT_U64(rig_kernels[k], batched(&r), 0);
		for (size_t i = 0; i < size; i++)
			assert_true(alloc_test_lru(r.alloc,
					rig_event_pfn(&r, 'p', i)));
		ASSERT_U64("drains", guest_counters(r.guest)->lru_drains, 1);
		rig_close(&r);
	}
}

/* A huge page empties the batch, and is on the LRU at once. */
static void test_lru__huge_page_flushes(void **state)
{
	struct rig r;
	uint32_t mm;
	uint64_t addr, huge;

	(void)state;
	addr = begin(&r, "6.1", &mm);
	touch_on(&r, 0, mm, addr, 3);
	huge = rig_mmap(&r, mm, 2 * MIB, GUEST_MAP_HUGEPAGE);
	ASSERT_U64("before", batched(&r), 3);
	touch_on(&r, 0, mm, huge, 512);
	ASSERT_U64("after", batched(&r), 0);
	assert_true(alloc_test_lru(r.alloc, rig_event_pfn(&r, 'p', 0)));
	assert_true(alloc_test_lru(r.alloc, rig_event_pfn(&r, 'h', 0) + 511));
	rig_close(&r);
}

/* Unmapping drains the own CPU, so that nothing is pinned. */
static void test_lru__unmap_drains_its_cpu(void **state)
{
	struct rig r;
	uint32_t mm;
	uint64_t addr;

	(void)state;
	addr = begin(&r, "6.1", &mm);
	touch_on(&r, 0, mm, addr, 5);
	touch_on(&r, 1, mm, addr + MIB, 4);
	ASSERT_U64("before", batched(&r), 9);
	unmap_on(&r, 0, mm, addr, 1);
	ASSERT_U64("after", batched(&r), 4);
	ASSERT_U64("freed", rig_count(&r, 'P'), 1);
	rig_close(&r);
}

/*
 * Pages unmapped elsewhere stay allocated until the batch's CPU drains, and
 * that CPU frees them: into its own pcp list.
 */
static void test_lru__unmapped_elsewhere(void **state)
{
	(void)state;
	for (int k = 0; rig_kernels[k]; k++) {
		const bool forward =
			alloc_profile_find(rig_kernels[k])->gather_order ==
			GATHER_FORWARD;
		struct guest_gauges gauges;
		struct rig r;
		uint32_t mm;
		uint64_t addr = begin(&r, rig_kernels[k], &mm);
		pfn_t first, last;

		touch_on(&r, 1, mm, addr, 5);
		first = rig_event_pfn(&r, 'p', 1);
		last = rig_event_pfn(&r, 'p', 4);
		unmap_on(&r, 0, mm, addr + PAGE_SIZE, 4);
		ASSERT_U64("freed", rig_count(&r, 'P'), 0);
		guest_gauges(r.guest, &gauges);
		ASSERT_U64("mapped", gauges.anon_pages, 1);
		ASSERT_U64("batched", gauges.lru_batched, 5);
		assert_true(alloc_block_is_allocated(r.alloc, first, 0));
		rig_assert_valid(&r);
		/* CPU 1 unmaps something else and drains. */
		unmap_on(&r, 1, mm, addr + 4 * MIB, 1);
		ASSERT_U64("freed", rig_count(&r, 'P'), 4);
		ASSERT_U64("order", rig_event_pfn(&r, 'P', 0),
			   forward ? first : last);
		ASSERT_U64("pcp of CPU 1",
			   alloc_pcp_first(r.alloc, 0, 1, MIGRATE_MOVABLE),
			   forward ? last : first);
		rig_exit(&r, mm);
		ASSERT_U64("free", rig_free_pages(&r), r.free_at_start);
		rig_close(&r);
	}
}

/* Exit on another CPU leaves the batch behind; it empties when it fills. */
static void test_lru__batch_outlives_the_address_space(void **state)
{
	struct rig r;
	uint32_t mm, other;
	uint64_t addr;

	(void)state;
	addr = begin(&r, "6.1", &mm);
	touch_on(&r, 2, mm, addr, 6);
	rig_exit(&r, mm);
	ASSERT_U64("free", rig_free_pages(&r), r.free_at_start - 6);
	rig_assert_valid(&r);
	other = rig_mm(&r, 0);
	addr = rig_mmap(&r, other, MIB, 0);
	touch_on(&r, 2, other, addr, 8);
	ASSERT_U64("pinned", rig_count(&r, 'P'), 0);
	touch_on(&r, 2, other, addr, 9);
	ASSERT_U64("freed", rig_count(&r, 'P'), 6);
	rig_assert_valid(&r);
	rig_exit(&r, other);
	ASSERT_U64("end", rig_free_pages(&r), r.free_at_start);
	rig_close(&r);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_lru__batch_is_flushed_when_full),
	cmocka_unit_test(test_lru__huge_page_flushes),
	cmocka_unit_test(test_lru__unmap_drains_its_cpu),
	cmocka_unit_test(test_lru__unmapped_elsewhere),
	cmocka_unit_test(test_lru__batch_outlives_the_address_space),
};

TEST_MAIN(cases)
