/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of the whole machine in virtual time: faults, booting, a guest larger
 * than this host, two cells beside each other. Guests are as in
 * bench/experiments/free-page-reporting.ini where nothing else is said.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/bench_rows.h"
#include "include/check.h"
#include "include/guard.h"
#include "include/types.h"
#include "sim/sim.h"

#define MAX_PHASES (SELFBENCH_MAX_REPEAT + 3)
#define FIRST_MEASURED 2u      /* after fill and settle */

struct bench_cell {
	struct sim_config cfg;
	struct sim_phase_config phases[MAX_PHASES];
	struct price_list prices;
	void *hypervisor_options, *reporter_options;
	void *workload_options[MAX_PHASES];
	struct sim *sim;
	unsigned int next;     /* phase */
};

/* What a row wants of its cell. */
struct cell_wish {
	const char *memory, *topology, *host_memory;
	const struct workload_ops *workload;
	const char *fill, *duration;
	bool thp;
	unsigned int tasks;
};

static void *defaults(const struct option_table *t)
{
	void *base = calloc(1, t->size ? t->size : 1);

	if (base && t->descs)
		option_defaults(t, base);
	return base;
}

/* Options of ours are right, or the program is wrong. */
static int set(const struct option_table *t, void *base, const char *name,
	       const char *value)
{
	char why[128];

	return option_parse(option_find(t, name), value, base, why,
			    sizeof(why));
}

static int add_phase(struct bench_cell *c, const char *name,
		     const struct workload_ops *w, unsigned int tasks,
		     const char *duration)
{
	const unsigned int i = c->cfg.nr_phases++;
	struct sim_phase_config *p = &c->phases[i];

	option_defaults(&phase_option_table, &p->opt);
	snprintf(p->name, sizeof(p->name), "%s", name);
	c->workload_options[i] = defaults(&w->options);
	p->workload = w;
	p->workload_options = c->workload_options[i];
	p->opt.tasks = tasks;
	return p->workload_options ?
	       set(&phase_option_table, &p->opt, "duration", duration) :
	       -ENOMEM;
}

static void cell_free(void *ctx)
{
	struct bench_cell *c = ctx;

	sim_destroy(c->sim);
	free(c->hypervisor_options);
	free(c->reporter_options);
	for (size_t i = 0; i < MAX_PHASES; i++)
		free(c->workload_options[i]);
	free(c);
}

static int cell_options(struct bench_cell *c, const struct cell_wish *w)
{
	int err = set(&guest_option_table, &c->cfg.guest, "kernel", "5.7");

	if (!err)
		err = set(&guest_option_table, &c->cfg.guest, "memory",
			  w->memory);
	if (!err)
		err = set(&guest_option_table, &c->cfg.guest, "topology",
			  w->topology);
	if (!err)
		err = set(&mock_hypervisor.options, c->hypervisor_options,
			  "memory", w->host_memory);
	return err;
}

/* A cell without phases. */
static int cell_new(const struct cell_wish *w, struct bench_cell **out)
{
	struct bench_cell *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	price_list_default(&c->prices);
	option_defaults(&guest_option_table, &c->cfg.guest);
	option_defaults(&host_option_table, &c->cfg.host);
	c->hypervisor_options = defaults(&mock_hypervisor.options);
	c->reporter_options = defaults(&page_reporting_reporter.options);
	c->cfg.hypervisor = &mock_hypervisor;
	c->cfg.hypervisor_options = c->hypervisor_options;
	c->cfg.reporter = &page_reporting_reporter;
	c->cfg.reporter_options = c->reporter_options;
	c->cfg.reporter_enabled = true;
	c->cfg.phases = c->phases;
	c->cfg.prices = &c->prices;
	c->cfg.seed = 1;
	err = c->hypervisor_options && c->reporter_options ?
	      cell_options(c, w) : -ENOMEM;
	if (err) {
		cell_free(c);
		return err;
	}
	*out = c;
	return 0;
}

/* Memory used once and given back, and the reporter finished with it. */
static int add_fill(struct bench_cell *c, const struct cell_wish *w)
{
	int err = add_phase(c, "fill", &memhog_workload, 1, "0s");

	if (!err)
		err = set(&phase_option_table, &c->phases[0].opt, "size",
			  w->fill);
	if (!err)
		err = set(&phase_option_table, &c->phases[0].opt, "thp", "on");
	if (!err)
		err = add_phase(c, "settle", &idle_workload, 1, "36000s");
	c->phases[1].opt.until = UNTIL_REPORTER_IDLE;
	return err;
}

