/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One replay from the files to the result. Everything that a record does is in
 * apply_*.c; this file opens, dispatches and closes.
 */
#include "replay/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/bitmap.h"
#include "include/sparse.h"
#include "replay/assume.h"
#include "replay/rules.h"
#include "replay/stock.h"

static int take_away(const struct replay *r, struct alloc_profile *p)
{
	char why[160];

	if (!r->opt.without ||
	    !replay_take_away(p, r->opt.without, why, sizeof(why)))
		return 0;
	diag_error(r->diag, (struct diag_place){ 0 }, "%s", why);
	return -EINVAL;
}

/* What the user says, else the state to start from, else the trace. */
static const char *kernel_name(const struct replay *r)
{
	const char *traced = trace_source_kernel(r->source);

	if (r->opt.kernel)
		return r->opt.kernel;
	if (r->opt.booted)
		return alloc_profile_of(r->opt.booted)->name;
	if (r->before->kernel[0])
		return r->before->kernel;
	return traced ? traced : "6.1";
}

static int find_profile(const struct replay *r, struct alloc_profile *out)
{
	const char *name = kernel_name(r);
	const struct alloc_profile *p = alloc_profile_of_release(name);
	const char *near;

	if (p) {
		*out = *p;
		return take_away(r, out);
	}
	near = diag_nearest(name, alloc_profile_names());
	diag_error(r->diag, (struct diag_place){ 0 },
		   "unknown kernel \"%s\"%s%s%s; `buddylab list kernels` shows all",
		   name, near ? "; did you mean \"" : "", near ? near : "",
		   near ? "\"?" : "");
	return -EINVAL;
}

static bool same_zone(const struct snap_zone *a, const struct snap_zone *b)
{
	return a->zid == b->zid && a->start == b->start && a->end == b->end;
}

/* AFTER has to be of the same machine. */
static int check_after(const struct replay *r)
{
	const struct snapshot *b = r->before, *a = r->after;
	bool same = a->nr_cpus == b->nr_cpus && a->nr_zones == b->nr_zones &&
		    a->pageblock_order == b->pageblock_order &&
		    a->nr_types == b->nr_types;

	for (unsigned int i = 0; same && i < a->nr_zones; i++)
		same = same_zone(&a->zones[i], &b->zones[i]);
	if (same)
		return 0;
	diag_error(r->diag, (struct diag_place){ .file = r->opt.after },
		   "not of the guest of %s; CPUs, zones and pageblock_order must be the same",
		   r->opt.before);
	return -EINVAL;
}

static int read_snapshots(struct replay *r)
{
	const bool assumed = r->opt.booted || r->opt.free_counts;
	int err = assumed ? assume_start(r) :
		  snapshot_read(&r->before, r->opt.before, r->diag);

	if (r->opt.after) {
		const int after_err = snapshot_read(&r->after, r->opt.after,
						    r->diag);

		err = err ? err : after_err;
	}
	if (!err && r->after)
		err = check_after(r);
	return err;
}

static void name_free_blocks(struct replay *r)
{
	const struct snapshot *s = r->before;

	for (uint32_t i = 0; i < s->nr_free_blocks; i++)
		names_mark_free(&r->names, s->free_blocks[i].pfn,
				s->free_blocks[i].order);
	for (uint32_t i = 0; i < s->nr_pcp_blocks; i++)
		names_mark_free(&r->names, s->pcp_blocks[i].pfn,
				s->pcp_blocks[i].order);
}

int next_event(struct replay *r, struct trace_event *out)
{
	if (r->first_taken)
		return trace_next(r->source, out);
	r->first_taken = true;
	*out = r->first;
	return r->first_ret;
}

static int open_trace(struct replay *r)
{
	struct trace_options o = {
		.kernel = r->opt.kernel,
		.limits = {
			.nr_cpus = r->before->nr_cpus,
			.nr_types = r->before->nr_types,
			.end_pfn = snapshot_end_pfn(r->before),
		},
	};

	for (unsigned int i = 0; i < r->before->nr_zones; i++) {
		const unsigned int zid = r->before->zones[i].zid;

		o.limits.zones |= 1u << zid;
		r->zone_of_zid[zid] = (uint8_t)i;
	}
	return trace_open(&r->source, r->opt.stream, &o, r->diag);
}

/* The first event tells what the trace is made of. */
static int begin_trace(struct replay *r)
{
	int err;

	r->res.format = trace_source_format(r->source);
	r->first_ret = trace_next(r->source, &r->first);
	if (r->first_ret != 1 || r->first.kind == TRACE_REQUEST)
		return 0;
	if (r->first.kind == TRACE_MEM) {
		diag_error(r->diag, (struct diag_place){
				   .file = r->opt.stream },
			   "what a program did to its memory; that takes a "
			   "guest, so run an experiment with 'workload = "
			   "trace' and this file");
		return -EINVAL;
	}
	err = stock_init(r);
	if (err)
		diag_error(r->diag, (struct diag_place){ 0 }, "out of memory");
	return err;
}

