/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recorded runs of guests of 6.1 and 6.12, which the snapshot names: every
 * page frame number predicted, every list, pageblock and pageset equal at the
 * end. One case per run, so that each is a test of its own by name.
 */
#include <stdlib.h>
#include <string.h>

#include "replay/replay.h"
#include "reporter/reporter.h"
#include "tests/test.h"

#define RUN(name) TEST_DATA_DIR "/traces/" name

struct recorded {
	const char *stream, *before, *after;
	unsigned int hints;
	uint64_t allocations;
	uint64_t coins;      /* T records used */
	uint64_t counts, zones, below; /* M records, zones of A, L records */
	uint64_t reports;    /* blocks put back and marked, 0 = none */
	const struct reporter_ops *reporter; /* acts itself */
	uint32_t pageblocks; /* 0 = 512, a guest of 1 GiB */
};

#define FILES(name)                                                           \
	.stream = RUN(name "/req.txt.zst"),                                   \
	.before = RUN(name "/before.snap.zst"),                               \
	.after = RUN(name "/after.snap.zst")

static struct replay_options options_of(const struct recorded *run)
{
	return (struct replay_options){
		.stream = run->stream,
		.before = run->before,
		.after = run->after,
		.hints = run->hints,
		.reporter = run->reporter,
	};
}

static void assert_exact(const struct recorded *run)
{
	const struct replay_options o = options_of(run);
	struct replay_result r = { 0 };
	struct diag d = { 0 };

	if (replay_run(&o, &d, &r))
		fail_msg("%s", d.last);
	if (r.first_miss.event)
		fail_msg("event %u: expected %u, got %u; %s\n%s",
			 r.first_miss.event, r.first_miss.expected,
			 r.first_miss.got, r.first_miss.reason,
			 r.first_miss.lists);
	if (r.lists_differing)
		fail_msg("%s", r.first_list);
	ASSERT_U64(run->stream, r.allocations, run->allocations);
	ASSERT_U64(run->stream, r.predicted, run->allocations);
	ASSERT_U64(run->stream, r.pageblocks,
		   run->pageblocks ? run->pageblocks : 512);
	ASSERT_U64(run->stream, r.pageblocks_differing, 0);
	ASSERT_U64(run->stream, r.pagesets_differing, 0);
	ASSERT_U64(run->stream, r.hints_used[0], run->coins);
	ASSERT_U64(run->stream, r.hints_used[1], run->counts);
	ASSERT_U64(run->stream, r.hints_used[2], run->zones);
	ASSERT_U64(run->stream, r.hints_used[3], run->below);
	for (unsigned int s = 0; s < REPLAY_NR_SKIPS; s++)
		ASSERT_U64(run->stream, r.skipped[s], 0);
	assert_true(r.compared && r.lists > 17);
	ASSERT_U64(run->stream, r.reports, run->reporter ? run->reports : 0);
	ASSERT_U64(run->stream, r.reports_matched, r.reports);
	/* Each block is isolated, reported and put back. */
	ASSERT_U64(run->stream, r.expectations, 3 * r.reports);
	ASSERT_U64(run->stream, r.expectations_matched, r.expectations);
	assert_true(replay_exact(&r));
}

/* The same through the steps, with every invariant checked at the end. */
static void assert_valid(const struct recorded *run)
{
	const struct replay_options o = options_of(run);
	struct replay_step step;
	struct req_record rec;
	struct diag d = { 0 };
	struct replay *r;
	uint64_t marks = 0;
	const char *broken;

	if (replay_open(&r, &o, &d))
		fail_msg("%s", d.last);
	while (replay_next(r, &rec) == 1) {
		replay_apply(r, &rec, &step);
		marks += rec.kind == REQ_R && step.applied &&
			 alloc_is_free_head(replay_alloc(r), step.pfn) &&
			 (alloc_block_marks(replay_alloc(r), step.pfn) &
			  BLOCK_REPORTED);
	}
	broken = alloc_check(replay_alloc(r));
	if (broken)
		fail_msg("%s", broken);
	if (!run->reporter)
		ASSERT_U64(run->stream, marks, run->reports);
	ASSERT_U64(run->stream, d.nr_errors, 0);
	replay_close(r);
}

