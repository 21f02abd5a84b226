/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Phases: have the tasks started, open the measured window after the warm-up,
 * close it after the duration, end the tasks, and keep what the window counted.
 *
 * will-it-scale's runner discards its first samples and averages the rest; a
 * warm-up and a duration say the same without its one-second grid.
 */
#include "sim/machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/check.h"

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
	/* With its guest, all tasks have ended. */
	if (!phase_tasks_run(g))
		return;
	g->sim->nr_running--;
	if (!--g->nr_left && !g->sim->opt->native)
		guests_tasks_done(g);
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

/* Will a guest begin with the tasks of this phase? */
static bool more_to_start(const struct sim *s)
{
	return !s->stopping && !s->opt->native &&
	       (s->starts_due || s->launch_armed);
}

/* No task is about to do anything: all are done or sleep on purpose. */
static bool all_quiet(const struct sim *s)
{
	unsigned int i;
	uint32_t t;

	if (more_to_start(s))
		return false;
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
	if (s->nr_running || more_to_start(s))
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
	const unsigned int nr_cpus = s->guests[0].topo.nr_cpus;

	return s->opt->tasks < nr_cpus ? (unsigned int)s->opt->tasks : nr_cpus;
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

/*
 * A guest of ours that ran short is not one that ran out of its own memory, and
 * a workload that could not go on is not one that is finished.
 */
static void fail_if_short(struct sim *s)
{
	for (unsigned int i = 0; i < s->nr_guests; i++)
		if (s->guests[i].mm && guest_host_is_short(s->guests[i].mm))
			sim_fail(s, -ENOMEM, "out of memory");
	for (unsigned int i = 0; i < s->nr_guests; i++) {
		const struct workload *w = &s->guests[i].workload;

		if (w->error)
			sim_fail(s, w->error, "%s", w->why ? w->why :
				 strerror(-w->error));
	}
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
		if (s->cfg.check_every &&
		    (s->engine.nr_run >= check_at || s->check_soon)) {
			sim_check(s);
			s->check_soon = false;
			check_at = s->engine.nr_run + s->cfg.check_every;
		}
		/* An event may be a whole slice of a task: ask every time. */
		if (stop && *stop)
			return -EINTR;
	}
	fail_if_short(s);
	return s->failed ? s->error : 0;
}

/* The guest and the phase that it belongs to: a phase may end before. */
#define START_GUEST_BITS 16

static void start_event(void *ctx, uint64_t arg)
{
	struct sim *s = ctx;
	struct sim_guest *g = &s->guests[arg & ((1u << START_GUEST_BITS) - 1)];
	char why[256];
	int ret;

	if (arg >> START_GUEST_BITS != s->nr_phases_run)
		return;
	s->starts_due--;
	if (s->stopping || !guest_runs(g))
		return;
	ret = phase_start_tasks(g, &s->cfg.phases[s->nr_phases_run], why,
				sizeof(why));
	if (ret)
		sim_fail(s, ret, "guest %u: %s", g->id + 1, why);
}

/*
 * In each guest that is there; others begin when they are launched. Processes
 * of the host run once, not once for each guest.
 */
static int start_guests(struct sim *s, const struct sim_phase_config *c,
			char *why, size_t why_size)
{
	const uint64_t phase = s->nr_phases_run;
	unsigned int i;
	int ret = 0;

	s->starts_due = 0;
	if (c->opt.native)
		return phase_start_tasks(&s->guests[0], c, why, why_size);
	for (i = 0; i < s->nr_guests && !ret; i++) {
		struct sim_guest *g = &s->guests[i];

		if (!guest_runs(g))
			continue;
		if (!i || !c->opt.stagger) {
			ret = phase_start_tasks(g, c, why, why_size);
			continue;
		}
		s->starts_due++;
		engine_at(&s->engine, s->engine.now + i * c->opt.stagger,
			  start_event, s, phase << START_GUEST_BITS | i);
	}
	return ret;
}

static int phase_begin(struct sim *s, const struct sim_phase_config *c,
		       char *why, size_t why_size)
{
	const sim_ns_t now = s->engine.now;
	int ret = check_end(c, why, why_size);

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
	ret = start_guests(s, c, why, why_size);
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
		phase_end_tasks(&s->guests[g]);
	return ret;
}
