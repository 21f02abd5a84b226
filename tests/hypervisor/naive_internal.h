/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the naive host share. */
#ifndef TESTS_HYPERVISOR_NAIVE_INTERNAL_H
#define TESTS_HYPERVISOR_NAIVE_INTERNAL_H

#include "tests/hypervisor/naive_host.h"

/* naive_host.c */
uint32_t naive_present(const struct naive_region *r);
uint32_t naive_lazy(const struct naive_region *r);
/* Pages held for a huge page but mapped nowhere. */
uint32_t naive_held(const struct naive_region *r);
uint64_t naive_free(const struct naive_host *h);
uint64_t naive_huge_pages(const struct naive_host *h);
/* Of the whole region, by one leaf or by small ones. */
bool naive_huge_leaf(const struct naive_region *r);
bool naive_drop_huge_leaf(struct naive_region *r, struct hv_events *ev);
void naive_drop_leaf(struct naive_region *r, uint32_t i, struct hv_events *ev);
uint64_t naive_pool_free(const struct naive_host *h);
int naive_touch_hugetlb(struct naive_host *h, struct naive_region *r,
			struct hv_events *ev);
bool naive_punch(struct naive_host *h, uint32_t guest, pfn_t pfn,
		 unsigned int order, struct hv_events *ev);
/* Stamps follow what they stand for. */
void naive_restamp(struct naive_host *h, struct naive_region *r,
		   struct hv_events *ev);
void naive_unmap_page(struct naive_region *r, uint32_t i,
		      struct hv_events *ev);
void naive_unmap_huge(struct naive_region *r, struct hv_events *ev);
void naive_split_mapping(struct naive_region *r, enum hv_split_cause cause,
			 struct hv_events *ev);
/* No mapped page of the huge page was written since it became lazy. */
bool naive_thp_lazy(const struct naive_region *r);
void naive_split_page(struct naive_region *r, enum hv_split_cause cause,
		      struct hv_events *ev);

/* naive_reclaim.c */
uint32_t naive_swap_used(const struct naive_host *h);
bool naive_drop_swapped(struct naive_host *h, struct naive_page *p);
/* It is the newest on the list now. */
void naive_renew(struct naive_host *h, struct naive_region *r, uint32_t i);
/* Of the host (guest -1), or of a guest under its limit. */
uint64_t naive_room(const struct naive_host *h, int guest, uint64_t min);
bool naive_make_room(struct naive_host *h, int guest, uint32_t nr,
		     bool may_swap, struct hv_events *ev);

#endif
