/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages for the guest kernel itself, off the fast path: a request that has to
 * wait is kept in the operation and taken up again at the next call. Models
 * the callers of __alloc_pages in mm/memory.c and mm/mmu_gather.c, which sleep
 * where we return.
 */
#include <string.h>

#include "guest/internal.h"


static void slow_load(const struct guest_op *op, struct alloc_request *req)
{
	const uint64_t saved = op->scratch[SCRATCH_SLOW];

	_Static_assert(sizeof(req->slow) <= sizeof(uint32_t),
		       "the state of a waiting request fits beside its gfp");
	/* Another request than the one that waited starts afresh. */
	if (saved >> 32 != req->gfp)
		return;
	memcpy(&req->slow, &(uint32_t){ (uint32_t)saved }, sizeof(req->slow));
}

static void slow_save(struct guest_op *op, const struct alloc_request *req)
{
	uint32_t bits = 0;

	memcpy(&bits, &req->slow, sizeof(req->slow));
	op->scratch[SCRATCH_SLOW] = (uint64_t)req->gfp << 32 | bits;
}

static pfn_t get_page_waiting(struct run *r, unsigned int order, gfp_t gfp)
{
	struct alloc_request req = {
		.gfp = gfp,
		.order = (uint8_t)order,
		.cpu = (uint16_t)r->cpu,
		.node = -1,
		.zone = -1,
		/* get_page() has made the first attempt if nothing waited. */
		.flags = r->op->scratch[SCRATCH_SLOW] ? 0 : ALLOC_REQ_TRIED,
		.progress = r->work->progress,
	};
	struct alloc_result res;
	bool compacted = false;

	if (r->op->helper) {
		const pfn_t pfn = help_answer(r, &req, &compacted);

		if (pfn != PFN_NONE) {
			r->op->scratch[SCRATCH_SLOW] = 0;
			return pfn;
		}
		req.progress = r->work->progress;
	}
	slow_load(r->op, &req);
	res = alloc_pages(r->g->alloc, &req);
	r->op->scratch[SCRATCH_SLOW] = 0;
	r->work->progress = 0;
	if (compacted)
		help_outcome(r, order, res.pfn);
	if (res.status == ALLOC_AGAIN) {
		slow_save(r->op, &req);
		r->work->reason = res.reason;
		r->status = GUEST_WAIT;
		help_start(r, &req, res.reason);
	} else if (res.status == ALLOC_FAIL) {
		r->status = GUEST_NOMEM;
	}
	return res.pfn;
}

/* Only a fault that waited is known to its address space. */
static bool held_forget(struct guest_mm *mm, pfn_t pfn)
{
	for (uint32_t i = 0; i < mm->nr_held; i++) {
		if (mm->held[i].pfn != pfn)
			continue;
		mm->held[i] = mm->held[--mm->nr_held];
		return true;
	}
	return false;
}

/*
 * The page is the caller's, but the host still has it: note it in the address
 * space until it may be used, as the task may be killed before that. Kernel
 * threads have none; they keep it in the operation alone.
 */
static pfn_t stall_begin(struct run *r, unsigned int order, gfp_t gfp,
			 pfn_t pfn)
{
	struct guest_mm *mm = r->mm;

	if (mm && mm->nr_held == HELD_MAX) {
		alloc_free(r->g->alloc, r->cpu, pfn, order);
		r->status = GUEST_NOMEM;
		return PFN_NONE;
	}
	if (mm)
		mm->held[mm->nr_held++] = (struct held_page){ pfn, order };
	r->op->scratch[SCRATCH_STALLED] = (uint64_t)pfn + 1;
	r->op->scratch[SCRATCH_SLOW] = (uint64_t)gfp << 32;
	r->work->reason = ALLOC_REASON_STALL;
	r->status = GUEST_WAIT;
	return PFN_NONE;
}

