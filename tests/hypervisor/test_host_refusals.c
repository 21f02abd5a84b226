/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a host says that cannot be had, or cannot take one guest more: the
 * reason, and that nothing is left behind by the attempt.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "hypervisor/conformance.h"
#include "hypervisor/live.h"
#include "tests/hypervisor/faults.h"
#include "tests/hypervisor/host.h"

#define THP "/sys/kernel/mm/transparent_hugepage/"

static void test_mock__options_that_do_not_fit_together(void **state)
{
	/* One value too large, or too small, at a time. */
	static const struct {
		const char *options, *why;
	} rows[] = {
		{ "memory=64M base=65M", "base (" },
		{ "memory=64M base=60M cache=5M", "cache (" },
		{ "memory=64M base=0 watermark_min=2M watermark_low=1M "
		  "watermark_high=3M", "watermark_min (" },
		{ "memory=64M base=0 watermark_low=4M watermark_high=3M",
		  "watermark_low (" },
		{ "memory=64M base=32M watermark_high=33M",
		  "watermark_high (" },
		{ "memory=64M base=0 cache=32M hugetlb_pool=33M",
		  "hugetlb_pool (" },
		{ "memory=64M base=0 memcg_limit=4095", "memcg_limit (4095)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *row = rows[i].options;
		struct host h;
		char why[256] = "";

		host_make(&h, row, &mock_hypervisor, row);
		ASSERT_U64(row, -h.hv.ops->init(&h.hv, why, sizeof(why)),
			   EINVAL);
		if (strncmp(why, rows[i].why, strlen(rows[i].why)) != 0)
			fail_msg("%s: %s", row, why);
		host_close(&h);
	}
}

/*
 * A host and a guest of 700 pages while one call fails: 0, or the error. After
 * an error the same is tried without, and has to work.
 */
static int try_host(const struct hypervisor_ops *ops, const char *options,
		    const struct faults *f, bool *again, char *said,
		    size_t size)
{
	char why[256] = "";
	struct host h;
	int err, id;

	host_make(&h, options, ops, options);
	faults_set(f);
	err = ops->init(&h.hv, why, sizeof(why));
	id = err ? err : ops->guest_add(&h.hv, 700);
	*again = faults_set(NULL) >= f->at;
	if (!err && ops->refusal && ops->refusal(&h.hv))
		snprintf(why, sizeof(why), "%s", ops->refusal(&h.hv));
	snprintf(said, size, "%s", why);
	if (!err && id < 0) {
		assert_null(ops->check(&h.hv));
		assert_int_equal(ops->guest_add(&h.hv, 700), 0);
	}
	if (!err) {
		h.guest = 0;
		host_run(&h, options, "w 0 9; d 0 9; w 512 0", true);
	}
	host_close(&h);
	return id < 0 ? id : 0;
}

static void test_host__each_failing_allocation_is_an_error(void **state)
{
	/* One array after the other cannot be had. */
	static const struct {
		const char *name, *options, *call;
		const struct hypervisor_ops *ops;
		unsigned int least; /* arrays there are at least */
	} rows[] = {
		{ "null", "", "mmap", &null_hypervisor, 1 },
		{ "mock", "", "mmap", &mock_hypervisor, 11 },
		{ "mock, swap", "swap=16M lru=strict", "mmap",
		  &mock_hypervisor, 13 },
		{ "mock, map of swap", "swap=16M", "malloc", &mock_hypervisor,
		  2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct faults f = { .call = rows[i].call, .error = ENOMEM };
		unsigned int failed = 0;
		bool again = true;
		char said[256];

		for (f.at = 1; again; f.at++) {
			const int err = try_host(rows[i].ops, rows[i].options,
						 &f, &again, said,
						 sizeof(said));

			if (again)
				ASSERT_U64(rows[i].name, -err, ENOMEM);
			failed += err != 0;
		}
		if (failed < rows[i].least)
			fail_msg("%s: only %u calls fail", rows[i].name,
				 failed);
	}
}

/* Can this machine be a live host with huge pages? Else skip the test. */
static void want_live(const char *options)
{
	char why[256];

	if (host_possible(&live_hypervisor, options, why, sizeof(why)))
		return;
	print_message("skipped: %s\n", why);
	skip();
}

/* Settings and calls that other machines have, or do not have. */
static const struct {
	const char *name, *options;
	struct faults faults;
	const char *why; /* NULL: it can be had all the same */
} machines[] = {
	{ "pages of 64 KiB", "", { .call = "sysconf", .at = 1 },
	  "pages of 4 KiB" },
	{ "no pagemap", "",
	  { .files = { { "/proc/self/pagemap", NULL } } },
	  "/proc/self/pagemap cannot be opened" },
	{ "before 6.7", "",
	  { .call = "ioctl", .at = 1, .error = ENOTTY }, "Linux 6.7" },
	{ "no huge pages", "",
	  { .files = { { THP "hpage_pmd_size", NULL } } },
	  "no sysfs or no huge pages here" },
	{ "huge pages of 512 MiB", "",
	  { .files = { { THP "hpage_pmd_size", "536870912\n" } } },
	  "no huge pages of 2 MiB" },
	{ "never", "",
	  { .files = { { THP "enabled", "always madvise [never]\n" },
		       { THP "hugepages-2048kB/enabled", NULL } } },
	  "gives no huge pages ('never' in" },
	{ "never, for this size", "",
	  { .files = { { THP "enabled", "[always] madvise never\n" },
		       { THP "hugepages-2048kB/enabled",
			 "always inherit madvise [never]\n" } } },
	  "gives no huge pages ('never' in" },
	{ "always, for this size", "",
	  { .files = { { THP "enabled", "always madvise [never]\n" },
		       { THP "hugepages-2048kB/enabled",
			 "[always] inherit madvise never\n" } } },
	  NULL },
	{ "advised, which the VMM does", "madv_hugepage=on",
	  { .files = { { THP "enabled", "always [madvise] never\n" },
		       { THP "hugepages-2048kB/enabled",
			 "always [inherit] madvise never\n" } } },
	  NULL },
	{ "advised, which the VMM does not", "madv_hugepage=off",
	  { .files = { { THP "enabled", "always [madvise] never\n" },
		       { THP "hugepages-2048kB/enabled", NULL } } },
	  "echo always >" },
	{ "no setting", "",
	  { .files = { { THP "enabled", NULL },
		       { THP "hugepages-2048kB/enabled", NULL } } },
	  "('nothing' in" },
	{ "a setting without a choice", "",
	  { .files = { { THP "enabled", "always madvise never\n" },
		       { THP "hugepages-2048kB/enabled", NULL } } },
	  "('nothing' in" },
	{ "a setting cut short", "",
	  { .files = { { THP "enabled", "always [madv" },
		       { THP "hugepages-2048kB/enabled", NULL } } },
	  "('nothing' in" },
	{ "huge pages of other sizes", "",
	  { .files = { { THP "hugepages-64kB/enabled",
			 "[always] inherit madvise never\n" } } },
	  "huge pages of 64 KiB" },
	{ "none of other sizes", "",
	  { .files = { { THP "hugepages-64kB/enabled",
			 "always inherit madvise [never]\n" } } },
	  NULL },
	{ "disabled for the process", "",
	  { .call = "prctl", .at = 1 }, "PR_SET_THP_DISABLE" },
	{ "no address space", "",
	  { .call = "mmap", .at = 1, .error = ENOMEM },
	  "2 MiB cannot be mapped" },
	{ "no memory", "",
	  { .call = "mmap", .at = 2, .error = ENOMEM },
	  "2 MiB cannot be mapped" },
};

static void test_live__says_what_the_machine_lacks(void **state)
{
	/* Each is refused with its reason, or can be had all the same. */
	(void)state;
	want_live("");
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		struct host h;
		char why[512] = "";
		int err;

		host_make(&h, machines[i].name, &live_hypervisor, machines[i].options);
		faults_set(&machines[i].faults);
		err = h.hv.ops->init(&h.hv, why, sizeof(why));
		faults_set(NULL);
		ASSERT_U64(machines[i].name, -err, machines[i].why ? ENOTSUP : 0);
		if (machines[i].why && !strstr(why, machines[i].why))
			fail_msg("%s: %s", machines[i].name, why);
		host_close(&h);
	}
}

static void test_live__a_probe_without_a_huge_page(void **state)
{
	/* All settings are right, and the kernel has none left. */
	const struct faults hidden = { .call = "prctl_is_off" };
	struct host h;
	char why[256] = "";
	int err;

	(void)state;
	want_live("");
	assert_int_equal(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
	host_make(&h, "none left", &live_hypervisor, "");
	faults_set(&hidden);
	err = h.hv.ops->init(&h.hv, why, sizeof(why));
	faults_set(NULL);
	assert_int_equal(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0), 0);
	host_close(&h);
	assert_int_equal(err, -ENOTSUP);
	if (!strstr(why, "no huge page left"))
		fail_msg("%s", why);
}

static void test_live__a_guest_that_cannot_be_mapped(void **state)
{
	/* Each call for its memory fails once, and is named; then it works. */
	static const struct {
		const char *name, *options, *call;
		int error;
		unsigned int least;
	} rows[] = {
		{ "mmap", "thp=never", "mmap", ENOMEM, 6 },
		{ "memory file", "thp=never memory_file=memfd", "memfd_create",
		  EMFILE, 1 },
		{ "its size", "thp=never memory_file=memfd", "ftruncate",
		  EFBIG, 1 },
		{ "its mapping", "thp=never memory_file=memfd", "mmap",
		  ENOMEM, 6 },
		{ "advice", "thp=never madv_hugepage=off", "madvise", EAGAIN,
		  1 },
	};

	(void)state;
	want_live("thp=never");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct faults f = { .call = rows[i].call,
				    .error = rows[i].error };
		unsigned int failed = 0;
		bool again = true;
		char said[256];

		for (f.at = 1; again; f.at++) {
			const int err = try_host(&live_hypervisor,
						 rows[i].options, &f, &again,
						 said, sizeof(said));

			if (!err)
				continue;
			failed++;
			ASSERT_U64(rows[i].name, -err, rows[i].error);
			if (!strstr(said, "cannot be mapped"))
				fail_msg("%s: %s", rows[i].name, said);
		}
		if (failed < rows[i].least)
			fail_msg("%s: only %u calls fail", rows[i].name,
				 failed);
	}
}

