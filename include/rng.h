/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deterministic random numbers: xoshiro256** seeded by splitmix64, one
 * independent stream per named consumer, so that a new consumer never shifts
 * the numbers of an old one. Own code because the libraries that offer it are
 * GPL-3 (GSL) or C++ only (pcg).
 */
#ifndef INCLUDE_RNG_H
#define INCLUDE_RNG_H

#include <stdint.h>

struct rng {
	uint64_t s[4];
};

/* Stream `index` of consumer `name` under the run's root seed. */
void rng_init(struct rng *r, uint64_t root_seed, const char *name,
	      uint64_t index);

static inline uint64_t rng_rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

/* Next 64 uniformly distributed bits. */
static inline uint64_t rng_next(struct rng *r)
{
	const uint64_t result = rng_rotl(r->s[1] * 5, 7) * 9;
	const uint64_t t = r->s[1] << 17;

	r->s[2] ^= r->s[0];
	r->s[3] ^= r->s[1];
	r->s[1] ^= r->s[2];
	r->s[0] ^= r->s[3];
	r->s[2] ^= t;
	r->s[3] = rng_rotl(r->s[3], 45);
	return result;
}

/* Uniform in [0, bound), bound > 0; multiply-shift, bias below 2^-32. */
static inline uint32_t rng_below(struct rng *r, uint32_t bound)
{
	return (uint32_t)(((rng_next(r) >> 32) * bound) >> 32);
}

#endif
