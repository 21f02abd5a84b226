/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest with per-CPU lists and short programs that run on it, for the worked
 * examples. A program is a string of commands:
 *
 *     boot A B        hand [A,B) over as memblock does
 *     put P O         free straight to the buddy
 *     type P T        type of P's pageblock; U M R H C I
 *     a T O P         alloc, order O, is page P; P = - for none
 *     p T O P         the same from the per-CPU lists, no zone walk
 *     n T O COUNT     COUNT allocs, whatever they give
 *     f P O           free by the CPU
 *     b P O           free in a batch: prepare now; committed at `commit`
 *     commit          commit everything prepared, in order
 *     cpu N           the CPU from here on
 *     drain           all per-CPU lists
 */
#ifndef TESTS_ALLOC_PCP_FIXTURE_H
#define TESTS_ALLOC_PCP_FIXTURE_H

#include "tests/alloc/fixture.h"

/* One zone Normal [0, 8192), 2 CPUs, pcp(batch, high). */
struct alloc *pcp_guest(const char *kernel, uint32_t batch, uint32_t high);
/* The same with changed switches, and high in a range. */
struct alloc *pcp_guest_profile(const struct alloc_profile *profile,
				uint32_t batch, uint32_t high_min,
				uint32_t high_max);
void pcp_run(const char *row, struct alloc *a, const char *program);
/* "o0/M{1026 1025} count=2", head first; an empty pageset is "count=0". */
void pcp_assert(const char *row, const struct alloc *a, unsigned int cpu,
		const char *expected);
/* gfp of an ordinary request for this type. */
gfp_t type_gfp(enum migratetype mt);
/* Is `name` one of the words of `list`? */
bool kernel_in(const char *name, const char *list);

#define K5 "5.3 5.7 5.10"
#define K6 "6.1 6.12.0 6.12 6.18"
#define K612 "6.12.0 6.12 6.18"
#define K53_TO_61 K5 " 6.1"
#define EVERY K5 " " K6

#endif
