/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file of the kernel as a design: the simulator's side of kernel/bridge.h.
 * It models nothing; what happens is what the kernel's file does.
 *
 * The file's report callback sleeps until the host has answered, a design here
 * returns to the simulator meanwhile. So the work runs on a stack of its own,
 * which is left in bridge_report() and gone back to in drain().
 *
 * The file has variables of its own, once, but there may be several guests. So
 * all of its variables are linked into one section (kernel/data.lds), and each
 * guest keeps an image that is exchanged with it for as long as code of the
 * kernel runs for this guest. One thread at a time: cells run in processes.
 *
 * Left out: counters that only the file could know: requests that found one
 * pending, and budget_stops.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "include/check.h"
#include "kernel/bridge.h"
#include "reporter/reporter.h"
#ifdef KERNEL_WITH_PLUGIN_HEADER
#include "reporter/plugin.h"
#endif

#define STACK_BYTES ((size_t)256 << 10)

/* First and last byte of the file's variables, from the linker. */
extern unsigned char __start_kernel_data[] __attribute__((visibility("hidden")));
extern unsigned char __stop_kernel_data[] __attribute__((visibility("hidden")));

/* For those who load it by this name. */
extern const struct reporter_ops kernel_reporter
	__attribute__((visibility("default")));

struct kernel_options {
	uint64_t order;
};

/* What the file has allocated, so that it goes with the guest. */
struct heap {
	struct heap *next, **link;
	max_align_t bytes[];
};

struct kernel_state {
	struct reporter *r;
	unsigned char *image;
	void *memory, *stack;
	size_t memory_bytes;
	ucontext_t outside, work;
	struct heap *heap;
	bool started, armed;
	bool working;              /* between the work's begin and its end */
	bool waiting;              /* ... in a report */
	bool counted;              /* this pass, in counters.passes */
	bool answered;             /* the next lock is for a drain */
	bool again;                /* due while it ran: begins when it ends */
	unsigned int order;
	unsigned int zone;
	uint32_t touches;
	int err;
	unsigned int nr;
	struct page_report entries[REPORTER_MAX_CAPACITY];
};

/* For whom code of the kernel runs. */
static struct kernel_state *current;

static size_t image_bytes(void)
{
	return (size_t)(__stop_kernel_data - __start_kernel_data);
}

static void exchange_images(struct kernel_state *s)
{
	const size_t nr = image_bytes();

	for (size_t i = 0; i < nr; i++) {
		const unsigned char byte = __start_kernel_data[i];

		__start_kernel_data[i] = s->image[i];
		s->image[i] = byte;
	}
}

/* False: it is for this guest already, as in a hook of its own isolation. */
static bool enter(struct reporter *r)
{
	struct kernel_state *s = r->state;

	if (current == s)
		return false;
	CHECK(!current);
	exchange_images(s);
	current = s;
	return true;
}

static void leave(bool entered)
{
	if (!entered)
		return;
	exchange_images(current);
	current = NULL;
}

static const struct reporter_env *env(void)
{
	return current->r->env;
}

static const struct alloc *view(void)
{
	return env()->view;
}

/* ---- what the kernel's side asks ---- */

void bridge_cannot(const char *what)
{
	check_failed("kernel-reporter", 0, "what the kernel's file does",
		     "cannot be mapped: %s; see docs/kernel-reporter.md", what);
}

unsigned int bridge_nr_zones(void)
{
	return alloc_nr_zones(view());
}

unsigned int bridge_pageblock_order(void)
{
	return alloc_pageblock_order(view());
}

void bridge_zone(unsigned int zone, struct bridge_zone *out)
{
	struct alloc_zone_info z;

	alloc_zone_info(view(), zone, &z);
	*out = (struct bridge_zone){
		.start = z.start, .end = z.end,
		.managed = z.managed, .present = z.present,
		.spanned = z.spanned, .free = z.free,
		.wmark_min = z.wmark_min, .wmark_low = z.wmark_low,
		.wmark_high = z.wmark_high, .boost = z.boost,
		.node = z.node, .type = z.type, .name = z.name,
	};
	memcpy(out->nr_free, z.nr_free, sizeof(out->nr_free));
}

