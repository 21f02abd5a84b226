/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules taken away from a replay: which kernels have them, what misses then. */
#include <errno.h>
#include <string.h>

#include "replay/replay.h"
#include "replay/rules.h"
#include "tests/test.h"

static bool same(const struct alloc_profile *a, const struct alloc_profile *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void test_rules__each_is_a_switch_of_some_kernel(void **state)
{
	/* Told to be there only where taking it away changes the profile. */
	const char *const *names = alloc_profile_names();

	(void)state;
	for (const struct replay_rule *r = replay_rules; r->name; r++) {
		unsigned int kernels = 0;

		for (size_t i = 0; names[i]; i++) {
			const struct alloc_profile *p =
				alloc_profile_find(names[i]);
			struct alloc_profile changed;

			memcpy(&changed, p, sizeof(changed));
			if (!r->take_away(&changed))
				continue;
			kernels++;
			if (same(&changed, p))
				fail_msg("%s on %s", r->name, names[i]);
			/* It is gone. */
			assert_false(r->take_away(&changed));
		}
		if (!kernels)
			fail_msg("%s: no kernel has it", r->name);
		for (const struct replay_rule *o = replay_rules; o != r; o++)
			assert_string_not_equal(o->name, r->name);
	}
}

static void test_rules__lists_are_checked(void **state)
{
	/* Unknown, misspelt, empty, and not of this kernel. */
	static const struct {
		const char *kernel, *list, *why;
	} rows[] = {
		{ "6.1", "tail-placement", NULL },
		{ "6.1", "tail-placement,free-high", NULL },
		{ "6.1", "tail-placment",
		  "unknown rule \"tail-placment\"; did you mean \"tail-placement\"?" },
		{ "6.1", "free-high,", "unknown rule \"\"" },
		{ "6.1", "", "unknown rule \"\"" },
		{ "6.1", "free-high,free-high",
		  "kernel 6.1 has no rule \"free-high\" to take away" },
		{ "6.12", "factor-doubles",
		  "kernel 6.12 has no rule \"factor-doubles\"" },
		{ "5.3", "moved-to-tail",
		  "kernel 5.3 has no rule \"moved-to-tail\"" },
		{ "5.7", "flush-order",
		  "kernel 5.7 has no rule \"flush-order\"" },
		{ "6.1", "fallback-stages",
		  "kernel 6.1 has no rule \"fallback-stages\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct alloc_profile p = *alloc_profile_find(rows[i].kernel);
		char why[160] = "";

		ASSERT_U64(rows[i].list,
			   -replay_take_away(&p, rows[i].list, why,
					     sizeof(why)),
			   rows[i].why ? EINVAL : 0);
		if (rows[i].why && !strstr(why, rows[i].why))
			fail_msg("%s: %s", rows[i].list, why);
	}
}

#define RUN(name) TEST_DATA_DIR "/traces/" name

static void test_rules__recorded_runs_notice(void **state)
{
	/* As tests/replay/rule_weights.py finds with the lines taken out. */
	static const struct {
		const char *without;
		uint64_t misses, lists;
	} rows[] = {
		{ "refill-size", 374, 31 },
		{ "factor-doubles", 321, 10 },
		{ "flush-size", 321, 10 },
		{ "factor-cap", 1534, 25 },
		{ "flush-clamp,moved-to-tail,flush-type-cached", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct replay_options o = {
			.stream = RUN("page_fault1-thp/req.txt.zst"),
			.before = RUN("page_fault1-thp/before.snap.zst"),
			.after = RUN("page_fault1-thp/after.snap.zst"),
			.without = rows[i].without,
		};
		struct replay_result r = { 0 };
		struct diag d = { 0 };

		assert_int_equal(replay_run(&o, &d, &r), 0);
		ASSERT_U64(rows[i].without, r.allocations - r.predicted,
			   rows[i].misses);
		ASSERT_U64(rows[i].without, r.lists_differing, rows[i].lists);
	}
}

static void test_rules__every_rule_leaves_a_twin_that_works(void **state)
{
	/* Whatever is taken away, the run ends and no invariant breaks. */
	(void)state;
	for (const struct replay_rule *rule = replay_rules; rule->name;
	     rule++) {
		const struct replay_options o = {
			.stream = RUN("fork-exec-storm-4cpu/req.txt.zst"),
			.before = RUN("fork-exec-storm-4cpu/before.snap.zst"),
			.without = rule->name,
		};
		struct replay_step step;
		struct req_record rec;
		struct diag d = { 0 };
		struct replay *r;
		const char *broken;

		/* Rules of other kernels. */
		if (replay_open(&r, &o, &d))
			continue;
		while (replay_next(r, &rec) == 1)
			replay_apply(r, &rec, &step);
		broken = alloc_check(replay_alloc(r));
		if (broken)
			fail_msg("%s: %s", rule->name, broken);
		replay_close(r);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_rules__each_is_a_switch_of_some_kernel),
	cmocka_unit_test(test_rules__lists_are_checked),
	cmocka_unit_test(test_rules__recorded_runs_notice),
	cmocka_unit_test(test_rules__every_rule_leaves_a_twin_that_works),
};

TEST_MAIN(cases)
