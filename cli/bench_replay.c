/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of replay: one made-up stream of requests of a 32 GiB guest, written as
 * a .blt, and run as `buddylab replay` runs such a file: from 8-byte records in
 * memory, and from the file while a thread of its own decompresses it, or the
 * same thread. In all of them every page frame number is compared.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/bench_rows.h"
#include "include/guard.h"
#include "include/rng.h"
#include "replay/replay.h"
#include "sim/sim.h"
#include "trace/blt.h"
#include "trace/blt_plain.h"

#define CPUS 16u
#define RECORDS 4000000u
#define HANDLES 1500000u       /* blocks alive at most */
#define KIND_FREE 0xffu

/* What is to be done; which pages it gets, the recording tells. */
struct record {
	uint32_t handle;
	uint8_t kind;          /* migratetype of the allocation, or KIND_FREE */
	uint8_t order;
	uint16_t cpu;
};

static const gfp_t gfp_of_type[] = {
	[MIGRATE_UNMOVABLE] = GFP_KERNEL,
	[MIGRATE_MOVABLE] = GFP_HIGHUSER_MOVABLE,
	[MIGRATE_RECLAIMABLE] = GFP_KERNEL | GFP_BIT_RECLAIMABLE,
};

/* ---- the stream ---- */

struct mix {
	struct rng rng;
	struct record *records;
	size_t nr, room;
	uint32_t *alive, *spare;       /* handles */
	uint8_t *order;                /* by handle */
	uint32_t nr_alive, nr_spare;
	uint16_t cpu;
};

static void put_alloc(struct mix *m)
{
	const uint32_t roll = rng_below(&m->rng, 1000);
	const uint32_t type = rng_below(&m->rng, 100);
	const uint32_t h = m->spare[--m->nr_spare];
	struct record *r = &m->records[m->nr++];

	r->handle = h;
	r->cpu = m->cpu;
	r->order = roll < 930 ? 0 : roll < 998 ?
		   (uint8_t)(1 + rng_below(&m->rng, 3)) : HPAGE_PMD_ORDER;
	r->kind = type < 85 || r->order == HPAGE_PMD_ORDER ? MIGRATE_MOVABLE :
		  type < 95 ? MIGRATE_UNMOVABLE : MIGRATE_RECLAIMABLE;
	m->order[h] = r->order;
	m->alive[m->nr_alive++] = h;
}

static void put_free(struct mix *m, uint32_t i)
{
	const uint32_t h = m->alive[i];

	m->alive[i] = m->alive[--m->nr_alive];
	m->spare[m->nr_spare++] = h;
	m->records[m->nr++] = (struct record){
		.handle = h, .kind = KIND_FREE, .order = m->order[h],
		.cpu = m->cpu,
	};
}

/* Most blocks die young; the others whenever. */
static uint32_t pick_victim(struct mix *m)
{
	const uint32_t young = m->nr_alive < 256 ? m->nr_alive : 256;

	if (rng_below(&m->rng, 4))
		return m->nr_alive - 1 - rng_below(&m->rng, young);
	return rng_below(&m->rng, m->nr_alive);
}

/* Grow, churn, and give all back; a CPU works for some 64 records. */
static void make_records(struct mix *m)
{
	while (m->nr + m->nr_alive + 1 < m->room) {
		const bool growing = m->nr < m->room / 4;

		if (!rng_below(&m->rng, 64))
			m->cpu = (uint16_t)rng_below(&m->rng, CPUS);
		if (m->nr_spare && (!m->nr_alive ||
				    rng_below(&m->rng, 10) < (growing ? 8 : 5)))
			put_alloc(m);
		else
			put_free(m, pick_victim(m));
	}
	while (m->nr_alive)
		put_free(m, rng_below(&m->rng, m->nr_alive));
}

static void mix_free(struct mix *m)
{
	free(m->alive);
	free(m->spare);
	free(m->order);
}

static int mix_make(struct record **out, size_t *nr)
{
	struct mix m = { .room = RECORDS };

	rng_init(&m.rng, 1, "bench-replay", 0);
	m.records = malloc(RECORDS * sizeof(*m.records));
	m.alive = malloc(HANDLES * sizeof(*m.alive));
	m.spare = malloc(HANDLES * sizeof(*m.spare));
	m.order = malloc(HANDLES);
	if (!m.records || !m.alive || !m.spare || !m.order) {
		mix_free(&m);
		free(m.records);
		return -ENOMEM;
	}
	for (m.nr_spare = 0; m.nr_spare < HANDLES; m.nr_spare++)
		m.spare[m.nr_spare] = HANDLES - 1 - m.nr_spare;
	make_records(&m);
	mix_free(&m);
	*out = m.records;
	*nr = m.nr;
	return 0;
}

