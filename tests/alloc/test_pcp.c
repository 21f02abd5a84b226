/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Per-CPU lists by example: programs in, lists out, per release. */
#include <string.h>

#include "tests/alloc/pcp_fixture.h"
#include "tests/test.h"

#define SPLIT_1K_TAIL                                                         \
	" o3/M[1032] o4/M[1040] o5/M[1056] o6/M[1088] o7/M[1152] o8/M[1280]" \
	" o9/M[1536]"
#define ABOVE_1080 "o6/M[1088] o7/M[1152] o8/M[1280] o9/M[1536]"
#define EIGHT_PAIRS                                                           \
	"boot 1024 2048; a M 1 1024; a M 1 1026; a M 1 1028; a M 1 1030;"     \
	"a M 1 1032; a M 1 1034; a M 1 1036; a M 1 1038;"                     \
	"f 1024 1; f 1026 1; f 1028 1; f 1030 1; f 1032 1; f 1034 1;"         \
	"f 1036 1; f 1038 1"

static const struct example {
	const char *name, *kernels;
	uint32_t batch, high;
	const char *program;
	const char *lists;  /* NULL: not checked */
	const char *pcp[2]; /* per CPU; NULL: not checked */
} examples[] = {
	{ "refill in order", EVERY, 7, 42,
	  "boot 1024 2048; a M 0 1024; a M 0 1025; a M 0 1026",
	  "o0/M[1031]" SPLIT_1K_TAIL,
	  { "o0/M{1027 1028 1029 1030} count=4", "count=0" } },
	{ "last in, first out", EVERY, 7, 42,
	  "boot 1024 2048; a M 0 1024; a M 0 1025; a M 0 1026;"
	  "f 1024 0; f 1025 0; f 1026 0;"
	  "a M 0 1026; a M 0 1025; a M 0 1024; a M 0 1027",
	  "o0/M[1031]" SPLIT_1K_TAIL,
	  { "o0/M{1028 1029 1030} count=3", "count=0" } },
	{ "order 3: one block", K5, 63, 378,
	  "boot 1024 2048; a M 3 1024; a M 3 1032",
	  "o4/M[1040] o5/M[1056] " ABOVE_1080, { "count=0", "count=0" } },
	{ "order 3: seven blocks", K6, 63, 378,
	  "boot 1024 2048; a M 3 1024; a M 3 1032",
	  "o3/M[1080] " ABOVE_1080,
	  { "o3/M{1040 1048 1056 1064 1072} count=40", "count=0" } },
	{ "order 9 past the pcp", "5.10", 63, 378,
	  "boot 1024 4096; a M 9 1024; f 1024 9", "o10/M[1024 2048 3072]",
	  { "count=0", "count=0" } },
	{ "order 9 past the pcp", "5.3 5.7", 63, 378,
	  "boot 1024 4096; a M 9 3072; f 3072 9",
	  "o10/M[3072 2048 1024]", { "count=0", "count=0" } },
	{ "order 9 through the pcp", K6, 63, 378,
	  "boot 1024 4096; a M 9 1024", "o10/M[2048 3072]",
	  { "o9/M{1536} count=512", "count=0" } },
	{ "order 9 back", K6, 63, 378,
	  "boot 1024 4096; a M 9 1024; f 1024 9", "o9/M[1536] o10/M[2048 3072]",
	  { "o9/M{1024} count=512", "count=0" } },
	{ "order 10 never", "5.3 5.7", 63, 378,
	  "boot 1024 8192; a M 10 7168; f 7168 10",
	  "o10/M[7168 6144 5120 4096 3072 2048 1024]",
	  { "count=0", "count=0" } },
	{ "order 10 never", "5.10 " K6, 63, 378,
	  "boot 1024 8192; a M 10 1024; f 1024 10",
	  "o10/M[1024 2048 3072 4096 5120 6144 7168]",
	  { "count=0", "count=0" } },
	{ "order 4 never", EVERY, 63, 378,
	  "boot 1024 2048; a M 4 1024; f 1024 4", "o10/M[1024]",
	  { "count=0", "count=0" } },
	{ "order 1 past the pcp", K5, 7, 42, EIGHT_PAIRS, "o10/M[1024]",
	  { "count=0", "count=0" } },
	{ "order 1, factor 0", "6.1 6.18", 7, 42, EIGHT_PAIRS, NULL,
	  { "o1/M{1038 1036 1034 1032 1030 1028 1026 1024 1040} count=18",
	    "count=0" } },
	{ "order 1, everything at the fifth", "6.12.0 6.12", 7, 42,
	  EIGHT_PAIRS, "o10/M[1024]", { "count=0", "count=0" } },
	{ "tiny zone", "5.3 5.7 5.10", 1, 0,
	  "boot 1024 2048; a M 0 1024; a M 0 1025; f 1024 0; f 1025 0",
	  "o10/M[1024]", { "count=0", "count=0" } },
	{ "tiny zone", "6.1", 1, 4,
	  "boot 1024 2048; a M 0 1024; a M 0 1025; f 1024 0; f 1025 0",
	  NULL, { "o0/M{1025 1024} count=2", "count=0" } },
	{ "tiny zone, allocs", K612, 1, 4,
	  "boot 1024 2048; a M 0 1024; a M 0 1025", NULL,
	  { "o0/M{1026} count=1", "count=0" } },
	{ "tiny zone, frees", K612, 1, 4,
	  "boot 1024 2048; a M 0 1024; a M 0 1025; f 1024 0; f 1025 0",
	  NULL, { "o0/M{1025 1024 1026} count=3", "count=0" } },
	{ "short refill", EVERY, 7, 42,
	  "put 1024 1; put 1030 0; p M 0 1030; p M 0 1024; p M 0 1025; p M 0 -",
	  "", { "count=0", "count=0" } },
	{ "freed where the CPU is", EVERY, 7, 42,
	  "boot 1024 2048; a M 0 1024; a M 0 1025; a M 0 1026; cpu 1;"
	  "f 1024 0; f 1025 0; f 1026 0; a M 0 1026; cpu 0; a M 0 1027",
	  NULL,
	  { "o0/M{1028 1029 1030} count=3", "o0/M{1025 1024} count=2" } },
	{ "stale type", K53_TO_61, 7, 42, "f 1100 0; type 1100 U; drain",
	  "o0/M[1100]", { "count=0", "count=0" } },
	{ "type read again", K612, 7, 42, "f 1100 0; type 1100 U; drain",
	  "o0/U[1100]", { "count=0", "count=0" } },
	{ "highatomic page on M", EVERY, 7, 42,
	  "type 1024 H; f 1100 0; p M 0 1100; f 1100 0; drain", "o0/H[1100]",
	  { "count=0", "count=0" } },
	{ "isolated block", EVERY, 7, 42, "type 1024 I; f 1100 0",
	  "o0/I[1100]", { "count=0", "count=0" } },
	{ "isolated later", EVERY, 7, 42, "f 1100 0; type 1024 I; drain",
	  "o0/I[1100]", { "count=0", "count=0" } },
	/* A type that changes between the passes of a batched free. */
	{ "prepared type", K53_TO_61, 7, 42,
	  "b 1100 0; b 1104 0; type 1024 U; commit", "",
	  { "o0/M{1104 1100} count=2", "count=0" } },
	{ "committed type", K612, 7, 42,
	  "b 1100 0; b 1104 0; type 1024 U; commit", "",
	  { "o0/U{1104 1100} count=2", "count=0" } },
	/*
	 * Pages of a pageblock that was not claimed: the one that was used
	 * goes by its pageblock, the one that was only refilled by its list.
	 */
	{ "unused page of another type", K53_TO_61, 2, 12,
	  "type 1024 U; put 1024 0; put 1026 0; a M 0 1026; f 1026 0; drain",
	  "o0/U[1026] o0/M[1024]", { "count=0", "count=0" } },
	{ "unused page of another type", K612, 2, 12,
	  "type 1024 U; put 1024 0; put 1026 0; a M 0 1026; f 1026 0; drain",
	  NULL, { "count=0", "count=0" } },
	{ "separate lists per type", EVERY, 7, 42,
	  "type 1024 U; type 1536 R; f 1024 0; f 1536 0; f 2048 0", "",
	  { "o0/U{1024} o0/M{2048} o0/R{1536} count=3", "count=0" } },
	{ "large lists: movable or not", "6.1 6.12 6.18", 63, 8192,
	  "type 1024 R; type 1536 U; f 1024 9; f 1536 9; f 2048 9", "",
	  { "o9/U{1536 1024} o9/M{2048} count=1536", "count=0" } },
	/* Frees in a row, drained: everything merges again. */
	{ "all pages there and back", EVERY, 7, 42,
	  "boot 1024 2048; n M 0 16; f 1024 0; f 1025 0; f 1026 0; f 1027 0;"
	  "f 1028 0; f 1029 0; f 1030 0; f 1031 0; f 1032 0; f 1033 0;"
	  "f 1034 0; f 1035 0; f 1036 0; f 1037 0; f 1038 0; f 1039 0; drain",
	  "o10/M[1024]", { "count=0", "count=0" } },
};

