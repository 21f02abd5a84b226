/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest of two nodes: where huge pages come from, and whose memory goes. */
#include "guest/internal.h"
#include "guest/compact.h"
#include "tests/guest/rig.h"

#define AT UINT64_C(0x100000000)

static void open_two(struct rig *r, enum thp_defrag defrag)
{
	const struct rig_options o = {
		.kernel = "6.1", .mib = 64, .nodes = 2, .thp = THP_MADVISE,
		.defrag = defrag, .compaction = true, .reclaim = true,
	};

	rig_open(r, &o);
	ASSERT_U64("address space", rig_mm(r, 0), 0);
}

static struct alloc_zone_info zone_of(const struct rig *r, unsigned int zone)
{
	struct alloc_zone_info z;

	alloc_zone_info(r->alloc, zone, &z);
	return z;
}

static void map(struct rig *r, uint64_t len, uint32_t flags, uint32_t file)
{
	struct guest_op op = { .kind = GUEST_MMAP, .addr = AT, .len = len,
			       .file = file,
			       .flags = GUEST_MAP_FIXED | flags };

	rig_op(r, &op, 0);
}

/* All of a node, from block to block. */
static uint32_t take_node(struct rig *r, int8_t node)
{
	struct alloc_request rq = {
		.cpu = 0, .node = node, .zone = -1, .order = HPAGE_PMD_ORDER,
		.gfp = GFP_TRANSHUGE_LIGHT | GFP_BIT_THISNODE,
	};
	uint32_t nr = 0;

	while (alloc_pages_nowait(r->alloc, &rq).pfn != PFN_NONE)
		nr++;
	return nr;
}

/*
 * vma_alloc_folio: a huge page of the own node first; one of another node only
 * for who would rather wait than do without.
 */
static void test_nodes__a_huge_page_of_another_node(void **state)
{
	static const struct {
		enum thp_defrag defrag;
		bool local_left;
		uint32_t huge, fallback;
		unsigned int node;
	} rows[] = {
		{ THP_DEFRAG_MADVISE, true, 1, 0, 0 },
		{ THP_DEFRAG_MADVISE, false, 1, 0, 1 },
		{ THP_DEFRAG_NEVER, true, 1, 0, 0 },
		{ THP_DEFRAG_NEVER, false, 0, 1, 0 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig r;

		open_two(&r, rows[i].defrag);
		map(&r, 4 * MIB, GUEST_MAP_HUGEPAGE, 0);
		if (!rows[i].local_left)
			assert_true(take_node(&r, 0) > 0);
		rig_forget(&r);
		rig_touch(&r, 0, AT, PAGE_SIZE);
		ASSERT_U64(test_row(i), r.work.faults_thp, rows[i].huge);
		ASSERT_U64(test_row(i), r.work.thp_fallback,
			   rows[i].fallback);
		if (rows[i].huge)
			ASSERT_U64(test_row(i),
				   zone_of(&r, (unsigned int)alloc_zone_of(
					r.alloc,
					rig_event_pfn(&r, 'h', 0))).node,
				   rows[i].node);
		rig_close(&r);
	}
}

/* khugepaged does not go to another node for its huge page. */
static void test_nodes__khugepaged_stays_on_its_node(void **state)
{
	(void)state;
	for (unsigned int full = 0; full < 2; full++) {
		struct guest_op op = { .kind = GUEST_KHUGEPAGED, .len = 4096 };
		const struct guest_counters *c;
		struct rig r;

		open_two(&r, THP_DEFRAG_NEVER);
		c = guest_counters(r.guest);
		map(&r, 2 * MIB, GUEST_MAP_HUGEPAGE, 0);
		rig_read(&r, 0, AT, PAGE_SIZE);
		rig_touch(&r, 0, AT, 2 * MIB);
		if (full)
			take_node(&r, 0);
		rig_op(&r, &op, 0);
		ASSERT_U64(test_row(full), c->thp_collapse_alloc, !full);
		ASSERT_U64(test_row(full), c->thp_collapse_alloc_failed, full);
		ASSERT_U64(test_row(full), op.addr, full);
		rig_close(&r);
	}
}

/* kswapd of a node takes that node's pages, however old the others' are. */
static void test_nodes__kswapd_reclaims_its_own(void **state)
{
	(void)state;
	for (unsigned int node = 0; node < 2; node++) {
		struct guest_op op = { .kind = GUEST_KSWAPD, .file = node,
				       .len = ZONE_NORMAL };
		uint64_t free[2];
		struct rig r;

		open_two(&r, THP_DEFRAG_NEVER);
		assert_int_equal(guest_file_create_on_disk(r.guest, 64 * MIB),
				 0);
		map(&r, 60 * MIB, GUEST_MAP_FILE, 0);
		/* The cache is read, and nobody maps it when it is to go. */
		rig_read(&r, 0, AT, 56 * MIB);
		rig_munmap(&r, 0, AT, 60 * MIB);
		alloc_set_watermarks(r.alloc, 0, 2000, 2500, 3000);
		alloc_set_watermarks(r.alloc, 1, 2000, 2500, 3000);
		for (unsigned int i = 0; i < 2; i++)
			free[i] = zone_of(&r, i).free;
		rig_op(&r, &op, 0);
		assert_true(free[node] < 3000);
		assert_true(zone_of(&r, node).free >= 3000);
		ASSERT_U64(test_row(node), zone_of(&r, 1 - node).free,
			   free[1 - node]);
		rig_close(&r);
	}
}

/* A node without memory has nothing to balance. */
static void test_nodes__kswapd_of_an_empty_node_sleeps(void **state)
{
	struct guest_op op = { .kind = GUEST_KSWAPD, .file = 7,
			       .len = ZONE_NORMAL };
	struct rig r;

	(void)state;
	open_two(&r, THP_DEFRAG_NEVER);
	rig_op(&r, &op, 0);
	ASSERT_U64("runs", guest_counters(r.guest)->pageoutrun, 0);
	rig_close(&r);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_nodes__a_huge_page_of_another_node),
	cmocka_unit_test(test_nodes__khugepaged_stays_on_its_node),
	cmocka_unit_test(test_nodes__kswapd_reclaims_its_own),
	cmocka_unit_test(test_nodes__kswapd_of_an_empty_node_sleeps),
};

TEST_MAIN(cases)
