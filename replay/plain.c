/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replay of plain requests in batches: what apply_alloc() and apply_free() come
 * to where nothing is out of the ordinary, with the pages of the next records
 * loaded ahead, since the future of a trace is known. All else is handed to
 * apply_record(), record by record, on the same state: the result is that of
 * the long way, and tests hold the two equal.
 *
 * A trace goes this way if its index has plain requests only (blt_plain.h) and
 * nobody wants a word in between: no zone hint, no reporter.
 */
#include <errno.h>

#include "include/bitmap.h"
#include "include/likely.h"
#include "replay/internal.h"
#include "trace/blt_plain.h"
#include "trace/source.h"

/* Records between loading a page's state and using it; measured. */
#define LOOK_AHEAD 24u

bool replay_is_plain(const struct replay *r)
{
	const struct blt_reader *blt = trace_source_blt(r->source);

	return blt && blt_is_plain(blt) && !r->opt.reporter &&
	       !r->opt.external_reporter &&
	       !(r->opt.hints & REPLAY_HINT_ZONE);
}

static inline void look_ahead(const struct replay *r,
			      const struct blt_plain *rec)
{
	/* The page is the twin's as well, as long as all is predicted. */
	if (unlikely(rec->page >= r->names.end))
		return;
	__builtin_prefetch(&r->names.twin[rec->page], 1);
	alloc_prefetch(r->alloc, rec->page);
}

/* What hints_age() does where there are no hints. */
static inline void count_operation(struct replay *r,
				   const struct alloc_counters *c)
{
	if (unlikely(r->boosted || c->watermark_boosts != r->nr_boosts))
		hints_age(r);
	else
		r->nr_operations++;
}

static __attribute__((noinline))
void apply_slowly(struct replay *r, const struct blt_plain_batch *b, uint32_t i)
{
	const struct req_record rec = plain_request(b, i);
	struct replay_step step;

	r->line = b->lines[i];
	step = (struct replay_step){ .pfn = PFN_NONE, .order = rec.order };
	apply_record(r, &rec, &step);
}

/* The first attempt failed, or gave another page. */
static __attribute__((noinline))
void settle(struct replay *r, const struct blt_plain_batch *b, uint32_t i,
	    pfn_t got)
{
	const struct req_record rec = plain_request(b, i);
	struct replay_step step = { .pfn = PFN_NONE, .order = rec.order };

	r->line = b->lines[i];
	if (got == PFN_NONE)
		got = serve_after_first(r, &rec);
	finish_alloc(r, &rec, got, &step);
}

static inline void apply_plain_alloc(struct replay *r,
				     const struct blt_plain_batch *b,
				     uint32_t i, const struct alloc_counters *c)
{
	const struct blt_plain rec = b->records[i];
	const gfp_t gfp = b->shapes[plain_shape(rec.word)].gfp;
	pfn_t got;

	if (unlikely(r->lag_matters)) {
		apply_slowly(r, b, i);
		return;
	}
	got = alloc_page_fast(r->alloc, plain_cpu(rec.word),
			      plain_order(rec.word), gfp);
	if (unlikely(got != rec.page || got == PFN_NONE ||
		     plain_order(rec.word) > 0)) {
		settle(r, b, i, got);
		return;
	}
	count_operation(r, c);
	r->res.allocations++;
	r->res.predicted++;
	names_bind_page(&r->names, rec.page, got);
	if (is_lru_gfp(gfp))
		alloc_set_lru(r->alloc, got, 1, true);
	else
		alloc_clear_lru(r->alloc, got);
}

/* The twin's page if somebody has it; else PFN_NONE, for the long way. */
static inline pfn_t live_page(const struct replay *r, struct blt_plain rec)
{
	const uint32_t name = rec.page < r->names.end ?
			      r->names.twin[rec.page] : 0;

	if (unlikely(!(name & NAME_LIVE) || plain_order(rec.word) > 0))
		return PFN_NONE;
	return name & NAME_PFN;
}

