/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State of the replay of a trace of the kernel's own tracepoints; only the
 * stock sources include it.
 */
#ifndef REPLAY_STOCK_H
#define REPLAY_STOCK_H

#include "replay/internal.h"

/*
 * Events read ahead. A mm_page_free is the first pass of a batched free if the
 * mm_page_free_batched of its page is among them; a batch is at most a gather
 * array of pages and what their flushes drain.
 */
#define STOCK_WINDOW 32768u

struct stock_entry {
	struct trace_event ev;
	bool prepare;        /* FREE: a batched commit follows */
	bool lone;           /* FREE_BATCHED: no FREE was seen before it */
	bool ours;           /* names a CPU and a page of the guest */
};

/* What the twin's own rules would flush now: pages, from which list on. */
struct stock_flush {
	uint32_t nr;
	unsigned int pindex;
};

/* A row of refill events of one CPU. */
struct stock_run {
	bool open, cleared;
	uint8_t zone;
	uint8_t pindex;
	pfn_t first;
};

struct stock {
	bool assisted;
	bool over;             /* the trace has no more events */
	int last;              /* what it said at its end */
	uint32_t first, nr;    /* ring */
	struct stock_entry *ring;
	uint32_t *free_at;     /* per PFN: ring place + 1 of its mm_page_free */

	/* Assisted mode. */
	bool follow_refills, follow_drains; /* such events were seen */
	bool refused_refill;   /* during the request being served */
	uint32_t *hand;        /* per PFN: taken, the twin's choice + 1 */
	uint64_t *bulk;        /* bit per PFN: taken as handed out in bulk */
	struct stock_flush *flushes; /* zone * CPUs + CPU */
	struct stock_run *runs;      /* per CPU */
	struct extfrag_note {
		bool set;
		pfn_t pfn;
		uint8_t order, mt;
	} *steals;             /* per CPU: extfrag, until its zone_locked */
};

static inline void stock_count(struct replay *r, enum replay_stock_count c,
			       uint64_t n)
{
	r->res.stock.counts[c] += n;
}

/* ---- stock.c ---- */

int stock_init(struct replay *r);
void stock_destroy(struct replay *r);
/* The hooks that the replay of tracepoints needs. */
void stock_hooks(struct replay *r, struct alloc_hooks *hooks);
/* As replay_next(). */
int stock_next(struct replay *r, struct req_record *out);
/* Counted at the end only. */
void stock_finish(struct replay *r);
/* Predict mode: what an F or C record tells of unseen operations. */
void stock_note_free(struct replay *r, const struct req_record *rec);

/* ---- stock_follow.c: internal events act on the twin ---- */

void follow_zone_locked(struct replay *r, const struct trace_event *ev);
void follow_pcpu_drain(struct replay *r, const struct trace_event *ev);
void follow_extfrag(struct replay *r, const struct trace_event *ev);
/* Any other event of this CPU ends its row of refills. */
void follow_other(struct replay *r, unsigned int cpu);
bool follow_flush(void *replay, unsigned int zone, unsigned int cpu,
		  uint32_t nr_pages, unsigned int pindex);
bool follow_refill(void *replay, unsigned int zone, unsigned int cpu,
		   unsigned int order, enum migratetype mt);

/* ---- stock_assist.c: A, F, P and C records in assisted mode ---- */

void stock_apply(struct replay *r, const struct req_record *rec,
		 struct replay_step *step);

/* ---- stock_take.c ---- */

/*
 * Take the pages in front of `stop` off a pcp list, as bulk allocation does
 * without a trace of it. `stop` is on that list.
 */
void stock_take_bulk(struct replay *r, unsigned int zone, unsigned int cpu,
		     unsigned int pindex, pfn_t stop);
/* Was any of these pages taken as bulk? They are not any more. Pages. */
uint32_t stock_forget_bulk(struct replay *r, pfn_t pfn, unsigned int order);

#endif
