/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One cell of a swarm, in the process of its own that it gets. It is run twice,
 * with full walks through guests, designs and host at intervals and at the end.
 * What has to hold beside the invariants:
 *
 *     all values printed and read again make the same cell;
 *     vCPUs that run ahead of each other come to the same result, digest and
 *     message as vCPUs that go step by step.
 *
 * A run that ends with a message is no violation if its values foretell it: a
 * host or guest that runs out of memory, a host that is to hang, an injection
 * without an opportunity, or whose expectation does not hold on this machine.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/run_cell.h"
#include "bench/swarm.h"
#include "include/check.h"

/* What a run left behind. */
struct trial {
	int err;
	char why[300];
	char digest[DIGEST_HEX_SIZE];
	sim_ns_t virtual_ns;
	uint64_t events;
	unsigned int nr;
	uint64_t counters[SIM_MAX_COUNTERS];
	const char *names[SIM_MAX_COUNTERS];
};

static void take_result(struct trial *t, struct sim *s)
{
	const struct sim_result *r = sim_result(s);
	unsigned int i;

	memcpy(t->digest, r->digest, sizeof(t->digest));
	t->virtual_ns = r->virtual_ns;
	t->events = r->events;
	t->nr = r->nr_counters;
	for (i = 0; i < r->nr_counters; i++) {
		t->names[i] = r->counters[i].name;
		t->counters[i] = r->counters[i].value;
	}
}

static int run_phases(struct sim *s, unsigned int nr, char *why, size_t size)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr && !err; i++)
		err = sim_run_phase(s, i, NULL, why, size);
	/* Whatever became of it, what is there has to be whole. */
	sim_check(s);
	return err ? err : sim_verdict(s, why, size);
}

/* The names in a result live as long as its simulation, so that is left. */
static struct sim *run_trial(struct trial *t, const struct sim_config *cfg)
{
	struct sim *s;

