/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random operations on both allocators: several requests or frees in one call,
 * or in two calls with somebody else in between. The model makes them one by
 * one.
 */
#include "include/check.h"
#include "tests/model/ops.h"

#define MAX_BULK 16

bool apply_bulk(struct world *w, const struct op *op)
{
	struct alloc_request req = {
		.gfp = op_gfp(op), .cpu = op->cpu, .node = -1, .zone = -1,
		.flags = ALLOC_REQ_NO_SLOWPATH,
	};
	uint32_t want[MAX_BULK];
	pfn_t got[MAX_BULK];
	int nr = (int)(op->nr % MAX_BULK) + 1, nr_want, nr_got, i;

	if (w->kernel < K61)
		return true;
	op_script(w, "# bulk %c %d cpu=%d", "UMR"[op->type], nr, op->cpu);
	nr_want = naive_alloc_bulk(w->m, op->cpu, op->type, nr, want);
	nr_got = (int)alloc_pages_bulk(w->a, &req, got, (unsigned int)nr);
	if (nr_got != nr_want)
		return op_differ(w, "bulk count", (uint32_t)nr_got,
				 (uint32_t)nr_want);
	for (i = 0; i < nr_got; i++) {
		if (got[i] != want[i])
			return op_differ(w, "bulk", got[i], want[i]);
		op_add_live(w, got[i], 0);
	}
	return true;
}

/* Up to 16 live single pages, from a random place on. */
bool apply_free_list(struct world *w, const struct op *op)
{
	uint32_t pfns[MAX_BULK];
	int wanted = (int)(op->nr % MAX_BULK) + 1, nr = 0, i, tries;

	for (tries = 0; tries < 64 && nr < wanted && w->nr_live; tries++) {
		i = (int)((op->pick + (uint32_t)tries) %
			  (uint32_t)w->nr_live);
		if (w->live[i].order == 0) {
			pfns[nr] = op_take_live(w, (uint32_t)i).pfn;
			op_script(w, "free %u 0 cpu=%d", pfns[nr], op->cpu);
			nr++;
		}
	}
	if (nr) {
		naive_free_list(w->m, op->cpu, pfns, nr);
		alloc_free_list(w->a, op->cpu, pfns, (unsigned int)nr);
	}
	return true;
}

/* Another CPU allocates or frees one page; false if it went wrong. */
static bool disturb(struct world *w, const struct op *op)
{
	struct op other = *op;

	if (!(op->flags & FLAG_ON))
		return true;
	other.cpu = (uint8_t)((op->cpu + 1) % NAIVE_CPUS);
	other.order = (uint8_t)(op->nr / 64 % 4);
	other.type = (uint8_t)(op->nr / 256 % 3);
	other.flags = op->nr / 1024 % 2 ? FLAG_FAST : 0;
	return op->nr & 32 ? apply_alloc(w, &other) : apply_free(w, &other);
}

static bool disturb_once(struct world *w, const struct op *op, unsigned int i)
{
	struct op other = *op;

	/* Any CPU but the one that looks; see disturb(). */
	other.cpu = (uint8_t)((op->cpu + op->pick / 8 + i) % NAIVE_CPUS);
	if ((other.cpu + 1) % NAIVE_CPUS == op->cpu)
		other.cpu = op->cpu;
	other.nr = op->nr >> i;
	other.pick = op->pick + i * 7919;
	return disturb(w, &other);
}

#define MAX_RUN 64

/*
 * What the CPU's list would give is looked at, others go on, some of it is
 * taken. Not taken where the rules of alloc_run_take() forbid it.
 */
bool apply_run(struct world *w, const struct op *op)
{
	const gfp_t gfp = op_gfp(op);
	pfn_t run[MAX_RUN];
	unsigned int nr, i;

	nr = alloc_run_look(w->a, op->cpu, gfp, run, op->nr % MAX_RUN + 1);
	if (nr == 0)
		return true;
	w->looked_around = false;
	for (i = 0; i <= op->pick % 8; i++) {
		if (!disturb_once(w, op, i))
			return false;
		if (w->looked_around || !alloc_run_allowed(w->a, gfp))
			return true;
	}
	nr = op->pick / 64 % nr + 1;
	op_script(w, "repeat %u alloc %c 0 cpu=%d # at once", nr,
		  "UMR"[op->type], op->cpu);
	alloc_run_take(w->a, op->cpu, gfp, run, nr);
	for (i = 0; i < nr; i++) {
		const uint32_t want = naive_alloc(w->m, op->cpu, op->type, 0,
						  0);

		if (!op_answer(w, "run", run[i], want))
			return false;
		op_add_live(w, run[i], 0);
	}
	return true;
}

#define MAX_GATHER 40

static int gather_live(struct world *w, const struct op *op, struct block *b)
{
	const int wanted = (int)(op->nr % MAX_GATHER) + 1;
	int nr;

	for (nr = 0; nr < wanted && w->nr_live; nr++)
		b[nr] = op_take_live(w, op->pick);
	return nr;
}

