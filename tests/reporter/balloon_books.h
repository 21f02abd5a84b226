/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Books beside a design that has a target (a balloon), on a guest with enough
 * blocks of every order: what the host was told, against what its options say.
 */
#ifndef TESTS_REPORTER_BALLOON_BOOKS_H
#define TESTS_REPORTER_BALLOON_BOOKS_H

#include "include/bitmap.h"
#include "tests/reporter/designs.h"
#include "tests/reporter/rig.h"

#define NR_PAGES 65536
#define NR_SEEN 8

struct books {
	struct rig *rig;
	uint64_t unit;           /* pages */
	bool fallback, notifier;
	unsigned int batch;
	uint64_t oom_pages;

	unsigned int nr_inflate, nr_deflate;
	uint64_t inflated, deflated;    /* pages that the host was told of */
	uint64_t told[BITMAP_WORDS(NR_PAGES)]; /* what it has, as told */
	struct { enum request_kind kind; unsigned int nr; pfn_t pfn; }
		seen[NR_SEEN];          /* the latest requests */
	char broken[160];
};

/* Its own target, if an option has one, is behind it: the balloon is empty. */
void books_begin(struct books *b, const struct design *d);
/* The test fails if the books were broken. */
void books_finish(struct books *b);
/* Let the host ask for so many pages, and wait until nothing happens. */
void books_inflate(struct books *b, uint64_t target);

#endif
