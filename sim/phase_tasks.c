/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tasks of a phase in one guest: its workload is opened with the memory
 * that the guest has now, and a process is started for each task.
 */
#include "sim/machine.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Tasks start at random within this time, so that a window opens at a random
 * place of their iterations, as it does in a real run.
 */
#define START_SPREAD_NS (100 * NSEC_PER_MSEC)

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

void phase_end_tasks(struct sim_guest *g)
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
	g->nr_left = 0;
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
/* -ENOSPC: it is the guest that has no memory, -ENOMEM: we have none. */
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
		return guest_host_is_short(g->mm) ? -ENOMEM : -ENOSPC;
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
	/* It took the host's last page, and died of it. */
	if (!phase_tasks_run(g))
		return 0;
	g->tasks_started++;
	v->current = 0;
	v->slice_end = 0;
	if (vcpu_add_task(v, t))
		return -ENOMEM;
	vcpu_wake(v, at);
	return 0;
}

int phase_start_tasks(struct sim_guest *g, const struct sim_phase_config *c,
		      char *why, size_t why_size)
{
	uint32_t i;
	int ret;

	/* Who fails for another reason says it. */
	snprintf(why, why_size, "out of memory");
	ret = open_workload(g, c, why, why_size);
	if (ret)
		return ret;
	g->record_waited = 0;
	g->tasks = calloc(c->opt.tasks, sizeof(*g->tasks));
	if (!g->tasks)
		return -ENOMEM;
	g->nr_tasks = g->nr_left = (uint32_t)c->opt.tasks;
	g->sim->nr_running += g->nr_tasks;
	for (i = 0; i < g->nr_tasks && phase_tasks_run(g); i++) {
		ret = start_task(g, i);
		if (ret) {
			snprintf(why, why_size, "out of memory");
			if (ret == -ENOSPC)
				snprintf(why, why_size, "guest has no memory "
					 "for task %u of %u", i + 1,
					 g->nr_tasks);
			return -ENOMEM;
		}
	}
	return 0;
}