static void test_live__real_counts_need_smaps(void **state)
{
	/* Without the file there is no answer; without the page that drains
	 * batches there is. */
	const struct faults none = { .files = { { "/proc/self/smaps", NULL } } };
	const struct faults full = { .call = "mmap", .at = 1,
				     .error = ENOMEM };
	struct hv_real is;
	struct host h;

	(void)state;
	want_live("thp=never");
	host_boot(&h, "smaps", &live_hypervisor, "thp=never", 700);
	host_run(&h, "smaps", "w 0 0 5 1", true);
	faults_set(&none);
	assert_int_equal(h.hv.ops->real(&h.hv, &is), -ENOENT);
	faults_set(&full);
	assert_int_equal(h.hv.ops->real(&h.hv, &is), 0);
	faults_set(NULL);
	assert_int_equal(is.rss_pages, 5);
	host_close(&h);
}

static void ignore_result(void *ctx, const struct conformance_result *r)
{
	(void)ctx;
	(void)r;
}

static void test_conformance__runs_out_of_memory(void **state)
{
	/* Whichever array cannot be had: the error, with a sentence. */
	static const char *const calls[] = { "malloc", "mmap" };
	const struct conformance_request rq = {
		.model = &mock_hypervisor, .real = &mock_hypervisor,
		.nr_pages = 16384, .streams = 1, .steps = 10, .seed = 1,
		.only = "stream-0", .done = ignore_result,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct faults f = { .call = calls[i], .error = ENOMEM };
		bool again = true;

		for (f.at = 1; again; f.at++) {
			struct conformance_total t;
			char why[200] = "";
			int err;

			faults_set(&f);
			err = conformance_run(&rq, &t, why, sizeof(why));
			again = faults_set(NULL) >= f.at;
			ASSERT_U64(calls[i], -err, again ? ENOMEM : 0);
			ASSERT_U64(calls[i], why[0] != 0, again);
			ASSERT_U64(calls[i], t.cases, !again);
		}
		assert_true(f.at > 7);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_mock__options_that_do_not_fit_together),
	cmocka_unit_test(test_host__each_failing_allocation_is_an_error),
	cmocka_unit_test(test_live__says_what_the_machine_lacks),
	cmocka_unit_test(test_live__a_probe_without_a_huge_page),
	cmocka_unit_test(test_live__a_guest_that_cannot_be_mapped),
	cmocka_unit_test(test_live__real_counts_need_smaps),
	cmocka_unit_test(test_conformance__runs_out_of_memory),
};

TEST_MAIN(cases)
