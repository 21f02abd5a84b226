/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The three tables: throughput of the measured phase against the reference
 * variant, what the host had to do meanwhile, and memory at the end of each
 * phase. The measured phase is the last one.
 */
#include "bench/table_build.h"

#include <errno.h>
#include <string.h>

#define GIB ((double)(1 << 30))
#define MIB ((double)(1 << 20))

enum { THROUGHPUT, DEVIATION, RATIO, CHANGE };

static const struct grid_column throughput_columns[] = {
	[THROUGHPUT] = { .label = "iterations/s", .name = "iterations_per_s",
			 .unit = "1/s", .suffix = "" },
	[DEVIATION] = { .label = "dev", .name = "deviation", .unit = "%",
			.suffix = "%", .decimals = 2 },
	[RATIO] = { .label = "ratio", .name = "ratio", .unit = "",
		    .suffix = "", .decimals = 4, .wide_only = true },
	[CHANGE] = { .label = "change", .name = "change", .unit = "%",
		     .suffix = "%", .decimals = 2, .sign = true },
};

enum { RESIDENT, REPORTS, REFAULTS, ZEROED };

static const struct grid_column memory_columns[] = {
	[RESIDENT] = { .label = "resident", .name = "host_rss_end",
		       .unit = "GiB", .suffix = "", .decimals = 2 },
	[REPORTS] = { .label = "reports", .name = "report_calls",
		      .unit = "calls", .suffix = "", .decimals = 0 },
	[REFAULTS] = { .label = "refaults/s", .name = "refaults_per_s",
		       .unit = "1/s", .suffix = "", .decimals = 1 },
	[ZEROED] = { .label = "zeroed/s", .name = "host_zeroed_per_s",
		     .unit = "MiB/s", .suffix = "", .decimals = 1 },
};

enum { GUEST_FREE, HOST_RESIDENT };

static const struct grid_column footprint_columns[] = {
	[GUEST_FREE] = { .label = "guest free", .name = "guest_free_end",
			 .unit = "GiB", .suffix = "", .decimals = 2,
			 .range = true },
	[HOST_RESIDENT] = { .label = "resident", .name = "host_rss_end",
			    .unit = "GiB", .suffix = "", .decimals = 2,
			    .range = true },
};

/* One number of a cell; false if the cell has not got it. */
typedef bool (*cell_number_fn)(const struct result_cell *c, double *out);

static struct grid_value slot_value(const struct group_slot *s,
				    cell_number_fn fn)
{
	struct tally t = { 0 };
	double v;

	for (size_t i = 0; i < s->nr; i++)
		if (fn(s->cells[i], &v))
			tally_add(&t, v);
	return (struct grid_value){ t.nr > 0, tally_mean(&t), t.min, t.max };
}

static struct grid_value exactly(double v)
{
	return (struct grid_value){ true, v, v, v };
}

/* ---- what the tables show of a cell ---- */

static bool cell_throughput(const struct result_cell *c, double *out)
{
	return result_metric(&c->values, "iterations_per_s", out);
}

static bool cell_resident(const struct result_cell *c, double *out)
{
	const struct result_phase *p = cell_measured_phase(c);

	if (!result_metric(p ? &p->values : &c->values, "host_rss_end_bytes",
			   out))
		return false;
	*out /= GIB;
	return true;
}

static bool cell_reports(const struct result_cell *c, double *out)
{
	uint64_t n;

	if (!result_counter(&c->values, "reporter.report_calls", &n))
		return false;
	*out = (double)n;
	return true;
}

/* Sum of counters of the measured window, per second of it. */
static bool per_second(const struct result_cell *c, const char *const *names,
		       double *out)
{
	const struct result_phase *p = cell_measured_phase(c);
	uint64_t sum = 0, n;
	bool any = false;

	for (; p && *names; names++)
		if (result_counter(&p->values, *names, &n)) {
			sum += n;
			any = true;
		}
	if (!any || !p->measured_ns)
		return false;
	*out = (double)sum * (double)NSEC_PER_SEC / (double)p->measured_ns;
	return true;
}

/* Memory that the host had taken away and has to give again. */
static bool cell_refaults(const struct result_cell *c, double *out)
{
	static const char *const names[] = {
		"host.ept_violation_zero_2m", "host.ept_violation_zero_4k",
		"host.ept_violation_lazy_2m", "host.ept_violation_lazy_4k",
		"host.ept_violation_swap_in_2m",
		"host.ept_violation_swap_in_4k", NULL
	};

	return per_second(c, names, out);
}

