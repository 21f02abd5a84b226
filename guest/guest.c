/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest kernel above the page allocator: set-up, the operations' entry
 * point, gauges and counters. What is modelled stands in the files that do it;
 * docs/fidelity.md has the list.
 */
#include <errno.h>
#include <stdlib.h>

#include "guest/internal.h"

static bool has_several_nodes(const struct alloc *a)
{
	struct alloc_zone_info first, zone;

	alloc_zone_info(a, 0, &first);
	for (unsigned int i = 1; i < alloc_nr_zones(a); i++) {
		alloc_zone_info(a, i, &zone);
		if (zone.node != first.node)
			return true;
	}
	return false;
}

int guest_create(struct guest **out, const struct guest_config *cfg)
{
	const struct alloc_profile *prof;
	struct guest *g;

	*out = NULL;
	if (!cfg->alloc || !cfg->touches || !cfg->nr_cpus ||
	    cfg->nr_cpus > alloc_nr_cpus(cfg->alloc))
		return -EINVAL;
	if (cfg->mmap_base % PAGE_SIZE || cfg->mmap_base >= TASK_SIZE)
		return -EINVAL;
	prof = alloc_profile_of(cfg->alloc);
	if (prof->lru_batch > LRU_BATCH_MAX || prof->lru_batch == 0 ||
	    prof->gather_stack > GATHER_MAX || prof->gather_stack == 0 ||
	    prof->gather_heap > GATHER_MAX || prof->gather_heap == 0)
		return -EINVAL;
	g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->cfg = *cfg;
	if (!g->cfg.mmap_base)
		g->cfg.mmap_base = MMAP_BASE;
	g->alloc = cfg->alloc;
	g->prof = prof;
	g->several_nodes = has_several_nodes(cfg->alloc);
	g->lru_batch_size = prof->lru_batch;
	g->gfp_anon = GFP_ANON_FAULT;
	g->gfp_copy = GFP_HIGHUSER_MOVABLE;
	g->gfp_table = GFP_PAGE_TABLE;
	if (prof->user_pages_comp) {
		g->gfp_anon |= GFP_BIT_COMP;
		g->gfp_copy |= GFP_BIT_COMP;
	}
	if (prof->tables_comp)
		g->gfp_table |= GFP_BIT_COMP;
	g->lru = calloc(cfg->nr_cpus, sizeof(*g->lru));
	g->piece_refs = calloc(pfn_region(alloc_end_pfn(cfg->alloc)) + 1,
			       sizeof(*g->piece_refs));
	if (!g->lru || !g->piece_refs) {
		guest_destroy(g);
		return -ENOMEM;
	}
	if ((cfg->compaction && rmap_create(g)) ||
	    ((cfg->compaction || cfg->reclaim) && compaction_create(g)) ||
	    (cfg->reclaim && deferred_split_create(g))) {
		guest_destroy(g);
		return -ENOMEM;
	}
	*out = g;
	return 0;
}

void guest_destroy(struct guest *g)
{
	if (!g)
		return;
	for (uint32_t i = 0; i < g->nr_mms; i++) {
		if (!g->mms[i])
			continue;
		pgtable_free_mirrors(g->mms[i]);
		free(g->mms[i]->vmas);
		free(g->mms[i]);
	}
	for (uint32_t i = 0; i < g->nr_files; i++)
		file_free_mirrors(&g->files[i]);
	gather_free_all(g);
	pgtable_free_pools(g);
	compaction_destroy(g);
	deferred_split_destroy(g);
	free(g->rmap_words);
	free(g->range_held);
	free(g->mms);
	free(g->files);
	free(g->piece_refs);
	free(g->lru);
	free(g);
}

bool guest_host_is_short(const struct guest *g)
{
	return g->host_short;
}

