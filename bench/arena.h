/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is given back all at once: the strings and tables of an
 * experiment or of a set of results. Everything is zeroed.
 */
#ifndef BENCH_ARENA_H
#define BENCH_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;
	size_t limit;   /* most bytes it may take; 0 = 1 GiB */
	size_t taken;
};

/* NULL if there is no memory, or if the limit is reached. */
void *arena_alloc(struct arena *a, size_t size);
/* nr elements; NULL if the product overflows too. */
void *arena_array(struct arena *a, size_t nr, size_t size);
char *arena_strndup(struct arena *a, const char *text, size_t len);
char *arena_strdup(struct arena *a, const char *text);
__attribute__((format(printf, 2, 3)))
char *arena_printf(struct arena *a, const char *fmt, ...);
/* Accepts a zeroed struct. */
void arena_free(struct arena *a);

#endif
