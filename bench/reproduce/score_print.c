/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scores as text, Markdown and data. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/grid.h"
#include "bench/reproduce/score.h"

#define TEXT 96
#define MAX_SHARES 5 /* of an error budget, the largest */

const char *const reproduce_format_names[] = {
	[REPRODUCE_TABLE] = "table", [REPRODUCE_MD] = "md",
	[REPRODUCE_JSON] = "json", [REPRODUCE_SUMMARY] = "summary", NULL
};

static const char *verdict_text(const struct scored_row *r)
{
	switch (r->verdict) {
	case VERDICT_HIT:
		return "hit";
	case VERDICT_MISS:
		return "MISS";
	case VERDICT_NONE:
		break;
	}
	return r->published->judge == JUDGE_CALIBRATED ? "seen" : "not scored";
}

static void number_text(const struct quantity *q, double v, char *out)
{
	const bool sign = q->o.as == AS_CHANGE;

	/* No negative zero. */
	if (fabs(v) < 0.5 * pow(10, -(double)q->o.decimals))
		v = 0;
	snprintf(out, TEXT, sign ? "%+.*f" : "%.*f", (int)q->o.decimals, v);
}

static void published_text(const struct scored_row *r, char *out)
{
	if (r->published->has_value)
		number_text(r->predicted->quantity, r->published->value, out);
	else
		snprintf(out, TEXT, "-");
}

static bool shows_quartiles(const struct scored_row *r)
{
	return r->published->judge == JUDGE_RANGE && !r->predicted->prices;
}

/* Quartiles where the spread over seeds is the answer, else the interval. */
static void interval_text(const struct scored_row *r, char *out)
{
	const struct predicted *p = r->predicted;
	const bool range = shows_quartiles(r);
	char low[TEXT], high[TEXT];

	number_text(p->quantity, range ? p->q1 : p->low, low);
	number_text(p->quantity, range ? p->q3 : p->high, high);
	if (!p->nr_seeds || !strcmp(low, high))
		snprintf(out, TEXT, "-");
	else
		snprintf(out, TEXT, "%.40s .. %.40s", low, high);
}

/* The median where quartiles are shown. */
static void predicted_text(const struct scored_row *r, char *out)
{
	const struct predicted *p = r->predicted;

	number_text(p->quantity, shows_quartiles(r) ? p->median : p->mean,
		    out);
}

/* "with shuffle, %": the unit is that of the whole line. */
static void title_text(const struct scored_row *r, char *out, size_t out_size)
{
	const char *unit = r->predicted->quantity->o.unit;

	snprintf(out, out_size, "%.150s%s%.60s", r->published->title,
		 *unit ? ", " : "", unit);
}

static size_t title_width(const struct score *s)
{
	size_t width = 4;
	char text[256];

	for (size_t i = 0; i < s->nr_rows; i++) {
		title_text(&s->rows[i], text, sizeof(text));
		if (strlen(text) > width)
			width = strlen(text);
	}
	return width;
}

static void print_row(const struct scored_row *r, int width, bool md,
		      FILE *out)
{
	char title[256], pub[TEXT], pred[TEXT], interval[TEXT], judge[TEXT];

	title_text(r, title, sizeof(title));
	published_text(r, pub);
	predicted_text(r, pred);
	interval_text(r, interval);
	score_judge_text(r, judge, sizeof(judge));
	if (md)
		fprintf(out, "| %s | %s | %s | %s | %s | %s |\n", title, pub,
			pred, interval, judge, verdict_text(r));
	else
		fprintf(out, "  %-*s %10s %10s  %-18s %s\n", width, title, pub,
			pred, interval, verdict_text(r));
}

static void print_rows(const struct score *s, bool md, FILE *out)
{
	const int width = (int)title_width(s);

	if (md)
		fputs("| row | published | predicted | interval | judged | "
		      "verdict |\n|---|---:|---:|---|---|---|\n", out);
	else
		fprintf(out, "  %-*s %10s %10s  %-18s %s\n", width, "row",
			"published", "predicted", "interval", "verdict");
	for (size_t i = 0; i < s->nr_rows; i++)
		print_row(&s->rows[i], width, md, out);
}

static void print_orders(const struct score *s, const char *bullet, FILE *out)
{
	for (size_t i = 0; i < s->nr_orders; i++) {
		const struct published_order *o = s->orders[i].order;

		fprintf(out, "%sorder %s: ", bullet, o->name);
		for (size_t k = 0; k < o->nr; k++)
			fprintf(out, "%s%s", k ? " > " : "", o->rows[k]);
		fprintf(out, ": %s\n", s->orders[i].verdict == VERDICT_HIT ?
			"hit" : "MISS");
	}
}

