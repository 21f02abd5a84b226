/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workloads on the guest kernel: how many pages of which kind one iteration
 * costs, for every profile, and that nothing is left at the end.
 */
#include <stdlib.h>

#include "tests/guest/rig.h"
#include "workloads/workload.h"

struct task {
	struct rig rig;
	struct workload w;
	void *options;
	uint32_t mm;
	int file;
	uint64_t addr, len;
	bool exited;
};

static void open_task(struct task *t, const char *kernel, uint32_t mib,
		      const struct workload_ops *ops, bool thp, uint64_t size)
{
	const struct rig_options o = { .kernel = kernel, .mib = mib,
				       .thp = THP_MADVISE, .aligned = true,
				       .defrag = THP_DEFRAG_MADVISE };
	char why[256] = "";

	*t = (struct task){ .file = -1 };
	rig_open(&t->rig, &o);
	t->options = calloc(1, ops->options.size);
	assert_non_null(t->options);
	option_defaults(&ops->options, t->options);
	t->w = (struct workload){
		.ops = ops, .options = t->options,
		.state = calloc(1, ops->state_size + 1),
		.ctx = { .nr_tasks = 1, .thp = thp, .size = size },
	};
	assert_non_null(t->w.state);
	if (ops->prepare(&t->w, why, sizeof(why)))
		fail_msg("%s", why);
	t->mm = rig_mm(&t->rig, 0);
}

static void close_task(struct task *t)
{
	if (!t->exited)
		rig_exit(&t->rig, t->mm);
	if (t->file >= 0)
		guest_file_destroy(t->rig.guest, (uint32_t)t->file, 0);
	ASSERT_U64("free", rig_free_pages(&t->rig), t->rig.free_at_start);
	rig_close(&t->rig);
	t->w.ops->cleanup(&t->w);
	free(t->w.state);
	free(t->options);
}

static uint32_t map_flags(const struct workload_op *op)
{
	return (op->flags & WORKLOAD_MAP_HUGEPAGE ? GUEST_MAP_HUGEPAGE : 0u) |
	       (op->flags & WORKLOAD_MAP_UNALIGNED ? GUEST_MAP_UNALIGNED : 0u);
}

/* The next operation, carried out; its kind. */
static enum workload_op_kind step(struct task *t)
{
	struct workload_op op;

	rig_forget(&t->rig);
	assert_true(t->w.ops->next(&t->w, 0, &op));
	switch (op.kind) {
	case WORKLOAD_MMAP:
		t->len = op.len;
		if (op.flags & WORKLOAD_MAP_FILE) {
			if (t->file < 0)
				t->file = guest_file_create(t->rig.guest,
							    op.len);
			t->addr = rig_mmap_file(&t->rig, t->mm,
						(uint32_t)t->file, op.len);
		} else {
			t->addr = rig_mmap(&t->rig, t->mm, op.len,
					   map_flags(&op));
		}
		break;
	case WORKLOAD_TOUCH:
		rig_touch(&t->rig, t->mm, t->addr + op.offset, op.len);
		break;
	case WORKLOAD_MUNMAP:
		rig_munmap(&t->rig, t->mm, t->addr, t->len);
		break;
	case WORKLOAD_MADV_DONTNEED:
		rig_dontneed(&t->rig, t->mm, t->addr + op.offset, op.len);
		break;
	case WORKLOAD_EXIT:
		rig_exit(&t->rig, t->mm);
		t->exited = true;
		break;
	default:
		fail_msg("unexpected operation %d", op.kind);
	}
	return op.kind;
}

/* 32,768 faults, 64 PTE pages; 19 gather pages when it is unmapped. */
static void test_streams__page_fault1(void **state)
{
	(void)state;
	for (int k = 0; rig_kernels[k]; k++) {
		uint64_t addr = 0;
		struct task t;

		open_task(&t, rig_kernels[k], 256, &page_fault1_workload,
			  false, 0);
		for (int n = 0; n < 3; n++) {
			step(&t);
			if (n)
				ASSERT_U64("same range", t.addr, addr);
			addr = t.addr;
			step(&t);
			ASSERT_U64("faults", t.rig.work.faults_anon, 32768);
			ASSERT_U64("pages", rig_count(&t.rig, 'p'), 32768);
			/* 64 PTE pages, a PMD and a PUD page. */
			ASSERT_U64("tables", rig_count(&t.rig, 't'), 66);
			ASSERT_U64("touched", t.rig.work.touched_pages, 32768);
			step(&t);
			ASSERT_U64("gather", rig_count(&t.rig, 't'), 19);
			ASSERT_U64("freed", rig_count(&t.rig, 'P'), 32768);
			ASSERT_U64("tables", rig_count(&t.rig, 'T'), 66 + 19);
			ASSERT_U64("zapped", t.rig.work.zapped_pages, 32768);
		}
		ASSERT_U64("cycles",
			   guest_counters(t.rig.guest)->gather_flushes, 12);
		close_task(&t);
	}
}

