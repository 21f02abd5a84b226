/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line about a run on a terminal, rewritten in place. Elsewhere a line is
 * added when a run has taken a minute, two, four and so on.
 */
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
	FILE *out;
	bool on, drawn;
	size_t total, done;
	uint64_t began_ns, drawn_ns, next_note_ns;
};

void progress_init(struct progress *p, FILE *out, bool on, size_t total);
/* Draw if enough time has passed. */
void progress_update(struct progress *p, size_t done);
/* Take the line away, before anything else is printed. */
void progress_clear(struct progress *p);

/* "12/72 cells, 3.1/s, 0:19 left" */
void progress_text(size_t done, size_t total, uint64_t elapsed_ns, char *out,
		   size_t out_size);

#endif
