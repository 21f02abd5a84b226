/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The narrow place between a file of the kernel and the simulator. The two
 * sides cannot see each other's headers, because both have a MIGRATE_TYPES and
 * a PAGE_SIZE; so this one needs nothing of either, and speaks in page frame
 * numbers, zone indices and migratetypes as numbers.
 *
 * kernel_*()  implemented on the kernel's side (kernel/guest.c), called by the
 *             reporter;
 * bridge_*()  implemented by the reporter (kernel/plugin.c), called by the
 *             kernel's side while a kernel_*() call of the same guest runs.
 */
#ifndef KERNEL_BRIDGE_H
#define KERNEL_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BRIDGE_NO_PFN UINT32_MAX

struct bridge_zone {
	uint32_t start, end;
	uint64_t managed, present, spanned, free;
	uint64_t wmark_min, wmark_low, wmark_high, boost;
	uint64_t nr_free[11];
	unsigned int node, type;
	const char *name;
};

struct bridge_entry {
	uint32_t pfn;
	uint8_t order, migratetype, zone;
};

enum bridge_counter {
	BRIDGE_VISIT,        /* a list node was looked at */
	BRIDGE_SKIP,         /* ... and had its mark */
};

/*
 * Bytes of memory for the pages of a guest of that many; most of it is never
 * touched. The memory is the caller's and reads as zeroes at first.
 */
size_t kernel_guest_bytes(uint32_t nr_pages);
/* The guest of all calls from here on; after that the device may come. */
void kernel_boot(void *memory);
/* Register the device, smallest order `order` (0: the kernel decides). */
int kernel_probe(unsigned int order);
void kernel_remove(void);
/* A free block of this order came to rest on a list. */
void kernel_notify_free(unsigned int order);
unsigned int kernel_reporting_order(void);
/* The delayed work is due. */
void kernel_work(void);

unsigned int bridge_nr_zones(void);
unsigned int bridge_pageblock_order(void);
void bridge_zone(unsigned int zone, struct bridge_zone *out);
bool bridge_watermark_ok(unsigned int zone, unsigned int order,
			 uint64_t mark, unsigned int highest);
uint32_t bridge_list_first(unsigned int zone, unsigned int order,
			   unsigned int mt);
uint32_t bridge_list_next(uint32_t pfn);
bool bridge_is_free_head(uint32_t pfn);
unsigned int bridge_block_order(uint32_t pfn);
unsigned int bridge_block_type(uint32_t pfn);
unsigned int bridge_pageblock_type(uint32_t pfn);
bool bridge_reported(uint32_t pfn);

void bridge_lock(unsigned int zone);
void bridge_unlock(unsigned int zone);
bool bridge_isolate(uint32_t pfn);
void bridge_putback(uint32_t pfn, unsigned int order, unsigned int mt);
void bridge_set_reported(uint32_t pfn);
void bridge_rotate_to_front(uint32_t pfn);
/* Hand over and sleep until the host has answered. */
int bridge_report(const struct bridge_entry *entries, unsigned int nr);
void bridge_arm(uint64_t delay_ns);
bool bridge_disarm(void);
bool bridge_working(void);
void *bridge_kmalloc(size_t bytes);
void bridge_kfree(void *p);
void bridge_count(enum bridge_counter what);
/* The kernel's file does what cannot be mapped: say so and end. */
_Noreturn void bridge_cannot(const char *what);

#endif