static int set_up(struct replay *r)
{
	const pfn_t end = snapshot_end_pfn(r->before);
	int err;

	if (end > TRACE_MAX_PFN) {
		diag_error(r->diag, (struct diag_place){ .file = r->opt.before },
			   "a guest that ends at page %u; allowed is up to %u",
			   end, TRACE_MAX_PFN);
		return -EINVAL;
	}
	err = names_init(&r->names, end);

	r->reported = sparse_alloc(BITMAP_WORDS(end), sizeof(*r->reported));
	r->prepared = sparse_alloc(BITMAP_WORDS(end), sizeof(*r->prepared));
	r->ahead = ahead_create();
	if (err || !r->reported || !r->prepared || !r->ahead || hints_init(r)) {
		diag_error(r->diag, (struct diag_place){ 0 }, "out of memory");
		return -ENOMEM;
	}
	name_free_blocks(r);
	assume_in_use(r);
	return begin_trace(r);
}

/*
 * With T allowed, order-10 blocks go where the records say; where none does,
 * to the head, as without shuffle.
 */
static int coin_or_head(void *replay, pfn_t pfn)
{
	const int coin = replay_shuffle_coin(replay, pfn);

	return coin < 0 ? 0 : coin;
}

static uint64_t no_word(void *replay)
{
	(void)replay;
	return 0;
}

static int set_hooks(struct replay *r)
{
	struct alloc_hooks hooks = {
		.ctx = r,
		.notify_order = NR_PAGE_ORDERS,
		.movable_count = replay_movable_count,
		.shuffle_coin = coin_or_head,
		.shuffle_word = no_word,
	};

	alloc_set_shuffle(r->alloc, r->opt.hints & REPLAY_HINT_COIN);
	if (r->opt.hints & REPLAY_HINT_BELOW)
		alloc_follow_below_high(r->alloc);
	if (r->stock)
		stock_hooks(r, &hooks);
	if (!r->opt.external_reporter)
		alloc_set_hooks(r->alloc, &hooks);
	boost_start(r);
	if (!r->stock && lag_init(r))
		return -ENOMEM;
	return act_init(r, &hooks);
}

static int open_all(struct replay *r)
{
	struct alloc_profile profile;
	int err = read_snapshots(r);

	if (!err)
		err = open_trace(r);
	if (!err)
		err = find_profile(r, &profile);
	if (!err)
		err = replay_build(&r->alloc, r->before, &profile,
				   r->opt.before, r->diag);
	if (!err)
		err = set_up(r);
	return err ? err : set_hooks(r);
}

int replay_open(struct replay **out, const struct replay_options *o,
		struct diag *d)
{
	struct replay *r = calloc(1, sizeof(*r));
	int err;

	*out = NULL;
	if (!r) {
		diag_error(d, (struct diag_place){ 0 }, "out of memory");
		return -ENOMEM;
	}
	r->opt = *o;
	r->diag = d;
	r->armed = -1;
	err = open_all(r);
	if (err) {
		replay_close(r);
		return err;
	}
	*out = r;
	return 0;
}

int replay_next(struct replay *r, struct req_record *rec)
{
	if (r->opt.limit && r->res.events == r->opt.limit)
		return 0;
	return r->stock ? stock_next(r, rec) : ahead_next(r, rec);
}

/*
 * The kernel tests a free counter that lags behind, so the flag may turn a
 * little earlier or later than the twin's, which stands back where this hint
 * is allowed.
 */
static void apply_below_high(struct replay *r, const struct req_record *rec)
{
	const unsigned int zone = twin_zone(r, rec);

	if (!(r->opt.hints & REPLAY_HINT_BELOW) ||
	    !alloc_profile_of(r->alloc)->below_high_flag ||
	    alloc_below_high(r->alloc, zone) == rec->on)
		return;
	alloc_set_below_high(r->alloc, zone, rec->on);
	r->res.hints_used[3]++;
}

static bool is_reporters(const struct req_record *rec)
{
	switch (rec->kind) {
	case REQ_I:
	case REQ_R:
	case REQ_TF:
	case REQ_TB:
	case REQ_Q:
		return true;
	default:
		return false;
	}
}

