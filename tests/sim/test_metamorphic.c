/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must hold between two runs of a design that differ in one thing, for
 * every registered design with its defaults and for the variants below. A new
 * design is in as soon as it is registered.
 *
 *   host latency zero    it comes to rest no later (1 ms aside), and leaves
 *                        the host no more memory than before
 *   capacity doubled     no more reports; no more frees lost; what a design
 *                        finds on free lists does not depend on it (a block
 *                        aside)
 *   memory doubled       at least twice as much is given back
 *   types relabelled     the same blocks, whatever the pageblocks are called
 *
 * A design that remembers frees leaves up to its threshold of them, and which
 * they are depends on the time: its runs may differ by so many blocks.
 */
#include "cli/registry.h"
#include "include/check.h"
#include "reporter/sync_env.h"
#include "tests/sim/cell.h"

#define SMALL (256 * MIB)

static const struct variant {
	const struct reporter_ops *ops;
	const char *options;
	bool reports;          /* this guest has to give it something to do */
	bool capacity_starts;  /* the capacity also says when work begins */
} variants[] = {
	{ &skeleton_reporter, "capacity=8",
	  true, false },
	{ &page_reporting_reporter, "order=8 rotation=off budget=0",
	  true, false },
	{ &page_reporting_reporter, "scale_capacity=on placement=head",
	  true, false },
	{ &hinted_boundary_reporter, "variant=v10 threshold=4",
	  true, false },
	{ &hinted_boundary_reporter, "variant=may2019 capacity=1",
	  true, true },
	{ &percpu_array_reporter, "capacity=16",
	  true, false },
	{ &percpu_array_reporter, "variant=v8-snapshot capacity=64 threshold=20",
	  true, false },
	{ &percpu_array_reporter, "variant=v9 order=9 threshold=2",
	  true, false },
	{ &zone_bitmap_reporter, "",
	  true, false },
	{ &zone_bitmap_reporter, "variant=v11 order=8 threshold=4",
	  true, false },
	{ &per_free_reporter, "at=free order=0",
	  true, false },
};

#define MAX_VARIANTS 128
/* A bitmap or an array keeps at most 15 blocks of the largest order back. */
#define CAPTURE_SLACK (15 * order_nr_pages(MAX_PAGE_ORDER))

static size_t all_variants(struct variant *out)
{
	size_t nr = 0;

	for (; registry.reporters[nr]; nr++) {
		CHECK_LT(nr + ARRAY_SIZE(variants), MAX_VARIANTS);
		out[nr] = (struct variant){ .ops = registry.reporters[nr],
					    .options = "" };
	}
	for (size_t i = 0; i < ARRAY_SIZE(variants); i++)
		out[nr++] = variants[i];
	return nr;
}

static void set_option(const struct reporter_ops *ops, void *base,
		       const char *name, const char *value)
{
	const struct option_desc *o = option_find(&ops->options, name);
	char why[256];

	if (!o)
		fail_msg("%s has no option %s", ops->name, name);
	if (option_parse(o, value, base, why, sizeof(why)))
		fail_msg("%s: %s: %s", ops->name, name, why);
}

