/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reporter's device in a guest: set-up, the frame of every callback, and
 * what guest and host ask of the design. Worker time is charged to the vCPU
 * whose free asked for the pass, as a workqueue item runs where it was queued.
 */
#include <errno.h>
#include <stdlib.h>

#include "include/bitmap.h"
#include "include/check.h"
#include "include/sparse.h"
#include "sim/machine.h"

/* Four times the byte of include/linux/poison.h. */
#define PAGE_POISON 0xaaaaaaaau

/* Objects that a shrinker is asked for at a time. */
#define SHRINK_BATCH 128

/* The worker runs from now on; its allocator work is priced by its calls. */
void device_enter(struct sim_guest *g, unsigned int cpu)
{
	struct device *d = &g->dev;

	CHECK(!d->in_callback);
	d->in_callback = true;
	d->cpu = (uint16_t)cpu;
	d->now = g->sim->engine.now;
	d->ps = 0;
	g->work = (struct alloc_work){ 0 };
}

void device_leave(struct sim_guest *g)
{
	struct device *d = &g->dev;
	struct vcpu *v = &g->vcpus[d->cpu];

	d->in_callback = false;
	d->busy_until = d->now;
	if (v->nr_tasks)
		v->stolen_ps += (d->now - g->sim->engine.now) * 1000;
	g->work = (struct alloc_work){ 0 };
}

sim_ns_t device_now(const struct sim_guest *g)
{
	return g->dev.in_callback ? g->dev.now : g->sim->engine.now;
}

int device_init(struct sim_guest *g, char *why, size_t why_size)
{
	const struct sim_config *cfg = &g->sim->cfg;
	const struct reporter_ops *ops = cfg->reporter;
	struct device *d = &g->dev;

	d->host = (struct host_status){
		.thp_order = HPAGE_PMD_ORDER,
		.backing_order = (uint8_t)host_backing_order(cfg),
		.page_poison = cfg->host.page_poison,
	};
	/* What the guest writes into the device's configuration. */
	if (cfg->guest.poison == POISON_PATTERN && cfg->host.page_poison)
		d->host.poison = PAGE_POISON;
	d->env = (struct reporter_env){ .ctx = g, .view = g->alloc,
					.host = &d->host };
	if (ops->knows_zero && cfg->reporter_enabled) {
		g->known_zero_words = BITMAP_WORDS(alloc_end_pfn(g->alloc));
		g->known_zero = sparse_alloc(g->known_zero_words,
					     sizeof(*g->known_zero));
		if (!g->known_zero)
			return -ENOMEM;
	}
	d->env.known_zero = g->known_zero;
	device_env_fill(&d->env);
	device_host_fill(&d->env);
	device_work_fill(&d->env);
	d->r = (struct reporter){ .ops = ops, .env = &d->env,
				  .options = cfg->reporter_options };
	d->flights = calloc(MAX_FLIGHTS, sizeof(*d->flights));
	if (ops->work)
		d->work = calloc(REPORTER_MAX_WORK, sizeof(*d->work));
	if (!d->flights || (ops->work && !d->work))
		return -ENOMEM;
	d->r.state = calloc(1, ops->state_size ? ops->state_size : 1);
	if (!d->r.state)
		return -ENOMEM;
	return ops->init(&d->r, why, why_size);
}

void device_fill_hooks(struct sim_guest *g, struct alloc_hooks *h)
{
	if (g->sim->cfg.reporter_enabled)
		reporter_fill_hooks(&g->dev.r, h);
}

/*
 * Models virtballoon_validate (5.8): a guest that cares for what is in its
 * free pages withdraws from reporting if the host cannot be told.
 */
static bool withdraws(const struct sim_guest *g)
{
	return g->sim->cfg.guest.poison != POISON_OFF &&
	       !g->dev.host.page_poison && g->dev.r.ops->withdraws_if_poisoned;
}

void device_start(struct sim_guest *g)
{
	if (!g->sim->cfg.reporter_enabled || withdraws(g))
		return;
	g->dev.present = true;
	if (g->dev.r.ops->start)
		g->dev.r.ops->start(&g->dev.r);
}

