/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which address space the OOM killer takes. Models oom_badness with
 * select_bad_process, 5.3 to 6.18: resident pages and page tables, no swap,
 * every oom_score_adj 0. Of equals the last one is taken.
 */
#include "guest/internal.h"

static uint64_t pmd_footprint(const struct pmd_table *pmd)
{
	uint64_t pages = 1 + pmd->nr_deposit;

	for (unsigned int i = 0; i < PTRS_PER_TABLE; i++) {
		if (pmd->huge[i] != PFN_NONE)
			pages += HPAGE_PMD_NR;
		if (pmd->table[i])
			pages += 1 + pmd->table[i]->nr;
	}
	return pages;
}

/* The zero page counts here, too; programs that only read are rare. */
static uint64_t oom_badness(const struct guest_mm *mm)
{
	uint64_t pages = 1;

	for (unsigned int i = 0; i < PGD_USER_PTRS; i++) {
		const struct pud_table *pud = mm->pud[i];

		pages += pud != NULL;
		for (unsigned int j = 0; pud && j < PTRS_PER_TABLE; j++)
			if (pud->table[j])
				pages += pmd_footprint(pud->table[j]);
	}
	return pages;
}

int guest_oom_select(const struct guest *g)
{
	uint64_t most = 0;
	int chosen = -1;

	for (uint32_t i = 0; i < g->nr_mms; i++) {
		const uint64_t points = g->mms[i] ? oom_badness(g->mms[i]) : 0;

		if (!g->mms[i] || points < most)
			continue;
		most = points;
		chosen = (int)i;
	}
	return chosen;
}