static void test_streams__page_fault1_thp(void **state)
{
	(void)state;
	for (int k = 0; rig_kernels[k]; k++) {
		struct task t;

		open_task(&t, rig_kernels[k], 256, &page_fault1_workload, true,
			  0);
		for (int n = 0; n < 3; n++) {
			step(&t);
			step(&t);
			ASSERT_U64("huge", rig_count(&t.rig, 'h'), 64);
			ASSERT_U64("tables", rig_count(&t.rig, 't'), 66);
			ASSERT_U64("small", rig_count(&t.rig, 'p'), 0);
			ASSERT_U64("touched", t.rig.work.touched_pages, 32768);
			step(&t);
			ASSERT_U64("huge", rig_count(&t.rig, 'H'), 64);
			ASSERT_U64("gather", rig_count(&t.rig, 't'), 1);
			ASSERT_U64("tables", rig_count(&t.rig, 'T'), 67);
		}
		close_task(&t);
	}
}

/* The first iteration fills the cache, later ones copy. */
static void test_streams__page_fault2(void **state)
{
	(void)state;
	for (int k = 0; rig_kernels[k]; k++) {
		struct guest_gauges gauges;
		struct task t;

		open_task(&t, rig_kernels[k], 512, &page_fault2_workload,
			  false, 0);
		for (int n = 0; n < 3; n++) {
			step(&t);
			step(&t);
			ASSERT_U64("faults", t.rig.work.faults_cow, 32768);
			ASSERT_U64("pages", rig_count(&t.rig, 'p'),
				   n ? 32768 : 65536);
			ASSERT_U64("copied", t.rig.work.copied_pages, 32768);
			ASSERT_U64("zeroed", t.rig.work.zeroed_pages,
				   n ? 0 : 32768);
			/* File mappings are not aligned: 65 ranges. */
			ASSERT_U64("tables", rig_count(&t.rig, 't'), 65 + 2);
			step(&t);
			ASSERT_U64("freed", rig_count(&t.rig, 'P'), 32768);
			guest_gauges(t.rig.guest, &gauges);
			ASSERT_U64("cached", gauges.file_pages, 32768);
			ASSERT_U64("anon", gauges.anon_pages, 0);
		}
		close_task(&t);
	}
}

static void test_streams__memhog(void **state)
{
	(void)state;
	for (int k = 0; rig_kernels[k]; k++) {
		uint64_t touched = 0;
		struct task t;

		open_task(&t, rig_kernels[k], 256, &memhog_workload, false,
			  200 * MIB);
		while (step(&t) != WORKLOAD_EXIT)
			touched += t.rig.work.touched_pages;
		ASSERT_U64("touched", touched, 200 * MIB / PAGE_SIZE);
		ASSERT_U64("freed", rig_count(&t.rig, 'P'), touched);
		close_task(&t);
	}
}

/* Every hole is a madvise of its own: one page, no gather page, no table. */
static void test_streams__usemem_punches_holes(void **state)
{
	const uint64_t pages = 20 * MIB / PAGE_SIZE;

	(void)state;
	for (int k = 0; rig_kernels[k]; k++) {
		uint64_t holes = 0, other = 0;
		char why[256];
		struct task t;

		open_task(&t, rig_kernels[k], 256, &usemem_workload, false,
			  20 * MIB);
		assert_int_equal(option_parse(
			option_find(&usemem_workload.options, "punch_holes"),
			"on", t.options, why, sizeof(why)), 0);
		assert_int_equal(step(&t), WORKLOAD_MMAP);
		assert_int_equal(step(&t), WORKLOAD_TOUCH);
		ASSERT_U64("pages", rig_count(&t.rig, 'p'), pages);
		while (step(&t) == WORKLOAD_MADV_DONTNEED) {
			holes += rig_count(&t.rig, 'P');
			other += rig_count(&t.rig, 'T') +
				 rig_count(&t.rig, 't');
		}
		ASSERT_U64("holes", holes, pages / 2);
		ASSERT_U64("other", other, 0);
		ASSERT_U64("exit", rig_count(&t.rig, 'P'), pages / 2);
		close_task(&t);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_streams__page_fault1),
	cmocka_unit_test(test_streams__page_fault1_thp),
	cmocka_unit_test(test_streams__page_fault2),
	cmocka_unit_test(test_streams__memhog),
	cmocka_unit_test(test_streams__usemem_punches_holes),
};

TEST_MAIN(cases)
