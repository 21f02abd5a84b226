/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Phases: start the tasks, open the measured window after the warm-up, close
 * it after the duration, end the tasks, and keep what the window counted.
 *
 * will-it-scale's runner discards its first samples and averages the rest; a
 * warm-up and a duration say the same without its one-second grid.
 */
#include "sim/machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/check.h"

/*
 * Tasks start at random within this time, so that a window opens at a random
 * place of their iterations, as it does in a real run.
 */
#define START_SPREAD_NS (100 * NSEC_PER_MSEC)
/* Looks for tasks that wait in vain. */
#define LOOK_NS NSEC_PER_SEC
/* Longer than any duration that can be asked for with its warm-up. */
#define PHASE_LIMIT_NS (UINT64_C(48) * 3600 * NSEC_PER_SEC)

void phase_note_iterations(struct sim *s, uint32_t pages)
{
	if (s->measuring)
		s->window_iterations += pages;
}

void phase_task_done(struct sim_guest *g, struct task *t)
{
	(void)t;
	g->sim->nr_running--;
}

/* Pages free above the high watermark, all zones: what `size = N%` is of. */
static uint64_t free_above_high(const struct alloc *a)
{
	struct alloc_zone_info z;
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < alloc_nr_zones(a); i++) {
		uint64_t mark;

		alloc_zone_info(a, i, &z);
		mark = z.wmark_high + z.boost;
		sum += z.free > mark ? z.free - mark : 0;
	}
	return sum;
}

static uint64_t host_free(const struct sim *s, uint64_t *total)
{
	struct hv_gauges hv;

	s->hv->ops->gauges(s->hv, HV_ALL_GUESTS, &hv);
	*total = hv.host_total_pages;
	return hv.host_free_pages;
}

static int resolve_size(struct sim_guest *g, const struct phase_options *opt,
			uint64_t *bytes, char *why, size_t why_size)
{
	uint64_t free = free_above_high(g->alloc);
	uint64_t total = alloc_end_pfn(g->alloc);

	if (opt->native)
		free = host_free(g->sim, &total);
	free = pages_to_bytes(free);
	*bytes = opt->size.value;
	if (opt->size.is_percent)
		*bytes = pages_to_bytes(bytes_to_pages(free) *
					opt->size.value / 10000);
	if (g->workload.ops->needs_size && !*bytes) {
		snprintf(why, why_size, "workload %s needs 'size = ', e.g. "
			 "80%% or 1G", g->workload.ops->name);
		return -EINVAL;
	}
	if (!g->workload.ops->size_of_files &&
	    *bytes > pages_to_bytes(total)) {
		snprintf(why, why_size, "size = %llu is more than the %s "
			 "memory; allowed is up to 100%% of it",
			 (unsigned long long)*bytes,
			 opt->native ? "host's" : "guest's");
		return -EINVAL;
	}
	return 0;
}

static int open_workload(struct sim_guest *g, const struct sim_phase_config *c,
			 char *why, size_t why_size)
{
	struct workload *w = &g->workload;
	int ret;

	*w = (struct workload){ .ops = c->workload,
				.options = c->workload_options };
	w->ctx.nr_tasks = (unsigned int)c->opt.tasks;
	w->ctx.seed = g->sim->cfg.seed;
	w->ctx.thp = c->opt.thp;
	ret = resolve_size(g, &c->opt, &w->ctx.size, why, why_size);
	if (ret)
		return ret;
	w->state = calloc(1, c->workload->state_size ?
			     c->workload->state_size : 1);
	if (!w->state)
		return -ENOMEM;
	return c->workload->prepare ? c->workload->prepare(w, why, why_size) : 0;
}

static void close_workload(struct sim_guest *g)
{
	unsigned int i;

	if (g->workload.state && g->workload.ops->cleanup)
		g->workload.ops->cleanup(&g->workload);
	free(g->workload.state);
	g->workload.state = NULL;
	for (i = 0; i < g->topo.nr_cpus; i++)
		g->vcpus[i].nr_tasks = 0;
	for (i = 0; g->tasks && i < g->nr_tasks; i++)
		native_destroy(g->sim, &g->tasks[i]);
	free(g->tasks);
	g->tasks = NULL;
	g->nr_tasks = 0;
}

static int vcpu_add_task(struct vcpu *v, struct task *t)
{
	if (v->nr_tasks == v->tasks_capacity) {
		const uint32_t capacity = v->tasks_capacity * 2 + 4;
		struct task **tasks =
			realloc(v->tasks, capacity * sizeof(struct task *));

		if (!tasks)
			return -ENOMEM;
		v->tasks = tasks;
		v->tasks_capacity = capacity;
	}
	v->tasks[v->nr_tasks++] = t;
	return 0;
}

/* A process of the host is no guest's business: it has none of its mms. */
static int task_mm(struct sim_guest *g, struct task *t, unsigned int cpu)
{
	int mm;

	if (g->sim->opt->native) {
		t->mm = UINT32_MAX;
		t->has_mm = true;
		return native_create(g, t);
	}
	/* A recorded run brings its own address spaces. */
	if (g->replay)
		return 0;
	mm = guest_mm_create(g->mm, cpu);
	if (mm < 0)
		return mm;
	t->mm = (uint32_t)mm;
	t->has_mm = true;
	return 0;
}

