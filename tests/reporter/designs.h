/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every design, with the options under which it goes through the contract. */
#ifndef TESTS_REPORTER_DESIGNS_H
#define TESTS_REPORTER_DESIGNS_H

#include "reporter/reporter.h"

struct design {
	const struct reporter_ops *ops;
	const char *options;
};

static const struct design designs[] = {
	{ &none_reporter, "" },
	{ &skeleton_reporter, "" },
	{ &skeleton_reporter, "capacity=3 delay=300ms" },
	{ &page_reporting_reporter, "capacity=4" },
	{ &page_reporting_reporter, "capacity=1 rotation=off budget=0" },
	{ &page_reporting_reporter,
	  "capacity=4 placement=head order=3 watermark_gate=off" },
	{ &page_reporting_reporter,
	  "capacity=7 placement=tail isolate_check=off delay=100ms" },
	{ &hinted_boundary_reporter, "capacity=4 threshold=2" },
	{ &hinted_boundary_reporter, "" },
	{ &hinted_boundary_reporter, "capacity=5 threshold=1 order=3" },
};

#endif
