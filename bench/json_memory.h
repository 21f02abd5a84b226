/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Did the JSON library, or an arena of texts, ever run out of memory? */
#ifndef BENCH_JSON_MEMORY_H
#define BENCH_JSON_MEMORY_H

#include <jansson.h>
#include <stdbool.h>

/* From here on; to be called before the first JSON value is made. */
void json_memory_watch(void);

/* Of those who made a text without it: a printed (null) is no result either. */
void json_memory_lacked(void);

/*
 * True if a value made by this thread may lack something: then it is neither to
 * be stored nor to be believed.
 */
bool json_memory_failed(void);

/*
 * json_loadb() and json_dumps(), which in jansson 2.14 write beyond their room
 * or leave out a key where a request for memory fails. Here the first one that
 * fails ends the call: NULL, and json_memory_failed() is true. The text is freed
 * by free().
 */
json_t *json_memory_load(const char *text, size_t len, size_t flags,
			 json_error_t *error);
char *json_memory_dump(const json_t *o, size_t flags);

#endif
