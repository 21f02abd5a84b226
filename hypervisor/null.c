/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host that costs nothing: all pages of all guests are backed by huge
 * pages and mapped from the start, for ever, and a discard is acknowledged
 * without being done, as QEMU does while discards are inhibited. It serves as
 * the baseline that shows what of a slowdown is the guest's own doing, and as
 * the case in which a guest believes a page to be cold that is still backed.
 * Models no kernel; memory has no limit.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hypervisor/hypervisor.h"
#include "include/check.h"
#include "include/sparse.h"

struct null_guest {
	struct hv_guest_map map; /* nr_pages 0: id not in use */
	uint64_t *regions;       /* owned, every bit set */
};

struct null_host {
	struct null_guest guests[HV_MAX_GUESTS];
};

static const struct option_desc null_options[] = { { .name = NULL } };

static uint32_t nr_regions(pfn_t nr_pages)
{
	return (uint32_t)(((uint64_t)nr_pages + HPAGE_PMD_NR - 1) >>
			  HPAGE_PMD_ORDER);
}

static int null_init(struct hypervisor *hv, char *why, size_t why_size)
{
	(void)hv;
	(void)why;
	(void)why_size;
	return 0;
}

static int null_guest_add(struct hypervisor *hv, pfn_t nr_pages)
{
	struct null_host *h = hv->state;
	const size_t words = BITMAP_WORDS(nr_regions(nr_pages));
	struct null_guest *g;
	uint32_t id = 0;

	if (!nr_pages)
		return -EINVAL;
	while (id < HV_MAX_GUESTS && h->guests[id].map.nr_pages)
		id++;
	if (id == HV_MAX_GUESTS)
		return -ENOSPC;
	g = &h->guests[id];
	g->regions = sparse_alloc(words, sizeof(uint64_t));
	if (!g->regions)
		return -ENOMEM;
	bitmap_set_range(g->regions, 0, nr_regions(nr_pages));
	g->map = (struct hv_guest_map){ .regions = g->regions,
					.nr_pages = nr_pages };
	return (int)id;
}

static struct null_guest *null_guest(const struct hypervisor *hv, uint32_t id)
{
	struct null_host *h = hv->state;

	CHECK_LT(id, HV_MAX_GUESTS);
	CHECK(h->guests[id].map.nr_pages);
	return &h->guests[id];
}

static void null_guest_remove(struct hypervisor *hv, uint32_t guest)
{
	struct null_guest *g = null_guest(hv, guest);

	sparse_free(g->regions, BITMAP_WORDS(nr_regions(g->map.nr_pages)),
		    sizeof(uint64_t));
	*g = (struct null_guest){ 0 };
}

static const struct hv_guest_map *null_guest_map(const struct hypervisor *hv,
						 uint32_t guest)
{
	return &null_guest(hv, guest)->map;
}

static int null_access(struct hypervisor *hv, uint32_t guest, pfn_t pfn,
		       unsigned int order, enum hv_access kind,
		       struct hv_events *ev)
{
	const struct null_guest *g = null_guest(hv, guest);

	(void)kind;
	(void)ev;
	CHECK_LE((uint64_t)pfn + order_nr_pages(order), g->map.nr_pages);
	return 0;
}

static bool null_discard(struct hypervisor *hv, uint32_t guest, pfn_t pfn,
			 unsigned int order, enum hv_origin origin,
			 struct hv_events *ev)
{
	(void)null_guest(hv, guest);
	(void)origin;
	CHECK(pfn_aligned(pfn, order));
	ev->discard_ignored++;
	return false;
}

static void null_add_gauges(const struct null_guest *g, struct hv_gauges *out)
{
	const uint32_t whole = g->map.nr_pages >> HPAGE_PMD_ORDER;
	const uint32_t tail = g->map.nr_pages & (HPAGE_PMD_NR - 1);

	out->rss_pages += g->map.nr_pages;
	out->anon_huge_regions += whole;
	out->ept_2m_leaves += whole;
	out->small_regions += tail != 0;
	out->ept_4k_leaves += tail;
}

static void null_gauges(const struct hypervisor *hv, uint32_t guest,
			struct hv_gauges *out)
{
	const struct null_host *h = hv->state;

	*out = (struct hv_gauges){ 0 };
	for (uint32_t i = 0; i < HV_MAX_GUESTS; i++) {
		if (guest == i || guest == HV_ALL_GUESTS)
			null_add_gauges(&h->guests[i], out);
		out->host_total_pages += h->guests[i].map.nr_pages;
	}
}

static const char *null_check(const struct hypervisor *hv)
{
	static _Thread_local char text[96];
	const struct null_host *h = hv->state;

	for (uint32_t i = 0; i < HV_MAX_GUESTS; i++) {
		const struct null_guest *g = &h->guests[i];
		const uint32_t nr = nr_regions(g->map.nr_pages);

		if (!nr || bitmap_count_range(g->regions, 0, nr) == nr)
			continue;
		snprintf(text, sizeof(text),
			 "guest %u: a region is not backed", i);
		return text;
	}
	return NULL;
}

static void null_destroy(struct hypervisor *hv)
{
	const struct null_host *h = hv->state;

	for (uint32_t i = 0; i < HV_MAX_GUESTS; i++) {
		if (h->guests[i].map.nr_pages)
			null_guest_remove(hv, i);
	}
}

const struct hypervisor_ops null_hypervisor = {
	.name = "null",
	.summary = "all guest memory backed and mapped, nothing costs anything",
	.options = { .descs = null_options, .size = 0 },
	.state_size = sizeof(struct null_host),
	.init = null_init,
	.guest_add = null_guest_add,
	.guest_remove = null_guest_remove,
	.guest_map = null_guest_map,
	.access = null_access,
	.discard = null_discard,
	.gauges = null_gauges,
	.check = null_check,
	.destroy = null_destroy,
};
