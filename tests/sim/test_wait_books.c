/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whoever waits for a design, on whole machines with every design there is. The
 * time that allocations are held up is what lies between the design's "wait"
 * and the host's answer, none if the host takes none; and nobody is killed for want
 * of memory while a balloon that deflates on OOM has pages. Books are kept at
 * the calls between machine and design; designs that are wrong are noticed.
 */
#include "cli/registry.h"
#include "sim/machine.h"
#include "tests/sim/cell.h"

#define MAX_OPEN 256

/* Behind the state of the design. */
struct books {
	const struct reporter_ops *right;
	enum alloc_status (*allocate)(void *ctx, struct alloc_request *rq,
				      pfn_t *pfn);
	void (*free)(void *ctx, pfn_t pfn, unsigned int order);
	/* Blocks that an allocation was told to wait for. */
	struct { pfn_t pfn; sim_ns_t from, to; } open[MAX_OPEN];
	unsigned int nr_open;
	uint64_t waits, waited_ns; /* of those that did, and asked again */
	uint64_t own_pages;
	uint64_t notified, given;  /* notifications; pages of the largest */
	const char *broken;
};

static struct books *books_of(const struct reporter *r)
{
	return (struct books *)(void *)((char *)r->state + r->ops->state_size -
					sizeof(struct books));
}

static sim_ns_t now(const struct reporter *r)
{
	const struct sim_guest *g = r->env->ctx;

	return g->sim->engine.now;
}

static unsigned int find_open(const struct books *b, pfn_t pfn)
{
	unsigned int i;

	for (i = 0; i < b->nr_open; i++)
		if (b->open[i].pfn == pfn)
			break;
	return i;
}

static void forget_open(struct books *b, unsigned int i)
{
	if (i < b->nr_open)
		b->open[i] = b->open[--b->nr_open];
}

/*
 * Who waits asks again when it is woken. Not so the few that cannot wait and
 * use the block at once (docs/fidelity.md): they ask once, and free it.
 */
static bool booked_stall(struct reporter *r, unsigned int zone, pfn_t pfn,
			 unsigned int order, unsigned int cpu)
{
	const bool wait = books_of(r)->right->alloc_stall(r, zone, pfn, order,
							  cpu);
	struct books *b = books_of(r);
	const unsigned int i = find_open(b, pfn);

	if (i < b->nr_open) {
		b->waits++;
		b->waited_ns += b->open[i].to - b->open[i].from;
		forget_open(b, i);
	}
	if (wait) {
		assert_true(b->nr_open < MAX_OPEN);
		b->open[b->nr_open].pfn = pfn;
		b->open[b->nr_open++].from = now(r);
	}
	return wait;
}

static void booked_capture(struct reporter *r, unsigned int zone, pfn_t pfn,
			   unsigned int order, unsigned int cpu)
{
	struct books *b = books_of(r);

	forget_open(b, find_open(b, pfn));
	b->right->free_capture(r, zone, pfn, order, cpu);
}

/* What waits does so until this, however much is left to pull. */
static void booked_reply(struct reporter *r, const struct host_request *rq,
			 const struct host_reply *reply)
{
	struct books *b = books_of(r);

	for (unsigned int i = 0; i < b->nr_open; i++)
		b->open[i].to = device_now(r->env->ctx);
	b->right->reply(r, rq, reply);
}

static uint64_t booked_oom_notify(struct reporter *r)
{
	struct books *b = books_of(r);
	const uint64_t own = b->own_pages;
	const uint64_t freed = b->right->oom_notify(r);

	b->notified++;
	if (freed == REPORTER_WAIT)
		return freed;
	if (freed != own - b->own_pages)
		b->broken = "not so many pages were given back";
	if (!freed && own)
		b->broken = "a kill while there are pages";
	if (freed > b->given)
		b->given = freed;
	return freed;
}

static enum alloc_status booked_allocate(void *ctx, struct alloc_request *rq,
					 pfn_t *pfn)
{
	struct sim_guest *g = ctx;
	struct books *b = books_of(&g->dev.r);
	const enum alloc_status status = b->allocate(ctx, rq, pfn);

	if (status == ALLOC_OK)
		b->own_pages += order_nr_pages(rq->order);
	return status;
}

