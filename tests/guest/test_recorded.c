/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recorded runs of a 6.1 guest, with our guest kernel in the place of the
 * recorded one. A replay brings the allocator to the point where the program
 * begins its loop; from there on our guest kernel carries the loop out, and
 * each page that it allocates or frees has to be the one of the recording.
 * What else went on in the recorded guest (a slab page now and then) is
 * replayed in between.
 */
#include <stdlib.h>
#include <string.h>

#include "guest/guest.h"
#include "replay/replay.h"
#include "tests/test.h"

#define RUN(name) TEST_DATA_DIR "/traces/" name
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define QUEUE (1u << 18)
/* Highest end of a mapping; where the next mapping of a new mm ends. */
#define MMAP_TOP UINT64_C(0x7ffff7fff000)
#define TOP_GIB (MMAP_TOP & ~(GIB - 1))

enum owned { OWNED_NOT, OWNED_USER, OWNED_TABLE };

struct event {
	pfn_t pfn;
	bool is_free;
};

struct twin {
	struct diag diag;
	struct replay *replay;
	struct alloc *alloc;
	struct guest *guest;
	struct touch_buffer touches;
	bool listening;
	struct event queue[QUEUE];
	size_t head, tail;
	uint8_t *owned;       /* per PFN: given to us; as what */
	uint32_t mm;
	struct req_record rec;
	uint64_t compared, background;
	/* The program: gives the next operation, false at its end. */
	bool (*next)(struct twin *t, struct guest_op *op);
	struct guest_op op, last;
	bool op_active;
	unsigned int stage;
	uint64_t addr, len, offset;
	bool pending;         /* .rec is not dealt with yet */
};

static void listen(void *ctx, const struct alloc_event *ev)
{
	struct twin *t = ctx;
	const bool is_free = ev->kind == ALLOC_EVENT_PAGE_FREE;

	if (!t->listening || (!is_free && ev->kind != ALLOC_EVENT_PAGE_ALLOC))
		return;
	assert_true(t->tail - t->head < QUEUE);
	t->queue[t->tail++ % QUEUE] = (struct event){ ev->pfn, is_free };
	if (!is_free)
		t->owned[ev->pfn] = ev->migratetype == MIGRATE_MOVABLE ?
					    OWNED_USER : OWNED_TABLE;
}

static int coin(void *ctx, pfn_t pfn)
{
	return replay_shuffle_coin(((struct twin *)ctx)->replay, pfn);
}

static void open_twin(struct twin *t, const char *stream, const char *before,
		      unsigned int hints)
{
	const struct replay_options o = {
		.stream = stream, .before = before, .hints = hints,
	};

	memset(t, 0, sizeof(*t));
	if (replay_open(&t->replay, &o, &t->diag))
		fail_msg("%s", t->diag.last);
	t->alloc = replay_alloc(t->replay);
	t->owned = calloc(alloc_end_pfn(t->alloc), 1);
	assert_non_null(t->owned);
}

static void close_twin(struct twin *t)
{
	assert_null(alloc_check(t->alloc));
	guest_destroy(t->guest);
	replay_close(t->replay);
	free(t->owned);
}

static bool next_record(struct twin *t)
{
	if (t->pending) {
		t->pending = false;
		return true;
	}
	return replay_next(t->replay, &t->rec) == 1;
}

static void apply(struct twin *t)
{
	struct replay_step step;
	char text[128];

	replay_apply(t->replay, &t->rec, &step);
	if (!step.miss)
		return;
	req_format(&t->rec, text, sizeof(text));
	fail_msg("after %llu events of the program: replay of \"%s\" gets %u",
		 (unsigned long long)t->compared, text, step.pfn);
}

/* One step of our guest kernel. False: the program is over. */
static bool drive(struct twin *t)
{
	struct guest_work work = { 0 };
	enum guest_status status;

	if (!t->op_active) {
		t->last = t->op;
		t->op = (struct guest_op){ .mm = t->mm };
		if (!t->next(t, &t->op))
			return false;
		t->op_active = true;
	}
	t->listening = true;
	status = guest_run(t->guest, &t->op, 0, 1, &work);
	t->listening = false;
	t->touches.nr = 0;
	assert_true(status == GUEST_MORE || status == GUEST_DONE);
	t->op_active = status == GUEST_MORE;
	return true;
}