bool bridge_watermark_ok(unsigned int zone, unsigned int order, uint64_t mark,
			 unsigned int highest)
{
	if (!alloc_watermark_ok(view(), zone, order, mark, highest)) {
		current->r->counters.gate_skips++;
		return false;
	}
	if (!current->counted)
		current->r->counters.passes++;
	current->counted = true;
	return true;
}

uint32_t bridge_list_first(unsigned int zone, unsigned int order,
			   unsigned int mt)
{
	return alloc_list_first(view(), zone, order, (enum migratetype)mt);
}

uint32_t bridge_list_next(uint32_t pfn)
{
	return alloc_list_next(view(), pfn);
}

bool bridge_is_free_head(uint32_t pfn)
{
	return alloc_is_free_head(view(), pfn);
}

unsigned int bridge_block_order(uint32_t pfn)
{
	return alloc_block_order(view(), pfn);
}

unsigned int bridge_block_type(uint32_t pfn)
{
	return alloc_block_type(view(), pfn);
}

unsigned int bridge_pageblock_type(uint32_t pfn)
{
	return alloc_pageblock_type(view(), pfn);
}

bool bridge_reported(uint32_t pfn)
{
	return alloc_is_free_head(view(), pfn) &&
	       alloc_block_marks(view(), pfn) & BLOCK_REPORTED;
}

void bridge_count(enum bridge_counter what)
{
	switch (what) {
	case BRIDGE_VISIT:
		current->touches++;
		current->r->counters.list_visits++;
		break;
	case BRIDGE_SKIP:
		current->r->counters.skipped_marked++;
		break;
	}
}

/* ---- what it does ---- */

void bridge_lock(unsigned int zone)
{
	env()->lock(env()->ctx, zone);
	current->touches = 0;
	if (!current->answered)
		current->r->counters.lists_visited++;
	current->answered = false;
}

void bridge_unlock(unsigned int zone)
{
	struct reporter_counters *c = &current->r->counters;

	if (c->longest_hold < current->touches)
		c->longest_hold = current->touches;
	env()->unlock(env()->ctx, zone, current->touches);
}

bool bridge_isolate(uint32_t pfn)
{
	if (env()->isolate(env()->ctx, pfn))
		return true;
	current->r->counters.isolate_refused++;
	return false;
}

void bridge_putback(uint32_t pfn, unsigned int order, unsigned int mt)
{
	struct reporter_counters *c = &current->r->counters;

	env()->putback(env()->ctx, pfn, order, (enum migratetype)mt);
	current->touches++;
	c->putbacks++;
	c->putback_merged += !alloc_is_free_head(view(), pfn) ||
			     alloc_block_order(view(), pfn) != order;
}

void bridge_set_reported(uint32_t pfn)
{
	env()->set_mark(env()->ctx, pfn, BLOCK_REPORTED);
	current->r->counters.marked_pages +=
		order_nr_pages(alloc_block_order(view(), pfn));
}

void bridge_rotate_to_front(uint32_t pfn)
{
	env()->rotate_to_front(env()->ctx, pfn);
	current->touches++;
	current->r->counters.rotations++;
}

static int submit(struct kernel_state *s)
{
	struct reporter_counters *c = &s->r->counters;
	const int err = env()->report(env()->ctx, s->entries, s->nr);

	if (err) {
		c->report_errors++;
		return err;
	}
	c->report_calls++;
	for (unsigned int i = 0; i < s->nr; i++) {
		c->blocks[s->entries[i].order]++;
		c->pages += order_nr_pages(s->entries[i].order);
	}
	return 0;
}

int bridge_report(const struct bridge_entry *entries, unsigned int nr)
{
	struct kernel_state *s = current;
	int err;

	if (!s->working)
		bridge_cannot("a report from outside the work function");
	CHECK_LE(nr, REPORTER_MAX_CAPACITY);
	for (unsigned int i = 0; i < nr; i++)
		s->entries[i] = (struct page_report){
			.pfn = entries[i].pfn, .order = entries[i].order,
			.migratetype = entries[i].migratetype,
			.zone = entries[i].zone,
		};
	s->nr = nr;
	s->answered = true;
	err = submit(s);
	if (err)
		return err;
	s->waiting = true;
	CHECK_EQ(swapcontext(&s->work, &s->outside), 0);
	s->waiting = false;
	return s->err;
}

