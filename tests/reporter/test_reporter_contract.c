/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contract of reporter.h, for every design: on a busy guest with a host
 * that is late, refuses and fails, and whose device may go away at any time,
 * nothing is lost, nothing is in two places, and a mark means that the host
 * has taken the block. A failure names design, kernel, seed and event; seeds
 * are fixed, so running the same case again repeats it.
 *
 *     BUDDYLAB_TEST_PLUGIN=./mine.so test_reporter_contract
 *
 * takes the design of a shared object instead, and BUDDYLAB_TEST_DESIGN=NAME
 * one of those that are compiled in, with its variants: the folder's
 * CMakeLists.txt makes a test of each, so that they run side by side.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "reporter/plugin.h"
#include "tests/reporter/designs.h"
#include "tests/reporter/world.h"
#include "tests/test.h"

#define NR_EVENTS 1200
static const char *const kernels[] = { "5.3", "5.7", "6.1", "6.12", "6.18" };

static const struct fault {
	sim_ns_t ack_latency_ns;
	unsigned int fail_every, refuse_every;
	unsigned int stop_after;
	bool shuffle;
} faults[] = {
	{ .ack_latency_ns = 0 },
	{ .ack_latency_ns = 700 * NSEC_PER_MSEC, .shuffle = true },
	{ .ack_latency_ns = 50 * NSEC_PER_MSEC, .refuse_every = 3 },
	{ .ack_latency_ns = 5 * NSEC_PER_SEC, .fail_every = 3,
	  .stop_after = NR_EVENTS * 3 / 4 },
	{ .ack_latency_ns = 200 * NSEC_PER_MSEC, .fail_every = 2,
	  .refuse_every = 5, .stop_after = NR_EVENTS / 4, .shuffle = true },
};

static size_t wanted_designs(struct design *out, const char *name)
{
	const size_t nr = all_designs(out);
	size_t n = 0;

	for (size_t i = 0; i < nr; i++)
		if (!name || !strcmp(out[i].ops->name, name))
			out[n++] = out[i];
	if (!n)
		fail_msg("there is no design %s", name);
	return n;
}

/* Those of designs.h, or the plugin that the environment names. */
static size_t these_designs(struct design *out)
{
	const char *path = getenv("BUDDYLAB_TEST_PLUGIN");
	const struct buddylab_reporter_plugin *p;
	void *handle;

	if (!path)
		return wanted_designs(out, getenv("BUDDYLAB_TEST_DESIGN"));
	handle = dlopen(path, RTLD_NOW);
	if (!handle)
		fail_msg("%s", dlerror());
	p = dlsym(handle, BUDDYLAB_REPORTER_SYMBOL);
	assert_non_null(p);
	assert_int_equal(p->abi, BUDDYLAB_REPORTER_ABI);
	assert_true(p->layout == BUDDYLAB_REPORTER_LAYOUT);
	out[0] = (struct design){ p->ops, "", false };
	return 1;
}

static struct world_config config_of(const struct design *d,
				     const char *kernel,
				     const struct fault *f, uint64_t seed)
{
	return (struct world_config){
		.ops = d->ops, .options = d->options, .kernel = kernel,
		.seed = seed, .shuffle = f->shuffle,
		.ack_latency_ns = f->ack_latency_ns,
		.fail_every = f->fail_every,
		.refuse_every = f->refuse_every,
		.stop_after = f->stop_after,
	};
}

/* Reports seen, or UINT64_MAX if the design does not run on the kernel. */
static uint64_t run(const struct world_config *cfg, char digest[33],
		    struct reporter_counters *counters)
{
	struct world *w = world_create(cfg);
	uint64_t reports;

	if (!w)
		return UINT64_MAX;
	world_run(w, NR_EVENTS);
	if (!world_finish(w))
		fail_msg("%s", w->broken);
	reports = w->reports;
	if (digest)
		digest_hex(&w->digest, digest);
	if (counters)
		*counters = w->env.reporter.counters;
	world_destroy(w);
	return reports;
}

/* No two cells of a design have the same guest. */
static void run_design(const struct design *d, size_t kernel)
{
	for (size_t f = 0; f < ARRAY_SIZE(faults); f++) {
		const uint64_t seed = 1 + kernel * ARRAY_SIZE(faults) + f;
		const struct world_config cfg =
			config_of(d, kernels[kernel], &faults[f], seed);
		const uint64_t reports = run(&cfg, NULL, NULL);

		if (reports == UINT64_MAX)
			return;
		/* Busy guests give every design something to do. */
		if (d->reports && !reports)
			fail_msg("%s (%s) on %s: %" PRIu64 " reports",
				 d->ops->name, d->options, kernels[kernel],
				 reports);
	}
}

static void test_reporter_contract__random_guest(void **state)
{
	/* Every design, kernel and kind of host; checked after each event. */
	struct design designs[MAX_DESIGNS];
	const size_t nr = these_designs(designs);

	(void)state;
	for (size_t d = 0; d < nr; d++)
		for (size_t k = 0; k < ARRAY_SIZE(kernels); k++)
			run_design(&designs[d], k);
}

