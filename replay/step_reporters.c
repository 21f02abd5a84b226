/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `report` and `hint`: the merged free page reporting and the hinted boundary
 * on a script's guest, one pass or cycle at a time, with a host that
 * acknowledges at once. Each batch that reaches the host is one line.
 *
 * A report pass leaves nothing behind but marks in the allocator, so its
 * reporter lives for one command. The hinted boundary counts its blocks and
 * follows them through hooks, so one instance lives to the end of the script.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "replay/step_internal.h"
#include "reporter/sync_env.h"

#define DEFAULT_CAPACITY 32

struct step_reporters {
	struct sync_env env;
	void *options;
	bool reported;            /* the script used `report` */
	bool hinting;             /* env is the hinted boundary's */
	uint32_t capacity;        /* of the hinted boundary */
	uint32_t batches;         /* handed over since the command began */
};

static void print_batch(void *ctx, const struct page_report *entries,
			unsigned int nr)
{
	struct step *s = ctx;
	const struct page_report *e;

	s->reporters->batches++;
	fputs(s->reporters->hinting ? "hint {" : "report {", s->out);
	for (e = entries; e < entries + nr; e++)
		fprintf(s->out, "%s%u", e == entries ? "" : ",", e->pfn);
	fputs("}\n", s->out);
}

static int take_reporters(struct step *s)
{
	if (s->reporters)
		return 0;
	s->reporters = calloc(1, sizeof(*s->reporters));
	return s->reporters ? 0 : -ENOMEM;
}

/* Set one option of the design; the script's value is known to be in range. */
static void set_option(const struct option_table *t, void *options,
		       const char *name, unsigned int value)
{
	const struct option_desc *o = option_find(t, name);
	char text[16], why[128] = "no such option";

	snprintf(text, sizeof(text), "%u", value);
	CHECK_MSG(o && option_parse(o, text, options, why, sizeof(why)) == 0,
		  "%s = %u: %s", name, value, why);
}

static uint32_t capacity_of(const struct step_cmd *c)
{
	return c->options & STEP_OPT_CAPACITY ? c->capacity : DEFAULT_CAPACITY;
}

static int attach(struct step *s, const struct reporter_ops *ops)
{
	struct step_reporters *r = s->reporters;
	const struct sync_env_config cfg = {
		.ops = ops,
		.options = r->options,
		.watch = { .ctx = s, .report = print_batch },
	};
	char why[256] = "";
	int err = sync_env_init(&r->env, s->a, &cfg, why, sizeof(why));

	if (err == -ENOMEM)
		return err;
	if (err)
		return step_error(s, "%s: %s", ops->name, why);
	sync_env_hooks(&r->env, &s->hooks);
	step_update_hooks(s);
	return 0;
}

static void detach(struct step *s)
{
	struct step_reporters *r = s->reporters;

	memset(&s->hooks, 0, sizeof(s->hooks));
	step_update_hooks(s);
	sync_env_destroy(&r->env);
	free(r->options);
	r->options = NULL;
}

static int take_options(struct step *s, const struct reporter_ops *ops,
			const struct step_cmd *c)
{
	struct step_reporters *r = s->reporters;

	r->options = calloc(1, ops->options.size);
	if (!r->options)
		return -ENOMEM;
	option_defaults(&ops->options, r->options);
	set_option(&ops->options, r->options, "capacity", capacity_of(c));
	return 0;
}

int step_report(struct step *s, const struct step_cmd *c)
{
	const struct reporter_ops *ops = &page_reporting_reporter;
	struct step_reporters *r;
	int err = take_reporters(s);

	if (err)
		return err;
	r = s->reporters;
	if (r->hinting)
		return step_error(s, "report and hint cannot be used in one "
				  "script");
	r->reported = true;
	err = take_options(s, ops, c);
	if (err)
		return err;
	if (c->options & STEP_OPT_ORDER)
		set_option(&ops->options, r->options, "order", c->order);
	err = attach(s, ops);
	if (err) {
		free(r->options);
		r->options = NULL;
		return err;
	}
	sync_env_start(&r->env);
	sync_env_run_pass(&r->env);
	sync_env_stop(&r->env);
	detach(s);
	return 0;
}

