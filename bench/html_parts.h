/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an HTML page has beside its tables. */
#ifndef BENCH_HTML_PARTS_H
#define BENCH_HTML_PARTS_H

#include "bench/grid.h"
#include "bench/results.h"

/*
 * Draw all figures of the results and name them in the page, with all options.
 * Figures that cannot be drawn are left out, which is said on standard error and
 * in the page. 0 or -ENOMEM.
 */
int page_add_html(struct page *p, const struct results *r, struct arena *a);

#endif
