/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads of a file that is larger or smaller than memory: the page cache fills,
 * and reclaim takes it again. Follows the file-read cases of vm-scalability
 * (case-lru-file-readonce, case-lru-file-readtwice, case-mmap-pread-rand): each
 * task reads a file of its own, in order or at random, `passes` times. Several
 * tasks share the size. A page read is an iteration.
 *
 * Simplified: read() is a look at the file through a mapping that is dropped
 * again after each chunk, so that the pages stay in the cache and nobody maps
 * them. A chunk is what readahead would bring (128 KiB); its pages are single
 * ones, not a large folio, and each costs a fault. Left out: the time of the
 * disk. Where the file is (`[guest] files`) decides whether reclaim may have
 * its pages; the cache of a task's file goes with the task.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "include/rng.h"
#include "workloads/share.h"

enum read_stage { READ_MAP, READ_TOUCH, READ_DROP, READ_SLEEP, READ_EXIT,
		  READ_EXITED };

struct read_task {
	enum read_stage stage;
	uint64_t len;            /* of the file */
	uint64_t left;           /* still to be read, all passes */
	uint64_t offset, chunk;  /* read last */
	struct rng rng;
};

struct file_read_state {
	struct read_task *tasks;
};

struct file_read_options {
	unsigned int pattern;    /* 0 = sequential, 1 = random */
	uint64_t chunk, passes;
	sim_ns_t sleep;
};

static const char *const pattern_names[] = { "sequential", "random", NULL };

#define OFFSET(member) offsetof(struct file_read_options, member)
static const struct option_desc file_read_descs[] = {
	{ .name = "pattern", .type = OPTION_NAME, .offset = OFFSET(pattern),
	  .names = pattern_names, .def = "sequential", .unit = "",
	  .help = "Order of the chunks." },
	{ .name = "chunk", .type = OPTION_SIZE, .offset = OFFSET(chunk),
	  .min = PAGE_SIZE, .max = UINT64_C(1) << 30, .def = "128K",
	  .unit = "bytes",
	  .help = "What is read at a time, readahead included." },
	{ .name = "passes", .type = OPTION_UINT, .offset = OFFSET(passes),
	  .min = 1, .max = 1000000, .def = "1", .unit = "times",
	  .help = "How often as much as the file has is read." },
	{ .name = "sleep", .type = OPTION_TIME, .offset = OFFSET(sleep),
	  .max = UINT64_C(86400) * NSEC_PER_SEC, .def = "0s", .unit = "time",
	  .help = "Keep the file for so long before the exit." },
	{ .name = NULL },
};

static int file_read_prepare(struct workload *w, char *why, size_t why_size)
{
	const struct file_read_options *o = w->options;
	struct file_read_state *s = w->state;
	int err = share_check(w, why, why_size);

	if (err)
		return err;
	if (o->chunk % PAGE_SIZE) {
		snprintf(why, why_size, "file_read: chunk is %llu bytes, it "
			 "has to be a multiple of 4K",
			 (unsigned long long)o->chunk);
		return -EINVAL;
	}
	s->tasks = calloc(w->ctx.nr_tasks, sizeof(*s->tasks));
	if (!s->tasks) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < w->ctx.nr_tasks; i++) {
		s->tasks[i].len = share_of_task(w, i);
		s->tasks[i].left = s->tasks[i].len * o->passes;
		rng_init(&s->tasks[i].rng, w->ctx.seed, "file_read", i);
	}
	return 0;
}

/* Where the next chunk is; it does not reach beyond the file. */
static void choose_chunk(const struct file_read_options *o,
			 struct read_task *t)
{
	const uint64_t chunks = (t->len + o->chunk - 1) / o->chunk;

	if (o->pattern)
		t->offset = o->chunk * rng_below(&t->rng,
						  (uint32_t)chunks);
	else
		t->offset = (t->offset + t->chunk) % t->len;
	t->chunk = t->len - t->offset;
	if (t->chunk > o->chunk)
		t->chunk = o->chunk;
	t->left -= t->chunk < t->left ? t->chunk : t->left;
}

static bool file_read_next(struct workload *w, unsigned int task,
			   struct workload_op *op)
{
	const struct file_read_options *o = w->options;
	struct file_read_state *s = w->state;
	struct read_task *t = &s->tasks[task];

	*op = (struct workload_op){ .len = t->len };
	switch (t->stage) {
	case READ_MAP:
		op->kind = WORKLOAD_MMAP;
		op->flags = WORKLOAD_MAP_FILE;
		t->stage = READ_TOUCH;
		return true;
	case READ_TOUCH:
		choose_chunk(o, t);
		*op = (struct workload_op){
			.kind = WORKLOAD_TOUCH,
			.flags = WORKLOAD_TOUCH_READ | WORKLOAD_COUNTED,
			.offset = t->offset, .len = t->chunk,
		};
		t->stage = READ_DROP;
		return true;
	case READ_DROP:
		*op = (struct workload_op){ .kind = WORKLOAD_MADV_DONTNEED,
					    .offset = t->offset,
					    .len = t->chunk };
		t->stage = t->left ? READ_TOUCH :
			   o->sleep ? READ_SLEEP : READ_EXIT;
		return true;
	case READ_SLEEP:
		*op = (struct workload_op){ .kind = WORKLOAD_SLEEP,
					    .ns = o->sleep };
		t->stage = READ_EXIT;
		return true;
	case READ_EXIT:
		*op = (struct workload_op){ .kind = WORKLOAD_EXIT };
		t->stage = READ_EXITED;
		return true;
	case READ_EXITED:
		break;
	}
	return false;
}

static void file_read_cleanup(struct workload *w)
{
	struct file_read_state *s = w->state;

	free(s->tasks);
	s->tasks = NULL;
}

const struct workload_ops file_read_workload = {
	.name = "file_read",
	.summary = "read a file in order or at random, then exit",
	.options = { file_read_descs, sizeof(struct file_read_options) },
	.state_size = sizeof(struct file_read_state),
	.needs_size = true,
	.size_of_files = true,
	.prepare = file_read_prepare,
	.next = file_read_next,
	.cleanup = file_read_cleanup,
};
