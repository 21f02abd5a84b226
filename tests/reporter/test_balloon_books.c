/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a balloon owes its host, for every design that has a target, kept in
 * books beside it: units and remainders, the size of requests and their number,
 * one page for one when it is moved, and how much one OOM notification gives.
 * The books know nothing of the design but its options. At the end, designs
 * that break one of these are noticed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reporter/sync_env_calls.h"
#include "tests/alloc/fixture.h"
#include "tests/reporter/balloon_books.h"
#include "tests/test.h"

static size_t balloons(struct design *out)
{
	const size_t nr = all_designs(out);
	size_t n = 0;

	for (size_t i = 0; i < nr; i++)
		if (out[i].ops->set_target)
			out[n++] = out[i];
	assert_true(n > 0);
	return n;
}

static uint64_t div_round_up(uint64_t n, uint64_t by)
{
	return (n + by - 1) / by;
}

/* What a target comes to, and in how many blocks, if nothing is in the way. */
static uint64_t whole_units(const struct books *b, uint64_t target)
{
	return b->fallback ? target : target / b->unit * b->unit;
}

static uint64_t blocks_of(const struct books *b, uint64_t target)
{
	const uint64_t pages = whole_units(b, target);

	return pages / b->unit +
	       (unsigned int)__builtin_popcountll(pages % b->unit);
}

static const uint64_t targets[] = {
	0, 1, 255, 256, 257, 511, 512, 513, 700, 1024, 1536 + 1, 3 * 1024 - 1,
	8 * 1024,
};

static void check_target(const struct design *d, uint64_t target)
{
	const char *row = d->options;
	struct books b;

	books_begin(&b, d);
	books_inflate(&b, target);
	ASSERT_U64(row, b.rig->env.own_pages, whole_units(&b, target));
	ASSERT_U64(row, b.inflated, whole_units(&b, target));
	ASSERT_U64(row, b.deflated, 0);
	ASSERT_U64(row, b.nr_inflate,
		   div_round_up(blocks_of(&b, target), b.batch));
	ASSERT_U64(row, rig_counters(b.rig)->balloon_target,
		   whole_units(&b, target));
	/* From a larger balloon the same size is reached. */
	books_inflate(&b, target + 2 * b.unit);
	books_inflate(&b, target);
	ASSERT_U64(row, b.rig->env.own_pages, whole_units(&b, target));
	ASSERT_U64(row, b.inflated - b.deflated, whole_units(&b, target));
	books_inflate(&b, 0);
	ASSERT_U64(row, b.rig->env.own_pages, 0);
	ASSERT_U64(row, b.inflated, b.deflated);
	books_finish(&b);
}

static void test_balloon_books__units_and_requests(void **state)
{
	/* Targets of and beside whole units: the balloon holds what is asked
	 * for, less a remainder it has no units for, in as few requests. */
	struct design designs[MAX_DESIGNS];
	const size_t nr = balloons(designs);

	(void)state;
	for (size_t d = 0; d < nr; d++)
		for (size_t t = 0; t < ARRAY_SIZE(targets); t++)
			check_target(&designs[d], targets[t]);
}

static void test_balloon_books__bytes_are_units(void **state)
{
	/* The option is in bytes: 3 MiB and a page are one unit of 2 MiB, or
	 * all of it where there are smaller ones. */
	const uint64_t target = bytes_to_pages(3 << 20) + 1;
	struct design designs[MAX_DESIGNS];
	const size_t nr = balloons(designs);

	(void)state;
	for (size_t i = 0; i < nr; i++) {
		struct design d = designs[i];
		char words[256];
		struct books b;

		snprintf(words, sizeof(words), "%s target=3076K target_at=11s",
			 d.options);
		d.options = words;
		books_begin(&b, &d);
		sync_env_advance(&b.rig->env, 30 * NSEC_PER_SEC);
		ASSERT_U64(words, b.rig->env.own_pages,
			   whole_units(&b, target));
		ASSERT_U64(words, b.inflated, whole_units(&b, target));
		books_finish(&b);
	}
}

static pfn_t some_page(const struct books *b, pfn_t from)
{
	const struct reporter *r = &b->rig->env.reporter;

	for (pfn_t i = 0; i < NR_PAGES; i++)
		if (r->ops->owns_page(r, (from + i) % NR_PAGES))
			return (from + i) % NR_PAGES;
	return PFN_NONE;
}

