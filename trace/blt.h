/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * .blt: our own trace file. Fixed header, events as varint and delta records
 * in independent zstd frames of about 1 MiB, index and task table at the end
 * in skippable frames, XXH3-128 of the decoded content. docs/trace-formats.md
 * is the reference; `zstd -d` reads the payload.
 */
#ifndef TRACE_BLT_H
#define TRACE_BLT_H

#include "include/digest.h"
#include "trace/source.h"

struct blt_writer;

struct blt_info {
	const char *kernel;        /* profile, or NULL */
	enum trace_format source;  /* what it was imported from */
};

/*
 * Write to a temporary name beside `path`; blt_commit() syncs and renames it,
 * blt_abort() removes it. All return 0 or a negative errno after a message;
 * after an error only blt_abort() is of use. `path` and `d` outlive the writer.
 */
int blt_create(struct blt_writer **out, const char *path,
	       const struct blt_info *info, struct diag *d);
/* `task` numbers in events are those of the writer: see blt_task(). */
int blt_put(struct blt_writer *w, const struct trace_event *e);
/* The writer's number for this task, 0 for a pid of 0 and an empty name. */
int blt_task(struct blt_writer *w, const struct trace_task *t, uint32_t *out);
/* Stores the statistics with the file and frees the writer, whatever is
 * returned. NULL: statistics of the events that were put. Numbers of events
 * by kind are always those. */
int blt_commit(struct blt_writer *w, const struct trace_stats *stats);
void blt_abort(struct blt_writer *w);

struct blt_reader;

/* How many of a file's first bytes tell what it is, and whether it is ours. */
#define BLT_DETECT_BYTES 16u
bool blt_detect(const void *head, size_t len);

/*
 * Called by trace_open(); use that. "-" is standard input if that is a file:
 * the end is read first. Returns of blt_next() are those of trace_next().
 */
int blt_open(struct blt_reader **out, const char *path, struct diag *d);
/* Requests are checked against these too, as req_open() does. Before the
 * first event is read; `limits` is copied, its zeros mean the format's. */
void blt_set_limits(struct blt_reader *r, const struct req_limits *limits);
int blt_next(struct blt_reader *r, struct trace_event *out);
/*
 * The same for many events, without a copy: how many stand at *out, valid
 * until the next call of this or blt_next(); otherwise as blt_next().
 */
int blt_next_batch(struct blt_reader *r, const struct trace_event **out);
void blt_close(struct blt_reader *r);
const struct blt_info *blt_reader_info(const struct blt_reader *r);
/* Of the header and index, without reading the records. */
const struct trace_stats *blt_reader_stats(const struct blt_reader *r);
const struct trace_task *blt_reader_task(const struct blt_reader *r,
					 uint32_t task);
/* XXH3-128 of the content, as 32 lower-case hex digits: the trace digest.
 * `zstd -dc FILE | xxh128sum` prints it too. */
const char *blt_reader_digest(const struct blt_reader *r);

struct blt_sizes {
	uint64_t frames, events;
	uint64_t file;             /* bytes of the file */
	uint64_t stored, decoded;  /* bytes of the records */
};

void blt_reader_sizes(const struct blt_reader *r, struct blt_sizes *out);

#endif