	*t = (struct trial){ .why = "" };
	t->err = sim_create(&s, cfg, t->why, sizeof(t->why));
	if (t->err)
		return NULL;
	t->why[0] = '\0';
	t->err = run_phases(s, cfg->nr_phases, t->why, sizeof(t->why));
	take_result(t, s);
	return s;
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static void count_operations(const struct trial *t, struct swarm_outcome *out)
{
	static const char *const alloc[] = {
		"alloc.allocs_order", "alloc.frees_order", "alloc.failures",
		"alloc.isolated", "alloc.putbacks",
	};
	static const char *const host[] = {
		"host.ept_violation_", "host.discard_dontneed_order",
		"host.discard_free_order", "host.discard_ignored",
		"host.pswpin", "host.pswpout",
	};
	unsigned int i, k;

	for (i = 0; i < t->nr; i++) {
		for (k = 0; k < sizeof(alloc) / sizeof(alloc[0]); k++)
			if (begins(t->names[i], alloc[k]))
				out->alloc_calls += t->counters[i];
		for (k = 0; k < sizeof(host) / sizeof(host[0]); k++)
			if (begins(t->names[i], host[k]))
				out->host_events += t->counters[i];
	}
	out->engine_events += t->events;
}

__attribute__((format(printf, 2, 3)))
static void violated(struct swarm_outcome *out, const char *fmt, ...)
{
	va_list ap;

	out->verdict = SWARM_VIOLATION;
	va_start(ap, fmt);
	vsnprintf(out->why, sizeof(out->why), fmt, ap);
	va_end(ap);
}

/* This program had no memory for it, which says nothing of the cell. */
static void gave_up(struct swarm_outcome *out)
{
	out->verdict = SWARM_ENDED;
	snprintf(out->why, sizeof(out->why), "out of memory");
}

/* Or it was the guest that had none: that is the cell's own end. */
static bool lacked_memory(const struct trial *t)
{
	return t->err == -ENOMEM && (strstr(t->why, "out of memory") ||
				     strstr(t->why, "Cannot allocate memory"));
}

/* Does an injection of this cell say that the host never answers? */
static bool may_hang(const struct cell_body *b)
{
	unsigned int i;

	for (i = 0; i < b->nr_injects; i++)
		if (b->injects[i].opt.enabled &&
		    b->injects[i].opt.kind == INJECT_HOST_HANGS)
			return true;
	return false;
}

static void judge(struct swarm_outcome *out, const struct trial *t,
		  const struct cell_body *b)
{
	snprintf(out->why, sizeof(out->why), "%s", t->why);
	switch (t->err) {
	case 0:
		out->verdict = SWARM_PASSED;
		return;
	case -EINVAL:
	case -ENOTSUP:
	case -E2BIG:
	case -EIO:
		out->verdict = t->events ? SWARM_ENDED : SWARM_REFUSED;
		return;
	case -ENOMEM:
	case -EDQUOT:
	case -ENOSPC:
		out->verdict = SWARM_ENDED;
		return;
	case -EPROTO:
		if (!strstr(t->why, "invariant broken")) {
			out->verdict = SWARM_ENDED;
			return;
		}
		break;
	case -EDEADLK:
		if (may_hang(b) || strstr(t->why, "give the phase")) {
			out->verdict = SWARM_ENDED;
			return;
		}
		break;
	default:
		break;
	}
	violated(out, "%s (%s)", t->why, strerror(-t->err));
}

static bool same_results(struct swarm_outcome *out, const struct trial *a,
			 const struct trial *b)
{
	unsigned int i;

	if (lacked_memory(a) || lacked_memory(b)) {
		gave_up(out);
		return false;
	}
	if (a->err != b->err || strcmp(a->why, b->why) != 0) {
		violated(out, "run-ahead ends with '%s', step by step with "
			 "'%s'", a->why, b->why);
		return false;
	}
	for (i = 0; i < a->nr; i++)
		if (a->counters[i] != b->counters[i]) {
			violated(out, "run-ahead: %s is %llu, step by step "
				 "%llu", a->names[i],
				 (unsigned long long)a->counters[i],
				 (unsigned long long)b->counters[i]);
			return false;
		}
	if (a->virtual_ns != b->virtual_ns ||
	    strcmp(a->digest, b->digest) != 0) {
		violated(out, "run-ahead: digest %s, step by step %s",
			 a->digest, b->digest);
		return false;
	}
	return true;
}

static int load(struct experiment *e, const struct swarm_options *o,
		const char *text, struct diag *d)
{
	const struct experiment_request req = {
		.path = o->path ? o->path : "cell.ini", .text = text,
		.registry = o->registry,
	};

	return experiment_load(e, &req, d);
}

/* Values, printed and read again, make the cell that they are of. */
static void check_text(const struct swarm_options *o,
		       const struct experiment *e, struct swarm_outcome *out)
{
	struct swarm_text *t = malloc(sizeof(*t));
	char *text = malloc(SWARM_MAX_LINES * SWARM_LINE_SIZE);
	struct experiment again;
	struct diag d = { 0 };
	int err;

	err = t && text ? swarm_text_of_cell(t, e, &e->cells[0]) : -ENOMEM;
	if (err == -ENOMEM)
		gave_up(out);
	if (!err && swarm_text_print(t, text,
				     SWARM_MAX_LINES * SWARM_LINE_SIZE)) {
		err = load(&again, o, text, &d);
		if (err == -ENOMEM)
			gave_up(out);
		else if (err)
			violated(out, "printed values are refused: %s",
				 d.last);
		else if (strcmp(again.cells[0].id, e->cells[0].id) != 0)
			violated(out, "printed values make cell %s, not %s",
				 again.cells[0].id, e->cells[0].id);
		experiment_free(&again);
	}
	free(text);
	free(t);
}

static void run_both(const struct swarm_options *o, const struct experiment *e,
		     struct swarm_outcome *out)
{
	struct trial *t = calloc(2, sizeof(*t));
	struct sim *ahead, *steps;
	struct sim_config cfg;
	char context[300];

	if (!t) {
		gave_up(out);
		return;
	}
	cell_config(e, &e->cells[0], &cfg);
	cfg.check_every = o->check_every;
	cell_describe(&e->cells[0], context, sizeof(context));
	check_set_context(context);
	ahead = run_trial(&t[0], &cfg);
	count_operations(&t[0], out);
	judge(out, &t[0], e->cells[0].body);
	if (out->verdict < SWARM_REFUSED) {
		cfg.step_by_step = true;
		steps = run_trial(&t[1], &cfg);
		count_operations(&t[1], out);
		same_results(out, &t[0], &t[1]);
		sim_destroy(steps);
	}
	sim_destroy(ahead);
	check_set_context(NULL);
	free(t);
}

void swarm_run_here(const struct swarm_options *o, const char *text,
		    struct swarm_outcome *out)
{
	struct experiment e;
	struct diag d = { 0 };
	const int err = load(&e, o, text, &d);

	*out = (struct swarm_outcome){ .verdict = SWARM_REFUSED };
	if (err == -ENOMEM) {
		gave_up(out);
		experiment_free(&e);
		return;
	}
	if (err || e.nr_cells != 1) {
		snprintf(out->why, sizeof(out->why), "%s", err ? d.last :
			 "the experiment has more than one cell");
		experiment_free(&e);
		return;
	}
	out->verdict = SWARM_PASSED;
	check_text(o, &e, out);
	if (out->verdict == SWARM_PASSED)
		run_both(o, &e, out);
	experiment_free(&e);
}
