/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Did the JSON library ever run out of memory? */
#ifndef BENCH_JSON_MEMORY_H
#define BENCH_JSON_MEMORY_H

#include <stdbool.h>

/* From here on; to be called before the first JSON value is made. */
void json_memory_watch(void);

/*
 * True if a value made by this thread may lack something: then it is neither to
 * be stored nor to be believed.
 */
bool json_memory_failed(void);

#endif
