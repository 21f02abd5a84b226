/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * F, FB, P and C: frees. The PFNs are names of pages that were handed out
 * before; a page that the twin never handed out is skipped and counted.
 */
#include "include/bitmap.h"
#include "replay/internal.h"

/* Twin's block for the record; PFN_NONE (counted) if it has none to free. */
static pfn_t freed_block(struct replay *r, const struct req_record *rec)
{
	const pfn_t pfn = names_find(&r->names, rec->pfn, rec->order);

	if (pfn != PFN_NONE &&
	    alloc_block_is_allocated(r->alloc, pfn, rec->order))
		return pfn;
	step_skip(r, REPLAY_NEVER_HANDED_OUT);
	return PFN_NONE;
}

void apply_prepare(struct replay *r, const struct req_record *rec,
		   struct replay_step *step)
{
	const pfn_t pfn = names_find(&r->names, rec->pfn, rec->order);

	/* A page that is missing is counted once, by its C. */
	if (pfn == PFN_NONE ||
	    !alloc_block_is_allocated(r->alloc, pfn, rec->order))
		return;
	alloc_free_prepare(r->alloc, pfn, rec->order);
	bitmap_set(r->prepared, rec->pfn);
	step->pfn = pfn;
	step->applied = true;
}

static void free_block(struct replay *r, const struct req_record *rec,
		       pfn_t pfn)
{
	struct alloc *a = r->alloc;

	/* It leaves the LRU before it is freed. */
	alloc_set_lru(a, pfn, order_nr_pages(rec->order), false);
	switch (rec->kind) {
	case REQ_C:
		/* A stream that begins in between has no P for it. */
		if (!bitmap_test(r->prepared, rec->pfn))
			alloc_free_prepare(a, pfn, rec->order);
		alloc_free_commit(a, rec->cpu, pfn, rec->order);
		break;
	case REQ_FB:
		/* Second pass of a batch: the type is the first one's. */
		if (bitmap_test(r->prepared, rec->pfn))
			alloc_free_commit_buddy(a, pfn, rec->order);
		else
			alloc_free_buddy(a, pfn, rec->order);
		break;
	default:
		alloc_free(a, rec->cpu, pfn, rec->order);
		break;
	}
}

void apply_free(struct replay *r, const struct req_record *rec,
		struct replay_step *step)
{
	const pfn_t pfn = freed_block(r, rec);

	capture_arm(r, rec);
	if (pfn != PFN_NONE) {
		names_drop(&r->names, rec->pfn, rec->order);
		free_block(r, rec, pfn);
		step->pfn = pfn;
		step->applied = true;
	}
	bitmap_clear(r->prepared, rec->pfn);
	capture_collect(r);
	drain_is_over(r, rec->cpu);
	hints_age(r);
}
