/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures of `buddylab bench` as a table and as JSON. docs/performance.md */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "bench/selfbench.h"
#include "bench/version.h"

#define SCHEMA 1

static const struct selfbench_result *find(const struct selfbench_report *r,
					   const char *name)
{
	for (size_t i = 0; i < r->nr; i++)
		if (!strcmp(r->results[i].row->name, name))
			return r->results[i].status == SELFBENCH_DONE ?
			       &r->results[i] : NULL;
	return NULL;
}

bool selfbench_ratio(const struct selfbench_report *r,
		     const struct selfbench_ratio *ratio, double *out)
{
	const struct selfbench_result *of = find(r, ratio->of);
	const struct selfbench_result *over = find(r, ratio->over);

	if (!of || !over || over->value.median <= 0)
		return false;
	*out = of->value.median / over->value.median;
	return true;
}

const char *selfbench_ratio_verdict(const struct selfbench_ratio *ratio,
				    double value)
{
	if (ratio->goal <= 0)
		return NULL;
	return value <= ratio->goal ? "met" : "missed";
}

static void print_ratio(const struct selfbench_report *r,
			const struct selfbench_ratio *ratio, FILE *out)
{
	const char *verdict;
	double v;

	if (!selfbench_ratio(r, ratio, &v))
		return;
	fprintf(out, "%s: %.2f", ratio->what, v);
	verdict = selfbench_ratio_verdict(ratio, v);
	if (verdict)
		fprintf(out, " (goal <=%g: %s)", ratio->goal, verdict);
	fputc('\n', out);
}

static void print_machine(const struct selfbench_machine *m, FILE *out)
{
	fprintf(out, "%s: %u packages, %u cores, %u CPUs, %u nodes, "
		"%llu MiB%s\n", m->cpu, m->packages, m->cores, m->pus, m->nodes,
		(unsigned long long)(m->memory >> 20),
		m->assumed ? " (not this machine)" : "");
	fprintf(out, "%s; %s; %s, %s\n", m->caches, m->kernel, m->compiler,
		m->build);
	fprintf(out, "load average at the start %.2f; rates and times are of "
		"CPU time, wall time apart\n\n", m->load);
}

/* "> 60" for a rate, "< 3" for a time. */
static void target_text(const struct selfbench_row *row, double target,
			char *out, size_t size)
{
	if (row->goal <= 0)
		snprintf(out, size, "-");
	else
		snprintf(out, size, "%s%g", row->higher ? ">=" : "<=", target);
}

static void print_row(const struct selfbench_result *r, FILE *out)
{
	char goal[32], floor[32];

	target_text(r->row, r->row->goal, goal, sizeof(goal));
	target_text(r->row, r->row->floor, floor, sizeof(floor));
	fprintf(out, "%-24s ", r->row->name);
	if (r->status == SELFBENCH_DONE)
		fprintf(out, "%10.4g %10.4g %10.4g", r->value.min,
			r->value.median, r->value.max);
	else
		fprintf(out, "%10s %10s %10s", "-", "-", "-");
	fprintf(out, "  %-14s %8s %8s %-7s %9.3f %9.3f\n", r->row->unit, goal,
		floor, selfbench_verdict(r), r->cpu_s.median, r->wall_s.median);
}

void selfbench_print_text(const struct selfbench_report *r, FILE *out)
{
	size_t i;

	print_machine(r->machine, out);
	fprintf(out, "%-24s %10s %10s %10s  %-14s %8s %8s %-7s %9s %9s\n",
		"row", "min", "median", "max", "unit", "goal", "floor", "",
		"CPU s", "wall s");
	for (i = 0; i < r->nr; i++)
		print_row(&r->results[i], out);
	for (i = 0; i < r->nr; i++)
		if (r->results[i].status != SELFBENCH_DONE)
			fprintf(out, "%s: %s: %s\n", r->results[i].row->name,
				r->results[i].status == SELFBENCH_SKIPPED ?
				"skipped" : "failed", r->results[i].why);
	for (i = 0; i < r->nr_ratios; i++)
		print_ratio(r, &r->ratios[i], out);
}