static void test_pcp__examples(void **state)
{
	/* Each row in each release it names. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		const struct example *e = &examples[i];

		for (const char *const *k = fixture_kernels; *k; k++) {
			struct alloc *a;
			char name[96];

			if (!kernel_in(*k, e->kernels))
				continue;
			snprintf(name, sizeof(name), "%s, %s", e->name, *k);
			a = pcp_guest(*k, e->batch, e->high);
			pcp_run(name, a, e->program);
			if (e->lists)
				fixture_assert_lists(name, a, 0, e->lists);
			for (unsigned int cpu = 0; cpu < 2; cpu++)
				if (e->pcp[cpu])
					pcp_assert(name, a, cpu, e->pcp[cpu]);
			alloc_destroy(a);
		}
	}
}

/* Order of the pages that go back to the buddy. */
struct drained {
	char text[256];
	size_t used;
};

static void note_drained(void *ctx, const struct alloc_event *ev)
{
	struct drained *d = ctx;

	if (ev->kind != ALLOC_EVENT_PCPU_DRAIN)
		return;
	d->used += (size_t)snprintf(d->text + d->used,
				    sizeof(d->text) - d->used, "%s%u",
				    d->used ? " " : "", ev->pfn);
}

static void test_pcp__flush_and_drain_order(void **state)
{
	/* Three lists of different length: by turns, or list by list. */
	static const struct {
		const char *kernels, *flush, *pcp, *drain;
	} rows[] = {
		{ K5, "2048 1536 1024 2050 1538 1026",
		  "o0/U{1028} o0/M{2058 2056 2054 2052} count=5",
		  "2052 1028 2054 2056 2058" },
		{ K6, "2048 2050 2052 2054 2056",
		  "o0/U{1028 1026 1024} o0/M{2058} o0/R{1538 1536} count=6",
		  "1024 1026 1028 2058 1536 1538" },
	};
	struct drained d;
	const struct alloc_hooks hooks = { .ctx = &d, .event = note_drained };

	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		const unsigned int i = kernel_in(*k, K5) ? 0 : 1;
		struct alloc *a = pcp_guest(*k, 6, 11);

		alloc_set_hooks(a, &hooks);
		d = (struct drained){ .used = 0 };
		pcp_run(*k, a, "type 1024 U; type 1536 R;"
			"f 1024 0; f 1026 0; f 1028 0; f 1536 0; f 1538 0;"
			"f 2048 0; f 2050 0; f 2052 0; f 2054 0; f 2056 0");
		assert_string_equal(d.text, "");
		pcp_run(*k, a, "f 2058 0");
		assert_string_equal(d.text, rows[i].flush);
		pcp_assert(*k, a, 0, rows[i].pcp);
		d = (struct drained){ .used = 0 };
		pcp_run(*k, a, "drain");
		assert_string_equal(d.text, rows[i].drain);
		alloc_destroy(a);
	}
}

static void test_pcp__batched_frees_commit_in_order(void **state)
{
	/* The last page of the batch is the next to be allocated. */
	static const pfn_t pfns[] = { 1024, 1030, 1026 };

	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = pcp_guest(*k, 7, 42);

		alloc_free_list(a, 0, pfns, ARRAY_SIZE(pfns));
		pcp_assert(*k, a, 0, "o0/M{1026 1030 1024} count=3");
		alloc_destroy(a);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_pcp__batched_frees_commit_in_order),
	cmocka_unit_test(test_pcp__examples),
	cmocka_unit_test(test_pcp__flush_and_drain_order),
};

TEST_MAIN(cases)
