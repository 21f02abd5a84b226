/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Task table: an open hash over slots that never move, so that what was handed
 * out stays valid. Models nothing of a kernel; a pid with another name (exec)
 * is another task.
 */
#include "trace/tasks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BUCKETS 1024u

static struct task_slot *slot_of(const struct task_table *t, uint32_t task)
{
	return &t->chunks[task / TASKS_CHUNK][task % TASKS_CHUNK];
}

static uint32_t hash(uint32_t pid, const char *comm, size_t len)
{
	uint64_t h = pid * UINT64_C(0x9e3779b97f4a7c15);

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)comm[i]) * UINT64_C(0x100000001b3);
	return (uint32_t)(h >> 32);
}

static uint32_t *find_bucket(const struct task_table *t, uint32_t pid,
			     const char *comm, size_t len)
{
	uint32_t i = hash(pid, comm, len);

	for (;; i++) {
		uint32_t *bucket = &t->buckets[i & (t->nr_buckets - 1)];
		const struct task_slot *s;

		if (!*bucket)
			return bucket;
		s = slot_of(t, *bucket);
		if (s->task.pid == pid && strlen(s->comm) == len &&
		    memcmp(s->comm, comm, len) == 0)
			return bucket;
	}
}

static int grow_buckets(struct task_table *t)
{
	struct task_table wider = *t;

	wider.nr_buckets = t->nr_buckets ? t->nr_buckets * 2 : FIRST_BUCKETS;
	wider.buckets = calloc(wider.nr_buckets, sizeof(*wider.buckets));
	if (!wider.buckets)
		return -ENOMEM;
	for (uint32_t i = 1; i < t->nr; i++) {
		const struct task_slot *s = slot_of(t, i);

		*find_bucket(&wider, s->task.pid, s->comm,
			     strlen(s->comm)) = i;
	}
	free(t->buckets);
	*t = wider;
	return 0;
}

static int add(struct task_table *t, uint32_t pid, const char *comm,
	       size_t len, uint32_t *out)
{
	struct task_slot **chunk = &t->chunks[t->nr / TASKS_CHUNK];
	struct task_slot *s;

	if (!*chunk)
		*chunk = calloc(TASKS_CHUNK, sizeof(**chunk));
	if (!*chunk)
		return -ENOMEM;
	s = slot_of(t, t->nr);
	memcpy(s->comm, comm, len);
	s->task = (struct trace_task){ .pid = pid, .comm = s->comm };
	*out = t->nr++;
	return 0;
}

int tasks_init(struct task_table *t)
{
	uint32_t zero;
	int err;

	memset(t, 0, sizeof(*t));
	err = grow_buckets(t);
	return err ? err : add(t, 0, "", 0, &zero);
}

void tasks_destroy(struct task_table *t)
{
	for (size_t i = 0; i < TASKS_CHUNKS; i++)
		free(t->chunks[i]);
	free(t->buckets);
}

int tasks_find(struct task_table *t, uint32_t pid, const char *comm,
	       size_t len, uint32_t *out)
{
	uint32_t *bucket;
	int err;

	*out = 0;
	if (!pid && !len)
		return 0;
	if (len > TASK_COMM_BYTES - 1)
		len = TASK_COMM_BYTES - 1;
	bucket = find_bucket(t, pid, comm, len);
	*out = *bucket;
	if (*bucket)
		return 0;
	if (t->nr == TASKS_MAX) {
		t->full = true;
		return 0;
	}
	if (t->nr * 2 >= t->nr_buckets) {
		err = grow_buckets(t);
		if (err)
			return err;
		bucket = find_bucket(t, pid, comm, len);
	}
	err = add(t, pid, comm, len, out);
	*bucket = *out;
	return err;
}

const struct trace_task *tasks_get(const struct task_table *t, uint32_t task)
{
	return task < t->nr ? &slot_of(t, task)->task : NULL;
}
