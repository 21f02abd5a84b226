/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two sides of `buddylab stream-diff`: a recorded task, and our workload. */
#ifndef CLI_STREAM_DIFF_H
#define CLI_STREAM_DIFF_H

#include "include/diag.h"
#include "replay/stream.h"

struct workload_ops;

#define STREAM_TASK_SIZE 64

/* The calls of one task of a trace. */
struct stream_record {
	struct stream stream;
	char task[STREAM_TASK_SIZE]; /* "init-26" */
	char kernel[16];             /* profile that the file names, or "" */
};

/*
 * `task` is COMM, COMM-PID or PID; NULL takes the task with most calls. The
 * file is read twice. 0 or the exit code, with messages on d; free in any case.
 */
int stream_record_load(struct stream_record *r, const char *path,
		       const char *task, const char *kernel, struct diag *d);
void stream_record_free(struct stream_record *r);

/* What runs on the twin machine. */
struct stream_machine;

/* NULL without memory. */
struct stream_machine *stream_machine_new(const struct workload_ops *w);
void stream_machine_free(struct stream_machine *m);
/*
 * guest.KEY, or a key of the phase or of the workload. 0, or -EINVAL with a
 * reason.
 */
int stream_machine_set(struct stream_machine *m, const char *key,
		       const char *value, char *why, size_t why_size);
/* An endless workload is told to exit after so many unmaps. */
void stream_machine_loops(struct stream_machine *m, uint64_t loops);
/* Pages of the program that its exit passes without freeing them. */
void stream_machine_image(struct stream_machine *m, uint64_t pages);
/* Mappings grow down from here. */
void stream_machine_base(struct stream_machine *m, uint64_t mmap_base);
/*
 * Run the workload and collect the calls of its first task. 0 or -errno with
 * a reason; free *out in any case.
 */
int stream_machine_run(struct stream_machine *m, struct stream *out,
		       char *why, size_t why_size);

#endif
