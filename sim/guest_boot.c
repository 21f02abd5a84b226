/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory map and boot of a simulated guest, after what QEMU's pc machine gives
 * and what start_kernel does up to user space (5.3 to 6.18).
 *
 * Simplified (docs/fidelity.md): no deferred struct-page init, no hotplug; the
 * kernel's own early allocations are one seeded mix (guest_take_base); memory
 * map and kernel image lie at the top of each node and at 16 MiB.
 */
#include "sim/guest_boot.h"

#include <errno.h>
#include <stdio.h>

#define DMA_END ((pfn_t)4096)          /* 16 MiB */
#define DMA32_END ((pfn_t)1 << 20)     /* 4 GiB */
#define BIOS_HOLE_START ((pfn_t)160)   /* 640 KiB */
#define BIOS_HOLE_END ((pfn_t)256)     /* 1 MiB */
#define KERNEL_PAGES ((pfn_t)8192)     /* 32 MiB image, BSS, initrd rest */
#define MEMMAP_SHARE 64                /* struct page: 64 of 4096 bytes */
#define SMALL_GUEST ((pfn_t)32768)     /* below 128 MiB nothing is reserved */

static void add_zone(struct guest_map *m, unsigned int node,
		     enum zone_type type, pfn_t start, pfn_t end)
{
	if (start < end)
		m->zones[m->nr_zones++] = (struct alloc_zone_config){
			.node = node, .type = type, .start = start, .end = end,
		};
}

static void add_free(struct guest_map *m, pfn_t start, pfn_t end)
{
	if (start >= end)
		return;
	m->free[m->nr_free].start = start;
	m->free[m->nr_free++].end = end;
}

static void add_reserved(struct guest_map *m, pfn_t start, pfn_t end)
{
	if (start >= end)
		return;
	m->reserved[m->nr_reserved].start = start;
	m->reserved[m->nr_reserved++].end = end;
}

/*
 * Zones and ranges of one node's stretch of RAM [start, end) that does not
 * cross the PCI hole. memblock keeps the memory map at its top end.
 */
static void add_stretch(struct guest_map *m, pfn_t start, pfn_t end,
			pfn_t memmap)
{
	const pfn_t kernel = DMA_END + KERNEL_PAGES;

	memmap = memmap < (end - start) / 2 ? memmap : (end - start) / 2;
	add_reserved(m, end - memmap, end);
	end -= memmap;
	if (start < BIOS_HOLE_START) {
		add_free(m, start, BIOS_HOLE_START);
		start = BIOS_HOLE_END;
	}
	if (start < DMA_END && end > kernel && end - start > SMALL_GUEST) {
		add_free(m, start, DMA_END);
		add_reserved(m, DMA_END, kernel);
		start = kernel;
	}
	add_free(m, start, end);
}

/* Zones of [start, end), which may reach over DMA, DMA32 and Normal. */
static void add_zones(struct guest_map *m, unsigned int node, pfn_t start,
		      pfn_t end)
{
	const pfn_t dma = end < DMA_END ? end : DMA_END;
	const pfn_t dma32 = end < DMA32_END ? end : DMA32_END;

	add_zone(m, node, ZONE_DMA, start, dma);
	add_zone(m, node, ZONE_DMA32, start > DMA_END ? start : DMA_END, dma32);
	add_zone(m, node, ZONE_NORMAL, start > DMA32_END ? start : DMA32_END,
		 end);
}

int guest_map_build(struct guest_map *m, const struct guest_options *opt,
		    unsigned int nr_nodes, char *why, size_t why_size)
{
	const pfn_t total = (pfn_t)bytes_to_pages(opt->memory);
	pfn_t low = (pfn_t)bytes_to_pages(opt->below_4g);
	const pfn_t share = pfn_align_down(total / nr_nodes, MAX_PAGE_ORDER);
	pfn_t done = 0;
	unsigned int node;

	*m = (struct guest_map){ 0 };
	low = low < total ? low : total;
	if (share == 0) {
		snprintf(why, why_size, "memory is too small for %u nodes",
			 nr_nodes);
		return -EINVAL;
	}
	for (node = 0; node < nr_nodes; node++) {
		const pfn_t size = node + 1 < nr_nodes ? share : total - done;
		pfn_t start = done, end = done + size, memmap;

		done = end;
		memmap = size / MEMMAP_SHARE;
		if (start < low) {
			pfn_t low_end = end < low ? end : low;
			bool all = end <= low;

			/* Page 0 is kept from the kernel. */
			add_zones(m, node, start ? start : 1, low_end);
			add_stretch(m, start ? start : 1, low_end,
				    all ? memmap : 0);
			m->end = low_end;
			start = low_end;
		}
		if (start < end) {
			const pfn_t gap = DMA32_END - low;

			add_zones(m, node, start + gap, end + gap);
			add_stretch(m, start + gap, end + gap, memmap);
			m->end = end + gap;
		}
	}
	return 0;
}

