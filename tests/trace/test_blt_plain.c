/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plain requests in batches: what the pipe hands out, with a thread of its own
 * and without, is what blt_next() hands out, and so is what is wrong.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/rng.h"
#include "tests/test.h"
#include "tests/trace/files.h"
#include "trace/blt.h"
#include "trace/blt_format.h"
#include "trace/blt_plain.h"

#define MANY 900000u /* three frames, and more batches than the ring has */

static const uint8_t kinds[] = { REQ_A, REQ_F, REQ_AB, REQ_FB, REQ_P, REQ_C,
				 REQ_B, REQ_W, REQ_L, REQ_V };

/* With orders, types and masks in hundreds of shapes, and lines left out. */
static void random_event(struct rng *r, uint32_t line, struct trace_event *e)
{
	struct req_record *q = &e->u.req;

	*e = (struct trace_event){ .kind = TRACE_REQUEST };
	q->kind = kinds[rng_below(r, 20) % sizeof(kinds)];
	e->line = line;
	e->ns = line * UINT64_C(1000);
	if (q->kind == REQ_W || q->kind == REQ_L) {
		q->zone = (uint8_t)rng_below(r, 3);
		q->on = rng_below(r, 2);
		return;
	}
	e->cpu = q->cpu = (uint16_t)rng_below(r, 20);
	if (q->kind == REQ_V) {
		q->zone = 1;
		return;
	}
	q->order = (uint8_t)rng_below(r, 11);
	q->pfn = rng_below(r, 1000) << q->order;
	if (q->kind == REQ_A || q->kind == REQ_AB || q->kind == REQ_B)
		q->mt = (uint8_t)rng_below(r, 4);
	if (q->kind == REQ_A || q->kind == REQ_AB)
		q->gfp = 0xcc0u + rng_below(r, 8);
	if (q->kind == REQ_B)
		q->zone = 1;
	if (q->mt && q->kind != REQ_B && !rng_below(r, 50))
		q->pfn = PFN_NONE;
}

static void write_file(char path[TEST_PATH_MAX], uint32_t nr)
{
	const struct blt_info info = { "6.1", TRACE_FORMAT_REQUEST };
	struct diag d = { 0 };
	struct trace_event e;
	struct blt_writer *w;
	uint32_t line = 0;
	struct rng r;

	rng_init(&r, 5, "plain", 0);
	file_write(path, "", 0);
	assert_int_equal(blt_create(&w, path, &info, &d), 0);
	for (uint32_t i = 0; i < nr; i++) {
		line += 1 + !rng_below(&r, 100);
		random_event(&r, line, &e);
		if (blt_put(w, &e))
			fail_msg("%s", d.last);
	}
	assert_int_equal(blt_commit(w, NULL), 0);
}

/* ---- two ways to read a file, as text that is compared ---- */

struct reading {
	struct digest digest;      /* of all records, and each error's place */
	uint64_t records;
	int end;
	struct diag d;
};

static void add_record(struct reading *to, uint32_t line,
		       const struct req_record *q)
{
	digest_u64(&to->digest, (uint64_t)line << 32 | q->pfn);
	digest_u64(&to->digest, (uint64_t)q->kind << 48 |
				(uint64_t)q->order << 40 |
				(uint64_t)q->mt << 32 |
				(uint64_t)q->zone << 24 |
				(uint64_t)q->cpu << 8 | q->on);
	digest_u64(&to->digest, q->gfp);
	to->records++;
}

static void begin(struct reading *to)
{
	memset(to, 0, sizeof(*to));
	to->d.max_errors = 1;
	assert_int_equal(digest_init(&to->digest), 0);
}

static struct blt_reader *open_reader(const char *path, struct diag *d,
				      const struct req_limits *limits)
{
	struct blt_reader *r;

	if (blt_open(&r, path, d))
		fail_msg("%s", d->last);
	if (limits)
		blt_set_limits(r, limits);
	return r;
}

static void read_singly(const char *path, const struct req_limits *limits,
			struct reading *to)
{
	struct blt_reader *r;
	struct trace_event e;

	begin(to);
	r = open_reader(path, &to->d, limits);
	while ((to->end = blt_next(r, &e)) == 1 || to->end == -EINVAL)
		if (to->end == 1)
			add_record(to, e.line, &e.u.req);
	blt_close(r);
}

