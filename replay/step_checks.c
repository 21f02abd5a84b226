/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Step scripts: what can be known to be wrong before anything runs. The shape
 * of the guest is collected here, and commands are checked against it.
 */
#include <inttypes.h>

#include "include/check.h"
#include "replay/step_internal.h"

/* ---- shape of the guest ---- */

const char *step_configure_kernel(struct step_config *cfg,
				  const struct step_cmd *c)
{
	if (cfg->profile)
		return "is given twice";
	cfg->profile = alloc_profile_find(alloc_profile_names()[c->profile]);
	CHECK(cfg->profile != NULL);
	return NULL;
}

const char *step_configure_cpus(struct step_config *cfg,
				const struct step_cmd *c)
{
	if (cfg->nr_cpus)
		return "is given twice";
	cfg->nr_cpus = (unsigned int)c->number[0];
	return NULL;
}

const char *step_configure_pageblock_order(struct step_config *cfg,
					   const struct step_cmd *c)
{
	if (cfg->pageblock_order)
		return "is given twice";
	if (cfg->nr_zones)
		return "must stand before the zones";
	cfg->pageblock_order = (unsigned int)c->number[0];
	return NULL;
}

/* Kept ascending by page frame, as zone indices are. */
const char *step_configure_zone(struct step_config *cfg,
				const struct step_cmd *c)
{
	const struct alloc_zone_config z = {
		.type = (enum zone_type)c->zone_type,
		.start = (pfn_t)c->number[0],
		.end = (pfn_t)c->number[1],
	};
	unsigned int i, at = 0;

	if (z.start >= z.end)
		return "is empty: its end page frame is not part of it";
	for (i = 0; i < cfg->nr_zones; i++) {
		const struct alloc_zone_config *other = &cfg->zones[i];

		if (other->type == z.type)
			return "of this name is given twice";
		if (z.start < other->end && other->start < z.end)
			return "overlaps an earlier zone";
		if ((other->start < z.start) != (other->type < z.type))
			return "is out of order: page frames ascend from DMA "
			       "over DMA32 and Normal to Movable";
		at += other->start < z.start;
	}
	for (i = cfg->nr_zones++; i > at; i--)
		cfg->zones[i] = cfg->zones[i - 1];
	cfg->zones[at] = z;
	return NULL;
}

/* ---- checks that need the shape only ---- */

bool step_block_in_zone(const struct step_config *cfg, uint64_t pfn,
			unsigned int order)
{
	unsigned int i;

	for (i = 0; i < cfg->nr_zones; i++)
		if (pfn >= cfg->zones[i].start &&
		    pfn + order_nr_pages(order) <= cfg->zones[i].end)
			return true;
	return false;
}

const char *step_check_cpu(const struct step_config *cfg,
			   const struct step_cmd *c)
{
	unsigned int nr_cpus = cfg->nr_cpus ? cfg->nr_cpus : 1;

	if (c->cpu >= nr_cpus)
		return "names a CPU that the guest does not have "
		       "(see the command cpus)";
	return NULL;
}

const char *step_check_block(const struct step_config *cfg,
			     const struct step_cmd *c)
{
	if (!pfn_aligned((pfn_t)c->number[0], c->order))
		return "needs a page frame that is a multiple of the "
		       "block's size";
	if (!step_block_in_zone(cfg, c->number[0], c->order))
		return "needs a block that lies inside one zone";
	return step_check_cpu(cfg, c);
}

const char *step_check_range(const struct step_config *cfg,
			     const struct step_cmd *c)
{
	(void)cfg;
	if (c->number[0] >= c->number[1])
		return "needs a range: first page frame, end (exclusive)";
	return NULL;
}

const char *step_check_alloc(const struct step_config *cfg,
			     const struct step_cmd *c)
{
	if (!(c->options & (STEP_OPT_BUDDY | STEP_OPT_NOFRAGMENT))) {
		if (c->options & STEP_OPT_ZONE)
			return "takes a zone only together with buddy";
		return step_check_cpu(cfg, c);
	}
	if (c->options & STEP_OPT_HIGHATOMIC)
		return "highatomic goes through the zones: not with buddy";
	if (!(c->options & STEP_OPT_ZONE) && cfg->nr_zones > 1)
		return "buddy needs zone=NAME where there are several zones";
	return step_check_cpu(cfg, c);
}

const char *step_check_pageblock(const struct step_config *cfg,
				 const struct step_cmd *c)
{
	unsigned int order = cfg->pageblock_order ? cfg->pageblock_order : 9;
	pfn_t end = cfg->zones[cfg->nr_zones - 1].end;

	if (c->number[0] << order >= end)
		return "is behind the end of the guest";
	return NULL;
}

const char *step_check_pcp(const struct step_config *cfg,
			   const struct step_cmd *c)
{
	bool floats = cfg->profile &&
		      cfg->profile->pcp_high == PCP_HIGH_AUTO;

	if (c->nr_numbers && c->number[0] == 0)
		return "needs a batch of at least 1";
	if (c->nr_numbers == 3 && !floats)
		return "BATCH MIN MAX needs a kernel whose high floats: "
		       "6.12.0, 6.12 or 6.18";
	if (c->nr_numbers == 3 && c->number[1] > c->number[2])
		return "needs MIN of at most MAX";
	return NULL;
}

const char *step_check_watermark(const struct step_config *cfg,
				 const struct step_cmd *c)
{
	(void)cfg;
	if (c->number[0] > c->number[1] || c->number[1] > c->number[2])
		return "needs MIN <= LOW <= HIGH";
	return NULL;
}

const char *step_check_shuffle(const struct step_config *cfg,
			       const struct step_cmd *c)
{
	(void)cfg;
	return c->nr_words ? NULL : "needs the random words to use";
}

const char *step_check_report(const struct step_config *cfg,
			      const struct step_cmd *c)
{
	(void)c;
	if (cfg->profile && !cfg->profile->reporting)
		return "needs a kernel that has free page reporting: "
		       "5.7 or later";
	return NULL;
}
