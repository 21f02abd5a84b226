/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Streams that no kernel wrote: a recorded run with records dropped, repeated
 * and changed at random. Nothing in them may break an invariant of the
 * allocator, in any mode. BUDDYLAB_TEST_SEED=N runs the one seed N.
 */
#include <stdlib.h>
#include <string.h>

#include "include/option.h"
#include "include/rng.h"
#include "replay/replay.h"
#include "tests/test.h"
#include "tests/trace/files.h"

#define NR_SEEDS 12
#define NR_RECORDS 3000
#define RUN TEST_DATA_DIR "/traces/fork-exec-storm-4cpu/"

static struct req_record *load_records(unsigned int *nr)
{
	struct req_record *out = calloc(NR_RECORDS, sizeof(*out));
	struct diag d = { 0 };
	struct req_stream *s;

	assert_non_null(out);
	assert_int_equal(req_open(&s, RUN "req.txt.zst", NULL, &d), 0);
	for (*nr = 0; *nr < NR_RECORDS && req_next(s, &out[*nr]) == 1;)
		(*nr)++;
	req_close(s);
	assert_int_equal(*nr, NR_RECORDS);
	return out;
}

/* A valid record of any kind, near the pages that the run uses. */
static struct req_record random_record(struct rng *rng,
				       const struct req_record *like)
{
	struct req_record r = *like;

	if (rng_below(rng, 2))
		r.kind = (uint8_t)rng_below(rng, REQ_NR_KINDS);
	if (rng_below(rng, 3) == 0)
		r.order = (uint8_t)rng_below(rng, NR_PAGE_ORDERS);
	r.zone = (uint8_t)rng_below(rng, 2);
	r.cpu = (uint16_t)rng_below(rng, 4);
	r.mt = (uint8_t)rng_below(rng, 4);
	r.pindex = (uint8_t)rng_below(rng, 14);
	r.gfp &= 0xffffffe7u;
	r.gfp |= rng_below(rng, 3) << 3;
	r.nr_pages = r.kind == REQ_D ? rng_below(rng, 500) : r.gfp;
	r.count = rng_below(rng, 600);
	if (r.pfn == PFN_NONE || rng_below(rng, 4) == 0)
		r.pfn = rng_below(rng, 262109);
	r.freed = r.pfn + (r.pfn < 262000 ? rng_below(rng, 8) : 0);
	r.pfn = pfn_align_down(r.pfn, r.order);
	if (r.pfn > 262109 - 1024)
		r.pfn = 0;
	r.on = rng_below(rng, 2);
	return r;
}

static void append(FILE *out, const struct req_record *r)
{
	char text[96];

	req_format(r, text, sizeof(text));
	fprintf(out, "%s\n", text);
}

static void write_stream(const char *path, uint64_t seed,
			 const struct req_record *records, unsigned int nr)
{
	FILE *out = fopen(path, "w");
	struct rng rng;

	assert_non_null(out);
	rng_init(&rng, seed, "stream", 0);
	for (unsigned int i = 0; i < nr; i++) {
		switch (rng_below(&rng, 12)) {
		case 0:
			break;
		case 1:
			append(out, &records[i]);
			append(out, &records[i]);
			break;
		case 2:
		case 3: {
			const struct req_record r =
				random_record(&rng, &records[i]);

			append(out, &r);
			break;
		}
		default:
			append(out, &records[i]);
			break;
		}
	}
	assert_int_equal(fclose(out), 0);
}

static void run_stream(const char *path, uint64_t seed, enum replay_mode mode,
		       unsigned int hints)
{
	const struct replay_options o = {
		.stream = path,
		.before = RUN "before.snap.zst",
		.mode = mode,
		.hints = hints,
	};
	struct replay_step step;
	struct req_record rec;
	struct diag d = { 0 };
	struct replay *r;
	const char *broken;
	int ret;

	if (replay_open(&r, &o, &d))
		fail_msg("%s", d.last);
	while ((ret = replay_next(r, &rec)) == 1)
		replay_apply(r, &rec, &step);
	if (ret)
		fail_msg("seed %llu: %s", (unsigned long long)seed, d.last);
	broken = alloc_check(replay_alloc(r));
	if (broken)
		fail_msg("%s; repeat with BUDDYLAB_TEST_SEED=%llu test_replay_fuzz",
			 broken, (unsigned long long)seed);
	replay_close(r);
}

static void test_replay_fuzz__no_stream_breaks_the_allocator(void **state)
{
	/* Each seed in predict mode, and assisted with all hints. */
	const char *wanted = getenv("BUDDYLAB_TEST_SEED");
	uint64_t first = 1, last = NR_SEEDS;
	struct req_record *records;
	char path[TEST_PATH_MAX];
	unsigned int nr;

	(void)state;
	if (wanted) {
		assert_int_equal(parse_u64(wanted, &first), 0);
		last = first;
	}
	records = load_records(&nr);
	file_write_text(path, "");
	for (uint64_t seed = first; seed <= last; seed++) {
		print_message("seed %llu\n", (unsigned long long)seed);
		write_stream(path, seed, records, nr);
		run_stream(path, seed, REPLAY_PREDICT, 0);
		run_stream(path, seed, REPLAY_ASSISTED, REPLAY_HINTS_ALL);
	}
	file_remove(path);
	free(records);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_replay_fuzz__no_stream_breaks_the_allocator),
};

TEST_MAIN(cases)