void device_stop(struct sim_guest *g)
{
	struct device *d = &g->dev;

	if (!d->present)
		return;
	device_enter(g, d->worker_cpu);
	d->r.ops->stop(&d->r);
	device_leave(g);
	d->present = false;
}

bool device_idle(const struct sim_guest *g)
{
	return !g->dev.present || g->dev.r.ops->idle(&g->dev.r);
}

void device_destroy(struct sim_guest *g)
{
	struct device *d = &g->dev;

	if (d->r.state && d->r.ops->destroy)
		d->r.ops->destroy(&d->r);
	free(d->r.state);
	free(d->flights);
	free(d->work);
	d->r.state = NULL;
	d->flights = NULL;
	d->work = NULL;
}

/*
 * The guest waits for these: their time is that of the task that asked, or of
 * the design itself if its own allocation did.
 */
uint64_t device_oom_notify(struct sim_guest *g)
{
	struct reporter *r = &g->dev.r;

	if (!g->dev.present || !r->ops->oom_notify)
		return 0;
	return r->ops->oom_notify(r);
}

/* One round of shrink_slab(): SHRINK_BATCH objects of a shrinker. */
uint64_t device_shrink(struct sim_guest *g)
{
	struct reporter *r = &g->dev.r;

	if (!g->dev.present || !r->ops->shrink)
		return 0;
	return r->ops->shrink(r, SHRINK_BATCH);
}

bool device_owns_page(const struct sim_guest *g, pfn_t pfn)
{
	const struct reporter *r = &g->dev.r;

	return r->ops->owns_page && r->ops->owns_page(r, pfn);
}

int device_migrate_page(struct sim_guest *g, pfn_t from, pfn_t to)
{
	struct reporter *r = &g->dev.r;

	return r->ops->migrate_page ? r->ops->migrate_page(r, from, to) :
				      -EAGAIN;
}

void device_set_target(struct sim_guest *g, uint64_t pages)
{
	struct reporter *r = &g->dev.r;

	if (!g->dev.present || !r->ops->set_target)
		return;
	device_enter(g, g->dev.worker_cpu);
	r->ops->set_target(r, pages);
	device_leave(g);
}

int device_host_request(struct sim_guest *g, const struct host_command *c)
{
	struct reporter *r = &g->dev.r;
	int ret;

	if (!g->dev.present)
		return -ENODEV;
	if (!r->ops->host_request)
		return -EOPNOTSUPP;
	host_commands(g, c);
	device_enter(g, g->dev.worker_cpu);
	ret = r->ops->host_request(r, c);
	device_leave(g);
	return ret;
}

void sim_guest_set_balloon_target(struct sim *s, unsigned int guest,
				  uint64_t bytes)
{
	CHECK_LT(guest, s->nr_guests);
	device_set_target(&s->guests[guest], bytes_to_pages(bytes));
}

int sim_guest_host_request(struct sim *s, unsigned int guest,
			   const struct host_command *command)
{
	CHECK_LT(guest, s->nr_guests);
	return device_host_request(&s->guests[guest], command);
}

void sim_guest_reporter_start(struct sim *s, unsigned int guest)
{
	CHECK_LT(guest, s->nr_guests);
	device_start(&s->guests[guest]);
}

void sim_guest_reporter_stop(struct sim *s, unsigned int guest)
{
	CHECK_LT(guest, s->nr_guests);
	device_stop(&s->guests[guest]);
}

void sim_guest_set_host_status(struct sim *s, unsigned int guest,
			       const struct host_status *status)
{
	struct sim_guest *g = &s->guests[guest];
	struct reporter *r = &g->dev.r;

	CHECK_LT(guest, s->nr_guests);
	g->dev.host = *status;
	if (!g->dev.present || !r->ops->host_changed)
		return;
	device_enter(g, g->dev.worker_cpu);
	r->ops->host_changed(r);
	device_leave(g);
}
