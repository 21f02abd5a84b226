/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest kernel around a file of mm/: zones, pages, work and the device.
 * The device stands for drivers/virtio/virtio_balloon.c, the rest for what
 * mm/page_alloc.c and lib/ give to mm/page_reporting.c.
 *
 * The kernel's file walks free lists by following pointers, the simulator's
 * are not made of any. So the lists of the orders that are reported are
 * mirrored: node by node as they stand, whenever they may have changed behind
 * the file's back (the work begins, a report is answered), and kept the same
 * by each isolation, putback and rotation in between. Lists of smaller blocks
 * stay without a first node, so that a look at one is noticed.
 *
 * Left out: everything that would need the contents of a page, other lists of
 * pages, and more than one work item.
 */
#include <linux/page_reporting.h>
#include <page_reporting.h>

#define MAX_ZONES 64
#define MAX_ENTRIES 1024

struct guest {
	struct page_reporting_dev_info device;
	struct delayed_work *work;
	unsigned int nr_zones;
	unsigned int shift;        /* smallest order of the mirror */
	unsigned int zone;         /* the one under work */
	bool fresh[MAX_ZONES];     /* mirrored as it is */
	struct zone zones[MAX_ZONES];
	struct bridge_entry entries[MAX_ENTRIES];
	struct page pages[];       /* one for each 2^shift pages of memory */
};

/* The guest on whose behalf all this runs; see kernel_boot(). */
static struct guest *guest;

size_t kernel_guest_bytes(uint32_t nr_pages)
{
	return sizeof(*guest) + (size_t)nr_pages * sizeof(struct page);
}

/* ---- pages ---- */

unsigned long page_to_pfn(const struct page *page)
{
	return (unsigned long)(page - guest->pages) << guest->shift;
}

struct page *pfn_to_page(unsigned long pfn)
{
	return &guest->pages[pfn >> guest->shift];
}

static uint32_t pfn_of(const struct page *page)
{
	return (uint32_t)page_to_pfn(page);
}

