/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traces read whole, for the tests of importers. */
#ifndef TESTS_TRACE_IMPORT_H
#define TESTS_TRACE_IMPORT_H

#include <stddef.h>

#include "trace/source.h"

#define IMPORTED_MAX (64u * 1024)

/* All that a source said: one line per event, and the rest. */
struct imported {
	char text[IMPORTED_MAX];
	enum trace_format format;
	char kernel[32];            /* "" = not named */
	struct trace_stats stats;
	struct diag diag;
	unsigned int wrong;         /* lines that were reported */
	int end;                    /* 0, or the negative errno at the end */
};

/*
 * "COMM/PID CPU NS KIND fields..." and a newline for each event; opening must
 * succeed. `text` is a file's content.
 */
void import_text(struct imported *im, const char *text,
		 const struct trace_options *o);
void import_file(struct imported *im, const char *path,
		 const struct trace_options *o);

#endif
