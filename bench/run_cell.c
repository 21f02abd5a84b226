/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tree of processes, one level per place where cells part:
 *
 *     boot, phase fill            shared by all cells of the group
 *       +- fork: phase measure, tasks = 1
 *       +- fork: phase measure, tasks = 16
 *
 * A struct sim may be forked, and a child's copy of the filled guest costs only
 * the pages that it changes.
 */
#define _GNU_SOURCE
#include "bench/run_cell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/binding.h"
#include "bench/cell_json.h"
#include "include/check.h"

/* A simulation and the cells that go on from where it stands. */
struct branch {
	const struct run *run;
	struct sim *sim;
	const struct cell *const *cells; /* equal in all phases before `phase` */
	size_t nr;
	unsigned int phase;              /* next to run */
	double shared_s;                 /* host time spent in ancestors */
	double began_s;
	struct part *parts;              /* where the cells part */
	char context[300];               /* what a failed CHECK names */
};

/* Cells that have the next phase in common. */
struct part {
	const struct cell *const *cells;
	size_t nr;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void send_report(const struct run *run, const struct cell *c,
			const char *why, int err)
{
	struct run_report r;

	if (run->report_fd < 0)
		return;
	memset(&r, 0, sizeof(r));
	r.cell = c->index;
	r.done = !why;
	/* -EPROTO: it ran, and what has to come of an injection did not. */
	r.unmet = err == -EPROTO;
	r.skipped = err == -ENOTSUP;
	snprintf(r.why, sizeof(r.why), "%s", why ? why : "");
	/* Less than PIPE_BUF: whole or not at all. */
	while (write(run->report_fd, &r, sizeof(r)) < 0 && errno == EINTR)
		;
}

static void report_all(const struct run *run, const struct cell *const *cells,
		       size_t nr, const char *why, int err)
{
	size_t i;

	for (i = 0; i < nr; i++)
		send_report(run, cells[i], why, err);
}

void run_report_failed(const struct run *run, const struct cell *const *cells,
		       size_t nr, const char *why)
{
	report_all(run, cells, nr, why, -EIO);
}

void run_describe_status(int status, char *out, size_t out_size)
{
	if (WIFSIGNALED(status))
		snprintf(out, out_size, "killed by signal %d (%s)",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(out, out_size, "its process ended with status %d",
			 WEXITSTATUS(status));
}

/* ended: no phase is left. */
static const char *phase_key(const struct cell *c, unsigned int phase)
{
	return phase < c->body->nr_phases ? c->body->phase_keys[phase] : "";
}

static int by_phase(const void *a, const void *b, void *ctx)
{
	const struct branch *br = ctx;
	const struct cell *x = *(const struct cell *const *)a;
	const struct cell *y = *(const struct cell *const *)b;
	const int order = strcmp(phase_key(x, br->phase),
				 phase_key(y, br->phase));

	if (order)
		return order;
	return x->index < y->index ? -1 : x->index > y->index;
}

static bool all_alike(const struct branch *br)
{
	size_t i;

	for (i = 1; i < br->nr; i++)
		if (strcmp(phase_key(br->cells[0], br->phase),
			   phase_key(br->cells[i], br->phase)) != 0)
			return false;
	return true;
}

static int fail_branch(const struct branch *br, int err, const char *why)
{
	/* What a phase cannot do is no matter of the machine. */
	if (err != -EINTR)
		report_all(br->run, br->cells, br->nr, why,
			   br->sim || err != -ENOTSUP ? -EIO : err);
	return err;
}

static int write_cell(const struct branch *br)
{
	const struct cell *c = br->cells[0];
	struct cell_wall wall = {
		.seconds = now_s() - br->began_s,
		.shared_seconds = br->shared_s,
	};
	char why[400] = "";
	bool unmet;
	int err;

	CHECK_EQ(br->nr, 1);
	wall.host = br->run->host;
	binding_describe(br->run->budget.binding, wall.cpus,
			 sizeof(wall.cpus));
	wall.is_real = sim_host_real(br->sim, &wall.real);
	err = sim_verdict(br->sim, why, sizeof(why));
	unmet = err == -EPROTO;
	if (!err)
		err = cell_write(br->run->e, c, sim_result(br->sim), &wall,
				 br->run->dir, why, sizeof(why));
	send_report(br->run, c, err ? why : NULL, unmet ? -EPROTO : 0);
	return err;
}

static int run_branch(struct branch *br);

/* In a child: go on with the i-th run of equal cells. */
static int run_part(void *ctx, size_t i)
{
	const struct branch *parent = ctx;
	struct branch br = *parent;

	br.cells = parent->parts[i].cells;
	br.nr = parent->parts[i].nr;
	br.shared_s = parent->shared_s + now_s() - parent->began_s;
	br.began_s = now_s();
	if (sim_set_phases(br.sim, br.cells[0]->body->phases,
			   br.cells[0]->body->nr_phases)) {
		fail_branch(&br, -ENOMEM, "out of memory");
		return 1;
	}
	sim_set_events(br.sim, br.cells[0]->body->events,
		       br.cells[0]->body->injects);
	return run_branch(&br) ? 1 : 0;
}

static void part_ended(void *ctx, size_t i, int status)
{
	const struct branch *br = ctx;
	char why[128];

	/* Status 1: it has reported itself, or was asked to stop. */
	if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
		return;
	if (*br->run->stop)
		return;
	run_describe_status(status, why, sizeof(why));
	run_report_failed(br->run, br->parts[i].cells, br->parts[i].nr, why);
}

static void part_failed(void *ctx, size_t i, int err)
{
	const struct branch *br = ctx;
	char why[128];

	snprintf(why, sizeof(why), "cannot fork: %s", strerror(err));
	run_report_failed(br->run, br->parts[i].cells, br->parts[i].nr, why);
}

/* Parts in the order in which the plan first names one of their cells. */
static int by_first(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	return x->cells[0]->index < y->cells[0]->index ? -1 :
	       x->cells[0]->index > y->cells[0]->index;
}

/* Bring cells with the same next phase together. Returns how many parts. */
static size_t find_parts(struct branch *br, const struct cell **sorted)
{
	size_t i, n = 0;

	memcpy(sorted, br->cells, br->nr * sizeof(*sorted));
	qsort_r(sorted, br->nr, sizeof(*sorted), by_phase, br);
	br->cells = sorted;
	for (i = 0; i < br->nr; i++) {
		if (!i || strcmp(phase_key(sorted[i - 1], br->phase),
				 phase_key(sorted[i], br->phase)) != 0)
			br->parts[n++].cells = &sorted[i];
		br->parts[n - 1].nr++;
	}
	qsort(br->parts, n, sizeof(*br->parts), by_first);
	return n;
}

static int fork_parts(struct branch *br)
{
	struct pool_budget budget = br->run->budget;
	struct pool_jobs jobs = {
		.budget = &budget, .own_token = true, .run = run_part,
		.ended = part_ended, .failed = part_failed, .ctx = br,
		.watch_fd = -1, .stop = br->run->stop,
	};
	const struct cell **sorted = calloc(br->nr, sizeof(*sorted));
	int err = -ENOMEM;

	br->parts = calloc(br->nr, sizeof(*br->parts));
	if (sorted && br->parts) {
		jobs.nr = find_parts(br, sorted);
		err = pool_run(&jobs);
	}
	if (err)
		fail_branch(br, err, "out of memory");
	free(br->parts);
	free(sorted);
	return *br->run->stop ? -EINTR : err;
}

static int run_branch(struct branch *br)
{
	char why[400] = "";
	int err;

	cell_describe(br->cells[0], br->context, sizeof(br->context));
	check_set_context(br->context);
	while (all_alike(br)) {
		if (br->phase == br->cells[0]->body->nr_phases)
			return write_cell(br);
		err = sim_run_phase(br->sim, br->phase, br->run->stop, why,
				    sizeof(why));
		if (err)
			return fail_branch(br, err, why);
		br->phase++;
	}
	return fork_parts(br);
}

void cell_config(const struct experiment *e, const struct cell *c,
		 struct sim_config *out)
{
	const struct cell_body *b = c->body;
	const struct sim_registry *r = e->schema.registry;

	*out = (struct sim_config){
		.guest = b->guest,
		.host = b->host,
		.hypervisor = r->hypervisors[b->host_choice.member],
		.hypervisor_options = b->hypervisor_options,
		.reporter = r->reporters[b->reporter_choice.member],
		.reporter_options = b->reporter_options,
		.reporter_enabled = b->reporter_choice.enabled,
		.phases = b->phases,
		.nr_phases = b->nr_phases,
		.events = b->events,
		.nr_events = b->nr_events,
		.injects = b->injects,
		.nr_injects = b->nr_injects,
		.seed = c->seed,
		.sample_ns = b->experiment.sample_ns,
		.map_ns = b->experiment.map_ns,
		.prices = b->prices,
	};
}

int run_cells(const struct run *run, const struct cell *const *cells,
	      size_t nr)
{
	struct sim_config cfg;
	struct branch br = { .run = run, .cells = cells, .nr = nr,
			     .began_s = now_s() };
	char why[400] = "";
	int err;

	cell_config(run->e, cells[0], &cfg);
	cfg.check_every = run->check_every;
	cfg.step_by_step = run->step_by_step;
	err = sim_create(&br.sim, &cfg, why, sizeof(why));
	if (err)
		return fail_branch(&br, err, why);
	err = run_branch(&br);
	sim_destroy(br.sim);
	check_set_context(NULL);
	return err;
}
