/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `check N` and `settle` of step scripts: what has to hold whatever a script
 * does, without a model of the allocator. After every operation:
 *
 *     no page is handed out that somebody has, and none is lost: pages that are
 *     free, on per-CPU lists, with the host, and with the script are all pages;
 *     a request that goes to a zone's lists fails only if there is no block;
 *     a first attempt without per-CPU lists leaves the low watermark;
 *     a flush of the per-CPU lists leaves nothing on them;
 *     a block that is put back where it was isolated is the block it was.
 *
 * After every N operations all lists are walked. `settle` frees everything and
 * looks whether all that may merge has merged. What is broken is a failed
 * CHECK that names the script's line, so that no result comes out of it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "include/bitmap.h"
#include "include/check.h"
#include "replay/step_internal.h"

struct step_watch {
	uint64_t every, ops;
	uint64_t *used;           /* a bit for each page that the script has */
	uint64_t nr_used, nr_pages;
	/* The last operation was this isolation. */
	pfn_t isolated;
	unsigned int isolated_order, age;
	uint64_t nr_free[NR_PAGE_ORDERS];
};

__attribute__((noreturn, format(printf, 2, 3)))
static void broken(const struct step *s, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fflush(s->out);
	check_failed(__FILE__, __LINE__, "rules of docs/step.md", "%s:%u: %s",
		     s->file, s->cmd ? s->cmd->line : 0, text);
}

void step_watch_walk(const struct step *s)
{
	const char *why = alloc_check(s->a);

	if (why)
		broken(s, "%s", why);
}

static int create(struct step *s)
{
	const pfn_t end = alloc_end_pfn(s->a);
	struct step_watch *w = calloc(1, sizeof(*w));
	unsigned int i;
	pfn_t pfn;

	if (!w)
		return -ENOMEM;
	w->used = calloc(BITMAP_WORDS(end), sizeof(*w->used));
	if (!w->used) {
		free(w);
		return -ENOMEM;
	}
	for (i = 0; i < s->script->cfg.nr_zones; i++) {
		const struct alloc_zone_config *z = &s->script->cfg.zones[i];

		w->nr_pages += z->end - z->start;
		for (pfn = z->start; pfn < z->end; pfn++)
			if (alloc_block_is_allocated(s->a, pfn, 0) &&
			    !step_host_has(s, pfn, pfn + 1)) {
				bitmap_set(w->used, pfn);
				w->nr_used++;
			}
	}
	s->watch = w;
	return 0;
}

int step_set_check(struct step *s, const struct step_cmd *c)
{
	int err = s->watch || !c->number[0] ? 0 : create(s);

	if (!err && s->watch) {
		s->watch->every = c->number[0];
		s->watch->ops = 0;
	}
	return err;
}

void step_watch_destroy(struct step *s)
{
	if (s->watch)
		free(s->watch->used);
	free(s->watch);
	s->watch = NULL;
}

void step_watch_take(struct step *s, pfn_t pfn, unsigned int order)
{
	struct step_watch *w = s->watch;
	pfn_t i;

	if (s->taken)
		s->taken(s->taken_ctx, pfn, order);
	if (!w)
		return;
	if (!pfn_aligned(pfn, order) ||
	    !step_block_in_zone(&s->script->cfg, pfn, order))
		broken(s, "block %u of order %u was handed out, which lies "
		       "in no zone", pfn, order);
	for (i = pfn; i < pfn + order_nr_pages(order); i++)
		if (bitmap_test(w->used, i) || step_host_has(s, i, i + 1))
			broken(s, "page %u of block %u, order %u, was handed "
			       "out twice", i, pfn, order);
	if (!alloc_block_is_allocated(s->a, pfn, order))
		broken(s, "block %u of order %u was handed out, and pages "
		       "of it are free", pfn, order);
	bitmap_set_range(w->used, pfn, order_nr_pages(order));
	w->nr_used += order_nr_pages(order);
}

