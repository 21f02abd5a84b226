/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A write to /proc/sys/vm/compact_memory: every zone of every node is compacted
 * from end to end, whatever it was found to be before. Models
 * sysctl_compaction_handler, compact_nodes and compact_node, 5.3 to 6.18.
 *
 * Simplified: skip bits are cleared before a zone instead of being ignored,
 * and pages under writeback, which this mode would wait for, do not exist.
 */
#include "guest/compact.h"

static void compact_everything(const struct guest *g, struct helper *h)
{
	h->everything = true;
	h->order = 0;
	h->reach = (struct alloc_reach){ .mt = MIGRATE_UNMOVABLE };
	for (unsigned int i = 0; i < alloc_nr_zones(g->alloc); i++)
		h->reach.zones[h->reach.nr++] = (uint8_t)i;
	compact_start(h);
}

enum guest_status compact_memory_run(struct run *r)
{
	struct guest *g = r->g;
	struct guest_op *op = r->op;
	struct helper *h = op->helper ? helper_of(g, op) : NULL;
	enum guest_status status;

	if (!g->cfg.compaction)
		return GUEST_DONE;
	if (!h) {
		h = helper_new(g, op, HELP_KCOMPACTD);
		if (!h)
			return GUEST_NOMEM;
		r->work->syscalls++;
		compact_everything(g, h);
	}
	status = compact_run(r, h);
	if (status == GUEST_DONE)
		helper_delete(g, op);
	return status;
}
