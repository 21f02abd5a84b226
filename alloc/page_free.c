/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frees: the drop of the last reference. Models __free_pages, free_unref_page,
 * __free_pages_ok and the two passes of free_unref_page_list (free_unref_folios
 * from 6.9 on), 5.3 to 6.18.
 *
 * Left out: the page checks. A non-compound block that somebody else still holds
 * is freed in parts by the caller, as __free_pages does from 5.10 on.
 */
#include "alloc/pcp.h"

static __attribute__((noinline, cold))
void emit_page_free(struct alloc *a, pfn_t pfn, unsigned int order)
{
	const struct alloc_event ev = {
		.kind = ALLOC_EVENT_PAGE_FREE,
		.pfn = pfn,
		.order = (uint8_t)order,
	};

	emit_event(a, &ev);
}

/* Models free_pages_prepare as far as anyone can see it. */
static inline void free_prepared(struct alloc *a, pfn_t pfn,
				 unsigned int order)
{
	if (unlikely(a->hooks.event != NULL))
		emit_page_free(a, pfn, order);
	digest_block(a, pfn, order, DIGEST_FREE);
}

static inline void free_counted(struct alloc *a, const struct zone *z,
				unsigned int cpu, pfn_t pfn,
				unsigned int order)
{
	a->cnt.pgfree += order_nr_pages(order);
	a->cnt.frees[order]++;
	if (unlikely(a->hooks.free_capture != NULL))
		a->hooks.free_capture(a->hooks.reporter_ctx, z->idx, pfn,
				      order, cpu);
}

static inline __attribute__((always_inline))
void free_committed(struct alloc *a, struct zone *z, unsigned int cpu,
		    pfn_t pfn, unsigned int order, enum migratetype mt)
{
	const struct page_rec *rec = rec_of(a, pfn, order);

	CHECK_MSG(rec->state == PAGE_NONE,
		  "free of pfn %u order %u, which is free", pfn, order);
	free_counted(a, z, cpu, pfn, order);
	if (unlikely(a->pcp_disabled) ||
	    unlikely(!pcp_order_allowed(a, order)) ||
	    unlikely(mt == MIGRATE_ISOLATE))
		free_to_buddy(a, z, pfn, order, 0);
	else
		pcp_commit(a, z, cpu, pfn, order, mt);
}

/*
 * Frees come in runs from one zone. Guessing it saves a chain of loads that
 * starts at the pfn; a guess cannot be wrong unnoticed, as zones do not overlap.
 */
static inline struct zone *freed_zone(struct alloc *a, pfn_t pfn)
{
	struct zone *z = a->last_freed;

	if (likely(zone_spans_pfn(z, pfn)))
		return z;
	z = pfn_zone(a, pfn);
	a->last_freed = z;
	return z;
}

static __attribute__((noinline))
void free_any(struct alloc *a, unsigned int cpu, pfn_t pfn, unsigned int order)
{
	free_prepared(a, pfn, order);
	free_committed(a, freed_zone(a, pfn), cpu, pfn, order,
		       pageblock_mt(a, pfn));
}

/*
 * The usual free: one movable page, nobody watches. With the type known from a
 * branch, the list's address does not wait for the pageblock's.
 */
static inline bool frees_plainly(const struct alloc *a, pfn_t pfn,
				 unsigned int order, enum migratetype mt)
{
	return order == 0 && mt == MIGRATE_MOVABLE && a->plain_free &&
	       a->pages[pfn].state == PAGE_NONE;
}

static inline __attribute__((always_inline))
void free_plainly(struct alloc *a, unsigned int cpu, pfn_t pfn)
{
	a->cnt.pgfree++;
	a->cnt.frees[0]++;
	pcp_commit(a, freed_zone(a, pfn), cpu, pfn, 0, MIGRATE_MOVABLE);
}

/* Other types and orders, with nobody watching either. */
static inline __attribute__((always_inline))
bool free_plainly_any(struct alloc *a, unsigned int cpu, pfn_t pfn,
		      unsigned int order)
{
	const enum migratetype mt = pageblock_mt(a, pfn);

	if (!a->plain_free || mt >= MIGRATE_PCPTYPES ||
	    !pcp_order_allowed(a, order) ||
	    rec_of(a, pfn, order)->state != PAGE_NONE)
		return false;
	digest_block(a, pfn, order, DIGEST_FREE);
	a->cnt.pgfree += order_nr_pages(order);
	a->cnt.frees[order]++;
	pcp_commit(a, freed_zone(a, pfn), cpu, pfn, order, mt);
	return true;
}

