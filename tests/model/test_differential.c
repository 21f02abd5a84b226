/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario: random operations on the allocator and on the naive model: the
 * same page frames, the same lists in the same order, and alloc_check() after
 * each operation.
 *
 *     test_differential --profile 6.1 --seed 7 --ops 200000
 *     test_differential --profile 6.1 --reference on --ops 100000000
 *
 * --profile all is the default. With --reference on guests and pagesets are
 * larger and complete states are compared now and then only: for long runs,
 * which end with the digest of all page frame numbers. A failure prints the
 * command that repeats its episode alone, names the first operation after which
 * the two differ, and the shortest script that was found to show it, or the
 * last lines of one that is too long for that.
 */
#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "include/option.h"
#include "tests/model/episode.h"
#include "tests/test.h"

#define EPISODE_OPS 20000u
#define REFERENCE_OPS 500000u
#define REFERENCE_EVERY 25000u
#define SHRINK_BUDGET UINT64_C(4000000)

struct settings {
	int kernel;               /* -1 = all */
	uint64_t seed, ops;
	bool reference;
};

static struct settings settings = { .kernel = -1, .seed = 1, .ops = 50000 };

static void explain(const struct episode *e, const struct outcome *o)
{
	struct episode each = *e;
	unsigned int nr = o->op + 1;
	struct outcome first;
	struct op *ops;

	if (nr > e->nr_ops)
		nr = e->nr_ops;
	fprintf(stderr, "%s: operation %u: %s\nrepeat with: test_differential "
		"--profile %s --seed %" PRIu64 " --reference %s --ops %u\n",
		naive_kernel_name(e->kernel), o->op, o->why,
		naive_kernel_name(e->kernel), e->seed, e->large ? "on" : "off",
		nr);
	each.every = 1;
	each.nr_ops = nr;
	first = e->every == 1 ? *o : episode_run(&each);
	if (!first.failed)
		return;
	fprintf(stderr, "first seen after operation %u: %s\n", first.op,
		first.why);
	nr = first.op < nr ? first.op + 1 : nr;
	ops = malloc((nr + 1) * sizeof(*ops));
	CHECK(ops != NULL);
	nr = episode_draw(&each, ops, nr);
	if (nr <= EPISODE_OPS) {
		first = episode_shrink(&each, ops, &nr, SHRINK_BUDGET);
		fprintf(stderr, "%u operations are enough: %s\n", nr,
			first.why);
	}
	episode_replay(&each, ops, nr, stderr);
	free(ops);
}

static void add_hex(struct digest *d, const char *hex)
{
	for (; *hex; hex++)
		digest_u64(d, (uint64_t)*hex);
}

/* Episode i of a run has seed + i, so it can be repeated alone. */
static void run_kernel(enum naive_kernel kernel)
{
	const unsigned int most = settings.reference ? REFERENCE_OPS :
				  EPISODE_OPS;
	char hex[DIGEST_HEX_SIZE];
	uint64_t left = settings.ops, i;
	struct digest all;

	CHECK_EQ(digest_init(&all), 0);
	for (i = 0; left > 0; i++) {
		struct episode e = {
			.kernel = kernel, .seed = settings.seed + i,
			.nr_ops = left < most ? (unsigned int)left : most,
			.large = settings.reference,
			.every = settings.reference ? REFERENCE_EVERY : 1,
		};
		struct outcome o = episode_run(&e);

		if (o.failed) {
			explain(&e, &o);
			fail_msg("%s, seed %" PRIu64, naive_kernel_name(kernel),
				 e.seed);
		}
		add_hex(&all, o.got);
		left -= e.nr_ops;
	}
	digest_hex(&all, hex);
	digest_destroy(&all);
	print_message("%s: %" PRIu64 " operations from seed %" PRIu64
		      ", digest %s\n", naive_kernel_name(kernel), settings.ops,
		      settings.seed, hex);
}

static void test_differential__same_frames_and_lists(void **state)
{
	enum naive_kernel *kernel = *state;

	if (settings.kernel >= 0 && (int)*kernel != settings.kernel)
		skip();
	run_kernel(*kernel);
}

static int usage(const char *word)
{
	fprintf(stderr, "test_differential: error: %s\n"
		"usage: test_differential [--profile NAME|all] [--seed N] "
		"[--ops N] [--reference on|off]\n", word);
	return 2;
}

static bool parse_option(const char *name, const char *value)
{
	if (strcmp(name, "--seed") == 0)
		return parse_u64(value, &settings.seed) == 0;
	if (strcmp(name, "--ops") == 0)
		return parse_u64(value, &settings.ops) == 0;
	if (strcmp(name, "--reference") == 0) {
		settings.reference = strcmp(value, "on") == 0;
		return settings.reference || strcmp(value, "off") == 0;
	}
	if (strcmp(name, "--profile") != 0)
		return false;
	settings.kernel = naive_kernel_find(value);
	return settings.kernel >= 0 || strcmp(value, "all") == 0;
}

int main(int argc, char **argv)
{
	static enum naive_kernel kernels[] = { K53, K57, K510, K61, K612_0,
					       K612, K618 };
	struct CMUnitTest tests[ARRAY_SIZE(kernels)] = { { 0 } };
	size_t i;
	int arg;

	for (arg = 1; arg < argc; arg += 2)
		if (arg + 1 == argc || !parse_option(argv[arg], argv[arg + 1]))
			return usage(argv[arg]);
	for (i = 0; i < ARRAY_SIZE(kernels); i++)
		tests[i] = (struct CMUnitTest){
			.name = naive_kernel_name(kernels[i]),
			.test_func = test_differential__same_frames_and_lists,
			.initial_state = &kernels[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0;
}
