/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The comparison itself, with the mock on both sides: it agrees with itself,
 * and a host that lies about anything is found out.
 */
#include <errno.h>
#include <string.h>

#include "hypervisor/conformance_internal.h"
#include "tests/test.h"

struct seen {
	uint64_t cases, steps, faults, splits, discards;
	char name[64], first[320];
	unsigned int repeats;
};

static void note(void *ctx, const struct conformance_result *r)
{
	struct seen *s = ctx;

	s->cases++;
	s->steps += r->steps;
	s->faults += r->faults;
	s->splits += r->splits;
	s->discards += r->discards;
	if (!r->first[0])
		return;
	s->repeats = r->repeats;
	snprintf(s->name, sizeof(s->name), "%s", r->name);
	snprintf(s->first, sizeof(s->first), "%s", r->first);
}

static struct conformance_request request(const struct hypervisor_ops *real,
					  struct seen *seen)
{
	memset(seen, 0, sizeof(*seen));
	return (struct conformance_request){
		.model = &mock_hypervisor, .real = real, .nr_pages = 16384,
		.streams = 5, .steps = 100, .seed = 7, .retries = 1,
		.done = note, .ctx = seen,
	};
}

/* One case, on both sides the mock; only those without a memory file. */
static void run(const struct hypervisor_ops *real, const char *only,
		struct seen *seen, struct conformance_total *total)
{
	struct conformance_request rq = request(real, seen);
	char why[200] = "";
	int err;

	rq.only = only;
	err = conformance_run(&rq, total, why, sizeof(why));
	if (err)
		fail_msg("%s: %d: %s", only, err, why);
}

static void test_conformance__a_host_agrees_with_itself(void **state)
{
	/* Written cases and random streams, every step compared. */
	static const char *const names[] = {
		"touch-huge", "punch-4k", "free-all", "punch-order-3",
		"lazy-order-6", "balloon-thp", "empty-table", "tail-511",
		"two-guests", "lazy-of-partial", "stream-0", "stream-4",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct conformance_total t;
		struct seen s;

		run(&mock_hypervisor, names[i], &s, &t);
		ASSERT_U64(names[i], t.mismatches, 0);
		ASSERT_U64(names[i], t.cases, 1);
		assert_true(s.steps && s.faults && !s.first[0]);
		assert_false(t.frees_tables);
	}
}

static void test_conformance__a_stream_is_its_seed(void **state)
{
	/* The same seed does the same, another one something else. */
	struct conformance_total t;
	struct seen a, b, other;
	struct conformance_request rq;
	char why[200];

	(void)state;
	run(&mock_hypervisor, "stream-3", &a, &t);
	run(&mock_hypervisor, "stream-3", &b, &t);
	assert_memory_equal(&a, &b, sizeof(a));
	rq = request(&mock_hypervisor, &other);
	rq.only = "stream-3";
	rq.seed = 8;
	assert_int_equal(conformance_run(&rq, &t, why, sizeof(why)), 0);
	assert_true(a.faults != other.faults || a.discards != other.discards);
}

static void test_conformance__no_such_case(void **state)
{
	/* A name is looked for among cases and streams. */
	struct conformance_total t;
	struct seen s;
	struct conformance_request rq = request(&mock_hypervisor, &s);
	char why[200] = "";

	(void)state;
	rq.only = "stream-5";
	assert_int_equal(conformance_run(&rq, &t, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "stream-5"));
}

/* ---- hosts that cannot be had ---- */

static int takes_no_guest(struct hypervisor *hv, pfn_t nr_pages)
{
	(void)hv;
	(void)nr_pages;
	return -ENOSPC;
}

/* The probe's guest is one of 512 pages. */
static int takes_small_guests(struct hypervisor *hv, pfn_t nr_pages)
{
	return nr_pages > HPAGE_PMD_NR ? -E2BIG :
	       mock_hypervisor.guest_add(hv, nr_pages);
}

static int takes_one_guest(struct hypervisor *hv, pfn_t nr_pages)
{
	const int id = mock_hypervisor.guest_add(hv, nr_pages);

	return id > 0 ? -ENOSPC : id;
}

