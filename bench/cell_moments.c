/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The events and injections of a cell, and what their values mean together. */
#include <errno.h>
#include <string.h>

#include "bench/experiment.h"

int cell_moments_init(const struct cell_build *b, struct cell_body *body)
{
	const struct schema *s = &b->e->schema;
	struct arena *a = &b->e->arena;
	unsigned int i;

	body->nr_events = b->e->nr_events;
	body->nr_injects = b->e->nr_injects;
	body->events = arena_array(a, body->nr_events + 1,
				   sizeof(*body->events));
	body->event_phases = arena_array(a, body->nr_events + 1,
					 sizeof(*body->event_phases));
	body->injects = arena_array(a, body->nr_injects + 1,
				    sizeof(*body->injects));
	body->inject_phases = arena_array(a, body->nr_injects + 1,
					  sizeof(*body->inject_phases));
	if (!body->events || !body->event_phases || !body->injects ||
	    !body->inject_phases)
		return -ENOMEM;
	for (i = 0; i < body->nr_events; i++) {
		option_defaults(&s->common[SECTION_EVENT],
				&body->events[i].opt);
		snprintf(body->events[i].name, sizeof(body->events[i].name),
			 "%s", b->e->events[i].name);
	}
	for (i = 0; i < body->nr_injects; i++) {
		option_defaults(&s->common[SECTION_INJECT],
				&body->injects[i].opt);
		snprintf(body->injects[i].name, sizeof(body->injects[i].name),
			 "%s", b->e->injects[i].name);
	}
	return 0;
}

/* The setting that decides a key of a named section, or NULL: its default. */
static struct setting *find_key(const struct cell_build *b,
				enum section_kind kind, unsigned int nr,
				const char *key)
{
	unsigned int i;

	for (i = 0; i < b->v->nr_merged; i++) {
		struct setting *s = b->v->merged[i];

		if (s->kind == kind && s->phase == nr && !strcmp(s->key, key))
			return s;
	}
	return NULL;
}

/* What the values of an event mean together. */
static int moment_error(const struct cell_build *b, enum section_kind kind,
			unsigned int nr, const char *key, const char *why)
{
	struct setting *s = find_key(b, kind, nr, key);
	char section[96];
	unsigned int n;

	experiment_section(b->e, kind, nr, section, sizeof(section));
	if (s)
		setting_item_error(s, &b->e->ini, b->d, 0, "%s: %s", key, why);
	else
		ini_error(&b->e->ini, b->d,
			  experiment_named(b->e, kind, &n)[nr].at,
			  "%s.%s: %s", section, key, why);
	return -EINVAL;
}

static int guest_error(const struct cell_build *b, const struct cell_body *body,
		       enum section_kind kind, unsigned int nr, uint64_t guest)
{
	char why[96];

	if (guest <= body->host.guests)
		return 0;
	snprintf(why, sizeof(why), "there is no guest %llu; [host] guests = "
		 "%llu", (unsigned long long)guest,
		 (unsigned long long)body->host.guests);
	return moment_error(b, kind, nr, "guest", why);
}

/* A balloon that fits into the guest does not bring it to its knees. */
static int inflate_error(const struct cell_build *b,
			 const struct cell_body *body, unsigned int nr)
{
	const struct inject_options *o = &body->injects[nr].opt;
	char why[160];

	if (o->kind != INJECT_OOM_INFLATE || o->value >= body->guest.memory)
		return 0;
	snprintf(why, sizeof(why), "oom_inflate wants more than there is; "
		 "[guest] memory = %lluM, allowed is that or more",
		 (unsigned long long)(body->guest.memory >> 20));
	return moment_error(b, SECTION_INJECT, nr, "value", why);
}

int cell_moments_finish(const struct cell_build *b, struct cell_body *body)
{
	const char *key;
	char why[300];
	unsigned int i;
	int err = 0;

	for (i = 0; i < body->nr_events; i++) {
		struct sim_event_config *c = &body->events[i];

		c->phase = body->event_phases[i].member;
		if (c->opt.enabled &&
		    sim_event_check(&c->opt, &key, why, sizeof(why)))
			err = moment_error(b, SECTION_EVENT, i, key, why);
		if (c->opt.enabled &&
		    guest_error(b, body, SECTION_EVENT, i, c->opt.guest))
			err = -EINVAL;
	}
	for (i = 0; i < body->nr_injects; i++) {
		struct sim_inject_config *c = &body->injects[i];

		c->phase = body->inject_phases[i].member;
		if (c->opt.enabled &&
		    sim_inject_check(&c->opt, &key, why, sizeof(why)))
			err = moment_error(b, SECTION_INJECT, i, key, why);
		if (c->opt.enabled &&
		    (guest_error(b, body, SECTION_INJECT, i, c->opt.guest) ||
		     inflate_error(b, body, i)))
			err = -EINVAL;
	}
	return err;
}
