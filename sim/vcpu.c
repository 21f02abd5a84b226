/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU runs the tasks pinned to it. One step is one bounded guest operation:
 * it happens at the vCPU's time, and then that time moves on by what the step
 * cost, lock waits and host exits included. A vCPU keeps running while no
 * other event is due, so a single busy vCPU costs no queue operations.
 */
#include "sim/machine.h"

#include <errno.h>
#include <string.h>

#include "include/check.h"

/* Round-robin slice of tasks that share a vCPU, as EEVDF's base slice. */
#define SLICE_NS (3 * NSEC_PER_MSEC)
#define PS_PER_NS 1000

bool vcpu_has_work(const struct vcpu *v)
{
	uint32_t i;

	for (i = 0; i < v->nr_tasks; i++)
		if (!v->tasks[i]->done)
			return true;
	return false;
}

void vcpu_wake(struct vcpu *v, sim_ns_t at)
{
	if (v->scheduled)
		return;
	v->scheduled = true;
	engine_soon(&v->guest->sim->engine, &v->slot, at);
}

static uint32_t next_turn(const struct vcpu *v, uint32_t i)
{
	return i + 1 < v->nr_tasks ? i + 1 : 0;
}

static bool task_can_run(const struct sim *s, const struct task *t,
			 sim_ns_t now)
{
	return !t->done && !t->stalled && (t->wake_at <= now || s->stopping);
}

/* The next task of this vCPU that can run at `now`; NULL with *wake set. */
static struct task *vcpu_pick(struct vcpu *v, sim_ns_t now, sim_ns_t *wake)
{
	const struct sim *s = v->guest->sim;
	uint32_t i, turn;

	*wake = UINT64_MAX;
	if (now >= v->slice_end) {
		v->current = next_turn(v, v->current);
		v->slice_end = now + SLICE_NS;
	}
	turn = v->current;
	for (i = 0; i < v->nr_tasks; i++, turn = next_turn(v, turn)) {
		struct task *t = v->tasks[turn];

		if (task_can_run(s, t, now)) {
			v->current = turn;
			return t;
		}
		if (!t->done && !t->stalled && t->wake_at < *wake)
			*wake = t->wake_at;
	}
	return NULL;
}

void task_begin_exit(struct sim_guest *g, struct task *t)
{
	if (t->op_active && !t->native)
		guest_op_cancel(g->mm, &t->op, g->running_cpu);
	if (!t->has_mm) {
		t->op_active = false;
		t->done = true;
		phase_task_done(g, t);
		return;
	}
	t->op = (struct guest_op){ .kind = GUEST_EXIT, .mm = t->mm };
	t->op_active = true;
	t->op_counted = t->op_fill = false;
	t->exiting = true;
}

/* An MMAP under way is of an address, not of a slot. */
#define NO_SLOT WORKLOAD_MAX_SLOTS

static void task_begin_map(struct task *t, const struct workload_op *w)
{
	t->mmap_slot = w->slot;
	t->op.len = w->len;
	if (w->flags & WORKLOAD_AT) {
		t->mmap_slot = NO_SLOT;
		t->op.addr = w->offset;
		t->op.flags |= GUEST_MAP_FIXED;
	}
	if (w->flags & WORKLOAD_MAP_HUGEPAGE)
		t->op.flags |= GUEST_MAP_HUGEPAGE;
	if (w->flags & WORKLOAD_MAP_NOHUGEPAGE)
		t->op.flags |= GUEST_MAP_NOHUGEPAGE;
	if (w->flags & WORKLOAD_MAP_FILE)
		t->op.flags |= GUEST_MAP_FILE;
	if (w->flags & WORKLOAD_MAP_UNALIGNED)
		t->op.flags |= GUEST_MAP_UNALIGNED;
}

static void task_begin_range(struct task *t, const struct workload_op *w)
{
	t->op.addr = w->offset;
	t->op.len = w->len;
	if (!(w->flags & WORKLOAD_AT)) {
		if (!t->native)
			t->op.addr += t->slot_addr[w->slot];
		if (t->op.kind == GUEST_MUNMAP)
			t->op.len = t->slot_len[w->slot];
	}
	if (w->flags & WORKLOAD_TOUCH_READ)
		t->op.flags |= GUEST_TOUCH_READ;
	if (t->op.kind == GUEST_MADV_THP)
		t->op.flags |= w->flags & WORKLOAD_MAP_HUGEPAGE ?
			       GUEST_MAP_HUGEPAGE : GUEST_MAP_NOHUGEPAGE;
}

