/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to guest/: the mirrors of what the guest kernel keeps in its own
 * memory (page tables, the page cache, LRU batches, gather arrays) and the
 * state of one guest_run() call.
 */
#ifndef GUEST_INTERNAL_H
#define GUEST_INTERNAL_H

#include "guest/guest.h"
#include "include/bitmap.h"
#include "include/check.h"
#include "include/likely.h"

/* Four-level page tables of x86-64; user space is the lower half. */
#define PTRS_PER_TABLE 512u
#define PGD_USER_PTRS 256u
#define PMD_SHIFT 21
#define PUD_SHIFT 30
#define PGDIR_SHIFT 39
#define TASK_SIZE UINT64_C(0x7ffffffff000)
/* Mappings grow down from here: a stack gap of 128 MiB, no randomisation. */
#define MMAP_BASE UINT64_C(0x7ffff7fff000)
#define MMAP_MIN UINT64_C(0x10000) /* vm.mmap_min_addr */

/* What a PTE says beside a PFN: nothing, or the shared page of zeroes. */
#define PTE_NONE PFN_NONE
#define PTE_ZERO (PFN_NONE - 1)

struct vma {
	uint64_t start, end;  /* bytes */
	uint32_t flags;       /* GUEST_MAP_HUGEPAGE, _NOHUGEPAGE, _FILE */
	uint32_t file;        /* id, with GUEST_MAP_FILE */
	uint64_t pgoff;       /* page of the file at start */
};

/* Mirror of a PTE page: 2 MiB of address space. */
struct pte_table {
	pfn_t pte[PTRS_PER_TABLE];
	uint64_t file[BITMAP_WORDS(PTRS_PER_TABLE)]; /* maps a cache page */
	pfn_t pfn;            /* guest page that holds the table */
	uint16_t nr;          /* entries that are not PTE_NONE */
	uint16_t nr_pieces;   /* of these: pieces of a huge page */
	struct pte_table *next_free;
};

/*
 * Mirror of a PMD page: 1 GiB. An entry is a table, a huge page, or neither.
 * deposit: PTE pages kept for the case that a huge page is split, in the
 * order in which they will be withdrawn, a ring from deposit_first on.
 */
struct pmd_table {
	struct pte_table *table[PTRS_PER_TABLE];
	pfn_t huge[PTRS_PER_TABLE];
	pfn_t deposit[PTRS_PER_TABLE];
	uint16_t deposit_first, nr_deposit;
	pfn_t pfn;
	struct pmd_table *next_free;
};

/* Mirror of a PUD page: 512 GiB. */
struct pud_table {
	struct pmd_table *table[PTRS_PER_TABLE];
	pfn_t pfn;
	struct pud_table *next_free;
};

#define HELD_MAX 4

/* The page of a fault that waits for another one; its task may be killed. */
struct held_page {
	pfn_t pfn;
	uint32_t order;
};

struct guest_mm {
	pfn_t pgd;            /* guest page of the PGD */
	uint32_t nr_unmapping; /* unmap operations under way */
	uint32_t nr_held;
	struct held_page held[HELD_MAX];
	struct vma *vmas;     /* ascending, disjoint */
	uint32_t nr_vmas, vmas_capacity;
	uint32_t vma_hint;    /* index of the VMA found last */
	/* PTE table of the address walked last; its base, or UINT64_MAX. */
	uint64_t walk_base;
	struct pte_table *walk_table;
	struct pud_table *pud[PGD_USER_PTRS];
};

/* Page cache of a file, 512 pages of it. */
struct cache_chunk {
	pfn_t pfn[PTRS_PER_TABLE];
	uint32_t mapped[PTRS_PER_TABLE]; /* PTEs that map the page */
};

struct guest_file {
	bool used;
	bool unlinked;        /* goes away with its last mapping */
	bool on_disk;         /* its clean pages can be read again */
	uint32_t nr_vmas;
	uint64_t nr_pages;
	uint64_t nr_cached;
	struct cache_chunk **chunks;
};