#define RECORDED(name, ...)                                                   \
	static void test_recorded__##name(void **state)                       \
	{                                                                     \
		/* 100.000 % predicted and no list differs. */                \
		static const struct recorded run = { __VA_ARGS__ };           \
                                                                              \
		(void)state;                                                  \
		assert_exact(&run);                                           \
		assert_valid(&run);                                           \
	}

RECORDED(memhog, FILES("memhog"), .allocations = 153152)
RECORDED(memhog_reporting, FILES("memhog-reporting"), .allocations = 153152,
	 .reports = 229)
RECORDED(host_reporting_memhog, FILES("host-reporting-memhog"),
	 .allocations = 204188, .reports = 187)
RECORDED(page_fault1_thp, FILES("page_fault1-thp"), .allocations = 2641)
RECORDED(page_fault1_thp_shuffle, FILES("page_fault1-thp-shuffle"),
	 .allocations = 2621, .hints = REPLAY_HINT_COIN, .coins = 420)
RECORDED(usemem_punch_holes, FILES("usemem-punch-holes"),
	 .allocations = 205223)
RECORDED(fork_exec_storm, FILES("fork-exec-storm"), .allocations = 12359)
RECORDED(fork_exec_storm_4cpu, FILES("fork-exec-storm-4cpu"),
	 .allocations = 9024)

/* 4 GiB and four CPUs: zones Normal and DMA32 to choose from. */
RECORDED(page_fault1_4gib_4cpu, FILES("page_fault1-4gib-4cpu"),
	 .allocations = 55183, .pageblocks = 2048)
RECORDED(fragment_shuffle_4cpu, FILES("fragment-shuffle-4cpu"),
	 .allocations = 158286, .pageblocks = 2048,
	 .hints = REPLAY_HINT_COIN | REPLAY_HINT_LRU, .coins = 149, .counts = 9)
RECORDED(compaction_4cpu, FILES("compaction-4cpu"),
	 .allocations = 21384, .pageblocks = 2048)
RECORDED(pressure_4cpu, FILES("pressure-4cpu"),
	 .allocations = 145131, .pageblocks = 2048,
	 .hints = REPLAY_HINT_ZONE, .zones = 1531)
RECORDED(pcp_contention_4cpu, FILES("pcp-contention-4cpu"),
	 .allocations = 87157, .pageblocks = 2048,
	 .hints = REPLAY_HINT_ZONE, .zones = 12)
RECORDED(reporting_load_4cpu, FILES("reporting-load-4cpu"),
	 .allocations = 97551, .pageblocks = 2048,
	 .hints = REPLAY_HINT_COIN, .coins = 75, .reports = 86)
RECORDED(steal_4cpu, FILES("steal-4cpu"),
	 .allocations = 26466, .pageblocks = 2048,
	 .hints = REPLAY_HINT_LRU, .counts = 1)
RECORDED(steal_partial_4cpu, FILES("steal-partial-4cpu"),
	 .allocations = 33981, .pageblocks = 2048,
	 .hints = REPLAY_HINT_LRU | REPLAY_HINT_ZONE, .counts = 22, .zones = 20)
RECORDED(steal_shuffle_4cpu, FILES("steal-shuffle-4cpu"),
	 .allocations = 32629, .pageblocks = 2048,
	 .hints = REPLAY_HINT_COIN | REPLAY_HINT_ZONE, .coins = 3, .zones = 13)
RECORDED(highatomic_4cpu, FILES("highatomic-4cpu"),
	 .allocations = 39967, .pageblocks = 2048,
	 .hints = REPLAY_HINT_LRU | REPLAY_HINT_ZONE, .counts = 3, .zones = 61)

RECORDED(page_fault1_6_12, FILES("page_fault1-6.12"), .allocations = 32926)
RECORDED(page_fault1_thp_6_12, FILES("page_fault1-thp-6.12"),
	 .allocations = 2635)
RECORDED(page_fault1_thp_shuffle_6_12, FILES("page_fault1-thp-shuffle-6.12"),
	 .allocations = 2633, .hints = REPLAY_HINT_COIN, .coins = 423)
RECORDED(fork_exec_storm_6_12, FILES("fork-exec-storm-6.12"),
	 .allocations = 23595)
