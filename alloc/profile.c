/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel profiles as data: one row per switch, one column per release. The
 * rows follow alloc/profile.h. What the switches mean is explained there and
 * where they are read; what no profile models is listed in docs/fidelity.md.
 *
 * A confirmed profile is one where replays of traces recorded on that kernel
 * come out page frame by page frame; the others stand on worked examples only.
 */
#include <string.h>

#include "alloc/profile.h"

#define TWO PCP_COSTLY_THP_TWO
#define ONLY_0 PCP_ORDER_0
#define H_BATCH PCP_HIGH_BATCH
#define H_AUTO PCP_HIGH_AUTO
#define R_BATCH PCP_REFILL_BATCH
#define R_RAMP PCP_REFILL_RAMPED
#define F_BATCH PCP_FLUSH_BATCH
#define F_COUNT PCP_FLUSH_COUNT
#define LARGEST FALLBACK_LARGEST
#define CLAIM FALLBACK_CLAIM_STEAL
#define KEEP MERGE_RETYPE_NONE
#define BUDDY MERGE_RETYPE_BUDDY
#define ALL MERGE_RETYPE_ALL
#define HARDER RIGHTS_HARDER
#define RESERVE RIGHTS_MIN_RESERVE
#define PLUS HIGHATOMIC_PERCENT_PLUS
#define ROUND HIGHATOMIC_PERCENT_ROUND
#define NEVER BOOST_RETEST_NONE
#define ATOMIC BOOST_RETEST_ATOMIC
#define MINRES BOOST_RETEST_MIN_RESERVE
#define BACK GATHER_REVERSE
#define FORW GATHER_FORWARD

/* X(switch, 5.3, 5.7, 5.10, 6.1, 6.12.0, 6.12, 6.18) */
#define PLACEMENT_ROWS(X)                                                     \
	X(boot_to_tail, 0, 0, 1, 1, 1, 1, 1)                                  \
	X(shuffle_one_is_tail, 0, 1, 1, 1, 1, 1, 1)                           \
	X(shuffle_zone_checked, 0, 0, 1, 1, 1, 1, 1)                          \
	X(move_to_tail, 0, 0, 1, 1, 1, 1, 1)                                  \
	X(putback_to_tail, 0, 0, 1, 1, 1, 1, 1)                               \
	X(merge_any_foreign, 0, 0, 0, 1, 1, 1, 1)                             \
	X(merge_retype, KEEP, KEEP, KEEP, KEEP, BUDDY, ALL, BUDDY)            \
	X(free_by_pageblock, 0, 0, 0, 0, 1, 1, 1)

#define PCP_ROWS(X)                                                           \
	X(pcp_orders, ONLY_0, ONLY_0, ONLY_0, TWO, TWO, TWO, TWO)             \
	X(pcp_thp_pmd_order, 0, 0, 0, 0, 1, 1, 1)                             \
	X(pcp_high, H_BATCH, H_BATCH, H_BATCH, PCP_HIGH_WATERMARK, H_AUTO,    \
	  H_AUTO, H_AUTO)                                                     \
	X(pcp_refill, R_BATCH, R_BATCH, R_BATCH, PCP_REFILL_SHIFTED, R_RAMP,  \
	  R_RAMP, R_RAMP)                                                     \
	X(pcp_flush, F_BATCH, F_BATCH, F_BATCH, PCP_FLUSH_FACTOR, F_COUNT,    \
	  F_COUNT, F_COUNT)                                                   \
	X(pcp_factor_capped, 0, 0, 0, 1, 0, 0, 0)                             \
	X(pcp_free_high_late, 0, 0, 0, 0, 0, 0, 1)                            \
	X(pcp_flush_alternates, 1, 1, 1, 0, 0, 0, 0)                          \
	X(pcp_type_reread, 0, 0, 0, 0, 1, 1, 1)                               \
	X(pcp_falls_to_buddy, 0, 0, 0, 1, 1, 1, 1)                            \
	X(pcp_cma_bypass, 0, 0, 1, 1, 0, 0, 0)                                \
	X(pcp_decays, 0, 0, 0, 0, 1, 1, 1)                                    \
	X(pcp_decay_pieces, 0, 0, 0, 0, 0, 1, 0)                              \
	X(pcp_drain_pieces, 0, 0, 0, 1, 1, 1, 1)                              \
	X(pcp_bulk, 0, 0, 0, 1, 1, 1, 1)                                      \
	X(pcp_deferred_resize, 0, 1, 1, 0, 0, 0, 0)