void step_watch_give(struct step *s, pfn_t start, pfn_t end)
{
	struct step_watch *w = s->watch;
	pfn_t i;

	if (!w)
		return;
	for (i = start; i < end; i++)
		if (!bitmap_test(w->used, i))
			broken(s, "page %u is in use, and nobody has it", i);
	bitmap_clear_range(w->used, start, end - start);
	w->nr_used -= end - start;
}

/* ---- single rules ---- */

void step_watch_failed(const struct step *s, unsigned int zone,
		       unsigned int order)
{
	static const enum migratetype types[] = {
		MIGRATE_UNMOVABLE, MIGRATE_MOVABLE, MIGRATE_RECLAIMABLE
	};
	unsigned int o, i;

	if (!s->watch)
		return;
	for (o = order; o < NR_PAGE_ORDERS; o++)
		for (i = 0; i < ARRAY_SIZE(types); i++)
			if (alloc_list_first(s->a, zone, o, types[i]) !=
			    PFN_NONE)
				broken(s, "no block of order %u was found, "
				       "and one of order %u is free", order, o);
}

/* Before the request the zone was above it, the request included. */
void step_watch_first(const struct step *s, const struct step_cmd *c, pfn_t pfn)
{
	const int zone = alloc_zone_of(s->a, pfn);
	struct alloc_zone_info info;

	if (!s->watch || s->pcp_on || c->options & STEP_OPT_HIGHATOMIC)
		return;
	alloc_zone_info(s->a, (unsigned int)zone, &info);
	if (info.free < info.wmark_low)
		broken(s, "a first attempt left %" PRIu64 " free pages in zone "
		       "%s, below its low watermark", info.free, info.name);
}

void step_watch_drained(const struct step *s, bool one, unsigned int only)
{
	struct alloc_pcp_info info;
	unsigned int zone, cpu;

	if (!s->watch || !s->pcp_ready)
		return;
	for (zone = 0; zone < alloc_nr_zones(s->a); zone++)
		for (cpu = 0; cpu < alloc_nr_cpus(s->a); cpu++) {
			alloc_pcp_info(s->a, zone, cpu, &info);
			if (info.count && (!one || cpu == only))
				broken(s, "CPU %u has %u pages on its lists "
				       "after they were flushed", cpu,
				       info.count);
		}
}

static void read_nr_free(const struct step *s, pfn_t pfn,
			 uint64_t nr_free[NR_PAGE_ORDERS])
{
	struct alloc_zone_info info;

	alloc_zone_info(s->a, (unsigned int)alloc_zone_of(s->a, pfn), &info);
	memcpy(nr_free, info.nr_free, sizeof(info.nr_free));
}

void step_watch_isolate(struct step *s, pfn_t pfn, unsigned int order)
{
	if (!s->watch)
		return;
	read_nr_free(s, pfn, s->watch->nr_free);
	s->watch->isolated = pfn;
	s->watch->isolated_order = order;
	s->watch->age = 2;
}

/* Types that do not merge may have left buddies apart: then there is no rule. */
void step_watch_putback(const struct step *s, pfn_t pfn, unsigned int order)
{
	const struct step_watch *w = s->watch;
	uint64_t nr_free[NR_PAGE_ORDERS];
	unsigned int o;

	if (!w || !w->age || w->isolated != pfn ||
	    w->isolated_order != order || s->special)
		return;
	read_nr_free(s, pfn, nr_free);
	for (o = 0; o < NR_PAGE_ORDERS; o++)
		if (nr_free[o] != w->nr_free[o])
			broken(s, "block %u of order %u was isolated and put "
			       "back, and now %" PRIu64 " blocks of order %u "
			       "are free, not %" PRIu64, pfn, order,
			       nr_free[o], o, w->nr_free[o]);
}

/* ---- after every operation ---- */