static int mm_slot(struct guest *g)
{
	struct guest_mm **mms;

	for (uint32_t i = 0; i < g->nr_mms; i++)
		if (!g->mms[i])
			return (int)i;
	mms = host_memory(g, realloc(g->mms, (g->nr_mms + 1) *
					     sizeof(struct guest_mm *)));
	if (!mms)
		return -ENOMEM;
	g->mms = mms;
	mms[g->nr_mms] = NULL;
	return (int)g->nr_mms++;
}

int guest_mm_create(struct guest *g, unsigned int cpu)
{
	struct guest_mm *mm;
	const int id = mm_slot(g);

	CHECK_LT(cpu, g->cfg.nr_cpus);
	CHECK(touch_room(g->cfg.touches, 1));
	if (id < 0)
		return id;
	mm = host_memory(g, calloc(1, sizeof(*mm)));
	if (!mm)
		return -ENOMEM;
	mm->walk_base = UINT64_MAX;
	mm->pgd = get_page_atomic(g, cpu, g->gfp_table, 0);
	if (mm->pgd == PFN_NONE) {
		free(mm);
		return -ENOMEM;
	}
	touch_add(g->cfg.touches, mm->pgd, 0, TOUCH_TABLE);
	g->gauges.table_pages++;
	g->mms[id] = mm;
	return id;
}

static enum guest_status kernel_run(struct run *r)
{
	switch (r->op->kind) {
	case GUEST_KSWAPD:
		return kswapd_run(r);
	case GUEST_KCOMPACTD:
		return kcompactd_run(r);
	case GUEST_COMPACT_MEMORY:
		return compact_memory_run(r);
	case GUEST_KHUGEPAGED:
		return khugepaged_run(r);
	case GUEST_RANGE:
		return range_run(r);
	default:
		return drop_caches_run(r);
	}
}

static enum guest_status op_run(struct run *r)
{
	switch (r->op->kind) {
	case GUEST_TOUCH:
		return fault_run(r);
	case GUEST_MMAP:
		return mmap_run(r);
	case GUEST_MADV_FREE:
	case GUEST_MADV_THP:
		return advise_run(r);
	case GUEST_MUNMAP:
	case GUEST_MADV_DONTNEED:
	case GUEST_EXIT:
		return unmap_run(r);
	case GUEST_ALLOC:
		return driver_alloc_run(r);
	default:
		return kernel_run(r);
	}
}

/* The operation's request for memory waits, or has just got its answer. */
static enum guest_status op_run_helped(struct run *r)
{
	enum guest_status status = help_run(r);

	if (status != GUEST_DONE)
		return status;
	if (!r->budget)
		return GUEST_MORE;
	status = op_run(r);
	return r->op->helper ? help_after(r, status) : status;
}

enum guest_status guest_run(struct guest *g, struct guest_op *op,
			    unsigned int cpu, uint32_t budget,
			    struct guest_work *work)
{
	struct run r = {
		.may_stall = g->cfg.may_stall,
		.g = g, .op = op, .work = work, .cpu = cpu, .budget = budget,
		.quantum = budget,
	};

	enum guest_status status;

	CHECK_LT(cpu, g->cfg.nr_cpus);
	if (op->kind == GUEST_KSWAPD || op->kind == GUEST_KCOMPACTD ||
	    op->kind == GUEST_COMPACT_MEMORY || op->kind == GUEST_RANGE)
		return kernel_run(&r);
	/* From there on operations belong to no address space. */
	if (likely(op->kind < GUEST_DROP_CACHES)) {
		CHECK(op->mm < g->nr_mms && g->mms[op->mm] != NULL);
		r.mm = g->mms[op->mm];
	}
	if (unlikely(op->helper))
		return op_run_helped(&r);
	status = op_run(&r);
	return unlikely(op->helper) ? help_after(&r, status) : status;
}

void guest_gauges(const struct guest *g, struct guest_gauges *out)
{
	*out = g->gauges;
	out->lru_batched = 0;
	for (unsigned int cpu = 0; cpu < g->cfg.nr_cpus; cpu++)
		out->lru_batched += g->lru[cpu].nr;
}

const struct guest_counters *guest_counters(const struct guest *g)
{
	return &g->counters;
}
