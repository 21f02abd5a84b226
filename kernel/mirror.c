/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages and free lists as a file of mm/ sees them. The file walks free lists by
 * following pointers, the simulator's are not made of any. So the lists of the
 * orders that are reported are mirrored: node by node as they stand, whenever
 * they may have changed behind the file's back (the work begins, a report is
 * answered), and kept the same by each isolation, putback and rotation in
 * between. Lists of smaller blocks stay without a first node, so that a look at
 * one is noticed.
 *
 * Left out: everything that would need the contents of a page, and other lists
 * of pages.
 */
#include "kernel/guest.h"

/* ---- pages ---- */

unsigned long page_to_pfn(const struct page *page)
{
	return (unsigned long)(page - guest->pages) << guest->shift;
}

struct page *pfn_to_page(unsigned long pfn)
{
	return &guest->pages[pfn >> guest->shift];
}

struct zone *page_zone(const struct page *page)
{
	return &guest->zones[page->zone];
}

int get_pageblock_migratetype(const struct page *page)
{
	return (int)bridge_pageblock_type(pfn_of(page));
}

bool PageBuddy(const struct page *page)
{
	return bridge_is_free_head(pfn_of(page));
}

unsigned int buddy_order(const struct page *page)
{
	return bridge_block_order(pfn_of(page));
}

bool PageReported(const struct page *page)
{
	if (!bridge_reported(pfn_of(page)))
		return false;
	bridge_count(BRIDGE_SKIP);
	return true;
}

void __SetPageReported(struct page *page)
{
	bridge_set_reported(pfn_of(page));
}

/* ---- the mirror ---- */

static struct list_head *list_of(unsigned int zone, unsigned int order,
				 unsigned int mt)
{
	return &guest->zones[zone].free_area[order].free_list[mt];
}

static void link_page(uint32_t pfn, unsigned int zone, unsigned int order,
		      unsigned int mt, struct list_head *next)
{
	struct page *page = page_of(pfn);

	page->zone = (u8)zone;
	page->order = (u8)order;
	page->migratetype = (u8)mt;
	page->linked = true;
	insert_before(&page->lru, next);
}

static void unlink_page(struct page *page)
{
	page->linked = false;
	take_out(&page->lru);
	guest->zones[page->zone].free_area[page->order].nr_free--;
}

static void mirror_list(unsigned int zone, unsigned int order, unsigned int mt)
{
	struct list_head *list = list_of(zone, order, mt);
	uint32_t pfn = bridge_list_first(zone, order, mt);

	INIT_LIST_HEAD(list);
	for (; pfn != BRIDGE_NO_PFN; pfn = bridge_list_next(pfn))
		link_page(pfn, zone, order, mt, list);
}

/* Nodes that the allocator no longer has are nowhere. */
static void forget_list(const struct list_head *list)
{
	for (struct list_head *l = list->next; l != list; l = l->next)
		list_entry(l, struct page, lru)->linked = false;
}

static void mirror_zone(unsigned int zone)
{
	struct zone *z = &guest->zones[zone];
	struct bridge_zone now;

	bridge_zone(zone, &now);
	z->_watermark[WMARK_MIN] = now.wmark_min;
	z->_watermark[WMARK_LOW] = now.wmark_low;
	z->_watermark[WMARK_HIGH] = now.wmark_high;
	z->watermark_boost = now.boost;
	z->managed = now.managed;
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		z->free_area[o].nr_free = now.nr_free[o];
	for (unsigned int o = guest->shift; o < NR_PAGE_ORDERS; o++)
		for (unsigned int mt = 0; mt < MIGRATE_TYPES; mt++)
			forget_list(list_of(zone, o, mt));
	for (unsigned int o = guest->shift; o < NR_PAGE_ORDERS; o++)
		for (unsigned int mt = 0; mt < MIGRATE_TYPES; mt++)
			mirror_list(zone, o, mt);
	guest->fresh[zone] = true;
}

void look_at_zone(unsigned int zone)
{
	guest->zone = zone;
	if (page_reporting_order < guest->shift)
		bridge_cannot("page_reporting_order is lowered at run time; "
			      "set it when the device registers");
	if (!guest->fresh[zone])
		mirror_zone(zone);
}

void world_has_turned(void)
{
	for (unsigned int i = 0; i < guest->nr_zones; i++)
		guest->fresh[i] = false;
}

void mirror_begin(void)
{
	guest->shift = page_reporting_order < MAX_PAGE_ORDER ?
		       page_reporting_order : MAX_PAGE_ORDER;
	for (unsigned int i = 0; i < guest->nr_zones; i++)
		for (unsigned int o = guest->shift; o < NR_PAGE_ORDERS; o++)
			for (unsigned int mt = 0; mt < MIGRATE_TYPES; mt++)
				INIT_LIST_HEAD(list_of(i, o, mt));
	world_has_turned();
}

/* ---- blocks leave lists and come back ---- */

int __isolate_free_page(struct page *page, unsigned int order)
{
	if (!bridge_isolate(pfn_of(page)))
		return 0;
	/* Other blocks of the pageblock may change lists with it. */
	if (order < pageblock_order)
		mirror_zone(page->zone);
	else
		unlink_page(page);
	return 1 << order;
}

/* The block that the free one at pfn has become part of. */
static uint32_t merged_head(uint32_t pfn)
{
	for (unsigned int o = guest->shift; o < NR_PAGE_ORDERS; o++) {
		const uint32_t head = pfn & ~((1u << o) - 1);

		if (bridge_is_free_head(head) &&
		    pfn - head < 1u << bridge_block_order(head))
			return head;
	}
	return BRIDGE_NO_PFN;
}

void __putback_isolated_page(struct page *page, unsigned int order, int mt)
{
	const unsigned int zone = page->zone;
	uint32_t head, next;
	unsigned int o, type;

	bridge_putback(pfn_of(page), order, (unsigned int)mt);
	head = merged_head(pfn_of(page));
	if (head == BRIDGE_NO_PFN)
		bridge_cannot("a block that was put back is not free");
	o = bridge_block_order(head);
	for (uint32_t pfn = head; pfn < head + (1u << o);
	     pfn += 1u << guest->shift)
		if (page_of(pfn)->linked)
			unlink_page(page_of(pfn));
	next = bridge_list_next(head);
	type = bridge_block_type(head);
	link_page(head, zone, o, type, next == BRIDGE_NO_PFN ?
		  list_of(zone, o, type) : &page_of(next)->lru);
	guest->zones[zone].free_area[o].nr_free++;
}