#define FALLBACK_ROWS(X)                                                      \
	X(fallback_search, LARGEST, LARGEST, LARGEST, LARGEST, LARGEST,       \
	  CLAIM, CLAIM)                                                       \
	X(steal_remainder_to_owner, 0, 0, 0, 0, 1, 1, 1)                      \
	X(steal_moves_below_threshold, 1, 1, 1, 1, 0, 0, 0)                   \
	X(cma_half_rule, 0, 0, 1, 1, 1, 1, 1)                                 \
	X(nofragment_bound_always, 1, 1, 1, 0, 0, 0, 0)                       \
	X(isolate_moves_pageblock, 0, 0, 0, 0, 1, 1, 1)                       \
	X(boost_small_zone_test, 0, 1, 1, 1, 1, 1, 1)                         \
	X(boost_flag_only_if_boosted, 0, 0, 0, 1, 1, 1, 1)                    \
	X(boost_wake_needs_kswapd, 0, 0, 0, 0, 1, 1, 1)                       \
	X(defrag_mode, 0, 0, 0, 0, 0, 0, 1)

#define WATERMARK_ROWS(X)                                                     \
	X(min_free_kbytes_max, 65536, 262144, 262144, 262144, 262144, 262144, \
	  262144)                                                             \
	X(movable_min_capped, 0, 0, 0, 0, 1, 1, 1)                            \
	X(reserve_uses_highest_allowed, 0, 0, 1, 1, 1, 1, 1)                  \
	X(reserve_zero_for_empty, 0, 0, 0, 0, 1, 0, 0)                        \
	X(has_promo, 0, 0, 0, 0, 1, 1, 1)                                     \
	X(boost_zeroed_first, 0, 0, 1, 1, 1, 1, 1)                            \
	X(rights, HARDER, HARDER, HARDER, RESERVE, RESERVE, RESERVE, RESERVE) \
	X(highatomic_limit, PLUS, PLUS, PLUS, PLUS, ROUND, ROUND, ROUND)      \
	X(highatomic_free_only, 0, 0, 0, 0, 1, 1, 1)                          \
	X(highatomic_fast_path, 0, 0, 1, 1, 1, 1, 1)                          \
	X(highatomic_last_resort, 0, 0, 0, 1, 1, 1, 1)                        \
	X(highatomic_needs_reserve, 0, 0, 0, 1, 0, 1, 1)                      \
	X(boost_retest, NEVER, NEVER, ATOMIC, ATOMIC, MINRES, MINRES, MINRES) \
	X(awake_nodes_last, 0, 0, 0, 0, 0, 0, 1)                              \
	X(below_high_flag, 0, 0, 0, 0, 1, 1, 1)                               \
	X(numa_load_increments, 0, 0, 0, 1, 1, 1, 1)                          \
	X(thp_min_free_reapplied, 0, 0, 1, 1, 1, 1, 1)                        \
	X(thisnode_thp_no_reclaim, 0, 0, 0, 1, 0, 1, 0)

#define OUTER_ROWS(X)                                                         \
	X(zoneinfo_boost_cma, 0, 0, 0, 1, 1, 1, 1)                            \
	X(zoneinfo_high_range, 0, 0, 0, 0, 0, 0, 1)                           \
	X(free_pages_blocks, 0, 0, 0, 0, 0, 0, 1)                             \
	X(vmstat_unstable_last, 0, 0, 0, 1, 1, 1, 0)                          \
	X(zone_locked_on_failure, 1, 1, 1, 0, 0, 0, 0)                        \
	X(zone_locked_list_type, 0, 0, 0, 1, 1, 1, 1)                         \
	X(extfrag_after, 0, 0, 0, 0, 1, 1, 1)                                 \
	X(gather_order, BACK, BACK, BACK, BACK, FORW, FORW, FORW)             \
	X(gather_stack, 8, 8, 8, 8, 7, 7, 7)                                  \
	X(gather_heap, 510, 510, 510, 510, 509, 509, 509)                     \
	X(lru_batch, 15, 15, 15, 15, 31, 31, 31)                              \
	X(compact_any_order, 0, 0, 0, 0, 1, 1, 1)                             \
	X(user_pages_comp, 0, 0, 0, 1, 1, 1, 1)                               \
	X(tables_comp, 0, 0, 0, 0, 1, 1, 1)                                   \
	X(reporting, 0, 1, 1, 1, 1, 1, 1)