static const char *says_why(const struct hypervisor *hv)
{
	(void)hv;
	return "the machine is asleep";
}

static void test_conformance__hosts_that_cannot_be_had(void **state)
{
	/* The error of the host, and its reason where it gives one. */
	static const struct {
		const char *only;
		int (*guest_add)(struct hypervisor *hv, pfn_t nr_pages);
		const char *(*refusal)(const struct hypervisor *hv);
		int err;
		const char *why;
	} rows[] = {
		{ "touch-huge", takes_no_guest, says_why, -ENOSPC,
		  "mock cannot take a guest: the machine is asleep" },
		{ "touch-huge", takes_no_guest, NULL, -ENOSPC,
		  "No space left" },
		{ "touch-huge", takes_small_guests, NULL, -E2BIG,
		  "cannot take a guest" },
		{ "stream-*", takes_small_guests, NULL, -E2BIG,
		  "cannot take a guest" },
		{ "two-guests", takes_one_guest, NULL, -ENOSPC,
		  "No space left" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct hypervisor_ops real = mock_hypervisor;
		struct conformance_total t;
		struct seen s;
		struct conformance_request rq = request(&real, &s);
		char why[200] = "";

		real.guest_add = rows[i].guest_add;
		real.refusal = rows[i].refusal;
		rq.only = rows[i].only;
		ASSERT_U64(test_row((unsigned int)i),
			   -conformance_run(&rq, &t, why, sizeof(why)),
			   -rows[i].err);
		if (!strstr(why, rows[i].why))
			fail_msg("row %zu: %s", i, why);
		assert_int_equal(s.cases, 0);
	}
}

static void test_conformance__options_that_a_host_does_not_have(void **state)
{
	/* The null host knows of no advice: said, not ignored. */
	struct conformance_total t;
	struct seen s;
	struct conformance_request rq = request(&null_hypervisor, &s);
	char why[200] = "";

	(void)state;
	rq.only = "lazy-order-6";
	assert_int_equal(conformance_run(&rq, &t, why, sizeof(why)), -EINVAL);
	assert_string_equal(why, "no option discard");
}

static void test_conformance__streams_without_huge_pages(void **state)
{
	/* About one in eight; in a file only where discards are not lazy, as
	 * no file can be lazy. All sizes and numbers of guests occur. */
	unsigned int small = 0, file = 0, guests = 0;

	(void)state;
	for (unsigned int i = 0; i < 400; i++) {
		struct conformance_stream s;

		assert_int_equal(conformance_stream_init(&s, 1, i, 3), 0);
		guests |= 1u << s.guests;
		assert_in_range(s.nr_pages, HPAGE_PMD_NR, 7 * HPAGE_PMD_NR);
		if (s.model[0]) {
			small++;
			assert_non_null(strstr(s.real, "thp=never"));
			file += strstr(s.real, "memfd") != NULL;
			assert_false(strstr(s.real, "memfd") &&
				     strstr(s.options, "discard=free"));
		}
		conformance_stream_end(&s);
	}
	assert_in_range(small, 25, 75);
	assert_in_range(file, 5, small - 5);
	assert_int_equal(guests, 1u << 1 | 1u << 2 | 1u << 3);
}

/* ---- hosts that lie ---- */

static bool forgets_small_discards(struct hypervisor *hv, uint32_t guest,
				   pfn_t pfn, unsigned int order,
				   enum hv_origin origin, struct hv_events *ev)
{
	if (order)
		return mock_hypervisor.discard(hv, guest, pfn, order, origin,
					       ev);
	ev->discards[HV_DONTNEED][0]++;
	return true;
}

static int clears_twice(struct hypervisor *hv, uint32_t guest, pfn_t pfn,
			unsigned int order, enum hv_access kind,
			struct hv_events *ev)
{
	const uint64_t before = ev->zeroed_pages;
	const int err = mock_hypervisor.access(hv, guest, pfn, order, kind, ev);

	ev->zeroed_pages += ev->zeroed_pages - before;
	return err;
}

static void hides_a_page(const struct hypervisor *hv, uint32_t guest,
			 struct hv_gauges *out)
{
	mock_hypervisor.gauges(hv, guest, out);
	out->rss_pages -= out->rss_pages == 16384 - 32;
}

static int sees_other_faults(const struct hypervisor *hv, struct hv_real *out)
{
	struct hv_gauges g;

	mock_hypervisor.gauges(hv, HV_ALL_GUESTS, &g);
	*out = (struct hv_real){ .minor_faults = 33, .rss_pages = g.rss_pages,
				 .anon_huge_regions = g.anon_huge_regions };
	return 0;
}

static const char *finds_fault(const struct hypervisor *hv)
{
	(void)hv;
	return "a page is upside down";
}

static void expect_lie(const struct hypervisor_ops *liar, const char *only,
		       const char *first)
{
	struct conformance_total t;
	struct seen s;

	run(liar, only, &s, &t);
	ASSERT_U64(first, t.mismatches, 1);
	ASSERT_U64(first, s.repeats, 1);
	assert_string_equal(s.name, only);
	if (strcmp(s.first, first) != 0)
		fail_msg("'%s', expected '%s'", s.first, first);
}

static void test_conformance__lies_are_found(void **state)
{
	/* The first step that differs is named, with both values; the case
	 * was run again before. */
	struct hypervisor_ops liar = mock_hypervisor;

	(void)state;
	liar.discard = forgets_small_discards;
	expect_lie(&liar, "punch-4k",
		   "step 16 'd0 0 0': thp_split_pmd: model 1, real 0");
	liar = mock_hypervisor;
	liar.access = clears_twice;
	expect_lie(&liar, "touch-huge",
		   "step 0 'w0 0 10': zeroed_pages: model 1024, real 2048");
	liar = mock_hypervisor;
	liar.gauges = hides_a_page;
	expect_lie(&liar, "one-4k-of-2m",
		   "step 47 'd0 15872 0': rss_pages: model 16352, real 16351");
	liar = mock_hypervisor;
	liar.real = sees_other_faults;
	expect_lie(&liar, "touch-huge",
		   "step 16 'w0 16384 10': minor faults: model 32, real 33");
	liar = mock_hypervisor;
	liar.check = finds_fault;
	expect_lie(&liar, "touch-huge",
		   "after 16 steps: real host: a page is upside down");
}

/* The first run of a case meets khugepaged, so to speak; the second does not. */
static int strays_once(struct hypervisor *hv, uint32_t guest, pfn_t pfn,
		       unsigned int order, enum hv_access kind,
		       struct hv_events *ev)
{
	static _Thread_local char text[2];
	const int err = mock_hypervisor.access(hv, guest, pfn, order, kind, ev);

	if (pfn == 4096 && text[0]++ == 0)
		ev->zeroed_pages++;
	return err;
}

static void test_conformance__what_does_not_come_back_is_no_mismatch(
	void **state)
{
	/* A case that agrees when it is repeated counts as repeated, and what
	 * was seen first is told. */
	struct hypervisor_ops stray = mock_hypervisor;
	struct conformance_total t;
	struct seen s;

	(void)state;
	stray.access = strays_once;
	run(&stray, "touch-huge", &s, &t);
	ASSERT_U64("stray", t.mismatches, 0);
	ASSERT_U64("stray", t.repeats, 1);
	assert_non_null(strstr(s.first, "step 4 'w0 4096 10': zeroed_pages"));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_conformance__a_host_agrees_with_itself),
	cmocka_unit_test(test_conformance__a_stream_is_its_seed),
	cmocka_unit_test(test_conformance__no_such_case),
	cmocka_unit_test(test_conformance__hosts_that_cannot_be_had),
	cmocka_unit_test(test_conformance__options_that_a_host_does_not_have),
	cmocka_unit_test(test_conformance__streams_without_huge_pages),
	cmocka_unit_test(test_conformance__lies_are_found),
	cmocka_unit_test(
		test_conformance__what_does_not_come_back_is_no_mismatch),
};

TEST_MAIN(cases)