static void print_models(const struct score_models *m, const char *bullet,
			 FILE *out)
{
	if (m->nr < 2)
		return;
	fprintf(out, "%sdistance from the %zu published values (root mean "
		"square): model %.2f,\n  no effect %.2f, best constant %.2f: "
		"%s\n", bullet, m->nr, m->model, m->zero, m->constant,
		m->verdict == VERDICT_HIT ? "hit" : "MISS");
}

/* ---- error budgets ---- */

struct share {
	const char *name;
	double low, high, size;
};

static int by_size(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	return (y->size > x->size) - (y->size < x->size);
}

static size_t budget_shares(const struct claim *c, const struct predicted *p,
			    struct share *out)
{
	size_t nr = 0;

	for (size_t i = 0; i < c->nr_prices; i++) {
		const struct predicted_price *at = &p->prices[i];

		out[nr++] = (struct share){
			.name = price_name(c->prices[i].price),
			.low = at->at_low, .high = at->at_high,
			.size = fmax(fabs(at->at_low), fabs(at->at_high)) };
	}
	qsort(out, nr, sizeof(*out), by_size);
	return nr;
}

static void print_budget(const struct claim *c, const struct scored_row *r,
			 const char *bullet, FILE *out)
{
	const struct predicted *p = r->predicted;
	struct share shares[NR_PRICES];
	size_t nr;

	if (!p->prices || c->nr_prices > NR_PRICES)
		return;
	nr = budget_shares(c, p, shares);
	fprintf(out, "%s%s: seeds %.3f", bullet, r->published->title,
		p->seed_half);
	for (size_t i = 0; i < nr && i < MAX_SHARES; i++)
		fprintf(out, ",%s%s %+.3f/%+.3f", i == 2 ? "\n    " : " ",
			shares[i].name, shares[i].low, shares[i].high);
	fputc('\n', out);
}

static void print_budgets(const struct score *s, const char *bullet, FILE *out)
{
	bool first = true;

	for (size_t i = 0; i < s->nr_rows; i++) {
		if (!s->rows[i].predicted->prices)
			continue;
		if (first)
			fputs("\nWhat an interval is made of: half of it by "
			      "seeds, and the prices that\nmove it most, at "
			      "the low and the high end of what they may "
			      "be\n\n", out);
		first = false;
		print_budget(s->prediction->claim, &s->rows[i], bullet, out);
	}
}

static void print_text(const struct score *s, bool md, FILE *out)
{
	const char *bullet = md ? "* " : "  ";

	fprintf(out, md ? "### %s: %s\n\n" : "%s: %s\n",
		s->prediction->claim->name, s->prediction->claim->title);
	print_wrapped(s->published->source, 0, COVER_COLUMNS, false, out);
	fputs("Calibrated on: ", out);
	print_wrapped(s->published->calibrated, 0, COVER_COLUMNS - 15, false,
		      out);
	fputc('\n', out);
	print_rows(s, md, out);
	if (s->nr_orders || s->models.nr > 1)
		fputc('\n', out);
	print_orders(s, bullet, out);
	print_models(&s->models, bullet, out);
	print_budgets(s, bullet, out);
	if (s->published->note) {
		fputc('\n', out);
		print_wrapped(s->published->note, 0, COVER_COLUMNS, false,
			      out);
	}
}

/* ---- all claims in one table ---- */

/* What the quantity is in the seeds: "11 in 10", "4 to 6 in 10". */
static void seeds_text(const struct predicted *p, char *out)
{
	char low[TEXT], high[TEXT];

	number_text(p->quantity, p->min, low);
	number_text(p->quantity, p->max, high);
	if (!p->nr_seeds)
		snprintf(out, TEXT, "no seeds");
	else if (!strcmp(low, high))
		snprintf(out, TEXT, "%.30s in %zu", low, p->nr_seeds);
	else
		snprintf(out, TEXT, "%.30s to %.30s in %zu", low, high,
			 p->nr_seeds);
}

void score_print_summary_head(FILE *out)
{
	fputs("| claim | row | published | predicted | over seeds | interval | "
	      "judged | verdict | calibrated on |\n"
	      "|---|---|---:|---:|---|---|---|---|---|\n", out);
}

