/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The columns that an experiment can ask for (columns.h): which numbers of a
 * result they are made of, and how they are shown. All are computed from what a
 * cell holds; nothing is kept beside the counters.
 */
#include "bench/columns_internal.h"

#include <errno.h>
#include <string.h>

#define GIB ((double)(1 << 30))
#define MIB ((double)(1 << 20))
#define PAGE_MIB ((double)PAGE_SIZE / MIB)

#define REFAULTS "host.ept_violation_zero_4k", "host.ept_violation_zero_2m", \
	"host.ept_violation_zero_1g", \
	"host.ept_violation_lazy_4k", "host.ept_violation_lazy_2m", \
	"host.ept_violation_swap_in_4k", "host.ept_violation_swap_in_2m"

/* Order of a discarded block, by how it was discarded. */
#define DISCARDS(how) "host.discard_" how "_order0", \
	"host.discard_" how "_order1", "host.discard_" how "_order2", \
	"host.discard_" how "_order3", "host.discard_" how "_order4", \
	"host.discard_" how "_order5", "host.discard_" how "_order6", \
	"host.discard_" how "_order7", "host.discard_" how "_order8", \
	"host.discard_" how "_order9", "host.discard_" how "_order10"

#define METRIC(n, h, m, c, d, u, dec, run_wide) \
	{ { n, h }, COLUMN_METRIC, { m }, { NULL }, d, \
	  { .label = c, .name = n, .unit = u, .suffix = "", \
	    .decimals = dec }, run_wide }
#define COUNTER(n, h, d, u, dec, run_wide, ...) \
	{ { n, h }, COLUMN_SUM, { __VA_ARGS__ }, { NULL }, d, \
	  { .label = n, .name = n, .unit = u, .suffix = "", \
	    .decimals = dec }, run_wide }

