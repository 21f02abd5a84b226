/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a model and a real host side by side. After every block all events of
 * that step and all gauges are compared; after every operation of a script, and
 * every step of a random stream, what the real host's kernel says.
 *
 * Not compared: gauges of the host itself, whose memory is not the model's, and
 * which regions have a page table, which a process is not told: it shows at the
 * next fault, which may bring a huge page or not.
 */
#include "hypervisor/conformance.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hypervisor/conformance_internal.h"
#include "include/check.h"

enum side { MODEL, REAL, NR_SIDES };

static const char *const side_names[NR_SIDES] = { "model", "real" };

struct pair {
	struct hypervisor hv[NR_SIDES];
	void *options[NR_SIDES];
	uint32_t guests[NR_SIDES][CONFORMANCE_GUESTS];
	unsigned int nr_guests;
	struct conformance_result *result;
	struct hv_events sum;     /* of the model, since pair_open() */
	uint64_t sleep[NR_SIDES]; /* last answer of khugepaged */
	struct conformance_op at; /* one block of it */
};

/* ---- making a host from words ---- */

static int set_word(const struct option_table *t, void *base, char *word,
		    char *why, size_t why_size)
{
	char *value = strchr(word, '=');
	const struct option_desc *o;

	CHECK_MSG(value, "no value: %s", word);
	*value++ = '\0';
	o = option_find(t, word);
	if (!o) {
		snprintf(why, why_size, "no option %s", word);
		return -EINVAL;
	}
	return option_parse(o, value, base, why, why_size);
}

static int set_words(const struct option_table *t, void *base,
		     const char *words, char *why, size_t why_size)
{
	char text[400], *save, *word;
	int err = 0;

	snprintf(text, sizeof(text), "%s", words ? words : "");
	for (word = strtok_r(text, " ", &save); word && !err;
	     word = strtok_r(NULL, " ", &save))
		err = set_word(t, base, word, why, why_size);
	return err;
}

static int host_open(struct hypervisor *hv, void **options,
		     const struct hypervisor_ops *ops, const char *words,
		     char *why, size_t why_size)
{
	int err;

	hv->ops = ops;
	hv->state = calloc(1, ops->state_size + 1);
	*options = calloc(1, ops->options.size + 1);
	hv->options = *options;
	if (!hv->state || !*options) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	option_defaults(&ops->options, *options);
	err = set_words(&ops->options, *options, words, why, why_size);
	return err ? err : ops->init(hv, why, why_size);
}

static int guest_open(struct hypervisor *hv, pfn_t nr_pages, uint32_t *guest,
		      char *why, size_t why_size)
{
	const int id = hv->ops->guest_add(hv, nr_pages);
	const char *text = hv->ops->refusal ? hv->ops->refusal(hv) : NULL;

	if (id >= 0) {
		*guest = (uint32_t)id;
		return 0;
	}
	snprintf(why, why_size, "%s cannot take a guest: %s", hv->ops->name,
		 text ? text : strerror(-id));
	return id;
}

static void pair_close(struct pair *p)
{
	for (enum side i = 0; i < NR_SIDES; i++) {
		if (p->hv[i].state)
			p->hv[i].ops->destroy(&p->hv[i]);
		free(p->hv[i].state);
		free(p->options[i]);
	}
}

static int pair_open(struct pair *p, const struct conformance_request *rq,
		     pfn_t nr_pages, char *why, size_t why_size)
{
	const struct hypervisor_ops *const ops[] = { rq->model, rq->real };
	const char *const words[] = { p->result->model_options,
				      p->result->real_options };
	int err = 0;

	for (enum side i = 0; i < NR_SIDES && !err; i++) {
		err = host_open(&p->hv[i], &p->options[i], ops[i], words[i],
				why, why_size);
		for (unsigned int g = 0; g < p->nr_guests && !err; g++)
			err = guest_open(&p->hv[i], nr_pages, &p->guests[i][g],
					 why, why_size);
	}
	return err;
}

/* ---- one step ---- */

