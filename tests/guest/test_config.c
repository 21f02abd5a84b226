/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest is made with: configurations that are refused, and the switches
 * of its huge pages, of memory known to be zero, and of who is killed.
 */
#include <errno.h>
#include <string.h>

#include "guest/internal.h"
#include "tests/guest/rig.h"

#define AT UINT64_C(0x100000000)
#define MEMORY_END (RIG_START + 64 * 256) /* of the rig's 64 MiB */

static void open_rig(struct rig *r, enum thp_enabled thp,
		     enum thp_defrag defrag)
{
	const struct rig_options o = {
		.kernel = "6.1", .mib = 64, .thp = thp, .defrag = defrag,
	};

	rig_open(r, &o);
	ASSERT_U64("address space", rig_mm(r, 0), 0);
}

static uint64_t map_at(struct rig *r, uint64_t addr, uint64_t len,
		       uint32_t flags)
{
	struct guest_op op = { .kind = GUEST_MMAP, .addr = addr, .len = len,
			       .flags = GUEST_MAP_FIXED | flags };

	rig_op(r, &op, 0);
	return op.addr;
}

/* ---- refused ---- */

static void no_alloc(struct guest_config *c, struct alloc_profile *p)
{
	(void)p;
	c->alloc = NULL;
}

static void no_touches(struct guest_config *c, struct alloc_profile *p)
{
	(void)p;
	c->touches = NULL;
}

static void no_cpus(struct guest_config *c, struct alloc_profile *p)
{
	(void)p;
	c->nr_cpus = 0;
}

static void more_cpus(struct guest_config *c, struct alloc_profile *p)
{
	(void)p;
	c->nr_cpus = 3;
}

static void crooked_base(struct guest_config *c, struct alloc_profile *p)
{
	(void)p;
	c->mmap_base = 12345;
}

static void base_too_high(struct guest_config *c, struct alloc_profile *p)
{
	(void)p;
	c->mmap_base = TASK_SIZE;
}

static void no_batch(struct guest_config *c, struct alloc_profile *p)
{
	(void)c;
	p->lru_batch = 0;
}

static void long_batch(struct guest_config *c, struct alloc_profile *p)
{
	(void)c;
	p->lru_batch = LRU_BATCH_MAX + 1;
}

static void no_stack(struct guest_config *c, struct alloc_profile *p)
{
	(void)c;
	p->gather_stack = 0;
}

static void big_stack(struct guest_config *c, struct alloc_profile *p)
{
	(void)c;
	p->gather_stack = GATHER_MAX + 1;
}

static void no_heap(struct guest_config *c, struct alloc_profile *p)
{
	(void)c;
	p->gather_heap = 0;
}

static void big_heap(struct guest_config *c, struct alloc_profile *p)
{
	(void)c;
	p->gather_heap = GATHER_MAX + 1;
}

static void nothing(struct guest_config *c, struct alloc_profile *p)
{
	(void)c;
	(void)p;
}

static struct alloc *two_cpus(const struct alloc_profile *profile)
{
	const struct alloc_zone_config zone = {
		.type = ZONE_NORMAL, .start = 1024, .end = 2048,
	};
	const struct alloc_config config = {
		.profile = profile, .nr_cpus = 2, .nr_nodes = 1,
		.zones = &zone, .nr_zones = 1, .pageblock_order = 9,
		.watermark_boost_factor = UINT32_MAX,
	};
	struct alloc *a = NULL;
	const char *why = "no reason given";

	if (alloc_create(&a, &config, &why))
		fail_msg("alloc_create: %s", why);
	return a;
}

static void test_config__what_cannot_be_a_guest_is_refused(void **state)
{
	static const struct {
		void (*spoil)(struct guest_config *c, struct alloc_profile *p);
		int err;
	} rows[] = {
		{ nothing, 0 },
		{ no_alloc, -EINVAL }, { no_touches, -EINVAL },
		{ no_cpus, -EINVAL }, { more_cpus, -EINVAL },
		{ crooked_base, -EINVAL }, { base_too_high, -EINVAL },
		{ no_batch, -EINVAL }, { long_batch, -EINVAL },
		{ no_stack, -EINVAL }, { big_stack, -EINVAL },
		{ no_heap, -EINVAL }, { big_heap, -EINVAL },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct alloc_profile profile = *alloc_profile_find("6.1");
		struct touch_buffer touches = { 0 };
		struct guest_config cfg = { .touches = &touches,
					    .nr_cpus = 2 };
		struct guest *g;
		struct alloc *a;

		/* The allocator keeps the profile as it is created with. */
		rows[i].spoil(&cfg, &profile);
		cfg.alloc = a = two_cpus(&profile);
		rows[i].spoil(&cfg, &profile);
		assert_int_equal(guest_create(&g, &cfg), rows[i].err);
		assert_int_equal(g != NULL, rows[i].err == 0);
		guest_destroy(g);
		alloc_destroy(a);
	}
}

