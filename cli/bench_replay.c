/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of replay: one made-up stream of requests of a 32 GiB guest, as an array
 * of 8-byte records with handles, and as a .blt that is read while it runs. In
 * both the next records are known, and pages that will be freed are fetched
 * ahead. Both check what they do: the array that the guest is as empty at the
 * end as at the start, the .blt every page frame number.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/bench_rows.h"
#include "include/rng.h"
#include "sim/sim.h"
#include "trace/blt.h"

#define CPUS 16u
#define RECORDS 4000000u
#define HANDLES 1500000u       /* blocks alive at most */
#define KIND_FREE 0xffu

/* A decoded record; handles are dense, so that their table is an array. */
struct record {
	uint32_t handle;
	uint8_t kind;          /* migratetype of the allocation, or KIND_FREE */
	uint8_t order;
	uint16_t cpu;
};

_Static_assert(sizeof(struct record) == 8, "records have 8 bytes");

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

/* ---- the array ---- */

struct array_bench {
	struct alloc *a;
	struct record *records;
	size_t nr;
	pfn_t *pfn;                    /* by handle */
	uint64_t free_at_start;
	char dir[64], path[80];        /* of the .blt */
};

static void array_destroy(void *ctx)
{
	struct array_bench *b = ctx;

	if (b->path[0])
		unlink(b->path);
	if (b->dir[0])
		rmdir(b->dir);
	alloc_destroy(b->a);
	free(b->records);
	free(b->pfn);
	free(b);
}

static int array_setup(const struct selfbench_row *row, unsigned int samples,
		       void **ctx, char *why, size_t why_size)
{
	struct array_bench *b = calloc(1, sizeof(*b));
	int err;

	(void)row;
	(void)samples;
	if (!b)
		return -ENOMEM;
	err = sim_boot_alloc(&b->a, BENCH_KERNEL, "32G", CPUS, why, why_size);
	if (!err)
		err = mix_make(&b->records, &b->nr);
	if (!err) {
		b->pfn = calloc(HANDLES, sizeof(*b->pfn));
		err = b->pfn ? 0 : -ENOMEM;
	}
	if (err) {
		array_destroy(b);
		return err;
	}
	b->free_at_start = alloc_free_pages(b->a);
	*ctx = b;
	return 0;
}

/*
 * Records are known ahead: the handle's entry, then the page it names. Returns
 * how many allocations failed.
 */
static uint64_t run_records(struct array_bench *b)
{
	const struct record *r = b->records, *end = r + b->nr;
	uint64_t failed = 0;

	for (; r < end; r++) {
		if (end - r > 2 * BENCH_LOOK_AHEAD)
			__builtin_prefetch(&b->pfn[r[2 * BENCH_LOOK_AHEAD]
						   .handle]);
		if (end - r > BENCH_LOOK_AHEAD &&
		    r[BENCH_LOOK_AHEAD].kind == KIND_FREE)
			alloc_prefetch(b->a,
				       b->pfn[r[BENCH_LOOK_AHEAD].handle]);
		if (r->kind == KIND_FREE) {
			alloc_free(b->a, r->cpu, b->pfn[r->handle], r->order);
			continue;
		}
		b->pfn[r->handle] = alloc_page_fast(b->a, r->cpu, r->order,
						    gfp_of_type[r->kind]);
		if (b->pfn[r->handle] == PFN_NONE)
			return ++failed;
	}
	return failed;
}

static int run_array(const struct selfbench_row *row, void *ctx,
		     struct selfbench_sample *out, char *why, size_t why_size)
{
	struct array_bench *b = ctx;
	struct selfbench_timer t = { 0 };
	uint64_t failed;

	(void)row;
	selfbench_start(&t);
	failed = run_records(b);
	selfbench_stop(&t);
	alloc_drain_all(b->a);
	if (failed || alloc_free_pages(b->a) < b->free_at_start) {
		snprintf(why, why_size, "the guest has lost pages");
		return -EIO;
	}
	*out = (struct selfbench_sample){
		selfbench_millions_per_s(&t, b->nr), t.cpu_ns, t.wall_ns };
	return 0;
}

/* ---- the .blt ---- */

static uint8_t zone_number(const struct alloc *a, pfn_t pfn)
{
	struct alloc_zone_info info;
	const int zone = alloc_zone_of(a, pfn);

	alloc_zone_info(a, zone < 0 ? 0 : (unsigned int)zone, &info);
	return (uint8_t)info.type;
}

/* One record as it would have been recorded: with the page it got. */
static void do_record(struct array_bench *b, const struct record *r,
		      struct trace_event *e)
{
	struct req_record *q = &e->u.req;

