/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results as OpenMetrics text. */
#ifndef BENCH_OPENMETRICS_H
#define BENCH_OPENMETRICS_H

#include <stdio.h>

#include "bench/results.h"

/* Counters and metrics of whole runs. 0, -ENOMEM or -EIO. */
int openmetrics_print(const struct results *r, FILE *out);

#endif
