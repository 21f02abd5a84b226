/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What reading memory costs that is in no cache: a list node, the next line of
 * many in a row, a page that is copied.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/calibrate_internal.h"
#include "include/rng.h"
#include "include/types.h"

#define LINE 64
#define ROUNDS 15

/* ---- cold list nodes ---- */

#define CHASE_STEPS 100000

/* One cycle through all lines, in random order (Sattolo). */
static void make_cycle(uint32_t *next, char *p, size_t nr)
{
	struct rng r;
	size_t i;

	rng_init(&r, 1, "chase", 0);
	for (i = 0; i < nr; i++)
		next[i] = (uint32_t)i;
	for (i = nr - 1; i > 0; i--) {
		const uint32_t k = rng_below(&r, (uint32_t)i);
		const uint32_t t = next[i];

		next[i] = next[k];
		next[k] = t;
	}
	for (i = 0; i < nr; i++)
		memcpy(p + i * LINE, &next[i], sizeof(next[i]));
}

/* Pointer chase through memory that is in no cache. */
static int chase_nodes(struct calibration *c, char *p)
{
	const size_t nr = c->cold_bytes / LINE;
	uint32_t *next = malloc(nr * sizeof(*next)), at = 0;
	double ns[ROUNDS];

	if (!next)
		return -ENOMEM;
	make_cycle(next, p, nr);
	free(next);
	for (size_t i = 0; i < ROUNDS; i++) {
		const uint64_t t0 = calibrate_cpu_ns();

		for (size_t n = 0; n < CHASE_STEPS; n++)
			at = *(volatile uint32_t *)(void *)(p +
							    (size_t)at * LINE);
		ns[i] = (double)(calibrate_cpu_ns() - t0) / CHASE_STEPS;
	}
	__asm__ volatile("" : : "r"(at));
	fact_add(c, "cold_node", 1, ns, ROUNDS);
	return 0;
}

/* ---- lines in a row ---- */

/* Struct pages one after the other: one line of 64 bytes for each. */
static void scan_lines(struct calibration *c, const char *p)
{
	const size_t part = c->cold_bytes / ROUNDS & ~(size_t)(LINE - 1);
	double ns[ROUNDS];

	for (size_t i = 0; i < ROUNDS; i++) {
		const uint64_t t0 = calibrate_cpu_ns();

		for (size_t at = 0; at < part; at += LINE)
			(void)*(const volatile char *)(p + i * part + at);
		ns[i] = (double)(calibrate_cpu_ns() - t0) /
			(double)(part / LINE);
	}
	fact_add(c, "scan_line", 1, ns, ROUNDS);
}

/* ---- copies ---- */

#define COPIES_AT_ONCE 64

/* From cold pages to cold pages, as many bytes apart as there is room. */
static void copy_pages(struct calibration *c, char *p)
{
	const size_t half = c->cold_bytes / 2;
	const size_t stride = half / PAGE_SIZE / COPIES_AT_ONCE * PAGE_SIZE -
			      PAGE_SIZE;
	double ns[ROUNDS];

	for (size_t i = 0; i < ROUNDS; i++) {
		char *from = p + i * PAGE_SIZE, *to = from + half;
		const uint64_t t0 = calibrate_now_ns();

		for (size_t n = 0; n < COPIES_AT_ONCE; n++)
			memcpy(to + n * stride, from + n * stride, PAGE_SIZE);
		__asm__ volatile("" : : "r"(to) : "memory");
		ns[i] = (double)(calibrate_now_ns() - t0) / COPIES_AT_ONCE;
	}
	fact_add(c, "copy_4k_cold", 1, ns, ROUNDS);
}

int measure_cold(struct calibration *c)
{
	copy_pages(c, c->cold);
	scan_lines(c, c->cold);
	return chase_nodes(c, c->cold);
}