/* What all releases share. */
#define COMMON_ROWS(X)                                                        \
	X(merge_likely_to_tail, 1, 1, 1, 1, 1, 1, 1)                          \
	X(pcp_factor_doubles, 1, 1, 1, 1, 1, 1, 1)                            \
	X(pcp_flush_clamped, 1, 1, 1, 1, 1, 1, 1)                             \
	X(pcp_free_high, 1, 1, 1, 1, 1, 1, 1)                                 \
	X(pcp_reclaim_limit, 1, 1, 1, 1, 1, 1, 1)                             \
	X(fallback_prefers_alike, 1, 1, 1, 1, 1, 1, 1)                        \
	X(claim_threshold, 1, 1, 1, 1, 1, 1, 1)                               \
	X(boost_watermark, 1, 1, 1, 1, 1, 1, 1)

#define ROWS(X)                                                               \
	PLACEMENT_ROWS(X)                                                     \
	PCP_ROWS(X)                                                           \
	FALLBACK_ROWS(X)                                                      \
	WATERMARK_ROWS(X)                                                     \
	OUTER_ROWS(X)                                                         \
	COMMON_ROWS(X)

#define COLUMN_5_3(row, a, b, c, d, e, f, g) .row = a,
#define COLUMN_5_7(row, a, b, c, d, e, f, g) .row = b,
#define COLUMN_5_10(row, a, b, c, d, e, f, g) .row = c,
#define COLUMN_6_1(row, a, b, c, d, e, f, g) .row = d,
#define COLUMN_6_12_0(row, a, b, c, d, e, f, g) .row = e,
#define COLUMN_6_12(row, a, b, c, d, e, f, g) .row = f,
#define COLUMN_6_18(row, a, b, c, d, e, f, g) .row = g,

#define PROFILE(spelling, read_from, recorded, COLUMN)                        \
	{ .name = (spelling), .release = (read_from), .confirmed = (recorded), \
	  ROWS(COLUMN) }

static const struct alloc_profile profiles[] = {
	PROFILE("5.3", "5.3.1", false, COLUMN_5_3),
	PROFILE("5.7", "5.7.14", false, COLUMN_5_7),
	PROFILE("5.10", "5.10.223", false, COLUMN_5_10),
	PROFILE("6.1", "6.1.192", true, COLUMN_6_1),
	PROFILE("6.12.0", "6.12.0", false, COLUMN_6_12_0),
	PROFILE("6.12", "6.12.117", true, COLUMN_6_12),
	PROFILE("6.18", "6.18.2", false, COLUMN_6_18),
};

static const char *const names[ARRAY_SIZE(profiles) + 1] = {
	"5.3", "5.7", "5.10", "6.1", "6.12.0", "6.12", "6.18", NULL,
};

const struct alloc_profile *alloc_profile_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		if (strcmp(profiles[i].name, name) == 0)
			return &profiles[i];
	}
	return NULL;
}

const struct alloc_profile *alloc_profile_of_release(const char *release)
{
	const size_t len = strspn(release, "0123456789.");
	const struct alloc_profile *p;
	unsigned int dots = 0;
	char name[16];

	if (len >= sizeof(name))
		return NULL;
	memcpy(name, release, len);
	name[len] = '\0';
	p = alloc_profile_find(name);
	for (size_t i = 0; !p && i < len; i++)
		if (name[i] == '.' && ++dots == 2) {
			name[i] = '\0';
			p = alloc_profile_find(name);
		}
	return p;
}

const char *alloc_profile_standing(const struct alloc_profile *p)
{
	return p->confirmed ? "recorded runs" : "worked examples only";
}

const char *const *alloc_profile_names(void)
{
	return names;
}
