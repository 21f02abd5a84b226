/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The live host: what it refuses, what its guests are, and that it notices what
 * the kernel does behind its back. What its counts are is for the contract
 * tests and `buddylab conformance`. Skipped where this machine cannot.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hypervisor/live.h"
#include "tests/hypervisor/host.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static struct hv_real real_of(const struct host *h)
{
	struct hv_real is;

	assert_int_equal(h->hv.ops->real(&h->hv, &is), 0);
	return is;
}

static char *memory_of(const struct host *h, pfn_t pfn)
{
	return page_address(live_guest(&h->hv, h->guest), pfn);
}

/* Two huge pages, or skip the test. */
static void boot(struct host *h, const char *options)
{
	char why[256];

	if (!host_possible(&live_hypervisor, options, why, sizeof(why))) {
		print_message("skipped: %s\n", why);
		skip();
	}
	host_boot(h, "live", &live_hypervisor, options, 1024);
	host_run(h, "live", "w 0 10", true);
	host_expect_gauges(h, "live", "rss_pages=1024");
}

static void test_live__options_that_exclude_each_other(void **state)
{
	/* A memory file has small pages, and cannot be lazy. */
	static const struct {
		const char *options, *why;
	} rows[] = {
		{ "memory_file=memfd", "set thp = never" },
		{ "memory_file=memfd thp=never discard=free",
		  "set discard = dontneed" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host h;
		char why[256];

		host_make(&h, rows[i].options, &live_hypervisor,
			  rows[i].options);
		assert_int_equal(h.hv.ops->init(&h.hv, why, sizeof(why)),
				 -EINVAL);
		if (!strstr(why, rows[i].why))
			fail_msg("%s: %s", rows[i].options, why);
		host_close(&h);
	}
}

static void test_live__guests_stay_below_the_cap(void **state)
{
	/* The sum of all guests counts, and what left is free again. */
	const struct hypervisor_ops *ops = &live_hypervisor;
	struct host h;

	(void)state;
	boot(&h, "cap=8M thp=never");
	assert_int_equal(ops->guest_add(&h.hv, 1025), -E2BIG);
	assert_non_null(strstr(ops->refusal(&h.hv), "the cap is 8"));
	assert_int_equal(ops->guest_add(&h.hv, 1024), 1);
	ops->guest_remove(&h.hv, 0);
	assert_int_equal(ops->guest_add(&h.hv, 1024), 0);
	assert_null(ops->refusal(&h.hv));
	assert_null(ops->check(&h.hv));
	host_close(&h);
}

static void test_live__more_than_the_host_has_is_refused(void **state)
{
	/* 4 TiB below the cap, but not there: skipped, not tried. */
	const struct hypervisor_ops *ops = &live_hypervisor;
	struct host h;

	(void)state;
	boot(&h, "cap=8T thp=never");
	assert_int_equal(ops->guest_add(&h.hv, 1u << 30), -ENOTSUP);
	assert_non_null(strstr(ops->refusal(&h.hv), "MiB available to"));
	host_close(&h);
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	for (char *slash = strchr(path + strlen(dir) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
	f = fopen(path, "w");
	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	fputs(text, f);
	fclose(f);
}

static void test_live__limits_of_control_groups_count(void **state)
{
	/* A machine with 1000 KiB; a group of version 1 or 2, and one above
	 * it. Rows build on each other: the least of all is the answer. */
	static const struct {
		const char *file, *text;
		uint64_t available;
	} rows[] = {
		{ "proc/meminfo", "MemTotal: 9 kB\nMemAvailable:  1000 kB\n",
		  1000 << 10 },
		{ "proc/self/cgroup", "0::/a/b\n3:cpu:/x\n4:memory:/c\n",
		  1000 << 10 },
		{ "sys/a/memory.max", "max\n", 1000 << 10 },
		{ "sys/a/memory.current", "600000\n", 1000 << 10 },
		{ "sys/a/memory.max", "1600000\n", 1000000 },
		{ "sys/a/b/memory.current", "900000\n", 1000000 },
		{ "sys/a/b/memory.max", "1200000\n", 300000 },
		{ "sys/a/b/memory.stat", "file 7\ninactive_file 400000\n",
		  700000 },
		{ "sys/memory/c/memory.usage_in_bytes", "500\n", 700000 },
		{ "sys/memory/c/memory.limit_in_bytes", "9223372036854771712\n",
		  700000 },
		{ "sys/memory/c/memory.limit_in_bytes", "400\n", 0 },
		{ "sys/memory/c/memory.stat",
		  "inactive_file 500\ntotal_inactive_file 200\n", 100 },
	};
	char dir[] = "/tmp/buddylab-live-XXXXXX", proc[64], sys[64], rm[96];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(proc, sizeof(proc), "%s/proc", dir);
	snprintf(sys, sizeof(sys), "%s/sys", dir);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		write_file(dir, rows[i].file, rows[i].text);
		ASSERT_U64(test_row((unsigned int)i),
			   memory_available(proc, sys), rows[i].available);
	}
	snprintf(rm, sizeof(rm), "rm -r %s", dir);
	assert_int_equal(system(rm), 0);
}

static void test_live__a_fork_has_no_guest_memory(void **state)
{
	/* Shared pages would fault again in the parent: a fork must not be
	 * given any. */
	struct host h;
	int status;
	pid_t pid;

	(void)state;
	boot(&h, "");
	assert_true(h.hv.ops->no_fork);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(msync(memory_of(&h, 0), PAGE_SIZE, MS_ASYNC) &&
		      errno == ENOMEM ? 42 : 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	assert_int_equal(msync(memory_of(&h, 0), PAGE_SIZE, MS_ASYNC), 0);
	host_run(&h, "parent", "w 0 10", true);
	host_expect_events(&h, "parent", "");
	assert_int_equal(real_of(&h).minor_faults, 2);
	host_close(&h);
}

static void test_live__guests_do_not_mix(void **state)
{
	/* A page of one guest is not one of the other. */
	struct host h;
	int other;

	(void)state;
	boot(&h, "");
	other = live_hypervisor.guest_add(&h.hv, 700);
	assert_int_equal(other, 1);
	h.guest = 1;
	host_run(&h, "other", "w 512 0; b 512 0", true);
	host_expect_gauges(&h, "other", "rss_pages=0");
	h.guest = 0;
	host_expect_gauges(&h, "first", "rss_pages=1024");
	assert_int_equal(real_of(&h).rss_pages, 1024);
	host_close(&h);
}

static void test_live__a_collapse_behind_its_back(void **state)
{
	/* Three pages are punched, the kernel makes a huge page again: the
	 * holes are back, cleared, and it is noted as the kernel's doing. */
	struct host h;

	(void)state;
	boot(&h, "khugepaged=host");
	host_run(&h, "punch", "d 8 0; d 10 1", true);
	host_expect_gauges(&h, "punch", "rss_pages=1021 anon_huge_regions=1");
	if (madvise(memory_of(&h, 0), HPAGE_PMD_SIZE, MADV_COLLAPSE)) {
		host_close(&h);
		print_message("skipped: no huge page to collapse to\n");
		skip();
	}
	assert_null(h.hv.ops->check(&h.hv));
	host_run(&h, "touch", "w 8 0", true);
	host_expect_gauges(&h, "touch", "rss_pages=1024 anon_huge_regions=2 "
			   "partial_thps=0");
	ASSERT_U64("cleared", h.ev.zeroed_pages, 3);
	ASSERT_U64("backed again", h.ev.reinflated_pages, 3);
	assert_int_equal(real_of(&h).background_collapses, 1);
	host_close(&h);
}

static void test_live__lazy_pages_dropped_behind_its_back(void **state)
{
	/* The kernel reclaims what was lazy; the next access finds out, says
	 * so, and faults. */
	struct host h;

	(void)state;
	boot(&h, "discard=free");
	host_run(&h, "free", "d 0 9", true);
	host_expect_gauges(&h, "free", "lazy_pages=512 rss_pages=1024");
	if (madvise(memory_of(&h, 0), HPAGE_PMD_SIZE, MADV_PAGEOUT) ||
	    real_of(&h).rss_pages != 512) {
		host_close(&h);
		print_message("skipped: nothing was reclaimed\n");
		skip();
	}
	assert_null(h.hv.ops->check(&h.hv));
	host_run(&h, "touch", "w 0 0", true);
	ASSERT_U64("dropped", h.ev.pglazyfreed, 512);
	ASSERT_U64("pressure", h.ev.pressure, 1);
	ASSERT_U64("reclaimed", h.ev.rss_reclaimed_pages, 512);
	assert_int_equal(real_of(&h).background_lazy_drops, 512);
	host_expect_gauges(&h, "touch", "lazy_pages=0");
	host_close(&h);
}

static void test_live__a_read_maps_the_zero_page(void **state)
{
	/* Reading what is not there takes no memory; a write then does. */
	struct host h;

	(void)state;
	boot(&h, "thp=never");
	host_run(&h, "discard", "d 0 0", true);
	host_run(&h, "read", "r 0 0", true);
	host_expect_events(&h, "read", "ept_violation_remap_4k=1");
	host_expect_gauges(&h, "read", "rss_pages=1023");
	host_run(&h, "write", "w 0 0", true);
	host_expect_events(&h, "write", "ept_violation_zero_4k=1 ept_zap_4k=1 "
			   "zeroed_pages=1");
	host_expect_gauges(&h, "write", "rss_pages=1024");
	host_close(&h);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_live__options_that_exclude_each_other),
	cmocka_unit_test(test_live__guests_stay_below_the_cap),
	cmocka_unit_test(test_live__more_than_the_host_has_is_refused),
	cmocka_unit_test(test_live__limits_of_control_groups_count),
	cmocka_unit_test(test_live__a_fork_has_no_guest_memory),
	cmocka_unit_test(test_live__guests_do_not_mix),
	cmocka_unit_test(test_live__a_collapse_behind_its_back),
	cmocka_unit_test(test_live__lazy_pages_dropped_behind_its_back),
	cmocka_unit_test(test_live__a_read_maps_the_zero_page),
};

TEST_MAIN(cases)
