/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc as recorded kernels printed it: a twin is loaded from a snapshot and
 * has to print what the kernel printed at the same moment.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/alloc/pcp_fixture.h"
#include "tests/test.h"
#include "trace/line_reader.h"
#include "trace/snapshot.h"

#define MAX_TEXT 65536
#define MAX_PATH 512

struct text {
	size_t used;
	char buf[MAX_TEXT];
};

static void add_line(struct text *t, const char *line)
{
	t->used += (size_t)snprintf(t->buf + t->used, MAX_TEXT - t->used,
				    "%s\n", line);
	assert_true(t->used < MAX_TEXT);
}

/* ---- the recorded text ---- */

/*
 * Lines that belong to others: LRU, slab and dirty pages. Counts of pcp pages
 * too where the kernel allocated between snapshot and print.
 */
static bool is_ours(const char *line, bool counts)
{
	static const char *const foreign[] = {
		"  per-node stats", "      nr_", "      workingset_",
	};

	if (!counts && strncmp(line, "              count:", 20) == 0)
		return false;
	if (strncmp(line, "      nr_free_", 14) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
		if (strncmp(line, foreign[i], strlen(foreign[i])) == 0)
			return false;
	}
	return true;
}

/* Section "@@@ WHEN NAME" of a folder's procstats. */
static void read_section(struct text *t, const char *folder, const char *when,
			 const char *name, bool counts)
{
	char path[MAX_PATH], head[64];
	struct diag d = { .out = stderr };
	struct line_reader *r;
	bool inside = false;
	struct line line;

	snprintf(path, sizeof(path), "%s/traces/%s/procstats.txt.zst",
		 TEST_DATA_DIR, folder);
	snprintf(head, sizeof(head), "@@@ %s %s", when, name);
	t->used = 0;
	assert_int_equal(line_reader_open(&r, path, &d), 0);
	while (line_reader_next(r, &line) == 1) {
		if (strncmp(line.text, "@@@", 3) == 0)
			inside = strcmp(line.text, head) == 0;
		else if (inside && is_ours(line.text, counts))
			add_line(t, line.text);
	}
	line_reader_close(r);
	assert_true(t->used > 0);
}

/* ---- the twin ---- */

static void load_zone(struct alloc *a, unsigned int i,
		      const struct snapshot *s)
{
	const struct snap_zone *z = &s->zones[i];

	alloc_set_managed(a, i, z->managed);
	alloc_set_watermarks(a, i, z->wmark_min, z->wmark_low, z->wmark_high);
	for (unsigned int j = 0; j < TRACE_MAX_ZONES; j++)
		alloc_set_reserve(a, i, j, z->lowmem_reserve[j]);
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		for (unsigned int mt = 0; mt < s->nr_types; mt++)
			for (uint32_t n = 0; n < z->free[o][mt].nr; n++)
				alloc_load_free(a, i, o, mt, s->free_blocks[
					z->free[o][mt].first + n].pfn, 0);
	for (unsigned int cpu = 0; cpu < s->nr_cpus; cpu++) {
		const struct snap_pageset *ps = &z->pagesets[cpu];

		alloc_set_pcp(a, i, cpu, ps->batch, ps->high, ps->high, 0);
		for (unsigned int p = 0; p < NR_PCP_LISTS; p++)
			for (uint32_t n = 0; n < ps->lists[p].nr; n++)
				alloc_load_pcp(a, i, cpu, p, s->pcp_blocks[
					ps->lists[p].first + n].pfn,
					MIGRATE_MOVABLE);
	}
}

static struct alloc *load_twin(const char *folder, const char *when)
{
	struct alloc_zone_config zones[TRACE_MAX_ZONES] = { 0 };
	struct alloc_config config = {
		.profile = alloc_profile_find("6.1"), .nr_nodes = 1,
		.zones = zones, .pageblock_order = 9,
	};
	struct diag d = { .out = stderr };
	char path[MAX_PATH];
	struct snapshot *s;
	struct alloc *a;

	snprintf(path, sizeof(path), "%s/traces/%s/%s.snap.zst", TEST_DATA_DIR,
		 folder, when);
	assert_int_equal(snapshot_read(&s, path, &d), 0);
	config.nr_cpus = s->nr_cpus;
	config.nr_zones = s->nr_zones;
	for (unsigned int i = 0; i < s->nr_zones; i++) {
		zones[i].type = s->zones[i].zid;
		zones[i].start = s->zones[i].start;
		zones[i].end = s->zones[i].end;
		zones[i].present = (uint32_t)s->zones[i].present;
	}
	a = fixture_create_config(&config);
	for (unsigned int i = 0; i < s->nr_zones; i++)
		load_zone(a, i, s);
	for (uint32_t n = 0; n < s->nr_pageblocks; n++)
		alloc_set_pageblock_type(a, s->pageblocks[n].pfn,
					 s->pageblocks[n].mt);
	snapshot_free(s);
	return a;
}

typedef void print_fn(const struct alloc *a, FILE *out);

static void print_text(struct text *t, const struct alloc *a, print_fn *print,
		       bool counts)
{
	char *printed = NULL, *next;
	size_t size = 0;
	FILE *out = open_memstream(&printed, &size);

	assert_non_null(out);
	print(a, out);
	fclose(out);
	t->used = 0;
	for (char *line = printed; *line != '\0'; line = next) {
		next = strchr(line, '\n');
		assert_non_null(next);
		*next++ = '\0';
		if (is_ours(line, counts))
			add_line(t, line);
	}
	free(printed);
}

