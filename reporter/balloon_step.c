/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One step of the balloon: up to 256 units are allocated and given to the
 * host, or taken back from it. Models fill_balloon, leak_balloon,
 * tell_host and update_balloon_size_func of drivers/virtio/virtio_balloon.c
 * (5.3 to 6.18), and for larger units the RFC "virtio-balloon: Add
 * VIRTIO_BALLOON_F_THP_ORDER" of 12 March 2020 and its CONT_PAGES successors.
 */
#include "include/check.h"
#include "reporter/balloon.h"

/* balloon_mapping_gfp_mask(), and what balloon_page_alloc() adds. */
#define GFP_HIGHUSER (GFP_HIGHUSER_MOVABLE & ~GFP_BIT_MOVABLE)
#define GFP_BALLOON (GFP_BIT_NOMEMALLOC | GFP_BIT_NORETRY | GFP_BIT_NOWARN)
/* Of the RFC: wake kswapd, and fail. */
#define GFP_BALLOON_HUGE (GFP_BIT_HIGHMEM | GFP_BIT_KSWAPD_RECLAIM | \
			  GFP_BIT_RETRY_MAYFAIL | GFP_BIT_NOWARN | \
			  GFP_BIT_NOMEMALLOC)

unsigned int balloon_unit_order(const struct reporter *r)
{
	const unsigned int order = balloon_options(r)->unit_order;

	return order == UNIT_ORDER_HOST ? r->env->host->thp_order : order;
}

static gfp_t balloon_gfp(const struct reporter *r, unsigned int order)
{
	const struct balloon *s = r->state;
	const gfp_t movable = s->movable ? GFP_BIT_MOVABLE : 0;

	if (!order)
		return GFP_HIGHUSER | movable | GFP_BALLOON;
	if (balloon_options(r)->direct_compaction)
		return GFP_HIGHUSER | GFP_BALLOON_HUGE | movable;
	return GFP_BALLOON_HUGE | movable;
}

void balloon_adjust_managed(struct reporter *r, pfn_t pfn, unsigned int order,
			    bool enters)
{
	const int64_t nr = order_nr_pages(order);

	if (balloon_options(r)->oom == OOM_OFF)
		r->env->adjust_managed(r->env->ctx, pfn, enters ? nr : -nr);
}

/* Blocks of movable huge units are split, so that each page can be moved. */
static unsigned int stored_order(const struct balloon *s, unsigned int order)
{
	return s->movable ? 0 : order;
}

/* Models balloon_page_enqueue. */
static void enqueue(struct reporter *r, const struct page_report *e)
{
	struct balloon *s = r->state;
	const unsigned int order = stored_order(s, e->order);
	pfn_t pfn;

	for (pfn = e->pfn; pfn < e->pfn + order_nr_pages(e->order);
	     pfn += order_nr_pages(order))
		balloon_pages_add(&s->pages, pfn, order);
	if (s->movable)
		r->env->set_movable(r->env->ctx, e->pfn,
				    order_nr_pages(e->order), true);
	balloon_adjust_managed(r, e->pfn, e->order, false);
	r->counters.balloon_inflate += order_nr_pages(e->order);
}

/*
 * Models balloon_page_dequeue, newest first, for at most `max` blocks and
 * `pages` pages. Returns the number of blocks.
 */
static unsigned int dequeue(struct reporter *r, struct page_report *out,
			    unsigned int max, uint64_t pages)
{
	struct balloon *s = r->state;
	unsigned int nr = 0;

	while (nr < max && s->pages.newest != PFN_NONE) {
		const pfn_t pfn = s->pages.newest;
		const unsigned int order = balloon_pages_order(&s->pages, pfn);

		if (order_nr_pages(order) > pages)
			break;
		pages -= order_nr_pages(order);
		balloon_pages_del(&s->pages, pfn);
		if (s->movable)
			r->env->set_movable(r->env->ctx, pfn, 1, false);
		r->counters.balloon_deflate += order_nr_pages(order);
		out[nr++] = (struct page_report){
			.pfn = pfn, .order = (uint8_t)order,
			.zone = (uint8_t)alloc_zone_of(r->env->view, pfn),
		};
	}
	return nr;
}

/*
 * Models release_pages_balloon: the list was built in front, so the last page
 * that was dequeued is freed first.
 */
static uint64_t release_pages(struct reporter *r,
			      const struct page_report *entries,
			      unsigned int nr)
{
	uint64_t pages = 0;

	while (nr--) {
		const struct page_report *e = &entries[nr];

		balloon_adjust_managed(r, e->pfn, e->order, true);
		r->env->free(r->env->ctx, e->pfn, e->order);
		pages += order_nr_pages(e->order);
	}
	return pages;
}

