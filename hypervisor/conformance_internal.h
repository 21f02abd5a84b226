/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files conformance*.c. */
#ifndef HYPERVISOR_CONFORMANCE_INTERNAL_H
#define HYPERVISOR_CONFORMANCE_INTERNAL_H

#include "hypervisor/conformance.h"
#include "include/rng.h"

#define CONFORMANCE_GUESTS 3

/*
 * `count` blocks of one order, each `step` pages after the last:
 *     w r z t    written, read, cleared, used as a page table
 *     d b        reported as free, put into the balloon
 *     k          khugepaged wakes up: no block, `count` times
 */
struct conformance_op {
	char verb;
	uint8_t guest;
	uint8_t order;
	pfn_t pfn;
	uint32_t count, step;
};

/*
 * A case that is written down. A script is operations separated by `;`:
 *     VERB[GUEST] PFN ORDER [COUNT STEP]     COUNT * = as many as fit
 */
struct conformance_case {
	const char *name;
	const char *options;   /* of both hosts; NULL = none */
	const char *model, *real; /* of one of them; NULL = none */
	const char *script;
	unsigned int guests;   /* 0 = 1 */
	uint32_t tail;         /* pages more than whole regions */
	bool half;             /* of the memory is enough */
	bool small;            /* a small guest, whatever the memory */
};

extern const struct conformance_case conformance_cases[];
extern const unsigned int nr_conformance_cases;

/* The next operation of a script, or false at its end. CHECKs its syntax. */
bool conformance_parse(const char **script, pfn_t nr_pages,
		       struct conformance_op *op);
void conformance_print(const struct conformance_op *op, char *out,
		       size_t out_size);

/* A random stream: what it is made of, and which pages it has written. */
struct conformance_stream {
	struct rng rng;
	unsigned int guests;
	pfn_t nr_pages;
	unsigned int left;     /* operations to come */
	char options[200], model[64], real[64];
	uint64_t *written[CONFORMANCE_GUESTS]; /* owned bitmaps */
};

int conformance_stream_init(struct conformance_stream *s, uint64_t seed,
		unsigned int number, unsigned int steps);
bool conformance_stream_next(struct conformance_stream *s, struct conformance_op *op);
void conformance_stream_end(struct conformance_stream *s);

#endif