/* Requests beyond the limits stand in a batch that is said to have them. */
static void add_batch(struct reading *to, const struct blt_plain_batch *b,
		      int status, const struct req_limits *limits)
{
	for (uint32_t i = 0; i < b->nr; i++) {
		const struct req_record q = plain_request(b, i);

		if (status == 1 || q.cpu < limits->nr_cpus)
			add_record(to, b->lines[i], &q);
	}
}

static void read_piped(const char *path, const struct req_limits *limits,
		       unsigned int threads, struct reading *to)
{
	struct blt_plain_batch b;
	struct trace_event e;
	struct blt_reader *r;
	struct blt_pipe *p;

	begin(to);
	r = open_reader(path, &to->d, limits);
	/* What was read, and told, before is read again. */
	blt_next(r, &e);
	to->d.nr_errors = 0;
	assert_int_equal(blt_pipe_open(&p, r, threads), 0);
	assert_int_equal(blt_pipe_threaded(p), threads == 2);
	while ((to->end = blt_pipe_next(p, &b)) == 1 || to->end == -EINVAL)
		add_batch(to, &b, to->end, limits);
	assert_int_equal(blt_pipe_next(p, &b), to->end);
	blt_pipe_close(p);
	blt_close(r);
}

static void assert_same(struct reading *a, struct reading *b)
{
	char hex_a[DIGEST_HEX_SIZE], hex_b[DIGEST_HEX_SIZE];

	ASSERT_U64("records", a->records, b->records);
	assert_int_equal(a->end, b->end);
	ASSERT_U64("errors", a->d.nr_errors, b->d.nr_errors);
	assert_string_equal(a->d.last, b->d.last);
	digest_hex(&a->digest, hex_a);
	digest_hex(&b->digest, hex_b);
	assert_string_equal(hex_a, hex_b);
	digest_destroy(&b->digest);
}

/* All ways read the same from this file. */
static void assert_all_same(const char *path, const struct req_limits *limits,
			    uint64_t records, int end, unsigned int errors)
{
	struct reading one, other;

	read_piped(path, limits, 1, &one);
	ASSERT_U64("records", one.records, records);
	assert_int_equal(one.end, end);
	ASSERT_U64("errors", one.d.nr_errors, errors);
	read_piped(path, limits, 2, &other);
	assert_same(&one, &other);
	if (end >= 0) {
		read_singly(path, limits, &other);
		assert_same(&one, &other);
	}
	digest_destroy(&one.digest);
}

static void test_blt_plain__batches_are_the_events(void **state)
{
	/* None, one, a batch, and frames; one thread, two, and blt_next(). */
	static const uint32_t sizes[] = { 0, 1, 4096, 4097, MANY };
	char path[TEST_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		write_file(path, sizes[i]);
		assert_all_same(path, NULL, sizes[i], 0, 0);
		file_remove(path);
	}
}

static void test_blt_plain__limits_are_told_in_order(void **state)
{
	/* CPUs 17 to 19 do not exist: each such request is told. */
	const struct req_limits limits = { .nr_cpus = 17 };
	char path[TEST_PATH_MAX];
	struct reading all;

	(void)state;
	write_file(path, 20000);
	read_singly(path, &limits, &all);
	assert_true(all.d.nr_errors > 1000);
	digest_destroy(&all.digest);
	assert_all_same(path, &limits, all.records, 0, all.d.nr_errors);
	file_remove(path);
}

/* Offset of data frame `frame` in the file. */
static uint64_t frame_at(const char *path, unsigned int frame, uint32_t *events,
			 uint32_t *stored)
{
	struct diag d = { 0 };
	struct blt_sizes sizes;
	struct blt_reader *r = open_reader(path, &d, NULL);
	uint8_t entry[BLT_INDEX_ENTRY];
	uint64_t at = BLT_FRAME_HEAD + BLT_HEADER_BYTES;
	FILE *f = fopen(path, "r");
	uint64_t index;
	uint8_t tail[BLT_TRAILER_BYTES];

	blt_reader_sizes(r, &sizes);
	blt_close(r);
	assert_true(frame < sizes.frames);
	assert_non_null(f);
	assert_int_equal(fseek(f, -(long)BLT_TRAILER_BYTES, SEEK_END), 0);
	assert_int_equal(fread(tail, sizeof(tail), 1, f), 1);
	index = blt_get64(tail + 8) + BLT_FRAME_HEAD + BLT_TAG_BYTES + 8;
	assert_int_equal(fseek(f, (long)index, SEEK_SET), 0);
	*events = 0;
	for (unsigned int i = 0; i < frame; i++) {
		assert_int_equal(fread(entry, sizeof(entry), 1, f), 1);
		at += blt_get32(entry);
		*events += blt_get32(entry + 8);
	}
	assert_int_equal(fread(entry, sizeof(entry), 1, f), 1);
	*stored = blt_get32(entry);
	fclose(f);
	return at;
}

