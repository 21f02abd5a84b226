/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sparse arrays are zeroed, huge, and cost what is touched of them. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "include/sparse.h"
#include "tests/test.h"

/* Resident pages of [p, p + bytes). */
static size_t resident_pages(void *p, size_t bytes)
{
	static unsigned char map[65536];
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t nr = 0;

	assert_true(bytes / page <= sizeof(map));
	assert_int_equal(mincore(p, bytes, map), 0);
	for (size_t i = 0; i < bytes / page; i++)
		nr += map[i] & 1;
	return nr;
}

static void test_sparse__one_touch_commits_one_page(void **state)
{
	/* 64 MiB of zeroes; one write in each 2 MiB commits 32 pages. */
	const size_t bytes = 64 << 20;
	unsigned char *p = sparse_alloc(bytes, 1);

	(void)state;
	assert_non_null(p);
	ASSERT_U64("untouched", resident_pages(p, bytes), 0);
	for (size_t at = 4096 * 5; at < bytes; at += 2 << 20) {
		assert_int_equal(p[at], 0);
		p[at] = 1;
	}
	ASSERT_U64("touched", resident_pages(p, bytes), 32);
	sparse_free(p, bytes, 1);
}

static void test_sparse__reserves_more_than_memory(void **state)
{
	/* Page records of a 1 TiB guest: 4 GiB of which nothing is used. */
	const size_t nr = (size_t)1 << 28;
	uint64_t *p = sparse_alloc(nr, 16);

	(void)state;
	assert_non_null(p);
	p[2 * nr - 1] = 1;
	ASSERT_U64("first", p[0], 0);
	sparse_free(p, nr, 16);
}

static void test_sparse__impossible_sizes_are_refused(void **state)
{
	/* Products that do not fit, or exceed any address space: NULL. */
	(void)state;
	errno = 0;
	assert_null(sparse_alloc(SIZE_MAX, 2));
	assert_int_equal(errno, ENOMEM);
	errno = 0;
	assert_null(sparse_alloc(SIZE_MAX / 2, 2));
	assert_int_equal(errno, ENOMEM);
}

static void test_sparse__empty_array_and_null_are_fine(void **state)
{
	/* An array without members can be made, and nothing can be freed. */
	void *p = sparse_alloc(0, 16);

	(void)state;
	assert_non_null(p);
	sparse_free(p, 0, 16);
	sparse_free(NULL, 5, 16);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_sparse__one_touch_commits_one_page),
	cmocka_unit_test(test_sparse__reserves_more_than_memory),
	cmocka_unit_test(test_sparse__impossible_sizes_are_refused),
	cmocka_unit_test(test_sparse__empty_array_and_null_are_fine),
};

TEST_MAIN(cases)