static inline void apply_plain_prepare(struct replay *r,
				       const struct blt_plain_batch *b,
				       uint32_t i)
{
	const pfn_t page = b->records[i].page;
	const pfn_t pfn = live_page(r, b->records[i]);

	if (unlikely(pfn == PFN_NONE)) {
		apply_slowly(r, b, i);
		return;
	}
	alloc_free_prepare(r->alloc, pfn, 0);
	bitmap_set(r->prepared, page);
}

/* F, or C, which may have no P in front of it. */
static inline void apply_plain_free(struct replay *r,
				    const struct blt_plain_batch *b,
				    uint32_t i, const struct alloc_counters *c,
				    bool batched)
{
	const struct blt_plain rec = b->records[i];
	const pfn_t pfn = live_page(r, rec);

	if (unlikely(pfn == PFN_NONE)) {
		apply_slowly(r, b, i);
		return;
	}
	r->names.twin[rec.page] &= ~NAME_LIVE;
	alloc_clear_lru(r->alloc, pfn);
	if (batched) {
		if (unlikely(!bitmap_test(r->prepared, rec.page)))
			alloc_free_prepare(r->alloc, pfn, 0);
		bitmap_clear(r->prepared, rec.page);
		alloc_free_commit(r->alloc, plain_cpu(rec.word), pfn, 0);
	} else {
		alloc_free(r->alloc, plain_cpu(rec.word), pfn, 0);
	}
	count_operation(r, c);
}

static inline void apply_plain(struct replay *r,
			       const struct blt_plain_batch *b, uint32_t i,
			       const struct alloc_counters *c, bool prepares)
{
	switch (plain_kind(b->records[i].word)) {
	case REQ_A:
		apply_plain_alloc(r, b, i, c);
		break;
	case REQ_F:
		/* A page that was prepared goes another way after all. */
		if (unlikely(prepares))
			apply_slowly(r, b, i);
		else
			apply_plain_free(r, b, i, c, false);
		break;
	case REQ_P:
		apply_plain_prepare(r, b, i);
		break;
	case REQ_C:
		apply_plain_free(r, b, i, c, true);
		break;
	default:
		apply_slowly(r, b, i);
	}
}

/* A zone's counter moves under its lock only. */
static __attribute__((noinline))
void follow(struct replay *r, const struct blt_plain_batch *b, uint32_t i)
{
	const struct req_record rec = plain_request(b, i);

	lag_follow(r, &rec);
	r->lag_matters = lag_matters(r);
}

void replay_batch(struct replay *r, const struct blt_plain_batch *b)
{
	const struct alloc_counters *c = alloc_rare_counters(r->alloc);
	const struct trace_stats *st = trace_source_stats(r->source);
	const bool prepares = st->requests[REQ_P] > 0;
	uint64_t locks = r->follow_lag ? 0 : UINT64_MAX;
	uint32_t nr = b->nr;

	if (r->opt.limit && r->opt.limit - r->res.events < nr)
		nr = r->opt.limit - r->res.events;
	for (uint32_t i = 0; i < nr; i++) {
		if (likely(i + LOOK_AHEAD < b->nr))
			look_ahead(r, &b->records[i + LOOK_AHEAD]);
		apply_plain(r, b, i, c, prepares);
		if (unlikely(c->zone_lock_acquisitions > locks)) {
			follow(r, b, i);
			locks = c->zone_lock_acquisitions;
		}
	}
	r->res.events += nr;
}

static bool limit_reached(const struct replay *r)
{
	return r->opt.limit && r->res.events == r->opt.limit;
}

int replay_run_plain(struct replay *r)
{
	struct blt_plain_batch batch;
	struct blt_pipe *pipe;
	bool bad = false;
	int ret = blt_pipe_open(&pipe, trace_source_blt(r->source),
				r->opt.threads);

	if (ret)
		return ret;
	/* Until the first change tells. */
	r->lag_matters = r->follow_lag;
	/* After a wrong request the rest is read for its errors only. */
	while (!limit_reached(r) && ((ret = blt_pipe_next(pipe, &batch)) == 1 ||
				     ret == -EINVAL)) {
		bad |= ret == -EINVAL;
		if (!bad)
			replay_batch(r, &batch);
	}
	blt_pipe_close(pipe);
	if (ret < 0 && ret != -EINVAL)
		return ret;
	return bad ? -EINVAL : 0;
}
