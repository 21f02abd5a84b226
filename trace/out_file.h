/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that appears whole or not at all (include/whole.h), with messages. */
#ifndef TRACE_OUT_FILE_H
#define TRACE_OUT_FILE_H

#include "include/diag.h"
#include "include/whole.h"

struct out_file {
	FILE *out;                /* write here */
	const char *name;         /* for messages; outlives the file */
	struct whole_file file;
};

/* 0 or a negative errno after a message. Not in place of what is no regular
 * file. */
int out_file_create(struct out_file *f, const char *path, struct diag *d);
/* Message for a failed write to `out`; returns the negative errno. */
int out_file_error(struct out_file *f, struct diag *d);
/* Sync, close and rename; on failure the temporary file is gone. */
int out_file_commit(struct out_file *f, struct diag *d);
/* Remove it; after a commit there is nothing to do. */
void out_file_discard(struct out_file *f);

#endif
