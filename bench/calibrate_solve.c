/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Solving private prices from published baseline rows. A published time per
 * iteration holds everything: the fault, the unmapping, lock waits, shared
 * caches and bandwidth. Lock waits and list touches are simulated, and other
 * prices are known, so the one price left per row is what makes the simulated
 * baseline equal the published one; nothing is counted twice. As waits depend
 * on prices, the cells are run again until they agree.
 *
 * What the host pays for clearing is not free to choose either: it is the share
 * z of a huge fault that clearing takes, which is measured, times the published
 * time of 512 iterations.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/calibrate.h"
#include "bench/collect.h"
#include "bench/results.h"
#include "bench/runner.h"
#include "bench/store.h"
#include "include/guard.h"

#define MAX_ROUNDS 8
#define TOLERANCE 0.0005   /* of the published rate: stop here */
/*
 * With many tasks the lock makes them fall into step in one run and not in the
 * next, which moves a rate by some tenths of a percent whatever the price is.
 * The best round is taken if it is this near.
 */
#define ACCEPT 0.0025
#define PS_PER_S 1e12
#define PATH_SIZE 4096

struct solver {
	const struct calibrate_request *req;
	struct diag *d;
	struct arena a;
	struct target_row *rows;
	size_t nr_rows;
	struct price_list prices, best;
	double best_off;           /* of `best`, as a share of the rate */
	char variant[256], seeds[32];
	char dir[200];             /* of results, removed in the end */
	unsigned int many;         /* the number of tasks beside 1; or 1 */
};

/* What a row determines. */
struct unknown {
	enum price_id price;
	double iterations;         /* counted per event that has the price */
};

/* The price of the event that a workload repeats. */
static int row_unknown(const struct target_row *row,
		       const struct result_cell *c, struct unknown *out)
{
	const struct result_phase *p = &c->phases[c->nr_phases - 1];
	char name[200];
	const char *thp;

	snprintf(name, sizeof(name), "phase.%s.thp", p->name);
	thp = result_option(c, name);
	if (!strcmp(row->workload, "page_fault2"))
		*out = (struct unknown){ PRICE_FAULT_COW, 1.0 };
	else if (strcmp(row->workload, "page_fault1") != 0)
		return -EINVAL;
	else if (thp && !strcmp(thp, "on"))
		*out = (struct unknown){ PRICE_FAULT_THP, HPAGE_PMD_NR };
	else
		*out = (struct unknown){ PRICE_FAULT_ANON, 1.0 };
	return 0;
}

static bool cell_is_row(const struct result_cell *c,
			const struct target_row *row)
{
	const struct result_phase *p;
	char name[200], tasks[16];
	const char *value;

	if (!c->nr_phases)
		return false;
	p = &c->phases[c->nr_phases - 1];
	snprintf(name, sizeof(name), "phase.%s.workload", p->name);
	value = result_option(c, name);
	if (!value || strcmp(value, row->workload) != 0)
		return false;
	snprintf(name, sizeof(name), "phase.%s.tasks", p->name);
	snprintf(tasks, sizeof(tasks), "%u", row->tasks);
	value = result_option(c, name);
	return value && !strcmp(value, tasks);
}

/* The value for so many tasks; the first time the price becomes ours. */
static uint64_t *price_of(struct solver *s, enum price_id id,
			  const struct target_row *row)
{
	struct price *p = &s->prices.p[id];

	if (p->tag != PRICE_BASELINE) {
		p->tag = PRICE_BASELINE;
		p->tasks = s->many;
		p->ps_n = p->ps_1;
		snprintf(p->source, sizeof(p->source), "solved: %s",
			 row->source);
	}
	return row->tasks == 1 ? &p->ps_1 : &p->ps_n;
}

/* A price knows two numbers of tasks: 1 and another one. */
static int check_rows(struct solver *s)
{
	s->many = 1;
	for (size_t i = 0; i < s->nr_rows; i++) {
		const unsigned int tasks = s->rows[i].tasks;

		if (tasks == 1)
			continue;
		if (s->many != 1 && s->many != tasks) {
			diag_error(s->d, (struct diag_place){
				   .file = s->req->target }, "rows for %u and "
				   "%u tasks; a price has one number of tasks "
				   "beside 1", s->many, tasks);
			return -EINVAL;
		}
		s->many = tasks;
	}
	return 0;
}

static const struct target_row *find_row(const struct solver *s,
					 const char *workload,
					 unsigned int tasks)
{
	for (size_t i = 0; i < s->nr_rows; i++)
		if (!strcmp(s->rows[i].workload, workload) &&
		    s->rows[i].tasks == tasks)
			return &s->rows[i];
	return NULL;
}

