/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Spelling of results. Numbers are integers throughout; shares are cut, not
 * rounded, so that 100.000 % means all of them.
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "replay/result.h"

const char *replay_cause_name(enum replay_cause c)
{
	static const char *const names[] = {
		[REPLAY_OTHER_PAGE] = "other_page",
		[REPLAY_OTHER_ZONE] = "other_zone",
		[REPLAY_NO_PAGE] = "no_page",
		[REPLAY_NOT_FAILED] = "not_failed",
	};

	return names[c];
}

static const char *const hint_names[] = { "T", "M", "zone", "L" };

const char *replay_hint_name(unsigned int bit)
{
	return hint_names[bit];
}

const char *replay_skip_name(enum replay_skip s)
{
	static const char *const names[] = {
		[REPLAY_NEVER_HANDED_OUT] = "never_handed_out",
		[REPLAY_NOT_FREE] = "not_free",
		[REPLAY_NO_PAGESET] = "no_such_pageset",
		[REPLAY_NOT_CAPTURED] = "not_captured",
	};

	return names[s];
}

const char *replay_place_name(enum replay_place p)
{
	static const char *const names[] = {
		[REPLAY_AT_SAME_LIST] = "same_list",
		[REPLAY_AT_OTHER_LIST] = "other_list",
		[REPLAY_AT_OTHER_CPU] = "other_cpu",
		[REPLAY_AT_BUDDY] = "buddy",
		[REPLAY_AT_HANDED_OUT] = "handed_out",
		[REPLAY_AT_OLDER] = "older",
	};

	return names[p];
}

static int parse_hint(const char *word, size_t len, unsigned int *hints,
		      char *why, size_t why_size)
{
	for (unsigned int i = 0; i < REPLAY_NR_HINTS; i++)
		if (strlen(hint_names[i]) == len &&
		    !memcmp(hint_names[i], word, len)) {
			*hints |= 1u << i;
			return 0;
		}
	snprintf(why, why_size,
		 "unknown hint \"%.*s\"; allowed are none, all, or a list of T, M, zone and L",
		 (int)(len < 40 ? len : 40), word);
	return -EINVAL;
}

int replay_parse_hints(const char *text, unsigned int *hints, char *why,
		       size_t why_size)
{
	unsigned int set = 0;
	int err = 0;

	if (!strcmp(text, "all")) {
		set = REPLAY_HINTS_ALL;
	} else if (strcmp(text, "none") != 0) {
		for (const char *p = text;; p++) {
			const size_t len = strcspn(p, ",");

			err = parse_hint(p, len, &set, why, why_size);
			p += len;
			if (err || !*p)
				break;
		}
	}
	if (!err)
		*hints = set;
	return err;
}

json_t *json_u64(uint64_t v)
{
	return json_integer((json_int_t)v);
}

static json_t *json_pfn(pfn_t pfn)
{
	return pfn == PFN_NONE ? json_null() : json_u64(pfn);
}

/* Only the kinds that occurred. */
json_t *result_counts(const uint64_t *values, unsigned int nr,
		      result_name_fn name)
{
	json_t *o = json_object();

	for (unsigned int i = 0; i < nr; i++)
		if (values[i])
			json_object_set_new(o, name(i), json_u64(values[i]));
	return o;
}

static const char *cause_at(unsigned int i)
{
	return replay_cause_name((enum replay_cause)i);
}

static const char *skip_at(unsigned int i)
{
	return replay_skip_name((enum replay_skip)i);
}

static const char *place_at(unsigned int i)
{
	return replay_place_name((enum replay_place)i);
}

static json_t *first_miss(const struct replay_miss *m)
{
	json_t *o;
	char record[96];

	if (!m->event)
		return json_null();
	req_format(&m->record, record, sizeof(record));
	o = json_object();
	json_object_set_new(o, "event", json_u64(m->event));
	json_object_set_new(o, "record", json_string(record));
	json_object_set_new(o, "expected", json_pfn(m->expected));
	json_object_set_new(o, "got", json_pfn(m->got));
	json_object_set_new(o, "reason", json_string(m->reason));
	json_object_set_new(o, "lists", json_string(m->lists));
	return o;
}