static void task_begin(struct task *t, const struct workload_op *w,
		       enum guest_op_kind kind)
{
	t->op = (struct guest_op){ .kind = kind, .mm = t->mm,
				   .file = t->file };
	CHECK_LT(w->slot, WORKLOAD_MAX_SLOTS);
	if (kind == GUEST_MMAP)
		task_begin_map(t, w);
	else
		task_begin_range(t, w);
	t->native_slot = w->slot;
	t->op_active = true;
	t->op_counted = w->flags & WORKLOAD_COUNTED;
	t->op_fill = w->flags & WORKLOAD_TOUCH_FILL;
	t->op_lap = w->flags & WORKLOAD_LAP;
}

/* A private file mapping needs the task's own temporary file. */
static bool task_need_file(struct sim_guest *g, struct task *t, uint64_t len)
{
	int id;

	if (t->has_file)
		return true;
	id = g->sim->cfg.guest.files ? guest_file_create_on_disk(g->mm, len) :
				       guest_file_create(g->mm, len);
	if (id < 0) {
		sim_fail(g->sim, id, "cannot create a file in the guest");
		return false;
	}
	t->file = (uint32_t)id;
	t->has_file = true;
	return true;
}

/* Start what the workload wants next. False: the task sleeps or is done. */
static bool task_next_op(struct vcpu *v, struct task *t, sim_ns_t now)
{
	struct sim_guest *g = v->guest;
	struct sim *s = g->sim;
	struct workload_op w = { .ns = now };
	bool over = s->stopping || t->oom_victim || (s->opt->iterations &&
				    t->iterations >= s->opt->iterations);

	t->asleep = false;
	laps_next(s, t, now);
	if (t->record_waits && !over)
		return record_apply(g, t, &t->record, now);
	if (over || !g->workload.ops->next(&g->workload, t->nr, &w)) {
		task_begin_exit(g, t);
		return true;
	}
	switch (w.kind) {
	case WORKLOAD_MMAP:
		if ((w.flags & WORKLOAD_MAP_FILE) &&
		    !task_need_file(g, t, w.len))
			return false;
		task_begin(t, &w, GUEST_MMAP);
		return true;
	case WORKLOAD_TOUCH:
		task_begin(t, &w, GUEST_TOUCH);
		return true;
	case WORKLOAD_MUNMAP:
		task_begin(t, &w, GUEST_MUNMAP);
		return true;
	case WORKLOAD_MADV_DONTNEED:
		task_begin(t, &w, GUEST_MADV_DONTNEED);
		return true;
	case WORKLOAD_MADV_FREE:
		task_begin(t, &w, GUEST_MADV_FREE);
		return true;
	case WORKLOAD_MADV_THP:
		task_begin(t, &w, GUEST_MADV_THP);
		return true;
	case WORKLOAD_EXEC:
		t->op = (struct guest_op){ .kind = GUEST_EXIT, .mm = t->mm };
		t->op_active = t->replacing = true;
		t->op_counted = w.flags & WORKLOAD_COUNTED;
		return true;
	case WORKLOAD_EXIT:
		task_begin_exit(g, t);
		return true;
	case WORKLOAD_SLEEP:
		t->wake_at = now + w.ns;
		t->asleep = true;
		return false;
	case WORKLOAD_RECORD:
		return record_apply(g, t, &w, now);
	}
	return false;
}

/* Its old address space is gone. Without memory for a new one it dies. */
static void task_replace_mm(struct sim_guest *g, struct task *t)
{
	int mm;

	t->replacing = false;
	if (t->native)
		return;
	mm = guest_mm_create(g->mm, g->running_cpu);
	memset(t->slot_addr, 0, sizeof(t->slot_addr));
	memset(t->slot_len, 0, sizeof(t->slot_len));
	t->has_mm = mm >= 0;
	t->mm = mm >= 0 ? (uint32_t)mm : 0;
	if (t->has_mm)
		return;
	g->oom_kills++;
	t->exiting = true;
}

static void task_op_done(struct sim_guest *g, struct task *t)
{
	t->op_active = false;
	if (t->op_counted && t->op.kind != GUEST_TOUCH) {
		t->iterations++;
		phase_note_iterations(g->sim, 1);
	}
	if (t->replacing)
		task_replace_mm(g, t);
	if (t->op.kind == GUEST_MMAP && t->mmap_slot != NO_SLOT) {
		t->slot_addr[t->mmap_slot] = t->op.addr;
		t->slot_len[t->mmap_slot] = t->op.len;
	}
	if (t->exiting) {
		if (t->has_file)
			guest_file_destroy(g->mm, t->file, g->running_cpu);
		t->has_file = false;
		t->done = true;
		phase_task_done(g, t);
	}
}