/* ---- huge pages ---- */

static void note_wake(void *ctx, unsigned int node, unsigned int order,
		      unsigned int highest, gfp_t gfp)
{
	(void)node;
	(void)order;
	(void)highest;
	(void)gfp;
	*(bool *)ctx = true;
}

/*
 * No huge page is free. Documented for /sys/.../transparent_hugepage/defrag:
 * always stalls; defer wakes kswapd instead; defer+madvise stalls who asked by
 * madvise and wakes kswapd for the others; madvise stalls who asked; never.
 */
static void test_config__defrag_says_who_stalls(void **state)
{
	static const struct {
		enum thp_defrag defrag;
		bool madvised, stalls, wakes;
	} rows[] = {
		{ THP_DEFRAG_ALWAYS, false, true, false },
		{ THP_DEFRAG_ALWAYS, true, true, false },
		{ THP_DEFRAG_DEFER, false, false, true },
		{ THP_DEFRAG_DEFER, true, false, true },
		{ THP_DEFRAG_DEFER_MADVISE, false, false, true },
		{ THP_DEFRAG_DEFER_MADVISE, true, true, false },
		{ THP_DEFRAG_MADVISE, false, false, false },
		{ THP_DEFRAG_MADVISE, true, true, false },
		{ THP_DEFRAG_NEVER, false, false, false },
		{ THP_DEFRAG_NEVER, true, false, false },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct guest_op op = { .kind = GUEST_TOUCH, .addr = AT,
				       .len = PAGE_SIZE };
		struct guest_work work = { 0 };
		enum guest_status status;
		bool woken = false;
		struct rig r;
		pfn_t pfn, last = PFN_NONE;

		open_rig(&r, THP_ALWAYS, rows[i].defrag);
		map_at(&r, AT, 4 * MIB,
		       rows[i].madvised ? GUEST_MAP_HUGEPAGE : 0);
		alloc_set_hooks(r.alloc, &(struct alloc_hooks){
			.ctx = &woken, .kswapd_wake = note_wake });
		while ((pfn = alloc_page_fast(r.alloc, 0, HPAGE_PMD_ORDER,
					      GFP_TRANSHUGE_LIGHT)) != PFN_NONE)
			last = pfn;
		/* Room for everything but a huge page. */
		for (pfn_t k = 0; k < HPAGE_PMD_NR; k += 128)
			alloc_free(r.alloc, 0, last + k, 6);
		woken = false;
		status = guest_run(r.guest, &op, 0, 2, &work);
		ASSERT_U64(test_row(i), status == GUEST_WAIT, rows[i].stalls);
		ASSERT_U64(test_row(i), woken, rows[i].wakes);
		if (!rows[i].stalls)
			ASSERT_U64(test_row(i), work.faults_anon, 1);
		rig_abandon(&r);
	}
}

/* A range of 2 MiB that may be huge, in any address space that is alive. */
static void test_config__khugepaged_has_work(void **state)
{
	static const struct {
		enum thp_enabled thp;
		uint64_t addr, len;
		uint32_t flags;
		bool work;
	} rows[] = {
		{ THP_ALWAYS, AT, 2 * MIB, 0, true },
		{ THP_ALWAYS, AT, 2 * MIB, GUEST_MAP_NOHUGEPAGE, false },
		{ THP_ALWAYS, AT + MIB, 2 * MIB, 0, false },
		{ THP_ALWAYS, AT + MIB, 3 * MIB, 0, true },
		{ THP_MADVISE, AT, 2 * MIB, 0, false },
		{ THP_MADVISE, AT, 2 * MIB, GUEST_MAP_HUGEPAGE, true },
		{ THP_NEVER, AT, 2 * MIB, GUEST_MAP_HUGEPAGE, false },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig r;

		open_rig(&r, rows[i].thp, THP_DEFRAG_MADVISE);
		assert_false(guest_khugepaged_has_work(r.guest));
		map_at(&r, rows[i].addr, rows[i].len, rows[i].flags);
		ASSERT_U64(test_row(i), guest_khugepaged_has_work(r.guest),
			   rows[i].work);
		rig_exit(&r, 0);
		assert_false(guest_khugepaged_has_work(r.guest));
		rig_close(&r);
	}
}

