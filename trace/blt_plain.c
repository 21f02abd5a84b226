/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading thread of plain requests: it checks, decompresses and decodes frames
 * into a ring of batches while another thread works on those before. What it
 * finds wrong travels with the batches and is told by whoever takes them, at
 * its place; so the result is the same with and without the thread.
 */
#define _GNU_SOURCE
#include "trace/blt_plain.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "include/check.h"
#include "include/cpus.h"
#include "trace/blt_reader.h"

/* Records of a batch, and batches: about what a frame of 1 MiB decodes to in
 * the time that the next one takes to decompress. */
#define BATCH_RECORDS 4096u
#define RING_SLOTS 16u

struct slot {
	struct blt_plain_batch batch;
	int status;                  /* as blt_pipe_next(); -EINVAL is not yet
				      * told, others are in pipe.why */
	struct req_record *shapes;
	struct blt_plain *records;
	uint32_t *lines;
};

struct blt_pipe {
	struct blt_reader *reader;
	bool threaded;
	bool taken;                  /* the caller has a batch */
	int end;                     /* final status, once it is not 1 */
	char why[BLT_WHY_BYTES];
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	/* Under the lock: slots ever filled and emptied, and "stop". */
	uint64_t nr_filled, nr_emptied;
	bool stop;
	struct slot slots[RING_SLOTS];
};

#define KIND(k) (1u << (k))
#define PLAIN_KINDS (KIND(REQ_A) | KIND(REQ_AB) | KIND(REQ_B) | KIND(REQ_F) | \
		     KIND(REQ_FB) | KIND(REQ_P) | KIND(REQ_C) | KIND(REQ_W) | \
		     KIND(REQ_L) | KIND(REQ_V))

_Static_assert(REQ_NR_KINDS <= 32, "a bit for each kind");

bool blt_is_plain(const struct blt_reader *r)
{
	const struct trace_stats *st = &r->stats;

	if (st->by_kind[TRACE_REQUEST] != r->trailer.events)
		return false;
	for (unsigned int i = 0; i < REQ_NR_KINDS; i++)
		if (st->requests[i] && !(PLAIN_KINDS & KIND(i)))
			return false;
	return true;
}

/* ---- the reading thread, or what the caller does itself ---- */

/* The end of a block's pages is checked without a look at its shape. */
static bool within_limits(const struct req_limits *l, const struct slot *s)
{
	const struct blt_plain *rec = s->records;
	bool beyond = false;

	for (uint32_t i = 0; i < s->batch.nr_shapes; i++) {
		struct req_record shape = s->shapes[i];

		shape.cpu = 0;
		shape.pfn = 0;
		beyond |= blt_broken_limit(l, &shape) != NULL;
	}
	for (uint32_t i = 0; i < s->batch.nr; i++) {
		beyond |= plain_cpu(rec[i].word) >= l->nr_cpus;
		beyond |= rec[i].page != PFN_NONE &&
			  rec[i].page +
				  order_nr_pages(plain_order(rec[i].word)) >
				  l->end_pfn;
	}
	return !beyond;
}

/* A batch outlives the decoder's shapes, which the next block replaces. */
static void keep_shapes(struct slot *s, const struct blt_decoder *d)
{
	s->batch.nr_shapes = d->nr_shapes;
	for (unsigned int i = 0; i < d->nr_shapes; i++)
		s->shapes[i] = d->shapes[i].event.u.req;
}

static int fill_slot(struct blt_reader *r, struct slot *s)
{
	struct blt_decoder *d = &r->decoder;

	while (!d->left) {
		const int got = blt_next_frame(r);

		if (got != 1)
			return got;
	}
	s->batch.nr = blt_decode_plain(d, s->records, s->lines, BATCH_RECORDS);
	if (d->why)
		return blt_fail_frame(r, d->why);
	keep_shapes(s, d);
	return !r->limited || within_limits(&r->limits, s) ? 1 : -EINVAL;
}

static bool is_last(int status)
{
	return status != 1 && status != -EINVAL;
}

/* False: nobody wants more. */
static bool wait_for_room(struct blt_pipe *p)
{
	bool go_on;

	pthread_mutex_lock(&p->lock);
	while (!p->stop && p->nr_filled - p->nr_emptied == RING_SLOTS)
		pthread_cond_wait(&p->emptied, &p->lock);
	go_on = !p->stop;
	pthread_mutex_unlock(&p->lock);
	return go_on;
}

