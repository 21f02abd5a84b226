/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writer of .blt files. Memory is one block, its compressed form, the task
 * table and 32 bytes per block for the index. The same events give the same
 * bytes with the same release of libzstd, and always the same digest.
 */
#include "trace/blt.h"

#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>
#include <zstd.h>

#include "include/check.h"
#include "trace/blt_format.h"
#include "trace/out_file.h"
#include "trace/tasks.h"

/* Writing keeps up with the importers; higher levels gain little here. */
#define ZSTD_LEVEL 6

struct blt_writer {
	struct out_file file;
	struct diag *diag;
	const char *path;
	struct task_table tasks;
	ZSTD_CCtx *zstd;
	XXH3_state_t *digest;
	struct blt_frame *frames;
	unsigned int nr_frames, room;
	uint64_t offset;           /* bytes in the file */
	struct blt_frame frame;    /* the one being filled */
	struct trace_stats stats;
	uint64_t last_ns;          /* of the event put last */
	uint8_t *at;               /* end of the records in `block` */
	uint8_t *stored;           /* room for the block compressed */
	size_t stored_room;
	struct blt_encoder encoder;
	uint8_t block[BLT_BLOCK_BYTES];
};

__attribute__((cold))
static int fail_memory(struct blt_writer *w)
{
	diag_error(w->diag, (struct diag_place){ .file = w->path },
		   "out of memory");
	return -ENOMEM;
}

static int put_bytes(struct blt_writer *w, const void *data, size_t size)
{
	w->offset += size;
	errno = 0;
	if (fwrite(data, 1, size, w->file.out) != size)
		return out_file_error(&w->file, w->diag);
	return 0;
}

static int put_skippable(struct blt_writer *w, const void *data, size_t size)
{
	uint8_t head[BLT_FRAME_HEAD];
	int err;

	if (size > UINT32_MAX) {
		diag_error(w->diag, (struct diag_place){ .file = w->path },
			   "more than 2^27 frames: the trace is too long for one file");
		return -EFBIG;
	}
	blt_put32(head, BLT_SKIPPABLE);
	blt_put32(head + 4, (uint32_t)size);
	err = put_bytes(w, head, sizeof(head));
	return err ? err : put_bytes(w, data, size);
}

static void start_block(struct blt_writer *w, enum blt_clock clock)
{
	blt_encoder_reset(&w->encoder, clock);
	memset(&w->frame, 0, sizeof(w->frame));
	w->at = w->block + BLT_BLOCK_HEADER;
}

static int add_frame(struct blt_writer *w)
{
	if (w->nr_frames == w->room) {
		const unsigned int room = w->room ? w->room * 2 : 64;
		struct blt_frame *f = reallocarray(w->frames, room,
						   sizeof(*f));

		if (!f)
			return fail_memory(w);
		w->frames = f;
		w->room = room;
	}
	w->frames[w->nr_frames++] = w->frame;
	return 0;
}

static int flush_block(struct blt_writer *w)
{
	const size_t size = (size_t)(w->at - w->block);
	size_t stored;
	int err;

	if (!w->frame.events)
		return 0;
	blt_put32(w->block, w->frame.events);
	blt_put32(w->block + 4, w->encoder.clock);
	blt_put64(w->block + 8, 0);
	CHECK(XXH3_128bits_update(w->digest, w->block, size) == XXH_OK);
	stored = ZSTD_compress2(w->zstd, w->stored, w->stored_room, w->block,
				size);
	if (ZSTD_isError(stored))
		return fail_memory(w);
	w->frame.decoded = (uint32_t)size;
	w->frame.stored = (uint32_t)stored;
	err = add_frame(w);
	return err ? err : put_bytes(w, w->stored, stored);
}

