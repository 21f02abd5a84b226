/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trace without a snapshot: the start state is a guest that has just booted,
 * or one with recorded free counts. Either way a page that the trace frees
 * before it hands it out was in use at its start; finding those takes a pass
 * over the trace of its own.
 */
#include "replay/assume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "include/bitmap.h"
#include "include/sparse.h"
#include "replay/stock.h"

#define SCAN_WORDS BITMAP_WORDS(TRACE_MAX_PFN)

struct scan {
	uint64_t *known;  /* bit per PFN: seen before */
	uint64_t *in_use;
};

static void see(struct scan *s, pfn_t pfn, unsigned int order, bool freed)
{
	if (pfn == PFN_NONE || order > MAX_PAGE_ORDER ||
	    (uint64_t)pfn + order_nr_pages(order) > TRACE_MAX_PFN)
		return;
	for (uint32_t i = 0; i < order_nr_pages(order); i++)
		if (freed && !bitmap_test(s->known, pfn + i))
			bitmap_set(s->in_use, pfn + i);
	bitmap_set_range(s->known, pfn, order_nr_pages(order));
}

static void see_request(struct scan *s, const struct req_record *rec)
{
	switch (rec->kind) {
	case REQ_A:
	case REQ_AB:
	case REQ_AK:
	case REQ_B:
	case REQ_I:
		see(s, rec->pfn, rec->order, false);
		break;
	case REQ_F:
	case REQ_FB:
	case REQ_P:
	case REQ_C:
		see(s, rec->pfn, rec->order, true);
		break;
	default:
		break;
	}
}

static void see_event(struct scan *s, const struct trace_event *ev)
{
	switch (ev->kind) {
	case TRACE_REQUEST:
		see_request(s, &ev->u.req);
		break;
	case TRACE_ALLOC:
	case TRACE_ZONE_LOCKED:
		see(s, ev->u.kmem.pfn, ev->u.kmem.order, false);
		break;
	case TRACE_FREE:
	case TRACE_FREE_BATCHED:
		see(s, ev->u.kmem.pfn, ev->u.kmem.order, true);
		break;
	default:
		break;
	}
}

/* What is wrong with the trace is said by the replay itself. */
static void scan_trace(const struct replay *r, struct scan *s)
{
	const struct trace_options o = { .kernel = r->opt.kernel };
	struct diag quiet = { .out = NULL };
	struct trace_source *src;
	struct trace_event ev;
	int ret;

	if (trace_open(&src, r->opt.stream, &o, &quiet))
		return;
	while ((ret = trace_next(src, &ev)) == 1 || ret == -EINVAL)
		if (ret == 1)
			see_event(s, &ev);
	trace_close(src);
}

static int find_in_use(struct replay *r)
{
	struct scan s = {
		.known = sparse_alloc(SCAN_WORDS, sizeof(*s.known)),
		.in_use = sparse_alloc(SCAN_WORDS, sizeof(*s.in_use)),
	};

	r->in_use = s.in_use;
	if (s.known && s.in_use)
		scan_trace(r, &s);
	if (s.known)
		sparse_free(s.known, SCAN_WORDS, sizeof(*s.known));
	if (s.known && s.in_use)
		return 0;
	diag_error(r->diag, (struct diag_place){ 0 }, "out of memory");
	return -ENOMEM;
}

static int assume_booted(struct replay *r)
{
	int err = replay_snapshot_of(&r->before, r->opt.booted);
	uint64_t managed = 0;

	if (err) {
		diag_error(r->diag, (struct diag_place){ 0 }, "out of memory");
		return err;
	}
	for (unsigned int i = 0; i < r->before->nr_zones; i++)
		managed += r->before->zones[i].managed;
	snprintf(r->res.assumed.text, sizeof(r->res.assumed.text),
		 "a guest that has just booted: %llu pages, %u CPUs, lists in "
		 "the order of the memblock hand-over, nothing allocated since",
		 (unsigned long long)managed, r->before->nr_cpus);
	return 0;
}

int assume_start(struct replay *r)
{
	struct stat st;
	int err;

	if (!strcmp(r->opt.stream, "-") ||
	    (!stat(r->opt.stream, &st) && S_ISFIFO(st.st_mode))) {
		diag_error(r->diag, (struct diag_place){ 0 },
			   "without a snapshot the trace is read twice: it has "
			   "to be a file, not standard input or a pipe");
		return -EINVAL;
	}
	r->res.assumed.present = true;
	/* Messages name it. */
	r->opt.before = r->opt.booted ? "the booted guest" :
					r->opt.free_counts;
	err = find_in_use(r);
	if (err)
		return err;
	return r->opt.booted ? assume_booted(r) :
			       assume_proc(r, r->in_use, &r->before);
}

void assume_in_use(struct replay *r)
{
	if (!r->in_use)
		return;
	for (unsigned int i = 0; i < r->before->nr_zones; i++) {
		const struct snap_zone *z = &r->before->zones[i];

		for (pfn_t pfn = z->start; pfn < z->end; pfn++) {
			if (!bitmap_test(r->in_use, pfn))
				continue;
			take_out(r->alloc, pfn, 0, 0);
			names_mark_old(&r->names, pfn);
			r->res.assumed.preallocated++;
		}
	}
}

void assume_destroy(struct replay *r)
{
	if (r->in_use)
		sparse_free(r->in_use, SCAN_WORDS, sizeof(*r->in_use));
	r->in_use = NULL;
}