void apply_record(struct replay *r, const struct req_record *rec,
			 struct replay_step *step)
{
	switch ((enum req_kind)rec->kind) {
	case REQ_A:
	case REQ_AB:
	case REQ_AK:
	case REQ_B:
		apply_alloc(r, rec, step);
		break;
	case REQ_F:
	case REQ_FB:
	case REQ_C:
		apply_free(r, rec, step);
		break;
	case REQ_P:
		apply_prepare(r, rec, step);
		break;
	case REQ_D:
		apply_drain(r, rec, step);
		break;
	case REQ_W:
		alloc_set_reclaim_active(r->alloc, twin_zone(r, rec), rec->on);
		boost_reclaim(r, rec->on);
		step->applied = true;
		break;
	case REQ_L:
		apply_below_high(r, rec);
		step->applied = true;
		break;
	case REQ_V:
		alloc_decay_pcp_high(r->alloc, twin_zone(r, rec), rec->cpu);
		step->applied = true;
		break;
	case REQ_G:
		boost_given_back(r, rec);
		step->applied = true;
		break;
	case REQ_I:
		apply_isolate(r, rec, step);
		break;
	case REQ_R:
		apply_putback(r, rec, step);
		break;
	case REQ_TF:
	case REQ_TB:
		apply_rotate(r, rec, step);
		break;
	case REQ_Q:
		apply_report(r, rec);
		break;
	case REQ_K:
	case REQ_T:
	case REQ_M:
	case REQ_NR_KINDS:
		/* Taken up when it was read; the last one is none. */
		break;
	}
}

void replay_apply(struct replay *r, const struct req_record *rec,
		  struct replay_step *step)
{
	*step = (struct replay_step){ .pfn = PFN_NONE, .order = rec->order };
	r->res.events++;
	if (r->stock)
		stock_apply(r, rec, step);
	else if (!is_reporters(rec) ||
	    (!r->opt.external_reporter && !r->opt.reporter))
		apply_record(r, rec, step);
	else if (r->opt.reporter)
		act_expect(r, rec);
	if (r->follow_lag)
		lag_follow(r, rec);
}

int replay_finish(struct replay *r, struct replay_result *out)
{
	int err = 0;

	snprintf(r->res.kernel, sizeof(r->res.kernel), "%s",
		 alloc_profile_of(r->alloc)->name);
	if (r->stock)
		stock_finish(r);
	capture_finish(r);
	if (r->after)
		replay_compare(r->alloc, r->after, &r->res);
	if (r->opt.proc)
		err = replay_compare_proc(r->alloc, r->opt.proc, r->diag,
					  &r->res.proc);
	*out = r->res;
	return err;
}

static void free_bitmap(const struct replay *r, uint64_t *map)
{
	if (map)
		sparse_free(map, BITMAP_WORDS(snapshot_end_pfn(r->before)),
			    sizeof(*map));
}

void replay_close(struct replay *r)
{
	if (!r)
		return;
	act_destroy(r);
	assume_destroy(r);
	stock_destroy(r);
	trace_close(r->source);
	ahead_destroy(r->ahead);
	hints_destroy(r);
	lag_destroy(r);
	free_bitmap(r, r->reported);
	free_bitmap(r, r->prepared);
	names_destroy(&r->names);
	if (r->alloc)
		alloc_destroy(r->alloc);
	snapshot_free(r->before);
	snapshot_free(r->after);
	free(r);
}

struct alloc *replay_alloc(struct replay *r)
{
	return r->alloc;
}

const struct snapshot *replay_before(const struct replay *r)
{
	return r->before;
}

/*
 * A stream with a wrong line has no result: the rest is read for its errors
 * only.
 */
static int run_records(struct replay *r)
{
	struct req_record rec;
	struct replay_step step;
	int ret, bad = 0;

	while ((ret = replay_next(r, &rec)) == 1 || ret == -EINVAL) {
		bad |= ret == -EINVAL;
		if (!bad)
			replay_apply(r, &rec, &step);
	}
	return ret < 0 ? ret : bad ? -EINVAL : 0;
}

int replay_run_opened(struct replay *r)
{
	return replay_is_plain(r) ? replay_run_plain(r) : run_records(r);
}

int replay_run(const struct replay_options *o, struct diag *d,
	       struct replay_result *out)
{
	struct replay *r;
	int err = replay_open(&r, o, d);

	if (err)
		return err;
	err = replay_run_opened(r);
	if (!err)
		err = replay_finish(r, out);
	replay_close(r);
	return err;
}

bool replay_exact(const struct replay_result *r)
{
	if (r->predicted != r->allocations)
		return false;
	if (r->expectations != r->expectations_matched)
		return false;
	if (r->stock.counts[STOCK_FOREIGN] || r->stock.counts[STOCK_LOST_MARKERS])
		return false;
	if (r->proc.differing)
		return false;
	return !r->compared ||
	       (!r->lists_differing && !r->pageblocks_differing);
}
