/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of mm/ in kernel/shim.h, which includes this: lists, pages, zones
 * and scatterlists.
 */
#ifndef KERNEL_SHIM_MM_H
#define KERNEL_SHIM_MM_H

/* ---- lists ---- */

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name) { &(name), &(name) }
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)
#define INIT_LIST_HEAD(l) ((void)((l)->next = (l)->prev = (l)))

/* Of a free list: is it one that is mirrored? */
const struct list_head *kernel_list(const struct list_head *list);
void list_rotate_to_front(struct list_head *entry, struct list_head *list);
/* These have no counterpart for free lists, and say so if tried on one. */
void list_del(struct list_head *entry);
void list_del_init(struct list_head *entry);
void list_add(struct list_head *entry, struct list_head *list);
void list_add_tail(struct list_head *entry, struct list_head *list);
void list_move(struct list_head *entry, struct list_head *list);
void list_move_tail(struct list_head *entry, struct list_head *list);

#define list_empty(l) (kernel_list(l)->next == (l))
#define list_is_first(e, l) ((e)->prev == (l))
#define list_is_last(e, l) ((e)->next == (l))
#define list_is_head(e, l) ((e) == (l))
#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_first_entry(l, type, member) \
	list_entry(kernel_list(l)->next, type, member)
#define list_last_entry(l, type, member) \
	list_entry(kernel_list(l)->prev, type, member)
#define list_first_entry_or_null(l, type, member) \
	(list_empty(l) ? NULL : list_first_entry(l, type, member))
#define list_next_entry(pos, member) \
	list_entry((pos)->member.next, __typeof__(*(pos)), member)
#define list_prev_entry(pos, member) \
	list_entry((pos)->member.prev, __typeof__(*(pos)), member)
#define list_entry_is_head(pos, l, member) (&(pos)->member == (l))

/* Each turn is a node looked at, which the simulator prices. */
#define LIST_VISIT(more) ((more) && (bridge_count(BRIDGE_VISIT), true))
#define list_for_each_entry(pos, l, member) \
	for (pos = list_first_entry(l, __typeof__(*pos), member); \
	     LIST_VISIT(!list_entry_is_head(pos, l, member)); \
	     pos = list_next_entry(pos, member))
#define list_for_each_entry_reverse(pos, l, member) \
	for (pos = list_last_entry(l, __typeof__(*pos), member); \
	     LIST_VISIT(!list_entry_is_head(pos, l, member)); \
	     pos = list_prev_entry(pos, member))
#define list_for_each_entry_safe(pos, n, l, member) \
	for (pos = list_first_entry(l, __typeof__(*pos), member), \
	     n = list_next_entry(pos, member); \
	     LIST_VISIT(!list_entry_is_head(pos, l, member)); \
	     pos = n, n = list_next_entry(n, member))
#define list_for_each_entry_safe_reverse(pos, n, l, member) \
	for (pos = list_last_entry(l, __typeof__(*pos), member), \
	     n = list_prev_entry(pos, member); \
	     LIST_VISIT(!list_entry_is_head(pos, l, member)); \
	     pos = n, n = list_prev_entry(n, member))

/* ---- pages and zones ---- */

#define PAGE_SHIFT 12
#define PAGE_SIZE (1ul << PAGE_SHIFT)
#define MAX_PAGE_ORDER 10
#define NR_PAGE_ORDERS 11
/* Inclusive in 6.4 to 6.7 only, and then on the command line. */
#ifndef MAX_ORDER
#define MAX_ORDER NR_PAGE_ORDERS
#endif
#define MAX_ORDER_NR_PAGES (1u << MAX_PAGE_ORDER)
#define pageblock_order bridge_pageblock_order()
#define pageblock_nr_pages (1ul << pageblock_order)

enum migratetype {
	MIGRATE_UNMOVABLE,
	MIGRATE_MOVABLE,
	MIGRATE_RECLAIMABLE,
	MIGRATE_PCPTYPES,
	MIGRATE_HIGHATOMIC = MIGRATE_PCPTYPES,
	MIGRATE_CMA,
	MIGRATE_ISOLATE,
	MIGRATE_TYPES
};

#define is_migrate_isolate(mt) ((mt) == MIGRATE_ISOLATE)
#define is_migrate_cma(mt) ((mt) == MIGRATE_CMA)
#define is_migrate_highatomic(mt) ((mt) == MIGRATE_HIGHATOMIC)

/* One for each block that could be on a list the kernel's file may walk. */
struct page {
	struct list_head lru;
	bool linked;               /* on a list of the mirror */
	u8 order, migratetype;     /* while linked, or as isolated */
	u8 zone;
};

