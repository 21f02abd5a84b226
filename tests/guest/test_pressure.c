/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory in pieces: compaction of everything, and what it must leave alone. */
#include "guest/compact.h"
#include "tests/guest/rig.h"

static uint64_t huge_blocks(const struct rig *r)
{
	struct alloc_zone_info z;
	uint64_t nr;

	alloc_drain_all(r->alloc);
	alloc_zone_info(r->alloc, 0, &z);
	nr = z.nr_free[HPAGE_PMD_ORDER];
	for (unsigned int o = HPAGE_PMD_ORDER + 1; o <= MAX_PAGE_ORDER; o++)
		nr += z.nr_free[o] << (o - HPAGE_PMD_ORDER);
	return nr;
}

/* Every other page is mapped: half of what they lie in can become whole. */
static void test_pressure__compact_memory_makes_blocks(void **state)
{
	static const struct {
		bool compaction;
		uint32_t budget;
		bool twice;
	} rows[] = {
		{ false, UINT32_MAX, false },
		{ true, UINT32_MAX, false },
		{ true, 1, false },
		{ true, UINT32_MAX, true },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct rig_options o = {
			.kernel = "6.1", .mib = 64, .thp = THP_NEVER,
			.compaction = rows[i].compaction,
		};
		uint64_t before, free, at;
		struct rig r;

		rig_open(&r, &o);
		ASSERT_U64("address space", rig_mm(&r, 0), 0);
		at = rig_mmap(&r, 0, 48 * MIB, 0);
		rig_touch(&r, 0, at, 48 * MIB);
		for (uint64_t k = 0; k < 48 * MIB; k += 2 * PAGE_SIZE)
			rig_dontneed(&r, 0, at + k, PAGE_SIZE);
		r.budget = rows[i].budget;
		before = huge_blocks(&r);
		free = rig_free_pages(&r);
		for (unsigned int k = 0; k < 1u + rows[i].twice; k++) {
			struct guest_op op = { .kind = GUEST_COMPACT_MEMORY };

			rig_op(&r, &op, 0);
			ASSERT_U64("helper", op.helper, 0);
			rig_assert_valid(&r);
		}
		ASSERT_U64(test_row(i), rig_free_pages(&r), free);
		if (rows[i].compaction)
			assert_true(huge_blocks(&r) >= before + 8);
		else
			ASSERT_U64(test_row(i), huge_blocks(&r), before);
		/* It is nobody's failure: no later request is put off. */
		if (rows[i].compaction)
			ASSERT_U64(test_row(i),
				   r.guest->mem->zones[0].defer_shift, 0);
		rig_close(&r);
	}
}

/* compact_zone: positions that a zone remembers wrongly are set right. */
static void test_pressure__positions_outside_the_zone(void **state)
{
	static const struct {
		pfn_t migrate, free;
	} rows[] = {
		{ RIG_START, 0 }, { RIG_START, 64 * 256 + RIG_START },
		{ 0, 64 * 256 }, { 64 * 256 + RIG_START, 64 * 256 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct rig_options o = {
			.kernel = "6.1", .mib = 64, .thp = THP_NEVER,
			.compaction = true,
		};
		struct guest_op op = { .kind = GUEST_KCOMPACTD, .flags = 9,
				       .len = ZONE_NORMAL };
		struct compact_zone *cz;
		struct rig r;
		uint64_t at;

		rig_open(&r, &o);
		ASSERT_U64("address space", rig_mm(&r, 0), 0);
		at = rig_mmap(&r, 0, 56 * MIB, 0);
		rig_touch(&r, 0, at, 56 * MIB);
		for (uint64_t k = 0; k < 56 * MIB; k += 2 * PAGE_SIZE)
			rig_dontneed(&r, 0, at + k, PAGE_SIZE);
		while (alloc_page_fast(r.alloc, 0, HPAGE_PMD_ORDER,
				       GFP_KERNEL) != PFN_NONE)
			r.nr_events = 0;
		ASSERT_U64(test_row(i), huge_blocks(&r), 0);
		cz = &r.guest->mem->zones[0];
		cz->cached_migrate[COMPACT_ASYNC] = rows[i].migrate;
		cz->cached_migrate[COMPACT_SYNC_LIGHT] = rows[i].migrate;
		cz->cached_free = rows[i].free;
		rig_op(&r, &op, 0);
		assert_true(huge_blocks(&r) > 0);
		rig_close(&r);
	}
}

/* What kcompactd has isolated when it is stopped goes back. */
static void test_pressure__kcompactd_is_stopped(void **state)
{
	const struct rig_options o = {
		.kernel = "6.1", .mib = 64, .thp = THP_NEVER,
		.compaction = true,
	};
	struct guest_op op = { .kind = GUEST_KCOMPACTD, .flags = 9,
			       .len = ZONE_NORMAL };
	struct rig r;
	uint64_t at, free;

	(void)state;
	rig_open(&r, &o);
	ASSERT_U64("address space", rig_mm(&r, 0), 0);
	at = rig_mmap(&r, 0, 56 * MIB, 0);
	rig_touch(&r, 0, at, 56 * MIB);
	for (uint64_t k = 0; k < 56 * MIB; k += 2 * PAGE_SIZE)
		rig_dontneed(&r, 0, at + k, PAGE_SIZE);
	while (alloc_page_fast(r.alloc, 0, HPAGE_PMD_ORDER, GFP_KERNEL) !=
	       PFN_NONE)
		r.nr_events = 0;
	free = rig_free_pages(&r);
	for (unsigned int k = 0; k < 3; k++) {
		struct guest_work work = { 0 };

		ASSERT_U64("status", guest_run(r.guest, &op, 0, 1, &work),
			   GUEST_MORE);
		r.touches.nr = 0;
	}
	guest_op_cancel(r.guest, &op, 0);
	ASSERT_U64("helper", op.helper, 0);
	ASSERT_U64("free", rig_free_pages(&r), free);
	rig_close(&r);
}

/* __defer_compaction and compaction_deferred: at most 64 requests are put off. */
static void test_pressure__putting_off_doubles_up_to_64(void **state)
{
	struct compact_zone cz = { .order_failed = MAX_PAGE_ORDER };

	(void)state;
	for (unsigned int failed = 1; failed <= 8; failed++) {
		const unsigned int shift = failed < 6 ? failed : 6;
		unsigned int put_off = 0;

		defer_compaction(&cz, 9);
		/* Smaller ones did not fail, and are not put off. */
		assert_false(compaction_deferred(&cz, 8));
		ASSERT_U64(test_row(failed), compaction_restarting(&cz, 9),
			   false);
		while (compaction_deferred(&cz, 9))
			put_off++;
		ASSERT_U64(test_row(failed), put_off, (1u << shift) - 1);
		/* After the longest wait everything is looked at again. */
		ASSERT_U64(test_row(failed), compaction_restarting(&cz, 9),
			   shift == 6);
		ASSERT_U64(test_row(failed), compaction_restarting(&cz, 8),
			   false);
	}
	compaction_defer_reset(&cz, 9, false);
	ASSERT_U64("order", cz.order_failed, 10);
	assert_false(compaction_deferred(&cz, 9));
	compaction_defer_reset(&cz, 9, true);
	ASSERT_U64("shift", cz.defer_shift, 0);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_pressure__compact_memory_makes_blocks),
	cmocka_unit_test(test_pressure__positions_outside_the_zone),
	cmocka_unit_test(test_pressure__kcompactd_is_stopped),
	cmocka_unit_test(test_pressure__putting_off_doubles_up_to_64),
};

TEST_MAIN(cases)
