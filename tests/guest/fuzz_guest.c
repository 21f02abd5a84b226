/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random operations of several tasks on several CPUs, small budgets, small
 * memory, files and huge pages; guest_check() and alloc_check() as it goes.
 *
 *     fuzz_guest [KERNEL SEED STEPS]
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/rmap.h"
#include "include/rng.h"
#include "tests/guest/rig.h"

#define TASKS 4
#define SLOTS 3
#define CPUS 4

struct slot {
	uint64_t addr, len;
	bool is_file;
};

struct task {
	bool alive, busy;
	uint32_t mm;
	unsigned int slot;
	struct slot slots[SLOTS];
	struct guest_op op;
};

#define DRIVER_PAGES 600u

/* Stands in for a balloon: pages that only its call-back can move. */
struct driver {
	struct rng rng;
	uint32_t nr;
	pfn_t pages[DRIVER_PAGES];
};

struct fuzz {
	struct driver driver;
	struct rig rig;
	struct rng rng;
	struct task tasks[TASKS];
	int file;
	bool moves;           /* compaction and reclaim are on */
	struct guest_op threads[3];
	bool thread_runs[3];
};

static uint64_t below(struct fuzz *f, uint32_t n)
{
	return rng_below(&f->rng, n);
}

static void start_mmap(struct fuzz *f, struct task *t)
{
	struct slot *s = &t->slots[t->slot];

	s->is_file = below(f, 4) == 0;
	t->op = (struct guest_op){
		.kind = GUEST_MMAP, .mm = t->mm,
		.len = pages_to_bytes(1 + below(f, s->is_file ? 1024u : 3000u)),
		.flags = s->is_file ? GUEST_MAP_FILE :
			 (below(f, 2) ? GUEST_MAP_HUGEPAGE : 0u) |
			 (below(f, 2) ? GUEST_MAP_UNALIGNED : 0u),
		.file = (uint32_t)f->file,
	};
}

static void start_range(struct fuzz *f, struct task *t)
{
	static const enum guest_op_kind kinds[] = {
		GUEST_TOUCH, GUEST_TOUCH, GUEST_TOUCH, GUEST_MADV_DONTNEED,
		GUEST_MUNMAP,
	};
	struct slot *s = &t->slots[t->slot];
	const uint32_t pages = (uint32_t)bytes_to_pages(s->len);
	uint32_t first = (uint32_t)below(f, pages);
	uint64_t nr = 1 + below(f, pages - first);

	t->op = (struct guest_op){
		.kind = kinds[below(f, ARRAY_SIZE(kinds))], .mm = t->mm,
		.flags = below(f, 4) ? 0 : GUEST_TOUCH_READ,
	};
	if (t->op.kind == GUEST_MUNMAP && below(f, 3)) {
		/* The upper part only, so that the slot stays one range. */
		nr = pages - first;
		s->len = pages_to_bytes(first);
	} else if (t->op.kind == GUEST_MUNMAP) {
		first = 0;
		nr = pages;
		s->len = 0;
	}
	t->op.addr = s->addr + pages_to_bytes(first);
	t->op.len = pages_to_bytes(nr);
}

static void start(struct fuzz *f, struct task *t)
{
	t->slot = (unsigned int)below(f, SLOTS);
	t->busy = true;
	if (!t->alive) {
		const int mm = guest_mm_create(f->rig.guest,
					       (unsigned int)below(f, CPUS));

		t->busy = mm >= 0;
		if (mm < 0)
			return;
		memset(t->slots, 0, sizeof(t->slots));
		t->mm = (uint32_t)mm;
		t->alive = true;
	}
	if (below(f, 40) == 0)
		t->op = (struct guest_op){ .kind = GUEST_EXIT, .mm = t->mm };
	else if (below(f, 60) == 0)
		t->op = (struct guest_op){ .kind = GUEST_DROP_CACHES };
	else if (!t->slots[t->slot].len)
		start_mmap(f, t);
	else
		start_range(f, t);
}

static void finish(struct task *t)
{
	t->busy = false;
	if (t->op.kind == GUEST_EXIT)
		t->alive = false;
	if (t->op.kind == GUEST_MMAP) {
		t->slots[t->slot].addr = t->op.addr;
		t->slots[t->slot].len = t->op.len;
	}
}

static int driver_migrate(void *ctx, unsigned int cpu, pfn_t from, pfn_t to)
{
	struct driver *d = ctx;

	(void)cpu;
	if (rng_below(&d->rng, 4) == 0)
		return -EAGAIN;
	for (uint32_t i = 0; i < d->nr; i++) {
		if (d->pages[i] != from)
			continue;
		d->pages[i] = to;
		return 0;
	}
	fail_msg("page %u is not the driver's", from);
	return -EAGAIN;
}