/* ---- pages known to be zero ---- */

/* What is known to be zero is written, not cleared; a huge page as a whole. */
static void test_config__known_zeroes_are_not_cleared(void **state)
{
	static const struct {
		bool huge;
		int unknown;   /* page of each 2 MiB; 0 = all, -1 = none */
		uint64_t zeroed, skipped;
	} rows[] = {
		{ false, -1, 0, 1 },
		{ false, 0, 1, 0 },
		{ true, -1, 0, 512 },
		{ true, 511, 512, 0 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t known[BITMAP_WORDS(MEMORY_END)];
		const struct rig_options o = {
			.kernel = "6.1", .mib = 64, .thp = THP_MADVISE,
			.defrag = THP_DEFRAG_MADVISE, .known_zero = known,
		};
		const struct guest_counters *c;
		struct rig r;

		memset(known, rows[i].unknown == 0 ? 0 : 0xff, sizeof(known));
		for (pfn_t pfn = 511; rows[i].unknown > 0 && pfn < MEMORY_END;
		     pfn += HPAGE_PMD_NR)
			bitmap_clear(known, pfn);
		rig_open(&r, &o);
		c = guest_counters(r.guest);
		ASSERT_U64("address space", rig_mm(&r, 0), 0);
		map_at(&r, AT, 2 * MIB, rows[i].huge ? GUEST_MAP_HUGEPAGE : 0);
		rig_forget(&r);
		rig_touch(&r, 0, AT, PAGE_SIZE);
		ASSERT_U64(test_row(i), c->pages_zeroed, rows[i].zeroed);
		ASSERT_U64(test_row(i), c->pages_zero_skipped,
			   rows[i].skipped);
		ASSERT_U64(test_row(i), r.work.zeroed_pages, rows[i].zeroed);
		ASSERT_U64(test_row(i), r.log[r.nr_log - 1].kind,
			   rows[i].zeroed ? TOUCH_ZERO : TOUCH_WRITE);
		rig_close(&r);
	}
}

/* ---- who is killed ---- */

/* Resident pages and tables count; of equals the last; nobody if none is left. */
static void test_config__oom_takes_the_largest(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, THP_MADVISE, THP_DEFRAG_MADVISE);
	for (uint32_t mm = 1; mm < 4; mm++)
		ASSERT_U64("address space", rig_mm(&r, 0), mm);
	assert_int_equal(guest_oom_select(r.guest), 3);
	rig_touch(&r, 1, rig_mmap(&r, 1, MIB, 0), MIB);
	assert_int_equal(guest_oom_select(r.guest), 1);
	/* One huge page is more than 256 small ones. */
	map_at(&r, AT, 2 * MIB, GUEST_MAP_HUGEPAGE);
	rig_touch(&r, 0, AT, PAGE_SIZE);
	assert_int_equal(guest_oom_select(r.guest), 0);
	/* Mapped but not touched counts nothing. */
	rig_mmap(&r, 2, 1024 * MIB, 0);
	assert_int_equal(guest_oom_select(r.guest), 0);
	rig_exit(&r, 0);
	assert_int_equal(guest_oom_select(r.guest), 1);
	rig_exit(&r, 1);
	rig_exit(&r, 3);
	assert_int_equal(guest_oom_select(r.guest), 2);
	rig_exit(&r, 2);
	assert_int_equal(guest_oom_select(r.guest), -1);
	rig_close(&r);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_config__what_cannot_be_a_guest_is_refused),
	cmocka_unit_test(test_config__defrag_says_who_stalls),
	cmocka_unit_test(test_config__khugepaged_has_work),
	cmocka_unit_test(test_config__known_zeroes_are_not_cleared),
	cmocka_unit_test(test_config__oom_takes_the_largest),
};

TEST_MAIN(cases)