static void test_proc__recorded_files(void **state)
{
	/* Eight recorded 6.1 guests, at the start of their runs. */
	static const struct {
		const char *folder;
		bool counts;
	} folders[] = {
		{ "memhog", true },
		{ "page_fault1-thp", true },
		{ "page_fault1-thp-shuffle", true },
		{ "usemem-punch-holes", true },
		{ "fork-exec-storm", true },
		{ "fork-exec-storm-4cpu", false },
		{ "memhog-reporting", true },
		{ "host-reporting-memhog", false },
	};
	static const struct {
		const char *name;
		print_fn *print;
	} files[] = {
		{ "buddyinfo", alloc_print_buddyinfo },
		{ "pagetypeinfo", alloc_print_pagetypeinfo },
		{ "zoneinfo", alloc_print_zoneinfo },
	};
	struct text recorded, printed;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		struct alloc *a = load_twin(folders[i].folder, "before");

		for (size_t f = 0; f < ARRAY_SIZE(files); f++) {
			read_section(&recorded, folders[i].folder, "before",
				     files[f].name, folders[i].counts);
			print_text(&printed, a, files[f].print,
				   folders[i].counts);
			if (strcmp(recorded.buf, printed.buf) != 0)
				fail_msg("%s, %s: printed\n%s\nrecorded\n%s",
					 folders[i].folder, files[f].name,
					 printed.buf, recorded.buf);
		}
		alloc_destroy(a);
	}
}

/* ---- what no recorded guest had ---- */

static bool prints(const struct alloc *a, print_fn *print, const char *part)
{
	struct text t;

	print_text(&t, a, print, true);
	return strstr(t.buf, part) != NULL;
}

static void test_proc__types_as_configured(void **state)
{
	/* CMA and Isolate have columns only if the kernel has them. */
	struct alloc *a = pcp_guest("6.1", 7, 42);

	(void)state;
	alloc_set_pageblock_type(a, 1024, MIGRATE_ISOLATE);
	alloc_free_buddy(a, 1024, 3);
	assert_true(prints(a, alloc_print_pagetypeinfo,
		"Node    0, zone   Normal, type      Isolate      0      0 "
		"     0      1 "));
	assert_true(prints(a, alloc_print_pagetypeinfo,
		"Number of blocks type     Unmovable      Movable  Reclaimable "
		"  HighAtomic      Isolate \n"
		"Node 0, zone   Normal            0           15            0 "
		"           0            1 \n"));
	alloc_destroy(a);
}

static void test_proc__long_lists_are_not_counted_out(void **state)
{
	/* 100000 blocks and more are printed as >100000. */
	const struct alloc_zone_config zone = {
		.type = ZONE_NORMAL, .end = 262144,
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find("6.1"), .nr_cpus = 1,
		.nr_nodes = 1, .zones = &zone, .nr_zones = 1,
		.pageblock_order = 9, .pcp_disabled = true,
	};
	struct alloc *a = fixture_create_config(&config);

	(void)state;
	for (pfn_t pfn = 0; pfn < 99999; pfn++)
		alloc_free_buddy(a, 2 * pfn, 0);
	assert_true(prints(a, alloc_print_pagetypeinfo, "Movable  99999 "));
	alloc_free_buddy(a, 2 * 99999, 0);
	assert_true(prints(a, alloc_print_pagetypeinfo,
			   "Movable >100000 "));
	assert_true(prints(a, alloc_print_buddyinfo, " 100000 "));
	alloc_destroy(a);
}

static void test_proc__lines_by_release(void **state)
{
	/* Lines that came, and labels that changed, with a release. */
	static const struct {
		const char *part;
		print_fn *print;
		const char *kernels;
	} rows[] = {
		{ "        boost    512\n", alloc_print_zoneinfo, K6 },
		{ "        min      612\n", alloc_print_zoneinfo, EVERY },
		{ "        high     912\n", alloc_print_zoneinfo, EVERY },
		{ "        promo    1062\n", alloc_print_zoneinfo, K612 },
		{ "        cma      0\n", alloc_print_zoneinfo, K6 },
		{ "\n              high:  42\n", alloc_print_zoneinfo,
		  K53_TO_61 " 6.12.0 6.12" },
		{ "\n              high:     42\n", alloc_print_zoneinfo,
		  "6.18" },
		{ "\n              high_max: 42\n", alloc_print_zoneinfo,
		  "6.18" },
		{ "nr_free_pages_blocks 512\n", alloc_print_zoneinfo, "6.18" },
		{ "nr_free_pages_blocks 512\n", alloc_print_vmstat, "6.18" },
		{ "nr_free_pages 520\n", alloc_print_vmstat, EVERY },
		{ "pgalloc_normal 8\n", alloc_print_vmstat, EVERY },
		{ "allocstall_normal 0\nallocstall_movable 0\npgfree 528\n",
		  alloc_print_vmstat, EVERY },
		{ "nr_unstable 0\n", alloc_print_vmstat, "6.1 6.12.0 6.12" },
	};

	(void)state;
	for (const char *const *k = fixture_kernels; *k; k++) {
		struct alloc *a = pcp_guest(*k, 7, 42);

		alloc_free_buddy(a, 1024, 4);
		alloc_free_buddy(a, 2048, 9);
		assert_int_equal(alloc_buddy(a, 0, 3, MIGRATE_MOVABLE, false),
				 1024);
		alloc_set_watermarks(a, 0, 100, 250, 400);
		alloc_set_boost(a, 0, 512);
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			if (prints(a, rows[i].print, rows[i].part) !=
			    kernel_in(*k, rows[i].kernels))
				fail_msg("%s: %s", *k, rows[i].part);
		alloc_destroy(a);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_proc__recorded_files),
	cmocka_unit_test(test_proc__types_as_configured),
	cmocka_unit_test(test_proc__long_lists_are_not_counted_out),
	cmocka_unit_test(test_proc__lines_by_release),
};

TEST_MAIN(cases)