static void *read_ahead(void *pipe)
{
	struct blt_pipe *p = pipe;
	struct slot *s;

	/* Only this thread counts them up. */
	for (uint64_t n = 0; wait_for_room(p); n++) {
		s = &p->slots[n % RING_SLOTS];
		s->status = fill_slot(p->reader, s);
		pthread_mutex_lock(&p->lock);
		p->nr_filled++;
		pthread_cond_signal(&p->filled);
		pthread_mutex_unlock(&p->lock);
		if (is_last(s->status))
			break;
	}
	return NULL;
}

/* ---- the caller ---- */

/* The batch taken before goes back to the reading thread. */
static struct slot *next_filled(struct blt_pipe *p)
{
	struct slot *s;

	pthread_mutex_lock(&p->lock);
	if (p->taken) {
		p->nr_emptied++;
		pthread_cond_signal(&p->emptied);
	}
	while (p->nr_filled == p->nr_emptied)
		pthread_cond_wait(&p->filled, &p->lock);
	s = &p->slots[p->nr_emptied % RING_SLOTS];
	pthread_mutex_unlock(&p->lock);
	p->taken = true;
	return s;
}

static void report(const struct blt_reader *r, const char *why)
{
	diag_error(r->diag, (struct diag_place){ .file = r->path }, "%s", why);
}

static int report_limits(const struct blt_pipe *p,
			 const struct blt_plain_batch *b)
{
	const struct blt_reader *r = p->reader;

	for (uint32_t i = 0; i < b->nr; i++) {
		const struct req_record rec = plain_request(b, i);
		const char *why = blt_broken_limit(&r->limits, &rec);

		if (why)
			diag_error(r->diag,
				   (struct diag_place){ .file = r->path },
				   "line %u of the imported file: %s",
				   b->lines[i], why);
	}
	return -EINVAL;
}

int blt_pipe_next(struct blt_pipe *p, struct blt_plain_batch *out)
{
	struct slot *s = &p->slots[0];

	if (p->end != 1)
		return p->end;
	if (p->threaded)
		s = next_filled(p);
	else
		s->status = fill_slot(p->reader, s);
	if (is_last(s->status)) {
		p->end = s->status;
		if (s->status < 0)
			report(p->reader, p->why);
		return s->status;
	}
	*out = s->batch;
	return s->status == 1 ? 1 : report_limits(p, out);
}

bool blt_pipe_threaded(const struct blt_pipe *p)
{
	return p->threaded;
}

/* Signals are for the thread that knows what to do with them. */
static bool start_thread(struct blt_pipe *p)
{
	sigset_t all, before;
	bool started;

	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before))
		return false;
	started = !pthread_create(&p->thread, NULL, read_ahead, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

static bool add_slot(struct slot *s)
{
	s->shapes = malloc(BLT_MAX_SHAPES * sizeof(*s->shapes));
	s->records = malloc(BATCH_RECORDS * sizeof(*s->records));
	s->lines = malloc(BATCH_RECORDS * sizeof(*s->lines));
	s->batch.shapes = s->shapes;
	s->batch.records = s->records;
	s->batch.lines = s->lines;
	return s->shapes && s->records && s->lines;
}

int blt_pipe_open(struct blt_pipe **out, struct blt_reader *r,
		  unsigned int threads)
{
	const bool threaded = threads ? threads > 1 : usable_cpus() > 1;
	struct blt_pipe *p = calloc(1, sizeof(*p));
	bool ok = p != NULL;

	*out = NULL;
	for (unsigned int i = 0; ok && i < (threaded ? RING_SLOTS : 1); i++)
		ok = add_slot(&p->slots[i]);
	if (!ok) {
		report(r, "out of memory");
		if (p)
			blt_pipe_close(p);
		return -ENOMEM;
	}
	blt_rewind(r);
	r->deferred = p->why;
	p->reader = r;
	p->end = 1;
	if (threaded) {
		pthread_mutex_init(&p->lock, NULL);
		pthread_cond_init(&p->filled, NULL);
		pthread_cond_init(&p->emptied, NULL);
		/* Without a thread it only takes longer. */
		p->threaded = start_thread(p);
	}
	*out = p;
	return 0;
}

static void stop_thread(struct blt_pipe *p)
{
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_signal(&p->emptied);
	pthread_mutex_unlock(&p->lock);
	CHECK(pthread_join(p->thread, NULL) == 0);
	pthread_cond_destroy(&p->filled);
	pthread_cond_destroy(&p->emptied);
	pthread_mutex_destroy(&p->lock);
}

void blt_pipe_close(struct blt_pipe *p)
{
	if (!p)
		return;
	if (p->threaded)
		stop_thread(p);
	if (p->reader)
		p->reader->deferred = NULL;
	for (unsigned int i = 0; i < RING_SLOTS; i++) {
		free(p->slots[i].shapes);
		free(p->slots[i].records);
		free(p->slots[i].lines);
	}
	free(p);
}
