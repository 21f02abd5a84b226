/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A promise of every design that isolates: for the check() of each. */
#ifndef REPORTER_IN_FLIGHT_H
#define REPORTER_IN_FLIGHT_H

#include "reporter/reporter.h"

/*
 * What the host has is off the lists, whole, and of min_order at least. NULL,
 * or what is wrong.
 */
const char *in_flight_check(const struct reporter *r,
			    const struct page_report *entries, unsigned int nr,
			    unsigned int min_order);

#endif
