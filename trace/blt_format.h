/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes of a .blt file; docs/trace-formats.md is the reference. Only trace/
 * and tests include this.
 */
#ifndef TRACE_BLT_FORMAT_H
#define TRACE_BLT_FORMAT_H

#include <string.h>

#include "trace/blt_plain.h"
#include "trace/event.h"
#include "trace/source.h"

#define BLT_VERSION 1u

/* Every frame that is not data: a zstd skippable frame with this number. */
#define BLT_SKIPPABLE 0x184d2a5bu
#define BLT_FRAME_HEAD 8u            /* its number and size */

/* What a skippable frame holds, its first bytes. */
#define BLT_TAG_BYTES 8u
#define BLT_TAG_HEADER "\x89" "BLT\r\n\x1a\n"
#define BLT_TAG_TASKS "blttasks"
#define BLT_TAG_INDEX "bltindex"
#define BLT_TAG_END "blt-end\n"

#define BLT_NAME_BYTES 32u           /* kernel and source in the header */
#define BLT_HEADER_BYTES (BLT_TAG_BYTES + 8 + 2 * BLT_NAME_BYTES + 8)
#define BLT_TRAILER_BYTES 56u        /* the last bytes of the file */
#define BLT_INDEX_ENTRY 32u
#define BLT_DIGEST_BYTES 16u

/* Decoded bytes of a data frame, at most, and its own header. */
#define BLT_BLOCK_BYTES (1u << 20)
#define BLT_BLOCK_HEADER 16u
/* More than the longest record has; also the room behind a decoded block, so
 * that a record is checked once, after it was read. */
#define BLT_RECORD_MAX 256u
#define BLT_MAX_SHAPES 4096u

/* Clock of a block: what its time differences count. */
enum blt_clock {
	BLT_CLOCK_NONE = 0,
	BLT_CLOCK_USEC = 1,
	BLT_CLOCK_NSEC = 2,
	BLT_NR_CLOCKS,
};

static inline uint64_t blt_clock_unit(enum blt_clock c)
{
	return c == BLT_CLOCK_USEC ? NSEC_PER_USEC : c == BLT_CLOCK_NSEC;
}

/* Codes of shapes: those of enum req_kind, then the other kinds. */
#define BLT_CODE_KMEM 32u            /* + enum trace_kind */
#define BLT_NR_CODES (BLT_CODE_KMEM + TRACE_NR_KINDS)

/* What changed before a record. */
#define BLT_CTX_CPU 1u
#define BLT_CTX_TASK 2u
#define BLT_CTX_LINE 4u
#define BLT_CTX_ALL 7u

/*
 * All of an event that repeats: everything but time, place and the page. The
 * members in this order are the 8 bytes of a definition, then the GFP mask.
 */
struct blt_shape {
	uint8_t code;
	uint8_t order;
	uint8_t mt;
	uint8_t zone;
	uint8_t a;      /* D: pindex; refill, fallback_order; mem: op */
	uint8_t b;      /* W, T, L: on; EXTFRAG: fallback_mt */
	uint8_t c;      /* EXTFRAG: change_ownership */
	uint8_t page;   /* 1: a page follows; 0: none, or it failed */
	uint32_t gfp;
};

#define BLT_SHAPE_BYTES 8u

/* What a code has. */
#define BLT_HAS_ORDER 0x01u
#define BLT_HAS_TYPE 0x02u
#define BLT_HAS_ZONE 0x04u
#define BLT_HAS_GFP 0x08u
#define BLT_HAS_CPU 0x10u
#define BLT_HAS_PAGE 0x20u           /* there is one */
#define BLT_MAY_FAIL 0x40u           /* there may be one */
#define BLT_HAS_MORE 0x80u           /* fields behind the page */
#define BLT_IS_CODE 0x100u

struct blt_code {
	unsigned int has;
	uint8_t a_max, b_max, c_max;
};

/* NULL: no such code. */
const struct blt_code *blt_code(unsigned int code);
/* Of an event whose kind exists. */
void blt_shape_of(const struct trace_event *e, struct blt_shape *s);
/* NULL, or what is wrong with it. */
const char *blt_shape_check(const struct blt_shape *s);

/* Differences run per code and per CPU modulo this. */
#define BLT_CPU_SLOTS 16u

