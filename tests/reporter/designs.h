/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes through the contract: every registered design with its defaults,
 * and these variants, chosen to keep a small guest busy.
 */
#ifndef TESTS_REPORTER_DESIGNS_H
#define TESTS_REPORTER_DESIGNS_H

#include "cli/registry.h"
#include "include/check.h"
#include "reporter/reporter.h"

struct design {
	const struct reporter_ops *ops;
	const char *options;
	bool reports;   /* on a busy small guest it must have something */
};

static const struct design variants[] = {
	{ &percpu_array_reporter, "capacity=9 threshold=4", true },
	{ &percpu_array_reporter, "capacity=2 order=3", true },
	{ &percpu_array_reporter,
	  "variant=v8-snapshot capacity=20 threshold=9 wake_latency=30ms",
	  true },
	{ &percpu_array_reporter, "variant=v9 order=7 threshold=2 capacity=5",
	  true },
	{ &zone_bitmap_reporter, "capacity=3 threshold=2", true },
	{ &zone_bitmap_reporter,
	  "variant=v11 capacity=4 threshold=3 clear=if_free order=5", true },
	{ &per_free_reporter, "", true },
	{ &per_free_reporter, "order=0 at=free", true },
	{ &skeleton_reporter, "capacity=3 delay=300ms", true },
	{ &page_reporting_reporter, "capacity=4", true },
	{ &page_reporting_reporter, "capacity=1 rotation=off budget=0", true },
	{ &page_reporting_reporter,
	  "capacity=4 placement=head order=3 watermark_gate=off", true },
	{ &page_reporting_reporter,
	  "capacity=7 placement=tail isolate_check=off delay=100ms", true },
	{ &page_reporting_reporter,
	  "capacity=4 scale_capacity=on factor=5 watermark_gate=off", true },
	{ &host_zeroed_reporter, "capacity=4", true },
	{ &host_zeroed_reporter, "capacity=5 order=3 budget=0 delay=100ms",
	  true },
	{ &pull_bitmap_reporter, "capacity=5", true },
	{ &pull_bitmap_reporter, "capacity=2 order=9 cursor=restart", true },
	{ &pull_bitmap_reporter, "variant=per_cpu capacity=7", true },
	{ &pull_bitmap_reporter,
	  "variant=per_cpu remote_clear=lazy_validate order=3", true },
	{ &ideal_reporter, "capacity=3 delay=300ms", true },
	{ &ideal_reporter, "capacity=1 order=10 delay=0s", true },
	{ &hinted_boundary_reporter, "capacity=4 threshold=2", true },
	{ &hinted_boundary_reporter, "capacity=5 threshold=1 order=3", true },
	{ &balloon_reporter, "batch=7 deflate_on_oom=notifier", false },
	{ &balloon_reporter, "target=8M target_at=1s stats=500ms "
	  "deflate_on_oom=release retry=10ms", false },
	{ &balloon_reporter, "unit_order=9 queue=range batch=3", false },
	{ &balloon_reporter, "unit_order=host movable=on fallback=on "
	  "direct_compaction=on batch=5", false },
	{ &balloon_reporter, "unit_order=4 fallback=on", false },
	{ &hinted_boundary_reporter, "variant=may2019 capacity=2", true },
	{ &hinted_boundary_reporter, "variant=may2019 capacity=3 order=6",
	  true },
	{ &free_page_hint_reporter, "queue=4 rounds=3 round=700ms", false },
	{ &free_page_hint_reporter, "start_at=0s limit=16M", false },
	{ &hinted_boundary_reporter, "variant=v10 capacity=4 threshold=2",
	  true },
	{ &hinted_boundary_reporter,
	  "variant=v10 capacity=3 threshold=1 order=4 watermark_gate=on",
	  true },
};

#define MAX_DESIGNS 64

/* Fill `out` (MAX_DESIGNS entries); returns how many. */
static inline size_t all_designs(struct design *out)
{
	size_t nr = 0;

	for (; registry.reporters[nr]; nr++) {
		CHECK_LT(nr + ARRAY_SIZE(variants), MAX_DESIGNS);
		out[nr] = (struct design){ registry.reporters[nr], "", false };
	}
	for (size_t i = 0; i < ARRAY_SIZE(variants); i++)
		out[nr++] = variants[i];
	return nr;
}

#endif
