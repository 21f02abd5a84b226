/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a file of the kernel finds behind its calls: the bridge_*() functions of
 * kernel/bridge.h, by the environment of the reporter on whose behalf the file
 * runs. They count what our page_reporting counts in the same places.
 */
#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "kernel/plugin.h"

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

void heap_free(struct heap *h)
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