/* The page that waited, if it was for this request and may be used now. */
static pfn_t stall_end(struct run *r, unsigned int order)
{
	const pfn_t pfn = (pfn_t)(r->op->scratch[SCRATCH_STALLED] - 1);

	if (alloc_stalled(r->g->alloc, r->cpu, pfn, order)) {
		r->work->reason = ALLOC_REASON_STALL;
		r->status = GUEST_WAIT;
		return PFN_NONE;
	}
	if (r->mm)
		held_forget(r->mm, pfn);
	r->op->scratch[SCRATCH_STALLED] = 0;
	r->op->scratch[SCRATCH_SLOW] = 0;
	return pfn;
}

static pfn_t get_page_stalling(struct run *r, unsigned int order, gfp_t gfp)
{
	pfn_t pfn = PFN_NONE;

	if (r->op->scratch[SCRATCH_STALLED] &&
	    r->op->scratch[SCRATCH_SLOW] >> 32 == gfp)
		return stall_end(r, order);
	if (!r->op->scratch[SCRATCH_SLOW])
		pfn = alloc_page_fast(r->g->alloc, r->cpu, order, gfp);
	if (pfn == PFN_NONE)
		pfn = get_page_waiting(r, order, gfp);
	if (pfn != PFN_NONE && alloc_stalled(r->g->alloc, r->cpu, pfn, order))
		return stall_begin(r, order, gfp, pfn);
	return pfn;
}

pfn_t get_page_slow(struct run *r, unsigned int order, gfp_t gfp)
{
	if (unlikely(r->may_stall))
		return get_page_stalling(r, order, gfp);
	return get_page_waiting(r, order, gfp);
}

enum guest_status driver_alloc_run(struct run *r)
{
	const pfn_t pfn = get_page(r, r->op->flags, (gfp_t)r->op->len);

	r->op->addr = pfn;
	return pfn == PFN_NONE ? r->status : GUEST_DONE;
}

/*
 * For requests that cannot wait: nobody is asked to reclaim. Deviation: such a
 * page is used although the host may still have it; see docs/fidelity.md.
 */
pfn_t get_page_atomic(struct guest *g, unsigned int cpu, gfp_t gfp,
		      uint32_t flags)
{
	struct alloc_request req = {
		.gfp = gfp,
		.cpu = (uint16_t)cpu,
		.node = -1,
		.zone = -1,
		.flags = flags,
	};
	const pfn_t pfn = alloc_pages_nowait(g->alloc, &req).pfn;

	if (pfn != PFN_NONE)
		alloc_stalled(g->alloc, cpu, pfn, 0);
	return pfn;
}

pfn_t held_page(const struct run *r)
{
	return (pfn_t)(r->op->scratch[SCRATCH_HELD] - 1);
}

void hold_page(struct run *r, pfn_t pfn)
{
	r->op->scratch[SCRATCH_HELD] = (uint64_t)pfn + 1;
}

void hold_end(struct run *r)
{
	if (unlikely(r->mm->nr_held))
		held_forget(r->mm, held_page(r));
	r->op->scratch[SCRATCH_HELD] = 0;
}

/*
 * The page of a waiting fault is noted in the address space, so that exit can
 * free it if the task is killed meanwhile. With more waiting faults than that
 * has room for, the page goes back and the fault starts again from nothing.
 */
enum guest_status hold_failed(struct run *r, unsigned int order)
{
	struct guest_mm *mm = r->mm;
	const pfn_t pfn = held_page(r);

	if (pfn == PFN_NONE)
		return r->status;
	held_forget(mm, pfn);
	if (r->status == GUEST_WAIT && mm->nr_held < HELD_MAX) {
		mm->held[mm->nr_held++] = (struct held_page){ pfn, order };
		return r->status;
	}
	alloc_free(r->g->alloc, r->cpu, pfn, order);
	r->op->scratch[SCRATCH_HELD] = 0;
	return r->status;
}

void held_free_all(struct run *r)
{
	struct guest_mm *mm = r->mm;

	for (; mm->nr_held; mm->nr_held--) {
		const struct held_page *h = &mm->held[mm->nr_held - 1];

		alloc_free(r->g->alloc, r->cpu, h->pfn, h->order);
		r->work->freed_pages += order_nr_pages(h->order);
		r->work->freed_blocks++;
	}
}
