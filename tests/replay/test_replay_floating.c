/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Worked examples of what streams and snapshots of a kernel from 6.7 on have
 * more: the state of a pageset whose high floats, the records L and V (and G,
 * which any has), and the release on the snap line. Each has a control that
 * must come out differently.
 */
#include <string.h>

#include "replay/replay.h"
#include "tests/test.h"
#include "tests/trace/files.h"

/* batch 7, high between 42 and 400 */
#define PCP(count, high, more)                                                \
	"pcphdr 2 cpu=0 count=" #count " high=" #high " batch=7 "             \
	"free_factor=0 stat_diff=-1 high_min=42 high_max=400 " more "\n"
#define THREE                                                                 \
	"pcp 2 0 0 2001 mt=1\npcp 2 0 0 2003 mt=1\npcp 2 0 0 2005 mt=1\n"

/* What a refill of seven out of block 1024 of order 5 leaves. */
#define SIX                                                                   \
	"pcp 2 0 1 1025 mt=1\npcp 2 0 1 1026 mt=1\npcp 2 0 1 1027 mt=1\n"     \
	"pcp 2 0 1 1028 mt=1\npcp 2 0 1 1029 mt=1\npcp 2 0 1 1030 mt=1\n"
#define LEFT "free 2 0 1 1031\nfree 2 3 1 1032\nfree 2 4 1 1040\n"

struct example {
	const char *name, *release;
	const char *before, *stream, *after;
	const char *control, *control_release;
	unsigned int hints, control_hints;
};

static const struct example examples[] = {
	{
		/* 7 << 2 pages are taken, the factor goes to 3, high to 128. */
		.name = "alloc_factor and high are those of the snapshot",
		.release = " kernel=6.12.117",
		.before = PCP(0, 100, "alloc_factor=2 free_count=9 flags=3")
			"free 2 5 1 1024\n",
		.stream = "A 0 0 0x100cca 1 1024\nD 0 2 40 0 27\n",
		.after = PCP(0, 128, "alloc_factor=3 free_count=4 flags=3")
			"free 2 2 1 1028\nfree 2 3 1 1032\nfree 2 4 1 1040\n"
			"free 2 1 1 1026\nfree 2 0 1 1025\n",
		.control_release = " kernel=6.12.0",
		.control = "A 0 0 0x100cca 1 1024\nA 0 0 0x100cca 1 1025\n",
	},
	{
		/* An eighth less. */
		.name = "V lowers high",
		.release = " kernel=6.12.117",
		.before = PCP(3, 400, "") THREE,
		.stream = "V 0 2\n",
		.after = PCP(3, 350, "") THREE,
		.control_release = " kernel=6.12.117",
		.control = "D 0 2 0 0 3\n",
	},
	{
		/* free_count 1, so a batch less; 42 are not reached. */
		.name = "L says that the zone is below its high mark",
		.release = " kernel=6.12",
		.before = PCP(3, 100, "") THREE,
		.stream = "L 2 1\nF 0 0 1999\n",
		.after = PCP(4, 93, "free_count=1") "pcp 2 0 1 1999 mt=1\n"
			THREE,
		.hints = REPLAY_HINT_BELOW,
		.control_release = " kernel=6.12",
		.control = "L 2 1\nF 0 0 1999\n",
	},
	{
		/* 32 pages are below 50, but the kernel's counter lagged: its
		 * high grew by a batch. */
		.name = "without L the zone is not below where L is allowed",
		.release = " kernel=6.12",
		.before = "zval 2 wmark_high 50\n" PCP(0, 100, "")
			"free 2 5 1 1024\n",
		.stream = "A 0 0 0x100cca 1 1024\n",
		.after = PCP(6, 107, "alloc_factor=1") SIX LEFT,
		.hints = REPLAY_HINT_BELOW,
		.control_release = " kernel=6.12",
		.control = "A 0 0 0x100cca 1 1024\n",
	},
	{
		/* 32 pages do not pass 10 and 50 of 100, but 10. */
		.name = "G gives back boost",
		.release = " kernel=6.12",
		.before = "zval 2 wmark_min 10\nzval 2 wmark_low 10\n"
			"zval 2 wmark_high 10\nzval 2 watermark_boost 100\n"
			PCP(0, 100, "") "free 2 5 1 1024\n",
		.stream = "G 2 50\nA 0 0 0x1820ca 1 -\nG 2 99\n"
			"A 0 0 0x1820ca 1 1024\n",
		.after = PCP(6, 100, "alloc_factor=1") SIX LEFT,
		.control_release = " kernel=6.12",
		.control = "G 2 100\nA 0 0 0x1820ca 1 -\n",
	},
	{
		/* 32 pages do not pass 40, yet the kernel found more and gave
		 * one to a request that may not use the reserves. */
		.name = "a request above the mark by the kernel's counter",
		.release = " kernel=6.12",
		.before = "zval 2 wmark_min 40\nzval 2 wmark_low 40\n"
			"zval 2 wmark_high 40\n"
			PCP(0, 100, "") "free 2 5 1 1024\n",
		.stream = "A 0 0 0x1820ca 1 1024\n",
		.after = PCP(6, 100, "alloc_factor=1") SIX LEFT,
		.control_release = " kernel=6.12",
		.control = "A 0 0 0x1820ca 1 -\n",
	},
	{
		/* A second order-1 free after more than a batch: all go, if the
		 * cache is small or the list is as long as a batch. */
		.name = "flags decide what a high-order free flushes",
		.release = " kernel=6.12.1-rc1",
		.before = PCP(3, 100, "free_count=8 flags=1") THREE,
		.stream = "F 0 1 1998\n",
		.after = PCP(0, 42, "free_count=10 flags=1")
			"free 2 0 1 2001\nfree 2 0 1 2003\nfree 2 0 1 2005\n"
			"free 2 1 1 1998\n",
		.control_release = " kernel=6.18.2",
		.control = "F 0 1 1998\n",
	},
};

