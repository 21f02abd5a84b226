/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recorded runs from their tracepoints and the snapshot alone. The floors
 * may rise, never fall: what is missing to 100 % is what the tracepoints do not
 * show (docs/fidelity.md says what).
 */
#include <string.h>

#include "replay/replay.h"
#include "tests/test.h"

#define RUN(name) TEST_DATA_DIR "/traces/" name

struct recorded {
	const char *name, *trace, *before, *after;
	uint64_t allocations;
	uint64_t predict, assisted; /* floors of `predicted` */
	uint32_t differing;         /* ceiling of assisted's lists */
	uint64_t bulk;              /* pages inferred */
	uint64_t zone_locked;       /* floor of what assisted foresees */
};

#define FILES(run)                                                            \
	.name = run, .trace = RUN(run "/trace.blt"),                          \
	.before = RUN(run "/before.snap.zst"),                                \
	.after = RUN(run "/after.snap.zst")

static const struct recorded runs[] = {
	{ FILES("memhog"), 153148, 152818, 153147, 0, 4, 151956 },
	{ FILES("memhog-reporting"), 153148, 152818, 153147, 3, 4, 151893 },
	{ FILES("usemem-punch-holes"), 205219, 204805, 205218, 0, 4, 204057 },
	{ FILES("page_fault1-thp"), 2637, 1285, 2636, 0, 4, 988 },
	{ FILES("page_fault1-thp-shuffle"), 2617, 93, 2616, 1, 4, 610 },
	{ FILES("fork-exec-storm"), 12347, 7833, 12344, 0, 12, 1135 },
	{ FILES("fork-exec-storm-4cpu"), 8868, 5783, 8829, 0, 156, 1926 },
};

static struct replay_result replay(const struct recorded *run,
				   enum replay_mode mode)
{
	const struct replay_options o = { .stream = run->trace,
					  .before = run->before,
					  .after = run->after, .mode = mode };
	struct replay_result r = { 0 };
	struct diag d = { 0 };

	if (replay_run(&o, &d, &r))
		fail_msg("%s", d.last);
	ASSERT_U64(run->name, r.allocations, run->allocations);
	/* Nothing of these runs is lost, and no event has no rule. */
	ASSERT_U64(run->name, r.stock.counts[STOCK_FOREIGN], 0);
	ASSERT_U64(run->name, r.stock.counts[STOCK_LOST_MARKERS], 0);
	ASSERT_U64(run->name, r.stock.counts[STOCK_LONE_COMMITS], 0);
	ASSERT_U64(run->name, r.stock.counts[STOCK_OTHER_EVENTS], 0);
	return r;
}

static void at_least(const struct recorded *run, const char *what,
		     uint64_t value, uint64_t floor)
{
	if (value < floor)
		fail_msg("%s: %s is %llu, was %llu", run->name, what,
			 (unsigned long long)value,
			 (unsigned long long)floor);
}

static void test_stock_recorded__predict_does_not_get_worse(void **state)
{
	/* From the operations alone. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		const struct replay_result r = replay(&runs[i],
						      REPLAY_PREDICT);

		at_least(&runs[i], "predicted", r.predicted, runs[i].predict);
	}
}

static void test_stock_recorded__assisted_does_not_get_worse(void **state)
{
	/* Each bulk allocation costs one miss, and is found. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		const struct recorded *run = &runs[i];
		const struct replay_result r = replay(run, REPLAY_ASSISTED);
		const struct replay_stock *s = &r.stock;

		at_least(run, "predicted", r.predicted, run->assisted);
		at_least(run, "zone_locked foreseen",
			 s->internal[STOCK_ZONE_LOCKED].predicted,
			 run->zone_locked);
		ASSERT_U64(run->name, s->internal[STOCK_PCPU_DRAIN].predicted,
			   s->internal[STOCK_PCPU_DRAIN].kernel);
		ASSERT_U64(run->name, s->counts[STOCK_BULK], run->bulk);
		ASSERT_U64(run->name, s->counts[STOCK_BULK_REFUTED], 0);
		assert_true(r.compared && r.lists > 20);
		if (r.lists_differing > run->differing)
			fail_msg("%s: %s", run->name, r.first_list);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_stock_recorded__predict_does_not_get_worse),
	cmocka_unit_test(test_stock_recorded__assisted_does_not_get_worse),
};

TEST_MAIN(cases)