static struct page *page_of(uint32_t pfn)
{
	return pfn_to_page(pfn);
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

static void insert_before(struct list_head *entry, struct list_head *next)
{
	entry->prev = next->prev;
	entry->next = next;
	next->prev->next = entry;
	next->prev = entry;
}

static void take_out(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
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

static void look_at_zone(unsigned int zone)
{
	guest->zone = zone;
	if (page_reporting_order < guest->shift)
		bridge_cannot("page_reporting_order is lowered at run time; "
			      "set it when the device registers");
	if (!guest->fresh[zone])
		mirror_zone(zone);
}

static void world_has_turned(void)
{
	for (unsigned int i = 0; i < guest->nr_zones; i++)
		guest->fresh[i] = false;
}

/* The orders are known as soon as the device is registered. */
static void mirror_begin(void)
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

/* ---- lists ---- */

static bool is_ours(const struct list_head *list)
{
	const char *p = (const char *)list;

	return p >= (const char *)guest->zones &&
	       p < (const char *)(guest->zones + MAX_ZONES);
}

static bool is_page(const struct list_head *entry)
{
	return (const char *)entry >= (const char *)guest->pages &&
	       entry->next && list_entry(entry, struct page, lru)->linked;
}

const struct list_head *kernel_list(const struct list_head *list)
{
	if (!list->next)
		bridge_cannot("a list of blocks below page_reporting_order is "
			      "looked at");
	return list;
}

void list_rotate_to_front(struct list_head *entry, struct list_head *list)
{
	take_out(list);
	insert_before(list, entry);
	if (is_ours(list))
		bridge_rotate_to_front(
			pfn_of(list_entry(entry, struct page, lru)));
}

static void only_others(const struct list_head *entry,
			const struct list_head *list)
{
	if ((entry && is_page(entry)) || (list && is_ours(list)))
		bridge_cannot("a free list is changed other than by "
			      "__isolate_free_page, __putback_isolated_page "
			      "and list_rotate_to_front");
}

void list_del(struct list_head *entry)
{
	only_others(entry, NULL);
	take_out(entry);
}

void list_del_init(struct list_head *entry)
{
	list_del(entry);
	INIT_LIST_HEAD(entry);
}

void list_add(struct list_head *entry, struct list_head *list)
{
	only_others(NULL, list);
	insert_before(entry, list->next);
}

void list_add_tail(struct list_head *entry, struct list_head *list)
{
	only_others(NULL, list);
	insert_before(entry, list);
}

void list_move(struct list_head *entry, struct list_head *list)
{
	list_del(entry);
	list_add(entry, list);
}

void list_move_tail(struct list_head *entry, struct list_head *list)
{
	list_del(entry);
	list_add_tail(entry, list);
}

/* ---- zones ---- */

struct zone *kernel_first_zone(void)
{
	look_at_zone(0);
	return &guest->zones[0];
}

struct zone *kernel_next_zone(struct zone *zone)
{
	const unsigned int next = (unsigned int)(zone - guest->zones) + 1;

	if (next >= guest->nr_zones)
		return NULL;
	look_at_zone(next);
	return &guest->zones[next];
}

unsigned long zone_page_state(struct zone *zone, enum zone_stat_item item)
{
	struct bridge_zone now;

	(void)item;
	bridge_zone((unsigned int)(zone - guest->zones), &now);
	return now.free;
}

bool zone_watermark_ok(struct zone *zone, unsigned int order,
		       unsigned long mark, int highest_zoneidx,
		       unsigned int alloc_flags)
{
	(void)alloc_flags;
	return bridge_watermark_ok((unsigned int)(zone - guest->zones), order,
				   mark, (unsigned int)highest_zoneidx);
}

static unsigned int zone_of_lock(const spinlock_t *lock)
{
	if ((const char *)lock < (const char *)guest->zones ||
	    (const char *)lock >= (const char *)(guest->zones + MAX_ZONES))
		return MAX_ZONES;
	return (unsigned int)(container_of(lock, struct zone, lock) -
			      guest->zones);
}

/* A lock of the file's own orders nothing here. */
void kernel_zone_lock(spinlock_t *lock)
{
	const unsigned int zone = zone_of_lock(lock);

	if (zone == MAX_ZONES)
		return;
	bridge_lock(zone);
	look_at_zone(zone);
}

void kernel_zone_unlock(spinlock_t *lock)
{
	const unsigned int zone = zone_of_lock(lock);

	if (zone != MAX_ZONES)
		bridge_unlock(zone);
}

/* ---- work ---- */

void kernel_init_work(struct delayed_work *dw, work_func_t f)
{
	dw->work.func = f;
	dw->locked_out = false;
}

bool kernel_queue_work(struct delayed_work *dw, unsigned long delay)
{
	if (guest->work && guest->work != dw)
		bridge_cannot("a second delayed work is queued");
	guest->work = dw;
	if (dw->locked_out)
		return false;
	bridge_arm((uint64_t)delay * (1000000000u / HZ));
	return true;
}

bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *dw,
		      unsigned long delay)
{
	const bool was = bridge_disarm();

	(void)wq;
	kernel_queue_work(dw, delay);
	return was;
}

bool cancel_delayed_work(struct delayed_work *dw)
{
	(void)dw;
	return bridge_disarm();
}

/*
 * The kernel waits for a pass that runs, and keeps it from queueing itself
 * again; here only the second is needed, as nothing is done after the wait.
 */
bool cancel_delayed_work_sync(struct delayed_work *dw)
{
	dw->locked_out = bridge_working();
	return bridge_disarm();
}

void kernel_work(void)
{
	world_has_turned();
	guest->work->work.func(&guest->work->work);
}

/* ---- parameters: nobody sets or reads them ---- */

int param_set_uint_minmax(const char *val, const struct kernel_param *kp,
			  unsigned int lowest, unsigned int highest)
{
	(void)val;
	(void)kp;
	(void)lowest;
	(void)highest;
	return -EINVAL;
}

int param_get_int(char *buffer, const struct kernel_param *kp)
{
	(void)buffer;
	(void)kp;
	return -EINVAL;
}

int param_get_uint(char *buffer, const struct kernel_param *kp)
{
	return param_get_int(buffer, kp);
}

/* ---- the device ---- */

void sg_init_table(struct scatterlist *sgl, unsigned int nents)
{
	for (unsigned int i = 0; i < nents; i++)
		sgl[i] = (struct scatterlist){ .last = i + 1 == nents };
}

static int device_report(struct page_reporting_dev_info *device,
			 struct scatterlist *sgl, unsigned int nents)
{
	struct scatterlist *sg = sgl;
	unsigned int nr = 0;
	int err;

	(void)device;
	for (; sg && nr < nents; sg = sg_next(sg)) {
		const struct page *page = sg_page(sg);

		if (nr == MAX_ENTRIES)
			bridge_cannot("more than 1024 blocks in one report");
		guest->entries[nr++] = (struct bridge_entry){
			.pfn = pfn_of(page),
			.order = (u8)get_order(sg->length),
			.migratetype = page->migratetype,
			.zone = page->zone,
		};
	}
	err = bridge_report(guest->entries, nr);
	world_has_turned();
	look_at_zone(guest->zone);
	return err;
}

void kernel_boot(void *memory)
{
	guest = memory;
	guest->nr_zones = bridge_nr_zones();
	for (unsigned int i = 0; i < guest->nr_zones; i++) {
		struct zone *z = &guest->zones[i];
		struct bridge_zone now;

		bridge_zone(i, &now);
		z->name = now.name;
		z->node = (int)now.node;
		z->zone_start_pfn = now.start;
		z->spanned_pages = now.spanned;
		z->present_pages = now.present;
		z->managed = now.managed;
	}
}

int kernel_probe(unsigned int order)
{
	int err;

	guest->device.report = device_report;
#ifdef KERNEL_DEVICE_HAS_ORDER
	guest->device.order = order;
#else
	(void)order;
#endif
	err = page_reporting_register(&guest->device);
	mirror_begin();
	return err;
}

void kernel_remove(void)
{
	page_reporting_unregister(&guest->device);
}

void kernel_notify_free(unsigned int order)
{
	page_reporting_notify_free(order);
}

unsigned int kernel_reporting_order(void)
{
	return page_reporting_order;
}
