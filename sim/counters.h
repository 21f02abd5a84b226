/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which member of which structure stands behind each public counter name.
 * Only sim/stats.c includes this table; hypervisor events bring their own.
 * A counter that counts the same event as one of the kernel bears its name.
 */
#ifndef SIM_COUNTERS_H
#define SIM_COUNTERS_H

#include "sim/machine.h"

enum counter_source {
	FROM_ALLOC,    /* struct alloc_counters */
	FROM_GUEST,    /* struct guest_counters */
	FROM_REPORTER, /* struct reporter_counters */
	FROM_DEVICE,   /* struct device */
	FROM_SIM,      /* struct sim_guest */
	FROM_LOCKS,    /* struct zone_lock, all zones */
	FROM_RUN,      /* struct sim: of no guest */
};

struct counter_desc {
	const char *name, *unit, *help;
	enum counter_source source;
	size_t offset;
	bool is_max;   /* largest over zones and guests, not a sum or delta */
};

#define A(n, u, h, m) { "alloc." n, u, h, FROM_ALLOC, \
			offsetof(struct alloc_counters, m), false }
#define G(n, u, h, m) { "guest." n, u, h, FROM_GUEST, \
			offsetof(struct guest_counters, m), false }
#define R(n, u, h, m) { "reporter." n, u, h, FROM_REPORTER, \
			offsetof(struct reporter_counters, m), false }
#define D(n, u, h, m) { "reporter." n, u, h, FROM_DEVICE, \
			offsetof(struct device, m), false }
#define S(n, u, h, m) { "guest." n, u, h, FROM_SIM, \
			offsetof(struct sim_guest, m), false }
#define M(n, u, h, m) { "reporter." n, u, h, FROM_SIM, \
			offsetof(struct sim_guest, m), false }
#define H(n, u, h, m) { "host." n, u, h, FROM_RUN, \
			offsetof(struct sim, m), false }
#define L(n, u, h, m, max) { "lock." n, u, h, FROM_LOCKS, \
			     offsetof(struct zone_lock, m), max }