/* A part of a price; a price file may have made it more than the whole. */
static uint64_t part_of(const struct price_now *p, enum price_id part,
			enum price_id whole)
{
	return p->ps[part] < p->ps[whole] ? p->ps[part] : p->ps[whole];
}

static uint64_t price_of_faults(const struct price_now *p,
				const struct guest_work *w)
{
	return w->faults_thp * p->ps[PRICE_FAULT_THP] +
	       w->faults_anon * p->ps[PRICE_FAULT_ANON] +
	       w->faults_cow * p->ps[PRICE_FAULT_COW] +
	       w->faults_read * p->ps[PRICE_FAULT_READ] -
	       w->zero_skipped_thp * part_of(p, PRICE_GUEST_ZERO_2M,
					     PRICE_FAULT_THP) -
	       w->zero_skipped * part_of(p, PRICE_GUEST_ZERO_4K,
					 PRICE_FAULT_ANON);
}

/* A huge fault has its 512 touches in it; here they are part of the fill. */
static uint64_t price_of_fill(const struct price_now *p,
			      const struct guest_work *w)
{
	const uint64_t ps = w->touched_pages * p->ps[PRICE_FILL_4K];
	const uint64_t had = (uint64_t)w->faults_thp * HPAGE_PMD_NR *
			     p->ps[PRICE_TOUCH];

	return ps > had ? ps - had : 0;
}

/*
 * What the program itself does with the pages: nothing to speak of where it
 * faults, as the fault's price holds the touch, unless it writes all of them.
 */
static uint64_t price_of_touches(const struct price_now *p,
				 const struct guest_work *w, bool fill)
{
	const uint64_t faults = w->faults_anon + w->faults_cow + w->faults_read;

	if (fill)
		return price_of_fill(p, w);
	if (w->faults_thp || w->touched_pages <= faults)
		return 0;
	return (w->touched_pages - faults) * p->ps[PRICE_TOUCH];
}

/* A touch makes faults and nothing else, all other operations make none. */
static uint64_t price_of_work(const struct price_now *p,
			      const struct guest_work *w,
			      enum guest_op_kind kind, bool fill)
{
	if (kind == GUEST_TOUCH)
		return price_of_faults(p, w) + price_of_touches(p, w, fill);
	return w->zapped_pages * p->ps[PRICE_ZAP_4K] +
	       w->zapped_thp * p->ps[PRICE_ZAP_THP] +
	       w->syscalls * p->ps[PRICE_SYSCALL];
}

/* Not to run again before the design's wake_stalled(). */
void task_stall(struct sim_guest *g, struct task *t)
{
	t->stalled = true;
	t->stalled_at = g->sim->engine.now;
	g->alloc_stalls++;
}

uint64_t price_of_help(const struct price_now *p, const struct guest_work *w)
{
	return w->migrated_pages * p->ps[PRICE_MIGRATE_4K] +
	       w->compact_scanned * p->ps[PRICE_COMPACT_SCAN] +
	       w->reclaim_scanned * p->ps[PRICE_RECLAIM_SCAN] +
	       w->reclaim_rounds * p->ps[PRICE_RECLAIM_ROUND];
}

/* The allocation cannot go on: do what is asked, at its price. */
static uint64_t task_wait(struct sim_guest *g, struct task *t,
			  const struct guest_work *w)
{
	const struct price_now *p = &g->sim->price;

	t->op_progress = 0;
	if (w->reason == ALLOC_REASON_STALL) {
		task_stall(g, t);
		return 0;
	}
	if (w->reason == ALLOC_REASON_OOM) {
		oom_kill(g, t);
		return 0;
	}
	if (w->reason == ALLOC_REASON_RECLAIM)
		t->op_progress = device_shrink(g);
	g->reclaim_rounds++;
	return p->ps[PRICE_RECLAIM_ROUND];
}

/*
 * A step's record, empty. In two halves, each of which takes a few stores; the
 * whole would be cleared by an instruction that takes longer than many a step.
 */
static inline void work_begin(struct guest_work *w)
{
	const size_t half = sizeof(*w) / 2;

	memset(w, 0, half);
	memset((char *)w + half, 0, sizeof(*w) - half);
}

/*
 * One step of the running operation; cost in picoseconds without lock waits.
 * `at_once`: what follows a step without cost begins when it does.
 */