static int do_block(struct pair *p, enum side side, struct hv_events *ev)
{
	static const char kinds[] = { [HV_ACCESS_ZERO] = 'z',
				      [HV_ACCESS_READ] = 'r',
				      [HV_ACCESS_WRITE] = 'w',
				      [HV_ACCESS_TABLE] = 't' };
	const char *kind = memchr(kinds, p->at.verb, sizeof(kinds));
	struct hypervisor *hv = &p->hv[side];
	const uint32_t guest = p->guests[side][p->at.guest];

	if (p->at.verb == 'k') {
		p->sleep[side] = hv->ops->khugepaged(hv, ev);
		return 0;
	}
	if (kind)
		return hv->ops->access(hv, guest, p->at.pfn, p->at.order,
				       (enum hv_access)(kind - kinds), ev);
	hv->ops->discard(hv, guest, p->at.pfn, p->at.order,
			 p->at.verb == 'b' ? HV_ORIGIN_BALLOON :
					     HV_ORIGIN_REPORT, ev);
	return 0;
}

/* The first difference of a step is kept. */
static void differs(struct pair *p, const char *what, uint64_t model,
		    uint64_t real)
{
	char op[64];

	if (model == real || p->result->mismatches)
		return;
	conformance_print(&p->at, op, sizeof(op));
	p->result->mismatches = 1;
	snprintf(p->result->first, sizeof(p->result->first),
		 "step %" PRIu64 " '%s': %s: model %" PRIu64 ", real %" PRIu64,
		 p->result->steps, op, what, model, real);
}

static void compare_events(struct pair *p, const struct hv_events *model,
			   const struct hv_events *real)
{
	const uint64_t *a = (const uint64_t *)model;
	const uint64_t *b = (const uint64_t *)real;

	if (!memcmp(model, real, sizeof(*model)))
		return;
	for (size_t i = 0; i < NR_HV_EVENTS; i++)
		differs(p, hv_event_desc(i)->name, a[i], b[i]);
}

static void compare_gauges(struct pair *p)
{
	struct hv_gauges g[NR_SIDES];

	for (enum side i = 0; i < NR_SIDES; i++)
		p->hv[i].ops->gauges(&p->hv[i], p->guests[i][p->at.guest],
				     &g[i]);
	differs(p, "rss_pages", g[MODEL].rss_pages, g[REAL].rss_pages);
	differs(p, "anon_huge_regions", g[MODEL].anon_huge_regions,
		g[REAL].anon_huge_regions);
	differs(p, "lazy_pages", g[MODEL].lazy_pages, g[REAL].lazy_pages);
	differs(p, "partial_thps", g[MODEL].partial_thps,
		g[REAL].partial_thps);
	differs(p, "partial_unmapped_pages", g[MODEL].partial_unmapped_pages,
		g[REAL].partial_unmapped_pages);
	differs(p, "ept_2m_leaves", g[MODEL].ept_2m_leaves,
		g[REAL].ept_2m_leaves);
	differs(p, "ept_4k_leaves", g[MODEL].ept_4k_leaves,
		g[REAL].ept_4k_leaves);
	differs(p, "swapped_pages", g[MODEL].swapped_pages,
		g[REAL].swapped_pages);
}

static void step(struct pair *p)
{
	struct hv_events ev[NR_SIDES] = { 0 };

	for (enum side i = 0; i < NR_SIDES; i++)
		differs(p, i == MODEL ? "model's failure" : "real failure", 0,
			(uint64_t)-do_block(p, i, &ev[i]));
	compare_events(p, &ev[MODEL], &ev[REAL]);
	differs(p, "sleep of khugepaged", p->sleep[MODEL], p->sleep[REAL]);
	compare_gauges(p);
	hv_events_add(&p->sum, &ev[MODEL]);
	p->result->steps++;
}

/* ---- checkpoints ---- */

static uint64_t model_faults(const struct hv_events *ev)
{
	uint64_t nr = 0;

	for (unsigned int level = 0; level < NR_HV_LEVELS; level++)
		nr += ev->ept_violation[HV_VIOLATION_ZERO][level] +
		      ev->ept_violation[HV_VIOLATION_SWAP_IN][level];
	return nr;
}