/* Pages of isolated pageblocks are on lists and do not count as free. */
static uint64_t pages_on_lists(const struct step *s, unsigned int zone)
{
	struct alloc_zone_info info;
	uint64_t pages = 0;
	unsigned int o;

	alloc_zone_info(s->a, zone, &info);
	for (o = 0; o < NR_PAGE_ORDERS; o++)
		pages += info.nr_free[o] << o;
	if (info.free > pages || (info.free < pages && !s->special))
		broken(s, "zone %s counts %" PRIu64 " free pages, and its "
		       "blocks are %" PRIu64, info.name, info.free, pages);
	return pages + info.pcp;
}

static uint64_t pages_not_used(const struct step *s)
{
	uint64_t pages = step_host_pages(s);
	unsigned int zone;

	for (zone = 0; zone < alloc_nr_zones(s->a); zone++)
		pages += pages_on_lists(s, zone);
	return pages;
}

void step_watch_after(struct step *s)
{
	struct step_watch *w = s->watch;
	uint64_t others;

	if (!w || !w->every)
		return;
	w->age -= w->age > 0;
	others = pages_not_used(s);
	if (others + w->nr_used != w->nr_pages)
		broken(s, "%" PRIu64 " pages are free or with the host and %"
		       PRIu64 " in use, of %" PRIu64, others, w->nr_used,
		       w->nr_pages);
	if (++w->ops < w->every)
		return;
	w->ops = 0;
	step_watch_walk(s);
}

/* ---- settle ---- */

static void free_used(struct step *s, const struct alloc_zone_config *z)
{
	pfn_t pfn = z->start;

	while (pfn < z->end) {
		unsigned int order = MAX_PAGE_ORDER;

		while (order && (!pfn_aligned(pfn, order) ||
				 pfn + order_nr_pages(order) > z->end ||
				 !alloc_block_is_allocated(s->a, pfn, order)))
			order--;
		if (alloc_block_is_allocated(s->a, pfn, order)) {
			step_watch_give(s, pfn, pfn + order_nr_pages(order));
			alloc_free_buddy(s->a, pfn, order);
		}
		pfn += order_nr_pages(order);
	}
}

/* The block's size; whatever is behind it has been looked at already. */
static pfn_t check_merged(const struct step *s,
			  const struct alloc_zone_config *z, pfn_t pfn)
{
	unsigned int order = 0;
	pfn_t head = pfn, buddy;

	if (alloc_page_lookup(s->a, pfn, &head, &order) != ALLOC_PAGE_BUDDY)
		broken(s, "page %u was freed and is not free", pfn);
	buddy = head ^ order_nr_pages(order);
	if (order == MAX_PAGE_ORDER || buddy < z->start ||
	    buddy + order_nr_pages(order) > z->end ||
	    !alloc_is_free_head(s->a, buddy) ||
	    alloc_block_order(s->a, buddy) != order)
		return order_nr_pages(order);
	/* Types that do not merge are those of whole pageblocks. */
	if (!s->special || order < alloc_pageblock_order(s->a))
		broken(s, "blocks %u and %u of order %u are free and have not "
		       "merged", head < buddy ? head : buddy,
		       head < buddy ? buddy : head, order);
	return order_nr_pages(order);
}

int step_settle(struct step *s, const struct step_cmd *c)
{
	unsigned int i;
	pfn_t pfn;

	(void)c;
	if (step_host_pages(s))
		return step_error(s, "the host has pages; let `hint` run to "
				  "its end");
	if (s->pcp_ready)
		alloc_drain_all(s->a);
	for (i = 0; i < s->script->cfg.nr_zones; i++)
		free_used(s, &s->script->cfg.zones[i]);
	step_watch_walk(s);
	for (i = 0; i < s->script->cfg.nr_zones; i++) {
		const struct alloc_zone_config *z = &s->script->cfg.zones[i];

		for (pfn = z->start; pfn < z->end;)
			pfn += check_merged(s, z, pfn);
	}
	return 0;
}