static int run_next(struct bench_cell *c, char *why, size_t why_size)
{
	static const volatile sig_atomic_t never;

	return sim_run_phase(c->sim, c->next++, &never, why, why_size);
}

/* ---- faults ---- */

static int fault_setup(const struct selfbench_row *row, unsigned int samples,
		       void **ctx, char *why, size_t why_size)
{
	const struct cell_wish *w = row->arg;
	struct bench_cell *c;
	int err = cell_new(w, &c);

	if (err)
		return err;
	err = add_fill(c, w);
	for (unsigned int i = 0; i < samples && !err; i++) {
		err = add_phase(c, "measure", w->workload, w->tasks,
				w->duration);
		c->phases[FIRST_MEASURED + i].opt.thp = w->thp;
	}
	if (!err)
		err = sim_create(&c->sim, &c->cfg, why, why_size);
	for (unsigned int i = 0; i < FIRST_MEASURED && !err; i++)
		err = run_next(c, why, why_size);
	if (err)
		cell_free(c);
	else
		*ctx = c;
	return err;
}

/* Pages touched, which is what will-it-scale counts; or virtual time. */
static int run_faults(const struct selfbench_row *row, void *ctx,
		      struct selfbench_sample *out, char *why, size_t why_size)
{
	const struct cell_wish *w = row->arg;
	struct selfbench_timer t = { 0 };
	struct bench_cell *c = ctx;
	const unsigned int phase = c->next;
	const struct sim_phase_result *p;
	int err;

	selfbench_start(&t);
	err = run_next(c, why, why_size);
	selfbench_stop(&t);
	if (err)
		return err;
	p = &sim_result(c->sim)->phases[phase];
	out->value = w->thp ? (double)(p->end - p->start) / (double)t.cpu_ns :
			      selfbench_millions_per_s(&t, p->iterations);
	out->cpu_ns = t.cpu_ns;
	out->wall_ns = t.wall_ns;
	return 0;
}

/* ---- booting ---- */

static int run_boot(const struct selfbench_row *row, void *ctx,
		    struct selfbench_sample *out, char *why, size_t why_size)
{
	struct selfbench_timer t = { 0 };
	struct bench_cell *c;
	struct rusage u;
	int err = cell_new(row->arg, &c);

	(void)ctx;
	if (err)
		return err;
	selfbench_start(&t);
	err = sim_create(&c->sim, &c->cfg, why, why_size);
	selfbench_stop(&t);
	getrusage(RUSAGE_SELF, &u);
	*out = (struct selfbench_sample){ (double)t.cpu_ns / 1e6, t.cpu_ns,
					  t.wall_ns };
	if (row->unit[0] == 'M')
		out->value = (double)u.ru_maxrss / 1024;
	cell_free(c);
	return err;
}

/* ---- a guest larger than this host ---- */

static int run_large(const struct selfbench_row *row, void *ctx,
		     struct selfbench_sample *out, char *why, size_t why_size)
{
	const struct cell_wish *w = row->arg;
	struct selfbench_timer t = { 0 };
	struct bench_cell *c;
	int err = cell_new(w, &c);

	(void)ctx;
	if (err)
		return err;
	err = add_fill(c, w);
	selfbench_start(&t);
	if (!err)
		err = sim_create(&c->sim, &c->cfg, why, why_size);
	while (!err && c->next < c->cfg.nr_phases)
		err = run_next(c, why, why_size);
	selfbench_stop(&t);
	cell_free(c);
	*out = (struct selfbench_sample){ (double)t.cpu_ns / 1e9, t.cpu_ns,
					  t.wall_ns };
	return err;
}

/* ---- two cells ---- */

static int one_cell(const struct cell_wish *w)
{
	struct bench_cell *c;
	char why[128];
	int err = cell_new(w, &c);

	if (err)
		return err;
	err = add_phase(c, "measure", w->workload, w->tasks, w->duration);
	if (!err)
		err = sim_create(&c->sim, &c->cfg, why, sizeof(why));
	if (!err)
		err = run_next(c, why, sizeof(why));
	cell_free(c);
	return err;
}

