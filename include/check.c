/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens when an invariant is broken: one message with the expression,
 * both values and the context of the run, then abort(). The only state is the
 * context, one pointer per thread, used for nothing but the message.
 */
#include "include/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static _Thread_local const char *check_context;

void check_set_context(const char *text)
{
	check_context = text;
}

__attribute__((noreturn, cold)) static void check_die(void)
{
	if (check_context)
		fprintf(stderr, "  while: %s\n", check_context);
	fflush(stderr);
	abort();
}

void check_failed(const char *file, int line, const char *expr,
		  const char *fmt, ...)
{
	va_list args;

	/* Results written so far must not be lost behind the message. */
	fflush(stdout);
	fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, expr);
	fputs("  ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	check_die();
}

void check_cmp_failed(const char *file, int line, const char *expr,
		      uint64_t a, uint64_t b)
{
	fflush(stdout);
	fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, expr);
	fprintf(stderr, "  left = %" PRIu64 " (0x%" PRIx64 ")", a, a);
	fprintf(stderr, ", right = %" PRIu64 " (0x%" PRIx64 ")\n", b, b);
	check_die();
}
