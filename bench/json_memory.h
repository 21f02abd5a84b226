/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Did the JSON library, or an arena of texts, ever run out of memory? */
#ifndef BENCH_JSON_MEMORY_H
#define BENCH_JSON_MEMORY_H

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

#endif
