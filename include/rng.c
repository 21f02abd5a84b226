/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Seeding of random streams. The start state of a stream is a function of the
 * root seed, the consumer's name and an index, and of nothing else: order of
 * creation and other consumers do not matter.
 *
 * xoshiro256** and splitmix64 are the generators of Blackman and Vigna,
 * "Scrambled linear pseudorandom number generators", ACM TOMS 47, 2021.
 */
#include "include/rng.h"

#include <endian.h>
#include <string.h>
#include <xxhash.h>

#include "include/check.h"

#define RNG_NAME_MAX 128

static uint64_t splitmix64(uint64_t *x)
{
	uint64_t z;

	*x += UINT64_C(0x9e3779b97f4a7c15);
	z = *x;
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void rng_init(struct rng *r, uint64_t root_seed, const char *name,
	      uint64_t index)
{
	/* root seed, index, name; the two numbers in little-endian order */
	unsigned char key[2 * sizeof(uint64_t) + RNG_NAME_MAX];
	const uint64_t numbers[2] = { htole64(root_seed), htole64(index) };
	const size_t len = strlen(name);
	uint64_t x;

	CHECK_LE(len, RNG_NAME_MAX);
	memcpy(key, numbers, sizeof(numbers));
	memcpy(key + sizeof(numbers), name, len);
	x = XXH3_64bits(key, sizeof(numbers) + len);
	/* splitmix64 is a bijection of a counter: never four zeroes. */
	for (size_t i = 0; i < 4; i++)
		r->s[i] = splitmix64(&x);
}
