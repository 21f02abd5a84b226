/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files that compare streams. */
#ifndef REPLAY_STREAM_INTERNAL_H
#define REPLAY_STREAM_INTERNAL_H

#include "replay/stream.h"

/*
 * mate[i] := the call of b that call i of a is matched with, or STREAM_NONE;
 * ascending. *exact: no other choice matches more. 0 or -ENOMEM.
 */
int stream_align(const uint16_t *a, uint32_t nr_a, const uint16_t *b,
		 uint32_t nr_b, uint32_t *mate, bool *exact);
/* What a call is, in one number. */
uint16_t stream_token(const struct stream_call *c);

enum stream_side {
	SIDE_BOTH,                   /* matched */
	SIDE_RECORDED,               /* only in the recording */
	SIDE_OURS,
};

/* Why a call is on one side only, as far as the streams themselves tell. */
enum stream_cause {
	CAUSE_NONE,
	CAUSE_FORK_COPY,
	CAUSE_SLAB,
	CAUSE_NEIGHBOUR_TABLE,
	CAUSE_IMAGE_UNMAP,
	CAUSE_FILE_READ,
	CAUSE_KERNEL,
	CAUSE_MORE_PAGES,
	CAUSE_INHERITED,
	CAUSE_OF_UNMATCHED,
	CAUSE_MOVED,
	CAUSE_KEPT,
	CAUSE_OWN_TABLE,
	CAUSE_FEWER_PAGES,
	CAUSE_PGD,
	NR_CAUSES,
};

#define STREAM_MAX_PERIOD 4

/* One line of a printed diff: `reps` times `period` calls of one side. */
struct stream_line {
	uint32_t first, first_ours;  /* number of the first call, from 0 */
	uint32_t period, reps;
	enum stream_side side;
	enum stream_cause cause;     /* of all of them */
};

struct stream_lines {
	struct stream_line *lines;
	uint32_t nr, capacity;
};

/* The whole diff as lines; matched ones too. 0 or -ENOMEM. */
int stream_lines_build(struct stream_lines *l, const struct stream_diff *d);
void stream_lines_free(struct stream_lines *l);
const char *stream_cause_text(enum stream_cause c); /* NULL for NONE */
/* "64 x (alloc o9 M huge page, alloc o0 U page table)" */
void stream_line_format(const struct stream_diff *d,
			const struct stream_line *line, char *out, size_t size);

#endif