	*e = (struct trace_event){ .kind = TRACE_REQUEST, .cpu = r->cpu };
	q->cpu = r->cpu;
	q->order = r->order;
	if (r->kind == KIND_FREE) {
		q->kind = REQ_F;
		q->pfn = b->pfn[r->handle];
		alloc_free(b->a, r->cpu, q->pfn, r->order);
		return;
	}
	q->kind = REQ_A;
	q->mt = r->kind;
	q->gfp = gfp_of_type[r->kind];
	q->pfn = alloc_page_fast(b->a, r->cpu, r->order, q->gfp);
	b->pfn[r->handle] = q->pfn;
	q->zone = zone_number(b->a, q->pfn);
}

static int write_blt(struct array_bench *b, struct diag *d)
{
	const struct blt_info info = { .kernel = BENCH_KERNEL,
				       .source = TRACE_FORMAT_REQUEST };
	struct trace_event e;
	struct blt_writer *w;
	int err = blt_create(&w, b->path, &info, d);

	if (err)
		return err;
	for (size_t i = 0; i < b->nr && !err; i++) {
		do_record(b, &b->records[i], &e);
		err = blt_put(w, &e);
	}
	if (err)
		blt_abort(w);
	return err ? err : blt_commit(w, NULL);
}

static int blt_setup(const struct selfbench_row *row, unsigned int samples,
		     void **ctx, char *why, size_t why_size)
{
	struct diag d = { 0 };
	struct array_bench *b;
	int err = array_setup(row, samples, ctx, why, why_size);

	if (err)
		return err;
	b = *ctx;
	snprintf(b->dir, sizeof(b->dir), P_tmpdir "/buddylab-bench-XXXXXX");
	if (!mkdtemp(b->dir)) {
		b->dir[0] = '\0';
		err = -errno;
	} else {
		snprintf(b->path, sizeof(b->path), "%s/mix.blt", b->dir);
		err = write_blt(b, &d);
	}
	alloc_destroy(b->a);
	b->a = NULL;
	if (err) {
		snprintf(why, why_size, "%s", d.last);
		array_destroy(b);
	}
	return err;
}

/* Pages handed out that are not the recorded ones. */
static uint64_t apply_batch(struct alloc *a, const struct trace_event *e,
			    int nr)
{
	uint64_t other = 0;

	for (int i = 0; i < nr; i++) {
		const struct req_record *q = &e[i].u.req;

		if (i + (int)BENCH_LOOK_AHEAD < nr &&
		    e[i + (int)BENCH_LOOK_AHEAD].u.req.kind == REQ_F)
			alloc_prefetch(a, e[i + (int)BENCH_LOOK_AHEAD]
						  .u.req.pfn);
		if (q->kind == REQ_F)
			alloc_free(a, q->cpu, q->pfn, q->order);
		else
			other += alloc_page_fast(a, q->cpu, q->order, q->gfp) !=
				 q->pfn;
	}
	return other;
}

static int replay_blt(struct alloc *a, const char *path, uint64_t *other,
		      struct diag *d)
{
	const struct trace_event *batch;
	struct blt_reader *r;
	int nr, err = blt_open(&r, path, d);

	if (err)
		return err;
	while ((nr = blt_next_batch(r, &batch)) > 0)
		*other += apply_batch(a, batch, nr);
	blt_close(r);
	return nr;
}

/* From boot on, as the pages are those of the recording only then. */
static int run_blt(const struct selfbench_row *row, void *ctx,
		   struct selfbench_sample *out, char *why, size_t why_size)
{
	struct array_bench *b = ctx;
	struct selfbench_timer t = { 0 };
	struct diag d = { 0 };
	uint64_t other = 0;
	struct alloc *a;
	int err = sim_boot_alloc(&a, BENCH_KERNEL, "32G", CPUS, why, why_size);

	(void)row;
	if (err)
		return err;
	selfbench_start(&t);
	err = replay_blt(a, b->path, &other, &d);
	selfbench_stop(&t);
	alloc_destroy(a);
	if (!err && other)
		err = -EIO;
	if (err)
		snprintf(why, why_size, "%llu other pages %s",
			 (unsigned long long)other, d.last);
	*out = (struct selfbench_sample){
		selfbench_millions_per_s(&t, b->nr), t.cpu_ns, t.wall_ns };
	return err;
}

const struct selfbench_row bench_replay_rows[] = {
	{ .name = "replay", .what = "8-byte records of a mixed stream, 32 GiB "
	  "guest, 16 CPUs, look-ahead", .unit = "M records/s", .higher = true,
	  .goal = 60, .floor = 30, .setup = array_setup, .run = run_array,
	  .teardown = array_destroy },
	{ .name = "replay-zstd", .what = "the same stream from a .blt, every "
	  "page compared", .unit = "M records/s", .higher = true, .goal = 45,
	  .floor = 25, .setup = blt_setup, .run = run_blt,
	  .teardown = array_destroy },
	{ .name = NULL },
};
