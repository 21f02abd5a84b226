/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reader of .blt files: one frame in memory, events decoded in batches that
 * stay in cache. A frame is checked by zstd's own checksum before anything in
 * it is believed, the whole content by its digest at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "include/check.h"
#include "trace/blt_reader.h"

_Static_assert(BLT_DETECT_BYTES == BLT_FRAME_HEAD + BLT_TAG_BYTES,
	       "frame head and tag");

bool blt_detect(const void *head, size_t len)
{
	const uint8_t *p = head;

	return len >= BLT_DETECT_BYTES && blt_get32(p) == BLT_SKIPPABLE &&
	       !memcmp(p + BLT_FRAME_HEAD, BLT_TAG_HEADER, BLT_TAG_BYTES);
}

int blt_fail(struct blt_reader *r, int err, const char *fmt, ...)
{
	char text[BLT_WHY_BYTES];
	char *why = r->deferred ? r->deferred : text;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, BLT_WHY_BYTES, fmt, ap);
	va_end(ap);
	if (r->deferred)
		return err;
	diag_error(r->diag, (struct diag_place){ .file = r->path }, "%s", why);
	return err;
}

static int open_file(struct blt_reader *r)
{
	struct stat st;

	r->fd = strcmp(r->path, "-") == 0 ? STDIN_FILENO :
		open(r->path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0 || fstat(r->fd, &st))
		return blt_fail(r, -errno, "cannot open: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return blt_fail(r, -ESPIPE,
				"a .blt file is read from its end, so not from a pipe; "
				"name the file");
	r->size = (uint64_t)st.st_size;
	return 0;
}

static int set_up(struct blt_reader *r)
{
	int err;

	r->zstd = ZSTD_createDCtx();
	r->digest = XXH3_createState();
	r->stored_room = ZSTD_compressBound(BLT_BLOCK_BYTES);
	r->stored = malloc(r->stored_room);
	if (!r->zstd || !r->digest || !r->stored || tasks_init(&r->tasks))
		return blt_fail(r, -ENOMEM, "out of memory");
	CHECK(XXH3_128bits_reset(r->digest) == XXH_OK);
	err = open_file(r);
	return err ? err : blt_read_tables(r);
}

static void format_digest(struct blt_reader *r)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < BLT_DIGEST_BYTES; i++) {
		r->digest_hex[2 * i] = digits[r->trailer.digest[i] >> 4];
		r->digest_hex[2 * i + 1] = digits[r->trailer.digest[i] & 15];
	}
}

int blt_open(struct blt_reader **out, const char *path, struct diag *d)
{
	struct blt_reader *r = malloc(sizeof(*r));
	int err;

	*out = NULL;
	if (!r) {
		diag_error(d, (struct diag_place){ .file = path },
			   "out of memory");
		return -ENOMEM;
	}
	memset(r, 0, offsetof(struct blt_reader, batch));
	r->decoder.left = 0;
	r->decoder.why = NULL;
	r->path = path;
	r->diag = d;
	r->fd = -1;
	err = set_up(r);
	if (err) {
		blt_close(r);
		return err;
	}
	format_digest(r);
	*out = r;
	return 0;
}

void blt_close(struct blt_reader *r)
{
	if (!r)
		return;
	if (r->fd >= 0 && r->fd != STDIN_FILENO)
		close(r->fd);
	ZSTD_freeDCtx(r->zstd);
	XXH3_freeState(r->digest);
	tasks_destroy(&r->tasks);
	free(r->frames);
	free(r->stored);
	free(r);
}

void blt_set_limits(struct blt_reader *r, const struct req_limits *limits)
{
	struct req_limits *l = &r->limits;

	*l = *limits;
	r->limited = l->nr_cpus || l->nr_types || l->zones || l->end_pfn;
	if (!l->nr_cpus || l->nr_cpus > TRACE_MAX_CPUS)
		l->nr_cpus = TRACE_MAX_CPUS;
	if (!l->nr_types || l->nr_types > TRACE_MAX_TYPES)
		l->nr_types = TRACE_MAX_TYPES;
	if (!l->zones)
		l->zones = (1u << TRACE_MAX_ZONES) - 1;
	if (!l->end_pfn || l->end_pfn > TRACE_MAX_PFN)
		l->end_pfn = TRACE_MAX_PFN;
}

const char *blt_load_frame(struct blt_reader *r, const struct blt_frame *f)
{
	size_t n;

	if (blt_read_at(r, f->offset, r->stored, f->stored))
		return "cannot be read";
	n = ZSTD_decompressDCtx(r->zstd, r->block, BLT_BLOCK_BYTES, r->stored,
				f->stored);
	if (ZSTD_isError(n))
		return ZSTD_getErrorName(n);
	if (n != f->decoded)
		return "not the size that the index says";
	CHECK(XXH3_128bits_update(r->digest, r->block, n) == XXH_OK);
	memset(r->block + n, 0, BLT_RECORD_MAX);
	if (!blt_decoder_start(&r->decoder, r->block, n, r->tasks.nr))
		return r->decoder.why;
	if (r->decoder.left != f->events)
		return "not the number of events that the index says";
	return NULL;
}