#define LRU_BATCH_MAX 31

/* Pages on their way to the LRU lists, each with a reference of its own. */
struct lru_batch {
	uint32_t nr;
	uint32_t orphans;     /* bit: nobody else refers to the page */
	bool last_is_huge;
	pfn_t pfn[LRU_BATCH_MAX];
};

enum gather_kind {
	GATHER_PAGE,          /* anonymous page of order 0 */
	GATHER_HUGE,          /* huge page */
	GATHER_PIECE,         /* one page of a huge page mapped by PTEs */
	GATHER_TABLE,         /* page-table page */
	GATHER_CACHE,         /* page of a file: the cache holds on to it */
};

#define GATHER_MAX 510
#define GATHER_HEAP_ARRAYS 19

struct gather_array {
	struct gather_array *next;
	pfn_t page;           /* guest page that holds it; PFN_NONE: the stack */
	uint32_t nr, max;
	bool mixed;           /* not all of them are GATHER_PAGE */
	pfn_t pfn[GATHER_MAX];
	uint8_t kind[GATHER_MAX]; /* enum gather_kind */
};

enum flush_phase {
	FLUSH_NONE,
	FLUSH_RELEASE,        /* drop references, find what is free */
	FLUSH_COMMIT,         /* hand it to the allocator */
};

/* mmu_gather of one unmap operation. */
struct gather {
	struct gather_array local; /* the on-stack array */
	struct gather_array *active;
	uint32_t nr_heap;
	/* The flush that is going on. */
	enum flush_phase phase;
	struct gather_array *flushing;
	uint32_t group_end;   /* entries up to here are released together */
	uint32_t pos;
	/*
	 * Blocks whose last reference is gone, in the order in which they are
	 * freed once the group is prepared; huge pages if freed_huge says so.
	 */
	uint32_t nr_freed, nr_committed;
	pfn_t freed[GATHER_MAX];
	bool any_huge;
	uint64_t freed_huge[BITMAP_WORDS(GATHER_MAX)];
	uint32_t id;
	bool in_use;
	/* Mirrors for the huge pages that the ends of the range cut. */
	struct pte_table *spare;
	bool gave_up;         /* there was no host memory for one more */
	struct gather *next_free;
};

struct guest {
	struct guest_config cfg;
	bool host_short;            /* guest_host_is_short() */
	struct alloc *alloc;
	const struct alloc_profile *prof;
	bool several_nodes;
	uint32_t lru_batch_size;
	/* Masks of this release for what it allocates most. */
	gfp_t gfp_anon, gfp_copy, gfp_table;
	struct lru_batch *lru;      /* per CPU */
	struct guest_mm **mms;
	uint32_t nr_mms;
	struct guest_file *files;
	uint32_t nr_files;
	/* References to huge pages that PTEs map, by pfn_region(). */
	uint16_t *piece_refs;
	/* Mirrors for reuse. */
	struct pte_table *free_pte;
	struct pmd_table *free_pmd;
	struct pud_table *free_pud;
	struct gather *free_gathers;
	struct gather_array *free_arrays;
	struct gather **gathers;    /* all of them, by id */
	uint32_t nr_gathers;
	/*
	 * Reverse map, see guest/rmap.h. Its words, NULL if nothing is ever
	 * moved; the same once somebody has asked, until then NULL.
	 */
	uint64_t *rmap_words;
	uint64_t *rmap;
	uint64_t *range_held;       /* bit per page of ranges, or NULL */
	struct guest_mem *mem;      /* compaction and reclaim, or NULL */
	struct split_queue *splits; /* partly mapped huge pages, or NULL */
	/* Where khugepaged goes on. */
	uint32_t scan_mm;
	uint64_t scan_addr;
	struct guest_gauges gauges; /* but for lru_batched */
	struct guest_counters counters;
};

