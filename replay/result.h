/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Spelling of results in several files; only those include it. */
#ifndef REPLAY_RESULT_H
#define REPLAY_RESULT_H

#include <jansson.h>

#include "replay/internal.h"

typedef const char *(*result_name_fn)(unsigned int nr);

/* Only the kinds that occurred, as an object or as one line. */
json_t *result_counts(const uint64_t *values, unsigned int nr,
		      result_name_fn name);
void result_print_counts(FILE *out, const char *title, const uint64_t *values,
			 unsigned int nr, result_name_fn name);
json_t *json_u64(uint64_t v);

/* ---- stock_result.c ---- */

/* null for a request stream. */
json_t *stock_json(const struct replay_stock *s);
void stock_print(const struct replay_stock *s, enum replay_mode mode,
		 FILE *out);

#endif