static bool cell_zeroed(const struct result_cell *c, double *out)
{
	static const char *const names[] = { "host.zeroed_pages", NULL };

	if (!per_second(c, names, out))
		return false;
	*out *= (double)PAGE_SIZE / MIB;
	return true;
}

/* ---- rows and keys ---- */

static int keys_make(struct grid *t, const struct grouping *g,
		     struct arena *a, size_t nr_axes)
{
	t->nr_keys = nr_axes + 1;
	t->keys = arena_array(a, t->nr_keys, sizeof(*t->keys));
	t->key_names = arena_array(a, t->nr_keys, sizeof(*t->key_names));
	if (!t->keys || !t->key_names)
		return -ENOMEM;
	t->keys[0] = t->key_names[0] = "variant";
	for (size_t k = 0; k < nr_axes; k++) {
		t->keys[k + 1] = g->axis_labels[k];
		t->key_names[k + 1] = g->axes[k];
	}
	return 0;
}

static int row_make(struct grid_row *row, const struct grid *t,
		    const char *variant, const char *const *axes,
		    struct arena *a)
{
	row->keys = arena_array(a, t->nr_keys, sizeof(*row->keys));
	row->values = arena_array(a, t->nr_groups * t->nr_columns,
				  sizeof(*row->values));
	if (!row->keys || !row->values)
		return -ENOMEM;
	row->keys[0] = variant;
	for (size_t k = 1; k < t->nr_keys; k++)
		row->keys[k] = axes[k - 1];
	return 0;
}

/* Keys and empty rows of a table with one row per row of the grouping. */
static int table_make(struct grid *t, const struct grouping *g,
		      struct arena *a)
{
	int err = keys_make(t, g, a, g->nr_axes);

	t->groups = g->groups;
	t->nr_groups = g->nr_groups;
	t->rows = arena_array(a, g->nr_rows + 1, sizeof(*t->rows));
	if (!t->rows)
		return -ENOMEM;
	for (size_t r = 0; r < g->nr_rows && !err; r++) {
		err = row_make(&t->rows[r], t, g->rows[r].variant,
			       g->rows[r].axes, a);
		t->nr_rows += !err;
	}
	return err;
}

/* ---- throughput ---- */

static void compare_values(struct grid_value *v, const struct group_slot *ref,
			   bool is_ref)
{
	const struct grid_value base = slot_value(ref, cell_throughput);
	double ratio;

	if (!base.present || !v[THROUGHPUT].present || base.mean <= 0)
		return;
	ratio = v[THROUGHPUT].mean / base.mean;
	v[RATIO] = exactly(ratio);
	if (!is_ref)
		v[CHANGE] = exactly((ratio - 1.0) * 100.0);
}

static void throughput_values(struct grid_value *v,
			      const struct group_slot *s)
{
	const struct grid_value x = slot_value(s, cell_throughput);
	double above = x.max - x.mean, below = x.mean - x.min;

	v[THROUGHPUT] = x;
	if (x.present && x.mean > 0)
		v[DEVIATION] = exactly((above > below ? above : below) /
				       x.mean * 100.0);
}

int table_throughput(struct grid *t, const struct grouping *g,
		     struct arena *a)
{
	bool any = false;
	size_t r, i;
	int err;

	*t = (struct grid){
		.name = "throughput",
		.title = "Iterations per second, higher is better",
		.columns = throughput_columns,
		.nr_columns = ARRAY_SIZE(throughput_columns),
	};
	err = table_make(t, g, a);
	for (r = 0; r < g->nr_rows && !err; r++) {
		const struct group_row *ref = grouping_reference(g,
								 &g->rows[r]);

		for (i = 0; i < g->nr_groups; i++) {
			struct grid_value *v =
				&t->rows[r].values[i * t->nr_columns];

			throughput_values(v, &g->rows[r].slots[i]);
			any |= v[THROUGHPUT].mean > 0;
			if (ref)
				compare_values(v, &ref->slots[i],
					       ref == &g->rows[r]);
		}
	}
	if (!any)
		t->nr_rows = 0;
	return err;
}

/* ---- memory ---- */

