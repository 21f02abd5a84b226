/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * No reporting at all: the baseline of every comparison. The host learns
 * nothing, and no path of the allocator is touched.
 */
#include "reporter/reporter.h"

static const struct option_desc none_options[] = { { .name = NULL } };

static int none_init(struct reporter *r, char *why, size_t why_size)
{
	(void)r;
	(void)why;
	(void)why_size;
	return 0;
}

static void none_ignore(struct reporter *r)
{
	(void)r;
}

static void none_drain(struct reporter *r, struct page_report *entries,
		       unsigned int nr, int err)
{
	(void)r;
	(void)entries;
	(void)nr;
	(void)err;
}

static bool none_idle(const struct reporter *r)
{
	(void)r;
	return true;
}

static const char *none_check(const struct reporter *r)
{
	return r->counters.report_calls || r->counters.requests ?
	       "none: it has reported something" : NULL;
}

const struct reporter_ops none_reporter = {
	.name = "none",
	.summary = "no reporting: the host learns nothing",
	.options = { .descs = none_options, .size = 0 },
	.init = none_init,
	.start = none_ignore,
	.process = none_ignore,
	.drain = none_drain,
	.stop = none_ignore,
	.idle = none_idle,
	.check = none_check,
	.destroy = none_ignore,
};