static void driver_deflate(struct fuzz *f, uint32_t nr)
{
	struct driver *d = &f->driver;

	for (; nr && d->nr; nr--) {
		const pfn_t pfn = d->pages[--d->nr];

		assert_true(alloc_test_lru(f->rig.alloc, pfn));
		guest_movable_del(f->rig.guest, pfn);
		alloc_free(f->rig.alloc, 0, pfn, 0);
	}
}

static void driver_step(struct fuzz *f)
{
	struct driver *d = &f->driver;
	uint32_t nr = (uint32_t)below(f, 64);

	if (below(f, 2)) {
		driver_deflate(f, nr);
		return;
	}
	for (; nr && d->nr < DRIVER_PAGES; nr--) {
		const pfn_t pfn = alloc_page_fast(f->rig.alloc, 0, 0,
						  GFP_HIGHUSER_MOVABLE);

		if (pfn == PFN_NONE)
			return;
		guest_movable_add(f->rig.guest, pfn);
		d->pages[d->nr++] = pfn;
	}
}

/* A task may be killed in the midst of what it does for its fault. */
static void kill_task(struct fuzz *f, struct task *t, unsigned int cpu)
{
	guest_op_cancel(f->rig.guest, &t->op, cpu);
	t->op = (struct guest_op){ .kind = GUEST_EXIT, .mm = t->mm };
}

/* Kernel threads, each with an operation that may wait in the middle. */
static void kthread_step(struct fuzz *f, enum guest_op_kind kind)
{
	struct guest_op *op = &f->threads[kind - GUEST_KSWAPD];

	if (!f->thread_runs[kind - GUEST_KSWAPD])
		*op = (struct guest_op){
			.kind = kind,
			.len = kind == GUEST_KHUGEPAGED ? 4096 : ZONE_NORMAL,
			.flags = below(f, 2) ? HPAGE_PMD_ORDER : 0,
		};
	f->thread_runs[kind - GUEST_KSWAPD] =
		guest_run(f->rig.guest, op, (unsigned int)below(f, CPUS),
			  1 + (uint32_t)below(f, 20), &f->rig.work) ==
		GUEST_MORE;
}

static void step(struct fuzz *f)
{
	struct task *t = &f->tasks[below(f, TASKS)];
	const unsigned int cpu = (unsigned int)below(f, CPUS);
	const uint32_t budget = 1 + (uint32_t)below(f, 300);

	/* Now and then the buffer of touches is left to run full. */
	if (below(f, 2) || !touch_room(&f->rig.touches, 1))
		f->rig.touches.nr = 0;
	if (f->moves && below(f, 50) == 0)
		driver_step(f);
	if (f->moves && below(f, 20) == 0)
		kthread_step(f, GUEST_KSWAPD + (unsigned int)below(f, 3));
	if (!touch_room(&f->rig.touches, 1))
		f->rig.touches.nr = 0;
	if (!t->busy)
		start(f, t);
	if (!t->busy)
		return;
	switch (guest_run(f->rig.guest, &t->op, cpu, budget, &f->rig.work)) {
	case GUEST_DONE:
		finish(t);
		break;
	case GUEST_NOMEM:
		guest_op_cancel(f->rig.guest, &t->op, cpu);
		t->op = (struct guest_op){ .kind = GUEST_EXIT, .mm = t->mm };
		break;
	case GUEST_WAIT:
		/* The OOM killer may take a task in the midst of a fault. */
		if (t->op.kind == GUEST_TOUCH && below(f, 3) == 0)
			t->op = (struct guest_op){ .kind = GUEST_EXIT,
						   .mm = t->mm };
		break;
	case GUEST_MORE:
		if (t->op.helper && below(f, 50) == 0)
			kill_task(f, t, cpu);
		break;
	}
	rig_forget(&f->rig);
}

static void finish_all(struct fuzz *f)
{
	f->rig.budget = UINT32_MAX;
	f->rig.touches.nr = 0;
	for (unsigned int i = 0; i < TASKS; i++) {
		struct task *t = &f->tasks[i];

		while (t->busy) {
			const enum guest_status status =
				guest_run(f->rig.guest, &t->op, 0, 1000,
					  &f->rig.work);

			f->rig.touches.nr = 0;
			if (status == GUEST_DONE)
				finish(t);
			else if (status == GUEST_NOMEM && t->op.helper)
				kill_task(f, t, 0);
			else if (status == GUEST_NOMEM)
				t->op = (struct guest_op){
					.kind = GUEST_EXIT, .mm = t->mm };
		}
		if (t->alive)
			rig_exit(&f->rig, t->mm);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(f->threads); i++)
		guest_op_cancel(f->rig.guest, &f->threads[i], 0);
}

