/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a .blt file: trailer, index, task table; and what can be said of
 * a file without one. Each part has a checksum, and each offset and length is
 * compared with the file before it is used, so that memory is bounded by the
 * size of the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "trace/blt_reader.h"

int blt_read_at(struct blt_reader *r, uint64_t offset, void *out, size_t size)
{
	uint8_t *p = out;

	while (size) {
		const ssize_t n = pread(r->fd, p, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return blt_fail(r, -EIO, "cannot read at byte %llu: %s",
					(unsigned long long)offset,
					n ? strerror(errno) : "the file ends");
		p += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

static int read_header(struct blt_reader *r)
{
	uint8_t head[BLT_FRAME_HEAD + BLT_HEADER_BYTES];
	const char *why;
	int err, format;

	if (r->size < sizeof(head))
		return blt_fail(r, -EBADMSG,
				"cut short: the file ends at byte %llu, inside the header",
				(unsigned long long)r->size);
	err = blt_read_at(r, 0, head, sizeof(head));
	if (err)
		return err;
	if (blt_get32(head) != BLT_SKIPPABLE ||
	    blt_get32(head + 4) != BLT_HEADER_BYTES)
		return blt_fail(r, -EBADMSG,
				"byte 0: this is not a .blt file");
	why = blt_header_parse(head + BLT_FRAME_HEAD, r->kernel, r->source);
	if (why)
		return blt_fail(r, -EBADMSG, "byte %u: %s", BLT_FRAME_HEAD,
				why);
	format = trace_format_find(r->source);
	r->info.kernel = r->kernel[0] ? r->kernel : NULL;
	r->info.source = format < 0 ? TRACE_FORMAT_AUTO :
				      (enum trace_format)format;
	return 0;
}

/*
 * A file without its end: nothing tells where its frames are but the frames
 * themselves. Counts those that are whole.
 */
static int report_intact(struct blt_reader *r)
{
	struct blt_frame f = { .offset = BLT_FRAME_HEAD + BLT_HEADER_BYTES };
	unsigned long long frames = 0, events = 0;

	while (f.offset < r->size) {
		const uint64_t left = r->size - f.offset;
		const size_t have = left < r->stored_room ? (size_t)left :
							    r->stored_room;
		size_t n;

		if (blt_read_at(r, f.offset, r->stored, have))
			return -EIO;
		n = ZSTD_findFrameCompressedSize(r->stored, have);
		if (ZSTD_isError(n) || blt_get32(r->stored) == BLT_SKIPPABLE)
			break;
		f.stored = (uint32_t)n;
		n = ZSTD_decompressDCtx(r->zstd, r->block, BLT_BLOCK_BYTES,
					r->stored, n);
		if (ZSTD_isError(n) ||
		    !blt_decoder_start(&r->decoder, r->block, n, 1))
			break;
		frames++;
		events += r->decoder.left;
		f.offset += f.stored;
	}
	return blt_fail(r, -EBADMSG,
			"cut short: the index that ends a .blt file is missing at byte %llu; "
			"%llu frames with %llu events up to byte %llu are intact, "
			"`zstd -dc` prints them; import the trace again",
			(unsigned long long)r->size, frames, events,
			(unsigned long long)f.offset);
}

static int damaged(struct blt_reader *r, uint64_t offset, const char *what)
{
	return blt_fail(r, -EBADMSG,
			"damaged at byte %llu: %s; the records before it may be intact, "
			"`zstd -dc` prints them; import the trace again",
			(unsigned long long)offset, what);
}

static int read_trailer(struct blt_reader *r)
{
	uint8_t p[BLT_TRAILER_BYTES];
	const uint64_t start = BLT_FRAME_HEAD + BLT_HEADER_BYTES;
	const uint64_t at = r->size - sizeof(p);
	int err;

	if (r->size < start + sizeof(p))
		return report_intact(r);
	err = blt_read_at(r, at, p, sizeof(p));
	if (err)
		return err;
	if (memcmp(p + 48, BLT_TAG_END, BLT_TAG_BYTES) != 0)
		return report_intact(r);
	r->trailer.tasks_at = blt_get64(p);
	r->trailer.index_at = blt_get64(p + 8);
	r->trailer.events = blt_get64(p + 16);
	memcpy(r->trailer.digest, p + 24, BLT_DIGEST_BYTES);
	if (r->trailer.tasks_at < start ||
	    r->trailer.tasks_at >= r->trailer.index_at ||
	    r->trailer.index_at > at)
		return damaged(r, at, "the offsets in the trailer do not fit");
	return 0;
}

/* Content of the skippable frame in [at, end), with its tag checked. */
static int read_skippable(struct blt_reader *r, uint64_t at, uint64_t end,
			  const char *tag, size_t least, uint8_t **out)
{
	const uint64_t size = end - at - BLT_FRAME_HEAD;
	uint8_t head[BLT_FRAME_HEAD];
	int err;

	*out = NULL;
	if (end - at < BLT_FRAME_HEAD + least || size > UINT32_MAX)
		return damaged(r, at, "a table is shorter than it can be");
	err = blt_read_at(r, at, head, sizeof(head));
	if (err)
		return err;
	if (blt_get32(head) != BLT_SKIPPABLE || blt_get32(head + 4) != size)
		return damaged(r, at, "no table begins here");
	*out = malloc(size);
	if (!*out)
		return blt_fail(r, -ENOMEM, "out of memory");
	err = blt_read_at(r, at + BLT_FRAME_HEAD, *out, size);
	if (!err && memcmp(*out, tag, BLT_TAG_BYTES) != 0)
		err = damaged(r, at + BLT_FRAME_HEAD,
			      "this is not the table that belongs here");
	return err;
}

static const char *parse_tasks(struct blt_reader *r, const uint8_t *p,
			       size_t size)
{
	const uint8_t *const end = p + size - 8;
	const uint64_t nr = blt_get64(p + BLT_TAG_BYTES);

	if (blt_get64(end) != blt_checksum(p, size - 8))
		return "the checksum of the task table does not fit";
	if (!nr || nr > TASKS_MAX)
		return "the task table has no such number of tasks";
	p += BLT_TAG_BYTES + 8;
	for (uint32_t i = 1; i < nr; i++) {
		uint32_t number;

		if (end - p < 5 || end - p - 5 < p[4] ||
		    p[4] >= TASK_COMM_BYTES || memchr(p + 5, '\0', p[4]))
			return "a task in the table has no end";
		if (tasks_find(&r->tasks, blt_get32(p), (const char *)p + 5,
			       p[4], &number))
			return "out of memory";
		if (number != i)
			return "a task is in the table twice";
		p += 5 + p[4];
	}
	return p == end ? NULL : "bytes behind the last task";
}

static int read_tasks(struct blt_reader *r)
{
	const uint64_t at = r->trailer.tasks_at, end = r->trailer.index_at;
	const char *why;
	uint8_t *p;
	int err = read_skippable(r, at, end, BLT_TAG_TASKS,
				 BLT_TAG_BYTES + 16, &p);

	if (!err) {
		why = parse_tasks(r, p, (size_t)(end - at - BLT_FRAME_HEAD));
		if (why)
			err = damaged(r, at + BLT_FRAME_HEAD, why);
	}
	free(p);
	return err;
}

/* Frames follow each other without a gap and fill the place of the records. */
static const char *parse_frames(struct blt_reader *r, const uint8_t *p)
{
	uint64_t at = BLT_FRAME_HEAD + BLT_HEADER_BYTES, events = 0;

	for (uint32_t i = 0; i < r->nr_frames; i++, p += BLT_INDEX_ENTRY) {
		struct blt_frame *f = &r->frames[i];

		f->offset = at;
		f->stored = blt_get32(p);
		f->decoded = blt_get32(p + 4);
		f->events = blt_get32(p + 8);
		f->first_ns = blt_get64(p + 16);
		f->last_ns = blt_get64(p + 24);
		if (!f->stored || f->stored > r->stored_room ||
		    f->decoded > BLT_BLOCK_BYTES || !f->events)
			return "a frame in the index is larger than frames are";
		at += f->stored;
		events += f->events;
	}
	if (at != r->trailer.tasks_at)
		return "the frames of the index do not fill the file";
	if (events != r->trailer.events)
		return "the events of the frames do not add up";
	return NULL;
}

static const char *parse_index(struct blt_reader *r, const uint8_t *p,
			       size_t size)
{
	const size_t fixed = BLT_TAG_BYTES + 8 + BLT_TRAILER_BYTES;
	const uint64_t nr = blt_get64(p + BLT_TAG_BYTES);
	size_t rest, used;
	const char *why;

	if (blt_get64(p + size - 16) != blt_checksum(p, size - 16))
		return "the checksum of the index does not fit";
	if (nr > (size - fixed) / BLT_INDEX_ENTRY || nr > UINT32_MAX)
		return "the index has no such number of frames";
	r->nr_frames = (uint32_t)nr;
	r->frames = calloc(nr ? nr : 1, sizeof(*r->frames));
	if (!r->frames)
		return "out of memory";
	p += BLT_TAG_BYTES + 8;
	why = parse_frames(r, p);
	if (why)
		return why;
	p += nr * BLT_INDEX_ENTRY;
	rest = size - fixed - nr * BLT_INDEX_ENTRY;
	used = blt_stats_parse(&r->stats, p, rest);
	if (!used || used * 8 > rest || r->stats.events != r->trailer.events)
		return "the statistics in the index do not end";
	return NULL;
}

static int read_index(struct blt_reader *r)
{
	const uint64_t at = r->trailer.index_at;
	const char *why;
	uint8_t *p;
	int err = read_skippable(r, at, r->size, BLT_TAG_INDEX,
				 BLT_TAG_BYTES + 8 + BLT_TRAILER_BYTES, &p);

	if (!err) {
		why = parse_index(r, p,
				  (size_t)(r->size - at - BLT_FRAME_HEAD));
		if (why)
			err = damaged(r, at + BLT_FRAME_HEAD, why);
	}
	free(p);
	return err;
}

int blt_read_tables(struct blt_reader *r)
{
	int err = read_header(r);

	if (!err)
		err = read_trailer(r);
	if (!err)
		err = read_index(r);
	if (!err)
		err = read_tasks(r);
	r->stats.nr_tasks = r->tasks.nr;
	return err;
}