static uint64_t task_run_op(struct vcpu *v, struct task *t, bool at_once)
{
	struct sim_guest *g = v->guest;
	struct guest_work w;
	const enum guest_op_kind kind = t->op.kind;
	const uint64_t failures = alloc_rare_counters(g->alloc)->alloc_failures;
	uint32_t budget = kind == GUEST_TOUCH ? FAULT_BUDGET : FREE_BUDGET;
	enum guest_status status;
	uint64_t ps;

	work_begin(&w);
	w.progress = t->op_progress;
	/* A hook that sees every free may ask for a time to run at. */
	w.alloc = at_once && g->frees_unseen ? &g->work : NULL;
	status = guest_run(g->mm, &t->op, v->cpu, budget, &w);
	if (g->dev.in_flight)
		g->failures_in_flight +=
			alloc_rare_counters(g->alloc)->alloc_failures - failures;
	ps = price_of_work(&g->sim->price, &w, kind, t->op_fill) +
	     price_of_help(&g->sim->price, &w);
	g->reclaim_rounds += w.reclaim_rounds;
	if (t->op_counted && w.touched_pages) {
		t->iterations += w.touched_pages;
		phase_note_iterations(g->sim, w.touched_pages);
	}
	switch (status) {
	case GUEST_DONE:
		task_op_done(g, t);
		break;
	case GUEST_WAIT:
		ps += task_wait(g, t, &w);
		break;
	case GUEST_NOMEM:
		/* To try again what fails at once takes no time, nor an end. */
		if (guest_host_is_short(g->mm))
			sim_fail(g->sim, -ENOMEM, "out of memory");
		g->oom_kills++;
		task_begin_exit(g, t);
		break;
	case GUEST_MORE:
		break;
	}
	return ps;
}

static uint64_t task_run_native(struct vcpu *v, struct task *t)
{
	bool done;
	const uint64_t ps = native_step(v, t, &done);

	if (done)
		task_op_done(v->guest, t);
	return ps;
}

/* Run one step at `now`; returns the time at which the vCPU is free again. */
static sim_ns_t vcpu_step(struct vcpu *v, struct task *t, sim_ns_t now)
{
	struct sim_guest *g = v->guest;
	const struct price_now *p = &g->sim->price;
	uint64_t ps = v->ps + v->stolen_ps, hold;
	sim_ns_t wait = 0;

	g->work = (struct alloc_work){ 0 };
	v->stolen_ps = 0;
	if (t->op_active || task_next_op(v, t, now)) {
		if (t->op_active)
			ps += t->native ? task_run_native(v, t) :
					  task_run_op(v, t, ps < PS_PER_NS);
	}
	if (g->touches->nr)
		ps += host_drain_touches(g);
	if (g->work.zones_locked) {
		hold = g->work.lock_acquisitions * p->ps[PRICE_LOCK] +
		       g->work.list_touches * p->ps[PRICE_LIST_TOUCH];
		wait = zone_locks_hold(g, g->work.zones_locked, now, hold,
				       g->work.lock_acquisitions);
		ps += hold;
	}
	v->ps = ps % PS_PER_NS;
	return now + wait + ps / PS_PER_NS;
}

void vcpu_event(void *ctx, uint64_t arg)
{
	struct vcpu *v = ctx;
	struct sim_guest *g = v->guest;
	struct sim *s = g->sim;
	struct engine *e = &s->engine;
	sim_ns_t now = e->now, next, wake;

	(void)arg;
	v->scheduled = false;
	if (!phase_tasks_run(g))
		return;
	g->running_cpu = v->cpu;
	if (v->ahead.nr)
		ahead_finish(v);
	do {
		struct task *t = vcpu_pick(v, now, &wake);

		if (!t) {
			g->running = NULL;
			if (wake != UINT64_MAX)
				vcpu_wake(v, wake);
			return;
		}
		e->now = now;
		g->running = t;
		if (ahead_begin(v, t, now)) {
			now = v->ahead.end;
			if (engine_goes_on(e, &v->slot, now))
				ahead_finish(v);
		} else {
			next = vcpu_step(v, t, now);
			if (!phase_tasks_run(g)) {
				g->running = NULL;
				return;
			}
			if (g->nr_ahead && !guest_ahead_allowed(g->mm))
				ahead_settle_guest(g, now, v->slot.rank);
			now = next;
		}
	} while (engine_goes_on(e, &v->slot, now) && !s->failed);
	g->running = NULL;
	vcpu_wake(v, now);
}