struct blt_state {
	uint64_t time;               /* in clock units */
	uint64_t addr;               /* end of the last memory operation */
	uint32_t line, task;
	uint16_t cpu;
	pfn_t pfn[BLT_NR_CODES][BLT_CPU_SLOTS];
};

static inline uint64_t blt_zigzag(uint64_t difference)
{
	return difference << 1 ^ (uint64_t)((int64_t)difference >> 63);
}

static inline uint64_t blt_unzigzag(uint64_t v)
{
	return v >> 1 ^ (0 - (v & 1));
}

static inline uint8_t *blt_put_varint(uint8_t *p, uint64_t v)
{
	while (v >= 0x80) {
		*p++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*p++ = (uint8_t)v;
	return p;
}

static inline void blt_put32(uint8_t *p, uint32_t v)
{
	for (unsigned int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static inline void blt_put64(uint8_t *p, uint64_t v)
{
	for (unsigned int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static inline uint32_t blt_get32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

static inline uint64_t blt_get64(const uint8_t *p)
{
	return blt_get32(p) | (uint64_t)blt_get32(p + 4) << 32;
}

/* Of a block while it is made. */
struct blt_encoder {
	struct blt_state state;
	enum blt_clock clock;
	unsigned int nr_shapes;
	struct blt_shape shapes[BLT_MAX_SHAPES];
	uint16_t table[2 * BLT_MAX_SHAPES]; /* number + 1, by hash */
};

void blt_encoder_reset(struct blt_encoder *e, enum blt_clock clock);
/* The event's clock, if it is finer than this one. */
enum blt_clock blt_clock_of(const struct trace_event *e, enum blt_clock now);
/* NULL, or what about the event has no place in the format. */
const char *blt_check(const struct trace_event *e);
/* The end of the record; at most BLT_RECORD_MAX bytes are written. */
uint8_t *blt_encode(struct blt_encoder *e, const struct trace_event *ev,
		    uint8_t *p);

struct blt_template {
	struct trace_event event;    /* with the fields of the shape */
	unsigned int has;
	uint32_t plain;              /* word of a plain record, without CPU */
	uint8_t code;
	bool request;
};

/* Of a block while it is read. */
struct blt_decoder {
	struct blt_state state;
	const uint8_t *at, *end;     /* BLT_RECORD_MAX bytes are behind end */
	uint64_t unit;
	uint32_t left;               /* events */
	uint32_t nr_tasks;
	unsigned int nr_shapes;
	const char *why;             /* what is wrong with the block */
	struct blt_template shapes[BLT_MAX_SHAPES];
};

/* False: the block's header is wrong, see `why`. */
bool blt_decoder_start(struct blt_decoder *d, const uint8_t *block,
		       size_t size, uint32_t nr_tasks);
/* The number of events; fewer than n: the block ends or is wrong. */
unsigned int blt_decode(struct blt_decoder *d, struct trace_event *out,
			unsigned int n);

/*
 * The same without a copy of what repeats, for blocks of plain requests; `why`
 * is set if there is another event.
 */
unsigned int blt_decode_plain(struct blt_decoder *d, struct blt_plain *out,
			      uint32_t *lines, unsigned int n);

/* One data frame, as the index knows it. */
struct blt_frame {
	uint64_t offset;             /* in the file; not stored */
	uint64_t first_ns, last_ns;
	uint32_t stored, decoded, events;
};

/* End of the file, as stored and as read. */
struct blt_trailer {
	uint64_t tasks_at, index_at, events;
	uint8_t digest[BLT_DIGEST_BYTES];
};

/* Words of the statistics; see blt_tables.c. */
#define BLT_MAX_STATS 128u

uint64_t blt_checksum(const void *data, size_t size);
/* Content of the header frame, BLT_HEADER_BYTES. */
void blt_header_build(uint8_t *out, const char *kernel, const char *source);
/* NULL or what is wrong with it. */
const char *blt_header_parse(const uint8_t *p, char kernel[BLT_NAME_BYTES],
			     char source[BLT_NAME_BYTES]);
/* Statistics as words; the number of them. */
unsigned int blt_stats_build(const struct trace_stats *s,
			     uint64_t out[BLT_MAX_STATS]);
/* The words used, or 0: these are none. */
size_t blt_stats_parse(struct trace_stats *s, const uint8_t *p, size_t size);
/* Counts one event into everything that events alone decide; `before` is the
 * time of the event before it. */
void blt_stats_count(struct trace_stats *s, const struct trace_event *e,
		     uint64_t before);

#endif
