/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hint for every free, and the CPU waits for the host: what every design that
 * remembers, batches and delays is measured against. Models "kvm: Report unused
 * guest pages to host" by Alexander Duyck (RFC, 4 February 2019), which did so
 * for blocks from a huge page on (arch_free_page, arch_merge_page).
 *
 *   at = rest: a block of `order` or more has come to rest on a list, after
 *   merging; the hypercall is made with the zone lock held.
 *   at = free: a block of `order` or more is freed, before the CPU's lists see
 *   it; no lock is held, and what smaller frees merge to is not hinted.
 *
 *           free_notify, free_capture
 *   IDLE ------------------------------> WITH_HOST
 *    ^                                       |
 *    +---------------------------------------+
 *            the hypercall returns
 *
 * WITH_HOST never is seen from outside: one call of the allocator goes there
 * and back. So nothing is isolated, scheduled or in flight, which check() can
 * only count: calls that were answered are calls that were made.
 *
 * Nothing is marked: a block is hinted again when it comes to rest again, alone
 * or as part of a larger one. What is free when the device appears is never
 * hinted.
 */
#include "include/check.h"
#include "reporter/reporter.h"

enum per_free_at { AT_REST, AT_FREE };

struct per_free_options {
	unsigned int order;   /* 0 = pageblock_order, n = order n - 1 */
	unsigned int at;      /* enum per_free_at */
};

struct per_free {
	unsigned int order;
	bool registered;      /* between start() and stop() */
	bool with_host;
	uint64_t made, answered, refused;
	struct page_report entry;
};

static const char *const at_names[] = { "rest", "free", NULL };

static const char *const order_names[] = {
	"pageblock", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10",
	NULL,
};

#define OFFSET(member) offsetof(struct per_free_options, member)

static const struct option_desc per_free_descs[] = {
	{ .name = "order", .type = OPTION_NAME, .offset = OFFSET(order),
	  .names = order_names, .def = "pageblock", .unit = "",
	  .help = "smallest block order that is hinted" },
	{ .name = "at", .type = OPTION_NAME, .offset = OFFSET(at),
	  .names = at_names, .def = "rest", .unit = "",
	  .help = "when: a block rests on a list, or is about to be freed" },
	{ .name = NULL },
};

static const struct per_free_options *per_free_options(const struct reporter *r)
{
	return r->options;
}

static void hint(struct reporter *r, unsigned int zone, pfn_t pfn,
		 unsigned int order)
{
	struct per_free *s = r->state;
	struct host_request rq = {
		.kind = REQUEST_REPORT, .discard_order = DISCARD_WHOLE,
		.hypercall = true, .entries = &s->entry, .nr = 1,
	};
	struct host_reply reply = { .err = 0 };

	CHECK(!s->with_host);
	s->entry = (struct page_report){
		.pfn = pfn, .order = (uint8_t)order, .zone = (uint8_t)zone,
		.migratetype = (uint8_t)alloc_pageblock_type(r->env->view,
							     pfn),
	};
	r->counters.requests++;
	s->made++;
	s->with_host = true;
	if (r->env->call(r->env->ctx, &rq, &reply)) {
		s->refused++;
		r->counters.report_errors++;
	} else {
		s->answered++;
		r->counters.report_calls++;
		r->counters.blocks[order]++;
		r->counters.pages += order_nr_pages(order);
		if (reply.err)
			r->counters.report_errors++;
	}
	s->with_host = false;
}

/* Models arch_free_page and arch_merge_page: the end of __free_one_page. */
static void per_free_notify(struct reporter *r, unsigned int zone, pfn_t pfn,
			    unsigned int order)
{
	const struct per_free *s = r->state;

	if (s->registered)
		hint(r, zone, pfn, order);
}

static void per_free_capture(struct reporter *r, unsigned int zone, pfn_t pfn,
			     unsigned int order, unsigned int cpu)
{
	const struct per_free *s = r->state;

	(void)cpu;
	if (s->registered && order >= s->order)
		hint(r, zone, pfn, order);
}

static unsigned int per_free_order(const struct reporter *r)
{
	const struct per_free *s = r->state;

	return per_free_options(r)->at == AT_REST ? s->order : NR_PAGE_ORDERS;
}

static void per_free_trim_hooks(const struct reporter *r,
				struct alloc_hooks *h)
{
	if (per_free_options(r)->at == AT_REST)
		h->free_capture = NULL;
	else
		h->free_notify = NULL;
}

static int per_free_init(struct reporter *r, char *why, size_t why_size)
{
	const unsigned int order = per_free_options(r)->order;
	struct per_free *s = r->state;

	(void)why;
	(void)why_size;
	s->order = order ? order - 1 : alloc_pageblock_order(r->env->view);
	return 0;
}

static void per_free_start(struct reporter *r)
{
	struct per_free *s = r->state;

	s->registered = true;
}

static void per_free_stop(struct reporter *r)
{
	struct per_free *s = r->state;

	s->registered = false;
}

static bool per_free_idle(const struct reporter *r)
{
	const struct per_free *s = r->state;

	return !s->with_host;
}

static const char *per_free_check(const struct reporter *r)
{
	const struct per_free *s = r->state;

	if (s->with_host)
		return "per_free: the host has a block, and nobody waits";
	if (s->made != s->answered + s->refused ||
	    s->answered != r->counters.report_calls)
		return "per_free: a call was not answered";
	return NULL;
}

/* Nothing is ever scheduled or reported without waiting. */
static void per_free_process(struct reporter *r)
{
	(void)r;
}

static void per_free_drain(struct reporter *r, struct page_report *entries,
			   unsigned int nr, int err)
{
	(void)r;
	(void)entries;
	(void)nr;
	(void)err;
}

static void per_free_destroy(struct reporter *r)
{
	(void)r;
}

const struct reporter_ops per_free_reporter = {
	.name = "per_free",
	.summary = "a hypercall for every free of a large block: the bound",
	.options = { .descs = per_free_descs,
		     .size = sizeof(struct per_free_options) },
	.state_size = sizeof(struct per_free),
	.init = per_free_init,
	.start = per_free_start,
	.process = per_free_process,
	.drain = per_free_drain,
	.stop = per_free_stop,
	.idle = per_free_idle,
	.check = per_free_check,
	.destroy = per_free_destroy,
	.notify_order = per_free_order,
	.free_notify = per_free_notify,
	.free_capture = per_free_capture,
	.trim_hooks = per_free_trim_hooks,
};
