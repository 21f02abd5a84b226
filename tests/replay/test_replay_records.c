/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worked examples of record_examples.c, each as a case of its own name,
 * and their controls.
 */
#include <string.h>

#include "replay/replay.h"
#include "tests/replay/record_examples.h"
#include "tests/test.h"
#include "tests/trace/files.h"

/* One zone of 8192 pages, two CPUs, watermarks 0, every pageblock M. */
#define HEAD(when)                                                            \
	"snap " when " t=0 cpus=2 tsc_khz=1 pageblock_order=9\n"              \
	"zone 2 Normal start_pfn=0 max_order=11 migratetypes=4\n"             \
	"zval 2 spanned 8192\n"

struct paths {
	char before[TEST_PATH_MAX], after[TEST_PATH_MAX];
	char stream[TEST_PATH_MAX];
};

static void write_snapshot(char path[TEST_PATH_MAX], const char *head,
			   const char *body)
{
	char text[4096];
	const int n = snprintf(text, sizeof(text), "%s%send\n", head, body);

	assert_true(n > 0 && (size_t)n < sizeof(text));
	file_write_text(path, text);
}

static struct replay_result run(const struct example *e, const char *stream,
				unsigned int hints)
{
	struct replay_result result = { 0 };
	struct diag d = { 0 };
	struct paths p;
	const struct replay_options o = {
		.stream = p.stream,
		.before = p.before,
		.after = p.after,
		.hints = hints,
	};

	write_snapshot(p.before, HEAD("before"), e->before);
	write_snapshot(p.after, HEAD("after"), e->after);
	file_write_text(p.stream, stream);
	if (replay_run(&o, &d, &result))
		fail_msg("%s: %s", e->name, d.last);
	file_remove(p.before);
	file_remove(p.after);
	file_remove(p.stream);
	return result;
}

/* PFNs, lists in order, pageblocks, pagesets: all as by hand. */
static void run_example(void **state)
{
	const struct example *e = *state;
	const struct replay_result r = run(e, e->stream, e->hints);

	if (r.first_miss.event)
		fail_msg("%s: event %u, expected %u, got %u; %s\n%s", e->name,
			 r.first_miss.event, r.first_miss.expected,
			 r.first_miss.got, r.first_miss.reason,
			 r.first_miss.lists);
	if (r.lists_differing)
		fail_msg("%s: %s", e->name, r.first_list);
	ASSERT_U64(e->name, r.pageblocks_differing, 0);
	ASSERT_U64(e->name, r.pagesets_differing, 0);
	for (unsigned int s = 0; s < REPLAY_NR_SKIPS; s++)
		ASSERT_U64(e->name, r.skipped[s], 0);
	assert_true(replay_exact(&r));
}

static void test_replay_records__controls_differ(void **state)
{
	/* Without the record in question the example must fail. */
	(void)state;
	for (size_t i = 0; i < NR_RECORD_EXAMPLES; i++) {
		const struct example *e = &record_examples[i];
		const struct replay_result r = run(e, e->control,
						   e->control_hints);

		if (replay_exact(&r) && !r.pagesets_differing)
			fail_msg("%s: the control came out equal", e->name);
	}
}

static void test_replay_records__hints_are_counted_when_used(void **state)
{
	/* Allowed and used once; allowed and of no use; not allowed. */
	static const struct {
		const char *name, *stream;
		unsigned int hints;
		uint64_t coins, counts;
	} rows[] = {
		{ "used", "T tail 0\nFB 0 9 0\n", REPLAY_HINT_COIN, 1, 0 },
		{ "other block", "T tail 4096\nFB 0 9 0\n", REPLAY_HINT_COIN,
		  0, 0 },
		{ "not allowed", "T tail 0\nFB 0 9 0\n", REPLAY_HINT_LRU, 0,
		  0 },
	};
	static const struct example guest = {
		.name = "guest",
		.before = BOTH_PCP "free 2 9 1 512\n",
		.after = BOTH_PCP "free 2 10 1 0\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct replay_result r = run(&guest, rows[i].stream,
						   rows[i].hints);

		assert_true(replay_exact(&r));
		ASSERT_U64(rows[i].name, r.hints_used[0], rows[i].coins);
		ASSERT_U64(rows[i].name, r.hints_used[1], rows[i].counts);
	}
}

/* Each example is a case of its own name: `test_replay_records 'M *'`. */
int main(int argc, char **argv)
{
	struct CMUnitTest cases[NR_RECORD_EXAMPLES + 2] = {
		cmocka_unit_test(test_replay_records__controls_differ),
		cmocka_unit_test(
			test_replay_records__hints_are_counted_when_used),
	};

	for (size_t i = 0; i < NR_RECORD_EXAMPLES; i++)
		cases[i + 2] = (struct CMUnitTest){
			.name = record_examples[i].name,
			.test_func = run_example,
			.initial_state = (void *)(uintptr_t)&record_examples[i],
		};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(cases, NULL, NULL) ? 1 : 0;
}