static int set_up(struct blt_writer *w, const struct blt_info *info)
{
	uint8_t header[BLT_HEADER_BYTES];

	w->zstd = ZSTD_createCCtx();
	w->digest = XXH3_createState();
	w->stored_room = ZSTD_compressBound(BLT_BLOCK_BYTES);
	w->stored = malloc(w->stored_room);
	if (!w->zstd || !w->digest || !w->stored || tasks_init(&w->tasks))
		return fail_memory(w);
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
	CHECK(XXH3_128bits_reset(w->digest) == XXH_OK);
	start_block(w, BLT_CLOCK_NONE);
	blt_header_build(header, info->kernel ? info->kernel : "",
			 trace_format_name(info->source));
	return put_skippable(w, header, sizeof(header));
}

int blt_create(struct blt_writer **out, const char *path,
	       const struct blt_info *info, struct diag *d)
{
	struct blt_writer *w = malloc(sizeof(*w));
	int err;

	*out = NULL;
	if (!w) {
		diag_error(d, (struct diag_place){ .file = path },
			   "out of memory");
		return -ENOMEM;
	}
	memset(w, 0, offsetof(struct blt_writer, encoder));
	w->diag = d;
	w->path = path;
	err = out_file_create(&w->file, path, d);
	if (!err)
		err = set_up(w, info);
	if (err) {
		blt_abort(w);
		return err;
	}
	*out = w;
	return 0;
}

/* A block has one clock, and room for what it defines. */
static int make_room(struct blt_writer *w, const struct trace_event *e)
{
	const enum blt_clock clock = blt_clock_of(e, w->encoder.clock);
	int err;

	if (clock == w->encoder.clock &&
	    w->encoder.nr_shapes < BLT_MAX_SHAPES &&
	    (size_t)(w->at - w->block) <= BLT_BLOCK_BYTES - BLT_RECORD_MAX)
		return 0;
	err = flush_block(w);
	if (!err)
		start_block(w, clock);
	return err;
}

static void count_event(struct blt_writer *w, const struct trace_event *e)
{
	struct blt_frame *f = &w->frame;

	if (!f->events++)
		f->first_ns = f->last_ns = e->ns;
	if (e->ns < f->first_ns)
		f->first_ns = e->ns;
	if (e->ns > f->last_ns)
		f->last_ns = e->ns;
	blt_stats_count(&w->stats, e, w->last_ns);
	w->last_ns = e->ns;
}

int blt_put(struct blt_writer *w, const struct trace_event *e)
{
	const char *why = blt_check(e);
	int err;

	if (!why && e->task >= w->tasks.nr)
		why = "a task that was not announced";
	if (why) {
		diag_error(w->diag, (struct diag_place){ .file = w->path },
			   "cannot store event %llu (line %u of the input): %s",
			   (unsigned long long)w->stats.events + 1, e->line,
			   why);
		return -EINVAL;
	}
	err = make_room(w, e);
	if (err)
		return err;
	w->at = blt_encode(&w->encoder, e, w->at);
	count_event(w, e);
	return 0;
}

int blt_task(struct blt_writer *w, const struct trace_task *t, uint32_t *out)
{
	return tasks_find(&w->tasks, t->pid, t->comm, strlen(t->comm), out) ?
	       fail_memory(w) : 0;
}

/* Bytes that grow; the last part of the file is small. */
struct buffer {
	uint8_t *data;
	size_t size, room;
};

/* Room for `size` more bytes, or NULL. */
static uint8_t *grow(struct buffer *b, size_t size)
{
	if (b->room - b->size < size) {
		const size_t room = (b->room + size) * 2;
		uint8_t *data = realloc(b->data, room);

		if (!data)
			return NULL;
		b->data = data;
		b->room = room;
	}
	b->size += size;
	return b->data + b->size - size;
}

static bool grow64(struct buffer *b, uint64_t v)
{
	uint8_t *p = grow(b, 8);

	if (p)
		blt_put64(p, v);
	return p;
}