/* The record is the program's: ours has to do the same. False at its end. */
static bool expect(struct twin *t, bool is_free)
{
	struct event got;

	while (t->head == t->tail)
		if (!drive(t))
			return false;
	got = t->queue[t->head++ % QUEUE];
	if (got.is_free != is_free || got.pfn != t->rec.pfn)
		fail_msg("event %llu of the program: %s of %u, recorded is "
			 "%s of %u", (unsigned long long)t->compared,
			 got.is_free ? "free" : "allocation", got.pfn,
			 is_free ? "free" : "allocation", t->rec.pfn);
	t->compared++;
	return true;
}

static bool is_programs_gfp(uint32_t gfp)
{
	return gfp == GFP_PAGE_TABLE || gfp == GFP_GATHER ||
	       gfp == (GFP_ANON_FAULT | GFP_BIT_COMP) || gfp == GFP_TRANSHUGE;
}

/* Compare until the program or the recording ends. */
static void compare(struct twin *t)
{
	while (next_record(t)) {
		const struct req_record *r = &t->rec;
		const bool owned = r->pfn != PFN_NONE && t->owned[r->pfn];
		bool is_mine = false;

		if (r->kind == REQ_A)
			is_mine = is_programs_gfp(r->gfp);
		else if (r->kind == REQ_F || r->kind == REQ_P)
			is_mine = owned;
		else if (r->kind == REQ_C && owned)
			continue;
		if (is_mine && !expect(t, r->kind != REQ_A))
			return;
		if (!is_mine) {
			t->background++;
			apply(t);
		}
	}
}

static void start_guest(struct twin *t)
{
	const struct guest_config cfg = {
		.alloc = t->alloc, .touches = &t->touches, .nr_cpus = 1,
		.thp_enabled = THP_MADVISE, .thp_defrag = THP_DEFRAG_MADVISE,
		.mmap_thp_aligned = true,
	};
	const struct alloc_hooks hooks = {
		.ctx = t, .event = listen, .shuffle_coin = coin,
	};

	alloc_set_hooks(t->alloc, &hooks);
	assert_int_equal(guest_create(&t->guest, &cfg), 0);
}

static void start_mm(struct twin *t)
{
	t->listening = true;
	t->mm = (uint32_t)guest_mm_create(t->guest, 0);
	t->listening = false;
	t->touches.nr = 0;
}

/*
 * The tables that our guest kernel begins with are given back, last one first,
 * so that the lists are the recorded ones: they count as lying elsewhere.
 */
static void undo_allocations(struct twin *t, const struct alloc_pcp_info *was)
{
	while (t->tail > 0)
		alloc_free(t->alloc, 0, t->queue[--t->tail].pfn, 0);
	alloc_set_pcp(t->alloc, 1, 0, was->batch, was->high_min,
		      was->high_max, was->free_factor);
	memset(t->owned, 0, alloc_end_pfn(t->alloc));
}

/* page_fault1: map, write, unmap, again and again. */
static bool page_fault1_next(struct twin *t, struct guest_op *op)
{
	if (t->stage % 3 == 1)
		t->addr = t->last.addr;
	op->addr = t->addr;
	op->len = 128 * MIB;
	switch (t->stage++ % 3) {
	case 0:
		if (t->stage > 3 * 19)
			return false;
		op->kind = GUEST_MMAP;
		op->flags = GUEST_MAP_HUGEPAGE;
		break;
	case 1:
		op->kind = GUEST_TOUCH;
		break;
	default:
		op->kind = GUEST_MUNMAP;
		break;
	}
	return true;
}

/*
 * A mapping of `len` bytes below those there are, its lowest page read: what
 * comes below finds the PUD page, and in the same GiB the PMD page too.
 */
static void map_neighbour(struct twin *t, uint64_t len)
{
	struct guest_op map = { .kind = GUEST_MMAP, .mm = t->mm, .len = len,
				.flags = GUEST_MAP_UNALIGNED };
	struct guest_op touch = { .kind = GUEST_TOUCH, .mm = t->mm,
				  .len = PAGE_SIZE,
				  .flags = GUEST_TOUCH_READ };
	struct guest_work work = { 0 };

	t->listening = true;
	assert_int_equal(guest_run(t->guest, &map, 0, 1, &work), GUEST_DONE);
	touch.addr = map.addr;
	assert_int_equal(guest_run(t->guest, &touch, 0, 1, &work),
			 GUEST_DONE);
	t->listening = false;
	t->touches.nr = 0;
}