static struct host_request request_of(const struct reporter *r,
				      enum request_kind kind,
				      struct page_report *entries,
				      unsigned int nr)
{
	return (struct host_request){
		.kind = kind, .work = WORK_SIZE, .entries = entries, .nr = nr,
		.discard_order = balloon_options(r)->queue == QUEUE_RANGE ?
				 DISCARD_WHOLE : 0,
	};
}

static void queue_size_work(struct reporter *r, enum balloon_state state,
			    sim_ns_t delay_ns)
{
	struct balloon *s = r->state;

	s->state = state;
	r->env->queue_work(r->env->ctx, WORK_SIZE, REPORTER_THIS_CPU,
			   delay_ns);
}

/* The largest block that the rest of the way has room for. */
static unsigned int next_order(const struct reporter *r, uint64_t pages)
{
	const struct balloon *s = r->state;
	unsigned int order = s->order;

	while (order && balloon_options(r)->fallback &&
	       order_nr_pages(order) > pages)
		order--;
	return order;
}

static uint64_t batch_pages(const struct balloon *s)
{
	uint64_t pages = 0;

	for (unsigned int i = 0; i < s->nr; i++)
		pages += order_nr_pages(s->batch[i].order);
	return pages;
}

/* Pages that this step is to take, beyond those that it has. */
static uint64_t wanted(const struct balloon *s)
{
	const uint64_t have = s->pages.nr + batch_pages(s);

	return s->target > have ? s->target - have : 0;
}

enum take { TAKE_OK, TAKE_LATER, TAKE_FAILED, TAKE_ENOUGH };

/* Models balloon_page_alloc, with the fallback of CONT_PAGES. */
static enum take take_block(struct reporter *r)
{
	struct balloon *s = r->state;
	const uint64_t pages = wanted(s);
	const unsigned int order = next_order(r, pages);
	enum alloc_status status;
	pfn_t pfn;

	if (order_nr_pages(order) > pages)
		return TAKE_ENOUGH;
	if (!s->in_request)
		s->request = (struct alloc_request){
			.gfp = balloon_gfp(r, order), .order = (uint8_t)order,
		};
	status = r->env->allocate(r->env->ctx, &s->request, &pfn);
	s->in_request = status == ALLOC_AGAIN;
	if (status == ALLOC_AGAIN)
		return TAKE_LATER;
	if (status == ALLOC_OK) {
		s->batch[s->nr++] = (struct page_report){
			.pfn = pfn, .order = s->request.order,
			.zone = (uint8_t)alloc_zone_of(r->env->view, pfn),
		};
		return TAKE_OK;
	}
	r->counters.balloon_alloc_failures++;
	if (!s->request.order || !balloon_options(r)->fallback)
		return TAKE_FAILED;
	s->order = s->request.order - 1u;
	return TAKE_OK;
}

/* Pages were pushed on a local list and are popped from it: newest first. */
static void reverse_batch(struct balloon *s)
{
	for (unsigned int i = 0; i < s->nr / 2; i++) {
		const struct page_report e = s->batch[i];

		s->batch[i] = s->batch[s->nr - 1 - i];
		s->batch[s->nr - 1 - i] = e;
	}
}

void balloon_drop_batch(struct reporter *r)
{
	struct balloon *s = r->state;

	while (s->nr) {
		const struct page_report *e = &s->batch[--s->nr];

		r->env->free(r->env->ctx, e->pfn, e->order);
	}
}

/* The second half of fill_balloon, from mutex_lock() on. */
static void tell_inflate(struct reporter *r)
{
	struct balloon *s = r->state;
	struct host_request rq;

	reverse_batch(s);
	rq = request_of(r, REQUEST_INFLATE, s->batch, s->nr);
	if (r->env->send(r->env->ctx, &rq)) {
		r->counters.report_errors++;
		balloon_drop_batch(r);
		queue_size_work(r, BALLOON_SLEEPING,
				balloon_options(r)->retry_ns);
		return;
	}
	for (unsigned int i = 0; i < s->nr; i++)
		enqueue(r, &s->batch[i]);
	s->state = BALLOON_INFLATING;
}

static void fill_balloon(struct reporter *r)
{
	const uint64_t batch = balloon_options(r)->batch;
	struct balloon *s = r->state;
	enum take take = TAKE_OK;

	while (s->nr < batch && take == TAKE_OK)
		take = take_block(r);
	if (take == TAKE_LATER)
		queue_size_work(r, BALLOON_QUEUED, 0);
	else if (take == TAKE_FAILED)
		queue_size_work(r, BALLOON_SLEEPING,
				balloon_options(r)->retry_ns);
	else if (s->nr)
		tell_inflate(r);
	else
		s->state = BALLOON_IDLE;
}

