/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests come and go. They are launched by a policy of [host] or by events;
 * booting touches memory of the host like everything else. A guest that exits
 * or is killed gives the host all of it back at once, as the exit of a VMM
 * does; what it has counted stays. It does not come back.
 *
 * If the host has no page left, the largest guest is killed: oom_badness (5.6)
 * adds up resident pages, swapped ones and page tables, and of two that are
 * equal select_bad_process takes the one that was started later. A guest that
 * reaches its own limit is killed itself (mem_cgroup_out_of_memory).
 *
 * Left out: the time that a VMM takes to start and to be torn down, and the
 * wait of an allocation until its victim is gone.
 */
#include "sim/machine.h"

#include <errno.h>

#include "include/check.h"

/* Tag of digest words, in the top byte: a guest is gone. */
#define DIGEST_END (UINT64_C(0xe1) << 56)

/* ---- launching ---- */

static struct sim_guest *next_absent(struct sim *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_guests; i++)
		if (s->guests[i].state == GUEST_ABSENT)
			return &s->guests[i];
	return NULL;
}

static void launch_event(void *ctx, uint64_t arg);

/* The next one, launch_gap from now. */
static void launch_arm(struct sim *s)
{
	if (s->launch_armed || s->launch_over || !next_absent(s))
		return;
	s->launch_armed = true;
	s->launch_seq = engine_at(&s->engine, s->engine.now +
				  s->cfg.host.launch_gap, launch_event, s, 0);
}

static void launch_stop(struct sim *s)
{
	s->launch_over = true;
	if (s->launch_armed)
		engine_cancel(&s->engine, s->launch_seq);
	s->launch_armed = false;
}

/* The guest launched last is through with its tasks, or gone. */
static void launch_follows(struct sim_guest *g)
{
	struct sim *s = g->sim;

	if (s->cfg.host.launch == LAUNCH_SEQUENCE && g == s->newest)
		launch_arm(s);
}

static int launch(struct sim *s, struct sim_guest *g, char *why,
		  size_t why_size)
{
	const int ret = sim_guest_build(s, g->id, why, why_size);

	s->newest = g;
	if (s->cfg.host.launch == LAUNCH_INTERVAL)
		launch_arm(s);
	if (ret)
		return ret;
	if (!guest_runs(g)) {
		launch_follows(g);
		return 0;
	}
	if (!s->opt || s->opt->native || s->stopping)
		return 0;
	return phase_start_tasks(g, &s->cfg.phases[s->nr_phases_run], why,
				 why_size);
}

static void launch_event(void *ctx, uint64_t arg)
{
	struct sim *s = ctx;

	(void)arg;
	s->launch_armed = false;
	guests_launch(s, s->nr_guests);
}

int guests_launch(struct sim *s, unsigned int id)
{
	struct sim_guest *g = id < s->nr_guests ? &s->guests[id] :
						  next_absent(s);
	char why[256] = "out of memory";
	int ret;

	if (!g || g->state != GUEST_ABSENT)
		return -EINVAL;
	ret = launch(s, g, why, sizeof(why));
	if (ret)
		sim_fail(s, ret, "guest %u: %s", g->id + 1, why);
	return 0;
}

int guests_launch_first(struct sim *s, char *why, size_t why_size)
{
	const bool all = s->cfg.host.launch == LAUNCH_TOGETHER;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < s->nr_guests; i++) {
		s->guests[i].sim = s;
		s->guests[i].id = i;
	}
	for (i = 0; i < (all ? s->nr_guests : 1) && !ret; i++)
		ret = launch(s, &s->guests[i], why, why_size);
	return ret;
}

void guests_tasks_done(struct sim_guest *g)
{
	struct sim *s = g->sim;

	if (!g->finished && !s->launch_over)
		s->guests_fit++;
	g->finished = true;
	launch_follows(g);
}

void guests_swapped(struct sim *s)
{
	if (s->cfg.host.stop_at == STOP_AT_SWAP)
		launch_stop(s);
}

/* ---- the end ---- */

