/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Digest of an ordered event stream: XXH3-128 over 64-bit words, buffered so
 * that adding a word is a store. Words are hashed in little-endian order.
 */
#ifndef INCLUDE_DIGEST_H
#define INCLUDE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_BUFFER_WORDS 512
#define DIGEST_HEX_SIZE 33

struct digest {
	void *state;       /* XXH3_state_t, owned */
	uint64_t nr_words; /* words added since digest_init() */
	uint32_t fill;     /* words waiting in buffer */
	uint64_t buffer[DIGEST_BUFFER_WORDS];
};

/* 0 or -ENOMEM. digest_destroy() accepts a zeroed struct. */
int digest_init(struct digest *d);
/* As after digest_init(). */
void digest_reset(struct digest *d);
void digest_destroy(struct digest *d);
void digest_flush(struct digest *d);

static inline void digest_u64(struct digest *d, uint64_t word)
{
	d->buffer[d->fill++] = word;
	if (d->fill == DIGEST_BUFFER_WORDS)
		digest_flush(d);
}

/* digest_u64() of tag | low[i], one after the other. */
static inline void digest_u32s(struct digest *d, uint64_t tag,
			       const uint32_t *low, uint32_t nr)
{
	while (nr > 0) {
		const uint32_t room = DIGEST_BUFFER_WORDS - d->fill;
		const uint32_t part = nr < room ? nr : room;
		uint64_t *out = &d->buffer[d->fill];

		for (uint32_t i = 0; i < part; i++)
			out[i] = tag | low[i];
		d->fill += part;
		if (d->fill == DIGEST_BUFFER_WORDS)
			digest_flush(d);
		low += part;
		nr -= part;
	}
}

/* 32 lower-case hex digits of everything so far; adding may go on after. */
void digest_hex(struct digest *d, char out[DIGEST_HEX_SIZE]);

/* Add the digest of another stream, and its length, to this one. */
void digest_join(struct digest *d, struct digest *part);

/* One-shot digest of bytes. */
void digest_bytes_hex(const void *data, size_t size, char out[DIGEST_HEX_SIZE]);

#endif