static bool build_tasks(const struct blt_writer *w, struct buffer *b)
{
	uint8_t *p = grow(b, BLT_TAG_BYTES);

	if (!p)
		return false;
	memcpy(p, BLT_TAG_TASKS, BLT_TAG_BYTES);
	if (!grow64(b, w->tasks.nr))
		return false;
	for (uint32_t i = 1; i < w->tasks.nr; i++) {
		const struct trace_task *t = tasks_get(&w->tasks, i);
		const size_t len = strlen(t->comm);

		p = grow(b, 5 + len);
		if (!p)
			return false;
		blt_put32(p, t->pid);
		p[4] = (uint8_t)len;
		memcpy(p + 5, t->comm, len);
	}
	return grow64(b, blt_checksum(b->data, b->size));
}

static bool build_frames(const struct blt_writer *w, struct buffer *b)
{
	uint8_t *p = grow(b, BLT_TAG_BYTES);

	if (!p)
		return false;
	memcpy(p, BLT_TAG_INDEX, BLT_TAG_BYTES);
	if (!grow64(b, w->nr_frames))
		return false;
	for (unsigned int i = 0; i < w->nr_frames; i++) {
		const struct blt_frame *f = &w->frames[i];

		p = grow(b, BLT_INDEX_ENTRY);
		if (!p)
			return false;
		blt_put32(p, f->stored);
		blt_put32(p + 4, f->decoded);
		blt_put32(p + 8, f->events);
		blt_put32(p + 12, 0);
		blt_put64(p + 16, f->first_ns);
		blt_put64(p + 24, f->last_ns);
	}
	return true;
}

static bool build_index(const struct blt_writer *w, struct buffer *b,
			uint64_t tasks_at)
{
	uint64_t stats[BLT_MAX_STATS];
	const unsigned int n = blt_stats_build(&w->stats, stats);
	XXH128_canonical_t digest;
	uint8_t *p;

	if (!build_frames(w, b))
		return false;
	for (unsigned int i = 0; i < n; i++)
		if (!grow64(b, stats[i]))
			return false;
	p = grow(b, BLT_TRAILER_BYTES);
	if (!p)
		return false;
	XXH128_canonicalFromHash(&digest, XXH3_128bits_digest(w->digest));
	blt_put64(p, tasks_at);
	blt_put64(p + 8, w->offset);
	blt_put64(p + 16, w->stats.events);
	memcpy(p + 24, digest.digest, BLT_DIGEST_BYTES);
	blt_put64(p + 40, blt_checksum(b->data, b->size - 16));
	memcpy(p + 48, BLT_TAG_END, BLT_TAG_BYTES);
	return true;
}

static int put_tables(struct blt_writer *w)
{
	struct buffer tasks = { 0 }, index = { 0 };
	const uint64_t tasks_at = w->offset;
	int err;

	err = build_tasks(w, &tasks) ?
	      put_skippable(w, tasks.data, tasks.size) : fail_memory(w);
	if (!err)
		err = build_index(w, &index, tasks_at) ?
		      put_skippable(w, index.data, index.size) :
		      fail_memory(w);
	free(tasks.data);
	free(index.data);
	return err;
}

/* An importer counts more than events tell; what they tell was counted here,
 * so that file and statistics agree. */
static void take_stats(struct blt_writer *w, const struct trace_stats *s)
{
	const struct trace_stats counted = w->stats;

	if (!s)
		return;
	w->stats = *s;
	w->stats.events = counted.events;
	memcpy(w->stats.by_kind, counted.by_kind, sizeof(counted.by_kind));
	memcpy(w->stats.requests, counted.requests, sizeof(counted.requests));
}

int blt_commit(struct blt_writer *w, const struct trace_stats *stats)
{
	int err = flush_block(w);

	take_stats(w, stats);
	if (!err)
		err = put_tables(w);
	if (!err)
		err = out_file_commit(&w->file, w->diag);
	blt_abort(w);
	return err;
}

void blt_abort(struct blt_writer *w)
{
	if (!w)
		return;
	out_file_discard(&w->file);
	tasks_destroy(&w->tasks);
	ZSTD_freeCCtx(w->zstd);
	XXH3_freeState(w->digest);
	free(w->frames);
	free(w->stored);
	free(w);
}
