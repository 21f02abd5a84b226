/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host that is short of memory asks its guests for free pages: when less than
 * [host] pull_below is free it asks for what is missing to twice as much, each
 * guest for the same share, and asks again every PULL_AGAIN_NS for as long as
 * that lasts. What comes of it is the design's business (HOST_WANTS_PAGES);
 * most designs know no such command.
 */
#include "include/check.h"
#include "sim/machine.h"

#define PULL_AGAIN_NS (100 * NSEC_PER_MSEC)

static uint64_t free_pages(const struct sim *s)
{
	struct hv_gauges now;

	s->hv->ops->gauges(s->hv, HV_ALL_GUESTS, &now);
	return now.host_free_pages;
}

static bool is_short(const struct sim *s)
{
	return free_pages(s) < bytes_to_pages(s->cfg.host.pull_below);
}

static void pull_event(void *ctx, uint64_t arg)
{
	struct sim *s = ctx;
	const uint64_t wanted = 2 * bytes_to_pages(s->cfg.host.pull_below);
	const uint64_t have = free_pages(s);
	struct host_command c = { .kind = HOST_WANTS_PAGES };
	unsigned int i;

	(void)arg;
	s->pulling = is_short(s) && s->nr_guests_running;
	if (!s->pulling)
		return;
	c.pages = (wanted - have + s->nr_guests_running - 1) /
		  s->nr_guests_running;
	for (i = 0; i < s->nr_guests; i++)
		device_host_request(&s->guests[i], &c);
	engine_at(&s->engine, s->engine.now + PULL_AGAIN_NS, pull_event, s, 0);
}

void pull_if_short(struct sim *s)
{
	if (s->pulling || !is_short(s))
		return;
	s->pulling = true;
	engine_at(&s->engine, s->engine.now, pull_event, s, 0);
}
