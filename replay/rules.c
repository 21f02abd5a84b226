/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules that `--without` takes away: switches of the profile, each set to
 * what the rule is not. tests/replay/rules.txt has more of them, those that no
 * switch holds because a test of it would cost on the way of every page.
 */
#include "replay/rules.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "include/diag.h"

/* The function that sets a switch, where it decides anything. */
#define TAKE_AWAY_IF(condition, function, field, value)                       \
	static bool function(struct alloc_profile *p)                         \
	{                                                                     \
		const bool had = (condition) && p->field != (value);          \
                                                                              \
		p->field = (value);                                           \
		return had;                                                   \
	}
#define TAKE_AWAY(function, field, value)                                     \
	TAKE_AWAY_IF(true, function, field, value)
#define FLUSH_VARIES (p->pcp_flush != PCP_FLUSH_BATCH)
#define HAS_FACTOR (p->pcp_flush == PCP_FLUSH_FACTOR)

TAKE_AWAY(tail_placement, merge_likely_to_tail, false)
TAKE_AWAY(moved_to_tail, move_to_tail, false)
TAKE_AWAY(putback_to_tail, putback_to_tail, false)
TAKE_AWAY(merge_restriction, merge_any_foreign, false)
TAKE_AWAY(merged_pageblock_retyped, merge_retype, MERGE_RETYPE_NONE)
TAKE_AWAY(freed_by_pageblock, free_by_pageblock, false)
TAKE_AWAY(refill_size, pcp_refill, PCP_REFILL_BATCH)
TAKE_AWAY(flush_size, pcp_flush, PCP_FLUSH_BATCH)
TAKE_AWAY_IF(HAS_FACTOR, factor_doubles, pcp_factor_doubles, false)
TAKE_AWAY_IF(HAS_FACTOR, factor_cap, pcp_factor_capped, false)
TAKE_AWAY_IF(FLUSH_VARIES, flush_clamp, pcp_flush_clamped, false)
TAKE_AWAY(flush_order, pcp_flush_alternates, true)
TAKE_AWAY(flush_type_cached, pcp_type_reread, true)
TAKE_AWAY(flush_type_read, pcp_type_reread, false)
TAKE_AWAY_IF(FLUSH_VARIES, free_high, pcp_free_high, false)
TAKE_AWAY_IF(FLUSH_VARIES, reclaim_limit, pcp_reclaim_limit, false)
TAKE_AWAY(pcp_falls_to_buddy, pcp_falls_to_buddy, false)
TAKE_AWAY(preference, fallback_prefers_alike, false)
TAKE_AWAY(fallback_stages, fallback_search, FALLBACK_LARGEST)
TAKE_AWAY(remainder_to_owner, steal_remainder_to_owner, false)
TAKE_AWAY(claim_threshold, claim_threshold, false)
TAKE_AWAY(claim_moves_below, steal_moves_below_threshold, false)
TAKE_AWAY(isolation_moves, isolate_moves_pageblock, false)
TAKE_AWAY(watermark_boost, boost_watermark, false)
TAKE_AWAY(reserve_by_gfp, reserve_uses_highest_allowed, false)
TAKE_AWAY(highatomic_last_resort, highatomic_last_resort, false)