static json_t *compared(const struct replay_result *r, uint32_t value)
{
	return r->compared ? json_u64(value) : json_null();
}

static json_t *proc_json(const struct replay_proc *p)
{
	json_t *o;

	if (!p->compared)
		return json_null();
	o = json_object();
	json_object_set_new(o, "cells", json_u64(p->cells));
	json_object_set_new(o, "differing", json_u64(p->differing));
	json_object_set_new(o, "first", p->first[0] ? json_string(p->first) :
						      json_null());
	return o;
}

static json_t *assumed_json(const struct replay_assumed *a)
{
	json_t *o;

	if (!a->present)
		return json_null();
	o = json_object();
	json_object_set_new(o, "text", json_string(a->text));
	json_object_set_new(o, "preallocated", json_u64(a->preallocated));
	json_object_set_new(o, "unplaced", json_u64(a->unplaced));
	return o;
}

/* Has any recorded run confirmed the rules of this profile? */
static bool is_confirmed(const char *kernel)
{
	const struct alloc_profile *p = alloc_profile_find(kernel);

	return p && p->confirmed;
}

static void fill_json(json_t *o, const struct replay_result *r)
{
	json_object_set_new(o, "format",
			    json_string(trace_format_name((enum trace_format)r->format)));
	json_object_set_new(o, "kernel", json_string(r->kernel));
	json_object_set_new(o, "confirmed",
			    json_boolean(is_confirmed(r->kernel)));
	json_object_set_new(o, "events", json_u64(r->events));
	json_object_set_new(o, "allocations", json_u64(r->allocations));
	json_object_set_new(o, "predicted", json_u64(r->predicted));
	json_object_set_new(o, "first_miss", first_miss(&r->first_miss));
	json_object_set_new(o, "misses",
			    result_counts(r->misses, REPLAY_NR_CAUSES, cause_at));
	json_object_set_new(o, "missed_at",
			    result_counts(r->missed_at, REPLAY_NR_PLACES, place_at));
	json_object_set_new(o, "hints_used",
			    result_counts(r->hints_used, REPLAY_NR_HINTS,
				   replay_hint_name));
	json_object_set_new(o, "skipped",
			    result_counts(r->skipped, REPLAY_NR_SKIPS, skip_at));
	json_object_set_new(o, "passed_over", json_u64(r->passed_over));
	json_object_set_new(o, "forced", json_u64(r->forced));
	json_object_set_new(o, "stock", stock_json(&r->stock));
	json_object_set_new(o, "reports", json_u64(r->reports));
	json_object_set_new(o, "reports_matched",
			    json_u64(r->reports_matched));
	json_object_set_new(o, "expectations", json_u64(r->expectations));
	json_object_set_new(o, "expectations_matched",
			    json_u64(r->expectations_matched));
	json_object_set_new(o, "lists", compared(r, r->lists));
	json_object_set_new(o, "lists_differing",
			    compared(r, r->lists_differing));
	json_object_set_new(o, "pageblocks_differing",
			    compared(r, r->pageblocks_differing));
	json_object_set_new(o, "pagesets_differing",
			    compared(r, r->pagesets_differing));
	json_object_set_new(o, "proc", proc_json(&r->proc));
	json_object_set_new(o, "assumed", assumed_json(&r->assumed));
	json_object_set_new(o, "wall_s",
			    json_real((uint32_t)(r->wall_ns / NSEC_PER_SEC) +
				      (uint32_t)(r->wall_ns % NSEC_PER_SEC) /
					      1e9));
}