/* What a claim was calibrated on stands in its first row. */
static void print_summary(const struct score *s, FILE *out)
{
	char title[256], pub[TEXT], pred[TEXT], seeds[TEXT], interval[TEXT];
	char judge[TEXT];

	for (size_t i = 0; i < s->nr_rows; i++) {
		const struct scored_row *r = &s->rows[i];

		title_text(r, title, sizeof(title));
		published_text(r, pub);
		predicted_text(r, pred);
		seeds_text(r->predicted, seeds);
		interval_text(r, interval);
		score_judge_text(r, judge, sizeof(judge));
		fprintf(out, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n",
			s->prediction->claim->name, title, pub, pred, seeds,
			interval, judge, verdict_text(r),
			i ? "" : s->published->calibrated);
	}
}

/* ---- data ---- */

static json_t *json_prices(const struct claim *c, const struct predicted *p)
{
	json_t *o = json_object();

	for (size_t i = 0; p->prices && i < c->nr_prices; i++)
		json_object_set_new(o, price_name(c->prices[i].price),
			json_pack("{s:f, s:f}", "at_low", p->prices[i].at_low,
				  "at_high", p->prices[i].at_high));
	return o;
}

static json_t *json_row(const struct score *s, const struct scored_row *r)
{
	const struct predicted *p = r->predicted;
	char judge[TEXT];
	json_t *o;

	score_judge_text(r, judge, sizeof(judge));
	o = json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f,"
		      " s:I, s:o, s:s, s:s}",
		      "row", r->published->name, "title", r->published->title,
		      "unit", p->quantity->o.unit, "predicted", p->mean,
		      "low", p->low, "high", p->high, "median", p->median,
		      "q1", p->q1, "q3", p->q3, "sd", p->sd,
		      "seed_half", p->seed_half, "seeds",
		      (json_int_t)p->nr_seeds, "prices",
		      json_prices(s->prediction->claim, p), "judged", judge,
		      "verdict", verdict_text(r));
	if (o && r->published->has_value) {
		json_object_set_new(o, "published",
				    json_real(r->published->value));
		json_object_set_new(o, "published_spread",
				    json_real(r->published->spread));
	}
	return o;
}

static json_t *json_orders(const struct score *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->nr_orders; i++)
		json_array_append_new(list, json_pack("{s:s, s:b}", "order",
			s->orders[i].order->name, "right",
			s->orders[i].verdict == VERDICT_HIT));
	return list;
}

static int print_json(const struct score *s, FILE *out)
{
	const struct claim *c = s->prediction->claim;
	json_t *rows = json_array(), *o;
	int err;

	for (size_t i = 0; i < s->nr_rows; i++)
		json_array_append_new(rows, json_row(s, &s->rows[i]));
	o = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:I, s:I}",
		      "name", c->name, "title", c->title, "source",
		      s->published->source, "calibrated",
		      s->published->calibrated, "rows", rows, "orders",
		      json_orders(s), "hits", (json_int_t)s->nr_hits,
		      "misses", (json_int_t)s->nr_misses);
	if (o && s->models.nr > 1)
		json_object_set_new(o, "rms", json_pack("{s:f, s:f, s:f, s:b}",
			"model", s->models.model, "no_effect", s->models.zero,
			"best_constant", s->models.constant, "better",
			s->models.verdict == VERDICT_HIT));
	err = o ? json_dumpf(o, out, JSON_SORT_KEYS | JSON_INDENT(1) |
			     JSON_REAL_PRECISION(9)) : -1;
	json_decref(o);
	return err ? -ENOMEM : 0;
}

int score_print(const struct score *s, enum reproduce_format format, FILE *out)
{
	if (format == REPRODUCE_JSON)
		return print_json(s, out);
	if (format == REPRODUCE_SUMMARY) {
		print_summary(s, out);
		return 0;
	}
	print_text(s, format == REPRODUCE_MD, out);
	return 0;
}

const char *score_unit(const struct score *s)
{
	for (size_t i = 0; i < s->nr_rows; i++)
		if (s->rows[i].published->has_value)
			return s->rows[i].predicted->quantity->o.unit;
	return "";
}

size_t score_print_csv(const struct score *s, FILE *out)
{
	const char *unit = score_unit(s);
	size_t nr = 0;

	fputs("row,published,spread,predicted,low,high\n", out);
	for (size_t i = 0; i < s->nr_rows; i++) {
		const struct scored_row *r = &s->rows[i];

		if (!r->published->has_value ||
		    strcmp(r->predicted->quantity->o.unit, unit) != 0)
			continue;
		nr++;
		fprintf(out, "\"%s\",%.9g,%.9g,%.9g,%.9g,%.9g\n",
			r->published->title, r->published->value,
			r->published->spread, r->predicted->mean,
			r->predicted->low, r->predicted->high);
	}
	return nr;
}
