/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plain requests of a .blt as records of 8 bytes, in batches that a thread of
 * its own decompresses and decodes ahead of whoever takes them. Plain is what
 * is told by a kind, a CPU and one page, without those that stand beside other
 * records (T, M, K, AK), are a reporter's (I, R, TF, TB, Q) or need what comes
 * after them (D, G).
 */
#ifndef TRACE_BLT_PLAIN_H
#define TRACE_BLT_PLAIN_H

#include "trace/request.h"

/*
 * The word holds the number of the shape, all that repeats of a request (kind,
 * order, migratetype, zone, GFP mask), the CPU, and once more what is asked for
 * first. The page is the one recorded: what the twin's page is compared with
 * when it is allocated, and its handle when it is freed.
 */
struct blt_plain {
	uint32_t word;
	pfn_t page;                    /* PFN_NONE: none, it failed */
};

_Static_assert(sizeof(struct blt_plain) == 8, "records have 8 bytes");

#define PLAIN_CPU_SHIFT 12
#define PLAIN_ORDER_SHIFT 22
#define PLAIN_KIND_SHIFT 26

static inline unsigned int plain_shape(uint32_t word)
{
	return word & ((1u << PLAIN_CPU_SHIFT) - 1);
}

static inline unsigned int plain_cpu(uint32_t word)
{
	return word >> PLAIN_CPU_SHIFT & (TRACE_MAX_CPUS - 1);
}

static inline unsigned int plain_order(uint32_t word)
{
	return word >> PLAIN_ORDER_SHIFT & 0xf;
}

static inline unsigned int plain_kind(uint32_t word)
{
	return word >> PLAIN_KIND_SHIFT;
}

/* Records of one block, in order. */
struct blt_plain_batch {
	const struct blt_plain *records;
	const uint32_t *lines;         /* of the imported file */
	const struct req_record *shapes;
	uint32_t nr, nr_shapes;
};

/* The request that a record stands for. */
static inline struct req_record plain_request(const struct blt_plain_batch *b,
					      uint32_t i)
{
	struct req_record rec = b->shapes[plain_shape(b->records[i].word)];

	rec.cpu = (uint16_t)plain_cpu(b->records[i].word);
	rec.pfn = b->records[i].page;
	return rec;
}

struct blt_reader;
struct blt_pipe;

/* Are all events of the file plain requests, by its index? */
bool blt_is_plain(const struct blt_reader *r);

/*
 * From the first record on, whatever was read before; the reader is the pipe's
 * until it is closed. threads: 2 decode ahead on a thread of their own, 1 does
 * not, 0 is what the machine has CPUs for. 0 or -ENOMEM after a message.
 */
int blt_pipe_open(struct blt_pipe **out, struct blt_reader *r,
		  unsigned int threads);
/*
 * 1 and a batch, valid until the next call; 0 at the end; -EINVAL: the batch
 * has requests beyond the reader's limits, all of which were reported, and
 * calling on reads the next one; any other negative errno after a message: the
 * file is broken here and nothing more can be read.
 */
int blt_pipe_next(struct blt_pipe *p, struct blt_plain_batch *out);
void blt_pipe_close(struct blt_pipe *p);
bool blt_pipe_threaded(const struct blt_pipe *p);

#endif