static __attribute__((noinline))
void free_high(struct alloc *a, unsigned int cpu, pfn_t pfn,
	       unsigned int order)
{
	const bool done = order == HPAGE_PMD_ORDER ?
			free_plainly_any(a, cpu, pfn, HPAGE_PMD_ORDER) :
			free_plainly_any(a, cpu, pfn, order);

	if (unlikely(!done))
		free_any(a, cpu, pfn, order);
}

static __attribute__((noinline))
void free_hooked(struct alloc *a, unsigned int cpu, pfn_t pfn)
{
	if (likely(frees_plainly(a, pfn, 0, pageblock_mt(a, pfn)))) {
		digest_block(a, pfn, 0, DIGEST_FREE);
		free_plainly(a, cpu, pfn);
	} else if (!free_plainly_any(a, cpu, pfn, 0)) {
		free_any(a, cpu, pfn, 0);
	}
}

/* As in alloc_page_fast(), all calls are last ones. */
void alloc_free(struct alloc *a, unsigned int cpu, pfn_t pfn,
		unsigned int order)
{
	struct zone *z = a->last_freed;
	struct per_cpu_pages *pcp = &z->pcp[cpu];

	if (unlikely(order != 0)) {
		free_high(a, cpu, pfn, order);
		return;
	}
	if (unlikely(!a->bare || !zone_spans_pfn(z, pfn) ||
		     !frees_plainly(a, pfn, 0, pageblock_mt(a, pfn)) ||
		     !pcp_push_plain(a, pcp, pfn))) {
		free_hooked(a, cpu, pfn);
		return;
	}
	if (!pcp_surely_below_high(a, z, pcp, 0))
		pcp_flush_if_high(a, z, cpu, 0, MIGRATE_MOVABLE);
}

void alloc_free_buddy(struct alloc *a, pfn_t pfn, unsigned int order)
{
	struct zone *z = pfn_zone(a, pfn);

	free_prepared(a, pfn, order);
	free_counted(a, z, 0, pfn, order);
	free_to_buddy(a, z, pfn, order, 0);
}

void alloc_prefetch(const struct alloc *a, pfn_t pfn)
{
	__builtin_prefetch(rec_of(a, pfn, 0), 1);
	__builtin_prefetch(&a->lru[pfn / 64], 1);
}

/* Orders whose buddies' records share the page's cache line. */
#define NEAR_ORDERS 3u

/*
 * Follows the merges as they would be now. Until the free a buddy may come or
 * go, which costs no more than a cache miss. The branches stay: which of them
 * is taken is a coin toss, and still cheaper than loading what none will use.
 */
void alloc_prefetch_merge(const struct alloc *a, pfn_t pfn)
{
	for (unsigned int order = 0; order < NEAR_ORDERS; order++) {
		const struct page_rec *rec =
			&a->pages[pfn ^ order_nr_pages(order)];

		if (rec->state != PAGE_BUDDY || rec->order != order)
			return;
		__builtin_prefetch(&a->words[rec->place], 1);
		pfn &= ~order_nr_pages(order);
	}
	__builtin_prefetch(&a->pages[pfn ^ order_nr_pages(NEAR_ORDERS)], 1);
	pfn &= ~order_nr_pages(NEAR_ORDERS);
	__builtin_prefetch(&a->pages[pfn ^ order_nr_pages(NEAR_ORDERS + 1)], 1);
}

/* The type read here is kept with the page until the free is committed. */
void alloc_free_prepare(struct alloc *a, pfn_t pfn, unsigned int order)
{
	struct page_rec *rec = rec_of(a, pfn, order);

	CHECK_EQ(rec->state, PAGE_NONE);
	rec->aux = (uint8_t)pageblock_mt(a, pfn);
	free_prepared(a, pfn, order);
}

/* The type that a commit goes by: as prepared, or read again. */
static inline enum migratetype prepared_mt(const struct alloc *a, pfn_t pfn,
					   unsigned int order)
{
	return a->prof.pcp_type_reread ?
		       pageblock_mt(a, pfn) :
		       (enum migratetype)rec_of(a, pfn, order)->aux;
}

static __attribute__((noinline))
void commit_any(struct alloc *a, unsigned int cpu, pfn_t pfn,
		unsigned int order, enum migratetype mt)
{
	free_committed(a, freed_zone(a, pfn), cpu, pfn, order, mt);
}