static int start_task(struct sim_guest *g, uint32_t i)
{
	struct vcpu *v = &g->vcpus[i % g->topo.nr_cpus];
	struct task *t = &g->tasks[i];
	const sim_ns_t at = g->sim->engine.now +
			    rng_below(&g->phase_rng, START_SPREAD_NS);
	int ret;

	g->work = (struct alloc_work){ 0 };
	*t = (struct task){ .nr = (uint16_t)i, .started = true, .wake_at = at };
	ret = task_mm(g, t, v->cpu);
	if (ret)
		return ret;
	host_drain_touches(g);
	g->tasks_started++;
	v->current = 0;
	v->slice_end = 0;
	if (vcpu_add_task(v, t))
		return -ENOMEM;
	vcpu_wake(v, at);
	return 0;
}

static int start_tasks(struct sim_guest *g, const struct sim_phase_config *c,
		       char *why, size_t why_size)
{
	uint32_t i;
	int ret = open_workload(g, c, why, why_size);

	if (ret)
		return ret;
	g->record_waited = 0;
	g->nr_tasks = (uint32_t)c->opt.tasks;
	g->sim->nr_running += g->nr_tasks;
	g->tasks = calloc(g->nr_tasks, sizeof(*g->tasks));
	if (!g->tasks)
		return -ENOMEM;
	for (i = 0; i < g->nr_tasks; i++) {
		ret = start_task(g, i);
		if (ret) {
			snprintf(why, why_size, "guest has no memory for task "
				 "%u of %u", i + 1, g->nr_tasks);
			return ret;
		}
	}
	return 0;
}

static void window_open(void *ctx, uint64_t arg)
{
	struct sim *s = ctx;

	(void)arg;
	s->measuring = true;
	s->window_start = s->engine.now;
	s->window_iterations = 0;
	stats_read(s, s->at_open);
}

static void window_close(void *ctx, uint64_t arg)
{
	struct sim *s = ctx;

	(void)arg;
	if (s->window_closed)
		return;
	s->measuring = false;
	s->window_closed = true;
	s->window_end = s->engine.now;
	stats_read(s, s->at_close);
	stats_gauges(s, &s->gauges_at_close);
	reclaim_before_discard(s);
	s->reclaim.peak_at_close = s->reclaim.peak;
	s->stopping = true;
}

static bool all_idle(const struct sim *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_guests; i++)
		if (!device_idle(&s->guests[i]))
			return false;
	return true;
}

/* No task is about to do anything: all are done or sleep on purpose. */
static bool all_quiet(const struct sim *s)
{
	unsigned int i;
	uint32_t t;

	for (i = 0; i < s->nr_guests; i++)
		for (t = 0; t < s->guests[i].nr_tasks; t++)
			if (!s->guests[i].tasks[t].done &&
			    !s->guests[i].tasks[t].asleep)
				return false;
	return true;
}

static bool phase_over(struct sim *s)
{
	if (s->failed)
		return true;
	if (s->opt->until == UNTIL_REPORTER_IDLE && !s->window_closed &&
	    all_idle(s) && all_quiet(s))
		window_close(s, 0);
	if (s->nr_running)
		return false;
	return s->window_closed || s->opt->until == UNTIL_TASKS;
}

static void sample_event(void *ctx, uint64_t arg)
{
	struct sim *s = ctx;

	(void)arg;
	if (s->nr_samples >= SIM_MAX_SAMPLES) {
		sim_fail(s, -EINVAL, "more than %d samples; [experiment] "
			 "sample = %lluns is too short for this run, if it "
			 "does not wait for what never comes",
			 SIM_MAX_SAMPLES, (unsigned long long)s->cfg.sample_ns);
		return;
	}
	stats_sample(s);
	if (s->opt)
		engine_at(&s->engine, s->engine.now + s->cfg.sample_ns,
			  sample_event, s, 0);
}

static unsigned int busy_vcpus(const struct sim *s)
{
	const struct sim_guest *g = &s->guests[0];

	return g->nr_tasks < g->topo.nr_cpus ? g->nr_tasks : g->topo.nr_cpus;
}

static int check_native(const struct sim_phase_config *c, char *why,
			size_t why_size)
{
	if (!c->opt.native || c->workload->anon_only)
		return 0;
	snprintf(why, why_size, "phase %s: workload %s needs a guest; with "
		 "native = on there are no files and no records", c->name,
		 c->workload->name);
	return -EINVAL;
}

/* Would the phase ever end? */
static int check_end(const struct sim_phase_config *c, char *why,
		     size_t why_size)
{
	const struct phase_options *o = &c->opt;
	const char *what = NULL;

	if (o->until == UNTIL_DURATION && !o->duration)
		what = "until = duration needs a duration";
	if (o->until == UNTIL_TASKS && c->workload->endless && !o->duration &&
	    !o->iterations)
		what = "its workload is endless: give it a duration, "
		       "iterations, or until = reporter_idle";
	/* A task that only sleeps has no iterations. */
	if (o->until == UNTIL_TASKS && c->workload == &idle_workload &&
	    !o->duration)
		what = "idle tasks are never finished: give it a duration or "
		       "until = reporter_idle";
	if (!what)
		return 0;
	snprintf(why, why_size, "phase %s would never end; %s", c->name, what);
	return -EINVAL;
}