static void test_blt_plain__a_damaged_frame_ends_it_in_its_place(void **state)
{
	/* A byte inside the second of three frames: all of the first is good. */
	char path[TEST_PATH_MAX];
	uint32_t before, stored;
	uint64_t at;
	FILE *f;
	int c;

	(void)state;
	write_file(path, MANY);
	at = frame_at(path, 1, &before, &stored) + stored / 2;
	f = fopen(path, "r+");
	assert_non_null(f);
	fseek(f, (long)at, SEEK_SET);
	c = fgetc(f);
	fseek(f, (long)at, SEEK_SET);
	fputc(c ^ 0x40, f);
	fclose(f);
	assert_true(before > 4096);
	assert_all_same(path, NULL, before, -EBADMSG, 1);
	file_remove(path);
}

static void test_blt_plain__closed_early(void **state)
{
	/* While the thread works, waits for room, has ended: at any time. */
	static const unsigned int taken[] = { 0, 1, 2, 17, 40, 1000 };
	char path[TEST_PATH_MAX];
	struct diag d = { 0 };

	(void)state;
	write_file(path, 400000);
	for (unsigned int i = 0; i < 12; i++) {
		struct blt_reader *r = open_reader(path, &d, NULL);
		struct blt_plain_batch b;
		struct trace_event e;
		struct blt_pipe *p;

		assert_int_equal(blt_pipe_open(&p, r, 2), 0);
		for (unsigned int k = 0; k < taken[i / 2]; k++)
			if (blt_pipe_next(p, &b) != 1)
				break;
		/* Time enough to fill the ring, or none. */
		if (i % 2)
			usleep(20000);
		blt_pipe_close(p);
		/* The reader is its owner's again. */
		assert_true(blt_next(r, &e) >= 0);
		blt_close(r);
	}
	ASSERT_U64("errors", d.nr_errors, 0);
	file_remove(path);
}

static void test_blt_plain__which_files(void **state)
{
	/* Every kind alone beside an allocation; and an event of the kernel. */
	static const uint8_t others[] = { REQ_AK, REQ_D, REQ_I, REQ_R, REQ_TF,
					  REQ_TB, REQ_K, REQ_T, REQ_M, REQ_Q,
					  REQ_G };
	const struct blt_info info = { "6.1", TRACE_FORMAT_REQUEST };

	(void)state;
	for (unsigned int kind = 0; kind <= REQ_NR_KINDS; kind++) {
		struct trace_event e = { .kind = TRACE_REQUEST, .line = 1 };
		struct diag d = { 0 };
		char path[TEST_PATH_MAX];
		struct blt_writer *w;
		struct blt_reader *r;

		file_write(path, "", 0);
		assert_int_equal(blt_create(&w, path, &info, &d), 0);
		assert_int_equal(blt_put(w, &e), 0);
		e.u.req.kind = (uint8_t)(kind % REQ_NR_KINDS);
		if (kind == REQ_NR_KINDS)
			e.kind = TRACE_LOST;
		if (blt_put(w, &e))
			fail_msg("kind %u: %s", kind, d.last);
		assert_int_equal(blt_commit(w, NULL), 0);
		r = open_reader(path, &d, NULL);
		ASSERT_U64(test_row(kind), blt_is_plain(r),
			   kind < REQ_NR_KINDS &&
			   !memchr(others, (int)kind, sizeof(others)));
		blt_close(r);
		file_remove(path);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_blt_plain__batches_are_the_events),
	cmocka_unit_test(test_blt_plain__limits_are_told_in_order),
	cmocka_unit_test(test_blt_plain__a_damaged_frame_ends_it_in_its_place),
	cmocka_unit_test(test_blt_plain__closed_early),
	cmocka_unit_test(test_blt_plain__which_files),
};

TEST_MAIN(cases)
