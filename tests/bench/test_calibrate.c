/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab calibrate`, apart from the measuring: facts of samples, prices of
 * facts, what is said of gaps. The facts are made up here.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/calibrate_internal.h"
#include "include/diag.h"
#include "tests/test.h"

static struct calibration *calibration(unsigned int procs)
{
	struct calibration *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->procs = procs;
	snprintf(c->machine, sizeof(c->machine), "a machine");
	return c;
}

/* A fact with ten samples that spread by so much. */
static void fact(struct calibration *c, const char *name, unsigned int procs,
		 double ns, double spread)
{
	double v[10];

	for (unsigned int i = 0; i < 10; i++)
		v[i] = i < 3 ? ns * (1 - spread) :
		       i < 7 ? ns : ns * (1 + spread);
	fact_add(c, name, procs, v, 10);
}

static void test_calibrate__fact_is_a_median_with_its_spread(void **state)
{
	/* 80 % of the samples lie between the tenth from either end. */
	static const struct {
		double v[11];
		size_t n;
		double median, spread;
	} rows[] = {
		{ { 7 }, 1, 7, 0 },
		{ { 3, 1, 2 }, 3, 2, 0.5 },
		{ { 1000, 9, 10, 11, 10, 10, 10, 10, 10, 10, 0 }, 11, 10,
		  0.1 },
		{ { 0, 0, 0 }, 3, 0, 0 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct calibration *c = calibration(1);
		const struct fact *f;
		double v[11];

		memcpy(v, rows[i].v, sizeof(v));
		fact_add(c, "x", 1, v, rows[i].n);
		f = fact_find(c, "x", 1);
		assert_non_null(f);
		assert_null(fact_find(c, "x", 2));
		assert_null(fact_find(c, "y", 1));
		if (f->ns != rows[i].median || f->spread > rows[i].spread + 1e-9
		    || f->spread < rows[i].spread - 1e-9)
			fail_msg("row %u: %f +- %f", i, f->ns, f->spread);
		ASSERT_U64(test_row(i), f->samples, rows[i].n);
		free(c);
	}
}

static void test_calibrate__prices_are_made_of_facts(void **state)
{
	/* What each price is, at one process and at four, in picoseconds. */
	static const struct {
		enum price_id id;
		uint64_t one, four;
	} rows[] = {
		{ PRICE_FAULT_THP, 512 * 300000, 512 * 600000 },
		{ PRICE_ZERO_2M, 100000000, 250000000 },
		{ PRICE_GUEST_ZERO_2M, 100000000, 250000000 },
		{ PRICE_GUEST_REZERO_2M, 40000000, 90000000 },
		{ PRICE_TOUCH, 15000, 15000 },
		{ PRICE_WALK_REF, 2000, 2000 },
		{ PRICE_DISCARD_4K, 80000, 80000 },
		{ PRICE_DISCARD_CALL, 1320000, 1320000 },
		{ PRICE_DISCARD_2M, 5000000, 5000000 },
		{ PRICE_MIGRATE_4K, 500000, 500000 },
	};
	struct calibration *c = calibration(4);
	struct price_list l;

	(void)state;
	fact(c, "page_fault1_thp", 1, 300, 0.01);
	fact(c, "page_fault1_thp", 4, 600, 0.01);
	fact(c, "clear_2m_cold", 1, 100000, 0.1);
	fact(c, "clear_2m_cold", 2, 150000, 0.1);
	fact(c, "clear_2m_cold", 4, 250000, 0.1);
	fact(c, "clear_2m_again", 1, 40000, 0.1);
	fact(c, "clear_2m_again", 4, 90000, 0.1);
	fact(c, "store_huge", 1, 15, 0.01);
	fact(c, "store_small", 1, 23, 0.01);
	fact(c, "discard_order0", 1, 1400, 0.01);
	fact(c, "discard_order8", 1, 1400 + 255 * 80, 0.01);
	fact(c, "discard_order9", 1, 6000, 0.01);
	fact(c, "discard_order10", 1, 11000, 0.01);
	fact(c, "collapse_2m", 1, 256000, 0.01);
	calibrate_prices(c, &l);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct price *p = &l.p[rows[i].id];

		ASSERT_U64(price_name(rows[i].id), p->ps_1, rows[i].one);
		ASSERT_U64(price_name(rows[i].id), p->ps_n, rows[i].four);
		ASSERT_U64(price_name(rows[i].id), p->tasks,
			   rows[i].one == rows[i].four ? 1 : 4);
		ASSERT_U64(price_name(rows[i].id), p->tag, PRICE_MEASURED);
		assert_non_null(strstr(p->source, "a machine"));
		assert_non_null(strstr(p->source, "+-"));
	}
	free(c);
}

static void test_calibrate__what_is_not_known_keeps_its_price(void **state)
{
	/* No facts at all; differences that the spread swallows, or that are
	 * none; and samples that are all over the place. */
	struct calibration *c = calibration(1);
	struct price_list builtin, l;

	(void)state;
	price_list_default(&builtin);
	calibrate_prices(c, &l);
	assert_memory_equal(&l.p, &builtin.p, sizeof(l.p));
	fact(c, "store_huge", 1, 15, 0.2);
	fact(c, "store_small", 1, 16, 0.2);
	fact(c, "discard_order9", 1, 6000, 0.01);
	fact(c, "discard_order10", 1, 5000, 0.01);
	fact(c, "collapse_2m", 1, 512000, 1.5);
	calibrate_prices(c, &l);
	ASSERT_U64("migrate_4k", l.p[PRICE_MIGRATE_4K].ps_1,
		   builtin.p[PRICE_MIGRATE_4K].ps_1);
	ASSERT_U64("walk_ref", l.p[PRICE_WALK_REF].tag, PRICE_LITERATURE);
	ASSERT_U64("discard_2m", l.p[PRICE_DISCARD_2M].ps_1,
		   builtin.p[PRICE_DISCARD_2M].ps_1);
	ASSERT_U64("touch", l.p[PRICE_TOUCH].tag, PRICE_MEASURED);
	free(c);
}

static void test_calibrate__numbers_of_processes(void **state)
{
	/* Powers of two, and the most, whether it is one of them or not. */
	static const struct { unsigned int most, steps[8]; } rows[] = {
		{ 1, { 1, 0 } }, { 2, { 1, 2, 0 } }, { 6, { 1, 2, 4, 6, 0 } },
		{ 16, { 1, 2, 4, 8, 16, 0 } },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct calibration *c = calibration(rows[i].most);
		unsigned int n = 0;

		for (unsigned int k = 0; k == 0 || n; k++) {
			n = calibrate_next_procs(c, n);
			ASSERT_U64(test_row(i), n, rows[i].steps[k]);
		}
		free(c);
	}
}

static void test_calibrate__printed_file_reads_back(void **state)
{
	/* Facts and gaps are comments; the prices are the same again. */
	struct calibration *c = calibration(2);
	char *text = NULL, path[] = "/tmp/buddylab-test-XXXXXX";
	struct price_list l, again;
	struct diag d = { 0 };
	size_t size;
	FILE *f = open_memstream(&text, &size);
	int fd = mkstemp(path);

	(void)state;
	assert_true(f && fd >= 0);
	fact(c, "clear_2m_cold", 1, 100000, 0.1);
	fact(c, "clear_2m_cold", 2, 130000, 0.1);
	fact(c, "page_fault1_thp", 1, 400, 0.1);
	fact(c, "page_fault1_thp_unmap", 1, 10, 0.1);
	gap_add(c, "collapse_2m", "MADV_COLLAPSE: %s", "not here");
	calibrate_prices(c, &l);
	calibrate_print(c, &l, f);
	fclose(f);
	assert_non_null(strstr(text, "# not measured: collapse_2m: "
			       "MADV_COLLAPSE: not here\n"));
	assert_non_null(strstr(text, "0.476 cold (--zero-share)"));
	f = fdopen(fd, "w");
	fputs(text, f);
	fclose(f);
	price_list_default(&again);
	if (price_list_read(&again, path, &d))
		fail_msg("%s", d.last);
	remove(path);
	for (unsigned int i = 0; i < NR_PRICES; i++) {
		ASSERT_U64(test_row(i), again.p[i].ps_1, l.p[i].ps_1);
		ASSERT_U64(test_row(i), again.p[i].ps_n, l.p[i].ps_n);
		ASSERT_U64(test_row(i), again.p[i].tasks, l.p[i].tasks);
		ASSERT_U64(test_row(i), again.p[i].tag, l.p[i].tag);
		assert_string_equal(again.p[i].source, l.p[i].source);
	}
	free(text);
	free(c);
}

static void test_calibrate__threads_clear_their_own_share(void **state)
{
	/* One thread, then two; the numbers are a machine's, their count not.
	 * The thread sanitizer sees what they share. */
	static const char *const names[] = {
		"clear_2m_cold", "clear_2m_again", "clear_4k_cold",
		"clear_4k_again"
	};
	struct calibration *c = calibration(2);

	(void)state;
	c->cold_bytes = 4 * HPAGE_PMD_SIZE;
	c->cold = aligned_alloc(HPAGE_PMD_SIZE, c->cold_bytes);
	c->slice_ns = NSEC_PER_MSEC;
	c->deadline_ns = calibrate_now_ns() + 1000 * NSEC_PER_SEC;
	assert_non_null(c->cold);
	memset(c->cold, 1, c->cold_bytes);
	assert_int_equal(measure_clears(c), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		for (unsigned int n = 1; n <= 2; n++)
			if (!fact_find(c, names[i], n))
				fail_msg("%s of %u", names[i], n);
	/* The first region of each share was cleared, if no more. */
	for (size_t i = 0; i < c->cold_bytes; i += HPAGE_PMD_SIZE / 2)
		if (i % (2 * HPAGE_PMD_SIZE) < HPAGE_PMD_SIZE)
			assert_int_equal(c->cold[i], 0);
	assert_int_equal(c->nr_gaps, 0);
	free(c->cold);
	free(c);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_calibrate__fact_is_a_median_with_its_spread),
	cmocka_unit_test(test_calibrate__prices_are_made_of_facts),
	cmocka_unit_test(test_calibrate__what_is_not_known_keeps_its_price),
	cmocka_unit_test(test_calibrate__numbers_of_processes),
	cmocka_unit_test(test_calibrate__printed_file_reads_back),
	cmocka_unit_test(test_calibrate__threads_clear_their_own_share),
};

TEST_MAIN(cases)