/* Frame next_frame - 1 cannot be used. */
int blt_fail_frame(struct blt_reader *r, const char *why)
{
	const struct blt_frame *f = &r->frames[r->next_frame - 1];
	const unsigned long long first = r->done - f->events;

	r->error = blt_fail(r, -EBADMSG,
			    "damaged: frame %u of %u at bytes %llu to %llu, events "
			    "%llu to %llu: %s; the %llu events before it are intact; "
			    "import the trace again",
			    r->next_frame, r->nr_frames,
			    (unsigned long long)f->offset,
			    (unsigned long long)f->offset + f->stored - 1,
			    first + 1, (unsigned long long)r->done, why, first);
	return r->error;
}

static int check_digest(struct blt_reader *r)
{
	XXH128_canonical_t digest;

	XXH128_canonicalFromHash(&digest, XXH3_128bits_digest(r->digest));
	if (!memcmp(digest.digest, r->trailer.digest, BLT_DIGEST_BYTES))
		return 0;
	r->error = blt_fail(r, -EBADMSG,
			    "the digest of the records is not the one stored at byte "
			    "%llu; no event of this file can be trusted",
			    (unsigned long long)r->size - BLT_TRAILER_BYTES +
			    24);
	return r->error;
}

void blt_rewind(struct blt_reader *r)
{
	r->next_frame = 0;
	r->done = 0;
	r->error = 0;
	r->nr = 0;
	r->pos = 0;
	r->decoder.left = 0;
	r->decoder.why = NULL;
	CHECK(XXH3_128bits_reset(r->digest) == XXH_OK);
}

int blt_next_frame(struct blt_reader *r)
{
	const char *why;

	if (r->error)
		return r->error;
	if (r->next_frame == r->nr_frames)
		return check_digest(r);
	r->done += r->frames[r->next_frame].events;
	why = blt_load_frame(r, &r->frames[r->next_frame++]);
	return why ? blt_fail_frame(r, why) : 1;
}

/* 1 if there are events in the batch, 0 at the end, or a negative errno. */
static int fill_batch(struct blt_reader *r)
{
	struct blt_decoder *d = &r->decoder;

	if (r->error)
		return r->error;
	if (!d->left) {
		const int got = blt_next_frame(r);

		if (got != 1)
			return got;
	}
	r->pos = 0;
	r->nr = blt_decode(d, r->batch, BLT_BATCH);
	if (!d->why)
		return 1;
	/* Events of this batch are not handed out: what is behind a wrong
	 * record of a frame whose checksum fits was never written by us. */
	r->nr = 0;
	return blt_fail_frame(r, d->why);
}

const char *blt_broken_limit(const struct req_limits *l,
			     const struct req_record *q)
{
	const unsigned int has = blt_code(q->kind)->has;

	if (q->cpu >= l->nr_cpus)
		return "a CPU that the guest does not have";
	if (q->mt >= l->nr_types)
		return "a migratetype that the kernel does not have";
	if (has & BLT_HAS_ZONE && !(l->zones >> q->zone & 1))
		return "a zone that is not in the snapshot";
	if (q->kind == REQ_K && q->freed >= l->end_pfn)
		return "a freed page beyond the last PFN";
	if (has & (BLT_HAS_PAGE | BLT_MAY_FAIL) && q->pfn != PFN_NONE &&
	    q->pfn + order_nr_pages(q->order) > l->end_pfn)
		return "a block that reaches beyond the last PFN";
	return NULL;
}

static const char *check_limits(const struct blt_reader *r,
				const struct trace_event *e)
{
	return e->kind == TRACE_REQUEST ?
	       blt_broken_limit(&r->limits, &e->u.req) : NULL;
}

/* Passes over the event at hand. */
static int fail_event(struct blt_reader *r, const char *why)
{
	const uint32_t line = r->batch[r->pos++].line;

	diag_error(r->diag, (struct diag_place){ .file = r->path },
		   "line %u of the imported file: %s", line, why);
	return -EINVAL;
}

int blt_next(struct blt_reader *r, struct trace_event *out)
{
	const char *why;
	int got;

	if (r->pos == r->nr) {
		got = fill_batch(r);
		if (got != 1)
			return got;
	}
	why = r->limited ? check_limits(r, &r->batch[r->pos]) : NULL;
	if (why)
		return fail_event(r, why);
	*out = r->batch[r->pos++];
	return 1;
}

int blt_next_batch(struct blt_reader *r, const struct trace_event **out)
{
	const char *why = NULL;
	unsigned int first;
	int got;

	if (r->pos == r->nr) {
		got = fill_batch(r);
		if (got != 1)
			return got;
	}
	first = r->pos;
	*out = &r->batch[first];
	if (!r->limited)
		r->pos = r->nr;
	while (r->pos < r->nr && !(why = check_limits(r, &r->batch[r->pos])))
		r->pos++;
	return r->pos == first ? fail_event(r, why) : (int)(r->pos - first);
}

const struct blt_info *blt_reader_info(const struct blt_reader *r)
{
	return &r->info;
}

const struct trace_stats *blt_reader_stats(const struct blt_reader *r)
{
	return &r->stats;
}

const struct trace_task *blt_reader_task(const struct blt_reader *r,
					 uint32_t task)
{
	return tasks_get(&r->tasks, task);
}

const char *blt_reader_digest(const struct blt_reader *r)
{
	return r->digest_hex;
}

void blt_reader_sizes(const struct blt_reader *r, struct blt_sizes *out)
{
	*out = (struct blt_sizes){ .frames = r->nr_frames,
				   .events = r->trailer.events,
				   .file = r->size };
	for (uint32_t i = 0; i < r->nr_frames; i++) {
		out->stored += r->frames[i].stored;
		out->decoded += r->frames[i].decoded;
	}
}
