/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measuring points by running cells. A cell that has a result is not run again,
 * whoever ran it; it counts as asked for all the same, so that a search takes
 * the same course whatever it finds done.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/cell_json.h"
#include "bench/store.h"
#include "bench/tune.h"

static bool is_met(const struct tune_goal *g, const struct result_cell *c)
{
	for (unsigned int i = 0; i < g->nr_required; i++) {
		const struct tune_requirement *r = &g->required[i];
		double value;

		if (!column_number(&r->word, c, &value) ||
		    (r->least && value < r->bound) ||
		    (r->most && value > r->bound))
			return false;
	}
	return true;
}

static enum tune_verdict take_values(const struct tune_goal *g,
				     const struct result_cell *c, double *out)
{
	if (!is_met(g, c))
		return TUNE_UNMET;
	for (unsigned int k = 0; k < g->nr_objectives; k++)
		if (!column_number(&g->objectives[k].word, c, &out[k]) ||
		    !isfinite(out[k]))
			return TUNE_NO_VALUE;
	return TUNE_MEASURED;
}

/* -errno only if the search cannot go on. */
static int read_answer(struct tune *t, struct tune_ask *a)
{
	const struct cell *c = &t->e->cells[tune_cell(t, a->point, a->seed)];
	struct diag d = { .out = t->runner.messages };
	char path[STORE_PATH_SIZE];
	struct results r;
	int err;

	a->verdict = TUNE_FAILED;
	if (!cell_is_stored(c, t->runner.dir)) {
		t->nr_failed++;
		return 0;
	}
	store_cell_path(t->runner.dir, c->id, path, sizeof(path));
	err = results_read(&r, path, &d);
	if (!err && r.nr_cells == 1)
		a->verdict = take_values(t->goal, &r.cells[0], a->value);
	else if (!err)
		err = -EBADMSG;
	results_free(&r);
	return err;
}

static int measure(void *ctx, struct tune_ask *asks, size_t nr)
{
	struct tune *t = ctx;
	struct runner_outcome outcome;
	int err;

	memset(t->wanted, 0, t->e->nr_cells * sizeof(*t->wanted));
	for (size_t i = 0; i < nr; i++)
		t->wanted[tune_cell(t, asks[i].point, asks[i].seed)] = true;
	t->runner.wanted = t->wanted;
	err = runner_run(t->e, &t->runner, &outcome);
	t->nr_kept += outcome.nr_kept;
	if (!err && outcome.interrupted)
		err = -EINTR;
	for (size_t i = 0; i < nr && !err; i++)
		err = read_answer(t, &asks[i]);
	return err;
}

static bool any_front(const struct tune *t)
{
	for (size_t i = 0; i < t->space.nr_points; i++)
		if (t->search.points[i].front)
			return true;
	return false;
}

int tune_run(struct tune *t)
{
	int err = tune_search_init(&t->search, &t->space, &t->rules, measure,
				   t);

	if (!err)
		err = tune_search_run(&t->search);
	if (err) {
		snprintf(t->why, sizeof(t->why), "%s", strerror(-err));
	} else if (!any_front(t)) {
		snprintf(t->why, sizeof(t->why), "no point has a value of every "
			 "objective and meets what is required");
		err = -ENODATA;
	}
	return err;
}
