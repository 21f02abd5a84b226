/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chunked bump allocation for data that lives as long as its experiment. */
#include "bench/arena.h"

#include "bench/json_memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)64 << 10)
#define DEFAULT_LIMIT ((size_t)1 << 30)
#define ALIGNMENT ((size_t)16)

struct arena_chunk {
	struct arena_chunk *next;
	size_t size, used;
	_Alignas(16) char data[];
};

static struct arena_chunk *add_chunk(struct arena *a, size_t size)
{
	const size_t limit = a->limit ? a->limit : DEFAULT_LIMIT;
	struct arena_chunk *c;

	size = size > CHUNK_BYTES ? size : CHUNK_BYTES;
	if (size > limit || a->taken > limit - size)
		return NULL;
	c = calloc(1, sizeof(*c) + size);
	if (!c) {
		json_memory_lacked();
		return NULL;
	}
	c->size = size;
	c->next = a->chunks;
	a->chunks = c;
	a->taken += size;
	return c;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_chunk *c = a->chunks;
	void *out;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	if (!c || c->size - c->used < size)
		c = add_chunk(a, size);
	if (!c)
		return NULL;
	out = c->data + c->used;
	c->used += size;
	return out;
}

void *arena_array(struct arena *a, size_t nr, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(nr, size, &bytes))
		return NULL;
	return arena_alloc(a, bytes);
}

char *arena_strndup(struct arena *a, const char *text, size_t len)
{
	char *out = arena_alloc(a, len + 1);

	if (out)
		memcpy(out, text, len);
	return out;
}

char *arena_strdup(struct arena *a, const char *text)
{
	return arena_strndup(a, text, strlen(text));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list args;
	char *out;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0)
		return NULL;
	out = arena_alloc(a, (size_t)len + 1);
	if (!out)
		return NULL;
	va_start(args, fmt);
	vsnprintf(out, (size_t)len + 1, fmt, args);
	va_end(args);
	return out;
}

void arena_free(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
	a->taken = 0;
}