/*
 * `tables` is what an iteration pays for beside the huge pages: the mapping of
 * the one run was alone in its 512 GiB, that of the other in its GiB.
 */
static void page_fault1_run(const char *stream, const char *before,
			    unsigned int hints, unsigned int tables)
{
	static struct twin t;
	struct alloc_pcp_info was;
	pfn_t gather = PFN_NONE;

	open_twin(&t, stream, before, hints);
	/* Up to the end of the first unmap: its gather page is freed last. */
	while (next_record(&t)) {
		apply(&t);
		if (t.rec.kind == REQ_A && t.rec.gfp == GFP_GATHER)
			gather = t.rec.pfn;
		else if (t.rec.kind == REQ_F && t.rec.pfn == gather)
			break;
	}
	start_guest(&t);
	alloc_pcp_info(t.alloc, 1, 0, &was);
	start_mm(&t);
	if (tables == 1)
		map_neighbour(&t, MMAP_TOP - TOP_GIB);
	undo_allocations(&t, &was);
	t.next = page_fault1_next;
	compare(&t);
	/*
	 * 19 times tables, 64 huge pages with their PTE pages and one gather
	 * page, allocated and freed.
	 */
	ASSERT_U64("compared", t.compared, 19 * 2 * (tables + 64 + 64 + 1));
	close_twin(&t);
}

static void test_recorded__page_fault1_thp(void **state)
{
	(void)state;
	page_fault1_run(RUN("page_fault1-thp/req.txt.zst"),
			RUN("page_fault1-thp/before.snap.zst"), 0, 2);
}

static void test_recorded__page_fault1_thp_shuffle(void **state)
{
	(void)state;
	page_fault1_run(RUN("page_fault1-thp-shuffle/req.txt.zst"),
			RUN("page_fault1-thp-shuffle/before.snap.zst"),
			REPLAY_HINT_COIN, 1);
}

/*
 * Replay up to the first PTE page behind 200 and more anonymous faults: the
 * program is writing its mapping and comes to a new 2 MiB range.
 */
static void replay_to_new_range(struct twin *t)
{
	unsigned int faults = 0;

	while (next_record(t)) {
		if (faults >= 200 && t->rec.kind == REQ_A &&
		    t->rec.gfp == GFP_PAGE_TABLE) {
			t->pending = true;
			return;
		}
		faults = t->rec.kind == REQ_A && t->rec.gfp & GFP_BIT_MOVABLE ?
				 faults + 1 : 0;
		apply(t);
	}
	fail_msg("no such place in the recording");
}

/*
 * The rest of a mapping, `pages` long: the recorded one came to the next GiB
 * after `ranges` ranges of 2 MiB, and so does ours. Its PUD page and first PMD
 * page are there, as they were when the recorded program came here.
 */
static void map_rest(struct twin *t, uint64_t ranges, uint64_t pages)
{
	struct guest_op map = {
		.kind = GUEST_MMAP, .mm = t->mm,
		.len = MMAP_TOP - TOP_GIB + ranges * HPAGE_PMD_SIZE,
		.flags = GUEST_MAP_UNALIGNED,
	};
	struct guest_work work = { 0 };

	assert_int_equal(guest_run(t->guest, &map, 0, 1, &work), GUEST_DONE);
	t->addr = map.addr;
	t->len = pages_to_bytes(pages);
	assert_true(t->addr % HPAGE_PMD_SIZE == 0 && t->len < map.len);
	map_neighbour(t, 2 * HPAGE_PMD_SIZE);
}

static void open_at_new_range(struct twin *t, const char *stream,
			      const char *before, uint64_t ranges,
			      uint64_t pages)
{
	struct alloc_pcp_info was;

	open_twin(t, stream, before, 0);
	replay_to_new_range(t);
	start_guest(t);
	alloc_pcp_info(t->alloc, 1, 0, &was);
	start_mm(t);
	map_rest(t, ranges, pages);
	undo_allocations(t, &was);
}

