/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits of control groups, from a tree that is made up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/demand.h"
#include "bench/memory_limit.h"
#include "include/types.h"
#include "tests/test.h"

#define NONE UINT64_MAX

struct row {
	const char *list;            /* /proc/self/cgroup */
	struct { const char *path, *text; } files[3];
	uint64_t limit;
};

static const struct row rows[] = {
	{ "", { { "memory.max", "5\n" } }, NONE },
	{ "0::/\n", { { NULL, NULL } }, NONE },
	{ "0::/a/b\n", { { "a/b/memory.max", "max\n" } }, NONE },
	{ "0::/a/b\n", { { "a/b/memory.max", "4096\n" } }, 4096 },
	/* What is above counts as well, and the least of them. */
	{ "0::/a/b\n", { { "a/b/memory.max", "max\n" },
			 { "a/memory.max", "8192\n" } }, 8192 },
	{ "0::/a/b\n", { { "a/b/memory.max", "9000\n" },
			 { "a/memory.max", "8192\n" },
			 { "memory.max", "9001\n" } }, 8192 },
	/* In a container the folder of the host's name is not there. */
	{ "0::/docker/1f\n", { { "memory.max", "77\n" } }, 77 },
	/* Others' groups are not ours. */
	{ "0::/a\n", { { "a/b/memory.max", "1\n" } }, NONE },
	/* Version 1, and both beside each other. */
	{ "5:cpu,memory:/a\n",
	  { { "memory/a/memory.limit_in_bytes", "123\n" } }, 123 },
	{ "5:memory:/docker/1f\n",
	  { { "memory/memory.limit_in_bytes", "124\n" } }, 124 },
	{ "5:cpuset,memoryx:/a\n",
	  { { "memory/a/memory.limit_in_bytes", "123\n" } }, NONE },
	{ "5:memory:/a\n0::/b\n",
	  { { "memory/a/memory.limit_in_bytes", "9223372036854771712\n" },
	    { "unified/b/memory.max", "125\n" } }, 125 },
	/* What is no number is no limit. */
	{ "0::/a\n", { { "a/memory.max", "-1\n" } }, NONE },
	{ "0::/a\n", { { "a/memory.max", "" } }, NONE },
	{ "0::/a\n", { { "a/memory.max", "12x\n" } }, NONE },
	{ "0:\nnonsense\n::\n", { { "memory.max", "5\n" } }, NONE },
};

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void put_below(const char *dir, const char *path, const char *text)
{
	char name[256];

	snprintf(name, sizeof(name), "%s/%s", dir, path);
	for (char *slash = name + strlen(dir); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(name, 0777);
		*slash = '/';
	}
	put(name, text);
}

static void try_row(const struct row *r, unsigned int nr)
{
	char dir[] = "memory-limit-XXXXXX", list[64], command[64];

	assert_non_null(mkdtemp(dir));
	snprintf(list, sizeof(list), "%s/list", dir);
	put(list, r->list);
	for (unsigned int i = 0; i < 3 && r->files[i].path; i++)
		put_below(dir, r->files[i].path, r->files[i].text);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	ASSERT_U64(test_row(nr), memory_limit(list, dir), r->limit);
	assert_int_equal(system(command), 0);
}

/* The least limit of the groups of a process and of those above them. */
static void test_memory_limit__of_groups_and_of_what_is_above(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		try_row(&rows[i], i);
}

/* Without control groups there is no limit. */
static void test_memory_limit__none_without_groups(void **state)
{
	(void)state;
	ASSERT_U64("no list", memory_limit("no/such/file", "."), NONE);
}

#define CELL_MIB (262144u * DEMAND_BYTES_PER_PAGE >> 20) /* of 1 GiB */
#define MIB UINT64_C(1048576)

/* As many at a time as fit even if they are the largest, and one always. */
static void test_memory_limit__cells_at_a_time(void **state)
{
	struct cell_body bodies[4] = { 0 };
	struct cell cells[4] = { 0 };
	const struct experiment e = { .cells = cells, .nr_cells = 4 };
	static const uint64_t gib[] = { 1, 8, 1, 4 };
	static const struct {
		unsigned int jobs;
		uint64_t have_mib, sum_mib;
		unsigned int fit;
	} tries[] = {
		{ 1, 8 * CELL_MIB, 8 * CELL_MIB, 1 },
		{ 1, 1, 8 * CELL_MIB, 1 },
		{ 2, 12 * CELL_MIB, 12 * CELL_MIB, 2 },
		{ 2, 12 * CELL_MIB - 1, 12 * CELL_MIB, 1 },
		{ 3, 14 * CELL_MIB, 13 * CELL_MIB, 3 },
		{ 4, 13 * CELL_MIB, 14 * CELL_MIB, 3 },
		{ 9, 14 * CELL_MIB, 14 * CELL_MIB, 9 },
	};

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		cells[i].body = &bodies[i];
		bodies[i].guest.memory = gib[i] << 30;
		bodies[i].host.guests = 1;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(tries); i++) {
		ASSERT_U64(test_row(i), demand_of_jobs(&e, tries[i].jobs),
			   tries[i].sum_mib * MIB);
		ASSERT_U64(test_row(i),
			   demand_jobs_that_fit(&e, tries[i].jobs,
						tries[i].have_mib * MIB),
			   tries[i].fit);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_memory_limit__cells_at_a_time),
	cmocka_unit_test(test_memory_limit__of_groups_and_of_what_is_above),
	cmocka_unit_test(test_memory_limit__none_without_groups),
};

TEST_MAIN(cases)