static uint64_t all_discards(const struct hv_events *ev)
{
	uint64_t nr = 0;

	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		nr += ev->discards[HV_DONTNEED][order] +
		      ev->discards[HV_FREE][order];
	return nr;
}

static void compare_kernel(struct pair *p)
{
	const struct hypervisor *real = &p->hv[REAL];
	struct hv_gauges g;
	struct hv_real is;

	if (!real->ops->real || p->result->mismatches)
		return;
	differs(p, "reading /proc", 0,
		(uint64_t)-real->ops->real(real, &is));
	p->hv[MODEL].ops->gauges(&p->hv[MODEL], HV_ALL_GUESTS, &g);
	differs(p, "minor faults", model_faults(&p->sum), is.minor_faults);
	differs(p, "Rss, in pages", g.rss_pages, is.rss_pages);
	differs(p, "AnonHugePages, in regions", g.anon_huge_regions,
		is.anon_huge_regions);
	differs(p, "LazyFree, in pages", g.lazy_pages, is.lazy_pages);
	p->result->stray_faults = is.stray_faults;
}

static void checkpoint(struct pair *p, bool invariants)
{
	compare_kernel(p);
	for (enum side i = 0; i < NR_SIDES && invariants; i++) {
		const char *broken = p->hv[i].ops->check(&p->hv[i]);

		if (!broken || p->result->mismatches)
			continue;
		p->result->mismatches = 1;
		snprintf(p->result->first, sizeof(p->result->first),
			 "after %" PRIu64 " steps: %s host: %s",
			 p->result->steps, side_names[i], broken);
	}
}

static void finish(struct pair *p)
{
	struct conformance_result *r = p->result;

	checkpoint(p, true);
	r->faults = model_faults(&p->sum);
	r->huge_faults = p->sum.thp_fault_alloc;
	r->splits = p->sum.thp_split_pmd;
	r->discards = all_discards(&p->sum);
}

static void run_op(struct pair *p, const struct conformance_op *op)
{
	p->at = *op;
	for (uint32_t i = 0; i < op->count && !p->result->mismatches; i++) {
		step(p);
		p->at.pfn += op->step;
	}
}

/* ---- cases ---- */

/* Of a guest in a case of many steps. */
#define SMALL_PAGES (16 * HPAGE_PMD_NR)

struct campaign {
	const struct conformance_request *rq;
	struct conformance_total *total;
	char model_switches[64];  /* words for the model, as seen */
	char *why;
	size_t why_size;
};

/*
 * A region that has had small pages, all of it discarded: huge again? Asked of
 * the real host with the calls that every host has.
 */
static int probe_switches(struct campaign *c)
{
	struct hypervisor hv = { .ops = c->rq->real };
	struct hv_events ev = { 0 }, last = { 0 };
	void *options = NULL;
	uint32_t guest;
	int err = host_open(&hv, &options, c->rq->real, NULL, c->why,
			    c->why_size);

	if (!err)
		err = guest_open(&hv, HPAGE_PMD_NR, &guest, c->why,
				 c->why_size);
	if (!err) {
		hv.ops->access(&hv, guest, 0, 9, HV_ACCESS_WRITE, &ev);
		hv.ops->discard(&hv, guest, 0, 0, HV_ORIGIN_BALLOON, &ev);
		hv.ops->discard(&hv, guest, 0, 9, HV_ORIGIN_BALLOON, &ev);
		hv.ops->access(&hv, guest, 0, 0, HV_ACCESS_WRITE, &last);
	}
	c->total->frees_tables = last.thp_fault_alloc;
	snprintf(c->model_switches, sizeof(c->model_switches),
		 "free_empty_tables=%s", last.thp_fault_alloc ? "on" : "off");
	if (hv.state)
		hv.ops->destroy(&hv);
	free(hv.state);
	free(options);
	return err;
}

static void join(char *out, size_t size, const char *a, const char *b,
		 const char *c)
{
	snprintf(out, size, "%s%s%s%s%s", a ? a : "", a && *a ? " " : "",
		 b ? b : "", b && *b ? " " : "", c ? c : "");
}

