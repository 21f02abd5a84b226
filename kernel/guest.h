/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest kernel around a file of mm/, as its parts see it: kernel/guest.c is
 * boot, zones, work and the device, kernel/mirror.c the pages and free lists,
 * kernel/guest_list.c the operations on lists. Nothing here for the reporter:
 * that is kernel/bridge.h.
 */
#ifndef KERNEL_GUEST_H
#define KERNEL_GUEST_H

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
extern struct guest *guest;

static inline uint32_t pfn_of(const struct page *page)
{
	return (uint32_t)page_to_pfn(page);
}

static inline struct page *page_of(uint32_t pfn)
{
	return pfn_to_page(pfn);
}

/* ---- mirror.c ---- */

/* The orders are known as soon as the device is registered. */
void mirror_begin(void);
/* The file turns to this zone: its lists are as they are now. */
void look_at_zone(unsigned int zone);
/* All lists may have changed behind the file's back. */
void world_has_turned(void);

/* ---- guest_list.c ---- */

void insert_before(struct list_head *entry, struct list_head *next);
void take_out(struct list_head *entry);

#endif