static const struct counter_desc counter_descs[] = {
	A("pgalloc_dma", "pages", "Allocated from DMA zones.",
	  pgalloc[ZONE_DMA]),
	A("pgalloc_dma32", "pages", "Allocated from DMA32 zones.",
	  pgalloc[ZONE_DMA32]),
	A("pgalloc_normal", "pages", "Allocated from Normal zones.",
	  pgalloc[ZONE_NORMAL]),
	A("pgalloc_movable", "pages", "Allocated from Movable zones.",
	  pgalloc[ZONE_MOVABLE]),
	A("pgfree", "pages", "Freed to a pcp list or the buddy.", pgfree),
	A("allocs_order0", "blocks", "Allocations of order 0.", allocs[0]),
	A("allocs_order9", "blocks", "Allocations of order 9.", allocs[9]),
	A("frees_order0", "blocks", "Frees of order 0.", frees[0]),
	A("frees_order9", "blocks", "Frees of order 9.", frees[9]),
	A("failures", "calls", "Requests that ended without a page.",
	  alloc_failures),
	A("pcp_refills", "calls", "Refills of a pcp list.", pcp_refills),
	A("pcp_refill_pages", "pages", "Moved from the buddy to pcp lists.",
	  pcp_refill_pages),
	A("pcp_flushes", "calls", "Flushes of pcp lists.", pcp_flushes),
	A("pcp_flush_pages", "pages", "Moved from pcp lists to the buddy.",
	  pcp_flush_pages),
	A("merges", "steps", "Buddies merged.", buddy_merges),
	A("splits", "steps", "Blocks halved.", buddy_splits),
	A("mm_page_alloc_extfrag", "blocks",
	  "Blocks taken from another migratetype.", extfrag),
	A("extfrag_changed", "blocks", "Of these, the pageblock changed type.",
	  extfrag_changed),
	A("isolated", "blocks", "Free blocks isolated.", isolated),
	A("isolate_refused", "blocks", "Isolations the watermark refused.",
	  isolate_refused),
	A("putbacks", "blocks", "Isolated blocks put back.", putbacks),
	A("cold_allocs_order9", "blocks",
	  "Marked blocks of order 9 taken for an allocation or split.",
	  cold_allocs[9]),
	A("cold_allocs_order10", "blocks",
	  "Marked blocks of order 10 taken for an allocation or split.",
	  cold_allocs[10]),
	A("kswapd_wakes", "calls", "Wake-ups of kswapd.", kswapd_wakes),
	A("allocstall_normal", "calls",
	  "Direct reclaims entered by requests for kernel memory.",
	  allocstall[ZONE_NORMAL]),
	A("allocstall_movable", "calls",
	  "Direct reclaims entered by requests for user memory.",
	  allocstall[ZONE_MOVABLE]),
	A("watermark_boosts", "calls", "Watermarks boosted.", watermark_boosts),

	G("pgfault", "faults", "Page faults of tasks.", pgfault),
	G("thp_fault_alloc", "faults", "Huge faults served by a huge page.",
	  thp_fault_alloc),
	G("thp_fault_fallback", "faults", "Huge faults served by small pages.",
	  thp_fault_fallback),
	G("pages_zeroed", "pages", "Cleared by the guest kernel.",
	  pages_zeroed),
	G("pages_zero_skipped", "pages",
	  "Not cleared, as they were known to be zero.", pages_zero_skipped),
	G("pages_copied", "pages", "Copied by the guest kernel.",
	  pages_copied),
	G("compact_migrate_scanned", "pages", "Looked at by compaction's migrate scanner.",
	  compact_migrate_scanned),
	G("compact_free_scanned", "pages", "Looked at by compaction's free scanner.",
	  compact_free_scanned),
	G("compact_isolated", "pages", "Isolated by compaction, to be moved or as targets.",
	  compact_isolated),
	G("compact_stall", "calls", "Direct compactions that were not skipped.",
	  compact_stall),
	G("compact_success", "calls", "Of these, the request got its block.",
	  compact_success),
	G("compact_fail", "calls", "Of these, the request got no block at once.",
	  compact_fail),
	G("compact_daemon_wake", "calls", "Wake-ups of kcompactd that found work.",
	  kcompactd_wake),
	G("pgmigrate_success", "pages", "Pages moved; each is one copy.",
	  pgmigrate_success),
	G("pgmigrate_fail", "pages", "Pages that could not be moved.",
	  pgmigrate_fail),
	G("pgscan_kswapd", "pages", "Page-cache pages looked at by kswapd.",
	  pgscan_kswapd),
	G("pgsteal_kswapd", "pages", "Page-cache pages freed by kswapd.",
	  pgsteal_kswapd),
	G("pgscan_direct", "pages", "Page-cache pages looked at by direct reclaim.",
	  pgscan_direct),
	G("pgsteal_direct", "pages", "Page-cache pages freed by direct reclaim.",
	  pgsteal_direct),
	G("drop_pagecache", "calls", "Times that caches were dropped.",
	  drop_pagecache),
	G("pageoutrun", "calls", "Runs of kswapd's balance loop.",
	  pageoutrun),
	G("thp_collapse_alloc", "pages", "Huge pages that khugepaged got to collapse into.",
	  thp_collapse_alloc),
	G("thp_collapse_alloc_failed", "calls", "Huge pages that khugepaged did not get.",
	  thp_collapse_alloc_failed),
	G("khugepaged_scanned", "pages", "Pages of mappings that khugepaged passed.",
	  khugepaged_scanned),
	G("thp_deferred_split_page", "pages", "Huge pages queued because they are partly mapped.",
	  thp_deferred_split_page),
	G("thp_split_page", "pages", "Of these, split under memory pressure.",
	  thp_split_page),
	S("base_pages", "pages", "Kept by the guest kernel since boot.",
	  base_pages),
	S("reclaim_rounds", "calls", "Fruitless rounds of direct reclaim.",
	  reclaim_rounds),
	S("oom_kill", "tasks", "Tasks killed for lack of memory.", oom_kills),
	S("records_applied", "records", "Recorded operations carried out.",
	  records_applied),
	S("record_misses", "records",
	  "Recorded allocations that got another page.", record_misses),
	S("tasks_started", "tasks", "Tasks started.", tasks_started),
	S("alloc_stalls", "calls",
	  "Allocations held up because the host had their block.",
	  alloc_stalls),
	S("alloc_stall_ns", "ns", "Time for which they were held up.",
	  alloc_stall_ns),

	R("requests", "calls", "Transitions to 'work wanted'.", requests),
	R("passes", "passes", "Runs that looked at free lists.", passes),
	R("report_calls", "calls", "Batches given to the host.", report_calls),
	R("report_errors", "calls", "Batches refused or failed.",
	  report_errors),
	R("blocks_order9", "blocks", "Blocks of order 9 reported.", blocks[9]),
	R("blocks_order10", "blocks", "Blocks of order 10 reported.",
	  blocks[10]),
	R("pages", "pages", "Pages reported, all orders.", pages),
	R("list_visits", "entries", "Loop iterations over free lists.",
	  list_visits),
	R("skipped_marked", "entries", "Visits that skipped a marked block.",
	  skipped_marked),
	R("isolate_refused", "blocks", "Isolations the watermark refused.",
	  isolate_refused),
	R("gate_skips", "zones", "Zones the watermark gate kept out.",
	  gate_skips),
	R("budget_stops", "lists", "Lists left because the budget was spent.",
	  budget_stops),
	R("rotations", "lists", "Lists rotated.", rotations),
	R("putback_merged", "blocks", "Blocks that merged when put back.",
	  putback_merged),
	{ "reporter.longest_hold", "entries",
	  "Most list nodes touched in one hold of a zone lock.", FROM_REPORTER,
	  offsetof(struct reporter_counters, longest_hold), true },
	R("marked_pages", "pages", "Pages of blocks marked as reported.",
	  marked_pages),
	R("refault_pages", "pages", "Pages of marked blocks that lost the mark.",
	  refault_pages),
	R("factor_stops", "zones", "Zones left at the reporting factor.",
	  factor_stops),
	R("captured", "calls", "Frees that a design remembered.", captured),
	R("captures_lost", "calls", "Frees that found no room.",
	  captures_lost),
	R("balloon_inflate", "pages", "Pages the balloon gave to the host.",
	  balloon_inflate),
	R("balloon_deflate", "pages", "Pages the balloon took back.",
	  balloon_deflate),
	R("balloon_migrate", "pages",
	  "Balloon pages exchanged for others by compaction.",
	  balloon_migrate),
	R("balloon_alloc_failures", "calls",
	  "Allocations for the balloon that got nothing.",
	  balloon_alloc_failures),
	R("hint_sent", "pages", "Free pages of blocks that were hinted.",
	  hint_sent),
	R("hint_polled", "blocks",
	  "Blocks allocated in vain: the hint queue was full.", hint_polled),
	R("hint_shrunk", "pages", "Hinted pages that reclaim got back.",
	  hint_shrunk),
	D("hint_pages", "pages",
	  "Free pages that a migration was told to skip.", hint_pages),
	D("hint_saved_pages", "pages",
	  "Of these, mapped on the host: they need not be sent.",
	  hint_saved_pages),
	D("hint_stale_pages", "pages",
	  "Hints that came outside of the host's run.", hint_stale_pages),
	D("hypercalls", "calls", "Requests that were exits of their own.",
	  hypercalls),
	R("zeroed_pages", "pages", "Reported pages that are known to be zero.",
	  zeroed_pages),
	R("marks_carried", "blocks",
	  "Free blocks marked again because they are known to be zero.",
	  marks_carried),
	R("kept_warm", "blocks", "Not reported because they are used soon.",
	  kept_warm),
	R("misjudged", "blocks",
	  "Reported blocks used although that was not foretold.", misjudged),
	R("stale_bits", "pages", "Bits of a map whose page was in use.",
	  stale_bits),
	M("discards", "blocks", "Blocks that the host was asked to drop.",
	  reuse.reported),
	M("wasted", "blocks",
	  "Of these, used again by the guest within two seconds.",
	  reuse.wasted),
	M("failures_in_flight", "calls",
	  "Requests that ended without a page while the host had blocks.",
	  failures_in_flight),
	R("captures_stale", "frees",
	  "Remembered frees that were not free when looked at.",
	  captures_stale),
	R("captures_doubled", "frees",
	  "Remembered frees of a block that was remembered already.",
	  captures_doubled),
	R("captures_cut", "frees",
	  "Remembered frees not looked at to the end for want of room.",
	  captures_cut),
	D("batches_1", "batches", "Batches of 1 block.", batch_hist[0]),
	D("batches_2_3", "batches", "Batches of 2 or 3 blocks.", batch_hist[1]),
	D("batches_4_7", "batches", "Batches of 4 to 7 blocks.", batch_hist[2]),
	D("batches_8_15", "batches", "Batches of 8 to 15 blocks.",
	  batch_hist[3]),
	D("batches_16_31", "batches", "Batches of 16 to 31 blocks.",
	  batch_hist[4]),
	D("batches_32_63", "batches", "Batches of 32 to 63 blocks.",
	  batch_hist[5]),
	D("batches_64_up", "batches", "Larger batches.", batch_hist[6]),

	L("acquisitions", "calls", "Zone locks taken.", acquisitions, false),
	L("contended", "calls", "Zone locks that had to be waited for.",
	  contended, false),
	L("wait_ns", "ns", "Time spent waiting for zone locks.", wait_ns,
	  false),
	L("hold_ns", "ns", "Time for which zone locks were held.", hold_ns,
	  false),
	L("max_hold_ns", "ns",
	  "Longest hold of a zone lock; the mean of several in one step.",
	  max_hold_ns, true),
	L("holds_to_250ns", "calls", "Holds of up to 250 ns.", holds[0], false),
	L("holds_to_1us", "calls", "Holds of up to 1 us.", holds[1], false),
	L("holds_to_4us", "calls", "Holds of up to 4 us.", holds[2], false),
	L("holds_to_16us", "calls", "Holds of up to 16 us.", holds[3], false),
	L("holds_to_64us", "calls", "Holds of up to 64 us.", holds[4], false),
	L("holds_to_256us", "calls", "Holds of up to 256 us.", holds[5],
	  false),
	L("holds_longer", "calls", "Longer holds.", holds[6], false),

	H("native_pgfault", "faults",
	  "Page faults of processes of the host, huge ones included.",
	  native.pgfault),
	H("native_pgfault_huge", "faults", "Of these, those that mapped 2 MiB.",
	  native.pgfault_huge),
	H("native_tlb_misses", "misses",
	  "Estimate for them: each mapping that an operation comes to.",
	  native.tlb_misses),
	H("native_walk_refs", "references",
	  "Memory references of the page-table walks of these misses.",
	  native.walk_refs),
	H("guests_launched", "guests", "Guests that began to boot.",
	  guests_launched),
	H("guests_fit", "guests",
	  "Guests that did the tasks of their first phase before the end of launching.",
	  guests_fit),
	H("guests_exited", "guests", "Guests shut down by an event.",
	  guests_exited),
	H("guests_killed", "guests", "Guests killed, for whatever reason.",
	  guests_killed),
	H("oom_kill", "guests", "Of these, for want of memory on the host.",
	  host_oom_kills),
	{ NULL, NULL, NULL, FROM_SIM, 0, false }
};

#undef A
#undef G
#undef R
#undef D
#undef S
#undef M
#undef L
#undef H

#endif
