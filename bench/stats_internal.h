/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of statistics. */
#ifndef BENCH_STATS_INTERNAL_H
#define BENCH_STATS_INTERNAL_H

#include "bench/stats.h"

/* At least `least` values, all of them finite? */
bool stats_usable(const struct stats_sample *s, size_t least);
/* A sorted copy for free(), or NULL. */
double *stats_sorted(const struct stats_sample *s);
double stats_mean_of(const struct stats_sample *s);
/* Root of the sum of the squared distances from the mean. */
double stats_root_squares(const struct stats_sample *s, double mean);

/* Regularized incomplete beta function I_x(a, b); a, b > 0, 0 <= x <= 1. */
double stats_beta(double a, double b, double x);
/* P(|T| >= |t|) of Student's distribution with df degrees of freedom. */
double stats_student_tails(double t, double df);

#endif