/*
 * Somebody claims the pageblock of a page that is prepared; not where 6.12
 * would move free pages at that.
 */
static void claim(struct world *w, const struct op *op, uint32_t pfn)
{
	const uint32_t type = op->nr / 4096 % 5;

	if (op->nr / 64 % 4 ||
	    (w->kernel >= K612_0 && naive_pageblock_has_free(w->m, pfn)))
		return;
	op_script(w, "pageblock %u %c", pfn / NAIVE_PB, "UMRHCI"[type]);
	naive_write_type(w->m, pfn, (int)type);
	alloc_set_pageblock_type(w->a, pfn, (enum migratetype)type);
}

static void commit_one(struct world *w, const struct op *op,
		       const struct block *b, bool past_pcp)
{
	op_script(w, "free %u %d cpu=%d # prepared before%s", b->pfn, b->order,
		  op->cpu, past_pcp ? ", past the pcp" : "");
	naive_free_commit(w->m, op->cpu, b->pfn, b->order, past_pcp);
	if (past_pcp)
		alloc_free_commit_buddy(w->a, b->pfn, (unsigned int)b->order);
	else
		alloc_free_commit(w->a, op->cpu, b->pfn,
				  (unsigned int)b->order);
}

/* All are prepared, then freed one after the other: an unmapped range. */
bool apply_gather(struct world *w, const struct op *op)
{
	const bool past_pcp = op->flags & FLAG_BUDDY;
	struct block b[MAX_GATHER];
	const int nr = gather_live(w, op, b);
	int i;

	for (i = 0; i < nr; i++) {
		naive_free_prepare(w->m, b[i].pfn);
		alloc_free_prepare(w->a, b[i].pfn, (unsigned int)b[i].order);
	}
	for (i = 0; i < nr; i++) {
		if (i == (int)(op->pick % MAX_GATHER)) {
			claim(w, op, b[i].pfn);
			if (!disturb(w, op))
				return false;
		}
		commit_one(w, op, &b[i], past_pcp);
	}
	return true;
}

static void commit_in_model(struct world *w, const struct op *op,
			    const uint32_t *pfns, int nr)
{
	int i;

	for (i = 0; i < nr; i++) {
		op_script(w, "free %u 0 cpu=%d # prepared before", pfns[i],
			  op->cpu);
		naive_free_commit(w->m, op->cpu, pfns[i], 0, false);
	}
}

/* In parts, each of which ends where others may have to see it. */
static bool commit_parts(struct world *w, const struct op *op,
			 const uint32_t *pfns, int nr)
{
	while (nr > 0) {
		const int n = (int)alloc_free_commit_some(w->a, op->cpu, pfns,
							  (unsigned int)nr);
		const uint64_t inserts = w->m->nr_inserts;

		if (n < 1 || n > nr)
			return op_differ(w, "part", (uint32_t)n, (uint32_t)nr);
		commit_in_model(w, op, pfns, n - 1);
		if (w->m->nr_inserts != inserts)
			return op_differ(w, "part with a flush inside",
					 (uint32_t)n, (uint32_t)nr);
		commit_in_model(w, op, pfns + n - 1, 1);
		pfns += n;
		nr -= n;
	}
	return true;
}

static bool commit_list(struct world *w, const struct op *op,
			const uint32_t *pfns, int nr)
{
	if (op->flags & FLAG_NOFRAGMENT)
		return commit_parts(w, op, pfns, nr);
	commit_in_model(w, op, pfns, nr);
	alloc_free_commit_list(w->a, op->cpu, pfns, (unsigned int)nr);
	return true;
}

#define MAX_GATHER_LIST 512

static int single_pages(struct world *w, const struct op *op, uint32_t *pfns)
{
	const int wanted = (int)(op->nr % MAX_GATHER_LIST) + 1;
	int nr = 0, tries;

	for (tries = 0; tries < 2 * wanted && nr < wanted && w->nr_live;
	     tries++) {
		const uint32_t i = (op->pick + (uint32_t)tries) %
				   (uint32_t)w->nr_live;

		if (w->live[i].order == 0)
			pfns[nr++] = op_take_live(w, i).pfn;
	}
	return nr;
}

/* The same in single pages: prepared by the list, committed in two parts. */
bool apply_gather_list(struct world *w, const struct op *op)
{
	uint32_t pfns[MAX_GATHER_LIST];
	const int nr = single_pages(w, op, pfns);
	int i, first;

	if (nr == 0)
		return true;
	first = (int)(op->pick % (uint32_t)nr);
	for (i = 0; i < nr; i++)
		naive_free_prepare(w->m, pfns[i]);
	alloc_free_prepare_list(w->a, pfns, (unsigned int)nr);
	if (!commit_list(w, op, pfns, first))
		return false;
	claim(w, op, pfns[first]);
	return disturb(w, op) && commit_list(w, op, pfns + first, nr - first);
}