/* One guest_run() call. */
struct run {
	struct guest *g;
	struct guest_op *op;
	struct guest_work *work;
	struct guest_mm *mm;
	unsigned int cpu;
	uint32_t budget;
	uint32_t quantum;     /* budget at the start */
	bool may_stall;
	/* Why get_page() gave nothing: GUEST_WAIT or GUEST_NOMEM. */
	enum guest_status status;
};

/* Use of guest_op.scratch. */
enum {
	SCRATCH_HELD,         /* page of an unfinished fault, PFN + 1 */
	SCRATCH_SLOW,         /* gfp << 32 | alloc_request.slow, or 0 */
	SCRATCH_GATHER,       /* id of the gather, + 1 */
	/* Faults gather nothing: page that waits for the host, PFN + 1. */
	SCRATCH_STALLED = SCRATCH_GATHER,
	SCRATCH_FILE,         /* DROP_CACHES: file being looked at */
};

/* mm.c: VMAs */
struct vma *vma_search(struct guest_mm *mm, uint64_t addr);
enum guest_status mmap_run(struct run *r);
/* MADV_FREE, MADV_HUGEPAGE and MADV_NOHUGEPAGE. */
enum guest_status advise_run(struct run *r);
/* What the host gave for our own books: if nothing, that is remembered. */
static inline void *host_memory(struct guest *g, void *p)
{
	g->host_short |= !p;
	return p;
}

/* Split VMAs for munmap so that none crosses start or end. 0 or -ENOMEM. */
int vma_split_for_unmap(struct guest *g, struct guest_mm *mm, uint64_t start,
			uint64_t end);
/* Forget the VMAs inside [start, end). */
void vma_remove(struct run *r, uint64_t start, uint64_t end);
/* Bounds of what the neighbours of [start, end) leave for page tables. */
void vma_bounds(const struct guest_mm *mm, uint64_t start, uint64_t end,
		uint64_t *floor, uint64_t *ceiling);

/* pgtable.c: page-table mirrors */
/* NULL with r->status if a table cannot be had. */
struct pmd_table *pmd_alloc(struct run *r, uint64_t addr);
struct pte_table *pte_alloc(struct run *r, struct pmd_table *pmd,
			    uint64_t addr);
/* A guest page for a table; PFN_NONE with r->status. */
pfn_t table_page_get(struct run *r);
struct pte_table *pte_table_new(struct guest *g, pfn_t pfn);
void pgtable_deposit(struct pmd_table *pmd, pfn_t pfn);
pfn_t pgtable_withdraw(struct pmd_table *pmd);
/* A list of mirrors goes back to the others. */
void pte_tables_put(struct guest *g, struct pte_table *list);
/*
 * Gather one page-table page of [addr, end) that lies wholly within [floor,
 * ceiling), in the order of free_pgd_range. False: none is left. *cursor says
 * where to go on.
 */
bool pgtable_free_next(struct run *r, struct gather *ga, uint64_t *cursor,
		       uint64_t end, uint64_t floor, uint64_t ceiling,
		       bool *full);
void pgtable_free_pools(struct guest *g);
void pgtable_free_mirrors(struct guest_mm *mm);

/* fault.c, thp.c: GUEST_DONE, or why the fault cannot go on */
enum guest_status fault_run(struct run *r);
bool thp_fits(const struct guest *g, const struct vma *vma, uint64_t addr);
/* GUEST_MORE: no huge page to be had, use small ones. */
enum guest_status fault_huge(struct run *r, const struct vma *vma,
			     struct pmd_table *pmd, uint64_t addr);
/* t: the mirror of the table that maps the pieces from then on. */
void split_huge_pmd(struct run *r, struct pmd_table *pmd, uint64_t addr,
		    struct pte_table *t);

