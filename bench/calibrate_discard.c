/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MADV_DONTNEED of blocks of each order, and the faults that bring the memory
 * back. Every other block of a filled mapping is dropped, as if it had been
 * reported: orders 0 to 8 of memory behind small pages, 9 and 10 of memory
 * behind huge ones.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/calibrate_internal.h"
#include "include/types.h"

#define MAX_BLOCKS 512
#define MAX_BYTES ((size_t)256 << 20)

struct discard_run {
	unsigned int order;
	size_t block, nr;          /* bytes; every other one is dropped */
	char *p;
	double discard[MAX_BLOCKS], refault[MAX_BLOCKS];
};

static int drop_blocks(struct discard_run *r)
{
	for (size_t i = 0; i < r->nr; i++) {
		const uint64_t t0 = calibrate_now_ns();

		if (madvise(r->p + 2 * i * r->block, r->block, MADV_DONTNEED))
			return -errno;
		r->discard[i] = (double)(calibrate_now_ns() - t0);
	}
	return 0;
}

/* Time of one fault, of a small page or of a huge one. */
static void touch_blocks(struct discard_run *r)
{
	const size_t step = r->order < HPAGE_PMD_ORDER ? PAGE_SIZE :
							 HPAGE_PMD_SIZE;

	for (size_t i = 0; i < r->nr; i++) {
		char *block = r->p + 2 * i * r->block;
		const uint64_t t0 = calibrate_now_ns();

		for (size_t at = 0; at < r->block; at += step)
			*(volatile char *)(block + at) = 1;
		r->refault[i] = (double)(calibrate_now_ns() - t0) /
				(double)(r->block / step);
	}
}

static int measure_order(struct calibration *c, struct discard_run *r,
			 unsigned int order)
{
	const size_t most = c->memory < MAX_BYTES ? c->memory : MAX_BYTES;
	char name[32];
	size_t size;
	int err;

	r->order = order;
	r->block = PAGE_SIZE << order;
	r->nr = most / r->block / 2;
	r->nr = r->nr < MAX_BLOCKS ? r->nr : MAX_BLOCKS;
	size = 2 * r->nr * r->block;
	r->p = calibrate_map(size, order >= HPAGE_PMD_ORDER);
	if (!r->p)
		return -ENOMEM;
	memset(r->p, 1, size);
	/* Once to warm up: what comes back then is what was dropped now. */
	err = drop_blocks(r);
	if (!err) {
		touch_blocks(r);
		err = drop_blocks(r);
	}
	if (!err) {
		touch_blocks(r);
		snprintf(name, sizeof(name), "discard_order%u", order);
		fact_add(c, name, 1, r->discard, r->nr);
		snprintf(name, sizeof(name), "refault_order%u", order);
		fact_add(c, name, 1, r->refault, r->nr);
	}
	calibrate_unmap(r->p, size);
	return err;
}

int measure_discards(struct calibration *c)
{
	struct discard_run *r = calloc(1, sizeof(*r));
	int err = r ? 0 : -ENOMEM;

	for (unsigned int o = 0; o <= MAX_PAGE_ORDER && !err; o++) {
		if (time_is_over(c, "discards"))
			break;
		err = measure_order(c, r, o);
	}
	free(r);
	return err;
}