static int run_script(struct campaign *c, struct conformance_result *r,
		      const struct conformance_case *k)
{
	struct pair p = { .result = r, .nr_guests = k->guests ? k->guests : 1 };
	const pfn_t whole = k->small ? SMALL_PAGES : c->rq->nr_pages /
			    (k->half ? 2 : 1);
	const pfn_t nr_pages = whole / p.nr_guests / 1024 * 1024 + k->tail;
	const char *script = k->script;
	struct conformance_op op;
	int err = pair_open(&p, c->rq, nr_pages, c->why, c->why_size);

	while (!err && conformance_parse(&script, nr_pages, &op)) {
		run_op(&p, &op);
		checkpoint(&p, false);
	}
	if (!err)
		finish(&p);
	pair_close(&p);
	return err;
}

static int run_stream(struct campaign *c, struct conformance_result *r,
		      struct conformance_stream *s)
{
	struct pair p = { .result = r, .nr_guests = s->guests };
	struct conformance_op op;
	int err = pair_open(&p, c->rq, s->nr_pages, c->why, c->why_size);

	while (!err && !r->mismatches && conformance_stream_next(s, &op)) {
		run_op(&p, &op);
		checkpoint(&p, s->left % 64 == 0);
	}
	if (!err)
		finish(&p);
	pair_close(&p);
	return err;
}

/* The words of both hosts and what they are given. */
struct words {
	char model[400], real[400];
};

static int try_case(struct campaign *c, struct conformance_result *r,
		    unsigned int i, struct words *w)
{
	const struct conformance_case *k = &conformance_cases[i];
	struct conformance_stream s;
	int err;

	if (i < nr_conformance_cases) {
		join(w->model, sizeof(w->model), c->model_switches, k->options,
		     k->model);
		join(w->real, sizeof(w->real), k->options, k->real, NULL);
		return run_script(c, r, k);
	}
	err = conformance_stream_init(&s, c->rq->seed, i - nr_conformance_cases,
			  c->rq->steps);
	if (err) {
		snprintf(c->why, c->why_size, "out of memory");
		return err;
	}
	join(w->model, sizeof(w->model), c->model_switches, s.options, s.model);
	join(w->real, sizeof(w->real), s.options, s.real, NULL);
	err = run_stream(c, r, &s);
	conformance_stream_end(&s);
	return err;
}

static int run_case(struct campaign *c, unsigned int i, const char *name)
{
	struct conformance_result r;
	char repeated[sizeof(r.first)] = "";
	unsigned int repeats = 0;
	struct words w;
	int err;

	for (;;) {
		r = (struct conformance_result){
			.name = name, .repeats = repeats,
			.model_options = w.model, .real_options = w.real };
		err = try_case(c, &r, i, &w);
		if (err || !r.mismatches || repeats == c->rq->retries)
			break;
		repeats++;
		snprintf(repeated, sizeof(repeated), "%s", r.first);
	}
	if (!r.mismatches)
		snprintf(r.first, sizeof(r.first), "%s", repeated);
	if (err)
		return err;
	c->total->cases++;
	c->total->steps += r.steps;
	c->total->mismatches += r.mismatches;
	c->total->repeats += r.repeats;
	c->total->stray_faults += r.stray_faults;
	c->rq->done(c->rq->ctx, &r);
	return 0;
}

int conformance_run(const struct conformance_request *rq,
		    struct conformance_total *out, char *why, size_t why_size)
{
	struct campaign c = { .rq = rq, .total = out, .why = why,
			      .why_size = why_size };
	int err;

	*out = (struct conformance_total){ 0 };
	err = probe_switches(&c);
	for (unsigned int i = 0; !err && i < nr_conformance_cases + rq->streams;
	     i++) {
		char name[32];

		if (i < nr_conformance_cases)
			snprintf(name, sizeof(name), "%s",
				 conformance_cases[i].name);
		else
			snprintf(name, sizeof(name), "stream-%u",
				 i - nr_conformance_cases);
		if (!rq->only || !fnmatch(rq->only, name, 0))
			err = run_case(&c, i, name);
	}
	if (!err && !out->cases) {
		snprintf(why, why_size, "there is no case '%s'",
			 rq->only ? rq->only : "");
		err = -ENOENT;
	}
	return err;
}
