/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host memory runs out while a device appears: each request of its set-up fails
 * once. The design says so, and the next try is as good as the first.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/alloc/fixture.h"
#include "tests/reporter/designs.h"
#include "tests/reporter/rig.h"
#include "tests/starve.h"
#include "tests/test.h"

/* Whether the nth request was there to fail. */
static bool set_up(const struct design *d, const void *options,
		   struct alloc *a, unsigned long nth)
{
	const struct sync_env_config cfg = { .ops = d->ops,
					     .options = options };
	char why[256] = "";
	struct sync_env e;
	bool failed;
	int err;

	starve_nth(nth);
	err = sync_env_init(&e, a, &cfg, why, sizeof(why));
	failed = starved();
	starve_nth(0);
	if (!failed) {
		assert_int_equal(err, 0);
		sync_env_destroy(&e);
		return false;
	}
	if (err != -ENOMEM || !strstr(why, "memory"))
		fail_msg("%s: %d, \"%s\" after request %lu failed",
			 d->ops->name, err, why, nth);
	assert_int_equal(sync_env_init(&e, a, &cfg, why, sizeof(why)), 0);
	sync_env_destroy(&e);
	return true;
}

static void test_design_memory__what_cannot_be_set_up_says_so(void **state)
{
	struct design all[MAX_DESIGNS];
	const size_t nr = all_designs(all);
	struct alloc *a = fixture_create("6.1", 0, 8192);

	(void)state;
	for (size_t i = 0; i < nr; i++) {
		void *options = rig_options(all[i].ops, all[i].options);
		unsigned long nth = 1;

		while (set_up(&all[i], options, a, nth))
			nth++;
		/* State and work items at the least. */
		assert_in_range(nth, 3, 100);
		nth = 1;
		while (set_up(&all[i], NULL, a, nth))
			nth++;
		free(options);
	}
	alloc_destroy(a);
}

/* The caller need not want to know. */
static void test_design_memory__without_room_for_a_reason(void **state)
{
	const struct sync_env_config cfg = { .ops = &none_reporter };
	struct alloc *a = fixture_create("6.1", 0, 8192);
	struct sync_env e;

	(void)state;
	starve_nth(1);
	assert_int_equal(sync_env_init(&e, a, &cfg, NULL, 0), -ENOMEM);
	starve_nth(0);
	alloc_destroy(a);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_design_memory__what_cannot_be_set_up_says_so),
	cmocka_unit_test(test_design_memory__without_room_for_a_reason),
};

TEST_MAIN(cases)