/*
 * The queue took nothing: as if nothing had been dequeued. Deviation: see
 * docs/fidelity.md, the kernel's queue is empty and cannot refuse.
 */
static void undo_dequeue(struct reporter *r)
{
	struct balloon *s = r->state;

	while (s->nr) {
		const struct page_report *e = &s->batch[--s->nr];

		r->counters.balloon_deflate -= order_nr_pages(e->order);
		balloon_pages_add(&s->pages, e->pfn, e->order);
		if (s->movable)
			r->env->set_movable(r->env->ctx, e->pfn, 1, true);
	}
	queue_size_work(r, BALLOON_SLEEPING, balloon_options(r)->retry_ns);
}

static void leak_balloon(struct reporter *r, uint64_t pages)
{
	struct balloon *s = r->state;
	struct host_request rq;

	s->nr = dequeue(r, s->batch, (unsigned int)balloon_options(r)->batch,
			pages);
	s->state = BALLOON_IDLE;
	if (!s->nr)
		return;
	rq = request_of(r, REQUEST_DEFLATE, s->batch, s->nr);
	if (r->env->send(r->env->ctx, &rq)) {
		r->counters.report_errors++;
		undo_dequeue(r);
	} else {
		s->state = BALLOON_DEFLATING;
	}
}

/*
 * Models remove_common: pages go back, one request after the other. A device
 * that takes none any more is about to be reset.
 */
void balloon_leak_all(struct reporter *r)
{
	struct balloon *s = r->state;

	leak_balloon(r, s->pages.nr);
	while (s->state == BALLOON_SLEEPING) {
		r->env->cancel_work(r->env->ctx, WORK_SIZE);
		s->state = BALLOON_IDLE;
		s->nr = dequeue(r, s->batch, REPORTER_MAX_CAPACITY,
				s->pages.nr);
		release_pages(r, s->batch, s->nr);
		s->nr = 0;
		s->actual = s->pages.nr;
		if (s->pages.nr)
			leak_balloon(r, s->pages.nr);
	}
}

void balloon_size_func(struct reporter *r)
{
	struct balloon *s = r->state;
	const bool slept = s->state == BALLOON_SLEEPING;

	CHECK(slept || s->state == BALLOON_QUEUED);
	s->state = BALLOON_QUEUED;
	if (slept && s->nr) {
		/* fill_balloon wakes up: what it has goes to the host. */
		tell_inflate(r);
		return;
	}
	if (!s->nr && !s->in_request)
		s->order = balloon_unit_order(r);
	if (s->nr || s->in_request || s->pages.nr < s->target)
		fill_balloon(r);
	else
		leak_balloon(r, s->pages.nr - s->target);
}

/* Models update_balloon_size and the end of the work function. */
void balloon_step_done(struct reporter *r, enum request_kind kind)
{
	struct balloon *s = r->state;

	CHECK_EQ(s->state, kind == REQUEST_INFLATE ? BALLOON_INFLATING :
						     BALLOON_DEFLATING);
	if (kind == REQUEST_DEFLATE)
		release_pages(r, s->batch, s->nr);
	s->nr = 0;
	s->actual = s->pages.nr;
	s->state = BALLOON_IDLE;
	if (s->oom_waits) {
		s->oom_waits = false;
		r->env->wake_stalled(r->env->ctx);
	}
	if (!s->started)
		balloon_leak_all(r);
	else if (s->pages.nr != s->target)
		queue_size_work(r, BALLOON_QUEUED, 0);
}

uint64_t balloon_leak_now(struct reporter *r, uint64_t nr_pages)
{
	struct balloon *s = r->state;
	const unsigned int max = (unsigned int)balloon_options(r)->batch;
	const uint64_t unit = order_nr_pages(balloon_unit_order(r));
	const unsigned int nr = dequeue(r, s->now, max,
					nr_pages < unit ? unit : nr_pages);
	const struct host_request rq = request_of(r, REQUEST_DEFLATE, s->now,
						  nr);
	struct host_reply reply;
	uint64_t freed;

	if (!nr)
		return 0;
	/* A queue that refuses: the pages are the guest's all the same. */
	if (r->env->call(r->env->ctx, &rq, &reply))
		r->counters.report_errors++;
	freed = release_pages(r, s->now, nr);
	s->actual = s->pages.nr;
	return freed;
}