static int start_hinting(struct step *s, const struct step_cmd *c)
{
	struct step_reporters *r = s->reporters;
	int err = take_options(s, &hinted_boundary_reporter, c);

	if (err)
		return err;
	err = attach(s, &hinted_boundary_reporter);
	if (err) {
		free(r->options);
		r->options = NULL;
		return err;
	}
	r->capacity = capacity_of(c);
	r->hinting = true;
	return 0;
}

/* The host acknowledges until all is done or `batches` batches were sent. */
static void run_cycle(struct step *s, const struct step_cmd *c)
{
	struct step_reporters *r = s->reporters;

	r->batches = 0;
	if (!r->env.nr_batches) {
		sync_env_start(&r->env);
		sync_env_process(&r->env);
	} else {
		sync_env_ack(&r->env, 0);
	}
	while (r->env.nr_batches &&
	       !((c->options & STEP_OPT_BATCHES) && r->batches >= c->batches))
		sync_env_ack(&r->env, 0);
}

/* Another capacity takes another instance; it counts the marks it finds. */
static int change_capacity(struct step *s, const struct step_cmd *c)
{
	struct step_reporters *r = s->reporters;

	if (!(c->options & STEP_OPT_CAPACITY) || c->capacity == r->capacity)
		return 0;
	if (r->env.nr_batches)
		return step_error(s, "capacity cannot change while a batch is "
				  "with the host");
	sync_env_stop(&r->env);
	r->hinting = false;
	detach(s);
	return start_hinting(s, c);
}

int step_hint(struct step *s, const struct step_cmd *c)
{
	int err = take_reporters(s);

	if (err)
		return err;
	if (s->reporters->reported)
		return step_error(s, "report and hint cannot be used in one "
				  "script");
	if (s->reporters->hinting)
		err = change_capacity(s, c);
	else
		err = start_hinting(s, c);
	if (!err)
		run_cycle(s, c);
	return err;
}

bool step_boundary(const struct step *s, unsigned int zone, unsigned int order,
		   enum migratetype mt, pfn_t *boundary)
{
	const struct step_reporters *r = s->reporters;
	const struct reporter_ops *ops;

	if (!r || !r->hinting)
		return false;
	ops = r->env.reporter.ops;
	return ops->boundary &&
	       ops->boundary(&r->env.reporter, zone, order, mt, boundary);
}

bool step_host_has(const struct step *s, pfn_t start, pfn_t end)
{
	const struct sync_env *e;
	unsigned int i, j;

	if (!s->reporters)
		return false;
	e = &s->reporters->env;
	for (i = 0; i < e->nr_batches; i++) {
		const struct sync_env_batch *b =
			&e->batches[(e->first_batch + i) %
				    SYNC_ENV_MAX_BATCHES];

		for (j = 0; j < b->rq.nr; j++) {
			pfn_t pfn = b->rq.entries[j].pfn;

			if (pfn < end &&
			    start < pfn + order_nr_pages(b->rq.entries[j].order))
				return true;
		}
	}
	return false;
}

uint64_t step_host_pages(const struct step *s)
{
	const struct sync_env *e;
	unsigned int i, j;
	uint64_t pages = 0;

	if (!s->reporters)
		return 0;
	e = &s->reporters->env;
	for (i = 0; i < e->nr_batches; i++) {
		const struct sync_env_batch *b =
			&e->batches[(e->first_batch + i) %
				    SYNC_ENV_MAX_BATCHES];

		for (j = 0; j < b->rq.nr; j++)
			pages += order_nr_pages(b->rq.entries[j].order);
	}
	return pages;
}

void step_reporters_destroy(struct step *s)
{
	struct step_reporters *r = s->reporters;

	if (!r)
		return;
	if (r->hinting) {
		/* The batches of a cycle cut short come home without a word. */
		r->env.cfg.watch.report = NULL;
		sync_env_stop(&r->env);
		detach(s);
	}
	free(r);
	s->reporters = NULL;
}