static void set_options(const struct reporter_ops *ops, void *base,
			const char *words)
{
	char *copy = strdup(words), *save = NULL;

	assert_non_null(copy);
	for (char *word = strtok_r(copy, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		char *value = strchr(word, '=');

		assert_non_null(value);
		*value++ = '\0';
		set_option(ops, base, word, value);
	}
	free(copy);
}

struct outcome {
	uint64_t given;       /* pages reported, or held by a balloon */
	uint64_t calls, lost, captured;
	uint64_t rss;         /* host memory of the guest at rest, pages */
	sim_ns_t end_ns;
};

struct change {
	uint64_t memory;
	const char *capacity; /* NULL: as it is */
	bool no_latency;
};

static void no_latency(struct price_list *l)
{
	static const enum price_id ids[] = {
		PRICE_DOORBELL, PRICE_COMPLETION, PRICE_HYPERCALL,
		PRICE_DISCARD_CALL, PRICE_DISCARD_2M, PRICE_DISCARD_4K,
	};

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		l->p[ids[i]].ps_1 = l->p[ids[i]].ps_n = 0;
}

/* The guest fills 80 % of its memory, lets it go, and the host asks. */
static struct outcome run(const struct variant *v, const struct change *ch)
{
	const struct host_command pull = {
		.kind = HOST_WANTS_PAGES, .pages = ch->memory >> 14,
	};
	const struct sim_result *r;
	char why[256] = "";
	struct outcome o;
	struct cell c;
	struct sim *s;

	cell_setup(&c, v->ops, 1);
	c.cfg.guest.memory = ch->memory;
	c.cfg.check_every = 2000;
	set_options(v->ops, c.reporter_options, v->options);
	if (ch->capacity)
		set_option(v->ops, c.reporter_options, "capacity",
			   ch->capacity);
	if (ch->no_latency)
		no_latency(&c.prices);
	add_phase(&c, "fill", &memhog_workload, 1, UNTIL_TASKS);
	c.phases[0].opt.size = (struct option_share){ 8000, true };
	add_phase(&c, "rest", &idle_workload, 1, UNTIL_REPORTER_IDLE);
	c.phases[1].opt.duration = 120 * NSEC_PER_SEC;
	if (sim_create(&s, &c.cfg, why, sizeof(why)) ||
	    sim_run_phase(s, 0, NULL, why, sizeof(why)))
		fail_msg("%s: %s", v->ops->name, why);
	sim_guest_set_balloon_target(s, 0, ch->memory / 4);
	sim_guest_host_request(s, 0, &pull);
	if (sim_run_phase(s, 1, NULL, why, sizeof(why)))
		fail_msg("%s: %s", v->ops->name, why);
	r = sim_result(s);
	o = (struct outcome){
		.given = counter(r, "reporter.pages") +
			 counter(r, "reporter.balloon_inflate") -
			 counter(r, "reporter.balloon_deflate"),
		.calls = counter(r, "reporter.report_calls"),
		.captured = counter(r, "reporter.captured"),
		.lost = counter(r, "reporter.captures_lost"),
		.rss = r->samples[r->nr_samples - 1].host_rss_pages,
		.end_ns = r->virtual_ns,
	};
	sim_destroy(s);
	cell_destroy(&c);
	return o;
}

#define RELATION(v, what, small, large)                                  \
	do {                                                             \
		if ((small) > (large))                                   \
			fail_msg("%s (%s): %s: %" PRIu64 " > %" PRIu64,  \
				 (v)->ops->name, (v)->options, what,     \
				 (uint64_t)(small), (uint64_t)(large));  \
	} while (0)

/* How much of the host's memory may hang on the moment of a free. */
static uint64_t slack(const struct outcome *o)
{
	return o->captured ? CAPTURE_SLACK : 0;
}

static void test_metamorphic__host_latency_zero(void **state)
{
	/* Everything that the host takes time for takes none. */
	struct variant v[MAX_VARIANTS];
	const size_t nr = all_variants(v);

	(void)state;
	for (size_t i = 0; i < nr; i++) {
		struct change ch = { .memory = SMALL };
		const struct outcome before = run(&v[i], &ch);
		struct outcome after;

		ch.no_latency = true;
		after = run(&v[i], &ch);
		/* One that comes earlier may have to come once more. */
		RELATION(&v[i], "the end", after.end_ns,
			 before.end_ns + NSEC_PER_MSEC);
		RELATION(&v[i], "host memory", after.rss,
			 before.rss + slack(&before));
		RELATION(&v[i], "lost frees", after.lost, before.lost);
		if (v[i].reports)
			RELATION(&v[i], "nothing given", 1, before.given);
	}
}

static void test_metamorphic__capacity_doubled(void **state)
{
	/* Of 20 blocks a batch, and of 40. */
	struct variant v[MAX_VARIANTS];
	const size_t nr = all_variants(v);

	(void)state;
	for (size_t i = 0; i < nr; i++) {
		struct change ch = { .memory = SMALL, .capacity = "20" };
		struct outcome before, after;

		if (!option_find(&v[i].ops->options, "capacity"))
			continue;
		before = run(&v[i], &ch);
		ch.capacity = "40";
		after = run(&v[i], &ch);
		RELATION(&v[i], "reports", after.calls, before.calls);
		RELATION(&v[i], "lost frees", after.lost, before.lost);
		if (!before.captured && !v[i].capacity_starts)
			/* A block may be used while others are away. */
			RELATION(&v[i], "host memory", after.rss, before.rss +
				 order_nr_pages(MAX_PAGE_ORDER));
	}
}

static void test_metamorphic__memory_doubled(void **state)
{
	/* The workload's share stays, and the kernel's part does not grow. */
	struct variant v[MAX_VARIANTS];
	const size_t nr = all_variants(v);

	(void)state;
	for (size_t i = 0; i < nr; i++) {
		struct change ch = { .memory = SMALL };
		const struct outcome before = run(&v[i], &ch);
		struct outcome after;

		ch.memory *= 2;
		after = run(&v[i], &ch);
		RELATION(&v[i], "given back", 2 * before.given,
			 after.given + slack(&before));
		RELATION(&v[i], "host memory", after.rss,
			 2 * before.rss + slack(&before));
	}
}

/* ---- relabelled migratetypes: a bare allocator ---- */

#define NR_BLOCKS 40
#define RELABEL_PAGES ((NR_BLOCKS + 2) * 2048)

struct relabel {
	struct sync_env env;
	unsigned int nr;                  /* blocks reported */
	uint8_t reported[RELABEL_PAGES];  /* order + 1 of what begins here */
};

static void keep_report(void *ctx, const struct page_report *entries,
			unsigned int nr)
{
	struct relabel *x = ctx;

	x->nr += nr;
	for (unsigned int i = 0; i < nr; i++)
		x->reported[entries[i].pfn] =
			(uint8_t)(entries[i].order + 1);
}

static struct alloc *relabel_guest(const enum migratetype *label)
{
	static const struct alloc_zone_config zone = {
		.type = ZONE_NORMAL, .end = RELABEL_PAGES,
	};
	const struct alloc_config cfg = {
		.profile = alloc_profile_find("5.7"), .nr_cpus = 1,
		.nr_nodes = 1, .zones = &zone, .nr_zones = 1,
		.pageblock_order = 9, .watermark_boost_factor = UINT32_MAX,
	};
	const char *why = "no reason";
	struct alloc *a = NULL;

	if (alloc_create(&a, &cfg, &why))
		fail_msg("guest: %s", why);
	alloc_set_managed(a, 0, RELABEL_PAGES);
	alloc_setup_zonelists(a);
	for (pfn_t pfn = 0; pfn < RELABEL_PAGES; pfn += 512)
		alloc_set_pageblock_type(a, pfn, label[pfn / 2048 % 3]);
	return a;
}

/* Free blocks of orders 9 and 10 under the design, and let it work. */
static void run_relabelled(const struct variant *v,
			   const enum migratetype *label, struct relabel *x)
{
	struct alloc *a = relabel_guest(label);
	void *options = defaults(&v->ops->options);
	const struct sync_env_config cfg = {
		.ops = v->ops, .options = options,
		.watch = { .ctx = x, .report = keep_report },
	};
	struct alloc_hooks hooks = { .reporter_ctx = NULL };
	char why[256] = "";

	set_options(v->ops, options, v->options);
	x->nr = 0;
	memset(x->reported, 0, sizeof(x->reported));
	if (sync_env_init(&x->env, a, &cfg, why, sizeof(why)))
		fail_msg("%s: %s", v->ops->name, why);
	sync_env_hooks(&x->env, &hooks);
	alloc_set_hooks(a, &hooks);
	sync_env_start(&x->env);
	for (unsigned int i = 0; i < NR_BLOCKS; i++)
		alloc_free(a, 0, 2048 * i, i % 4 ? 10 : 9);
	sync_env_run_until_idle(&x->env, 1000);
	sync_env_stop(&x->env);
	assert_null(alloc_check(a));
	alloc_set_hooks(a, NULL);
	sync_env_destroy(&x->env);
	alloc_destroy(a);
	free(options);
}

static void test_metamorphic__types_relabelled(void **state)
{
	/* Unmovable, movable and reclaimable pageblocks change names. */
	static const enum migratetype labels[][3] = {
		{ MIGRATE_UNMOVABLE, MIGRATE_MOVABLE, MIGRATE_RECLAIMABLE },
		{ MIGRATE_MOVABLE, MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE },
		{ MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE, MIGRATE_MOVABLE },
		{ MIGRATE_MOVABLE, MIGRATE_UNMOVABLE, MIGRATE_RECLAIMABLE },
		{ MIGRATE_MOVABLE, MIGRATE_MOVABLE, MIGRATE_MOVABLE },
	};
	struct relabel *x = calloc(2, sizeof(*x));
	struct variant v[MAX_VARIANTS];
	const size_t nr = all_variants(v);

	(void)state;
	assert_non_null(x);
	for (size_t i = 0; i < nr; i++) {
		run_relabelled(&v[i], labels[0], &x[0]);
		if (v[i].reports)
			RELATION(&v[i], "nothing reported", 1, x[0].nr);
		for (size_t l = 1; l < ARRAY_SIZE(labels); l++) {
			run_relabelled(&v[i], labels[l], &x[1]);
			if (memcmp(x[0].reported, x[1].reported,
				   sizeof(x->reported)))
				fail_msg("%s (%s): other blocks with labels "
					 "%zu", v[i].ops->name, v[i].options,
					 l);
		}
	}
	free(x);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_metamorphic__host_latency_zero),
	cmocka_unit_test(test_metamorphic__capacity_doubled),
	cmocka_unit_test(test_metamorphic__memory_doubled),
	cmocka_unit_test(test_metamorphic__types_relabelled),
};

TEST_MAIN(cases)
