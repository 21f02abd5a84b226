/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sums over what was counted; see walk_count.h. No kernel counts this. */
#include "sim/walk_count.h"

#include "sim/walk.h"

uint64_t walk_refs_of(enum walk_guest_page guest, enum hv_level host,
		      uint64_t pages)
{
	static const unsigned int host_levels[NR_HV_LEVELS] = {
		[HV_LEVEL_4K] = WALK_LEVELS_4K, [HV_LEVEL_2M] = WALK_LEVELS_2M,
		[HV_LEVEL_1G] = WALK_LEVELS_1G,
	};
	const unsigned int guest_levels = guest == WALK_GUEST_2M ?
					  WALK_LEVELS_2M : WALK_LEVELS_4K;
	const bool both_huge = guest == WALK_GUEST_2M && host != HV_LEVEL_4K;

	return (both_huge ? pages / HPAGE_PMD_NR : pages) *
	       walk_refs(guest_levels, host_levels[host]);
}

void walk_update(struct walk_counts *w)
{
	w->refs = 0;
	for (unsigned int g = 0; g < WALK_GUEST_TABLE; g++)
		for (unsigned int h = 0; h < NR_HV_LEVELS; h++)
			w->refs += walk_refs_of((enum walk_guest_page)g,
						(enum hv_level)h,
						w->pages[g][h]);
}

uint64_t walk_pages(const struct walk_counts *w)
{
	uint64_t nr = 0;

	for (unsigned int g = 0; g < WALK_GUEST_TABLE; g++)
		for (unsigned int h = 0; h < NR_HV_LEVELS; h++)
			nr += w->pages[g][h];
	return nr;
}