/* ---- the recording ---- */

struct batches {
	struct blt_plain_batch *batch;
	size_t nr, room;
};

struct replay_bench {
	struct alloc *booted;          /* the state that all samples begin in */
	struct batches memory;         /* row `replay`: all records */
	size_t nr;
	char dir[PATH_MAX], path[PATH_MAX + 16];        /* of the .blt */
};

static void batches_free(struct batches *m)
{
	for (size_t i = 0; i < m->nr; i++) {
		free((void *)m->batch[i].records);
		free((void *)m->batch[i].lines);
		free((void *)m->batch[i].shapes);
	}
	free(m->batch);
}

static void teardown(void *ctx)
{
	struct replay_bench *b = ctx;

	guard_remove_folder(b->dir);
	alloc_destroy(b->booted);
	batches_free(&b->memory);
	free(b);
}

static uint8_t zone_number(const struct alloc *a, pfn_t pfn)
{
	struct alloc_zone_info info;
	const int zone = alloc_zone_of(a, pfn);

	alloc_zone_info(a, zone < 0 ? 0 : (unsigned int)zone, &info);
	return (uint8_t)info.type;
}

/* One record as it would have been recorded: with the page it got. */
static void do_record(struct alloc *a, pfn_t *pfn, const struct record *r,
		      struct trace_event *e)
{
	struct req_record *q = &e->u.req;

	*e = (struct trace_event){ .kind = TRACE_REQUEST, .cpu = r->cpu };
	q->cpu = r->cpu;
	q->order = r->order;
	if (r->kind == KIND_FREE) {
		q->kind = REQ_F;
		q->pfn = pfn[r->handle];
		alloc_free(a, r->cpu, q->pfn, r->order);
		return;
	}
	q->kind = REQ_A;
	q->mt = r->kind;
	q->gfp = gfp_of_type[r->kind];
	q->pfn = alloc_page_fast(a, r->cpu, r->order, q->gfp);
	pfn[r->handle] = q->pfn;
	q->zone = zone_number(a, q->pfn);
}

static int write_records(const struct replay_bench *b, struct alloc *a,
			 pfn_t *pfn, const struct record *records,
			 struct diag *d)
{
	const struct blt_info info = { .kernel = BENCH_KERNEL,
				       .source = TRACE_FORMAT_REQUEST };
	struct trace_event e;
	struct blt_writer *w;
	int err = blt_create(&w, b->path, &info, d);

	if (err)
		return err;
	for (size_t i = 0; i < b->nr && !err; i++) {
		do_record(a, pfn, &records[i], &e);
		err = blt_put(w, &e);
	}
	if (err)
		blt_abort(w);
	return err ? err : blt_commit(w, NULL);
}

/* The guest of the recording is one of its own: b->booted stays booted. */
static int record_mix(struct replay_bench *b, struct diag *d, char *why,
		      size_t why_size)
{
	pfn_t *pfn = calloc(HANDLES, sizeof(*pfn));
	struct record *records = NULL;
	struct alloc *a = NULL;
	int err = pfn ? mix_make(&records, &b->nr) : -ENOMEM;

	if (!err)
		err = sim_boot_alloc(&a, BENCH_KERNEL, "32G", CPUS, why,
				     why_size);
	if (!err)
		err = write_records(b, a, pfn, records, d);
	alloc_destroy(a);
	free(records);
	free(pfn);
	return err;
}

static int setup(const struct selfbench_row *row, unsigned int samples,
		 void **ctx, char *why, size_t why_size)
{
	struct replay_bench *b = calloc(1, sizeof(*b));
	struct diag d = { 0 };
	int err;

	(void)row;
	(void)samples;
	if (!b)
		return -ENOMEM;
	err = sim_boot_alloc(&b->booted, BENCH_KERNEL, "32G", CPUS, why,
			     why_size);
	if (!err)
		err = guard_folder(guard_parent(), b->dir, sizeof(b->dir));
	if (!err) {
		snprintf(b->path, sizeof(b->path), "%s/mix.blt", b->dir);
		err = record_mix(b, &d, why, why_size);
	}
	if (err) {
		if (d.last[0])
			snprintf(why, why_size, "%s", d.last);
		teardown(b);
		return err;
	}
	*ctx = b;
	return 0;
}