static void booked_free(void *ctx, pfn_t pfn, unsigned int order)
{
	struct sim_guest *g = ctx;
	struct books *b = books_of(&g->dev.r);

	b->own_pages -= order_nr_pages(order);
	b->free(ctx, pfn, order);
}

static struct reporter_ops booked(const struct reporter_ops *right)
{
	struct reporter_ops ops = *right;

	ops.state_size = (right->state_size + 15) / 16 * 16 +
			 sizeof(struct books);
	if (ops.alloc_stall) {
		ops.alloc_stall = booked_stall;
		ops.free_capture = booked_capture;
		ops.reply = booked_reply;
	}
	if (ops.oom_notify)
		ops.oom_notify = booked_oom_notify;
	return ops;
}

/* All phases, with books from the first event on; the books as they end. */
static struct sim *run(struct cell *c, const struct reporter_ops *right,
		       struct books *out)
{
	struct reporter_env *env;
	char why[256] = "";
	struct books *b;
	struct sim *s;

	if (sim_create(&s, &c->cfg, why, sizeof(why)))
		fail_msg("%s: %s", right->name, why);
	b = books_of(&s->guests[0].dev.r);
	env = &s->guests[0].dev.env;
	b->right = right;
	b->allocate = env->allocate;
	b->free = env->free;
	env->allocate = booked_allocate;
	env->free = booked_free;
	for (unsigned int i = 0; i < c->cfg.nr_phases; i++)
		if (sim_run_phase(s, i, NULL, why, sizeof(why)))
			fail_msg("%s, phase %u: %s", right->name, i, why);
	sim_check(s);
	*out = *b;
	return s;
}

static void set(const struct option_table *t, void *base, const char *name,
		const char *value)
{
	const struct option_desc *o = option_find(t, name);
	char why[128];

	assert_non_null(o);
	if (option_parse(o, value, base, why, sizeof(why)))
		fail_msg("%s: %s", name, why);
}

/* If the design has such an option. */
static void set_design(struct cell *c, const char *name, const char *value)
{
	const struct option_table *t = &c->cfg.reporter->options;

	if (t->descs && option_find(t, name))
		set(t, c->reporter_options, name, value);
}

static void set_price(struct cell *c, unsigned int nr, uint64_t ns)
{
	c->prices.p[nr].ps_1 = c->prices.p[nr].ps_n = ns * 1000;
}

/*
 * memhog, then page faults by four tasks; the host is short and asks. The design
 * takes no time to work an answer in; without latency the host takes none.
 */
static void setup_stalls(struct cell *c, const struct reporter_ops *ops,
			 sim_ns_t latency)
{
	static const unsigned int design[] = {
		PRICE_DESIGN_LOCAL, PRICE_DESIGN_SHARED, PRICE_DESIGN_SCAN,
	};
	static const unsigned int host[] = {
		PRICE_DOORBELL, PRICE_DISCARD_CALL, PRICE_DISCARD_2M,
		PRICE_DISCARD_4K, PRICE_TLB_FLUSH_VCPU,
	};

	cell_setup(c, ops, 1);
	set(&mock_hypervisor.options, c->hypervisor_options, "memory", "300M");
	set(&mock_hypervisor.options, c->hypervisor_options, "base", "0");
	set(&host_option_table, &c->cfg.host, "pull_below", "250M");
	set_price(c, PRICE_COMPLETION, latency);
	for (unsigned int i = 0; i < ARRAY_SIZE(design); i++)
		set_price(c, design[i], 0);
	for (unsigned int i = 0; !latency && i < ARRAY_SIZE(host); i++)
		set_price(c, host[i], 0);
	add_phase(c, "fill", &memhog_workload, 1, UNTIL_TASKS);
	c->phases[0].opt.size = (struct option_share){ 9000, true };
	add_phase(c, "use", &page_fault1_workload, 4, UNTIL_TASKS);
	c->phases[1].opt.iterations = 6;
}

