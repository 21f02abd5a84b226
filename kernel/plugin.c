/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file of the kernel as a design: the simulator's side of kernel/bridge.h,
 * apart from the calls of the kernel's side (kernel/bridge.c).
 * It models nothing; what happens is what the kernel's file does.
 *
 * The file's report callback sleeps until the host has answered, a design here
 * returns to the simulator meanwhile. So the work runs on a stack of its own,
 * which is left in bridge_report() and gone back to in drain().
 *
 * The file has variables of its own, once, but there may be several guests. So
 * all of its variables are linked into one section (kernel/data.lds), and each
 * guest keeps an image that is exchanged with it when code of the kernel is to
 * run for this guest, and again before it runs for another. One thread at a
 * time: cells run in processes.
 *
 * Left out: counters that only the file could know: requests that found one
 * pending, and budget_stops.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "include/check.h"
#include "kernel/plugin.h"
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

struct kernel_state *current;
/* Whose variables are in the section; NULL: they are as the file has them. */
static struct kernel_state *resident;

static size_t image_bytes(void)
{
	return (size_t)(__stop_kernel_data - __start_kernel_data);
}

/*
 * A byte after the other, whatever lies between two variables: AddressSanitizer
 * has guards there, which nobody else may read.
 */
#define WHOLE_IMAGE __attribute__((no_sanitize("address")))

/* The variables as the file has them, when they are nobody's. */
WHOLE_IMAGE static void save_image(unsigned char *image)
{
	const volatile unsigned char *from = __start_kernel_data;
	const size_t nr = image_bytes();

	for (size_t i = 0; i < nr; i++)
		image[i] = from[i];
}

WHOLE_IMAGE static void exchange_images(struct kernel_state *s)
{
	const size_t nr = image_bytes();

	for (size_t i = 0; i < nr; i++) {
		const unsigned char byte = __start_kernel_data[i];

		__start_kernel_data[i] = s->image[i];
		s->image[i] = byte;
	}
}

static void evict(void)
{
	if (resident)
		exchange_images(resident);
	resident = NULL;
}

/* False: it is for this guest already, as in a hook of its own isolation. */
static bool enter(struct reporter *r)
{
	struct kernel_state *s = r->state;

	if (current == s)
		return false;
	CHECK(!current);
	if (resident != s) {
		evict();
		exchange_images(s);
		resident = s;
	}
	current = s;
	return true;
}

static void leave(bool entered)
{
	if (entered)
		current = NULL;
}

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

	if (resident == s)
		evict();
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
	evict();
	save_image(s->image);
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
	evict();
	save_image(s->image);
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
