/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * [event NAME]: what users do to a running guest. An event is one more entry of
 * the queue: those of the same time happen in the order in which they were put
 * there, and that is the order of the sections.
 *
 * What an administrator writes to /proc/sys/vm and /sys is done by a shell of the guest,
 * one command after the other, on CPU 0. Deviation: see docs/fidelity.md, the
 * shell delays the next step of its vCPU and is not preempted.
 */
#include <errno.h>
#include <stdio.h>

#include "include/check.h"
#include "sim/inject.h"
#include "sim/machine.h"

#define SHELL_BUDGET 16
#define PS_PER_NS 1000

static void shell_event(void *ctx, uint64_t arg);

static void shell_begin(struct sim_guest *g)
{
	struct shell *sh = &g->shell;

	sh->busy = true;
	sh->op = sh->queue[0];
	engine_at(&g->sim->engine, g->sim->engine.now, shell_event, g, 0);
}

static void shell_event(void *ctx, uint64_t arg)
{
	struct sim_guest *g = ctx;
	struct shell *sh = &g->shell;
	struct engine *e = &g->sim->engine;
	enum guest_status status;
	unsigned int i;
	uint64_t ps;

	(void)arg;
	if (!guest_runs(g))
		return;
	ps = kthread_slice(g, &sh->op, 0, SHELL_BUDGET, &status);
	if (status == GUEST_MORE || status == GUEST_WAIT) {
		engine_at(e, e->now + (status == GUEST_WAIT ? NSEC_PER_MSEC :
				       1 + ps / PS_PER_NS), shell_event, g, 0);
		return;
	}
	sh->busy = false;
	for (i = 1; i < sh->nr; i++)
		sh->queue[i - 1] = sh->queue[i];
	if (--sh->nr)
		shell_begin(g);
}

/* A shell that is behind with its commands leaves those that repeat. */
static void shell_type(struct sim_guest *g, enum guest_op_kind command,
		       uint64_t len, uint32_t flags)
{
	struct shell *sh = &g->shell;

	if (sh->nr == SHELL_MAX_QUEUE)
		return;
	sh->queue[sh->nr++] = (struct guest_op){ .kind = command, .len = len,
						  .flags = flags };
	if (!sh->busy)
		shell_begin(g);
}

/* A design that knows no such thing passes over it. */
static void do_event(struct sim_guest *g, const struct event_options *o)
{
	const struct host_command command = {
		.kind = (enum host_command_kind)o->request,
		.id = (uint32_t)o->id,
		.pages = bytes_to_pages(o->value),
	};

	switch ((enum event_action)o->action) {
	case EVENT_BALLOON_TARGET:
		device_set_target(g, bytes_to_pages(o->value));
		break;
	case EVENT_DROP_CACHES:
		/* 2 alone: slab objects, which are not modelled. */
		if (o->value & 1)
			shell_type(g, GUEST_DROP_CACHES, 0, 0);
		break;
	case EVENT_REPORTER_START:
		device_start(g);
		break;
	case EVENT_REPORTER_STOP:
		device_stop(g);
		break;
	case EVENT_HOST_REQUEST:
		device_host_request(g, &command);
		break;
	case EVENT_COMPACT_MEMORY:
		shell_type(g, GUEST_COMPACT_MEMORY, 0, 0);
		break;
	case EVENT_DIRTY_LOG_ON:
	case EVENT_DIRTY_LOG_OFF:
		host_dirty_log(g, o->action == EVENT_DIRTY_LOG_ON);
		break;
	case EVENT_GIGANTIC_PAGE:
		shell_type(g, GUEST_RANGE, o->value, 0);
		break;
	case EVENT_MEMORY_OFFLINE:
		shell_type(g, GUEST_RANGE, o->value, GUEST_RANGE_OFFLINE);
		break;
	case EVENT_EXIT:
	case EVENT_KILL:
		guests_end(g, o->action == EVENT_KILL);
		break;
	case EVENT_LAUNCH:
	case NR_EVENT_ACTIONS:
		break;
	}
}

/* Without a number and with all launched there is nothing to do. */
static void do_launch(struct sim *s, const struct sim_event_config *c)
{
	const unsigned int guest = (unsigned int)c->opt.guest;

	if (guests_launch(s, guest ? guest - 1 : s->nr_guests) && guest)
		sim_fail(s, -EINVAL, "event %s: guest %u has been launched "
			 "already; [host] launch = events leaves all but the "
			 "first to events", c->name, guest);
}

static void event_fire(void *ctx, uint64_t arg)
{
	struct sim *s = ctx;
	const struct event_options *o = &s->cfg.events[arg].opt;
	unsigned int i;

	if (o->action == EVENT_LAUNCH)
		do_launch(s, &s->cfg.events[arg]);
	for (i = 0; i < s->nr_guests; i++)
		if ((!o->guest || o->guest == i + 1) &&
		    guest_runs(&s->guests[i]))
			do_event(&s->guests[i], o);
	s->event_runs[arg]++;
	if (o->every && (!o->count || s->event_runs[arg] < o->count))
		engine_at(&s->engine, s->engine.now + o->every, event_fire, s,
			  arg);
}

void moments_pass(struct sim *s, unsigned int phase, enum moment_from from)
{
	const sim_ns_t now = s->engine.now;
	unsigned int i;

	for (i = 0; i < s->cfg.nr_injects; i++) {
		const struct sim_inject_config *c = &s->cfg.injects[i];

		if (c->opt.enabled && c->phase == phase && c->opt.from == from)
			inject_arm(s, i, now + c->opt.at);
	}
	for (i = 0; i < s->cfg.nr_events; i++) {
		const struct sim_event_config *c = &s->cfg.events[i];

		if (!c->opt.enabled || c->phase != phase || c->opt.from != from)
			continue;
		/* There may be no next phase to begin it. */
		if (from == FROM_PHASE_END && !c->opt.at)
			event_fire(s, i);
		else
			engine_at(&s->engine, now + c->opt.at, event_fire, s, i);
	}
}

int events_verdict(const struct sim *s, char *why, size_t why_size)
{
	unsigned int i;

	for (i = 0; i < s->cfg.nr_events; i++) {
		const struct sim_event_config *c = &s->cfg.events[i];

		if (!c->opt.enabled || s->event_runs[i])
			continue;
		snprintf(why, why_size, "event %s (%s, %llu ms after the %s of "
			 "phase %s) did not happen: the run was over before",
			 c->name, event_action_name(c->opt.action),
			 (unsigned long long)(c->opt.at / NSEC_PER_MSEC),
			 c->opt.from == FROM_PHASE_END ? "end" : "start",
			 s->cfg.phases[c->phase].name);
		return -EINVAL;
	}
	return 0;
}