void guests_note_peak(struct sim *s)
{
	struct hv_gauges hv;
	uint64_t used;

	s->hv->ops->gauges(s->hv, HV_ALL_GUESTS, &hv);
	used = hv.host_total_pages - hv.host_free_pages - hv.host_cache_pages;
	if (used > s->peak_used_pages)
		s->peak_used_pages = used;
}

static void end_tasks(struct sim_guest *g)
{
	struct sim *s = g->sim;
	unsigned int cpu;
	uint32_t i;

	/* Processes of the host run on. */
	if (phase_tasks_run(g))
		return;
	for (i = 0; i < g->nr_tasks; i++) {
		s->nr_running -= !g->tasks[i].done;
		g->tasks[i].done = true;
	}
	g->nr_left = 0;
	for (cpu = 0; cpu < g->topo.nr_cpus; cpu++) {
		g->vcpus[cpu].scheduled = false;
		engine_idle(&s->engine, &g->vcpus[cpu].slot);
	}
}

void guests_end(struct sim_guest *g, bool killed)
{
	struct sim *s = g->sim;

	CHECK(guest_runs(g));
	CHECK_EQ(g->nr_ahead, 0);
	reclaim_before_discard(s);
	digest_u64(&s->digest, DIGEST_END | (uint64_t)killed << 48 | g->id);
	g->state = GUEST_GONE;
	end_tasks(g);
	g->dev.present = false;
	s->hv->ops->guest_remove(s->hv, g->hv_id);
	g->hv_map = NULL;
	s->nr_guests_running--;
	if (killed)
		s->guests_killed++;
	else
		s->guests_exited++;
	if (killed && s->cfg.host.stop_at == STOP_AT_KILL)
		launch_stop(s);
	launch_follows(g);
}

/* Models oom_badness, 5.6, of the VMM: each region has a page table. */
static uint64_t badness(const struct sim_guest *g)
{
	struct hv_gauges hv;

	host_gauges(g, &hv);
	return hv.rss_pages + hv.swapped_pages + hv.small_regions +
	       hv.anon_huge_regions;
}

/* Models select_bad_process, 5.6. */
static struct sim_guest *largest_guest(struct sim *s)
{
	struct sim_guest *found = NULL;
	uint64_t most = 0;
	unsigned int i;

	for (i = 0; i < s->nr_guests; i++) {
		struct sim_guest *g = &s->guests[i];
		const uint64_t points = guest_runs(g) ? badness(g) : 0;

		if (!guest_runs(g) || (found && (points < most ||
		    (points == most && g->launch_nr < found->launch_nr))))
			continue;
		found = g;
		most = points;
	}
	return found;
}

bool guests_make_room_for_process(struct sim *s, uint64_t its_pages)
{
	struct sim_guest *victim = largest_guest(s);

	if (!victim || badness(victim) < its_pages)
		return false;
	ahead_settle(s, s->engine.now, 0);
	s->host_oom_kills++;
	guests_end(victim, true);
	return true;
}

bool guests_make_room(struct sim_guest *g, int err)
{
	struct sim *s = g->sim;
	struct sim_guest *victim;

	if (s->cfg.host.oom == HOST_OOM_FAIL || s->nr_guests_running == 1) {
		sim_fail(s, err, "%s: guest %u cannot be backed%s; %s",
			 err == -EDQUOT ? "memcg_limit is reached" :
					  "the host is out of memory", g->id + 1,
			 s->cfg.host.oom == HOST_OOM_FAIL ||
			 s->nr_guests == 1 ? "" :
			 ", and no other is left to be killed",
			 err == -EDQUOT ? "raise it, or give [host] swap" :
					  "give [host] more memory");
		return false;
	}
	/* Steps of others that began before now still find what they found. */
	ahead_settle(s, s->engine.now, g->vcpus[g->running_cpu].slot.rank);
	victim = err == -EDQUOT ? g : largest_guest(s);
	/* g runs, or it would not ask. */
	CHECK(victim);
	s->host_oom_kills++;
	guests_end(victim, true);
	return victim != g;
}
