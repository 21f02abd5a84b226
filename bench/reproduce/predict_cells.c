/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running the cells that a prediction stands on, and reading values from them. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "bench/collect.h"
#include "bench/grouping.h"
#include "bench/reproduce/predict.h"
#include "bench/runner.h"
#include "bench/store.h"

static int run_all(const struct experiment *e,
		   const struct predict_request *req, const char *dir)
{
	const struct runner_options opt = { .dir = dir, .jobs = req->jobs,
					    .messages = req->messages,
					    .progress = req->progress };
	struct runner_outcome o = { 0 };
	char why[4400] = "";
	size_t missing = 0;
	int err;

	if (store_open(dir, why, sizeof(why))) {
		fprintf(req->messages, "error: %s\n", why);
		return -EIO;
	}
	err = runner_run(e, &opt, &o);
	if (!err && o.interrupted)
		return -EINTR;
	if (!err)
		err = collect_cells(e, dir, req->jobs, &missing, why,
				    sizeof(why));
	if (*why)
		fprintf(req->messages, "error: %s\n", why);
	return err ? err : missing ? -EIO : 0;
}

int predict_cells(const struct claim *c, const struct predict_request *req,
		  const struct predict_run *run, struct results *r,
		  struct diag *d)
{
	const struct experiment_request wanted = {
		.path = c->experiment, .registry = req->registry,
		.sets = run->sets, .nr_sets = run->nr_sets,
		.seeds = run->seeds, .only = run->only,
	};
	struct experiment e;
	int err = experiment_load(&e, &wanted, d);

	if (!err)
		err = run_all(&e, req, run->dir);
	experiment_free(&e);
	return err ? err : results_read(r, run->dir, d);
}

/* "tasks" is an option of the measured phase; "guest.memory" is a full name. */
static const char *option_of(const struct result_cell *c, const char *name)
{
	const struct result_phase *p = cell_measured_phase(c);
	char full[300];

	if (strchr(name, '.') || !p)
		return result_option(c, name);
	snprintf(full, sizeof(full), "phase.%s.%s", p->name, name);
	return result_option(c, full);
}

static bool fits(const struct result_cell *c, const struct quantity *q,
		 const char *variant)
{
	if (strcmp(c->variant, variant) != 0)
		return false;
	for (size_t i = 0; i < q->nr_where; i++) {
		const char *value = option_of(c, q->where[i].name);

		if (!value || strcmp(value, q->where[i].value) != 0)
			return false;
	}
	return true;
}

/* NULL if there is none, or if there are several (*several). */
static const struct result_cell *find_cell(const struct results *r,
					   const struct quantity *q,
					   const char *variant, uint64_t seed,
					   bool *several)
{
	const struct result_cell *found = NULL;

	for (size_t i = 0; i < r->nr_cells; i++)
		if (r->cells[i].seed == seed &&
		    fits(&r->cells[i], q, variant)) {
			*several |= found != NULL;
			found = &r->cells[i];
		}
	return *several ? NULL : found;
}

static bool value_of(const struct result_cell *c, const struct quantity *q,
		     double *out)
{
	const struct result_phase *p;
	const struct result_values *v = &c->values;
	uint64_t count;

	if (strcmp(q->o.phase, "run") != 0) {
		p = *q->o.phase ? result_phase(c, q->o.phase) :
				  cell_measured_phase(c);
		if (!p)
			return false;
		v = &p->values;
	}
	if (result_metric(v, q->o.metric, out))
		return true;
	if (!result_counter(v, q->o.metric, &count))
		return false;
	*out = (double)count;
	return true;
}

/* Of one seed. False if the cells do not have it. */
static bool seed_value(const struct results *r, const struct quantity *q,
		       uint64_t seed, double *out, bool *several)
{
	const struct result_cell *c = find_cell(r, q, q->o.variant, seed,
						several), *ref;
	double was;

	if (!c || !value_of(c, q, out))
		return false;
	if (q->o.as == AS_VALUE) {
		*out /= q->divide;
		return true;
	}
	ref = find_cell(r, q, q->o.against, seed, several);
	if (!ref || !value_of(ref, q, &was))
		return false;
	if (q->o.as == AS_DIFFERENCE) {
		*out = (*out - was) / q->divide;
		return true;
	}
	*out = (*out / was - 1.0) * 100.0;
	return was != 0;
}

static bool seed_is_new(const struct results *r, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (r->cells[k].seed == r->cells[i].seed)
			return false;
	return true;
}

int predict_values(const struct claim *c, const struct quantity *q,
		   const struct results *r, double values[PREDICT_MAX_SEEDS],
		   struct diag *d)
{
	bool several = false;
	int nr = 0;

	for (size_t i = 0; i < r->nr_cells && nr < PREDICT_MAX_SEEDS; i++)
		if (seed_is_new(r, i) &&
		    seed_value(r, q, r->cells[i].seed, &values[nr], &several))
			nr++;
	if (several)
		ini_error(&c->ini, d, q->at, "quantity %s: several cells fit; "
			  "say more in 'where'", q->name);
	else if (!nr)
		ini_error(&c->ini, d, q->at, "quantity %s: no cell of variant "
			  "%s has %s", q->name, q->o.variant, q->o.metric);
	return several || !nr ? -EINVAL : nr;
}
