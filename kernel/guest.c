/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest kernel around a file of mm/: zones, work and the device, which
 * stands for drivers/virtio/virtio_balloon.c; the rest is what mm/page_alloc.c
 * and kernel/workqueue.c give to mm/page_reporting.c.
 *
 * Left out: more than one work item, and parameters at run time.
 */
#include "kernel/guest.h"

struct guest *guest;

size_t kernel_guest_bytes(uint32_t nr_pages)
{
	return sizeof(*guest) + (size_t)nr_pages * sizeof(struct page);
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

int param_set_bool(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, 1);
}

int param_get_bool(char *buffer, const struct kernel_param *kp)
{
	return param_get_int(buffer, kp);
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
		if (sg->offset || sg->length != PAGE_SIZE << get_order(sg->length))
			bridge_cannot("a part of a block is reported");
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
