/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * .blt files that are damaged, cut short, or made to mislead: an error that
 * says where, never other content, never a crash.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/test.h"
#include "tests/trace/events.h"
#include "tests/trace/files.h"
#include "trace/blt.h"
#include "trace/blt_format.h"

#define NR 130u
#define TEXT 256
#define HEADER_FRAME (BLT_FRAME_HEAD + BLT_HEADER_BYTES)

static void write_events(char path[TEST_PATH_MAX], unsigned int nr)
{
	const struct blt_info info = { "6.1", TRACE_FORMAT_PERF };
	const struct trace_task task = { 7, "seven" };
	struct diag d = { 0 };
	struct trace_event e;
	struct blt_writer *w;
	uint32_t number;
	struct rng r;

	rng_init(&r, 3, "damage", 0);
	file_write(path, "", 0);
	assert_int_equal(blt_create(&w, path, &info, &d), 0);
	assert_int_equal(blt_task(w, &task, &number), 0);
	for (unsigned int i = 0; i < nr; i++) {
		event_random(&r, i % EVENTS_NR_SORTS, 2, &e);
		assert_int_equal(blt_put(w, &e), 0);
	}
	assert_int_equal(blt_commit(w, NULL), 0);
}

static uint8_t *load(const char *path, size_t *size)
{
	FILE *f = fopen(path, "r");
	uint8_t *data = malloc(1 << 23);

	assert_non_null(f);
	assert_non_null(data);
	*size = fread(data, 1, 1 << 23, f);
	fclose(f);
	return data;
}

/* All that a reader of the file sees, as one digest; false: it complained. */
static bool content(const char *path, char hex[DIGEST_HEX_SIZE],
		    struct diag *d, uint64_t *events)
{
	const struct trace_task *t;
	struct blt_reader *r;
	struct trace_event e;
	char text[TEXT];
	struct digest digest;
	int got;

	*events = 0;
	if (blt_open(&r, path, d))
		return false;
	assert_int_equal(digest_init(&digest), 0);
	t = blt_reader_task(r, 1);
	digest_u64(&digest, t ? t->pid + strlen(t->comm) : 0);
	digest_u64(&digest, blt_reader_stats(r)->events);
	while ((got = blt_next(r, &e)) == 1) {
		event_text(&e, text, sizeof(text));
		for (const char *p = text; *p; p++)
			digest_u64(&digest, (uint64_t)*p);
		++*events;
	}
	digest_hex(&digest, hex);
	digest_destroy(&digest);
	blt_close(r);
	return got == 0;
}

/* A file of no folder, for thousands of variants; its name goes to `path`. */
static int open_memory(char path[TEST_PATH_MAX])
{
	const int fd = memfd_create("blt", MFD_CLOEXEC);

	assert_true(fd >= 0);
	snprintf(path, TEST_PATH_MAX, "/proc/self/fd/%d", fd);
	return fd;
}

static void rewrite(int fd, const void *data, size_t size)
{
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, data, size, 0), size);
}

static void test_damage__any_byte_that_flips_is_noticed(void **state)
{
	/* Every byte of a small file, two ways: an error, or the same events. */
	char path[TEST_PATH_MAX], want[DIGEST_HEX_SIZE], hex[DIGEST_HEX_SIZE];
	struct diag d = { 0 };
	uint64_t events;
	size_t size;
	uint8_t *data;
	int fd;

	(void)state;
	write_events(path, NR);
	assert_true(content(path, want, &d, &events));
	assert_int_equal(events, NR);
	data = load(path, &size);
	file_remove(path);
	fd = open_memory(path);
	for (size_t i = 0; i < 2 * size; i++) {
		const uint8_t bit = (uint8_t)(i % 2 ? 0xff : 1u << i / 2 % 8);
		struct diag di = { 0 };

		data[i / 2] ^= bit;
		rewrite(fd, data, size);
		data[i / 2] ^= bit;
		if (!content(path, hex, &di, &events)) {
			if (!di.nr_errors)
				fail_msg("byte %zu: no message", i / 2);
		} else if (strcmp(hex, want) != 0) {
			fail_msg("byte %zu: other content", i / 2);
		}
	}
	free(data);
	close(fd);
}

static void test_damage__every_cut_is_an_error(void **state)
{
	/* All lengths below the whole; the message names the length. */
	char path[TEST_PATH_MAX], hex[DIGEST_HEX_SIZE], at[32];
	uint64_t events;
	size_t size;
	uint8_t *data;
	int fd;

	(void)state;
	write_events(path, NR);
	data = load(path, &size);
	file_remove(path);
	fd = open_memory(path);
	for (size_t cut = 0; cut < size; cut++) {
		struct diag d = { 0 };

		rewrite(fd, data, cut);
		snprintf(at, sizeof(at), "at byte %zu", cut);
		if (content(path, hex, &d, &events))
			fail_msg("%zu bytes of %zu are accepted", cut, size);
		if (!strstr(d.last, "cut short") || !strstr(d.last, at))
			fail_msg("%zu bytes: %s", cut, d.last);
	}
	free(data);
	close(fd);
}