static void test_reporter_contract__same_seed_same_run(void **state)
{
	/* Two runs agree in every call and counter; another seed does not. */
	struct design designs[MAX_DESIGNS];
	const size_t nr = these_designs(designs);

	(void)state;
	for (size_t d = 0; d < nr; d++) {
		struct world_config cfg =
			config_of(&designs[d], "5.7", &faults[1], 7);
		struct reporter_counters c[2];
		char digest[3][33];

		assert_true(run(&cfg, digest[0], &c[0]) != UINT64_MAX);
		run(&cfg, digest[1], &c[1]);
		cfg.seed = 8;
		run(&cfg, digest[2], NULL);
		assert_string_equal(digest[0], digest[1]);
		assert_memory_equal(&c[0], &c[1], sizeof(c[0]));
		assert_string_not_equal(digest[0], digest[2]);
	}
}

static void test_reporter_contract__comes_to_rest(void **state)
{
	/* The guest falls silent: soon nothing is scheduled or in flight. */
	struct design designs[MAX_DESIGNS];
	const size_t nr = these_designs(designs);

	(void)state;
	for (size_t d = 0; d < nr; d++) {
		const struct world_config cfg =
			config_of(&designs[d], "6.1", &faults[0], 3);
		struct world *w = world_create(&cfg);

		world_run(w, NR_EVENTS);
		/* A balloon in a full guest goes on trying. */
		if (cfg.ops->set_target)
			sync_env_set_target(&w->env, 0);
		sync_env_run_until_idle(&w->env, 10000);
		if (!cfg.ops->idle(&w->env.reporter) || w->env.scheduled ||
		    w->env.nr_batches)
			fail_msg("%s (%s) never rests", cfg.ops->name,
				 cfg.options);
		assert_true(world_finish(w));
		world_destroy(w);
	}
}

static void test_reporter_contract__silence_is_free_of_charge(void **state)
{
	/* Not started: a design hears every free and does nothing at all. */
	struct design designs[MAX_DESIGNS];
	const size_t nr = these_designs(designs);

	(void)state;
	for (size_t d = 0; d < nr; d++) {
		struct world_config cfg =
			config_of(&designs[d], "6.1", &faults[0], 5);
		struct world *w;

		cfg.stop_after = 1;
		w = world_create(&cfg);
		world_run(w, NR_EVENTS);
		ASSERT_U64(cfg.ops->name, w->reports, 0);
		ASSERT_U64(cfg.ops->name, w->env.out_pages, 0);
		ASSERT_U64(cfg.ops->name,
			   w->env.reporter.counters.list_visits, 0);
		assert_false(w->env.scheduled);
		assert_true(world_finish(w));
		world_destroy(w);
	}
}

static void test_reporter_contract__every_free_block_in_the_end(void **state)
{
	/*
	 * page_reporting on a silent guest: what is left unreported shrinks
	 * from pass to pass, down to what the zone may not isolate.
	 */
	const struct design d = { &page_reporting_reporter,
				  "capacity=4 isolate_check=off "
				  "watermark_gate=off", true };

	(void)state;
	for (size_t k = 1; k < ARRAY_SIZE(kernels); k++) {
		const struct world_config cfg =
			config_of(&d, kernels[k], &faults[0], 11);
		struct world *w = world_create(&cfg);
		uint64_t left, before = UINT64_MAX;

		world_run(w, NR_EVENTS);
		world_release(w, 100);
		do {
			left = world_unmarked(w, 9);
			assert_true(left <= before);
			before = left;
		} while (sync_env_run_pass(&w->env));
		ASSERT_U64(kernels[k], world_unmarked(w, 9), 0);
		sync_env_stop(&w->env);
		world_destroy(w);
	}
}

static void test_reporter_contract__every_design_has_its_test(void **state)
{
	/* BUDDYLAB_TEST_DESIGNS, "a b c": what the build runs one by one. */
	const char *names = getenv("BUDDYLAB_TEST_DESIGNS");
	struct design designs[MAX_DESIGNS];
	const size_t nr = all_designs(designs);
	char word[64];

	(void)state;
	for (size_t d = 0; names && d < nr; d++) {
		snprintf(word, sizeof(word), " %s ", designs[d].ops->name);
		if (!strstr(names, word))
			fail_msg("%s is not in tests/reporter/CMakeLists.txt",
				 designs[d].ops->name);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_reporter_contract__every_design_has_its_test),
	cmocka_unit_test(test_reporter_contract__random_guest),
	cmocka_unit_test(test_reporter_contract__same_seed_same_run),
	cmocka_unit_test(test_reporter_contract__comes_to_rest),
	cmocka_unit_test(test_reporter_contract__silence_is_free_of_charge),
	cmocka_unit_test(test_reporter_contract__every_free_block_in_the_end),
};

TEST_MAIN(cases)
