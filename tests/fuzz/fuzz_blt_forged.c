/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * .blt files that are whole and lie: the input is the decoded block of a file
 * whose frame, tables, checksums and digest are made to fit, and the first byte
 * says what its index claims to hold. Both readers have to come to the same.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

#include "include/check.h"
#include "tests/fuzz/fuzz.h"
#include "trace/blt.h"
#include "trace/blt_format.h"

#define LARGEST_INPUT 65536u

struct forge {
	uint8_t *bytes;
	size_t size;
	uint64_t tasks_at, index_at;
};

static uint8_t *add(struct forge *f, size_t size)
{
	uint8_t *p = f->bytes + f->size;

	memset(p, 0, size);
	f->size += size;
	return p;
}

static void add_skippable(struct forge *f, size_t size)
{
	uint8_t *p = add(f, BLT_FRAME_HEAD);

	blt_put32(p, BLT_SKIPPABLE);
	blt_put32(p + 4, (uint32_t)size);
}

static void add_tasks(struct forge *f)
{
	static const char names[2][4] = { "one", "two" };
	const size_t size = BLT_TAG_BYTES + 8 + 2 * (5 + 3) + 8;
	uint8_t *p, *start;

	f->tasks_at = f->size;
	add_skippable(f, size);
	start = p = add(f, size);
	memcpy(p, BLT_TAG_TASKS, BLT_TAG_BYTES);
	blt_put64(p + BLT_TAG_BYTES, 3);
	p += BLT_TAG_BYTES + 8;
	for (uint32_t i = 0; i < 2; i++, p += 8) {
		blt_put32(p, i + 1);
		p[4] = 3;
		memcpy(p + 5, names[i], 3);
	}
	blt_put64(p, blt_checksum(start, size - 8));
}

static void add_index(struct forge *f, const uint8_t *block, size_t size,
		      size_t stored, const struct trace_stats *s)
{
	uint64_t words[BLT_MAX_STATS];
	const unsigned int n = blt_stats_build(s, words);
	const size_t all = BLT_TAG_BYTES + 8 + BLT_INDEX_ENTRY + 8 * n +
			   BLT_TRAILER_BYTES;
	XXH128_canonical_t digest;
	uint8_t *p, *start;

	f->index_at = f->size;
	add_skippable(f, all);
	start = p = add(f, all);
	memcpy(p, BLT_TAG_INDEX, BLT_TAG_BYTES);
	blt_put64(p + BLT_TAG_BYTES, 1);
	p += BLT_TAG_BYTES + 8;
	blt_put32(p, (uint32_t)stored);
	blt_put32(p + 4, (uint32_t)size);
	blt_put32(p + 8, (uint32_t)s->events);
	p += BLT_INDEX_ENTRY;
	for (unsigned int i = 0; i < n; i++, p += 8)
		blt_put64(p, words[i]);
	blt_put64(p, f->tasks_at);
	blt_put64(p + 8, f->index_at);
	blt_put64(p + 16, s->events);
	XXH128_canonicalFromHash(&digest, XXH3_128bits(block, size));
	memcpy(p + 24, digest.digest, BLT_DIGEST_BYTES);
	blt_put64(p + 40, blt_checksum(start, all - 16));
	memcpy(p + 48, BLT_TAG_END, BLT_TAG_BYTES);
}

static void build(struct forge *f, const uint8_t *block, size_t size,
		  unsigned int claim)
{
	struct trace_stats s = { .events = blt_get32(block), .nr_tasks = 3 };
	const size_t bound = ZSTD_compressBound(size);
	size_t stored;

	f->bytes = malloc(bound + 4096);
	CHECK(f->bytes);
	f->size = 0;
	add_skippable(f, BLT_HEADER_BYTES);
	blt_header_build(add(f, BLT_HEADER_BYTES), "6.1", "request");
	stored = ZSTD_compress(f->bytes + f->size, bound, block, size, 1);
	CHECK(!ZSTD_isError(stored));
	f->size += stored;
	s.by_kind[claim % TRACE_NR_KINDS] = s.events;
	s.requests[claim / TRACE_NR_KINDS % REQ_NR_KINDS] = s.events;
	add_tasks(f);
	add_index(f, block, size, stored, &s);
}

/* Events up to the end or the first mistake. */
static uint64_t read_all(const char *path, const struct req_limits *l, int *ret)
{
	struct diag d = { 0 };
	struct trace_event e;
	struct blt_reader *r;
	uint64_t nr = 0;

	CHECK_MSG(!blt_open(&r, path, &d), "%s", d.last);
	blt_set_limits(r, l);
	while ((*ret = blt_next(r, &e)) == 1) {
		CHECK(!blt_check(&e));
		CHECK(blt_reader_task(r, e.task));
		nr++;
	}
	CHECK(!*ret || d.nr_errors);
	blt_close(r);
	return nr;
}

static void read_plain(const char *path, const struct req_limits *l,
		       unsigned int threads)
{
	struct blt_plain_batch b;
	struct diag d = { 0 };
	struct blt_reader *r;
	struct blt_pipe *p;
	uint64_t nr = 0, want;
	int ret, other;

	CHECK(!blt_open(&r, path, &d));
	if (!blt_is_plain(r)) {
		blt_close(r);
		return;
	}
	blt_set_limits(r, l);
	CHECK(!blt_pipe_open(&p, r, threads));
	while ((ret = blt_pipe_next(p, &b)) == 1)
		for (uint32_t i = 0; i < b.nr; i++, nr++)
			CHECK(plain_request(&b, i).cpu < TRACE_MAX_CPUS);
	CHECK(!ret || d.nr_errors);
	blt_pipe_close(p);
	blt_close(r);
	want = read_all(path, l, &other);
	CHECK_EQ(!ret, !other);
	CHECK(ret || nr == want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct req_limits some = { 4, 4, 0x7, 8192 }, none;
	const struct req_limits *l;
	struct forge forge;
	struct fuzz_file f;
	int ret;

	if (size < 1 + BLT_BLOCK_HEADER || size > LARGEST_INPUT ||
	    !blt_get32(data + 1))
		return 0;
	l = data[0] & 0x80 ? &some : &none;
	build(&forge, data + 1, size - 1, data[0] & 0x7f);
	fuzz_file_open(&f, forge.bytes, forge.size);
	read_all(f.path, l, &ret);
	read_plain(f.path, l, 1);
	read_plain(f.path, l, 2);
	fuzz_file_close(&f);
	free(forge.bytes);
	return 0;
}
