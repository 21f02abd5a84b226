/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A calibration as a price file with its facts as comments, and as JSON. */
#include <errno.h>
#include <jansson.h>

#include "bench/calibrate_internal.h"
#include "include/check.h"

static void print_shares(const struct calibration *c, FILE *out)
{
	for (unsigned int n = calibrate_next_procs(c, 0); n;
	     n = calibrate_next_procs(c, n)) {
		const double cold = calibrate_zero_share(c, "clear_2m_cold",
							 n);

		if (cold <= 0)
			continue;
		fprintf(out, "# Share of a huge page's iteration that clearing "
			"takes, %u at a time:\n#   %.3f cold (--zero-share), "
			"%.3f just cleared (--rezero-share)\n", n, cold,
			calibrate_zero_share(c, "clear_2m_again", n));
	}
}

void calibrate_print(const struct calibration *c, const struct price_list *l,
		     FILE *out)
{
	fprintf(out, "# Measured by buddylab calibrate on %s\n"
		"# %-24s %5s %14s %8s %8s\n", c->machine, "what", "procs",
		"ns, median", "+- %", "samples");
	for (unsigned int i = 0; i < c->nr_facts; i++) {
		const struct fact *f = &c->facts[i];

		fprintf(out, "# %-24s %5u %14.3f %8.1f %8u%s\n", f->name,
			f->procs, f->ns, f->spread * 100, f->samples,
			f->spread > FACT_TOO_WIDE ? "  too wide for a price" :
						    "");
	}
	for (unsigned int i = 0; i < c->nr_gaps; i++)
		fprintf(out, "# not measured: %s: %s\n", c->gaps[i].name,
			c->gaps[i].why);
	print_shares(c, out);
	price_list_print(l, out);
}

/* ---- JSON ---- */

static json_t *facts_json(const struct calibration *c)
{
	json_t *a = json_array();

	for (unsigned int i = 0; i < c->nr_facts; i++) {
		const struct fact *f = &c->facts[i];

		json_array_append_new(a, json_pack(
			"{s:s, s:i, s:f, s:f, s:i}", "name", f->name, "procs",
			(int)f->procs, "ns", f->ns, "spread", f->spread,
			"samples", (int)f->samples));
	}
	return a;
}

static json_t *gaps_json(const struct calibration *c)
{
	json_t *a = json_array();

	for (unsigned int i = 0; i < c->nr_gaps; i++)
		json_array_append_new(a, json_pack("{s:s, s:s}", "name",
						   c->gaps[i].name, "why",
						   c->gaps[i].why));
	return a;
}

static json_t *prices_json(const struct price_list *l)
{
	json_t *o = json_object();

	for (unsigned int i = 0; i < NR_PRICES; i++) {
		const struct price *p = &l->p[i];

		CHECK_LE(p->ps_1, INT64_MAX);
		CHECK_LE(p->ps_n, INT64_MAX);
		json_object_set_new(o, price_name((enum price_id)i), json_pack(
			"{s:I, s:I, s:i, s:s, s:s}", "ps_1",
			(json_int_t)p->ps_1, "ps_n", (json_int_t)p->ps_n,
			"tasks", (int)p->tasks, "tag", price_tag_name(p->tag),
			"source", p->source));
	}
	return o;
}

int calibrate_print_json(const struct calibration *c,
			 const struct price_list *l, FILE *out)
{
	json_t *o = json_pack("{s:i, s:s, s:I, s:i, s:o, s:o, s:o}", "schema",
			      1, "machine", c->machine, "memory_bytes",
			      (json_int_t)c->memory, "procs", (int)c->procs,
			      "facts", facts_json(c), "gaps", gaps_json(c),
			      "prices", prices_json(l));
	int err;

	if (!o)
		return -ENOMEM;
	err = json_dumpf(o, out, JSON_INDENT(2) | JSON_SORT_KEYS |
				 JSON_REAL_PRECISION(9)) ? -EIO : 0;
	fputc('\n', out);
	json_decref(o);
	return err;
}
