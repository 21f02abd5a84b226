/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ways to serve a request from the lists of other types. */
#ifndef ALLOC_FALLBACK_H
#define ALLOC_FALLBACK_H

#include "alloc/internal.h"

struct rmqueue_req {
	unsigned int order;
	enum migratetype mt;
	unsigned int flags; /* AF_* */
};

/* Models __rmqueue_fallback and what follows it up to 6.12.0. */
pfn_t rmqueue_fallback(struct alloc *a, struct zone *z,
		       const struct rmqueue_req *req);
/* Models __rmqueue_claim (6.15): a foreign block with its pageblock. */
pfn_t rmqueue_claim(struct alloc *a, struct zone *z,
		    const struct rmqueue_req *req);
/* Models __rmqueue_steal (6.15): out of the smallest foreign block. */
pfn_t rmqueue_steal(struct alloc *a, struct zone *z,
		    const struct rmqueue_req *req);

#endif
