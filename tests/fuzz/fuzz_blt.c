/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * .blt files. Checksums keep mutations away from the records, so the same
 * bytes are also decoded as a bare block; what is decoded is written and read
 * again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "tests/fuzz/fuzz.h"
#include "trace/blt.h"
#include "trace/blt_format.h"

#define BATCH 64

static void read_file(const uint8_t *data, size_t size)
{
	static const struct req_limits limits = { 4, 4, 0x7, 8192 };
	struct diag d = { 0 };
	struct trace_event e;
	struct blt_reader *r;
	struct fuzz_file f;
	int got;

	fuzz_file_open(&f, data, size);
	if (!blt_open(&r, f.path, &d)) {
		if (size % 2)
			blt_set_limits(r, &limits);
		while ((got = blt_next(r, &e)) == 1 || got == -EINVAL)
			;
		CHECK(!got || d.nr_errors);
		blt_close(r);
	} else {
		CHECK(d.nr_errors);
	}
	fuzz_file_close(&f);
}

/* Large, so made once per input. */
struct codec {
	struct blt_encoder enc;
	struct blt_decoder first, again;
	uint8_t block[BLT_BLOCK_HEADER + (BATCH + 1) * BLT_RECORD_MAX];
};

/* Events that were decoded can be encoded, and stay what they are. */
static void check_round_trip(struct codec *c, const struct trace_event *e,
			     unsigned int n)
{
	struct blt_encoder *enc = &c->enc;
	struct blt_decoder *dec = &c->again;
	struct trace_event again[BATCH];
	uint8_t *block = c->block, *p = block + BLT_BLOCK_HEADER;

	memset(block, 0, sizeof(c->block));
	blt_encoder_reset(enc, BLT_CLOCK_NSEC);
	for (unsigned int i = 0; i < n; i++) {
		CHECK(!blt_check(&e[i]));
		p = blt_encode(enc, &e[i], p);
	}
	blt_put32(block, n);
	blt_put32(block + 4, BLT_CLOCK_NSEC);
	CHECK(blt_decoder_start(dec, block, (size_t)(p - block), UINT32_MAX));
	CHECK_EQ(blt_decode(dec, again, BATCH), n);
	CHECK_MSG(!dec->why, "%s", dec->why);
	for (unsigned int i = 0; i < n; i++) {
		CHECK_EQ(again[i].ns, e[i].ns);
		CHECK_EQ(again[i].line, e[i].line);
		CHECK_EQ(again[i].task, e[i].task);
		CHECK_EQ(again[i].cpu, e[i].cpu);
		CHECK_EQ(again[i].kind, e[i].kind);
		CHECK(!memcmp(&again[i].u, &e[i].u, sizeof(e[i].u)));
	}
}

static void decode_block(const uint8_t *data, size_t size)
{
	uint8_t *block = calloc(1, size + BLT_RECORD_MAX);
	struct codec *c = malloc(sizeof(*c));
	struct blt_decoder *d;
	struct trace_event e[BATCH];
	unsigned int n;

	CHECK(block && c);
	d = &c->first;
	memcpy(block, data, size);
	if (blt_decoder_start(d, block, size, 3)) {
		do {
			n = blt_decode(d, e, BATCH);
			check_round_trip(c, e, n);
		} while (n && !d->why);
		CHECK(d->why || d->at == d->end);
	}
	free(block);
	free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (blt_detect(data, size))
		read_file(data, size);
	decode_block(data, size);
	return 0;
}
