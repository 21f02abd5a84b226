/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address spaces: VMAs, where mmap puts them, and what their neighbours leave
 * for page tables. Models arch_get_unmapped_area_topdown with the
 * legacy-free layout of x86-64, thp_get_unmapped_area (6.7), vma_merge and
 * split_vma and madvise, 5.3 to 6.18.
 *
 * The image of the program, its stack and its libraries are left out: a new
 * address space has one page, the PGD. So the first fault of a mapping that is
 * alone pays for a PUD and a PMD page, as in a small static program.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/internal.h"

/* Index of the first VMA that ends behind addr. */
static uint32_t vma_lower(const struct guest_mm *mm, uint64_t addr)
{
	uint32_t low = 0, high = mm->nr_vmas;

	while (low < high) {
		const uint32_t mid = low + (high - low) / 2;

		if (mm->vmas[mid].end > addr)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

struct vma *vma_search(struct guest_mm *mm, uint64_t addr)
{
	const uint32_t i = vma_lower(mm, addr);

	if (i == mm->nr_vmas || mm->vmas[i].start > addr)
		return NULL;
	mm->vma_hint = i;
	return &mm->vmas[i];
}

static int vma_insert(struct guest *g, struct guest_mm *mm, uint32_t at,
		      const struct vma *vma)
{
	if (mm->nr_vmas == mm->vmas_capacity) {
		const uint32_t capacity = mm->vmas_capacity * 2 + 4;
		struct vma *vmas = host_memory(g, realloc(mm->vmas, capacity *
							 sizeof(*vmas)));

		if (!vmas)
			return -ENOMEM;
		mm->vmas = vmas;
		mm->vmas_capacity = capacity;
	}
	memmove(&mm->vmas[at + 1], &mm->vmas[at],
		(mm->nr_vmas - at) * sizeof(*mm->vmas));
	mm->vmas[at] = *vma;
	mm->nr_vmas++;
	return 0;
}

static void vma_erase(struct guest_mm *mm, uint32_t at)
{
	mm->nr_vmas--;
	memmove(&mm->vmas[at], &mm->vmas[at + 1],
		(mm->nr_vmas - at) * sizeof(*mm->vmas));
}

/*
 * vm.max_map_count. mmap fails above it, before it looks whether the new VMA
 * would merge; a split, and a hole in the middle of a VMA, fail at it. Models
 * do_mmap, split_vma and do_munmap (do_vmi_align_munmap from 6.3).
 */
#define MAX_MAP_COUNT 65530u

static bool vma_is_file(const struct vma *v)
{
	return v->flags & GUEST_MAP_FILE;
}

/* Without the limit, so that one VMA more is possible for a moment. */
static int vma_split(struct guest *g, struct guest_mm *mm, uint64_t addr)
{
	const uint32_t i = vma_lower(mm, addr);
	struct vma upper;

	if (i == mm->nr_vmas || mm->vmas[i].start >= addr)
		return 0;
	upper = mm->vmas[i];
	upper.pgoff += bytes_to_pages(addr - upper.start);
	upper.start = addr;
	if (vma_insert(g, mm, i + 1, &upper))
		return -ENOMEM;
	mm->vmas[i].end = addr;
	if (vma_is_file(&upper))
		file_get(g, upper.file)->nr_vmas++;
	return 0;
}

/* Models split_vma, which keeps the limit. */
static int split_vma(struct guest *g, struct guest_mm *mm, uint64_t addr)
{
	const uint32_t i = vma_lower(mm, addr);

	if (i == mm->nr_vmas || mm->vmas[i].start >= addr)
		return 0;
	return mm->nr_vmas >= MAX_MAP_COUNT ? -ENOMEM :
					      vma_split(g, mm, addr);
}

int vma_split_for_unmap(struct guest *g, struct guest_mm *mm, uint64_t start,
			uint64_t end)
{
	const uint32_t i = vma_lower(mm, start);

	/* All that is cut off at one side only is as many VMAs afterwards. */
	if (mm->nr_vmas >= MAX_MAP_COUNT && i < mm->nr_vmas &&
	    mm->vmas[i].start < start && end < mm->vmas[i].end)
		return -ENOMEM;
	return vma_split(g, mm, start) || vma_split(g, mm, end) ? -ENOMEM : 0;
}

void vma_remove(struct run *r, uint64_t start, uint64_t end)
{
	struct guest_mm *mm = r->mm;
	const uint32_t first = vma_lower(mm, start);

	while (first < mm->nr_vmas && mm->vmas[first].start < end) {
		const struct vma v = mm->vmas[first];

		CHECK(v.start >= start && v.end <= end);
		vma_erase(mm, first);
		if (vma_is_file(&v))
			file_put_vma(r, v.file);
	}
}

void vma_bounds(const struct guest_mm *mm, uint64_t start, uint64_t end,
		uint64_t *floor, uint64_t *ceiling)
{
	const uint32_t first = vma_lower(mm, start);
	uint32_t next = first;

	while (next < mm->nr_vmas && mm->vmas[next].start < end)
		next++;
	*floor = first > 0 ? mm->vmas[first - 1].end : 0;
	*ceiling = next < mm->nr_vmas ? mm->vmas[next].start : UINT64_MAX;
}

/*
 * The highest gap below mmap_base that holds len bytes: its end, or 0. *at is
 * the index a VMA there would have.
 */
static uint64_t gap_find(const struct guest_mm *mm, uint64_t base, uint64_t len,
			 uint32_t *at)
{
	uint64_t gap_end = base;
	uint32_t i = mm->nr_vmas;

	for (;;) {
		const uint64_t gap_start = i ? mm->vmas[i - 1].end : MMAP_MIN;

		if (gap_end > gap_start && gap_end - gap_start >= len) {
			*at = i;
			return gap_end;
		}
		if (i == 0)
			return 0;
		gap_end = mm->vmas[--i].start;
	}
}

static bool wants_alignment(const struct run *r)
{
	const struct guest_op *op = r->op;

	return r->g->cfg.mmap_thp_aligned && op->len >= HPAGE_PMD_SIZE &&
	       !(op->flags & (GUEST_MAP_FILE | GUEST_MAP_UNALIGNED));
}

/* Start of the new mapping, or 0. */
static uint64_t get_unmapped_area(const struct run *r, uint32_t *at)
{
	const uint64_t base = r->g->cfg.mmap_base, len = r->op->len;
	uint64_t gap_end;

	if (wants_alignment(r)) {
		gap_end = gap_find(r->mm, base, len + HPAGE_PMD_SIZE, at);
		if (gap_end)
			return (gap_end - len) & ~(HPAGE_PMD_SIZE - 1);
	}
	gap_end = gap_find(r->mm, base, len, at);
	return gap_end ? gap_end - len : 0;
}

static bool can_merge(const struct vma *low, const struct vma *high)
{
	return low->end == high->start && low->flags == high->flags &&
	       !vma_is_file(low);
}

static void vma_merge(struct guest_mm *mm, uint32_t at)
{
	if (at + 1 < mm->nr_vmas && can_merge(&mm->vmas[at],
					      &mm->vmas[at + 1])) {
		mm->vmas[at].end = mm->vmas[at + 1].end;
		vma_erase(mm, at + 1);
	}
	if (at > 0 && can_merge(&mm->vmas[at - 1], &mm->vmas[at])) {
		mm->vmas[at - 1].end = mm->vmas[at].end;
		vma_erase(mm, at);
	}
}

/* MAP_FIXED_NOREPLACE: the address, or 0 if something is there. */
static uint64_t get_fixed_area(const struct run *r, uint32_t *at)
{
	const struct guest_op *op = r->op;

	if (op->addr < MMAP_MIN || op->addr > TASK_SIZE - op->len)
		return 0;
	*at = vma_lower(r->mm, op->addr);
	if (*at < r->mm->nr_vmas &&
	    r->mm->vmas[*at].start < op->addr + op->len)
		return 0;
	return op->addr;
}

enum guest_status mmap_run(struct run *r)
{
	struct guest_op *op = r->op;
	struct vma v = {
		.flags = op->flags & (GUEST_MAP_HUGEPAGE | GUEST_MAP_FILE |
				      GUEST_MAP_NOHUGEPAGE),
		.file = op->file,
	};
	uint32_t at = 0;

	CHECK(op->len > 0 && op->len % PAGE_SIZE == 0);
	CHECK(op->addr % PAGE_SIZE == 0);
	r->work->syscalls += 1 + !!(op->flags & GUEST_MAP_HUGEPAGE);
	if (op->len > r->g->cfg.mmap_base || r->mm->nr_vmas > MAX_MAP_COUNT)
		return GUEST_NOMEM;
	v.start = op->flags & GUEST_MAP_FIXED ? get_fixed_area(r, &at) :
						get_unmapped_area(r, &at);
	if (!v.start)
		return GUEST_NOMEM;
	v.end = v.start + op->len;
	if (vma_insert(r->g, r->mm, at, &v))
		return GUEST_NOMEM;
	if (vma_is_file(&v))
		file_get(r->g, v.file)->nr_vmas++;
	vma_merge(r->mm, at);
	op->addr = v.start;
	return GUEST_DONE;
}

static enum guest_status advise_thp(struct run *r)
{
	struct guest_mm *mm = r->mm;
	const struct guest_op *op = r->op;
	const uint64_t end = op->addr + op->len;
	const uint32_t thp = GUEST_MAP_HUGEPAGE | GUEST_MAP_NOHUGEPAGE;
	uint32_t first, last;

	if (split_vma(r->g, mm, op->addr) || split_vma(r->g, mm, end))
		return GUEST_NOMEM;
	first = last = vma_lower(mm, op->addr);
	for (; last < mm->nr_vmas && mm->vmas[last].start < end; last++)
		mm->vmas[last].flags = (mm->vmas[last].flags & ~thp) |
				       (op->flags & thp);
	while (last-- > first)
		vma_merge(mm, last);
	return GUEST_DONE;
}

/*
 * Deviation: what MADV_FREE covers stays as it is, as on a machine that is
 * never short of memory; see docs/fidelity.md.
 */
enum guest_status advise_run(struct run *r)
{
	const struct guest_op *op = r->op;

	CHECK(op->addr % PAGE_SIZE == 0 && op->len % PAGE_SIZE == 0);
	CHECK(op->len <= TASK_SIZE && op->addr <= TASK_SIZE - op->len);
	r->work->syscalls++;
	return op->kind == GUEST_MADV_THP ? advise_thp(r) : GUEST_DONE;
}