int replay_print_json(const struct replay_result *r, FILE *out)
{
	json_t *o = json_object();
	int err;

	if (!o)
		return -ENOMEM;
	fill_json(o, r);
	err = json_dumpf(o, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	json_decref(o);
	if (err || fputc('\n', out) == EOF)
		return -EIO;
	return 0;
}

void result_print_counts(FILE *out, const char *title, const uint64_t *values,
			 unsigned int nr, result_name_fn name)
{
	bool any = false;

	fprintf(out, "%-12s", title);
	for (unsigned int i = 0; i < nr; i++)
		if (values[i]) {
			fprintf(out, "%s%s %llu", any ? ", " : "", name(i),
				(unsigned long long)values[i]);
			any = true;
		}
	fprintf(out, "%s\n", any ? "" : "none");
}

static void print_first_miss(const struct replay_miss *m, FILE *out)
{
	char record[96], expected[16] = "failure", got[16] = "failure";

	if (!m->event)
		return;
	req_format(&m->record, record, sizeof(record));
	if (m->expected != PFN_NONE)
		snprintf(expected, sizeof(expected), "%u", m->expected);
	if (m->got != PFN_NONE)
		snprintf(got, sizeof(got), "%u", m->got);
	fprintf(out, "first miss  event %u: %s\n", m->event, record);
	fprintf(out, "            expected %s, got %s (%s); %s\n", expected,
		got, replay_cause_name(m->cause), m->reason);
	fprintf(out, "%s", m->lists);
}

static void print_comparison(const struct replay_result *r, FILE *out)
{
	if (!r->compared)
		return;
	fprintf(out, "%-12s%u, differing %u\n", "lists", r->lists,
		r->lists_differing);
	fprintf(out, "%-12s%u, differing %u\n", "pageblocks", r->pageblocks,
		r->pageblocks_differing);
	if (r->first_list[0])
		fprintf(out, "%s\n", r->first_list);
}

void replay_print_text(const struct replay_options *o,
		       const struct replay_result *r, FILE *out)
{
	const uint64_t share = r->allocations ?
		r->predicted * 100000 / r->allocations : 100000;

	fprintf(out, "%-12s%s on kernel %s%s\n", "replay", o->stream,
		r->kernel, is_confirmed(r->kernel) ? "" :
		", which stands on worked examples only");
	if (r->assumed.present)
		fprintf(out,
			"%-12s%s; %llu pages in use as they are freed first, "
			"%llu without a place\n",
			"assumed", r->assumed.text,
			(unsigned long long)r->assumed.preallocated,
			(unsigned long long)r->assumed.unplaced);
	fprintf(out, "%-12s%u\n", "events", r->events);
	fprintf(out, "%-12s%llu, predicted %llu (%llu.%03llu %%)\n",
		"allocations", (unsigned long long)r->allocations,
		(unsigned long long)r->predicted,
		(unsigned long long)share / 1000,
		(unsigned long long)share % 1000);
	result_print_counts(out, "misses", r->misses, REPLAY_NR_CAUSES, cause_at);
	result_print_counts(out, "missed at", r->missed_at, REPLAY_NR_PLACES, place_at);
	result_print_counts(out, "hints used", r->hints_used, REPLAY_NR_HINTS,
		     replay_hint_name);
	result_print_counts(out, "skipped", r->skipped, REPLAY_NR_SKIPS, skip_at);
	if (r->forced)
		fprintf(out, "%-12s%llu\n", "forced",
			(unsigned long long)r->forced);
	if (o->reporter)
		fprintf(out, "%-12s%llu, matched %llu; of all its records %llu, matched %llu\n",
			"reports", (unsigned long long)r->reports,
			(unsigned long long)r->reports_matched,
			(unsigned long long)r->expectations,
			(unsigned long long)r->expectations_matched);
	if (r->passed_over)
		fprintf(out, "%-12s%llu\n", "passed over",
			(unsigned long long)r->passed_over);
	if (r->stock.present)
		stock_print(&r->stock, o->mode, out);
	print_comparison(r, out);
	if (r->proc.compared)
		fprintf(out, "%-12s%u, differing %u%s%s\n", "proc cells",
			r->proc.cells, r->proc.differing,
			r->proc.first[0] ? "; " : "", r->proc.first);
	print_first_miss(&r->first_miss, out);
}