/* Returns the number of waits. */
static uint64_t check_stalls(const struct reporter_ops *right,
			     sim_ns_t latency)
{
	const struct reporter_ops ops = booked(right);
	const struct sim_guest *g;
	struct books b;
	struct cell c;
	struct sim *s;

	setup_stalls(&c, &ops, latency);
	s = run(&c, right, &b);
	g = &s->guests[0];
	ASSERT_U64(right->name, g->alloc_stalls, b.waits);
	ASSERT_U64(right->name, g->alloc_stall_ns, b.waited_ns);
	if (!latency)
		ASSERT_U64(right->name, b.waited_ns, 0);
	else
		assert_int_equal(b.waited_ns > 0, b.waits > 0);
	sim_destroy(s);
	cell_destroy(&c);
	return b.waits;
}

static void test_wait_books__stalls_are_the_hosts_time(void **state)
{
	/* Every design: held up from "wait" to the answer, and for no time by a
	 * host that takes none. */
	uint64_t waits = 0;

	(void)state;
	for (unsigned int i = 0; registry.reporters[i]; i++) {
		waits += check_stalls(registry.reporters[i], NSEC_PER_MSEC);
		waits += check_stalls(registry.reporters[i],
				      30 * NSEC_PER_MSEC);
		check_stalls(registry.reporters[i], 0);
	}
	printf("%" PRIu64 " waits\n", waits);
	assert_true(waits > 15);
}

/* A balloon, if the design is one; then a program that wants too much. */
static void setup_oom(struct cell *c, const struct reporter_ops *ops,
		      const char *target)
{
	cell_setup(c, ops, 1);
	set_design(c, "target", target);
	set_design(c, "deflate_on_oom", "notifier");
	add_phase(c, "inflate", &idle_workload, 1, UNTIL_DURATION);
	c->phases[0].opt.duration = 4 * NSEC_PER_SEC;
	add_phase(c, "fill", &memhog_workload, 1, UNTIL_TASKS);
	set(&phase_option_table, &c->phases[1].opt, "size", "250M");
}

static void check_oom(const struct reporter_ops *right, const char *target)
{
	const struct reporter_ops ops = booked(right);
	struct books b;
	struct cell c;
	struct sim *s;

	setup_oom(&c, &ops, target);
	s = run(&c, right, &b);
	assert_true(s->guests[0].oom_kills > 0);
	if (b.broken)
		fail_msg("%s: %s", right->name, b.broken);
	assert_true(b.given <= 256);
	if (right->oom_notify)
		assert_true(b.notified > 0 && b.given > 0);
	sim_destroy(s);
	cell_destroy(&c);
}

static void test_wait_books__nobody_dies_for_the_balloon(void **state)
{
	/* Every design: a program wants more than there is. It is killed, but
	 * not before the last page of a balloon is back. */
	(void)state;
	for (unsigned int i = 0; registry.reporters[i]; i++) {
		check_oom(registry.reporters[i], "96M");
		if (registry.reporters[i]->oom_notify)
			check_oom(registry.reporters[i], "1M");
	}
}

/* ---- designs that are wrong ---- */

/* It keeps the last half of its pages for itself. */
static uint64_t mean_oom_notify(struct reporter *r)
{
	if (r->counters.balloon_deflate * 2 > r->counters.balloon_inflate)
		return 0;
	return balloon_reporter.oom_notify(r);
}

static void test_wait_books__notice(void **state)
{
	/* A balloon that lets a program die for half of it. */
	struct reporter_ops mean = balloon_reporter, ops;
	struct books b;
	struct cell c;
	struct sim *s;

	(void)state;
	mean.oom_notify = mean_oom_notify;
	ops = booked(&mean);
	setup_oom(&c, &ops, "16M");
	s = run(&c, &mean, &b);
	assert_non_null(b.broken);
	assert_non_null(strstr(b.broken, "a kill while"));
	sim_destroy(s);
	cell_destroy(&c);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_wait_books__stalls_are_the_hosts_time),
	cmocka_unit_test(test_wait_books__nobody_dies_for_the_balloon),
	cmocka_unit_test(test_wait_books__notice),
};

TEST_MAIN(cases)