const struct column columns[] = {
	METRIC("throughput", "iterations per second", "iterations_per_s",
	       "iterations/s", 1, "1/s", 0, false),
	{ { "ratio", "iterations per second over those of the first variant" },
	  COLUMN_RATIO, { "iterations_per_s" }, { NULL }, 1,
	  { .label = "ratio", .name = "ratio", .unit = "", .suffix = "",
	    .decimals = 4 }, false },
	METRIC("seconds", "length of the phase", "duration_s", "seconds", 1,
	       "s", 2, false),
	METRIC("lap1", "ms of the workload's first lap", "lap_1_s", "lap 1",
	       1e-3, "ms", 3, false),
	METRIC("lap2", "ms of the workload's second lap", "lap_2_s", "lap 2",
	       1e-3, "ms", 3, false),
	METRIC("lap3", "ms of the workload's third lap", "lap_3_s", "lap 3",
	       1e-3, "ms", 3, false),
	METRIC("lap4", "ms of the workload's fourth lap", "lap_4_s", "lap 4",
	       1e-3, "ms", 3, false),
	METRIC("lap5", "ms of the workload's fifth lap", "lap_5_s", "lap 5",
	       1e-3, "ms", 3, false),
	METRIC("resident", "GiB resident on the host when the window closes",
	       "host_rss_close_bytes", "resident", GIB, "GiB", 2, false),
	METRIC("huge", "MiB of these behind huge pages of the host",
	       "host_anon_huge_close_bytes", "huge", MIB, "MiB", 0, false),
	METRIC("free", "GiB free in the guest when the window closes",
	       "guest_free_close_bytes", "guest free", GIB, "GiB", 2, false),
	METRIC("reclaimed", "GiB that left the host, from the largest resident "
	       "size", "reclaimed_bytes", "reclaimed", GIB, "GiB", 2, false),
	METRIC("peak", "GiB of the host in use at most, its page cache apart",
	       "host_used_peak_bytes", "peak", GIB, "GiB", 2, true),
	COUNTER("fit", "guests that did their tasks before the end of "
		"launching", 1, "guests", 0, true, "host.guests_fit"),
	COUNTER("killed", "guests that were killed", 1, "guests", 0, true,
		"host.guests_killed"),
	COUNTER("swapped", "MiB that the host wrote to swap", 1 / PAGE_MIB,
		"MiB", 0, true, "host.pswpout"),
	METRIC("first", "seconds from the start of the phase to the first "
	       "discard", "first_discard_s", "first", 1, "s", 3, false),
	METRIC("t50", "seconds until half of the unused memory was reclaimed",
	       "reclaimed_50_s", "t50", 1, "s", 2, false),
	METRIC("t90", "until 90 % were", "reclaimed_90_s", "t90", 1, "s", 2,
	       false),
	METRIC("t99", "until 99 % were", "reclaimed_99_s", "t99", 1, "s", 2,
	       false),
	COUNTER("refaults", "EPT violations for memory the host had not got "
		"(any more)", 1, "violations", 0, false, REFAULTS),
	COUNTER("zeroed", "MiB cleared by the host", 1 / PAGE_MIB, "MiB", 0,
		false, "host.zeroed_pages"),
	COUNTER("splits", "huge mappings of the host split", 1, "regions", 0,
		true, "host.thp_split_pmd"),
	METRIC("walk", "memory references of a TLB miss's walk, for each page "
	       "accessed", "walk_refs_per_page", "walk", 1, "references", 1,
	       false),
	COUNTER("swapout", "MiB written to the host's swap", 1 / PAGE_MIB,
		"MiB", 0, true, "host.pswpout"),
	COUNTER("outfree", "MiB of these that were free in the guest",
		1 / PAGE_MIB, "MiB", 0, true,
		"host.swap_out_of_guest_free_pages"),
	COUNTER("swapin", "MiB read from the host's swap", 1 / PAGE_MIB, "MiB",
		0, true, "host.pswpin"),
	COUNTER("indead", "MiB of these that the guest then cleared",
		1 / PAGE_MIB, "MiB", 0, true, "host.swap_in_dead"),
	COUNTER("swapwait", "seconds spent waiting for the swap device", 1e9,
		"s", 1, true, "host.swap_wait_ns"),
	COUNTER("hold", "longest hold of a zone lock, in us", 1000, "us", 1,
		true, "lock.max_hold_ns"),
	COUNTER("nodes", "most list nodes touched in one hold", 1, "entries", 0,
		true, "reporter.longest_hold"),
	COUNTER("visits", "list nodes the design looked at", 1, "entries", 0,
		true, "reporter.list_visits"),
	COUNTER("reports", "requests to the host", 1, "calls", 0, true,
		"reporter.report_calls"),
	COUNTER("stalls", "allocations that waited for the host", 1, "calls", 0,
		true, "guest.alloc_stalls"),
	COUNTER("stalled", "ms for which they waited", 1e6, "ms", 1, true,
		"guest.alloc_stall_ns"),
	COUNTER("captured", "frees that the design remembered", 1, "calls", 0,
		true, "reporter.captured"),
	COUNTER("lost", "frees that found no room", 1, "calls", 0, true,
		"reporter.captures_lost"),
	COUNTER("isolated", "free blocks taken off their lists", 1, "blocks", 0,
		true, "alloc.isolated"),
	COUNTER("failed", "requests that ended without a page while the host "
		"had blocks", 1, "calls", 0, true,
		"reporter.failures_in_flight"),
	{ { "batch", "blocks per request" }, COLUMN_QUOTIENT,
	  { "reporter.discards" }, { "reporter.report_calls" }, 1,
	  { .label = "batch", .name = "batch", .unit = "blocks", .suffix = "",
	    .decimals = 1 }, true },
	{ { "wasted", "reported blocks used again within 2 s" },
	  COLUMN_QUOTIENT, { "reporter.wasted" }, { "reporter.discards" },
	  0.01, { .label = "wasted", .name = "wasted", .unit = "%",
		  .suffix = "%", .decimals = 1 }, true },
	{ { "again", "discarded pages that the host had not got" },
	  COLUMN_QUOTIENT, { "host.discard_unbacked_pages" },
	  { "host.discard_unbacked_pages", "host.discard_backed_pages" }, 0.01,
	  { .label = "again", .name = "again", .unit = "%", .suffix = "%",
	    .decimals = 1 }, true },
	{ { "smallest", "order of the smallest block discarded" },
	  COLUMN_FIRST, { DISCARDS("dontneed"), DISCARDS("free") }, { NULL },
	  1, { .label = "smallest", .name = "smallest", .unit = "order",
	       .suffix = "", .decimals = 0 }, true },
	{ .desc = { NULL, NULL } }
};