static void test_damage__bytes_behind_the_end_are_an_error(void **state)
{
	/* One more byte, and a second copy of the file. */
	char path[TEST_PATH_MAX], hex[DIGEST_HEX_SIZE];
	struct diag d = { 0 };
	uint64_t events;
	size_t size;
	uint8_t *data;
	int fd;

	(void)state;
	write_events(path, NR);
	data = load(path, &size);
	file_remove(path);
	fd = open_memory(path);
	memcpy(data + size, data, size);
	rewrite(fd, data, size + 1);
	assert_false(content(path, hex, &d, &events));
	rewrite(fd, data, 2 * size);
	assert_false(content(path, hex, &d, &events));
	free(data);
	close(fd);
}

static void test_damage__what_is_intact_is_told(void **state)
{
	/* Several frames: a cut file's whole frames; a frame that is broken. */
	char path[TEST_PATH_MAX], hex[DIGEST_HEX_SIZE], want[96];
	struct diag d = { 0 };
	struct blt_sizes sizes;
	struct blt_reader *r;
	uint64_t events;
	size_t size;
	uint8_t *data;
	int fd;

	(void)state;
	write_events(path, 200000);
	assert_int_equal(blt_open(&r, path, &d), 0);
	blt_reader_sizes(r, &sizes);
	blt_close(r);
	assert_true(sizes.frames > 2);
	data = load(path, &size);
	file_remove(path);
	fd = open_memory(path);
	rewrite(fd, data, size - 8);
	assert_false(content(path, hex, &d, &events));
	snprintf(want, sizeof(want),
		 "%" PRIu64 " frames with 200000 events up to byte %" PRIu64,
		 sizes.frames, HEADER_FRAME + sizes.stored);
	if (!strstr(d.last, want))
		fail_msg("%s\ninstead of\n%s", d.last, want);
	data[HEADER_FRAME + sizes.stored - 20] ^= 0x10;
	rewrite(fd, data, size);
	assert_false(content(path, hex, &d, &events));
	assert_true(events > 0 && events < 200000);
	snprintf(want, sizeof(want), "frame %" PRIu64 " of %" PRIu64
		 " at bytes ", sizes.frames, sizes.frames);
	assert_non_null(strstr(d.last, want));
	snprintf(want, sizeof(want),
		 "the %" PRIu64 " events before it are intact", events);
	if (!strstr(d.last, want))
		fail_msg("%s\ninstead of\n%s", d.last, want);
	free(data);
	close(fd);
}

/* Records of a block made by hand, `n` events of them. */
struct block {
	uint8_t bytes[BLT_BLOCK_HEADER + 64 + BLT_RECORD_MAX];
	size_t size;
};

static void start(struct block *b, uint32_t events, uint32_t clock)
{
	memset(b, 0, sizeof(*b));
	blt_put32(b->bytes, events);
	blt_put32(b->bytes + 4, clock);
	b->size = BLT_BLOCK_HEADER;
}