/* An odd seed has too little memory; two of four move and reclaim pages. */
static void fuzz_open(struct fuzz *f, const char *kernel, uint64_t seed)
{
	const bool moves = seed % 4 >= 2;
	const struct rig_options o = { .kernel = kernel,
				       .mib = seed % 2 ? 20 : 48,
				       .cpus = CPUS, .thp = THP_MADVISE,
				       .aligned = true,
				       .compaction = moves,
				       .reclaim = moves,
				       .others = moves ? 500 : 0,
				       .migrate = driver_migrate,
				       .ctx = &f->driver };

	*f = (struct fuzz){ .file = -1, .moves = moves };
	rig_open(&f->rig, &o);
	rng_init(&f->rng, seed, "fuzz_guest", 0);
	rng_init(&f->driver.rng, seed, "fuzz_guest driver", 0);
	if (moves)
		alloc_setup_watermarks(f->rig.alloc, 0);
	f->file = moves ? guest_file_create_on_disk(f->rig.guest, 4 * MIB) :
			  guest_file_create(f->rig.guest, 4 * MIB);
	assert_true(f->file >= 0);
}

static void fuzz_close(struct fuzz *f)
{
	struct guest_op drop = { .kind = GUEST_DROP_CACHES };

	driver_deflate(f, DRIVER_PAGES);
	finish_all(f);
	rig_op(&f->rig, &drop, 0);
	guest_file_destroy(f->rig.guest, (uint32_t)f->file, 0);
	assert_int_equal(rig_free_pages(&f->rig), f->rig.free_at_start);
	rig_close(&f->rig);
}

static void fuzz(const char *kernel, uint64_t seed, uint64_t steps)
{
	struct fuzz f;

	printf("repeat: fuzz_guest %s %llu %llu\n", kernel,
	       (unsigned long long)seed, (unsigned long long)steps);
	fflush(stdout);
	fuzz_open(&f, kernel, seed);
	for (uint64_t i = 0; i < steps; i++) {
		step(&f);
		if (i % 16 == 0)
			rig_assert_valid(&f.rig);
	}
	fuzz_close(&f);
}

/* As if nobody had asked: only what was there or is a driver's is known. */
static void rmap_forget(struct guest *g)
{
	for (pfn_t pfn = 0; pfn < alloc_end_pfn(g->alloc); pfn++) {
		const uint64_t kind = g->rmap_words[pfn] &
				      ((1u << RMAP_KIND_BITS) - 1);

		if (kind != OWNER_OTHER && kind != OWNER_DRIVER)
			g->rmap_words[pfn] = 0;
	}
	g->rmap = NULL;
}

/* Of what compaction asks for: pages on the LRU. Returns how many have one. */
static uint32_t compare_owners(struct guest *a, struct guest *b)
{
	uint32_t nr = 0;

	for (pfn_t pfn = RIG_START; pfn < alloc_end_pfn(a->alloc); pfn++) {
		struct owner x, y;

		if (!alloc_test_lru(a->alloc, pfn))
			continue;
		assert_int_equal(rmap_huge(a, pfn), rmap_huge(b, pfn));
		if (rmap_huge(a, pfn) != PFN_NONE)
			continue;
		rmap_find(a, pfn, &x);
		rmap_find(b, pfn, &y);
		nr += x.kind != OWNER_NONE;
		assert_int_equal(x.kind, y.kind);
		if (x.kind == OWNER_NONE)
			continue;
		assert_int_equal(x.id, y.id);
		assert_int_equal(x.index, y.index);
		assert_int_equal(x.mapped, y.mapped);
	}
	return nr;
}

/* The map is built at the start in one guest, again and again in the other. */
static void fuzz_twins(const char *kernel, uint64_t seed, uint64_t steps)
{
	struct fuzz early, late;
	uint32_t nr = 0;

	fuzz_open(&early, kernel, seed);
	fuzz_open(&late, kernel, seed);
	rmap_build(early.rig.guest);
	for (uint64_t i = 0; i < steps; i++) {
		step(&early);
		step(&late);
		if (i % 64 && below(&early, 64) | below(&late, 64))
			continue;
		if (below(&early, 4) | below(&late, 4))
			rmap_forget(late.rig.guest);
		nr += compare_owners(early.rig.guest, late.rig.guest);
	}
	assert_true(nr > 0);
	fuzz_close(&early);
	fuzz_close(&late);
}

static void test_fuzz__reverse_map_built_late(void **state)
{
	(void)state;
	/* Whoever asks first, and when, everybody gets the same answers. */
	for (int i = 0; rig_kernels[i]; i++)
		for (uint64_t seed = 2; seed <= 3; seed++)
			fuzz_twins(rig_kernels[i], seed, 2000);
}

static void test_fuzz__every_profile(void **state)
{
	(void)state;
	for (int i = 0; rig_kernels[i]; i++)
		for (uint64_t seed = 1; seed <= 4; seed++)
			fuzz(rig_kernels[i], seed, 4000);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_fuzz__every_profile),
	cmocka_unit_test(test_fuzz__reverse_map_built_late),
};

int main(int argc, char **argv)
{
	if (argc == 4) {
		fuzz(argv[1], strtoull(argv[2], NULL, 10),
		     strtoull(argv[3], NULL, 10));
		return 0;
	}
	return cmocka_run_group_tests(cases, NULL, NULL) ? 1 : 0;
}