/* ---- JSON ---- */

/* Names come from the machine and may be anything. */
static json_t *text_json(const char *s)
{
	json_t *j = json_string(s);

	return j ? j : json_string("(not UTF-8)");
}

static json_t *spread_json(const struct selfbench_spread *s)
{
	return json_pack("{s:f, s:f, s:f}", "min", s->min, "median", s->median,
			 "max", s->max);
}

static json_t *samples_json(const struct selfbench_result *r)
{
	json_t *list = json_array();

	for (unsigned int i = 0; list && i < r->nr; i++)
		json_array_append_new(list, json_real(r->samples[i].value));
	return list;
}

static json_t *row_json(const struct selfbench_result *r)
{
	static const char *const status[] = { "done", "skipped", "failed" };
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s}",
			      "name", r->row->name, "what", r->row->what,
			      "unit", r->row->unit, "status",
			      status[r->status], "better",
			      r->row->higher ? "higher" : "lower");

	if (!o)
		return NULL;
	if (r->row->goal > 0) {
		json_object_set_new(o, "goal", json_real(r->row->goal));
		json_object_set_new(o, "floor", json_real(r->row->floor));
		json_object_set_new(o, "verdict",
				    json_string(selfbench_verdict(r)));
	}
	if (r->status != SELFBENCH_DONE) {
		json_object_set_new(o, "reason", text_json(r->why));
		return o;
	}
	json_object_set_new(o, "value", spread_json(&r->value));
	json_object_set_new(o, "cpu_s", spread_json(&r->cpu_s));
	json_object_set_new(o, "wall_s", spread_json(&r->wall_s));
	json_object_set_new(o, "samples", samples_json(r));
	return o;
}

static json_t *machine_json(const struct selfbench_machine *m)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:i, s:i, s:i, s:i, s:I, "
			 "s:f, s:b}", "cpu", text_json(m->cpu), "caches",
			 text_json(m->caches), "kernel", text_json(m->kernel),
			 "compiler", text_json(m->compiler), "build",
			 text_json(m->build), "packages", (int)m->packages,
			 "cores", (int)m->cores, "cpus", (int)m->pus, "nodes",
			 (int)m->nodes, "memory_bytes", (json_int_t)m->memory,
			 "load_1min", m->load, "this_system", !m->assumed);
}

static json_t *ratio_json(const struct selfbench_ratio *ratio, double v)
{
	const char *verdict = selfbench_ratio_verdict(ratio, v);
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:f}", "name",
			      ratio->name, "what", ratio->what, "of",
			      ratio->of, "over", ratio->over, "value", v);

	if (o && verdict) {
		json_object_set_new(o, "goal", json_real(ratio->goal));
		json_object_set_new(o, "verdict", json_string(verdict));
	}
	return o;
}

static json_t *ratios_json(const struct selfbench_report *r)
{
	json_t *list = json_array();
	double v;

	for (size_t i = 0; list && i < r->nr_ratios; i++)
		if (selfbench_ratio(r, &r->ratios[i], &v))
			json_array_append_new(list, ratio_json(&r->ratios[i],
							       v));
	return list;
}

int selfbench_print_json(const struct selfbench_report *r, FILE *out)
{
	json_t *rows = json_array(), *top;
	int err;

	for (size_t i = 0; rows && i < r->nr; i++)
		json_array_append_new(rows, row_json(&r->results[i]));
	top = json_pack("{s:i, s:i, s:i, s:o*, s:o*, s:o*}", "schema", SCHEMA,
			"model_version", MODEL_VERSION, "repeat",
			(int)r->repeat, "machine", machine_json(r->machine),
			"rows", rows, "ratios", ratios_json(r));
	if (!top)
		return -ENOMEM;
	err = json_dumpf(top, out, JSON_INDENT(2) | JSON_SORT_KEYS |
			 JSON_REAL_PRECISION(9));
	json_decref(top);
	return err || fputc('\n', out) == EOF ? -EIO : 0;
}
