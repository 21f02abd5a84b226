/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root of the tree of processes: which cells are to be run, in which
 * groups, and what became of them. The root itself computes nothing, so a
 * crash of the model takes down one cell or group and never the run.
 */
#define _GNU_SOURCE
#include "bench/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/binding.h"
#include "bench/cell_json.h"
#include "bench/progress.h"
#include "bench/run_cell.h"
#include "bench/selfbench.h"
#include "bench/store.h"

static volatile sig_atomic_t stop_requested;

static void on_signal(int sig)
{
	(void)sig;
	stop_requested = 1;
}

enum cell_state { CELL_IDLE, CELL_WANTED, CELL_DONE, CELL_FAILED };

struct group {
	const struct cell *const *cells;
	size_t nr;
};

struct runner {
	const struct experiment *e;
	const struct runner_options *opt;
	struct runner_outcome *out;
	struct run run;
	struct progress progress;
	const struct cell **cells;  /* to be run, one per id, by group */
	size_t nr_cells;
	struct group *groups;
	size_t nr_groups;
	enum cell_state *state;     /* by plan index */
	int reports;                /* read end */
	struct binding *binding;
	char host[512];
};

/* Cells of a group beside each other. */
static int by_group(const void *a, const void *b)
{
	const struct cell *x = *(const struct cell *const *)a;
	const struct cell *y = *(const struct cell *const *)b;
	const int order = strcmp(x->body->base_key, y->body->base_key);

	if (order)
		return order;
	if (x->seed != y->seed)
		return x->seed < y->seed ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Groups in the order in which the plan first names one of their cells. */
static int by_first(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return x->cells[0]->index < y->cells[0]->index ? -1 :
	       x->cells[0]->index > y->cells[0]->index;
}

/* Guests of such a host cannot be gone on with in a fork: each cell boots. */
static bool shares_nothing(const struct runner *r, const struct cell *c)
{
	const unsigned int member = c->body->host_choice.member;

	return r->e->schema.registry->hypervisors[member]->no_fork;
}

static bool same_group(const struct runner *r, const struct cell *a,
		       const struct cell *b)
{
	return a->seed == b->seed && !shares_nothing(r, a) &&
	       !strcmp(a->body->base_key, b->body->base_key);
}

static void want_cell(struct runner *r, const struct cell *c)
{
	r->out->nr_cells++;
	/* One that cannot be read is run again. */
	if (cell_is_stored(c, r->opt->dir) > 0) {
		r->out->nr_kept++;
		return;
	}
	r->state[c->index] = CELL_WANTED;
	r->cells[r->nr_cells++] = c;
}

/* One cell of each id, without those that are stored. */
static void choose_cells(struct runner *r)
{
	const struct experiment *e = r->e;
	size_t i;

	for (i = 0; i < e->nr_cells; i++)
		if (r->opt->only ? r->opt->only == &e->cells[i] :
		    !e->cells[i].repeated &&
		    (!r->opt->wanted || r->opt->wanted[i]))
			want_cell(r, &e->cells[i]);
	qsort(r->cells, r->nr_cells, sizeof(*r->cells), by_group);
}

static void make_groups(struct runner *r)
{
	struct group *g = NULL;
	size_t i;

	for (i = 0; i < r->nr_cells; i++) {
		if (!g || !same_group(r, g->cells[0], r->cells[i])) {
			g = &r->groups[r->nr_groups++];
			g->cells = &r->cells[i];
		}
		g->nr++;
	}
	qsort(r->groups, r->nr_groups, sizeof(*r->groups), by_first);
}

static int prepare(struct runner *r)
{
	const size_t nr = r->e->nr_cells + 1;

	r->cells = calloc(nr, sizeof(*r->cells));
	r->groups = calloc(nr, sizeof(*r->groups));
	r->state = calloc(nr, sizeof(*r->state));
	if (!r->cells || !r->groups || !r->state)
		return -ENOMEM;
	choose_cells(r);
	make_groups(r);
	return 0;
}

static void print_failure(struct runner *r, const struct cell *c,
			  const char *why)
{
	char text[300];

	if (!r->opt->messages)
		return;
	progress_clear(&r->progress);
	cell_describe(c, text, sizeof(text));
	fprintf(r->opt->messages, "error: cell %s (%s): %s\n", c->id, text,
		why);
	if (r->opt->repeat)
		fprintf(r->opt->messages, "  to repeat: %s --cell %s\n",
			r->opt->repeat, c->id);
	fflush(r->opt->messages);
}

static void cell_failed(struct runner *r, const struct cell *c,
			const char *why)
{
	if (r->state[c->index] != CELL_WANTED)
		return;
	r->state[c->index] = CELL_FAILED;
	r->out->nr_failed++;
	print_failure(r, c, why);
}

static void take_report(struct runner *r, const struct run_report *report)
{
	if (!report->done) {
		r->out->nr_unmet += report->unmet &&
			r->state[report->cell] == CELL_WANTED;
		r->out->nr_skipped += report->skipped &&
			r->state[report->cell] == CELL_WANTED;
		cell_failed(r, &r->e->cells[report->cell], report->why);
		return;
	}
	if (r->state[report->cell] == CELL_FAILED)
		r->out->nr_failed--;
	r->state[report->cell] = CELL_DONE;
	r->out->nr_done++;
}

static void idle(void *ctx)
{
	struct runner *r = ctx;
	struct run_report report;

	while (read(r->reports, &report, sizeof(report)) == sizeof(report))
		take_report(r, &report);
	progress_update(&r->progress, r->out->nr_done + r->out->nr_failed);
}

static int run_group(void *ctx, size_t i)
{
	struct runner *r = ctx;

	return run_cells(&r->run, r->groups[i].cells, r->groups[i].nr) ? 1 : 0;
}

static void fail_group(struct runner *r, size_t i, const char *why)
{
	size_t k;

	/* What its workers managed to say comes first. */
	idle(r);
	for (k = 0; k < r->groups[i].nr; k++)
		cell_failed(r, r->groups[i].cells[k], why);
}

static void group_ended(void *ctx, size_t i, int status)
{
	char why[128];

	if (stop_requested || (WIFEXITED(status) && WEXITSTATUS(status) <= 1))
		return;
	run_describe_status(status, why, sizeof(why));
	fail_group(ctx, i, why);
}

static void group_failed(void *ctx, size_t i, int err)
{
	char why[128];

	snprintf(why, sizeof(why), "cannot fork: %s", strerror(err));
	fail_group(ctx, i, why);
}

struct old_handlers {
	struct sigaction interrupt, terminate, hangup;
};

static void catch_signals(struct old_handlers *old)
{
	const struct sigaction action = { .sa_handler = on_signal };

	stop_requested = 0;
	sigaction(SIGINT, &action, &old->interrupt);
	sigaction(SIGTERM, &action, &old->terminate);
	sigaction(SIGHUP, &action, &old->hangup);
	/* nohup wants it to go on. */
	if (old->hangup.sa_handler == SIG_IGN)
		sigaction(SIGHUP, &old->hangup, NULL);
}

static void release_signals(const struct old_handlers *old)
{
	sigaction(SIGINT, &old->interrupt, NULL);
	sigaction(SIGTERM, &old->terminate, NULL);
	sigaction(SIGHUP, &old->hangup, NULL);
}

static int run_groups(struct runner *r)
{
	struct pool_jobs jobs = {
		.budget = &r->run.budget, .nr = r->nr_groups,
		.run = run_group, .ended = group_ended,
		.failed = group_failed, .ctx = r, .watch_fd = r->reports,
		.idle = idle, .stop = &stop_requested,
	};
	struct old_handlers old;
	size_t i;
	int err;

	progress_init(&r->progress, r->opt->messages, r->opt->progress,
		      r->nr_cells);
	catch_signals(&old);
	err = pool_run(&jobs);
	idle(r);
	progress_clear(&r->progress);
	if (r->out->nr_done)
		store_sync(r->opt->dir);
	r->out->interrupted = stop_requested;
	release_signals(&old);
	for (i = 0; i < r->nr_cells && !r->out->interrupted; i++)
		cell_failed(r, r->cells[i], "it left no result");
	return err;
}

static int open_pipes(struct runner *r)
{
	int fds[2], err;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	r->reports = fds[0];
	r->run.report_fd = fds[1];
	/* Workers wait when the pipe is full; the root never does. */
	err = fcntl(fds[0], F_SETFL, O_NONBLOCK) ? -errno : 0;
	if (!err)
		err = pool_budget_init(&r->run.budget, r->opt->jobs);
	if (err) {
		close(fds[0]);
		close(fds[1]);
	}
	return err;
}

/* What timed results say of the machine, and where its workers are. */
static void take_machine(struct runner *r)
{
	char why[128];

	if (!r->nr_cells)
		return;
	selfbench_machine_line(r->host, sizeof(r->host));
	r->run.host = r->host;
	if (!r->opt->bind)
		return;
	r->binding = binding_create(r->opt->jobs, why, sizeof(why));
	r->run.budget.binding = r->binding;
	if (!r->binding && r->opt->messages)
		fprintf(r->opt->messages, "note: cells are not bound to CPUs: "
			"%s\n", why);
}

int runner_run(const struct experiment *e, const struct runner_options *opt,
	       struct runner_outcome *out)
{
	struct runner r = { .e = e, .opt = opt, .out = out };
	int err;

	*out = (struct runner_outcome){ 0 };
	r.run = (struct run){ .e = e, .dir = opt->dir,
			      .check_every = opt->check_every,
			      .step_by_step = opt->step_by_step,
			      .stop = &stop_requested };
	err = prepare(&r);
	if (!err)
		err = open_pipes(&r);
	if (!err) {
		take_machine(&r);
		err = run_groups(&r);
		binding_destroy(r.binding);
		pool_budget_destroy(&r.run.budget);
		close(r.reports);
		close(r.run.report_fd);
	}
	free(r.cells);
	free(r.groups);
	free(r.state);
	return err;
}
