/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of step scripts: one row per command, and the function that
 * runs it. The allocator aborts on misuse, so each function tests first what a
 * script could get wrong (a double free, an unaligned block) and says so.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "replay/step_internal.h"

/* ---- settings ---- */

static int run_nothing(struct step *s, const struct step_cmd *c)
{
	(void)s;
	(void)c;
	return 0;
}

static void set_pcp(struct step *s, uint32_t batch, uint32_t low,
		    uint32_t high)
{
	unsigned int zone, cpu;

	for (zone = 0; zone < alloc_nr_zones(s->a); zone++)
		for (cpu = 0; cpu < alloc_nr_cpus(s->a); cpu++)
			alloc_set_pcp(s->a, zone, cpu, batch, low, high, 0);
}

/*
 * Pagesets exist from the first `pcp` that is not off; after a later `pcp off`
 * they pass on what deferred boot pages still send through them.
 */
static int run_pcp(struct step *s, const struct step_cmd *c)
{
	s->pcp_on = c->nr_numbers > 0;
	if (s->pcp_on && !s->pcp_ready) {
		alloc_setup_pcp(s->a);
		s->pcp_ready = true;
	}
	if (s->pcp_on)
		set_pcp(s, (uint32_t)c->number[0], (uint32_t)c->number[1],
			(uint32_t)c->number[c->nr_numbers - 1]);
	else if (s->pcp_ready)
		set_pcp(s, 1, 0, 0);
	return 0;
}

static int run_watermark(struct step *s, const struct step_cmd *c)
{
	alloc_set_watermarks(s->a, c->zone, c->number[0], c->number[1],
			     c->number[2]);
	return 0;
}

static int run_reserve(struct step *s, const struct step_cmd *c)
{
	alloc_set_reserve(s->a, c->zone, c->zone_type, c->number[0]);
	return 0;
}

static int run_pageblock(struct step *s, const struct step_cmd *c)
{
	pfn_t pfn = (pfn_t)(c->number[0] << alloc_pageblock_order(s->a));

	s->special |= c->type > MIGRATE_RECLAIMABLE;
	alloc_set_pageblock_type(s->a, pfn, (enum migratetype)c->type);
	return 0;
}

static int run_lru(struct step *s, const struct step_cmd *c)
{
	pfn_t start = (pfn_t)c->number[0], end = (pfn_t)c->number[1];

	if (end > alloc_end_pfn(s->a))
		end = alloc_end_pfn(s->a);
	if (start < end)
		alloc_set_lru(s->a, start, end - start, true);
	return 0;
}

static int run_grouping(struct step *s, const struct step_cmd *c)
{
	alloc_set_grouping(s->a, c->choice == 0);
	return 0;
}

static int run_events(struct step *s, const struct step_cmd *c)
{
	s->events = c->choice != 1;
	s->drain_events = c->choice == 2;
	step_update_hooks(s);
	return 0;
}