static int phase_loop(struct sim *s, const volatile sig_atomic_t *stop)
{
	const sim_ns_t limit = s->engine.now + PHASE_LIMIT_NS;
	uint64_t check_at = s->engine.nr_run + s->cfg.check_every;
	sim_ns_t look_at = s->engine.now + LOOK_NS;

	while (!phase_over(s)) {
		if (s->engine.now > limit) {
			sim_fail(s, -ETIMEDOUT, "the phase did not end within "
				 "two days of virtual time");
			break;
		}
		if (s->engine.now >= look_at) {
			if (stall_is_final(s))
				break;
			look_at = s->engine.now + LOOK_NS;
		}
		if (s->nr_ahead && engine_timer_is_next(&s->engine))
			ahead_settle(s, s->engine.heap[0].at, 0);
		if (!engine_step(&s->engine)) {
			sim_fail(s, -EDEADLK, "nothing can happen any more: "
				 "give the phase a duration");
			break;
		}
		if (s->cfg.check_every && s->engine.nr_run >= check_at) {
			sim_check(s);
			check_at = s->engine.nr_run + s->cfg.check_every;
		}
		/* An event may be a whole slice of a task: ask every time. */
		if (stop && *stop)
			return -EINTR;
	}
	return s->failed ? s->error : 0;
}

static int phase_begin(struct sim *s, const struct sim_phase_config *c,
		       char *why, size_t why_size)
{
	const sim_ns_t now = s->engine.now;
	unsigned int i;
	int ret = 0;

	ret = check_end(c, why, why_size);
	if (!ret)
		ret = check_native(c, why, why_size);
	if (ret)
		return ret;
	s->opt = &c->opt;
	s->phase_began = now;
	reclaim_begin(s);
	s->measuring = s->stopping = s->window_closed = false;
	s->nr_running = 0;
	memset(s->laps, 0, sizeof(s->laps));
	/* Processes of the host run once, not once for each guest. */
	for (i = 0; i < (c->opt.native ? 1 : s->nr_guests) && !ret; i++)
		ret = start_tasks(&s->guests[i], c, why, why_size);
	if (ret)
		return ret;
	sim_set_prices(s, busy_vcpus(s));
	if (c->opt.warmup)
		s->open_event = engine_at(&s->engine, now + c->opt.warmup,
					  window_open, s, 0);
	else
		window_open(s, 0);
	if (c->opt.duration)
		s->close_event = engine_at(&s->engine, now + c->opt.warmup +
					   c->opt.duration, window_close, s, 0);
	if (s->cfg.sample_ns) {
		stats_sample(s);
		engine_at(&s->engine, now + s->cfg.sample_ns, sample_event, s,
			  0);
	}
	moments_pass(s, s->nr_phases_run, FROM_PHASE_START);
	return 0;
}

/* A phase may end before its window opened or closed. */
static void end_window_events(struct sim *s, const struct sim_phase_config *c)
{
	if (c->opt.warmup && engine_cancel(&s->engine, s->open_event))
		window_open(s, 0);
	if (c->opt.duration && !s->window_closed)
		engine_cancel(&s->engine, s->close_event);
}

static void cancel_samples(struct sim *s)
{
	uint32_t i;

	for (i = 0; i < s->engine.nr; i++)
		if (s->engine.heap[i].fn == sample_event) {
			engine_cancel(&s->engine, s->engine.heap[i].seq);
			return;
		}
}

int sim_run_phase(struct sim *s, unsigned int i,
		  const volatile sig_atomic_t *stop, char *why,
		  size_t why_size)
{
	const struct sim_phase_config *c = &s->cfg.phases[i];
	const sim_ns_t start = s->engine.now;
	unsigned int g;
	int ret;

	CHECK_LT(i, s->cfg.nr_phases);
	CHECK_EQ(i, s->nr_phases_run);
	if (first_pass_wanted(s)) {
		ret = first_pass_run(s, stop, why, why_size);
		if (ret)
			return ret;
	}
	ret = phase_begin(s, c, why, why_size);
	if (!ret)
		ret = phase_loop(s, stop);
	if (ret && s->failed)
		snprintf(why, why_size, "%s", s->why);
	if (!ret) {
		end_window_events(s, c);
		window_close(s, 0);
		s->phases[i].start = start;
		s->phases[i].end = s->engine.now;
		stats_phase(s, i);
		s->nr_phases_run++;
		moments_pass(s, i, FROM_PHASE_END);
	}
	cancel_samples(s);
	if (s->cfg.sample_ns)
		stats_sample(s);
	s->opt = NULL;
	for (g = 0; g < s->nr_guests; g++)
		close_workload(&s->guests[g]);
	return ret;
}