void alloc_free_commit(struct alloc *a, unsigned int cpu, pfn_t pfn,
		       unsigned int order)
{
	const enum migratetype mt = prepared_mt(a, pfn, order);

	if (likely(frees_plainly(a, pfn, order, mt)))
		free_plainly(a, cpu, pfn);
	else
		commit_any(a, cpu, pfn, order, mt);
}

void alloc_free_commit_buddy(struct alloc *a, pfn_t pfn, unsigned int order)
{
	const enum migratetype mt =
		(enum migratetype)rec_of(a, pfn, order)->aux;
	struct zone *z = pfn_zone(a, pfn);

	free_counted(a, z, 0, pfn, order);
	if (a->prof.pcp_type_reread || z->nr_isolate_pageblock != 0) {
		free_to_buddy(a, z, pfn, order, 0);
		return;
	}
	note_lock(a, z);
	free_one_page(a, z, pfn, order, mt, 0);
}

/* Pages between the one at hand and the one whose record is fetched. */
#define FREE_AHEAD 24

void alloc_free_prepare_list(struct alloc *a, const pfn_t *pfns,
			     unsigned int nr)
{
	struct digest *d = a->hooks.digest;

	if (unlikely(a->hooks.event != NULL || d == NULL)) {
		for (unsigned int i = 0; i < nr; i++)
			alloc_free_prepare(a, pfns[i], 0);
		return;
	}
	for (unsigned int i = 0; i < nr; i++) {
		const pfn_t pfn = pfns[i];
		struct page_rec *rec = &a->pages[pfn];

		if (i + FREE_AHEAD < nr)
			__builtin_prefetch(&a->pages[pfns[i + FREE_AHEAD]], 1);
		CHECK_EQ(rec->state, PAGE_NONE);
		rec->aux = (uint8_t)pageblock_mt(a, pfn);
	}
	digest_u32s(d, DIGEST_FREE, pfns, nr);
}

/*
 * How many of these pages are plain frees of one zone that end before the
 * pageset is full, or with the one that fills it; 0 if the first is not plain.
 */
static unsigned int plain_frees(const struct alloc *a, const struct zone *z,
				const struct per_cpu_pages *pcp,
				const pfn_t *pfns, unsigned int nr)
{
	const unsigned int room = pcp_plain_room(a, z, pcp);
	const struct page_rec *pages = a->pages;
	const pfn_t start = z->start, size = z->end - start;
	const uint32_t mask = rec_tag(UINT8_MAX, 0, 0, UINT8_MAX);
	unsigned int n = 0;

	if (!a->plain_free || a->prof.pcp_type_reread)
		return 0;
	if (nr > room)
		nr = room;
	while (n < nr && pfns[n] - start < size &&
	       (pages[pfns[n]].tag & mask) ==
		       rec_tag(PAGE_NONE, 0, 0, MIGRATE_MOVABLE))
		n++;
	return n;
}

unsigned int alloc_free_commit_some(struct alloc *a, unsigned int cpu,
				    const pfn_t *pfns, unsigned int nr)
{
	const uint32_t locked = a->work->lock_acquisitions;
	unsigned int done = 0;

	while (done < nr && a->work->lock_acquisitions == locked) {
		const pfn_t *left = pfns + done;
		struct zone *z = freed_zone(a, left[0]);
		struct per_cpu_pages *pcp = &z->pcp[cpu];
		unsigned int n = plain_frees(a, z, pcp, left, nr - done);

		if (unlikely(n == 0)) {
			alloc_free_commit(a, cpu, left[0], 0);
			n = 1;
		} else {
			a->cnt.pgfree += n;
			a->cnt.frees[0] += n;
			pcp_commit_run(a, z, cpu, left, n);
		}
		done += n;
	}
	return done;
}

void alloc_free_commit_list(struct alloc *a, unsigned int cpu,
			    const pfn_t *pfns, unsigned int nr)
{
	while (nr > 0) {
		const unsigned int n = alloc_free_commit_some(a, cpu, pfns,
							      nr);

		pfns += n;
		nr -= n;
	}
}

void alloc_free_list(struct alloc *a, unsigned int cpu, const pfn_t *pfns,
		     unsigned int nr)
{
	alloc_free_prepare_list(a, pfns, nr);
	alloc_free_commit_list(a, cpu, pfns, nr);
}