/* ---- clearing ---- */

/* share x 512 x the published time of an iteration, in picoseconds. */
static uint64_t share_price(const struct solver *s, double share,
			    unsigned int tasks)
{
	const struct target_row *row = find_row(s, "page_fault1", tasks);

	return row ? (uint64_t)(share * HPAGE_PMD_NR * (double)tasks /
				row->rate * PS_PER_S) : 0;
}

/* A share of a huge fault as the price of 2 MiB and of 4 KiB. */
static void set_share(struct solver *s, double share, enum price_id huge,
		      enum price_id small)
{
	const uint64_t one = share_price(s, share, 1);
	const uint64_t many = share_price(s, share, s->many);
	struct price *p = &s->prices.p[huge];

	if (!one)
		return;
	*p = (struct price){ .ps_1 = one, .ps_n = many ? many : one,
			     .tasks = many ? s->many : 1,
			     .tag = PRICE_BASELINE };
	snprintf(p->source, sizeof(p->source), "%.3f of 512 published "
		 "iterations", share);
	s->prices.p[small] = *p;
	s->prices.p[small].ps_1 /= HPAGE_PMD_NR;
	s->prices.p[small].ps_n /= HPAGE_PMD_NR;
}

/* Guest and host clear at the same cost, but for lines that are in the cache. */
static void set_zero_prices(struct solver *s)
{
	const double z = s->req->zero_share, again = s->req->rezero_share;

	set_share(s, z, PRICE_ZERO_2M, PRICE_ZERO_4K);
	set_share(s, z, PRICE_GUEST_ZERO_2M, PRICE_GUEST_ZERO_4K);
	set_share(s, again < 0 ? z : again, PRICE_GUEST_REZERO_2M,
		  PRICE_GUEST_REZERO_4K);
}

/* ---- running the baseline ---- */

static int load(struct solver *s, struct experiment *e, bool all)
{
	char prices[PATH_SIZE];
	const char *sets[] = { prices };
	const struct experiment_request req = {
		.path = s->req->experiment, .registry = s->req->registry,
		.sets = sets, .nr_sets = 1,
		.seeds = all ? NULL : s->seeds, .only = all ? NULL : s->variant,
	};

	/* The file that is being solved may not exist yet. */
	snprintf(prices, sizeof(prices), "host.prices=%s%s",
		 all ? "" : s->dir, all ? "" : "/prices.ini");
	return experiment_load(e, &req, s->d);
}

/* The baseline is the first variant with its first seed. */
static int find_baseline(struct solver *s)
{
	struct experiment e;
	int err = load(s, &e, true);

	if (!err && !e.nr_cells)
		err = -EINVAL;
	if (!err) {
		snprintf(s->variant, sizeof(s->variant), "%s",
			 e.cells[0].variant);
		snprintf(s->seeds, sizeof(s->seeds), "%" PRIu64,
			 e.cells[0].seed);
	}
	experiment_free(&e);
	return err;
}

static int write_prices(struct solver *s)
{
	char path[PATH_SIZE], why[4400] = "";
	struct store_file f;
	int err;

	snprintf(path, sizeof(path), "%s/prices.ini", s->dir);
	err = store_create(&f, path, why, sizeof(why));
	if (!err) {
		price_list_print(&s->prices, f.out);
		err = store_commit(&f, why, sizeof(why));
	}
	if (err)
		fprintf(s->req->messages, "error: %s\n", why);
	return err;
}

/* cells.jsonl of the baseline with the prices of now. */
static int run_cells_once(struct solver *s)
{
	struct runner_options opt = { .dir = s->dir, .jobs = s->req->jobs,
				      .messages = s->req->messages };
	struct runner_outcome o = { 0 };
	struct experiment e;
	char why[4400] = "";
	size_t missing = 0;
	int err = load(s, &e, false);

	if (!err && store_open(s->dir, why, sizeof(why)))
		err = -EIO;
	if (!err)
		err = runner_run(&e, &opt, &o);
	if (!err && o.interrupted)
		err = -EINTR;
	if (!err)
		err = collect_cells(&e, s->dir, opt.jobs, &missing, why,
				    sizeof(why));
	if (!err && missing)
		err = -EIO;
	experiment_free(&e);
	if (*why)
		fprintf(s->req->messages, "error: %s\n", why);
	return err;
}

/* ---- one round ---- */

static const struct result_cell *cell_of(const struct results *r,
					 const struct target_row *row)
{
	for (size_t i = 0; i < r->nr_cells; i++)
		if (cell_is_row(&r->cells[i], row))
			return &r->cells[i];
	return NULL;
}

