/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XXH3-128 over 64-bit words in little-endian order. The hash is the same for
 * every vector unit that the library chooses at run or build time, and its hex
 * spelling is the canonical one that xxhsum -H2 prints.
 */
#include "include/digest.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "include/check.h"

static void format_hex(XXH128_hash_t hash, char out[DIGEST_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	XXH128_canonical_t bytes;

	XXH128_canonicalFromHash(&bytes, hash);
	for (size_t i = 0; i < sizeof(bytes.digest); i++) {
		out[2 * i] = digits[bytes.digest[i] >> 4];
		out[2 * i + 1] = digits[bytes.digest[i] & 15];
	}
	out[DIGEST_HEX_SIZE - 1] = '\0';
}

int digest_init(struct digest *d)
{
	memset(d, 0, sizeof(*d));
	d->state = XXH3_createState();
	if (!d->state)
		return -ENOMEM;
	CHECK(XXH3_128bits_reset(d->state) == XXH_OK);
	return 0;
}

void digest_reset(struct digest *d)
{
	d->fill = 0;
	d->nr_words = 0;
	CHECK(XXH3_128bits_reset(d->state) == XXH_OK);
}

void digest_destroy(struct digest *d)
{
	XXH3_freeState(d->state);
	memset(d, 0, sizeof(*d));
}

void digest_flush(struct digest *d)
{
	CHECK_LE(d->fill, DIGEST_BUFFER_WORDS);
	/* No code on little-endian machines. */
	for (uint32_t i = 0; i < d->fill; i++)
		d->buffer[i] = htole64(d->buffer[i]);
	CHECK(XXH3_128bits_update(d->state, d->buffer,
				  d->fill * sizeof(d->buffer[0])) == XXH_OK);
	d->nr_words += d->fill;
	d->fill = 0;
}

void digest_hex(struct digest *d, char out[DIGEST_HEX_SIZE])
{
	digest_flush(d);
	format_hex(XXH3_128bits_digest(d->state), out);
}

void digest_join(struct digest *d, struct digest *part)
{
	XXH128_hash_t hash;

	digest_flush(part);
	hash = XXH3_128bits_digest(part->state);
	digest_u64(d, part->nr_words);
	digest_u64(d, hash.high64);
	digest_u64(d, hash.low64);
}

void digest_bytes_hex(const void *data, size_t size, char out[DIGEST_HEX_SIZE])
{
	format_hex(XXH3_128bits(data, size), out);
}
