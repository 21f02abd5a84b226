/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our side of a comparison: one workload on one machine, whose calls are
 * tapped. The host is the null hypervisor and nobody reports: neither has an
 * influence on what a task asks its kernel for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/registry.h"
#include "cli/stream_diff.h"
#include "sim/sim.h"

/* A workload that exits after so many unmaps, around any other. */
struct limited_options {
	const struct workload_ops *inner;
	const void *options;
	uint64_t loops;              /* 0: no limit */
	uint64_t image;              /* pages of the program, 0: none */
};

/*
 * The program's image lies below what it maps, and is there first. Here it is
 * a file that is mapped behind the first mapping, so that it comes to lie
 * below, and read before that is touched.
 */
enum image_stage { IMAGE_WAITS, IMAGE_MAP, IMAGE_READ, IMAGE_THERE };

struct limited_task {
	uint64_t unmaps;
	enum image_stage image;
};

struct limited_state {
	struct workload inner;
	struct limited_task *tasks;
};

#define IMAGE_SLOT (WORKLOAD_MAX_SLOTS - 1)

struct stream_machine {
	struct guest_options guest;
	struct sim_phase_config phase;
	struct workload_ops ops;     /* of `limited`, under the inner name */
	struct limited_options limited;
	void *workload_options;
	uint64_t mmap_base;
};

static int limited_prepare(struct workload *w, char *why, size_t why_size)
{
	const struct limited_options *o = w->options;
	struct limited_state *s = w->state;
	const size_t size = o->inner->state_size;

	s->inner = (struct workload){ .ops = o->inner, .ctx = w->ctx,
				      .options = o->options };
	s->tasks = calloc(w->ctx.nr_tasks, sizeof(*s->tasks));
	s->inner.state = calloc(1, size ? size : 1);
	if (!s->tasks || !s->inner.state) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	return o->inner->prepare ? o->inner->prepare(&s->inner, why, why_size) :
				   0;
}

static void image_next(const struct limited_options *o, struct limited_task *t,
		       struct workload_op *op)
{
	const bool map = t->image == IMAGE_MAP;

	*op = (struct workload_op){
		.kind = map ? WORKLOAD_MMAP : WORKLOAD_TOUCH,
		.flags = map ? WORKLOAD_MAP_FILE : WORKLOAD_TOUCH_READ,
		.slot = IMAGE_SLOT, .len = pages_to_bytes(o->image),
	};
	t->image++;
}

static bool limited_next(struct workload *w, unsigned int task,
			 struct workload_op *op)
{
	const struct limited_options *o = w->options;
	struct limited_state *s = w->state;
	struct limited_task *t = &s->tasks[task];

	if (o->loops && t->unmaps == o->loops)
		return false;
	if (t->image == IMAGE_MAP || t->image == IMAGE_READ) {
		image_next(o, t, op);
		return true;
	}
	if (!o->inner->next(&s->inner, task, op))
		return false;
	t->unmaps += op->kind == WORKLOAD_MUNMAP;
	if (o->image && t->image == IMAGE_WAITS && op->kind == WORKLOAD_MMAP)
		t->image = IMAGE_MAP;
	return true;
}

static void limited_cleanup(struct workload *w)
{
	struct limited_state *s = w->state;

	if (s->inner.state && s->inner.ops->cleanup)
		s->inner.ops->cleanup(&s->inner);
	free(s->inner.state);
	free(s->tasks);
}

static const struct workload_ops limited_workload = {
	.name = "limited",
	.summary = "another workload, until it has unmapped often enough",
	.state_size = sizeof(struct limited_state),
	.prepare = limited_prepare,
	.next = limited_next,
	.cleanup = limited_cleanup,
};

struct stream_machine *stream_machine_new(const struct workload_ops *w)
{
	struct stream_machine *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->workload_options = calloc(1, w->options.size + 1);
	if (!m->workload_options) {
		free(m);
		return NULL;
	}
	option_defaults(&guest_option_table, &m->guest);
	option_defaults(&phase_option_table, &m->phase.opt);
	option_defaults(&w->options, m->workload_options);
	/* What else the guest holds makes no difference to a task's calls. */
	m->guest.base = 0;
	m->limited.inner = w;
	m->limited.options = m->workload_options;
	m->ops = limited_workload;
	m->ops.name = w->name;
	m->ops.needs_size = w->needs_size;
	m->phase.workload = &m->ops;
	m->phase.workload_options = &m->limited;
	snprintf(m->phase.name, sizeof(m->phase.name), "%s", w->name);
	return m;
}

void stream_machine_free(struct stream_machine *m)
{
	if (m)
		free(m->workload_options);
	free(m);
}

static int unknown_key(const struct option_table *const *tables, size_t nr,
		       const char *key, char *why, size_t why_size)
{
	const char *names[128] = { NULL };
	size_t at = 0;
	const char *near;

	for (size_t i = 0; i < nr; i++)
		at += option_names(tables[i], names + at,
				   ARRAY_SIZE(names) - at);
	near = diag_nearest(key, names);
	snprintf(why, why_size, "unknown key '%s'%s%s%s", key,
		 near ? "; did you mean '" : "", near ? near : "",
		 near ? "'?" : "");
	return -EINVAL;
}

