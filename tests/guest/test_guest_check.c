/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest_check() notices: one invariant after the other is broken in a guest
 * that is right, and the check says which.
 */
#include <string.h>

#include "guest/deferred_split.h"
#include "guest/rmap.h"
#include "tests/guest/rig.h"

#define AT UINT64_C(0x100000000)
#define HUGE AT                  /* a huge page */
#define SMALL (AT + 2 * MIB)     /* small pages, the last half missing */
#define SPLIT (AT + 4 * MIB)     /* a huge page without its first half */
#define CACHED (AT + 16 * MIB)

static struct pmd_table *pmd_of(struct rig *r)
{
	struct pmd_table *pmd;

	pte_table_at(r->guest->mms[0], AT, &pmd);
	return pmd;
}

static struct pte_table *table_of(struct rig *r, uint64_t addr)
{
	struct pmd_table *pmd;

	return pte_table_at(r->guest->mms[0], addr, &pmd);
}

static struct vma *vma_of(struct rig *r, unsigned int i)
{
	assert_true(i < r->guest->mms[0]->nr_vmas);
	return &r->guest->mms[0]->vmas[i];
}

static void open_rich(struct rig *r)
{
	const struct rig_options o = {
		.kernel = "6.1", .mib = 64, .thp = THP_MADVISE,
		.defrag = THP_DEFRAG_MADVISE, .compaction = true,
		.reclaim = true,
	};
	struct guest_op op = { .kind = GUEST_MMAP, .addr = AT, .len = 8 * MIB,
			       .flags = GUEST_MAP_FIXED | GUEST_MAP_HUGEPAGE };
	struct guest_op file = { .kind = GUEST_MMAP, .addr = CACHED,
				 .len = MIB,
				 .flags = GUEST_MAP_FIXED | GUEST_MAP_FILE };

	rig_open(r, &o);
	ASSERT_U64("address space", rig_mm(r, 0), 0);
	assert_int_equal(guest_file_create(r->guest, MIB), 0);
	rig_op(r, &op, 0);
	rig_op(r, &file, 0);
	rig_touch(r, 0, HUGE, PAGE_SIZE);
	rig_touch(r, 0, SPLIT, PAGE_SIZE);
	rig_dontneed(r, 0, SPLIT, MIB);
	rig_read(r, 0, SMALL, PAGE_SIZE);
	rig_touch(r, 0, SMALL, MIB);
	rig_touch(r, 0, CACHED, 64 * KIB);
	rig_read(r, 0, CACHED + 64 * KIB, 64 * KIB);
	rig_touch(r, 0, SMALL + MIB, 3 * PAGE_SIZE);
	rig_assert_valid(r);
	assert_true(r->guest->lru[0].nr > 1);
	ASSERT_U64("queued", guest_counters(r->guest)->thp_deferred_split_page,
		   1);
}

static void page_beyond(struct rig *r)
{
	table_of(r, SMALL)->pte[0] = alloc_end_pfn(r->alloc) + 1;
}

static void huge_page_across(struct rig *r)
{
	pmd_of(r)->huge[pmd_index(HUGE)] = alloc_end_pfn(r->alloc) - 1;
}

static void page_freed(struct rig *r)
{
	const pfn_t pfn = table_of(r, SMALL)->pte[0];

	alloc_clear_lru(r->alloc, pfn);
	alloc_free(r->alloc, 0, pfn, 0);
}

static void page_mapped_twice(struct rig *r)
{
	table_of(r, SMALL)->pte[1] = table_of(r, SMALL)->pte[0];
}

static void no_lru_mark(struct rig *r)
{
	alloc_clear_lru(r->alloc, table_of(r, SMALL)->pte[0]);
}

static void batch_too_long(struct rig *r)
{
	r->guest->lru[0].nr = r->guest->lru_batch_size;
}

static void batched_twice(struct rig *r)
{
	r->guest->lru[0].pfn[1] = r->guest->lru[0].pfn[0];
}

static void cache_count(struct rig *r)
{
	r->guest->files[0].nr_cached++;
}

static void piece_twice(struct rig *r)
{
	struct pte_table *t = table_of(r, SPLIT);

	t->pte[511] = t->pte[510];
}

