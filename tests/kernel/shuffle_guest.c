/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory around mm/shuffle.c: nodes, zones, a struct page for every page,
 * and free lists that are lists of them. Compiled with that file, not with the
 * simulator; each call is what mm/page_alloc.c, mm/memory_hotplug.c or lib/ give.
 * One guest at a time, as the file keeps its random bits in a variable.
 */
#include <string.h>

#include "shuffle.h"
#include "tests/kernel/shuffle_bridge.h"

#define EXPORT __attribute__((visibility("default")))
#define NO_BLOCK 255

static pg_data_t nodes[SHUFFLE_MAX_ZONES];
static struct zone *zones[SHUFFLE_MAX_ZONES];
static struct page pages[SHUFFLE_MAX_PFN];
static u8 types[SHUFFLE_MAX_PFN / SHUFFLE_PAGEBLOCK];
static bool absent[SHUFFLE_MAX_PFN];
static struct shuffle_setup setup;
static int locks_held;

/* ---- what the file calls ---- */

unsigned long page_to_pfn(const struct page *page)
{
	return (unsigned long)(page - pages);
}

struct page *pfn_to_online_page(unsigned long pfn)
{
	if (pfn >= SHUFFLE_MAX_PFN || absent[pfn])
		return NULL;
	return &pages[pfn];
}

struct zone *page_zone(const struct page *page)
{
	return zones[page->zone];
}

bool PageBuddy(const struct page *page)
{
	return page->order != NO_BLOCK;
}

unsigned int buddy_order(const struct page *page)
{
	return page->order;
}

int get_pageblock_migratetype(const struct page *page)
{
	return types[page_to_pfn(page) / SHUFFLE_PAGEBLOCK];
}

u64 get_random_u64(void)
{
	return setup.word(setup.ctx);
}

static void unlink_node(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
}

static void link_node(struct list_head *entry, struct list_head *behind)
{
	entry->prev = behind;
	entry->next = behind->next;
	behind->next->prev = entry;
	behind->next = entry;
}

/* The two trade places, whether on one list or on two, neighbours or not. */
void list_swap(struct list_head *one, struct list_head *two)
{
	struct list_head *before_one = one->prev, *before_two = two->prev;

	if (one == two)
		return;
	if (before_one == two) {
		unlink_node(two);
		link_node(two, one);
		return;
	}
	unlink_node(one);
	if (before_two == one) {
		link_node(one, two);
		return;
	}
	unlink_node(two);
	link_node(one, before_two);
	link_node(two, before_one);
}

void kernel_zone_lock(spinlock_t *lock)
{
	(void)lock;
	locks_held++;
}

void kernel_zone_unlock(spinlock_t *lock)
{
	(void)lock;
	locks_held--;
}

/* Parameters are set on no command line here; see kernel_shuffle_boot(). */
int param_set_bool(const char *val, const struct kernel_param *kp)
{
	(void)val;
	(void)kp;
	return -EINVAL;
}

int param_get_bool(char *buffer, const struct kernel_param *kp)
{
	(void)buffer;
	(void)kp;
	return -EINVAL;
}

/* ---- what the test calls ---- */

static void boot_zone(unsigned int nr)
{
	unsigned int slot = 0;
	struct zone *z;

	for (unsigned int i = 0; i < nr; i++)
		slot += setup.zones[i].node == setup.zones[nr].node;
	z = zones[nr] = &nodes[setup.zones[nr].node].node_zones[slot];
	z->zone_start_pfn = setup.zones[nr].start;
	z->spanned_pages = setup.zones[nr].end - setup.zones[nr].start;
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		for (unsigned int mt = 0; mt < MIGRATE_TYPES; mt++)
			INIT_LIST_HEAD(&z->free_area[o].free_list[mt]);
	for (uint32_t pfn = setup.zones[nr].start; pfn < setup.zones[nr].end;
	     pfn++) {
		absent[pfn] = false;
		pages[pfn].order = NO_BLOCK;
		pages[pfn].zone = (u8)nr;
	}
}

EXPORT void kernel_shuffle_boot(const struct shuffle_setup *s)
{
	memset(nodes, 0, sizeof(nodes));
	memset(types, MIGRATE_MOVABLE, sizeof(types));
	memset(absent, true, sizeof(absent));
	setup = *s;
	for (unsigned int i = 0; i < s->nr_zones; i++)
		boot_zone(i);
	static_branch_enable(&page_alloc_shuffle_key);
}

EXPORT void kernel_shuffle_hole(uint32_t start, uint32_t end)
{
	memset(&absent[start], true, end - start);
}

EXPORT void kernel_shuffle_set_type(uint32_t pfn, unsigned int mt)
{
	types[pfn / SHUFFLE_PAGEBLOCK] = (u8)mt;
}

EXPORT void kernel_shuffle_add(unsigned int zone, unsigned int order,
			       unsigned int mt, uint32_t pfn)
{
	struct list_head *list = &zones[zone]->free_area[order].free_list[mt];

	pages[pfn].order = (u8)order;
	link_node(&pages[pfn].lru, list->prev);
}

EXPORT void kernel_shuffle_node(unsigned int node)
{
	shuffle_free_memory(&nodes[node]);
}

EXPORT uint32_t kernel_shuffle_next(unsigned int zone, unsigned int order,
				    unsigned int mt, uint32_t pfn)
{
	const struct list_head *list =
		&zones[zone]->free_area[order].free_list[mt];
	const struct list_head *at = pfn == SHUFFLE_NO_PFN ? list :
				     &pages[pfn].lru;

	if (at->next == list)
		return SHUFFLE_NO_PFN;
	return (uint32_t)page_to_pfn(list_entry(at->next, struct page, lru));
}

EXPORT bool kernel_shuffle_is_order(unsigned int order)
{
	return is_shuffle_order((int)order);
}

EXPORT bool kernel_shuffle_pick_tail(void)
{
	return shuffle_pick_tail();
}

EXPORT int kernel_shuffle_locks_held(void)
{
	return locks_held;
}