/* page.c: allocation for the guest kernel itself */
/* The page that an unfinished fault already has, or PFN_NONE. */
pfn_t held_page(const struct run *r);
void hold_page(struct run *r, pfn_t pfn);
/* The fault is complete: the page is where it belongs. */
void hold_end(struct run *r);
/* The fault waits or fails: keep the page or free it. Returns r->status. */
enum guest_status hold_failed(struct run *r, unsigned int order);
void held_free_all(struct run *r);
pfn_t get_page_slow(struct run *r, unsigned int order, gfp_t gfp);
enum guest_status driver_alloc_run(struct run *r);
pfn_t get_page_atomic(struct guest *g, unsigned int cpu, gfp_t gfp,
		      uint32_t flags); /* ALLOC_REQ_* */

/* lru.c */
void lru_flush(struct guest *g, unsigned int cpu, struct guest_work *work);
void lru_add_huge(struct guest *g, unsigned int cpu, pfn_t pfn,
		  struct guest_work *work);
/* The page lost its last reference but that of some CPU's batch. */
void lru_orphan(struct guest *g, pfn_t pfn);
/* release_pages() of pages that lost their last reference. */
void release_pages(struct guest *g, unsigned int cpu, const pfn_t *pfns,
		   unsigned int nr, struct guest_work *work);

/* gather.c */
struct gather *gather_new(struct guest *g);
void gather_delete(struct guest *g, struct gather *ga);
/* Mirrors for what the operation's range cuts. False: no host memory. */
bool gather_spares_get(struct run *r, struct gather *ga);
/* One of them; NULL if it had not to be expected and there is no memory. */
struct pte_table *gather_spare_take(struct guest *g, struct gather *ga);
/* True: everything gathered so far has to be flushed now. */
bool gather_next_array(struct run *r, struct gather *ga);
void gather_flush_begin(struct run *r, struct gather *ga);
/* True when done, false when the budget is spent. */
bool gather_flush(struct run *r, struct gather *ga);
bool gather_free_arrays(struct run *r, struct gather *ga);
void gather_free_all(struct guest *g);

/* zap.c */
enum guest_status unmap_run(struct run *r);
/* Steps of `budget` pages that do nothing but gather mapped pages. */
uint32_t zap_ahead_look(const struct guest *g, const struct guest_op *op,
			uint32_t budget);
/* Gather nr pages, which those steps would. */
void zap_ahead_run(struct guest *g, struct guest_op *op, uint32_t nr);

/* pagecache.c */
struct guest_file *file_get(struct guest *g, uint32_t file);
/* The cached page, allocated if need be; PFN_NONE with r->status. */
pfn_t filemap_fault(struct run *r, uint32_t file, uint64_t index);
void filemap_map(struct guest *g, uint32_t file, uint64_t index, int delta);
void file_put_vma(struct run *r, uint32_t file);
enum guest_status drop_caches_run(struct run *r);
void file_free_mirrors(struct guest_file *f);

/* help.c: what an operation does while its allocation waits */
void help_start(struct run *r, const struct alloc_request *req,
		enum alloc_reason reason);
/* A step of it: GUEST_DONE when there is an answer. */
enum guest_status help_run(struct run *r);
/* The request is back: the captured block, or PFN_NONE with its progress. */
pfn_t help_answer(struct run *r, const struct alloc_request *req,
		  bool *compacted);
/* What the request got after a compaction that had no block for it. */
void help_outcome(struct run *r, unsigned int order, pfn_t pfn);
/* The operation waits with a helper, or has one left over. */
enum guest_status help_after(struct run *r, enum guest_status status);

/* kswapd.c, kcompactd.c */
enum guest_status kswapd_run(struct run *r);
enum guest_status kcompactd_run(struct run *r);
/* compact_memory.c */
enum guest_status compact_memory_run(struct run *r);
/* range.c: GUEST_RANGE */
enum guest_status range_run(struct run *r);

