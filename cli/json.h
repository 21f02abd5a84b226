/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What commands print for scripts: one JSON document with sorted keys. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <jansson.h>

#include "bench/bench.h"

/* A cell of a plan: id, variant, axes, seed. NULL without memory. */
json_t *exp_cell_json(const struct cell *c);

/* Print and release; `o` may be NULL, which is said. The exit code. */
int print_json_document(const char *command, json_t *o);

#endif