int stream_machine_set(struct stream_machine *m, const char *key,
		       const char *value, char *why, size_t why_size)
{
	static const char guest[] = "guest.";
	const struct option_table *tables[] = {
		&phase_option_table, &m->limited.inner->options,
		&guest_option_table,
	};
	void *const bases[] = { &m->phase.opt, m->workload_options, &m->guest };
	const bool is_guest = !strncmp(key, guest, sizeof(guest) - 1);
	const size_t first = is_guest ? 2 : 0, end = is_guest ? 3 : 2;

	if (is_guest)
		key += sizeof(guest) - 1;
	for (size_t i = first; i < end; i++) {
		const struct option_desc *o = option_find(tables[i], key);

		if (o)
			return option_parse(o, value, bases[i], why, why_size);
	}
	return unknown_key(tables + first, end - first, key, why, why_size);
}

void stream_machine_loops(struct stream_machine *m, uint64_t loops)
{
	m->limited.loops = loops;
}

void stream_machine_image(struct stream_machine *m, uint64_t pages)
{
	m->limited.image = pages;
}

void stream_machine_base(struct stream_machine *m, uint64_t mmap_base)
{
	m->mmap_base = mmap_base;
}

struct listener {
	struct stream *stream;
	uint64_t image;              /* pages of it that are still to be read */
	bool has_image, over;
	int ret;
};

/*
 * The image stands for pages that were there before: its file pages are not
 * the workload's. They are the first of their class, and are given back when
 * the address space, which another task allocated, is gone.
 */
static bool is_workloads(struct listener *l, const struct trace_event *e)
{
	const struct trace_kmem *k = &e->u.kmem;

	if (e->task != 1 || l->over)
		return false;
	if (l->image && e->kind == TRACE_ALLOC &&
	    stream_classify(k->order, k->mt, k->gfp) == STREAM_COPY) {
		l->image--;
		return false;
	}
	return true;
}

static void listen(void *ctx, const struct trace_event *e)
{
	struct listener *l = ctx;
	struct stream *s = l->stream;
	const bool mine = is_workloads(l, e);

	if (l->ret)
		return;
	l->ret = stream_put(s, e, mine);
	if (mine && l->has_image && !l->ret && s->nr &&
	    s->calls[s->nr - 1].cls == STREAM_ELSEWHERE)
		l->over = true;
}

static bool was_killed(struct sim *s)
{
	const struct sim_result *r = sim_result(s);

	for (unsigned int i = 0; i < r->nr_counters; i++)
		if (!strcmp(r->counters[i].name, "guest.oom_kill"))
			return r->counters[i].value > 0;
	return false;
}

static int run_machine(const struct sim_config *cfg, char *why, size_t why_size)
{
	struct sim *s;
	int ret = sim_create(&s, cfg, why, why_size);

	if (ret)
		return ret;
	ret = sim_run_phase(s, 0, NULL, why, why_size);
	if (!ret && was_killed(s)) {
		snprintf(why, why_size, "the guest ran out of memory; give it "
			 "more with --set guest.memory=");
		ret = -EINVAL;
	}
	sim_destroy(s);
	return ret;
}

int stream_machine_run(struct stream_machine *m, struct stream *out,
		       char *why, size_t why_size)
{
	struct listener l = { .stream = out, .image = m->limited.image,
			      .has_image = m->limited.image };
	const struct sim_tap tap = { .ctx = &l, .event = listen };
	struct sim_config cfg = {
		.guest = m->guest, .host = { .guests = 1 },
		.hypervisor = &null_hypervisor,
		.reporter = &none_reporter, .phases = &m->phase,
		.nr_phases = 1, .seed = 1, .tap = &tap,
		.mmap_base = m->mmap_base,
	};
	struct price_list *prices = malloc(sizeof(*prices));
	void *hv_options = calloc(1, null_hypervisor.options.size + 1);
	int ret = stream_init(out);

	snprintf(why, why_size, "out of memory");
	if (ret || !prices || !hv_options) {
		free(prices);
		free(hv_options);
		return -ENOMEM;
	}
	price_list_default(prices);
	option_defaults(&null_hypervisor.options, hv_options);
	cfg.prices = prices;
	cfg.hypervisor_options = hv_options;
	ret = sim_topology_resolve(m->guest.topology, cfg.guest.topology,
				   sizeof(cfg.guest.topology), why, why_size);
	if (!ret)
		ret = run_machine(&cfg, why, why_size);
	if (!ret && l.ret) {
		snprintf(why, why_size, "%s", l.ret == -EFBIG ?
			 "the workload makes too many calls" : "out of memory");
		ret = l.ret;
	}
	free(prices);
	free(hv_options);
	return ret;
}
