/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kcompactd of a node: compacts its zones for an order that somebody wants.
 * Models kcompactd_do_work and kcompactd_node_suitable, 5.3 to 6.18; what
 * it does to a zone is in guest/compaction.c.
 */
#include "guest/compact.h"

/* Models kcompactd_node_suitable. */
static bool some_zone_suitable(const struct guest *g, const struct helper *h)
{
	struct alloc_zone_info z;

	for (unsigned int i = 0; i < h->reach.nr; i++) {
		alloc_zone_info(g->alloc, h->reach.zones[i], &z);
		if (compaction_suitable(g, h->reach.zones[i], h->order,
					z.wmark_min + z.boost,
					h->reach.reserve_j))
			return true;
	}
	return false;
}

/* Models kcompactd_do_work of the node op->file for order op->flags. */
enum guest_status kcompactd_run(struct run *r)
{
	struct guest *g = r->g;
	struct guest_op *op = r->op;
	struct helper *h = op->helper ? helper_of(g, op) : NULL;
	struct alloc_zone_info z;
	enum guest_status status;

	if (!h) {
		h = helper_new(g, op, HELP_KCOMPACTD);
		if (!h)
			return GUEST_NOMEM;
		h->order = op->flags;
		h->node = op->file;
		h->reach = (struct alloc_reach){
			.highest = (unsigned int)op->len,
			.reserve_j = (unsigned int)op->len,
			.mt = MIGRATE_UNMOVABLE,
		};
		for (unsigned int i = 0; i < alloc_nr_zones(g->alloc); i++) {
			alloc_zone_info(g->alloc, i, &z);
			if (zone_of_helper(&z, h))
				h->reach.zones[h->reach.nr++] = (uint8_t)i;
		}
		if (!some_zone_suitable(g, h)) {
			helper_delete(g, op);
			return GUEST_DONE;
		}
		g->counters.kcompactd_wake++;
		compact_start(h);
	}
	status = compact_run(r, h);
	if (status == GUEST_DONE)
		helper_delete(g, op);
	return status;
}