static void set_caches(struct alloc *a, const struct topology *t)
{
	uint32_t slices[ALLOC_MAX_CPUS];

	if (!t->nr_caches)
		return;
	topology_cache_slices(t, slices);
	alloc_setup_cacheinfo(a, slices);
}

int guest_boot(struct alloc **out, const struct guest_options *opt,
	       const struct guest_map *m, const struct topology *t,
	       const struct alloc_hooks *hooks, char *why, size_t why_size)
{
	const char *reason = "out of memory";
	struct alloc_config cfg = {
		.profile = alloc_profile_find(
				alloc_profile_names()[opt->kernel]),
		.nr_cpus = t->nr_cpus,
		.nr_nodes = t->nr_nodes,
		.cpu_node = t->cpu_node,
		.distance = t->has_distances ? t->distance : NULL,
		.zones = m->zones,
		.nr_zones = m->nr_zones,
		.pageblock_order = HPAGE_PMD_ORDER,
		/* Nothing is known of caches: as on a server. */
		.big_cache = !t->nr_caches,
		.isolation = true,
		.watermark_boost_factor = UINT32_MAX,
	};
	struct alloc *a;
	unsigned int i;
	int ret = alloc_create(&a, &cfg, &reason);

	if (ret) {
		snprintf(why, why_size, "cannot build the guest: %s", reason);
		return ret;
	}
	alloc_set_hooks(a, hooks);
	alloc_set_shuffle(a, opt->shuffle);
	for (i = 0; i < m->nr_free; i++)
		alloc_boot_range(a, m->free[i].start, m->free[i].end);
	alloc_setup_zonelists(a);
	alloc_setup_pcp(a);
	for (i = 0; opt->shuffle && i < alloc_nr_zones(a); i++)
		alloc_shuffle_zone(a, i);
	alloc_setup_watermarks(a, 0);
	if (opt->thp != 2)
		alloc_raise_min_free_for_thp(a);
	set_caches(a, t);
	*out = a;
	return 0;
}

/* A booted system's own memory: mostly single pages, some slabs and stacks. */
static void base_request(struct rng *rng, struct alloc_request *req)
{
	const uint32_t roll = rng_below(rng, 100);

	if (roll < 60) {
		req->gfp = GFP_HIGHUSER_MOVABLE;
		req->order = 0;
	} else if (roll < 80) {
		req->gfp = GFP_KERNEL;
		req->order = 0;
	} else if (roll < 90) {
		req->gfp = GFP_KERNEL | GFP_BIT_RECLAIMABLE;
		req->order = 0;
	} else {
		req->gfp = GFP_KERNEL;
		req->order = (uint8_t)(1 + rng_below(rng, 3));
	}
}

uint64_t guest_take_base(struct alloc *a, const struct guest_options *opt,
			 struct rng *rng, base_page_fn fn, void *ctx)
{
	const uint64_t want = bytes_to_pages(opt->base);
	const unsigned int nr_cpus = alloc_nr_cpus(a);
	uint64_t taken = 0;

	while (taken < want) {
		struct alloc_request req = { .node = -1, .zone = -1 };
		struct alloc_result res;

		base_request(rng, &req);
		req.cpu = (uint16_t)rng_below(rng, nr_cpus);
		res = alloc_pages_nowait(a, &req);
		if (res.status != ALLOC_OK)
			break;
		fn(ctx, res.pfn, req.order, req.gfp & GFP_BIT_MOVABLE);
		taken += order_nr_pages(req.order);
	}
	return taken;
}