const struct replay_rule replay_rules[] = {
	{ "tail-placement",
	  "a block whose merge is likely soon goes to the tail",
	  "to the head", tail_placement },
	{ "moved-to-tail",
	  "blocks moved between types go to the tail",
	  "to the head", moved_to_tail },
	{ "putback-to-tail",
	  "isolated blocks are put back at the tail",
	  "where a free would place them", putback_to_tail },
	{ "merge-restriction",
	  "from order 9 on, H and C pageblocks merge with their own only",
	  "only isolated ones do not mix", merge_restriction },
	{ "merged-pageblock-retyped",
	  "a merged pageblock takes the type of the block",
	  "keeps its own", merged_pageblock_retyped },
	{ "freed-by-pageblock",
	  "order-10 frees are cut into pageblocks",
	  "freed in one piece", freed_by_pageblock },
	{ "refill-size",
	  "a refill depends on the order",
	  "is batch blocks", refill_size },
	{ "flush-size",
	  "a flush depends on the frees before it",
	  "is batch pages", flush_size },
	{ "factor-doubles",
	  "flushes without an allocation in between double",
	  "stay at batch", factor_doubles },
	{ "factor-cap",
	  "free_factor stops at 5",
	  "goes on", factor_cap },
	{ "flush-clamp",
	  "a flush is at most limit - batch",
	  "as large as it comes", flush_clamp },
	{ "flush-order",
	  "a flush empties list after list, beginning with its own",
	  "takes from all lists by turns", flush_order },
	{ "flush-type-cached",
	  "a flushed page goes to the list of its cached type",
	  "of its pageblock", flush_type_cached },
	{ "flush-type-read",
	  "a flushed page goes to the list of its pageblock's type",
	  "of its cached type", flush_type_read },
	{ "free-high",
	  "some frees of order 1 to 3 flush all",
	  "count like any", free_high },
	{ "reclaim-limit",
	  "while kswapd works the limit is 4 batches",
	  "as ever", reclaim_limit },
	{ "pcp-falls-to-buddy",
	  "a request whose refill got nothing tries the buddy",
	  "fails in this zone", pcp_falls_to_buddy },
	{ "preference",
	  "U and R fall back to each other first, M to R",
	  "to M first, M to U", preference },
	{ "fallback-stages",
	  "blocks are claimed largest first, else stolen smallest first",
	  "one search, largest first", fallback_stages },
	{ "remainder-to-owner",
	  "what is left of a stolen block stays on its owner's lists",
	  "goes to the requester's", remainder_to_owner },
	{ "claim-threshold",
	  "half a pageblock free or alike makes it ours",
	  "anything does", claim_threshold },
	{ "claim-moves-below",
	  "below the threshold the free blocks move all the same",
	  "stay", claim_moves_below },
	{ "isolation-moves",
	  "isolation moves what else is free in the pageblock",
	  "leaves it", isolation_moves },
	{ "watermark-boost",
	  "a steal below order 9 raises the watermarks",
	  "does not", watermark_boost },
	{ "reserve-by-gfp",
	  "lowmem reserves go by the highest zone allowed",
	  "by the preferred zone", reserve_by_gfp },
	{ "highatomic-last-resort",
	  "who cannot wait gets pages of H when nothing is left",
	  "never", highatomic_last_resort },
	{ NULL, NULL, NULL, NULL },
};

static const struct replay_rule *find_rule(const char *name, size_t len)
{
	for (const struct replay_rule *r = replay_rules; r->name; r++)
		if (strlen(r->name) == len && !strncmp(r->name, name, len))
			return r;
	return NULL;
}

static int unknown_rule(const char *name, size_t len, char *why,
			size_t why_size)
{
	const char *names[ARRAY_SIZE(replay_rules)];
	char word[64];
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(replay_rules); i++)
		names[i] = replay_rules[i].name;
	snprintf(word, sizeof(word), "%.*s", (int)(len < 60 ? len : 60), name);
	near = diag_nearest(word, names);
	snprintf(why, why_size,
		 "unknown rule \"%s\"%s%s%s; `buddylab list rules` shows all",
		 word, near ? "; did you mean \"" : "", near ? near : "",
		 near ? "\"?" : "");
	return -EINVAL;
}

/* p == NULL: look only. */
static int for_rules(struct alloc_profile *p, const char *list, char *why,
		     size_t why_size)
{
	for (;;) {
		const size_t len = strcspn(list, ",");
		const struct replay_rule *r = find_rule(list, len);

		if (!r)
			return unknown_rule(list, len, why, why_size);
		if (p && !r->take_away(p)) {
			snprintf(why, why_size,
				 "kernel %s has no rule \"%s\" to take away",
				 p->name, r->name);
			return -EINVAL;
		}
		if (!list[len])
			return 0;
		list += len + 1;
	}
}

int replay_take_away(struct alloc_profile *p, const char *list, char *why,
		     size_t why_size)
{
	return for_rules(p, list, why, why_size);
}

int replay_check_rules(const char *list, char *why, size_t why_size)
{
	return for_rules(NULL, list, why, why_size);
}