/* ---- all records in memory ---- */

static void *copy(const void *from, size_t nr, size_t size)
{
	void *to = malloc(nr * size);

	return to ? memcpy(to, from, nr * size) : NULL;
}

static int keep_batch(struct batches *m, const struct blt_plain_batch *b)
{
	struct blt_plain_batch *to;

	if (m->nr == m->room) {
		const size_t room = m->room ? 2 * m->room : 64;

		to = realloc(m->batch, room * sizeof(*to));
		if (!to)
			return -ENOMEM;
		m->batch = to;
		m->room = room;
	}
	to = &m->batch[m->nr++];
	*to = *b;
	to->records = copy(b->records, b->nr, sizeof(*b->records));
	to->lines = copy(b->lines, b->nr, sizeof(*b->lines));
	to->shapes = copy(b->shapes, b->nr_shapes, sizeof(*b->shapes));
	return to->records && to->lines && to->shapes ? 0 : -ENOMEM;
}

static int read_all(struct replay_bench *b, struct diag *d)
{
	struct blt_plain_batch batch;
	struct blt_reader *reader;
	struct blt_pipe *pipe;
	int ret = blt_open(&reader, b->path, d);

	if (ret)
		return ret;
	ret = blt_pipe_open(&pipe, reader, 1);
	if (!ret) {
		while ((ret = blt_pipe_next(pipe, &batch)) == 1) {
			ret = keep_batch(&b->memory, &batch);
			if (ret)
				break;
		}
		blt_pipe_close(pipe);
	}
	blt_close(reader);
	return ret;
}

static int setup_memory(const struct selfbench_row *row, unsigned int samples,
			void **ctx, char *why, size_t why_size)
{
	struct diag d = { 0 };
	int err = setup(row, samples, ctx, why, why_size);

	if (err)
		return err;
	err = read_all(*ctx, &d);
	if (err) {
		snprintf(why, why_size, "%s", d.last);
		teardown(*ctx);
	}
	return err;
}

/* ---- samples ---- */

static int run_all(struct replay *r, const struct replay_bench *b)
{
	for (size_t i = 0; i < b->memory.nr; i++)
		replay_batch(r, &b->memory.batch[i]);
	return b->memory.nr ? 0 : replay_run_opened(r);
}

/* From boot on, as the pages are those of the recording only then. */
static int run(const struct selfbench_row *row, void *ctx,
	       struct selfbench_sample *out, char *why, size_t why_size)
{
	const struct replay_bench *b = ctx;
	const unsigned int *threads = row->arg;
	const struct replay_options o = {
		.stream = b->path, .booted = b->booted,
		.threads = threads ? *threads : 0,
	};
	struct selfbench_timer t = { 0 };
	struct replay_result result = { 0 };
	struct diag d = { 0 };
	struct replay *r;
	int err = replay_open(&r, &o, &d);

	if (!err) {
		selfbench_start(&t);
		err = run_all(r, b);
		selfbench_stop(&t);
		err = err ? err : replay_finish(r, &result);
		replay_close(r);
	}
	if (!err && (result.events != b->nr || !replay_exact(&result)))
		err = -EIO;
	if (err)
		snprintf(why, why_size, "%llu of %llu pages predicted %s",
			 (unsigned long long)result.predicted,
			 (unsigned long long)result.allocations, d.last);
	*out = (struct selfbench_sample){
		selfbench_pipelined_millions_per_s(&t, b->nr), t.cpu_ns,
		t.wall_ns };
	return err;
}

static const unsigned int one_thread = 1, two_threads = 2;

const struct selfbench_row bench_replay_rows[] = {
	{ .name = "replay", .what = "8-byte records of a mixed stream, 32 GiB "
	  "guest, 16 CPUs, every page compared", .unit = "M records/s",
	  .higher = true, .goal = 60, .floor = 30, .setup = setup_memory,
	  .run = run, .teardown = teardown },
	{ .name = "replay-zstd", .what = "the same stream from a .blt, read by "
	  "a thread of its own; the busier thread counts", .unit = "M records/s",
	  .higher = true, .goal = 45, .floor = 25, .setup = setup, .run = run,
	  .teardown = teardown, .arg = &two_threads },
	{ .name = "replay-zstd-1", .what = "the same on one thread",
	  .unit = "M records/s", .higher = true, .setup = setup, .run = run,
	  .teardown = teardown, .arg = &one_thread },
	{ .name = NULL },
};