struct free_area {
	struct list_head free_list[MIGRATE_TYPES];
	unsigned long nr_free;
};

typedef struct {
	int unused;
} spinlock_t;

enum zone_watermarks { WMARK_MIN, WMARK_LOW, WMARK_HIGH, NR_WMARK };
enum zone_stat_item { NR_FREE_PAGES };

struct zone {
	unsigned long _watermark[NR_WMARK];
	unsigned long watermark_boost;
	unsigned long zone_start_pfn;
	unsigned long spanned_pages, present_pages;
	unsigned long managed;
	const char *name;
	int node;
	struct free_area free_area[NR_PAGE_ORDERS];
	spinlock_t lock;
};

#define ALLOC_CMA 0x80
#define min_wmark_pages(z) ((z)->_watermark[WMARK_MIN] + (z)->watermark_boost)
#define low_wmark_pages(z) ((z)->_watermark[WMARK_LOW] + (z)->watermark_boost)
#define high_wmark_pages(z) \
	((z)->_watermark[WMARK_HIGH] + (z)->watermark_boost)
#define wmark_pages(z, i) ((z)->_watermark[i] + (z)->watermark_boost)
#define zone_end_pfn(z) ((z)->zone_start_pfn + (z)->spanned_pages)
#define zone_spans_pfn(z, pfn) \
	((pfn) >= (z)->zone_start_pfn && (pfn) < zone_end_pfn(z))
#define zone_managed_pages(z) ((z)->managed)
#define populated_zone(z) ((z)->present_pages != 0)
#define managed_zone(z) ((z)->managed != 0)
#define zone_to_nid(z) ((z)->node)
#define free_area_empty(area, mt) list_empty(&(area)->free_list[mt])

struct zone *kernel_first_zone(void);
struct zone *kernel_next_zone(struct zone *zone);
#define for_each_zone(z) \
	for (z = kernel_first_zone(); z; z = kernel_next_zone(z))
#define for_each_populated_zone(z) for_each_zone(z) if (populated_zone(z))

unsigned long zone_page_state(struct zone *zone, enum zone_stat_item item);
bool zone_watermark_ok(struct zone *zone, unsigned int order,
		       unsigned long mark, int highest_zoneidx,
		       unsigned int alloc_flags);

void kernel_zone_lock(spinlock_t *lock);
void kernel_zone_unlock(spinlock_t *lock);
#define spin_lock_irq(l) kernel_zone_lock(l)
#define spin_unlock_irq(l) kernel_zone_unlock(l)
#define spin_lock(l) kernel_zone_lock(l)
#define spin_unlock(l) kernel_zone_unlock(l)
#define spin_lock_irqsave(l, flags) ((void)((flags) = 0), kernel_zone_lock(l))
#define spin_unlock_irqrestore(l, flags) ((void)(flags), kernel_zone_unlock(l))

unsigned long page_to_pfn(const struct page *page);
struct page *pfn_to_page(unsigned long pfn);
struct zone *page_zone(const struct page *page);
int get_pageblock_migratetype(const struct page *page);
bool PageBuddy(const struct page *page);
unsigned int buddy_order(const struct page *page);
/* Until 5.9 it was called so. */
#define page_order(page) buddy_order(page)
bool PageReported(const struct page *page);
void __SetPageReported(struct page *page);
int __isolate_free_page(struct page *page, unsigned int order);
void __putback_isolated_page(struct page *page, unsigned int order, int mt);
#define page_to_phys(page) ((u64)page_to_pfn(page) << PAGE_SHIFT)

static inline int get_order(unsigned long size)
{
	int order = 0;

	while ((PAGE_SIZE << order) < size)
		order++;
	return order;
}

struct scatterlist {
	struct page *page;
	unsigned int offset, length;
	bool last;
};

void sg_init_table(struct scatterlist *sgl, unsigned int nents);

static inline struct page *sg_page(struct scatterlist *sg)
{
	return sg->page;
}

static inline void sg_set_page(struct scatterlist *sg, struct page *page,
			       unsigned int len, unsigned int offset)
{
	sg->page = page;
	sg->length = len;
	sg->offset = offset;
}

static inline struct scatterlist *sg_next(struct scatterlist *sg)
{
	return sg->last ? NULL : sg + 1;
}

static inline void sg_mark_end(struct scatterlist *sg)
{
	sg->last = true;
}

static inline void sg_unmark_end(struct scatterlist *sg)
{
	sg->last = false;
}

#define for_each_sg(sgl, sg, nr, i) \
	for ((i) = 0, (sg) = (sgl); (i) < (nr); (i)++, (sg) = sg_next(sg))

#endif
