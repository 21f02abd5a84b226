/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest kernel's reclaim and compaction ask the allocator: which zones a
 * request may use, how hard it wants compaction to try, and the end of an
 * allocation whose block was captured. Models prepare_alloc_pages and the part
 * of __alloc_pages_direct_compact that takes the captured page, 5.3 to 6.18.
 */
#include "alloc/walk.h"

static struct alloc_request request_of(unsigned int cpu, unsigned int order,
				       gfp_t gfp)
{
	return (struct alloc_request){
		.gfp = gfp,
		.order = (uint8_t)order,
		.cpu = (uint16_t)cpu,
		.node = -1,
		.zone = -1,
	};
}

bool alloc_reach(const struct alloc *a, unsigned int cpu, unsigned int order,
		 gfp_t gfp, struct alloc_reach *out)
{
	const struct alloc_request req = request_of(cpu, order, gfp);
	struct alloc_context ac;

	*out = (struct alloc_reach){ 0 };
	if (!alloc_context_init(a, &ac, &req))
		return false;
	for (unsigned int i = 0; i < ac.zl->nr; i++)
		if (zone_at(a, ac.zl->zones[i])->type <= ac.highest)
			out->zones[out->nr++] = ac.zl->zones[i];
	out->highest = ac.highest;
	out->reserve_j = ac.reserve_j;
	out->mt = ac.mt;
	return true;
}

unsigned int alloc_node_of_cpu(const struct alloc *a, unsigned int cpu)
{
	CHECK_LT(cpu, a->nr_cpus);
	return a->cpu_node[cpu];
}

void alloc_captured(struct alloc *a, unsigned int cpu, unsigned int order,
		    gfp_t gfp, pfn_t pfn)
{
	const struct alloc_request req = request_of(cpu, order, gfp);
	struct alloc_context ac;

	CHECK(alloc_context_init(a, &ac, &req));
	digest_block(a, pfn, order, DIGEST_ALLOC);
	emit_event(a, &(struct alloc_event){
		.kind = ALLOC_EVENT_PAGE_ALLOC,
		.pfn = pfn,
		.order = (uint8_t)order,
		.migratetype = (uint8_t)ac.mt,
		.gfp = gfp,
	});
}