static int adjust(struct solver *s, const struct unknown *u,
		  const struct target_row *row, double rate)
{
	const double was = PS_PER_S * (double)row->tasks / rate;
	const double wanted = PS_PER_S * (double)row->tasks / row->rate;
	uint64_t *ps = price_of(s, u->price, row);
	const double now = (double)*ps + (wanted - was) * u->iterations;

	if (now < 1.0) {
		fprintf(s->req->messages, "error: %s@%u: the other prices "
			"alone take longer than was published\n",
			row->workload, row->tasks);
		return -ERANGE;
	}
	*ps = (uint64_t)now;
	return 0;
}

static int solve_row(struct solver *s, const struct results *r,
		     const struct target_row *row, unsigned int round,
		     double *worst)
{
	const struct result_cell *c = cell_of(r, row);
	struct unknown u;
	double rate, off;

	if (!c || row_unknown(row, c, &u) ||
	    !result_metric(&c->values, "iterations_per_s", &rate) ||
	    rate <= 0) {
		diag_error(s->d, (struct diag_place){ .file = s->req->target },
			   "variant %s of the experiment has no cell for "
			   "%s@%u", s->variant, row->workload, row->tasks);
		return -EINVAL;
	}
	off = rate / row->rate - 1.0;
	fprintf(s->req->messages, "round %u: %s@%u %.2f published, %.2f "
		"simulated (%+.3f %%)\n", round, row->workload, row->tasks,
		row->rate, rate, off * 100.0);
	off = off < 0 ? -off : off;
	*worst = off > *worst ? off : *worst;
	return off > TOLERANCE ? adjust(s, &u, row, rate) : 0;
}

static int solve_round(struct solver *s, unsigned int round, double *worst)
{
	struct results r = { 0 };
	int err = write_prices(s);

	if (!err)
		err = run_cells_once(s);
	if (!err)
		err = results_read(&r, s->dir, s->d);
	*worst = 0;
	for (size_t i = 0; i < s->nr_rows && !err; i++)
		err = solve_row(s, &r, &s->rows[i], round, worst);
	results_free(&r);
	return err;
}

static int iterate(struct solver *s)
{
	int err = 0;

	s->best_off = 1.0;
	for (unsigned int i = 1; i <= MAX_ROUNDS && !err; i++) {
		const struct price_list tried = s->prices;
		double worst;

		err = solve_round(s, i, &worst);
		if (err || worst >= s->best_off)
			continue;
		s->best = tried;
		s->best_off = worst;
		if (worst <= TOLERANCE)
			return 0;
	}
	if (!err && s->best_off > ACCEPT) {
		fprintf(s->req->messages, "error: still %.3f %% off after %d "
			"rounds; does the measured phase have a warmup, so "
			"that its memory is backed?\n", s->best_off * 100.0,
			MAX_ROUNDS);
		err = -ERANGE;
	}
	return err;
}

static void print_solution(const struct solver *s, FILE *out)
{
	const char *slash = strrchr(s->req->target, '/');

	fprintf(out, "# SPDX-License-Identifier: GPL-2.0-or-later\n"
		"# Prices of the machine behind %s. Made by\n"
		"#   buddylab calibrate --solve EXP.ini --target FILE "
		"--zero-share %.3f",
		slash ? slash + 1 : s->req->target, s->req->zero_share);
	if (s->req->rezero_share >= 0)
		fprintf(out, " --rezero-share %.3f", s->req->rezero_share);
	fprintf(out, "\n# from these rows and no others:\n");
	for (size_t i = 0; i < s->nr_rows; i++)
		fprintf(out, "#   %s, %u tasks: %.2f iterations/s\n",
			s->rows[i].workload, s->rows[i].tasks,
			s->rows[i].rate);
	fprintf(out, "# Worst row: %.3f %% off.\n", s->best_off * 100.0);
	price_list_print(&s->best, out);
}

int calibrate_solve(const struct calibrate_request *req, FILE *out,
		    struct diag *d)
{
	struct solver s = { .req = req, .d = d };
	int err = target_read(req->target, &s.a, &s.rows, &s.nr_rows, d);

	price_list_default(&s.prices);
	if (!err)
		err = check_rows(&s);
	if (!err)
		err = find_baseline(&s);
	if (!err)
		err = guard_folder(guard_parent(), s.dir, sizeof(s.dir));
	if (!err) {
		set_zero_prices(&s);
		err = iterate(&s);
		guard_remove_folder(s.dir);
	}
	if (!err)
		print_solution(&s, out);
	arena_free(&s.a);
	return err;
}