static void write_snapshot(char path[TEST_PATH_MAX], const char *when,
			   const char *release, const char *body)
{
	char text[4096];
	const int n = snprintf(text, sizeof(text),
			       "snap %s t=0 cpus=1 tsc_khz=1 pageblock_order=9%s\n"
			       "zone 2 Normal start_pfn=0 max_order=11 migratetypes=4\n"
			       "zval 2 spanned 8192\n%send\n",
			       when, release, body);

	assert_true(n > 0 && (size_t)n < sizeof(text));
	file_write_text(path, text);
}

static struct replay_result run(const struct example *e, const char *release,
				const char *stream, unsigned int hints)
{
	char before[TEST_PATH_MAX], after[TEST_PATH_MAX], file[TEST_PATH_MAX];
	struct replay_result result = { 0 };
	struct diag d = { 0 };
	const struct replay_options o = {
		.stream = file,
		.before = before,
		.after = after,
		.hints = hints,
	};

	write_snapshot(before, "before", release, e->before);
	write_snapshot(after, "after", release, e->after);
	file_write_text(file, stream);
	if (replay_run(&o, &d, &result))
		fail_msg("%s: %s", e->name, d.last);
	file_remove(before);
	file_remove(after);
	file_remove(file);
	return result;
}

static void test_replay_floating__examples_come_out_exactly(void **state)
{
	/* PFNs, lists in order, and what the pageset remembers. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		const struct example *e = &examples[i];
		const struct replay_result r = run(e, e->release, e->stream,
						   e->hints);

		if (r.first_miss.event)
			fail_msg("%s: expected %u, got %u; %s", e->name,
				 r.first_miss.expected, r.first_miss.got,
				 r.first_miss.reason);
		if (r.lists_differing)
			fail_msg("%s: %s", e->name, r.first_list);
		ASSERT_U64(e->name, r.pagesets_differing, 0);
		ASSERT_U64(e->name, r.hints_used[3], e->stream[0] == 'L');
		assert_true(replay_exact(&r));
	}
}

static void test_replay_floating__controls_differ(void **state)
{
	/* Without what the example is about it must fail. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		const struct example *e = &examples[i];
		const struct replay_result r = run(e, e->control_release,
						   e->control,
						   e->control_hints);

		if (replay_exact(&r) && !r.pagesets_differing)
			fail_msg("%s: the control came out equal", e->name);
	}
}

static void test_replay_floating__release_names_the_profile(void **state)
{
	/* The named release's profile, or a message; --kernel wins. */
	static const struct {
		const char *release, *kernel, *message;
	} rows[] = {
		{ " kernel=6.12.117-cloud-amd64", NULL, NULL },
		{ " kernel=6.18.2", NULL, NULL },
		{ "", NULL, NULL },
		{ " kernel=6.13.1", NULL, "unknown kernel \"6.13.1\"" },
		{ " kernel=6.13.1", "6.12", NULL },
		{ " kernel=", NULL, NULL },
		{ " release=6.12", NULL, "kernel=" },
	};
	struct replay_result result;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char before[TEST_PATH_MAX], file[TEST_PATH_MAX];
		const struct replay_options o = {
			.stream = file,
			.before = before,
			.kernel = rows[i].kernel,
		};
		struct diag d = { 0 };
		int err;

		write_snapshot(before, "before", rows[i].release,
			       "free 2 10 1 1024\n");
		file_write_text(file, "A 0 10 0x100cca 1 1024\n");
		err = replay_run(&o, &d, &result);
		if (!err != !rows[i].message ||
		    (err && !strstr(d.last, rows[i].message)))
			fail_msg("%s: %d, %s", rows[i].release, err, d.last);
		file_remove(before);
		file_remove(file);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_replay_floating__examples_come_out_exactly),
	cmocka_unit_test(test_replay_floating__controls_differ),
	cmocka_unit_test(test_replay_floating__release_names_the_profile),
};

TEST_MAIN(cases)