/* Not before the device is there: init() only tries it on. */
void bridge_arm(uint64_t delay_ns)
{
	if (!current->started)
		return;
	current->armed = true;
	current->r->counters.requests++;
	env()->schedule(env()->ctx, delay_ns);
}

bool bridge_disarm(void)
{
	const bool was = current->armed;

	if (was)
		env()->cancel(env()->ctx);
	current->armed = false;
	return was;
}

bool bridge_working(void)
{
	return current->working;
}

void *bridge_kmalloc(size_t bytes)
{
	struct heap *h;

	if (!env()->kmalloc_ok(env()->ctx, bytes))
		return NULL;
	h = calloc(1, sizeof(*h) + bytes);
	if (!h)
		return NULL;
	h->next = current->heap;
	h->link = &current->heap;
	if (h->next)
		h->next->link = &h->next;
	current->heap = h;
	return h->bytes;
}

static void heap_free(struct heap *h)
{
	*h->link = h->next;
	if (h->next)
		h->next->link = h->link;
	free(h);
}

void bridge_kfree(void *p)
{
	if (p)
		heap_free((struct heap *)((char *)p -
					  offsetof(struct heap, bytes)));
}

/* ---- what the simulator asks ---- */

/* The first frame of the work's stack; it never returns. */
static void work_for_ever(void)
{
	struct kernel_state *s = current;

	for (;;) {
		kernel_work();
		s->working = false;
		CHECK_EQ(swapcontext(&s->work, &s->outside), 0);
	}
}

static void go_on(struct reporter *r)
{
	struct kernel_state *s = r->state;
	const bool entered = enter(r);

	CHECK_EQ(swapcontext(&s->outside, &s->work), 0);
	CHECK(!s->working || s->waiting);
	if (s->again && !s->working) {
		s->again = false;
		bridge_arm(0);
	}
	leave(entered);
}

