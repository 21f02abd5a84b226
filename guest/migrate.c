/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page migration: the isolated pages of one round are copied to their targets,
 * page tables and page cache are pointed there, the old pages are freed. Models
 * migrate_pages with unmap_and_move, move_to_new_page, balloon_page_migrate's
 * caller and putback_movable_pages, 5.3 to 6.18.
 *
 * Isolation and migration of a round are one step: nobody sees a page that is
 * isolated. Simplified: the round's pages are moved one after the other also
 * where 6.3 and later unmap all of them first. Left out: migration entries that
 * a fault would wait for, writeback, and the ten passes over a page that is
 * busy, because nothing would change between them.
 */
#include "guest/compact.h"

static void copy_page(struct run *r, pfn_t from, pfn_t to)
{
	touch_add(r->g->cfg.touches, from, 0, TOUCH_READ);
	touch_add(r->g->cfg.touches, to, 0, TOUCH_WRITE);
	r->g->counters.pages_copied++;
	r->work->migrated_pages++;
}

/* A page that did not move goes back to the LRU by way of the CPU's batch. */
static void putback_page(struct run *r, pfn_t pfn)
{
	/* A driver's page never lost its mark. */
	if (!alloc_test_lru(r->g->alloc, pfn))
		lru_add(r->g, r->cpu, pfn, r->work);
}

void putback_pages(struct run *r, struct compact_control *cc)
{
	while (cc->nr_migrate)
		putback_page(r, cc->migrate[--cc->nr_migrate]);
}

/* The driver copies, and tells its host. */
static bool move_driver_page(struct run *r, pfn_t from, pfn_t to)
{
	struct guest *g = r->g;

	if (!g->cfg.movable_migrate ||
	    g->cfg.movable_migrate(g->cfg.ctx, r->cpu, from, to) != 0)
		return false;
	guest_movable_del(g, from);
	guest_movable_add(g, to);
	r->work->migrated_pages++;
	return true;
}

static bool move_page(struct run *r, pfn_t from, pfn_t to)
{
	struct owner o;

	rmap_find(r->g, from, &o);
	if (o.kind == OWNER_DRIVER)
		return move_driver_page(r, from, to);
	if (o.kind == OWNER_NONE)
		return false;
	copy_page(r, from, to);
	rmap_move(r->g, &o, from, to);
	lru_add(r->g, r->cpu, to, r->work);
	return true;
}

/* One page, on the LRU or a driver's. False: it is where it was. */
bool migrate_page_to(struct run *r, pfn_t from, pfn_t to)
{
	struct guest *g = r->g;
	struct owner o;

	rmap_find(g, from, &o);
	if (o.kind != OWNER_DRIVER)
		alloc_clear_lru(g->alloc, from);
	if (move_page(r, from, to)) {
		g->counters.pgmigrate_success++;
		return true;
	}
	putback_page(r, from);
	g->counters.pgmigrate_fail++;
	return false;
}

/* The page isolated last is the first to move. */
uint32_t migrate_pages(struct run *r, struct compact_control *cc, bool *nomem)
{
	struct guest *g = r->g;
	uint32_t failed = 0;

	*nomem = false;
	while (cc->nr_migrate) {
		const pfn_t from = cc->migrate[cc->nr_migrate - 1];
		const pfn_t to = compaction_alloc(r, cc);

		if (to == PFN_NONE) {
			*nomem = true;
			failed += cc->nr_migrate;
			putback_pages(r, cc);
			break;
		}
		cc->nr_migrate--;
		if (move_page(r, from, to)) {
			alloc_free(g->alloc, r->cpu, from, 0);
			g->counters.pgmigrate_success++;
			continue;
		}
		compaction_free(cc, to);
		putback_page(r, from);
		failed++;
	}
	g->counters.pgmigrate_fail += failed;
	return failed;
}