static void split_page_freed(struct rig *r)
{
	const pfn_t huge = pfn_align_down(table_of(r, SPLIT)->pte[511],
					  HPAGE_PMD_ORDER);

	for (pfn_t i = 0; i < HPAGE_PMD_NR; i++)
		alloc_clear_lru(r->alloc, huge + i);
	alloc_free(r->alloc, 0, huge, HPAGE_PMD_ORDER);
}

static void mapping_too_short(struct rig *r)
{
	vma_of(r, 0)->end = SPLIT;
}

static void entry_count(struct rig *r)
{
	table_of(r, SMALL)->nr++;
}

static void piece_count(struct rig *r)
{
	table_of(r, SPLIT)->nr_pieces++;
}

static void huge_and_table(struct rig *r)
{
	struct pmd_table *pmd = pmd_of(r);

	pmd->huge[pmd_index(SMALL)] = pmd->huge[pmd_index(HUGE)];
}

static void deposit_lost(struct rig *r)
{
	pmd_of(r)->nr_deposit--;
}

static void mapping_backwards(struct rig *r)
{
	vma_of(r, 1)->end = vma_of(r, 1)->start;
}

static void mapping_too_high(struct rig *r)
{
	vma_of(r, 1)->end = TASK_SIZE + PAGE_SIZE;
}

static void mappings_overlap(struct rig *r)
{
	vma_of(r, 0)->end = vma_of(r, 1)->start + PAGE_SIZE;
}

static void anon_gauge(struct rig *r)
{
	r->guest->gauges.anon_pages++;
}

static void thp_gauge(struct rig *r)
{
	r->guest->gauges.anon_thp++;
}

static void file_gauge(struct rig *r)
{
	r->guest->gauges.file_pages++;
}

static void table_gauge(struct rig *r)
{
	r->guest->gauges.table_pages++;
}

static void more_pieces_than_pages(struct rig *r)
{
	r->guest->piece_refs[pfn_region(table_of(r, SPLIT)->pte[511])] =
		HPAGE_PMD_NR + 1;
}

static const struct {
	void (*breaks)(struct rig *r);
	const char *says;
} rows[] = {
	{ page_beyond, "is beyond the end" },
	{ huge_page_across, "is beyond the end" },
	{ page_freed, "order 0 is not allocated" },
	{ page_mapped_twice, "order 0 is owned twice" },
	{ no_lru_mark, "LRU mark 0, batched 0" },
	{ batch_too_long, "LRU batch holds 15 pages" },
	{ batched_twice, "is batched twice" },
	{ cache_count, "file has 32 cached pages, its count is 33" },
	{ piece_twice, "is owned twice" },
	{ split_page_freed, "is not allocated" },
	{ mapping_too_short, "is mapped outside every mapping" },
	{ entry_count, "259 entries and 0 pieces, counted 260 and 0" },
	{ piece_count, "256 entries and 256 pieces, counted 256 and 257" },
	{ huge_and_table, "is huge and a table" },
	{ deposit_lost, "1 huge pages, 0 deposited tables" },
	{ mapping_backwards, "mapping 1 is out of order" },
	{ mapping_too_high, "mapping 1 is out of order" },
	{ mappings_overlap, "mapping 1 is out of order" },
	{ anon_gauge, "gauges: walk finds anon" },
	{ thp_gauge, "gauges: walk finds anon" },
	{ file_gauge, "gauges: walk finds anon" },
	{ table_gauge, "gauges: walk finds anon" },
	{ more_pieces_than_pages, "the split queue has a page" },
};

static void test_guest_check__says_what_is_broken(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *why;
		struct rig r;

		open_rich(&r);
		rows[i].breaks(&r);
		why = guest_check(r.guest);
		if (!why || !strstr(why, rows[i].says))
			fail_msg("row %u: \"%s\", expected \"%s\"", i,
				 why ? why : "nothing", rows[i].says);
		rig_abandon(&r);
	}
}

/* Of the queue's own state; the walk above would find the page sooner. */
static void test_guest_check__a_queued_page_has_pieces(void **state)
{
	struct rig r;

	(void)state;
	open_rich(&r);
	assert_null(deferred_split_check(r.guest));
	r.guest->piece_refs[pfn_region(table_of(&r, SPLIT)->pte[511])] = 0;
	assert_string_equal(deferred_split_check(r.guest),
			    "the split queue has a page without pieces");
	rig_abandon(&r);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_guest_check__says_what_is_broken),
	cmocka_unit_test(test_guest_check__a_queued_page_has_pieces),
};

TEST_MAIN(cases)