static const struct {
	uint32_t events, clock;
	uint8_t n, bytes[24];
	const char *why; /* NULL: fine */
} misleading[] = {
	/* F of page 1 (zigzag 2). */
	{ 1, 0, 11, { 0, 4, 0, 0, 0, 0, 0, 0, 1, 0, 2 }, NULL },
	{ 1, 3, 0, { 0 }, "not of this version" },
	{ 2, 0, 11, { 0, 4, 0, 0, 0, 0, 0, 0, 1, 0, 2 },
	  "does not end" },
	{ 0, 0, 1, { 0 }, "bytes behind" },
	{ 1, 0, 12, { 0, 4, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0 },
	  "bytes behind" },
	{ 1, 0, 2, { 2, 4 }, "was not defined" },
	{ 1, 0, 11, { 0, 31, 0, 0, 0, 0, 0, 0, 1, 0, 2 },
	  "does not know" },
	{ 1, 0, 11, { 0, 200, 0, 0, 0, 0, 0, 0, 1, 0, 2 },
	  "does not know" },
	{ 1, 0, 11, { 0, 4, 11, 0, 0, 0, 0, 0, 1, 0, 2 },
	  "an order" },
	{ 1, 0, 11, { 0, 4, 0, 1, 0, 0, 0, 0, 1, 0, 2 },
	  "a migratetype" },
	{ 1, 0, 11, { 0, 4, 0, 0, 1, 0, 0, 0, 1, 0, 2 }, "a zone" },
	{ 1, 0, 11, { 0, 4, 0, 0, 0, 1, 0, 0, 1, 0, 2 }, "range" },
	{ 1, 0, 11, { 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 2 }, "a page" },
	{ 1, 0, 11, { 0, 4, 0, 0, 0, 0, 0, 0, 2, 0, 2 }, "a page" },
	{ 1, 0, 11, { 0, 4, 0, 0, 0, 0, 0, 0, 1, 5, 2 }, "range" },
	{ 1, 0, 11, { 0, 4, 1, 0, 0, 0, 0, 0, 1, 0, 2 }, "aligned" },
	{ 1, 0, 11, { 0, 4, 0, 0, 0, 0, 0, 0, 1, 0, 1 }, "aligned" },
	{ 1, 0, 15, { 0, 4, 0, 0, 0, 0, 0, 0, 1, 0, 0x80, 0x80, 0x80,
		      0x80, 8 }, "beyond the format" },
	{ 1, 0, 15, { 0, 34, 0, 0, 0, 0, 0, 0, 1, 0, 0xfe, 0xff, 0xff,
		      0xff, 31 }, "beyond 32 bits" },
	/* A with GFP bits; movable and reclaimable at once. */
	{ 1, 0, 11, { 0, 0, 0, 1, 0, 0, 0, 0, 1, 0x08, 2 }, NULL },
	{ 1, 0, 11, { 0, 0, 0, 1, 0, 0, 0, 0, 1, 0x18, 2 },
	  "two types" },
	{ 1, 0, 13, { 1, 4, 0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 2 },
	  "unknown sort" },
	{ 1, 0, 13, { 1, 4, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2 },
	  "unknown sort" },
	{ 1, 0, 14, { 1, 4, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0x80, 8, 2 },
	  "a CPU" },
	{ 1, 0, 13, { 1, 4, 0, 0, 0, 0, 0, 0, 1, 0, 2, 2, 2 },
	  "a task" },
	{ 1, 0, 13, { 1, 4, 0, 0, 0, 0, 0, 0, 1, 0, 2, 1, 2 }, NULL },
};

static void test_damage__records_that_mislead(void **state)
{
	/* Blocks whose checksums would fit: what the decoder says of each. */
	struct blt_decoder *d = malloc(sizeof(*d));
	struct trace_event e[4];

	(void)state;
	assert_non_null(d);
	for (unsigned int i = 0; i < ARRAY_SIZE(misleading); i++) {
		struct block b;
		unsigned int n = 0;

		start(&b, misleading[i].events, misleading[i].clock);
		memcpy(b.bytes + b.size, misleading[i].bytes, misleading[i].n);
		b.size += misleading[i].n;
		if (blt_decoder_start(d, b.bytes, b.size, 2))
			n = blt_decode(d, e, 4);
		if (!misleading[i].why) {
			ASSERT_U64(test_row(i), n, misleading[i].events);
			assert_null(d->why);
			continue;
		}
		if (!d->why || !strstr(d->why, misleading[i].why))
			fail_msg("row %u: \"%s\"", i,
				 d->why ? d->why : "accepted");
	}
	free(d);
}

static void test_damage__a_pipe_and_other_files_are_refused(void **state)
{
	/* What no .blt is, and one that cannot be read from its end. */
	struct diag d = { 0 };
	struct blt_reader *r;
	char path[TEST_PATH_MAX], pipe_path[32];
	int fds[2];

	(void)state;
	assert_int_equal(blt_open(&r, "no-such-file", &d), -ENOENT);
	file_write_zstd(path, "A 0 0 0x0 0 1\n", 0);
	assert_int_equal(blt_open(&r, path, &d), -EBADMSG);
	assert_null(r);
	file_remove(path);
	assert_int_equal(pipe(fds), 0);
	snprintf(pipe_path, sizeof(pipe_path), "/proc/self/fd/%d", fds[0]);
	assert_int_equal(blt_open(&r, pipe_path, &d), -ESPIPE);
	assert_non_null(strstr(d.last, "name the file"));
	close(fds[0]);
	close(fds[1]);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_damage__any_byte_that_flips_is_noticed),
	cmocka_unit_test(test_damage__every_cut_is_an_error),
	cmocka_unit_test(test_damage__bytes_behind_the_end_are_an_error),
	cmocka_unit_test(test_damage__what_is_intact_is_told),
	cmocka_unit_test(test_damage__records_that_mislead),
	cmocka_unit_test(test_damage__a_pipe_and_other_files_are_refused),
};

TEST_MAIN(cases)