static uint64_t pages_owned(const struct books *b)
{
	const struct reporter *r = &b->rig->env.reporter;
	uint64_t nr = 0;

	for (pfn_t pfn = 0; pfn < NR_PAGES; pfn++)
		nr += r->ops->owns_page(r, pfn);
	return nr;
}

/* Two requests of a page each: first the new one goes, then the old one. */
static void check_move(struct books *b, pfn_t from, pfn_t to)
{
	const uint64_t own = b->rig->env.own_pages, nr = pages_owned(b);
	const struct reporter *r = &b->rig->env.reporter;

	assert_int_equal(sync_env_migrate_page(&b->rig->env, from, to), 0);
	ASSERT_U64("own", b->rig->env.own_pages, own);
	ASSERT_U64("owned", pages_owned(b), nr);
	assert_true(r->ops->owns_page(r, to));
	assert_false(r->ops->owns_page(r, from));
	assert_int_equal(b->seen[1].kind, REQUEST_INFLATE);
	ASSERT_U64("new", b->seen[1].nr, 1);
	ASSERT_U64("new", b->seen[1].pfn, to);
	assert_int_equal(b->seen[0].kind, REQUEST_DEFLATE);
	ASSERT_U64("old", b->seen[0].nr, 1);
	ASSERT_U64("old", b->seen[0].pfn, from);
	rig_assert_valid(b->rig);
}

static void check_moves(const struct design *d)
{
	struct books b;
	pfn_t from, to;

	books_begin(&b, d);
	books_inflate(&b, 1600);
	for (unsigned int i = 0; i < 60; i++) {
		from = some_page(&b, 977 * i % NR_PAGES);
		if (from == PFN_NONE)
			break;
		to = fixture_take(b.rig->a, MIGRATE_MOVABLE, 0, 0);
		check_move(&b, from, to);
		alloc_free_buddy(b.rig->a, from, 0);
		ASSERT_U64("requests", b.inflated - b.deflated,
			   b.rig->env.own_pages);
	}
	/* A step is under way: nothing is moved, and nobody is told. */
	sync_env_set_target(&b.rig->env, 4 * 1024);
	sync_env_advance(&b.rig->env, 0);
	from = some_page(&b, 0);
	if (from != PFN_NONE) {
		const unsigned int told = b.nr_inflate + b.nr_deflate;
		const uint64_t nr = pages_owned(&b);

		to = fixture_take(b.rig->a, MIGRATE_MOVABLE, 0, 0);
		assert_int_equal(sync_env_migrate_page(&b.rig->env, from, to),
				 -EAGAIN);
		ASSERT_U64("owned", pages_owned(&b), nr);
		ASSERT_U64("told", b.nr_inflate + b.nr_deflate, told);
		alloc_free_buddy(b.rig->a, to, 0);
	}
	sync_env_advance(&b.rig->env, 20 * NSEC_PER_SEC);
	books_finish(&b);
}

static void test_balloon_books__a_moved_page_is_exchanged(void **state)
{
	/* While a page is moved the size is the same, and the host hears of
	 * one page in and one page out. */
	struct design designs[MAX_DESIGNS];
	const size_t nr = balloons(designs);

	(void)state;
	for (size_t d = 0; d < nr; d++)
		if (designs[d].ops->migrate_page)
			check_moves(&designs[d]);
}

/* What one notification may give, and gives as long as there is as much. */
static uint64_t oom_share(const struct books *b)
{
	uint64_t most = b->oom_pages > b->unit ? b->oom_pages : b->unit;

	if (most > b->batch * b->unit)
		most = b->batch * b->unit;
	return most < b->rig->env.own_pages ? most : b->rig->env.own_pages;
}