int table_memory(struct grid *t, const struct grouping *g, struct arena *a)
{
	static const cell_number_fn fns[] = {
		[RESIDENT] = cell_resident, [REPORTS] = cell_reports,
		[REFAULTS] = cell_refaults, [ZEROED] = cell_zeroed,
	};
	size_t r, i, c;
	int err;

	*t = (struct grid){
		.name = "host",
		.title = "Host, lower is better",
		.note = "(resident: GiB at the end of the measured phase, "
			"lazily freed memory included; reports: calls in the "
			"whole run; refaults/s, zeroed/s: blocks and MiB that "
			"the host had to give again and to clear, per measured "
			"second)",
		.columns = memory_columns,
		.nr_columns = ARRAY_SIZE(memory_columns),
	};
	err = table_make(t, g, a);
	for (r = 0; r < g->nr_rows && !err; r++)
		for (i = 0; i < g->nr_groups; i++)
			for (c = 0; c < t->nr_columns; c++)
				t->rows[r].values[i * t->nr_columns + c] =
					slot_value(&g->rows[r].slots[i],
						   fns[c]);
	return err;
}

/* ---- footprint ---- */

/* Names of the phases, from the cell that has most of them. */
static int footprint_phases(struct grid *t, const struct grouping *g,
			    struct arena *a)
{
	const struct result_cell *most = NULL;
	const char **names;
	size_t r, i;

	for (r = 0; r < g->nr_rows; r++)
		for (i = 0; i < g->nr_groups; i++)
			if (g->rows[r].slots[i].nr &&
			    (!most || g->rows[r].slots[i].cells[0]->nr_phases >
					      most->nr_phases))
				most = g->rows[r].slots[i].cells[0];
	t->nr_groups = most ? most->nr_phases : 0;
	names = arena_array(a, t->nr_groups + 1, sizeof(*names));
	if (!names)
		return -ENOMEM;
	for (i = 0; i < t->nr_groups; i++)
		names[i] = most->phases[i].name;
	t->groups = names;
	return 0;
}

static void footprint_add(struct tally *t, const struct result_cell *c,
			  const char *phase, const char *metric)
{
	const struct result_phase *p = result_phase(c, phase);
	double v;

	if (p && result_metric(&p->values, metric, &v))
		tally_add(t, v / GIB);
}

/* Over all cells of a variant: workloads, axes and seeds. */
static struct grid_value footprint_value(const struct grouping *g,
					 const char *variant,
					 const char *phase, const char *metric)
{
	struct tally t = { 0 };
	size_t r, i, k;

	for (r = 0; r < g->nr_rows; r++) {
		const struct group_row *row = &g->rows[r];

		if (strcmp(row->variant, variant) != 0)
			continue;
		for (i = 0; i < g->nr_groups; i++)
			for (k = 0; k < row->slots[i].nr; k++)
				footprint_add(&t, row->slots[i].cells[k],
					      phase, metric);
	}
	return (struct grid_value){ t.nr > 0, tally_mean(&t), t.min, t.max };
}

static void footprint_values(const struct grid *t, const struct grouping *g,
			     struct grid_row *row)
{
	static const char *const metrics[] = {
		[GUEST_FREE] = "guest_free_end_bytes",
		[HOST_RESIDENT] = "host_rss_end_bytes",
	};

	for (size_t i = 0; i < t->nr_groups; i++)
		for (size_t c = 0; c < t->nr_columns; c++)
			row->values[i * t->nr_columns + c] =
				footprint_value(g, row->keys[0], t->groups[i],
						metrics[c]);
}

int table_footprint(struct grid *t, const struct grouping *g,
		    struct arena *a)
{
	size_t v;
	int err;

	*t = (struct grid){
		.name = "footprint",
		.title = "Memory at the end of each phase in GiB: free in the "
			 "guest, resident on the host",
		.note = "(a..b: from the smallest to the largest value of the "
			"variant's cells)",
		.columns = footprint_columns,
		.nr_columns = ARRAY_SIZE(footprint_columns),
	};
	err = keys_make(t, g, a, 0);
	if (!err)
		err = footprint_phases(t, g, a);
	t->rows = arena_array(a, g->nr_variants + 1, sizeof(*t->rows));
	if (!t->rows)
		return -ENOMEM;
	for (v = 0; v < g->nr_variants && t->nr_groups && !err; v++) {
		err = row_make(&t->rows[v], t, g->variants[v], NULL, a);
		if (err)
			break;
		footprint_values(t, g, &t->rows[v]);
		t->nr_rows++;
	}
	return err;
}