static void *map(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void kernel_destroy(struct reporter *r)
{
	struct kernel_state *s = r->state;

	while (s->heap)
		heap_free(s->heap);
	free(s->image);
	if (s->memory)
		munmap(s->memory, s->memory_bytes);
	if (s->stack)
		munmap(s->stack, STACK_BYTES);
	s->image = s->memory = s->stack = NULL;
}

static int get_memory(struct reporter *r)
{
	struct kernel_state *s = r->state;

	s->r = r;
	s->memory_bytes = kernel_guest_bytes(alloc_end_pfn(r->env->view));
	s->memory = map(s->memory_bytes);
	s->stack = map(STACK_BYTES);
	s->image = malloc(image_bytes() + 1);
	if (!s->memory || !s->stack || !s->image || getcontext(&s->work))
		return -ENOMEM;
	memcpy(s->image, __start_kernel_data, image_bytes());
	s->work.uc_stack.ss_sp = s->stack;
	s->work.uc_stack.ss_size = STACK_BYTES;
	s->work.uc_link = NULL;
	makecontext(&s->work, work_for_ever, 0);
	return 0;
}

static int kernel_init(struct reporter *r, char *why, size_t why_size)
{
	const struct kernel_options *o = r->options;
	struct kernel_state *s = r->state;
	bool entered;
	int err;

	if (!alloc_profile_of(r->env->view)->reporting) {
		snprintf(why, why_size, "kernel %s has no free page reporting; "
			 "it came in 5.7", alloc_profile_of(r->env->view)->name);
		return -EINVAL;
	}
	if (get_memory(r)) {
		kernel_destroy(r);
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	/* Which order is it going to be? Then forget the trial. */
	entered = enter(r);
	kernel_boot(s->memory);
	err = kernel_probe((unsigned int)o->order);
	s->order = kernel_reporting_order();
	kernel_remove();
	leave(entered);
	memcpy(s->image, __start_kernel_data, image_bytes());
	if (!err && s->order <= MAX_PAGE_ORDER)
		return 0;
	snprintf(why, why_size, "the kernel's file registers no device: error "
		 "%d, order %u", err, s->order);
	kernel_destroy(r);
	return -EINVAL;
}

static void kernel_start(struct reporter *r)
{
	const struct kernel_options *o = r->options;
	struct kernel_state *s = r->state;
	const bool entered = enter(r);

	if (s->started) {
		kernel_notify_free(MAX_PAGE_ORDER);
	} else {
		s->started = true;
		kernel_boot(s->memory);
		CHECK_EQ(kernel_probe((unsigned int)o->order), 0);
	}
	leave(entered);
}

static void kernel_process(struct reporter *r)
{
	struct kernel_state *s = r->state;

	s->armed = false;
	s->again = s->working;
	if (s->again)
		return;
	s->working = true;
	s->counted = false;
	go_on(r);
}

static void kernel_drain(struct reporter *r, struct page_report *entries,
			 unsigned int nr, int err)
{
	struct kernel_state *s = r->state;

	CHECK(s->waiting);
	CHECK(entries == s->entries);
	CHECK_EQ(nr, s->nr);
	if (err)
		r->counters.report_errors++;
	s->err = err;
	go_on(r);
}

static void kernel_stop(struct reporter *r)
{
	const bool entered = enter(r);

	kernel_remove();
	leave(entered);
}

static bool kernel_idle(const struct reporter *r)
{
	const struct kernel_state *s = r->state;

	return !s->armed && !s->working && !s->again;
}

/* The file keeps its own promises; this is about the bridge. */
static const char *kernel_check(const struct reporter *r)
{
	const struct kernel_state *s = r->state;

	if (s->working != s->waiting)
		return "kernel: a pass waits for no report";
	return NULL;
}

static unsigned int kernel_notify_order(const struct reporter *r)
{
	const struct kernel_state *s = r->state;

	return s->order;
}

static void kernel_free_notify(struct reporter *r, unsigned int zone,
			       pfn_t pfn, unsigned int order)
{
	const bool entered = enter(r);

	(void)zone;
	(void)pfn;
	kernel_notify_free(order);
	leave(entered);
}

static void kernel_unmark(struct reporter *r, unsigned int zone, pfn_t pfn,
			  unsigned int order, enum migratetype mt,
			  enum unmark_reason why)
{
	(void)zone;
	(void)mt;
	(void)why;
	if (alloc_block_marks(r->env->view, pfn) & BLOCK_REPORTED)
		r->counters.refault_pages += order_nr_pages(order);
}

static const struct option_desc kernel_descs[] = {
	{ .name = "order", .type = OPTION_UINT,
	  .offset = offsetof(struct kernel_options, order),
	  .min = 0, .max = MAX_PAGE_ORDER, .def = "0", .unit = "",
	  .help = "order that the device asks for; 0: the kernel decides" },
	{ .name = NULL },
};

#ifndef KERNEL_REPORTER_NAME
#define KERNEL_REPORTER_NAME "kernel"
#endif

const struct reporter_ops kernel_reporter = {
	.name = KERNEL_REPORTER_NAME,
	.summary = "mm/page_reporting.c of a kernel tree",
	.options = { .descs = kernel_descs,
		     .size = sizeof(struct kernel_options) },
	.state_size = sizeof(struct kernel_state),
	.init = kernel_init,
	.start = kernel_start,
	.process = kernel_process,
	.drain = kernel_drain,
	.stop = kernel_stop,
	.idle = kernel_idle,
	.check = kernel_check,
	.destroy = kernel_destroy,
	.withdraws_if_poisoned = true,
	.notify_order = kernel_notify_order,
	.free_notify = kernel_free_notify,
	.block_unmark = kernel_unmark,
};

#ifdef KERNEL_WITH_PLUGIN_HEADER
BUDDYLAB_REPORTER_PLUGIN(kernel_reporter);
#endif
