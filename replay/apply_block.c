/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I, R, Q, TF and TB: what compaction and reporting do to free blocks. A
 * free block has no name of its own; it is the same block in the twin, or the
 * twin has gone another way and the record is skipped and counted.
 */
#include "include/bitmap.h"
#include "replay/internal.h"

static bool is_free_block(const struct replay *r, const struct req_record *rec)
{
	return alloc_is_free_head(r->alloc, rec->pfn) &&
	       alloc_block_order(r->alloc, rec->pfn) == rec->order;
}

void apply_isolate(struct replay *r, const struct req_record *rec,
		   struct replay_step *step)
{
	if (!is_free_block(r, rec)) {
		step_skip(r, REPLAY_NOT_FREE);
		names_drop(&r->names, rec->pfn, rec->order);
		return;
	}
	/* The kernel's test passed, on a counter that lags behind. */
	alloc_isolate_allowed(r->alloc, rec->pfn);
	/* From here it is a page in somebody's hands: freed or put back. */
	names_bind(&r->names, rec->pfn, rec->pfn, rec->order);
	step->pfn = rec->pfn;
	step->applied = true;
}

void apply_report(struct replay *r, const struct req_record *rec)
{
	bitmap_set(r->reported, rec->pfn);
}

void apply_putback(struct replay *r, const struct req_record *rec,
		   struct replay_step *step)
{
	const pfn_t pfn = names_find(&r->names, rec->pfn, rec->order);
	const bool reported = bitmap_test(r->reported, rec->pfn);

	bitmap_clear(r->reported, rec->pfn);
	if (pfn == PFN_NONE ||
	    !alloc_block_is_allocated(r->alloc, pfn, rec->order)) {
		step_skip(r, REPLAY_NEVER_HANDED_OUT);
		return;
	}
	names_drop(&r->names, rec->pfn, rec->order);
	alloc_putback(r->alloc, pfn, rec->order,
		      twin_type(r->before, rec->mt));
	/* A block that merged is not the one that was reported. */
	if (reported && alloc_is_free_head(r->alloc, pfn) &&
	    alloc_block_order(r->alloc, pfn) == rec->order)
		alloc_block_set_mark(r->alloc, pfn, BLOCK_REPORTED);
	step->pfn = pfn;
	step->applied = true;
}

void apply_rotate(struct replay *r, const struct req_record *rec,
		  struct replay_step *step)
{
	if (!is_free_block(r, rec)) {
		step_skip(r, REPLAY_NOT_FREE);
		return;
	}
	if (rec->kind == REQ_TF)
		alloc_list_rotate_to_front(r->alloc, rec->pfn);
	else
		alloc_list_rotate_to_back(r->alloc, rec->pfn);
	step->pfn = rec->pfn;
	step->applied = true;
}
