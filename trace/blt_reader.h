/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State of a .blt reader. Only trace/blt_*.c include this. */
#ifndef TRACE_BLT_READER_H
#define TRACE_BLT_READER_H

#include <xxhash.h>
#include <zstd.h>

#include "trace/blt.h"
#include "trace/blt_format.h"
#include "trace/tasks.h"

/* Decoded at a time: stays in the first-level cache. */
#define BLT_BATCH 256u

struct blt_reader {
	const char *path;
	struct diag *diag;
	int fd;
	int error;                 /* final result once negative */
	char *deferred;            /* messages go here, for another to tell */
	uint64_t size;             /* of the file */
	struct blt_info info;
	char kernel[BLT_NAME_BYTES], source[BLT_NAME_BYTES];
	struct blt_trailer trailer;
	char digest_hex[DIGEST_HEX_SIZE];
	struct trace_stats stats;
	struct task_table tasks;
	struct blt_frame *frames;
	uint32_t nr_frames, next_frame;
	uint64_t done;             /* events of the frames before */
	ZSTD_DCtx *zstd;
	XXH3_state_t *digest;
	bool limited;
	struct req_limits limits;
	size_t stored_room;
	uint8_t *stored;
	unsigned int nr, pos;      /* of the batch */
	/* From here on nothing is zeroed. */
	struct trace_event batch[BLT_BATCH];
	struct blt_decoder decoder;
	uint8_t block[BLT_BLOCK_BYTES + BLT_RECORD_MAX];
};

#define BLT_WHY_BYTES 400u

/* Message that begins with the file's name; returns `err`. With `deferred`
 * set, its text is only written there. */
__attribute__((format(printf, 3, 4), cold))
int blt_fail(struct blt_reader *r, int err, const char *fmt, ...);
/* All `size` bytes at `offset`, or a negative errno after a message. */
int blt_read_at(struct blt_reader *r, uint64_t offset, void *out, size_t size);
/* Header, tasks, index: everything but the records. */
int blt_read_tables(struct blt_reader *r);
/* From the first frame on. */
void blt_rewind(struct blt_reader *r);
/* With the block used up: 1 if there is another, 0 at the end if the digest
 * fits, or a negative errno after a message. */
int blt_next_frame(struct blt_reader *r);
/* The frame at hand is wrong inside; returns r->error after a message. */
int blt_fail_frame(struct blt_reader *r, const char *why);
/* NULL, or why the request is beyond the limits. */
const char *blt_broken_limit(const struct req_limits *l,
			     const struct req_record *q);
/* Decompress f into r->block and start the decoder. NULL, or what is wrong. */
const char *blt_load_frame(struct blt_reader *r, const struct blt_frame *f);

#endif