/* Wall time of `nr` processes that run a cell each; 0 = one of them failed. */
static uint64_t beside_each_other(const struct cell_wish *w, unsigned int nr)
{
	struct selfbench_timer t = { 0 };
	bool failed = false;
	int status = 0;
	pid_t pids[2];

	CHECK(nr <= ARRAY_SIZE(pids));
	selfbench_start(&t);
	for (unsigned int i = 0; i < nr; i++) {
		pids[i] = guard_fork();
		if (!pids[i])
			_exit(one_cell(w) ? 1 : 0);
	}
	for (unsigned int i = 0; i < nr; i++)
		failed |= pids[i] < 0 || guard_wait(pids[i], &status) ||
			  status;
	selfbench_stop(&t);
	return failed ? 0 : t.wall_ns;
}

static int run_two(const struct selfbench_row *row, void *ctx,
		   struct selfbench_sample *out, char *why, size_t why_size)
{
	const uint64_t one = beside_each_other(row->arg, 1);
	const uint64_t two = beside_each_other(row->arg, 2);

	(void)ctx;
	if (!one || !two) {
		snprintf(why, why_size, "a cell failed");
		return -EIO;
	}
	*out = (struct selfbench_sample){ 2 * (double)one / (double)two, 0,
					  one + two };
	return 0;
}

#define HOST_32G .memory = "32G", .topology = "pack:1 core:8 pu:2",           \
	.host_memory = "126G"

static const struct cell_wish fault1 = { HOST_32G, .fill = "100%",
	.workload = &page_fault1_workload, .duration = "1s", .tasks = 16 };
static const struct cell_wish fault2 = { HOST_32G, .fill = "100%",
	.workload = &page_fault2_workload, .duration = "1s", .tasks = 16 };
static const struct cell_wish fault_thp = { HOST_32G, .fill = "100%",
	.workload = &page_fault1_workload, .duration = "5s", .tasks = 16,
	.thp = true };
static const struct cell_wish boot_32g = { HOST_32G };
static const struct cell_wish boot_1t = { .memory = "1T",
	.topology = "core:128 pu:2", .host_memory = "2T" };
static const struct cell_wish large = { .memory = "1T",
	.topology = "core:128 pu:2", .host_memory = "2T", .fill = "10%" };
static const struct cell_wish pair = { .memory = "1G",
	.topology = "core:4 pu:1", .host_memory = "4G",
	.workload = &page_fault1_workload, .duration = "500ms", .tasks = 4 };

#define FAULT_ROW(NAME, WHAT, UNIT, GOAL, FLOOR, WISH)                        \
	{ .name = NAME, .what = WHAT, .unit = UNIT, .higher = true,           \
	  .goal = GOAL, .floor = FLOOR, .setup = fault_setup,                 \
	  .run = run_faults, .teardown = cell_free, .arg = &(WISH) }

const struct selfbench_row bench_cell_rows[] = {
	FAULT_ROW("fault1", "page_fault1, single pages, 16 tasks, reporting on",
		  "M faults/s", 40, 15, fault1),
	FAULT_ROW("fault2", "page_fault2, 16 tasks, reporting on",
		  "M faults/s", 40, 15, fault2),
	FAULT_ROW("fault1-thp", "page_fault1, huge pages, 16 tasks: virtual "
		  "over real time", "times", 100, 20, fault_thp),
	{ .name = "boot-32g", .what = "machine with a guest of 32 GiB",
	  .unit = "ms", .goal = 3, .floor = 20, .run = run_boot,
	  .arg = &boot_32g },
	{ .name = "boot-1t", .what = "machine with a guest of 1 TiB, 256 CPUs",
	  .unit = "ms", .goal = 100, .floor = 1000, .slow = true,
	  .run = run_boot, .arg = &boot_1t },
	{ .name = "boot-1t-resident", .what = "its resident memory",
	  .unit = "MiB", .goal = 200, .floor = 1024, .slow = true,
	  .run = run_boot, .arg = &boot_1t },
	{ .name = "large-drain", .what = "1 TiB, 256 CPUs, memhog of 10 %, all "
	  "free memory reported", .unit = "s", .goal = 10, .floor = 60,
	  .slow = true, .run = run_large, .arg = &large },
	{ .name = "two-cells", .what = "two processes over one, wall time",
	  .unit = "times", .higher = true, .goal = 1.95, .floor = 1.9,
	  .slow = true, .run = run_two, .arg = &pair },
	{ .name = NULL },
};