/* Of raw counters nobody can say. */
int column_better(const struct column_word *w)
{
	static const char *const up[] = {
		"throughput", "ratio", "huge", "reclaimed", "batch", NULL
	};
	static const char *const down[] = {
		"lap1", "lap2", "lap3", "lap4", "lap5", "resident",
		"first", "t50", "t90", "t99", "refaults", "zeroed",
		"splits", "hold", "nodes", "visits", "reports", "stalls",
		"stalled", "lost", "failed", "wasted", "again", "walk", NULL
	};

	for (size_t i = 0; up[i]; i++)
		if (!strcmp(up[i], w->name))
			return 1;
	for (size_t i = 0; down[i]; i++)
		if (!strcmp(down[i], w->name))
			return -1;
	return 0;
}

const struct column_desc *columns_list(size_t i)
{
	return &columns[i].desc;
}

/* Of the whole run, or of a phase; NULL if the cell has no such phase. */
static const struct result_values *values_of(const struct result_cell *c,
					     const struct column_word *w)
{
	const struct result_phase *p;

	if (w->scope == SCOPE_RUN)
		return &c->values;
	p = w->scope == SCOPE_PHASE ? result_phase(c, w->phase) :
				      cell_measured_phase(c);
	return p ? &p->values : NULL;
}

/* Those of the names that the cell has; false if it has none of them. */
static bool sum_of(const struct result_values *v, const char *const *names,
		   double *out)
{
	uint64_t sum = 0, n;
	bool any = false;

	for (size_t i = 0; names[i]; i++)
		if (result_counter(v, names[i], &n)) {
			sum += n;
			any = true;
		}
	*out = (double)sum;
	return any;
}

static bool first_of(const struct result_values *v, const char *const *names,
		     double *out)
{
	const size_t nr_orders = PAGE_MAX_ORDERS;
	size_t best = nr_orders;
	uint64_t n;

	for (size_t i = 0; names[i]; i++)
		if (result_counter(v, names[i], &n) && n &&
		    i % nr_orders < best)
			best = i % nr_orders;
	*out = (double)best;
	return best < nr_orders;
}

bool column_number(const struct column_word *w, const struct result_cell *c,
		   double *out)
{
	const struct result_values *v = values_of(c, w);
	const struct column *k = &w->column;
	double below;
	bool ok;

	if (!v)
		return false;
	switch (k->kind) {
	case COLUMN_METRIC:
	case COLUMN_RATIO:
		/* Some of the measured phase are the cell's alone. */
		ok = result_metric(v, k->of[0], out) ||
		     (w->scope == SCOPE_MEASURED &&
		      result_metric(&c->values, k->of[0], out));
		break;
	case COLUMN_SUM:
		ok = sum_of(v, k->of, out);
		break;
	case COLUMN_QUOTIENT:
		ok = sum_of(v, k->of, out) && sum_of(v, k->by, &below) &&
		     below > 0;
		if (ok)
			*out /= below;
		break;
	default:
		ok = first_of(v, k->of, out);
		break;
	}
	if (ok)
		*out /= k->scale;
	return ok;
}