/* memhog: write everything. */
static bool memhog_next(struct twin *t, struct guest_op *op)
{
	op->kind = GUEST_TOUCH;
	op->addr = t->addr;
	op->len = t->len;
	return t->stage++ == 0;
}

/* usemem --punch-holes: write everything, then drop every other page. */
static bool usemem_next(struct twin *t, struct guest_op *op)
{
	if (t->stage == 0)
		return memhog_next(t, op);
	op->kind = GUEST_MADV_DONTNEED;
	op->addr = t->addr + t->offset;
	op->len = PAGE_SIZE;
	t->offset += 2 * PAGE_SIZE;
	return op->addr < t->addr + t->len;
}

static void test_recorded__usemem_punch_holes(void **state)
{
	/* 800 MiB but for the 426 pages of its first range. */
	const uint64_t pages = 800 * MIB / PAGE_SIZE - 426;
	static struct twin t;

	(void)state;
	open_at_new_range(&t, RUN("usemem-punch-holes/req.txt.zst"),
			  RUN("usemem-punch-holes/before.snap.zst"), 62,
			  pages);
	t.next = usemem_next;
	compare(&t);
	/* Pages, their PTE pages, one PMD page, and half of the pages again. */
	ASSERT_U64("compared", t.compared, pages + (pages + 511) / 512 + 1 +
		   pages / 2);
	/* A slab page, and the holes in the range that is not ours. */
	ASSERT_U64("background", t.background, 1 + 213);
	close_twin(&t);
}

/* Pages of the recorded mapping behind the first range. */
#define MEMHOG_PAGES 152570
/*
 * What the recorded exit gathered before them (image, first range); it shifts
 * the borders of all arrays. Read from the recording: the first full cycle of
 * 9698 entries has 9262 of these pages.
 */
#define MEMHOG_BEFORE 436

static void run_to_end(struct twin *t, struct guest_op *op)
{
	enum guest_status status;

	do {
		struct guest_work work = { 0 };

		status = guest_run(t->guest, op, 0, 1000, &work);
		t->touches.nr = 0;
	} while (status == GUEST_MORE);
	assert_int_equal(status, GUEST_DONE);
}

/* Unmap with as many pages in front, and compare the order of the frees. */
static uint64_t compare_exit(struct twin *t)
{
	const uint64_t before = pages_to_bytes(MEMHOG_BEFORE);
	struct guest_op op = { .kind = GUEST_TOUCH, .mm = t->mm,
			       .addr = t->addr - before, .len = before };
	uint64_t nr = 0;

	run_to_end(t, &op);
	op = (struct guest_op){ .kind = GUEST_MUNMAP, .mm = t->mm,
				.addr = t->addr - before,
				.len = t->len + before };
	t->head = t->tail = 0;
	t->listening = true;
	run_to_end(t, &op);
	t->listening = false;
	while (next_record(t)) {
		struct event got = { .pfn = PFN_NONE };

		if (t->rec.kind != REQ_P ||
		    t->owned[t->rec.pfn] != OWNED_USER)
			continue;
		do {
			assert_true(t->head < t->tail);
			got = t->queue[t->head++];
		} while (!got.is_free || t->owned[got.pfn] != OWNED_USER);
		if (got.pfn != t->rec.pfn)
			fail_msg("free %llu: page %u, recorded is %u",
				 (unsigned long long)nr, got.pfn, t->rec.pfn);
		nr++;
	}
	return nr;
}

static void test_recorded__memhog(void **state)
{
	static struct twin t;

	(void)state;
	open_at_new_range(&t, RUN("memhog/req.txt.zst"),
			  RUN("memhog/before.snap.zst"), 172, MEMHOG_PAGES);
	t.next = memhog_next;
	compare(&t);
	ASSERT_U64("compared", t.compared, MEMHOG_PAGES +
		   (MEMHOG_PAGES + 511) / 512 + 1);
	ASSERT_U64("background", t.background, 1);
	ASSERT_U64("freed", compare_exit(&t), MEMHOG_PAGES);
	close_twin(&t);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_recorded__page_fault1_thp),
	cmocka_unit_test(test_recorded__page_fault1_thp_shuffle),
	cmocka_unit_test(test_recorded__usemem_punch_holes),
	cmocka_unit_test(test_recorded__memhog),
};

TEST_MAIN(cases)
