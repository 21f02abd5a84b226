/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Free lists as reporters, compaction and dumps see them: walking, rotating
 * (models list_rotate_to_front and what __list_splice does in compaction) and
 * the marks that a reporter keeps on free blocks.
 */
#include "alloc/lists.h"

static const struct page_list *free_list(const struct alloc *a,
					 unsigned int zone, unsigned int order,
					 enum migratetype mt)
{
	return &a->zones[zone].free_area[order].free_list[mt];
}

pfn_t alloc_list_first(const struct alloc *a, unsigned int zone,
		       unsigned int order, enum migratetype mt)
{
	return list_first(a, free_list(a, zone, order, mt), order);
}

pfn_t alloc_list_last(const struct alloc *a, unsigned int zone,
		      unsigned int order, enum migratetype mt)
{
	return list_last(a, free_list(a, zone, order, mt), order);
}

pfn_t alloc_list_next(const struct alloc *a, pfn_t pfn)
{
	const struct page_rec *rec = head_rec(a, pfn);

	CHECK_MSG(rec != NULL, "pfn %u is on no list", pfn);
	return list_next(a, pfn, rec->order);
}

pfn_t alloc_list_prev(const struct alloc *a, pfn_t pfn)
{
	const struct page_rec *rec = head_rec(a, pfn);

	CHECK_MSG(rec != NULL, "pfn %u is on no list", pfn);
	return list_prev(a, pfn, rec->order);
}

uint64_t alloc_nr_free(const struct alloc *a, unsigned int zone,
		       unsigned int order)
{
	return a->zones[zone].free_area[order].nr_free;
}

/* Record of a free block; `a` is not const, but const callers share it. */
static struct page_rec *free_head(const struct alloc *a, pfn_t pfn)
{
	struct page_rec *rec = head_rec(a, pfn);

	CHECK_MSG(rec && rec->state == PAGE_BUDDY,
		  "pfn %u heads no free block", pfn);
	return rec;
}

static struct page_list *list_of(struct alloc *a, pfn_t pfn,
				 const struct page_rec *rec)
{
	struct zone *z = pfn_zone(a, pfn);

	return &z->free_area[rec->order].free_list[rec->list];
}

/* A list that a reporter keeps in an order of its own has lost it. */
static void note_rotated(struct alloc *a, pfn_t pfn,
			 const struct page_rec *rec)
{
	if (!a->hooks.list_rotated || rec->order < a->hooks.notify_order)
		return;
	a->hooks.list_rotated(a->hooks.reporter_ctx, pfn_zone(a, pfn)->idx,
			      rec->order, (enum migratetype)rec->list);
}

void alloc_list_rotate_to_front(struct alloc *a, pfn_t pfn)
{
	const struct page_rec *rec = free_head(a, pfn);

	note_touches(a, 1);
	list_rotate_to_front(a, list_of(a, pfn, rec), pfn, rec->order);
	note_rotated(a, pfn, rec);
}

void alloc_list_rotate_to_back(struct alloc *a, pfn_t pfn)
{
	const struct page_rec *rec = free_head(a, pfn);

	note_touches(a, 1);
	list_rotate_to_back(a, list_of(a, pfn, rec), pfn, rec->order);
	note_rotated(a, pfn, rec);
}

bool alloc_is_free_head(const struct alloc *a, pfn_t pfn)
{
	const struct page_rec *rec;

	if (pfn >= a->end_pfn)
		return false;
	rec = head_rec(a, pfn);
	return rec && rec->state == PAGE_BUDDY;
}

unsigned int alloc_block_order(const struct alloc *a, pfn_t pfn)
{
	return free_head(a, pfn)->order;
}

enum migratetype alloc_block_type(const struct alloc *a, pfn_t pfn)
{
	return (enum migratetype)free_head(a, pfn)->list;
}

unsigned int alloc_block_marks(const struct alloc *a, pfn_t pfn)
{
	return free_head(a, pfn)->aux;
}

void alloc_block_set_mark(struct alloc *a, pfn_t pfn, enum block_mark m)
{
	struct page_rec *rec = free_head(a, pfn);

	rec->aux |= (uint8_t)m;
	a->marked_orders |= 1u << rec->order;
}

bool alloc_stalled(const struct alloc *a, unsigned int cpu, pfn_t pfn,
		   unsigned int order)
{
	if (!a->hooks.alloc_stall)
		return false;
	return a->hooks.alloc_stall(a->hooks.reporter_ctx,
				    (unsigned int)alloc_zone_of(a, pfn), pfn,
				    order, cpu);
}

__attribute__((cold))
void keep_split_marks(struct alloc *a, struct zone *z, pfn_t head,
		      unsigned int high, pfn_t used, pfn_t used_end)
{
	const pfn_t end = head + order_nr_pages(high);
	const uint8_t marks = a->split_marks;
	pfn_t pfn = head == used ? used_end : head;

	a->split_marks = 0;
	while (pfn < end) {
		struct page_rec *rec = head_rec(a, pfn);

		CHECK_EQ(rec->state, PAGE_BUDDY);
		rec->aux = marks;
		a->marked_orders |= 1u << rec->order;
		if (a->hooks.block_marked)
			a->hooks.block_marked(a->hooks.reporter_ctx, z->idx,
					      pfn, rec->order,
					      (enum migratetype)rec->list);
		pfn += order_nr_pages(rec->order);
		if (pfn == used)
			pfn = used_end;
	}
}
