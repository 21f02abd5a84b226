/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Damaged experiment files: whatever the bytes, loading ends with cells or with
 * messages. TEST_SEED and TEST_RUNS repeat or extend a run.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/experiment.h"
#include "cli/registry.h"
#include "include/rng.h"
#include "tests/bench/scratch.h"
#include "tests/test.h"

static const char valid[] =
	"[experiment]\ntitle = T\nseeds = 1..3,7\nsample = 1s\n"
	"[guest]\nkernel = 5.7\nmemory = 1G..2G\ntopology = core:2 pu:1\n"
	"[host]\nthp = always,never\n[reporter]\ndesign = page_reporting\n"
	"capacity = 8,32\n[phase fill]\nworkload = memhog\nsize = 100%\n"
	"[phase run]\nworkload = page_fault1\ntasks = 1..2\nduration = 1s\n"
	"[variant a]\nreporter.enabled = off\n"
	"[variant b+c]\nphase.run.tasks = 2 # c\n; c\n";

/* Bytes that mean something to the reader are more likely. */
static const char special[] = "[]=#;,.%\n\r\t \"'\\0195GKMsx\xff\x01";

static size_t damage(struct rng *rng, char *text, size_t len)
{
	const uint32_t at = rng_below(rng, (uint32_t)len);
	const uint32_t n = rng_below(rng, 20) + 1;

	switch (rng_below(rng, 4)) {
	case 0: /* another byte */
		text[at] = special[rng_below(rng, sizeof(special))];
		return len;
	case 1: /* bytes left out */
		if (at + n >= len)
			return at + 1;
		memmove(text + at, text + at + n, len - at - n);
		return len - n;
	case 2: /* a byte more */
		memmove(text + at + 1, text + at, len - at);
		text[at] = special[rng_below(rng, sizeof(special))];
		return len + 1;
	default: /* bytes twice */
		if (at + n > len)
			return len;
		memmove(text + at + n, text + at, len - at);
		return len + n;
	}
}

static void load_once(struct scratch *s, const char *text, size_t len,
		      uint64_t run)
{
	struct experiment_request req = { .path = "t.ini",
					  .registry = &registry };
	struct experiment *e = calloc(1, sizeof(*e));
	int ret;

	assert_non_null(e);
	scratch_write_bytes("t.ini", text, len);
	ret = experiment_load(e, &req, &s->diag);
	if (ret == 0)
		assert_true(e->nr_cells > 0 && s->diag.nr_errors == 0);
	else if ((ret != -EINVAL && ret != -EIO) || !s->diag.nr_errors)
		fail_msg("run %" PRIu64 ": %d with %u messages", run, ret,
			 s->diag.nr_errors);
	scratch_text(s);
	experiment_free(e);
	free(e);
}

static uint64_t setting(const char *name, uint64_t def)
{
	const char *text = getenv(name);
	uint64_t n;

	return text && !parse_u64(text, &n) ? n : def;
}

static void test_ini_random__damaged_files_end_with_a_message(void **state)
{
	/* Scenario: up to eight pieces of damage to a valid file, each run. */
	struct scratch *s = *state;
	const uint64_t seed = setting("TEST_SEED", 1);
	const uint64_t runs = setting("TEST_RUNS", 2000);
	char text[sizeof(valid) + 8 * 20];

	for (uint64_t run = 0; run < runs; run++) {
		size_t len = sizeof(valid) - 1;
		struct rng rng;
		uint32_t n;

		rng_init(&rng, seed, "ini", (unsigned int)run);
		memcpy(text, valid, len);
		for (n = rng_below(&rng, 8) + 1; n; n--)
			len = damage(&rng, text, len);
		load_once(s, text, len, run);
	}
	print_message("repeat: TEST_SEED=%" PRIu64 " TEST_RUNS=%" PRIu64
		      " test_ini_random\n", seed, runs);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test_setup_teardown(
		test_ini_random__damaged_files_end_with_a_message,
		scratch_setup, scratch_teardown),
};

TEST_MAIN(cases)