static void check_oom(const struct design *d)
{
	struct books b;
	uint64_t freed;

	books_begin(&b, d);
	books_inflate(&b, 3 * 1024 + 100);
	if (!b.notifier) {
		ASSERT_U64(d->options, sync_env_oom_notify(&b.rig->env), 0);
		books_finish(&b);
		return;
	}
	assert_true(b.rig->env.own_pages > 0);
	while (b.rig->env.own_pages) {
		const uint64_t own = b.rig->env.own_pages;
		const uint64_t share = oom_share(&b);

		freed = sync_env_oom_notify(&b.rig->env);
		ASSERT_U64(d->options, freed, own - b.rig->env.own_pages);
		assert_true(freed > 0 && freed <= share);
		ASSERT_U64(d->options, b.inflated - b.deflated,
			   b.rig->env.own_pages);
		rig_assert_valid(b.rig);
	}
	ASSERT_U64(d->options, sync_env_oom_notify(&b.rig->env), 0);
	/* While a step is with the host it has to be waited for. */
	sync_env_set_target(&b.rig->env, 2 * 1024);
	sync_env_advance(&b.rig->env, 0);
	assert_true(b.rig->env.own_pages > 0);
	assert_true(sync_env_oom_notify(&b.rig->env) == REPORTER_WAIT);
	ASSERT_U64(d->options, b.rig->env.stall_wakes, 0);
	sync_env_advance(&b.rig->env, NSEC_PER_MSEC);
	ASSERT_U64(d->options, b.rig->env.stall_wakes, 1);
	books_finish(&b);
}

static void test_balloon_books__one_oom_one_share(void **state)
{
	/* A notification frees 256 pages, or what the option says, or a unit;
	 * never more, and never nothing while there is something. */
	struct design designs[MAX_DESIGNS];
	const size_t nr = balloons(designs);
	unsigned int asked = 0;

	(void)state;
	for (size_t i = 0; i < nr; i++) {
		struct design d = designs[i];
		char words[256];

		if (!d.ops->oom_notify)
			continue;
		check_oom(&d);
		snprintf(words, sizeof(words), "%s batch=256 oom_pages=100 "
			 "deflate_on_oom=notifier", d.options);
		d.options = words;
		check_oom(&d);
		asked++;
	}
	assert_true(asked > 0);
}

/* ---- designs that break one of these ---- */

/* It rounds to the nearest unit. */
static void generous_target(struct reporter *r, uint64_t pages)
{
	balloon_reporter.set_target(r, pages + 256);
}

/* One notification empties it. */
static uint64_t greedy_oom(struct reporter *r)
{
	uint64_t freed = 0, now = 1;

	while (now && now != REPORTER_WAIT) {
		now = balloon_reporter.oom_notify(r);
		freed += now == REPORTER_WAIT ? 0 : now;
	}
	return freed;
}

/* It forgets to say which page it has now. */
static int quiet_call(void *ctx, const struct host_request *rq,
		      struct host_reply *reply)
{
	if (rq->kind == REQUEST_INFLATE) {
		*reply = (struct host_reply){ .err = 0 };
		return 0;
	}
	return sync_env_calls.call(ctx, rq, reply);
}

static void test_balloon_books__notice(void **state)
{
	/* The books of designs that are wrong are not as those above. */
	struct reporter_ops ops = balloon_reporter;
	const struct design wrong = { &ops, "deflate_on_oom=notifier "
				      "movable=on unit_order=9", false };
	struct books b;
	uint64_t share;
	pfn_t from;

	(void)state;
	ops.set_target = generous_target;
	ops.oom_notify = greedy_oom;
	books_begin(&b, &wrong);
	books_inflate(&b, 800);
	assert_true(b.rig->env.own_pages != whole_units(&b, 800));
	share = oom_share(&b);
	assert_true(sync_env_oom_notify(&b.rig->env) > share);
	books_inflate(&b, 800);
	b.rig->env.env.call = quiet_call;
	from = some_page(&b, 0);
	assert_int_equal(sync_env_migrate_page(&b.rig->env, from,
			 fixture_take(b.rig->a, MIGRATE_MOVABLE, 0, 0)), 0);
	alloc_free_buddy(b.rig->a, from, 0);
	assert_true(b.inflated - b.deflated != b.rig->env.own_pages);
	sync_env_set_target(&b.rig->env, 0);
	sync_env_advance(&b.rig->env, 20 * NSEC_PER_SEC);
	assert_non_null(strstr(b.broken, "never was"));
	b.broken[0] = '\0';
	books_finish(&b);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_balloon_books__units_and_requests),
	cmocka_unit_test(test_balloon_books__bytes_are_units),
	cmocka_unit_test(test_balloon_books__a_moved_page_is_exchanged),
	cmocka_unit_test(test_balloon_books__one_oom_one_share),
	cmocka_unit_test(test_balloon_books__notice),
};

TEST_MAIN(cases)
