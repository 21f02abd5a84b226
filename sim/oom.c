/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Out of memory: whoever holds memory for others is asked first, then the
 * largest task dies and the others wait for what it frees. Models
 * out_of_memory with the notifier chain, oom_kill_process and the wait of
 * __alloc_pages_may_oom, 5.3 to 6.18.
 *
 * Simplified: the victim frees its memory on its own CPU as it exits; the OOM
 * reaper, which would begin before, and the victim's access to the reserves
 * are left out.
 */
#include "sim/machine.h"

/* schedule_timeout_killable(1) with HZ = 250. */
#define JIFFY_NS (4 * NSEC_PER_MSEC)

static struct task *task_of_mm(struct sim_guest *g, int mm)
{
	uint32_t i;

	for (i = 0; mm >= 0 && i < g->nr_tasks; i++)
		if (g->tasks[i].has_mm && !g->tasks[i].done &&
		    g->tasks[i].mm == (uint32_t)mm)
			return &g->tasks[i];
	return NULL;
}

/* Is somebody about to free much? */
static bool victim_pending(const struct sim_guest *g)
{
	uint32_t i;

	for (i = 0; i < g->nr_tasks; i++)
		if (g->tasks[i].oom_victim && !g->tasks[i].done)
			return true;
	return false;
}

static void kill_task(struct sim_guest *g, struct task *t)
{
	struct vcpu *v = &g->vcpus[t->nr % g->topo.nr_cpus];
	const sim_ns_t now = g->sim->engine.now;
	const bool slept = t->stalled || t->wake_at > now;

	/* Faults of it that are still to be carried out come first. */
	ahead_settle_guest(g, now, g->vcpus[g->running_cpu].slot.rank);
	g->oom_kills++;
	t->oom_victim = true;
	t->stalled = false;
	t->wake_at = now;
	/* An unmap that is under way is finished; the exit follows. */
	if (!t->op_active || t->op.kind == GUEST_TOUCH)
		task_begin_exit(g, t);
	/* A vCPU that is awake comes to it in its turn. */
	if (slept && v->cpu != g->running_cpu)
		engine_soon(&g->sim->engine, &v->slot, now);
}

void oom_kill(struct sim_guest *g, struct task *t)
{
	const uint64_t freed = device_oom_notify(g);
	struct task *victim;

	t->op_progress = freed;
	if (freed == REPORTER_WAIT) {
		task_stall(g, t);
		t->op_progress = 1;
	}
	if (freed)
		return;
	if (!t->oom_victim && victim_pending(g)) {
		t->op_progress = 1;
		t->wake_at = g->sim->engine.now + JIFFY_NS;
		return;
	}
	victim = task_of_mm(g, guest_oom_select(g->mm));
	if (!victim || victim == t || victim->exiting || t->oom_victim) {
		kill_task(g, t);
		return;
	}
	kill_task(g, victim);
	t->op_progress = 1;
	t->wake_at = g->sim->engine.now + JIFFY_NS;
}