/* compaction_zone.c, rmap.c */
int compaction_create(struct guest *g);
void compaction_destroy(struct guest *g);
int rmap_create(struct guest *g);
/* khugepaged.c */
enum guest_status khugepaged_run(struct run *r);
/* deferred_split.c */
int deferred_split_create(struct guest *g);
void deferred_split_destroy(struct guest *g);

/* The VMA that contains addr, or NULL. */
static inline struct vma *vma_find(struct guest_mm *mm, uint64_t addr)
{
	const uint32_t i = mm->vma_hint;

	if (likely(i < mm->nr_vmas && mm->vmas[i].start <= addr &&
		   addr < mm->vmas[i].end))
		return &mm->vmas[i];
	return vma_search(mm, addr);
}

/* The page of a file if it is cached, else PFN_NONE. */
static inline pfn_t filemap_get(const struct guest *g, uint32_t file,
				uint64_t index)
{
	const struct guest_file *f = &g->files[file];
	const struct cache_chunk *c;

	CHECK_LT(index, f->nr_pages);
	c = f->chunks[index / PTRS_PER_TABLE];
	return likely(c != NULL) ? c->pfn[index % PTRS_PER_TABLE] : PFN_NONE;
}

static inline unsigned int pte_index(uint64_t addr)
{
	return (addr >> PAGE_SHIFT) % PTRS_PER_TABLE;
}

static inline unsigned int pmd_index(uint64_t addr)
{
	return (addr >> PMD_SHIFT) % PTRS_PER_TABLE;
}

static inline unsigned int pud_index(uint64_t addr)
{
	return (addr >> PUD_SHIFT) % PTRS_PER_TABLE;
}

static inline unsigned int pgd_index(uint64_t addr)
{
	return (unsigned int)(addr >> PGDIR_SHIFT);
}

/* The address behind the entry of 1 << shift bytes that contains addr. */
static inline uint64_t entry_end(uint64_t addr, unsigned int shift)
{
	return ((addr >> shift) + 1) << shift;
}

/* A page for the guest kernel; PFN_NONE with r->status set. */
static inline pfn_t get_page(struct run *r, unsigned int order, gfp_t gfp)
{
	if (likely((r->op->scratch[SCRATCH_SLOW] | r->may_stall) == 0)) {
		const pfn_t pfn = alloc_page_fast(r->g->alloc, r->cpu, order,
						  gfp);

		if (likely(pfn != PFN_NONE))
			return pfn;
	}
	return get_page_slow(r, order, gfp);
}

/* Models lru_cache_add (folio_add_lru) of an order-0 page. */
static inline void lru_add(struct guest *g, unsigned int cpu, pfn_t pfn,
			   struct guest_work *work)
{
	struct lru_batch *b = &g->lru[cpu];

	b->pfn[b->nr++] = pfn;
	if (b->nr == g->lru_batch_size)
		lru_flush(g, cpu, work);
}

/* Models lru_add_drain. */
static inline void lru_add_drain(struct guest *g, unsigned int cpu,
				 struct guest_work *work)
{
	if (g->lru[cpu].nr)
		lru_flush(g, cpu, work);
}

/*
 * Drop a reference of an order-0 page that belongs on the LRU. True: it was
 * the last one, the page is off the LRU and may be freed.
 */
static inline bool lru_put_page(struct guest *g, pfn_t pfn)
{
	if (likely(alloc_clear_lru(g->alloc, pfn)))
		return true;
	lru_orphan(g, pfn);
	return false;
}

/* Models __tlb_remove_page. True: flush before anything else is gathered. */
static inline bool gather_add(struct run *r, struct gather *ga, pfn_t pfn,
			      enum gather_kind kind)
{
	struct gather_array *a = ga->active;

	a->pfn[a->nr] = pfn;
	a->kind[a->nr++] = (uint8_t)kind;
	a->mixed |= kind != GATHER_PAGE;
	return a->nr == a->max && gather_next_array(r, ga);
}

#endif
