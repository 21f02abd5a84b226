/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two sets of results: what compare, check and accept start with. */
#ifndef CLI_PAIR_H
#define CLI_PAIR_H

#include "bench/bench.h"

struct pair {
	struct results base, new;
	struct thresholds thresholds;
	struct comparison comparison;
};

/*
 * Read both and compare them; `thresholds` is a file or NULL. To `accept`, a
 * base that does not exist is an empty one, and cells are matched by name where
 * they are not by id. Returns an exit code; pair_free() in any case.
 */
int pair_load(struct pair *p, const char *base, const char *new,
	      const char *thresholds, bool accept);
void pair_free(struct pair *p);
/*
 * After something of it was printed on stdout, with that result: is it whole?
 * Else says so, but for a stdout that failed, of which main() speaks.
 */
bool pair_printed(const char *command, int err);
/* Exit code of the verdict. */
int pair_exit(const struct pair *p);

#endif
