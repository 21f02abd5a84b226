/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See the header. Which 2 MiB go depends on the number of accesses alone. */
#include "tests/sim/forgetful_host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/rng.h"

#define MAX_GUESTS 4
#define FORGET_EVERY 16

typedef uint64_t region_pages[BITMAP_WORDS(HPAGE_PMD_NR)];

struct forgetful_guest {
	uint32_t nr_regions;
	uint64_t *regions;
	uint32_t *slots;
	region_pages *pages;  /* slot 0 is not used */
	struct hv_guest_map map;
};

struct forgetful {
	uint32_t nr_guests;
	uint64_t nr_accesses;
	struct rng rng;
	struct forgetful_guest guests[MAX_GUESTS];
};

static int forgetful_init(struct hypervisor *hv, char *why, size_t why_size)
{
	struct forgetful *f = hv->state;

	(void)why;
	(void)why_size;
	rng_init(&f->rng, 1, "forgetful", 0);
	return 0;
}

static int forgetful_guest_add(struct hypervisor *hv, pfn_t nr_pages)
{
	struct forgetful *f = hv->state;
	struct forgetful_guest *g = &f->guests[f->nr_guests];
	uint32_t i;

	if (f->nr_guests == MAX_GUESTS)
		return -ENOSPC;
	g->nr_regions = pfn_region(nr_pages - 1) + 1;
	g->regions = calloc(BITMAP_WORDS(g->nr_regions), sizeof(uint64_t));
	g->slots = calloc(g->nr_regions, sizeof(*g->slots));
	g->pages = calloc(g->nr_regions + 1, sizeof(*g->pages));
	if (!g->regions || !g->slots || !g->pages)
		return -ENOMEM;
	for (i = 0; i < g->nr_regions; i++)
		g->slots[i] = i + 1;
	g->map = (struct hv_guest_map){
		.regions = g->regions, .slots = g->slots,
		.pages = (const region_pages *)g->pages, .nr_pages = nr_pages,
	};
	return (int)f->nr_guests++;
}

static void forgetful_guest_remove(struct hypervisor *hv, uint32_t guest)
{
	(void)hv;
	(void)guest;
}

static const struct hv_guest_map *
forgetful_guest_map(const struct hypervisor *hv, uint32_t guest)
{
	const struct forgetful *f = hv->state;

	return &f->guests[guest].map;
}

static void forget(struct forgetful *f, struct hv_events *ev)
{
	struct forgetful_guest *g =
		&f->guests[rng_below(&f->rng, f->nr_guests)];
	const uint32_t region = rng_below(&f->rng, g->nr_regions);

	memset(g->pages[region + 1], 0, sizeof(*g->pages));
	ev->pressure++;
}

static int forgetful_access(struct hypervisor *hv, uint32_t guest, pfn_t pfn,
			    unsigned int order, enum hv_access kind,
			    struct hv_events *ev)
{
	struct forgetful *f = hv->state;
	struct forgetful_guest *g = &f->guests[guest];
	pfn_t p;

	(void)kind;
	if (++f->nr_accesses % FORGET_EVERY == 0)
		forget(f, ev);
	for (p = pfn; p < pfn + order_nr_pages(order); p++) {
		uint64_t *bits = g->pages[pfn_region(p) + 1];

		if (bitmap_test(bits, p % HPAGE_PMD_NR))
			continue;
		bitmap_set(bits, p % HPAGE_PMD_NR);
		ev->ept_violation[HV_VIOLATION_ZERO][HV_LEVEL_4K]++;
		ev->zeroed_pages++;
	}
	return 0;
}

static bool forgetful_discard(struct hypervisor *hv, uint32_t guest, pfn_t pfn,
			      unsigned int order, enum hv_origin origin,
			      struct hv_events *ev)
{
	struct forgetful *f = hv->state;
	pfn_t p;

	(void)origin;
	for (p = pfn; p < pfn + order_nr_pages(order); p++)
		bitmap_clear(f->guests[guest].pages[pfn_region(p) + 1],
			     p % HPAGE_PMD_NR);
	ev->discards[HV_DONTNEED][order]++;
	return true;
}

static void forgetful_gauges(const struct hypervisor *hv, uint32_t guest,
			     struct hv_gauges *out)
{
	(void)hv;
	(void)guest;
	*out = (struct hv_gauges){ 0 };
}

static const char *forgetful_check(const struct hypervisor *hv)
{
	(void)hv;
	return NULL;
}

static void forgetful_destroy(struct hypervisor *hv)
{
	struct forgetful *f = hv->state;
	uint32_t i;

	for (i = 0; i < f->nr_guests; i++) {
		free(f->guests[i].regions);
		free(f->guests[i].slots);
		free(f->guests[i].pages);
	}
}

const struct hypervisor_ops forgetful_hypervisor = {
	.name = "forgetful",
	.summary = "for tests",
	.state_size = sizeof(struct forgetful),
	.init = forgetful_init,
	.guest_add = forgetful_guest_add,
	.guest_remove = forgetful_guest_remove,
	.guest_map = forgetful_guest_map,
	.access = forgetful_access,
	.discard = forgetful_discard,
	.gauges = forgetful_gauges,
	.check = forgetful_check,
	.destroy = forgetful_destroy,
};
