/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that bench/stats.h computes, for another program to compare: each
 * line of input holds two samples, "1 2 3 | 4 5", and each line of output the
 * results as one JSON object, null where a function refuses the samples.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/stats.h"

#define MAX_VALUES 4096

static const char *separator = "";

static void print_start(const char *name)
{
	printf("%s\"%s\": ", separator, name);
	separator = ", ";
}

static void print_number(const char *name, int err, double value)
{
	print_start(name);
	if (err)
		fputs("null", stdout);
	else if (isinf(value))
		fputs(value > 0 ? "1e999" : "-1e999", stdout);
	else
		printf("%.17g", value);
}

static void print_interval(const char *name, int err,
			   const struct stats_interval *i)
{
	print_start(name);
	if (err)
		fputs("null", stdout);
	else
		printf("[%.17g, %.17g]", i->low, i->high);
}

static void print_one(const struct stats_sample *s)
{
	struct stats_interval mean, median;
	struct stats_summary o;
	int err = stats_summarize(s, &o);
	double geometric = 0, harmonic = 0;

	print_number("mean", err, o.mean);
	print_number("median", err, o.median);
	print_number("min", err, o.min);
	print_number("max", err, o.max);
	print_number("sd", err, o.sd);
	print_number("dev", err, o.dev);
	err = stats_geometric_mean(s, &geometric);
	print_number("geometric", err, geometric);
	err = stats_harmonic_mean(s, &harmonic);
	print_number("harmonic", err, harmonic);
	err = stats_interval(s, STATS_MEAN, NULL, &mean);
	print_interval("mean_interval", err, &mean);
	err = stats_interval(s, STATS_MEDIAN, NULL, &median);
	print_interval("median_interval", err, &median);
}

static void print_two(const struct stats_sample *base,
		      const struct stats_sample *new)
{
	struct stats_interval change;
	struct stats_test t;
	double value = 0;
	int err = stats_welch(base, new, &t);

	print_number("welch_t", err, t.statistic);
	print_number("welch_df", err, t.df);
	print_number("welch_p", err, t.p);
	err = stats_mann_whitney(base, new, &t);
	print_number("u", err, t.statistic);
	print_number("u_p", err, t.p);
	print_number("u_exact", err, t.exact);
	err = stats_cliffs_delta(base, new, &value);
	print_number("cliffs_delta", err, value);
	err = stats_hedges_g(base, new, &value);
	print_number("hedges_g", err, value);
	err = stats_change_interval(base, new, STATS_MEAN, NULL, &change);
	print_interval("change_interval", err, &change);
	print_number("smallest_p", 0, stats_smallest_p(base->nr, new->nr));
}

/* Numbers up to `end`; returns how many. */
static size_t read_numbers(char *text, double *out)
{
	size_t nr = 0;
	char *rest;

	while (nr < MAX_VALUES) {
		const double v = strtod(text, &rest);

		if (rest == text)
			break;
		out[nr++] = v;
		text = rest;
	}
	return nr;
}

int main(void)
{
	static double first[MAX_VALUES], second[MAX_VALUES];
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		struct stats_sample a = { .v = first }, b = { .v = second };
		char *bar = strchr(line, '|');

		if (!bar)
			break;
		*bar = '\0';
		a.nr = read_numbers(line, first);
		b.nr = read_numbers(bar + 1, second);
		separator = "";
		putchar('{');
		print_one(&a);
		print_two(&a, &b);
		puts("}");
	}
	free(line);
	return 0;
}
