/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files on a memory file system and their page cache: one page per index, no
 * readahead. Models shmem_fault with shmem_get_folio (a hole gets a cleared
 * page), truncate_inode_pages with release in batches, and
 * invalidate_mapping_pages for drop_caches, 5.3 to 6.18.
 *
 * Simplified: cached pages count as clean, so that dropping caches frees them,
 * as it would on a file system with a disk; all LRU batches are drained before
 * (by the kernel from 6.2 on). Left out: readahead, large folios, dirty pages,
 * and the nodes of the index, which are slab objects.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/rmap.h"

struct guest_file *file_get(struct guest *g, uint32_t file)
{
	CHECK_LT(file, g->nr_files);
	CHECK(g->files[file].used);
	return &g->files[file];
}

static uint64_t nr_chunks(const struct guest_file *f)
{
	return (f->nr_pages + PTRS_PER_TABLE - 1) / PTRS_PER_TABLE;
}

static struct guest_file *file_slot(struct guest *g)
{
	struct guest_file *files;

	for (uint32_t i = 0; i < g->nr_files; i++)
		if (!g->files[i].used)
			return &g->files[i];
	files = host_memory(g, realloc(g->files, (g->nr_files + 1) *
						 sizeof(*files)));
	if (!files)
		return NULL;
	g->files = files;
	files[g->nr_files] = (struct guest_file){ 0 };
	return &files[g->nr_files++];
}

int guest_file_create(struct guest *g, uint64_t len)
{
	struct guest_file *f = file_slot(g);
	struct guest_file new = {
		.used = true,
		.nr_pages = bytes_to_pages(len + PAGE_SIZE - 1),
	};

	if (!f)
		return -ENOMEM;
	new.chunks = host_memory(g, calloc(nr_chunks(&new) + 1,
					   sizeof(*new.chunks)));
	if (!new.chunks)
		return -ENOMEM;
	*f = new;
	return (int)(f - g->files);
}

int guest_file_create_on_disk(struct guest *g, uint64_t len)
{
	const int id = guest_file_create(g, len);

	if (id >= 0)
		g->files[id].on_disk = true;
	return id;
}

static struct cache_chunk *chunk_at(const struct guest_file *f, uint64_t index)
{
	CHECK_LT(index, f->nr_pages);
	return f->chunks[index / PTRS_PER_TABLE];
}

static struct cache_chunk *chunk_make(struct guest *g, struct guest_file *f,
				      uint64_t index)
{
	struct cache_chunk *c = chunk_at(f, index);

	if (c)
		return c;
	c = host_memory(g, calloc(1, sizeof(*c)));
	if (!c)
		return NULL;
	memset(c->pfn, 0xff, sizeof(c->pfn));
	f->chunks[index / PTRS_PER_TABLE] = c;
	return c;
}

pfn_t filemap_fault(struct run *r, uint32_t file, uint64_t index)
{
	struct guest *g = r->g;
	struct guest_file *f = file_get(g, file);
	struct cache_chunk *c = chunk_make(g, f, index);
	pfn_t *slot, pfn;

	if (!c) {
		r->status = GUEST_NOMEM;
		return PFN_NONE;
	}
	slot = &c->pfn[index % PTRS_PER_TABLE];
	if (likely(*slot != PFN_NONE))
		return *slot;
	pfn = get_page(r, 0, g->gfp_copy);
	if (pfn == PFN_NONE)
		return PFN_NONE;
	touch_add(g->cfg.touches, pfn, 0, TOUCH_ZERO);
	*slot = pfn;
	rmap_set(g, pfn, OWNER_FILE, file, index);
	f->nr_cached++;
	g->gauges.file_pages++;
	g->counters.pages_zeroed++;
	r->work->zeroed_pages++;
	lru_add(g, r->cpu, pfn, r->work);
	return pfn;
}

void filemap_map(struct guest *g, uint32_t file, uint64_t index, int delta)
{
	struct cache_chunk *c = chunk_at(file_get(g, file), index);

	CHECK(c != NULL);
	c->mapped[index % PTRS_PER_TABLE] += (uint32_t)delta;
}

/*
 * Take up to a batch of unmapped cached pages from *index on out of the cache
 * and free those that nobody else holds. False: the end of the file is reached.
 */
static bool cache_drop_batch(struct guest *g, struct guest_file *f,
			     uint64_t *index, unsigned int cpu,
			     struct guest_work *work)
{
	pfn_t batch[LRU_BATCH_MAX];
	uint32_t nr = 0, dropped = 0;

	while (*index < f->nr_pages && dropped < g->lru_batch_size) {
		struct cache_chunk *c = chunk_at(f, *index);
		const uint32_t i = *index % PTRS_PER_TABLE;

		if (!c) {
			*index += PTRS_PER_TABLE - i;
			continue;
		}
		++*index;
		if (c->pfn[i] == PFN_NONE || c->mapped[i])
			continue;
		dropped++;
		if (lru_put_page(g, c->pfn[i]))
			batch[nr++] = c->pfn[i];
		c->pfn[i] = PFN_NONE;
		f->nr_cached--;
		g->gauges.file_pages--;
	}
	release_pages(g, cpu, batch, nr, work);
	return *index < f->nr_pages;
}

void file_free_mirrors(struct guest_file *f)
{
	for (uint64_t i = 0; f->chunks && i < nr_chunks(f); i++)
		free(f->chunks[i]);
	free(f->chunks);
	*f = (struct guest_file){ 0 };
}

/* Models the last iput of an unlinked file. */
static void file_evict(struct guest *g, struct guest_file *f, unsigned int cpu,
		       struct guest_work *work)
{
	uint64_t index = 0;
	bool more;

	do {
		lru_add_drain(g, cpu, work);
		more = cache_drop_batch(g, f, &index, cpu, work);
	} while (more);
	CHECK_EQ(f->nr_cached, 0);
	file_free_mirrors(f);
}

void guest_file_destroy(struct guest *g, uint32_t file, unsigned int cpu)
{
	struct guest_file *f = file_get(g, file);
	struct guest_work work = { 0 };

	f->unlinked = true;
	if (!f->nr_vmas)
		file_evict(g, f, cpu, &work);
}

void file_put_vma(struct run *r, uint32_t file)
{
	struct guest_file *f = file_get(r->g, file);

	CHECK(f->nr_vmas > 0);
	if (--f->nr_vmas == 0 && f->unlinked)
		file_evict(r->g, f, r->cpu, r->work);
}

/* scratch: the file; cursor: the next page of it. */
enum guest_status drop_caches_run(struct run *r)
{
	struct guest *g = r->g;
	struct guest_op *op = r->op;
	uint64_t *file = &op->scratch[SCRATCH_FILE];

	if (op->stage == 0) {
		r->work->syscalls++;
		g->counters.drop_pagecache++;
		for (unsigned int cpu = 0; cpu < g->cfg.nr_cpus; cpu++)
			lru_add_drain(g, cpu, r->work);
		op->stage = 1;
	}
	while (*file < g->nr_files) {
		struct guest_file *f = &g->files[*file];
		const uint32_t before = r->work->freed_blocks;
		uint32_t freed;

		if (!r->budget)
			return GUEST_MORE;
		if (!f->used || !cache_drop_batch(g, f, &op->cursor, r->cpu,
						  r->work)) {
			++*file;
			op->cursor = 0;
		}
		/* A batch is freed as a whole, whatever the budget. */
		freed = r->work->freed_blocks - before;
		r->budget -= freed < r->budget ? freed : r->budget;
	}
	return GUEST_DONE;
}