RECORDED(fork_exec_storm_4cpu_6_12, FILES("fork-exec-storm-4cpu-6.12"),
	 .allocations = 23559, .pageblocks = 192)
RECORDED(fragment_4cpu_6_12, FILES("fragment-4cpu-6.12"),
	 .allocations = 74171, .pageblocks = 192)
/* Steals, kswapd, compaction: what was counted, and counters that lag. */
RECORDED(fragment_steal_6_12, FILES("fragment-steal-6.12"),
	 .allocations = 114195, .pageblocks = 192, .hints = REPLAY_HINTS_ALL,
	 .counts = 116, .zones = 51, .below = 62)
RECORDED(pressure_6_12, FILES("pressure-6.12"), .allocations = 111288,
	 .pageblocks = 192, .hints = REPLAY_HINT_LRU | REPLAY_HINT_BELOW,
	 .counts = 22, .below = 44)
RECORDED(pressure_4cpu_6_12, FILES("pressure-4cpu-6.12"),
	 .allocations = 111287, .pageblocks = 192, .hints = REPLAY_HINTS_ALL,
	 .counts = 32, .zones = 279, .below = 20)
RECORDED(memhog_reporting_6_12, FILES("memhog-reporting-6.12"),
	 .allocations = 128378, .reports = 117)

/* The twin's reporter does what the kernel's did, block by block. */
RECORDED(memhog_reporting_acting, FILES("memhog-reporting"),
	 .allocations = 153152, .reports = 229,
	 .reporter = &page_reporting_reporter)
RECORDED(host_reporting_memhog_acting, FILES("host-reporting-memhog"),
	 .allocations = 204188, .reports = 187,
	 .reporter = &page_reporting_reporter)
RECORDED(memhog_reporting_acting_6_12, FILES("memhog-reporting-6.12"),
	 .allocations = 128378, .reports = 117,
	 .reporter = &page_reporting_reporter)

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_recorded__memhog),
	cmocka_unit_test(test_recorded__memhog_reporting),
	cmocka_unit_test(test_recorded__host_reporting_memhog),
	cmocka_unit_test(test_recorded__memhog_reporting_acting),
	cmocka_unit_test(test_recorded__host_reporting_memhog_acting),
	cmocka_unit_test(test_recorded__page_fault1_thp),
	cmocka_unit_test(test_recorded__page_fault1_thp_shuffle),
	cmocka_unit_test(test_recorded__usemem_punch_holes),
	cmocka_unit_test(test_recorded__fork_exec_storm),
	cmocka_unit_test(test_recorded__fork_exec_storm_4cpu),
	cmocka_unit_test(test_recorded__page_fault1_4gib_4cpu),
	cmocka_unit_test(test_recorded__fragment_shuffle_4cpu),
	cmocka_unit_test(test_recorded__compaction_4cpu),
	cmocka_unit_test(test_recorded__pressure_4cpu),
	cmocka_unit_test(test_recorded__pcp_contention_4cpu),
	cmocka_unit_test(test_recorded__reporting_load_4cpu),
	cmocka_unit_test(test_recorded__steal_4cpu),
	cmocka_unit_test(test_recorded__steal_partial_4cpu),
	cmocka_unit_test(test_recorded__steal_shuffle_4cpu),
	cmocka_unit_test(test_recorded__highatomic_4cpu),
	cmocka_unit_test(test_recorded__page_fault1_6_12),
	cmocka_unit_test(test_recorded__page_fault1_thp_6_12),
	cmocka_unit_test(test_recorded__page_fault1_thp_shuffle_6_12),
	cmocka_unit_test(test_recorded__fork_exec_storm_6_12),
	cmocka_unit_test(test_recorded__fork_exec_storm_4cpu_6_12),
	cmocka_unit_test(test_recorded__fragment_4cpu_6_12),
	cmocka_unit_test(test_recorded__fragment_steal_6_12),
	cmocka_unit_test(test_recorded__pressure_6_12),
	cmocka_unit_test(test_recorded__pressure_4cpu_6_12),
	cmocka_unit_test(test_recorded__memhog_reporting_6_12),
	cmocka_unit_test(test_recorded__memhog_reporting_acting_6_12),
};

TEST_MAIN(cases)
