/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest for which there is no memory: each array cannot be had once. */
#include <errno.h>
#include <string.h>

#include "tests/alloc/fixture.h"
#include "tests/hypervisor/faults.h"
#include "tests/test.h"

static void test_no_memory__each_failing_allocation_is_an_error(void **state)
{
	/* -ENOMEM, a reason, no guest; and nothing of it stays mapped, which
	 * the leak check of the sanitizer sees. */
	static const struct {
		const char *call;
		unsigned int least;
	} rows[] = { { "mmap", 5 }, { "malloc", 6 } };
	const struct alloc_zone_config zone = {
		.type = ZONE_NORMAL, .end = 8192,
	};
	const struct alloc_config config = {
		.profile = alloc_profile_find("6.1"), .nr_cpus = 2,
		.nr_nodes = 1, .zones = &zone, .nr_zones = 1,
		.pageblock_order = 9,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct faults f = { .call = rows[i].call, .error = ENOMEM };
		struct alloc *a = NULL;

		for (f.at = 1; !a; f.at++) {
			const char *why = NULL;
			unsigned int seen;
			int err;

			faults_set(&f);
			err = alloc_create(&a, &config, &why);
			seen = faults_set(NULL);
			ASSERT_U64(rows[i].call, -err,
				   seen >= f.at ? ENOMEM : 0);
			if (err) {
				assert_null(a);
				assert_string_equal(why, "out of memory");
			}
		}
		assert_true(f.at - 2 >= rows[i].least);
		alloc_free_buddy(a, 0, 10);
		fixture_assert_valid(rows[i].call, a);
		alloc_destroy(a);
	}
	alloc_destroy(NULL);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_no_memory__each_failing_allocation_is_an_error),
};

TEST_MAIN(cases)
