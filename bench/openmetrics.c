/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results as OpenMetrics text, for whoever collects them: a file for the
 * textfile collector of node-exporter, or for a push gateway. Counters become
 * counters, metrics gauges; variant, seed and axes become labels.
 */
#include "bench/openmetrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

/* "host.thp_split_pmd" to "host_thp_split_pmd": letters, digits, _ */
static void put_name(const char *text, FILE *out)
{
	for (; *text; text++)
		fputc((*text >= 'a' && *text <= 'z') ||
		      (*text >= 'A' && *text <= 'Z') ||
		      (*text >= '0' && *text <= '9') ? *text : '_', out);
}

static void put_value_text(const char *text, FILE *out)
{
	for (; *text; text++)
		if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
}

static void put_label(const char *name, const char *value, FILE *out)
{
	put_name(name, out);
	fputs("=\"", out);
	put_value_text(value, out);
	fputc('"', out);
}

static void put_labels(const struct result_cell *c, FILE *out)
{
	fputc('{', out);
	put_label("experiment", c->experiment, out);
	fputc(',', out);
	put_label("variant", c->variant, out);
	fprintf(out, ",seed=\"%" PRIu64 "\"", c->seed);
	for (size_t i = 0; i < c->nr_axes; i++) {
		fputc(',', out);
		put_label(c->axes[i].name, c->axes[i].value, out);
	}
	fputc('}', out);
}

static void put_head(const char *name, const char *type, const char *help,
		     FILE *out)
{
	fputs("# TYPE buddylab_", out);
	put_name(name, out);
	fprintf(out, " %s\n", type);
	if (!help)
		return;
	fputs("# HELP buddylab_", out);
	put_name(name, out);
	fputc(' ', out);
	put_value_text(help, out);
	fputc('\n', out);
}

static const char *help_of(const struct sim_counter_desc *table,
			   const char *name)
{
	for (; table->name[0]; table++)
		if (!strcmp(table->name, name))
			return table->help;
	return NULL;
}

/* Has no earlier cell a counter, or a metric, of that name? */
static bool is_first(const struct results *r, size_t cell, const char *name,
		     bool counter)
{
	uint64_t n;
	double v;

	for (size_t i = 0; i < cell; i++)
		if (counter ? result_counter(&r->cells[i].values, name, &n) :
			      result_metric(&r->cells[i].values, name, &v))
			return false;
	return true;
}

/* All samples of a family stand together. */
static void put_counter(const struct results *r, const char *name,
			const struct sim_counter_desc *table, FILE *out)
{
	uint64_t n;

	put_head(name, "counter", help_of(table, name), out);
	for (size_t i = 0; i < r->nr_cells; i++) {
		if (!result_counter(&r->cells[i].values, name, &n))
			continue;
		fputs("buddylab_", out);
		put_name(name, out);
		fputs("_total", out);
		put_labels(&r->cells[i], out);
		fprintf(out, " %" PRIu64 "\n", n);
	}
}

static void put_metric(const struct results *r, const char *name, FILE *out)
{
	double v;

	put_head(name, "gauge", NULL, out);
	for (size_t i = 0; i < r->nr_cells; i++) {
		if (!result_metric(&r->cells[i].values, name, &v))
			continue;
		fputs("buddylab_", out);
		put_name(name, out);
		put_labels(&r->cells[i], out);
		fprintf(out, " %.17g\n", v);
	}
}

static void put_all(const struct results *r,
		    const struct sim_counter_desc *table, FILE *out)
{
	for (size_t i = 0; i < r->nr_cells; i++) {
		const struct result_values *v = &r->cells[i].values;

		for (size_t k = 0; k < v->nr_counters; k++)
			if (is_first(r, i, v->counters[k].name, true))
				put_counter(r, v->counters[k].name, table,
					    out);
		for (size_t k = 0; k < v->nr_metrics; k++)
			if (is_first(r, i, v->metrics[k].name, false))
				put_metric(r, v->metrics[k].name, out);
	}
	fputs("# EOF\n", out);
}

int openmetrics_print(const struct results *r, FILE *out)
{
	struct sim_counter_desc *table =
		calloc(SIM_MAX_COUNTERS + 1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	sim_counter_table(table);
	put_all(r, table, out);
	free(table);
	return fflush(out) || ferror(out) ? -EIO : 0;
}
