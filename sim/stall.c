/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks that wait for what never comes. A task that a design holds up is awake
 * again when the design says so, and that is when the host has answered: once
 * every task that is left waits, and no request is out that will be answered,
 * timers may go on for ever, but the phase does not end.
 *
 * Who has waited so for 120 seconds is given up, as the kernel's khungtaskd
 * (check_hung_task, hung_task_timeout_secs) reports a task then: until that
 * time an event of the experiment may still help.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "sim/machine.h"

#define HUNG_TASK_NS (120 * NSEC_PER_SEC)
/* As many are named. */
#define NAMED 3

/* A request that has not been lost on the way. */
static bool answer_comes(const struct sim_guest *g)
{
	unsigned int i;

	for (i = 0; g->dev.flights && i < MAX_FLIGHTS; i++)
		if (g->dev.flights[i].used && !g->dev.flights[i].hangs)
			return true;
	return false;
}

/* Tasks of g that wait in vain; 0 if one of them may go on. */
static uint32_t waiting(const struct sim_guest *g)
{
	const sim_ns_t now = g->sim->engine.now;
	uint32_t i, nr = 0;

	for (i = 0; i < g->nr_tasks; i++) {
		const struct task *t = &g->tasks[i];

		if (t->done)
			continue;
		if (!t->stalled || now - t->stalled_at < HUNG_TASK_NS)
			return 0;
		nr++;
	}
	return nr && !answer_comes(g) ? nr : 0;
}

/* Behind the point of seconds. */
static unsigned int milliseconds(sim_ns_t at)
{
	return (unsigned int)(at % NSEC_PER_SEC / NSEC_PER_MSEC);
}

static void name_tasks(const struct sim_guest *g, char *out, size_t size)
{
	size_t len = 0;
	uint32_t i, nr = 0;

	out[0] = '\0';
	for (i = 0; i < g->nr_tasks; i++) {
		const struct task *t = &g->tasks[i];

		if (t->done || nr++ >= NAMED || len >= size)
			continue;
		len += (size_t)snprintf(out + len, size - len,
					"%stask %u since %" PRIu64 ".%03u s",
					len ? ", " : "", t->nr + 1u,
					t->stalled_at / NSEC_PER_SEC,
					milliseconds(t->stalled_at));
	}
	if (nr > NAMED && len < size)
		snprintf(out + len, size - len, " and %u more", nr - NAMED);
}

/* What the design waits for, if it is the host. */
static void name_request(const struct sim_guest *g, char *out, size_t size)
{
	const struct flight *oldest = NULL;
	unsigned int i, nr = 0;

	for (i = 0; g->dev.flights && i < MAX_FLIGHTS; i++) {
		const struct flight *f = &g->dev.flights[i];

		if (!f->used)
			continue;
		nr++;
		if (!oldest || f->sent < oldest->sent)
			oldest = f;
	}
	if (!oldest) {
		snprintf(out, size, "no request is with the host");
		return;
	}
	snprintf(out, size, "the host never answers %u of its requests, the "
		 "first of %" PRIu64 ".%03u s", nr,
		 oldest->sent / NSEC_PER_SEC,
		 milliseconds(oldest->sent));
}

bool stall_is_final(struct sim *s)
{
	const struct sim_guest *in_vain = NULL;
	char tasks[128], request[96];
	unsigned int i;
	uint32_t nr = 0;

	/* Time ends the wait of a phase that has a duration still to come. */
	if (s->opt->duration && !s->window_closed)
		return false;
	for (i = 0; i < s->nr_guests; i++) {
		const uint32_t n = waiting(&s->guests[i]);

		if (n && !in_vain)
			in_vain = &s->guests[i];
		nr += n;
	}
	if (!in_vain || nr != s->nr_running)
		return false;
	name_tasks(in_vain, tasks, sizeof(tasks));
	name_request(in_vain, request, sizeof(request));
	sim_fail(s, -EDEADLK, "the phase cannot end: guest %u waits for %s "
		 "(%s), and %s", in_vain->id + 1, in_vain->dev.r.ops->name,
		 tasks, request);
	return true;
}
