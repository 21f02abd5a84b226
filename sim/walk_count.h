/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guests' accesses would cost in page-table walks: pages accessed, by
 * the size of the guest's page and of the host's leaf behind it, and the
 * references of their walks (walk.h). Knowledge of both sides, which only sim/
 * has.
 *
 * Counted is each touch that guest/ reports, of tasks and of the guest kernel:
 * as if it missed the TLB once for each page of the smaller of the two sizes,
 * and never again. Touches of page tables are left out: the walks read them.
 */
#ifndef SIM_WALK_COUNT_H
#define SIM_WALK_COUNT_H

#include "hypervisor/hypervisor.h"
#include "include/touch.h"

enum walk_guest_page {
	WALK_GUEST_4K,
	WALK_GUEST_2M,
	WALK_GUEST_TABLE,  /* not part of any sum */
	NR_WALK_GUEST_PAGES
};

struct walk_counts {
	/* 4 KiB pages. */
	uint64_t pages[NR_WALK_GUEST_PAGES][NR_HV_LEVELS];
	uint64_t refs;     /* as of the last walk_update() */
	enum hv_level huge; /* of the host's huge leaves */
};

static inline enum walk_guest_page walk_guest_page(unsigned int order,
						   enum touch_kind kind)
{
	if (kind == TOUCH_TABLE)
		return WALK_GUEST_TABLE;
	return order >= HPAGE_PMD_ORDER ? WALK_GUEST_2M : WALK_GUEST_4K;
}

static inline void walk_note(struct walk_counts *w, unsigned int order,
			     enum touch_kind kind, enum hv_level level)
{
	w->pages[walk_guest_page(order, kind)][level] += order_nr_pages(order);
}

/* References of the walks for so many pages. */
uint64_t walk_refs_of(enum walk_guest_page guest, enum hv_level host,
		      uint64_t pages);
/* Bring w->refs up to date. */
void walk_update(struct walk_counts *w);
uint64_t walk_pages(const struct walk_counts *w);

#endif
