/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small guest for tests of the buddy: one zone "Normal" of one node, no pcp,
 * watermarks 0, every page allocated. Expected lists are written as
 *
 *     "o0/M[1026 1030] o9/U[1536]"     head first, orders ascending
 */
#ifndef TESTS_ALLOC_FIXTURE_H
#define TESTS_ALLOC_FIXTURE_H

#include "alloc/internal.h"

/* All profiles, oldest first; NULL-ended. */
extern const char *const fixture_kernels[];

/* Fails the test on any error. */
struct alloc *fixture_create(const char *kernel, pfn_t start, pfn_t end);
/* The same with switches of the profile changed by the caller. */
struct alloc *fixture_create_profile(const struct alloc_profile *profile,
				     pfn_t start, pfn_t end,
				     unsigned int pageblock_order);
struct alloc *fixture_create_config(const struct alloc_config *config);

/* Free straight to the buddy. */
void fixture_put(struct alloc *a, pfn_t pfn, unsigned int order);
/* Choose a block in zone 0 with these AF_* flags. */
pfn_t fixture_take(struct alloc *a, enum migratetype mt, unsigned int order,
		   unsigned int flags);

/* The lists are these, and every invariant holds. */
void fixture_assert_lists(const char *row, const struct alloc *a,
			  unsigned int zone, const char *expected);
void fixture_assert_valid(const char *row, const struct alloc *a);

#endif
