/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allocations and frees of a trace of tracepoints. Assisted mode: the twin is
 * asked first, then made to own the page that the kernel owns. A page that was
 * deeper on the pcp list than its head tells of a bulk allocation: those in
 * front of it are gone, too (alloc_pages_bulk, 5.13 to 6.18, has no
 * tracepoint). Whether that was right shows when they are freed, or seen.
 */
#include "include/bitmap.h"
#include "replay/stock.h"

/* The request's own page was taken before by an event of the zone. */
static bool from_hand(struct replay *r, const struct req_record *rec,
		      pfn_t *choice)
{
	uint32_t *hand;

	if (rec->pfn == PFN_NONE)
		return false;
	hand = &r->stock->hand[rec->pfn];
	if (!*hand)
		return false;
	*choice = *hand == UINT32_MAX ? PFN_NONE : *hand - 1;
	*hand = 0;
	return true;
}

/* The twin's answer goes back to where it came from. */
static void give_back(struct replay *r, const struct req_record *rec, pfn_t got)
{
	const int pindex = twin_pindex(r->alloc, rec->order,
				       twin_type(r->before, rec->mt));

	if (pindex < 0 || r->stock->refused_refill)
		alloc_free_buddy(r->alloc, got, rec->order);
	else
		alloc_pcp_push(r->alloc, rec->cpu, (unsigned int)pindex, got,
			       twin_type(r->before, rec->mt));
}

/* Is the kernel's page on the list that was asked, behind others? */
static bool behind_others(struct replay *r, const struct req_record *rec)
{
	pfn_t head = PFN_NONE;
	unsigned int order = 0;

	return alloc_page_lookup(r->alloc, rec->pfn, &head, &order) ==
		       ALLOC_PAGE_PCP &&
	       head == rec->pfn && order == rec->order &&
	       place_of(r, rec) == REPLAY_AT_SAME_LIST;
}

static void take_observed(struct replay *r, const struct req_record *rec)
{
	const uint32_t pages = order_nr_pages(rec->order);
	unsigned int pindex;
	uint32_t nr, bulk;

	if (rec->order == 0 && behind_others(r, rec)) {
		alloc_pcp_owner(r->alloc, rec->pfn, rec->cpu, &pindex);
		stock_take_bulk(r, (unsigned int)alloc_zone_of(r->alloc,
							       rec->pfn),
				rec->cpu, pindex, rec->pfn);
	}
	nr = pages - take_out(r->alloc, rec->pfn, rec->order, rec->cpu);
	bulk = stock_forget_bulk(r, rec->pfn, rec->order);
	stock_count(r, STOCK_BULK_REFUTED, bulk);
	stock_count(r, STOCK_UNSEEN_FREES, nr > bulk ? nr - bulk : 0);
}

static void resync(struct replay *r, const struct req_record *rec, pfn_t got)
{
	if (got != PFN_NONE)
		give_back(r, rec, got);
	if (rec->pfn == PFN_NONE)
		return;
	take_observed(r, rec);
	r->res.forced++;
}

static void assist_alloc(struct replay *r, const struct req_record *rec,
			 struct replay_step *step)
{
	bool in_hand;
	pfn_t got;

	r->stock->refused_refill = false;
	in_hand = from_hand(r, rec, &got);
	if (!in_hand)
		got = serve(r, rec);
	r->res.allocations++;
	step->applied = true;
	step->pfn = rec->pfn;
	step->miss = got != rec->pfn;
	if (!step->miss)
		r->res.predicted++;
	else
		count_miss(r, rec, got);
	if (step->miss && !in_hand)
		resync(r, rec, got);
	if (rec->pfn == PFN_NONE)
		return;
	names_bind(&r->names, rec->pfn, rec->pfn, rec->order);
	mark_lru(r, rec, rec->pfn);
}

/* From here on the twin has the block in use, as the kernel had. */
static void own_block(struct replay *r, const struct req_record *rec)
{
	const uint32_t bulk = stock_forget_bulk(r, rec->pfn, rec->order);

	stock_count(r, STOCK_BULK_CONFIRMED, bulk);
	r->stock->hand[rec->pfn] = 0;
	if (alloc_block_is_allocated(r->alloc, rec->pfn, rec->order))
		return;
	take_out(r->alloc, rec->pfn, rec->order, rec->cpu);
	stock_count(r, STOCK_UNSEEN_ALLOCS, 1);
	names_bind(&r->names, rec->pfn, rec->pfn, rec->order);
}

static void assist_prepare(struct replay *r, const struct req_record *rec,
			   struct replay_step *step)
{
	own_block(r, rec);
	alloc_free_prepare(r->alloc, rec->pfn, rec->order);
	bitmap_set(r->prepared, rec->pfn);
	step->pfn = rec->pfn;
	step->applied = true;
}

static void assist_free(struct replay *r, const struct req_record *rec,
			struct replay_step *step)
{
	struct alloc *a = r->alloc;

	own_block(r, rec);
	if (names_is_old(&r->names, rec->pfn))
		stock_count(r, STOCK_ORPHANS, 1);
	names_drop(&r->names, rec->pfn, rec->order);
	alloc_set_lru(a, rec->pfn, order_nr_pages(rec->order), false);
	if (rec->kind == REQ_F) {
		alloc_free(a, rec->cpu, rec->pfn, rec->order);
	} else {
		if (!bitmap_test(r->prepared, rec->pfn))
			alloc_free_prepare(a, rec->pfn, rec->order);
		alloc_free_commit(a, rec->cpu, rec->pfn, rec->order);
	}
	bitmap_clear(r->prepared, rec->pfn);
	step->pfn = rec->pfn;
	step->applied = true;
}

/* Predict mode: the record alone; what it tells of the unseen is counted. */
static void predict(struct replay *r, const struct req_record *rec,
		    struct replay_step *step)
{
	if (rec->kind == REQ_F || rec->kind == REQ_C)
		stock_note_free(r, rec);
	apply_record(r, rec, step);
}

void stock_apply(struct replay *r, const struct req_record *rec,
		 struct replay_step *step)
{
	if (!r->stock->assisted)
		predict(r, rec, step);
	else if (rec->kind == REQ_A)
		assist_alloc(r, rec, step);
	else if (rec->kind == REQ_P)
		assist_prepare(r, rec, step);
	else
		assist_free(r, rec, step);
}
