/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I, R, Q, TF, TB and K: what compaction and reporting do to free blocks. A
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
	if (!alloc_isolate(r->alloc, rec->pfn)) {
		step_skip(r, REPLAY_REFUSED);
		names_drop(&r->names, rec->pfn, rec->order);
		return;
	}
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

/*
 * The record stands in front of the free that was captured, as T does: the
 * allocator is told which block it must not put on a list.
 */
void apply_capture(struct replay *r, const struct req_record *rec,
		   struct replay_step *step)
{
	const pfn_t freed = names_last(&r->names, rec->freed);

	step->pfn = pfn_align_down(freed, rec->order);
	step->applied = true;
	alloc_capture_arm(r->alloc, step->pfn, rec->order);
	r->armed = *rec;
}

/* After the free: did the block come to the capture? */
void capture_collect(struct replay *r)
{
	const pfn_t pfn = alloc_capture_collect(r->alloc);

	if (r->armed.kind != REQ_K)
		return;
	r->armed.kind = REQ_NR_KINDS;
	if (pfn == PFN_NONE || r->nr_captures == MAX_CAPTURES) {
		step_skip(r, REPLAY_NOT_CAPTURED);
		return;
	}
	r->captures[r->nr_captures++] = (struct capture){
		.pfn = pfn,
		.cpu = r->armed.cpu,
		.order = r->armed.order,
	};
}

static pfn_t capture_remove(struct replay *r, unsigned int i)
{
	const pfn_t pfn = r->captures[i].pfn;

	r->nr_captures--;
	for (; i < r->nr_captures; i++)
		r->captures[i] = r->captures[i + 1];
	return pfn;
}

pfn_t capture_take(struct replay *r, unsigned int cpu, unsigned int order)
{
	/* The compactor may have moved to another CPU: its own come first. */
	for (unsigned int i = 0; i < r->nr_captures; i++)
		if (r->captures[i].order == order && r->captures[i].cpu == cpu)
			return capture_remove(r, i);
	for (unsigned int i = 0; i < r->nr_captures; i++)
		if (r->captures[i].order == order)
			return capture_remove(r, i);
	return PFN_NONE;
}
