/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CHECK(): an invariant of the model, tested in every build. A failure prints
 * both values and the context set by check_set_context() (seed, virtual time)
 * and aborts: a broken model must never produce a number. Bad input is never
 * a CHECK; it is an error message (include/diag.h).
 */
#ifndef INCLUDE_CHECK_H
#define INCLUDE_CHECK_H

#include <stdint.h>

__attribute__((noreturn, cold, format(printf, 4, 5)))
void check_failed(const char *file, int line, const char *expr,
		  const char *fmt, ...);

__attribute__((noreturn, cold))
void check_cmp_failed(const char *file, int line, const char *expr,
		      uint64_t a, uint64_t b);

/* Text printed with a failure, per thread; NULL clears. Not copied. */
void check_set_context(const char *text);

#define CHECK(cond)                                                           \
	do {                                                                  \
		if (__builtin_expect(!(cond), 0))                             \
			check_failed(__FILE__, __LINE__, #cond, "%s", "");    \
	} while (0)

#define CHECK_MSG(cond, ...)                                                  \
	do {                                                                  \
		if (__builtin_expect(!(cond), 0))                             \
			check_failed(__FILE__, __LINE__, #cond, __VA_ARGS__); \
	} while (0)

#define CHECK_CMP(a, op, b)                                                   \
	do {                                                                  \
		const uint64_t check_a_ = (uint64_t)(a);                      \
		const uint64_t check_b_ = (uint64_t)(b);                      \
		if (__builtin_expect(!(check_a_ op check_b_), 0))             \
			check_cmp_failed(__FILE__, __LINE__,                  \
					 #a " " #op " " #b, check_a_,         \
					 check_b_);                           \
	} while (0)

#define CHECK_EQ(a, b) CHECK_CMP(a, ==, b)
#define CHECK_LE(a, b) CHECK_CMP(a, <=, b)
#define CHECK_LT(a, b) CHECK_CMP(a, <, b)

#endif