static int run_shuffle(struct step *s, const struct step_cmd *c)
{
	const struct step_script *sc = s->script;
	const size_t nr = s->nr_words + c->nr_words;

	if (nr > s->room_words) {
		/* Twice as many: a script may have millions of these. */
		uint64_t *grown = realloc(s->words, 2 * nr * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		s->words = grown;
		s->room_words = 2 * nr;
	}
	memcpy(s->words + s->nr_words, sc->words + c->first_word,
	       c->nr_words * sizeof(*s->words));
	s->nr_words += c->nr_words;
	alloc_set_shuffle(s->a, true);
	return 0;
}

/* ---- operations ---- */

/*
 * `boot` and `deferred` keep managed = end - start, whatever was handed over:
 * a step guest has all of its pages from the start.
 */
static void restore_managed(struct step *s)
{
	unsigned int zone;

	for (zone = 0; zone < alloc_nr_zones(s->a); zone++) {
		struct alloc_zone_info info;

		alloc_zone_info(s->a, zone, &info);
		alloc_set_managed(s->a, zone, info.spanned);
	}
}

/* Every piece that memblock would cut from [start, end) must be allocated. */
static int check_handover(struct step *s, pfn_t start, pfn_t end)
{
	if (step_host_has(s, start, end))
		return step_error(s, "the host has pages of this range");
	while (start < end) {
		unsigned int order = MAX_PAGE_ORDER;

		while (!pfn_aligned(start, order) ||
		       end - start < order_nr_pages(order))
			order--;
		if (!step_block_in_zone(&s->script->cfg, start, order))
			return step_error(s, "block %u of order %u does not "
					  "lie inside one zone", start, order);
		if (!alloc_block_is_allocated(s->a, start, order))
			return step_error(s, "pages of block %u, order %u, "
					  "are free already", start, order);
		start += order_nr_pages(order);
	}
	return 0;
}

static int run_boot(struct step *s, const struct step_cmd *c)
{
	pfn_t start = (pfn_t)c->number[0], end = (pfn_t)c->number[1];
	int err = check_handover(s, start, end);

	if (err)
		return err;
	step_watch_give(s, start, end);
	alloc_boot_range(s->a, start, end);
	restore_managed(s);
	return 0;
}

static int run_deferred(struct step *s, const struct step_cmd *c)
{
	pfn_t start = (pfn_t)c->number[0], end = (pfn_t)c->number[1];
	int err = check_handover(s, start, end);

	if (err)
		return err;
	step_watch_give(s, start, end);
	alloc_deferred_range(s->a, start, end);
	restore_managed(s);
	return 0;
}

static int run_shuffle_zone(struct step *s, const struct step_cmd *c)
{
	/* Never NULL: that would mean the runtime words. */
	static const uint64_t none;

	s->boot_words = c->nr_words ? s->script->words + c->first_word : &none;
	s->nr_boot_words = c->nr_words;
	alloc_shuffle_zone(s->a, c->zone);
	s->boot_words = NULL;
	return 0;
}

/* Is the block allocated, so that it may be freed or put back? */
static int check_allocated(struct step *s, const struct step_cmd *c,
			   const char *what)
{
	pfn_t pfn = (pfn_t)c->number[0];

	if (step_host_has(s, pfn, pfn + order_nr_pages(c->order)))
		return step_error(s, "%s of block %u, order %u: the host has "
				  "pages of it", what, pfn, c->order);
	if (alloc_block_is_allocated(s->a, pfn, c->order))
		return 0;
	return step_error(s, "%s of block %u, order %u: at least one of its "
			  "pages is free already", what, pfn, c->order);
}

static int run_put(struct step *s, const struct step_cmd *c)
{
	const pfn_t pfn = (pfn_t)c->number[0];
	int err = check_allocated(s, c, "put");

	if (err)
		return err;
	step_watch_give(s, pfn, pfn + order_nr_pages(c->order));
	alloc_free_buddy(s->a, pfn, c->order);
	return 0;
}

static int run_free(struct step *s, const struct step_cmd *c)
{
	pfn_t pfn = (pfn_t)c->number[0];
	int err = check_allocated(s, c, "free");

	if (err)
		return err;
	step_watch_give(s, pfn, pfn + order_nr_pages(c->order));
	if (s->pcp_on)
		alloc_free(s->a, c->cpu, pfn, c->order);
	else
		alloc_free_buddy(s->a, pfn, c->order);
	return 0;
}

/* First attempt only, as the script's type letter says. */
static pfn_t alloc_first_attempt(struct step *s, const struct step_cmd *c)
{
	static const gfp_t gfp[] = {
		[MIGRATE_UNMOVABLE] = GFP_KERNEL,
		[MIGRATE_MOVABLE] = GFP_HIGHUSER_MOVABLE,
		[MIGRATE_RECLAIMABLE] = GFP_KERNEL | GFP_BIT_RECLAIMABLE,
	};
	struct alloc_request req = {
		.gfp = gfp[c->type],
		.order = c->order,
		.cpu = (uint16_t)c->cpu,
		.node = -1,
		.flags = ALLOC_REQ_NO_SLOWPATH,
		.zone = -1,
	};

	if (!s->pcp_on)
		req.flags |= ALLOC_REQ_BUDDY;
	if (c->options & STEP_OPT_HIGHATOMIC)
		req.flags |= ALLOC_REQ_HIGHATOMIC;
	return alloc_pages(s->a, &req).pfn;
}

/* The answer to a request, looked at. */
static void watch_alloc(struct step *s, const struct step_cmd *c, pfn_t pfn)
{
	const uint32_t lists = c->options &
			       (STEP_OPT_BUDDY | STEP_OPT_NOFRAGMENT);

	if (pfn != PFN_NONE)
		step_watch_take(s, pfn, c->order);
	if (pfn != PFN_NONE && !lists)
		step_watch_first(s, c, pfn);
	if (pfn == PFN_NONE && lists == STEP_OPT_BUDDY)
		step_watch_failed(s, c->zone, c->order);
}

static int run_alloc(struct step *s, const struct step_cmd *c)
{
	pfn_t pfn;

	s->special |= c->options & STEP_OPT_HIGHATOMIC;
	if (c->options & (STEP_OPT_BUDDY | STEP_OPT_NOFRAGMENT))
		pfn = alloc_buddy(s->a, c->zone, c->order,
				  (enum migratetype)c->type,
				  c->options & STEP_OPT_NOFRAGMENT);
	else
		pfn = alloc_first_attempt(s, c);
	fprintf(s->out, "alloc %c %u -> ",
		step_type_letter((enum migratetype)c->type), c->order);
	if (pfn == PFN_NONE)
		fputs("none\n", s->out);
	else
		fprintf(s->out, "%u\n", pfn);
	watch_alloc(s, c, pfn);
	return 0;
}

static int run_drain(struct step *s, const struct step_cmd *c)
{
	if (c->options & STEP_OPT_CPU)
		alloc_drain_cpu(s->a, c->cpu);
	else
		alloc_drain_all(s->a);
	step_watch_drained(s, c->options & STEP_OPT_CPU, c->cpu);
	return 0;
}

static int run_isolate(struct step *s, const struct step_cmd *c)
{
	pfn_t pfn = (pfn_t)c->number[0];
	bool taken;

	if (!alloc_is_free_head(s->a, pfn) ||
	    alloc_block_order(s->a, pfn) != c->order)
		return step_error(s, "isolate: no free block of order %u "
				  "begins at %u", c->order, pfn);
	step_watch_isolate(s, pfn, c->order);
	taken = alloc_isolate(s->a, pfn);
	fprintf(s->out, "isolate %u %u -> %s\n", pfn, c->order,
		taken ? "ok" : "refused");
	if (taken)
		step_watch_take(s, pfn, c->order);
	return 0;
}

static int run_putback(struct step *s, const struct step_cmd *c)
{
	pfn_t pfn = (pfn_t)c->number[0];
	int err = check_allocated(s, c, "putback");

	if (err)
		return err;
	step_watch_give(s, pfn, pfn + order_nr_pages(c->order));
	alloc_putback(s->a, pfn, c->order, alloc_pageblock_type(s->a, pfn));
	step_watch_putback(s, pfn, c->order);
	return 0;
}

#define ALLOC_OPTIONS                                                         \
	(STEP_OPT_CPU | STEP_OPT_ZONE | STEP_OPT_BUDDY |                      \
	 STEP_OPT_NOFRAGMENT | STEP_OPT_HIGHATOMIC)

const struct step_def step_defs[] = {
	{ "kernel", STEP_CONFIG, "k", 0, "kernel PROFILE",
	  step_configure_kernel, NULL, run_nothing },
	{ "zone", STEP_CONFIG, "Zpe", 0, "zone NAME FIRST END",
	  step_configure_zone, NULL, run_nothing },
	{ "cpus", STEP_CONFIG, "c", 0, "cpus N", step_configure_cpus, NULL,
	  run_nothing },
	{ "pageblock_order", STEP_CONFIG, "x", 0, "pageblock_order 9|10",
	  step_configure_pageblock_order, NULL, run_nothing },

	{ "pcp", STEP_SETTING, "P", 0,
	  "pcp off | pcp BATCH HIGH | pcp BATCH MIN MAX", NULL, step_check_pcp,
	  run_pcp },
	{ "watermark", STEP_SETTING, "znnn", 0, "watermark ZONE MIN LOW HIGH",
	  NULL, step_check_watermark, run_watermark },
	{ "reserve", STEP_SETTING, "zfn", 0, "reserve ZONE FOR PAGES", NULL,
	  NULL, run_reserve },
	{ "pageblock", STEP_SETTING, "bt", 0, "pageblock NUMBER U|M|R|H|C|I",
	  NULL, step_check_pageblock, run_pageblock },
	{ "lru", STEP_SETTING, "pe", 0, "lru FIRST END", NULL, step_check_range,
	  run_lru },
	{ "shuffle", STEP_SETTING, "w", 0, "shuffle WORD...", NULL,
	  step_check_shuffle, run_shuffle },
	{ "grouping", STEP_SETTING, "s", 0, "grouping on|off", NULL, NULL,
	  run_grouping },
	{ "check", STEP_SETTING, "n", STEP_WALKS_ZONES, "check N", NULL, NULL,
	  step_set_check },
	{ "events", STEP_SETTING, "v", 0, "events on|off|all", NULL, NULL,
	  run_events },

	{ "shuffle-zone", STEP_OPERATION, "zw", STEP_WALKS_ZONES,
	  "shuffle-zone ZONE WORD...", NULL, NULL, run_shuffle_zone },
	{ "boot", STEP_OPERATION, "pe", 0, "boot FIRST END", NULL,
	  step_check_range, run_boot },
	{ "deferred", STEP_OPERATION, "pe", 0, "deferred FIRST END", NULL,
	  step_check_range, run_deferred },
	{ "put", STEP_OPERATION, "po", 0, "put PFN ORDER", NULL,
	  step_check_block, run_put },
	{ "alloc", STEP_OPERATION, "ao", ALLOC_OPTIONS,
	  "alloc U|M|R ORDER [cpu=N] [buddy [zone=NAME]] [nofragment] "
	  "[highatomic]", NULL, step_check_alloc, run_alloc },
	{ "free", STEP_OPERATION, "po", STEP_OPT_CPU,
	  "free PFN ORDER [cpu=N]", NULL, step_check_block, run_free },
	{ "drain", STEP_OPERATION, "", STEP_OPT_CPU | STEP_WALKS_CPUS,
	  "drain [cpu=N]", NULL,
	  step_check_cpu, run_drain },
	{ "isolate", STEP_OPERATION, "po", 0, "isolate PFN ORDER", NULL,
	  step_check_block, run_isolate },
	{ "putback", STEP_OPERATION, "po", 0, "putback PFN ORDER", NULL,
	  step_check_block, run_putback },
	{ "report", STEP_OPERATION, "",
	  STEP_OPT_ORDER | STEP_OPT_CAPACITY | STEP_WALKS_ZONES,
	  "report [order=N] [capacity=N]", NULL, step_check_report,
	  step_report },
	{ "hint", STEP_OPERATION, "",
	  STEP_OPT_CAPACITY | STEP_OPT_BATCHES | STEP_WALKS_ZONES,
	  "hint [capacity=N] [batches=N]", NULL, NULL, step_hint },

	{ "settle", STEP_OPERATION, "", STEP_WALKS_ZONES | STEP_WALKS_CPUS,
	  "settle", NULL, NULL, step_settle },
	{ "lists", STEP_OPERATION, "", STEP_WALKS_ZONES, "lists",
	  NULL, NULL, step_print_lists },
	{ "pcplists", STEP_OPERATION, "", STEP_WALKS_CPUS, "pcplists",
	  NULL, NULL, step_print_pcplists },
	{ "types", STEP_OPERATION, "bb", STEP_WALKS_ZONES, "types FIRST END", NULL,
	  step_check_range, step_print_types },
	{ "state", STEP_OPERATION, "", STEP_WALKS_ZONES, "state",
	  NULL, NULL, step_print_state },
	{ "buddyinfo", STEP_OPERATION, "", STEP_WALKS_ZONES, "buddyinfo",
	  NULL, NULL, step_print_buddyinfo },
	{ "pagetypeinfo", STEP_OPERATION, "", STEP_WALKS_ZONES, "pagetypeinfo",
	  NULL, NULL, step_print_pagetypeinfo },
	{ "zoneinfo", STEP_OPERATION, "", STEP_WALKS_ZONES | STEP_WALKS_CPUS, "zoneinfo",
	  NULL, NULL, step_print_zoneinfo },
	{ "vmstat", STEP_OPERATION, "", STEP_WALKS_ZONES | STEP_WALKS_CPUS, "vmstat",
	  NULL, NULL, step_print_vmstat },
	{ .name = NULL },
};
