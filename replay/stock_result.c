/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Spelling of what the replay of tracepoints counted. */
#include "replay/result.h"

const char *replay_stock_name(enum replay_stock_count c)
{
	static const char *const names[] = {
		[STOCK_FREES] = "frees",
		[STOCK_PREPARED] = "batched_prepared",
		[STOCK_COMMITTED] = "batched_committed",
		[STOCK_LONE_COMMITS] = "lone_commits",
		[STOCK_FAILED] = "failed_allocations",
		[STOCK_ORPHANS] = "orphan_frees",
		[STOCK_UNSEEN_ALLOCS] = "unseen_allocations",
		[STOCK_UNSEEN_FREES] = "unseen_frees",
		[STOCK_BULK] = "bulk_inferred",
		[STOCK_BULK_CONFIRMED] = "bulk_confirmed",
		[STOCK_BULK_REFUTED] = "bulk_refuted",
		[STOCK_LATE_FLUSHES] = "late_flush_pages",
		[STOCK_PAGEBLOCKS] = "pageblocks_forced",
		[STOCK_TYPE_DIFFERS] = "type_differs",
		[STOCK_FAILED_CHOICES] = "failed_choices",
		[STOCK_FOREIGN] = "foreign",
		[STOCK_LOST] = "lost_events",
		[STOCK_LOST_MARKERS] = "lost_markers",
		[STOCK_OTHER_EVENTS] = "other_events",
		[STOCK_OTHER_LINES] = "other_lines",
		[STOCK_UNKNOWN_GFP] = "unknown_gfp",
		[STOCK_BACKWARDS] = "backwards",
	};

	return names[c];
}

const char *replay_internal_name(enum replay_internal i)
{
	static const char *const names[] = {
		[STOCK_ZONE_LOCKED] = "zone_locked",
		[STOCK_PCPU_DRAIN] = "pcpu_drain",
		[STOCK_EXTFRAG] = "extfrag",
	};

	return names[i];
}

static const char *count_at(unsigned int i)
{
	return replay_stock_name((enum replay_stock_count)i);
}

static json_t *internal_json(const struct replay_stock_internal *in)
{
	json_t *o = json_object();

	json_object_set_new(o, "kernel", json_u64(in->kernel));
	json_object_set_new(o, "twin", json_u64(in->twin));
	json_object_set_new(o, "predicted", json_u64(in->predicted));
	json_object_set_new(o, "followed", json_boolean(in->followed));
	return o;
}

json_t *stock_json(const struct replay_stock *s)
{
	json_t *o;

	if (!s->present)
		return json_null();
	o = result_counts(s->counts, STOCK_NR_COUNTS, count_at);
	for (unsigned int i = 0; i < STOCK_NR_INTERNAL; i++)
		json_object_set_new(o,
				    replay_internal_name(
					    (enum replay_internal)i),
				    internal_json(&s->internal[i]));
	return o;
}

void stock_print(const struct replay_stock *s, enum replay_mode mode,
		 FILE *out)
{
	result_print_counts(out, "tracepoints", s->counts, STOCK_NR_COUNTS,
			    count_at);
	for (unsigned int i = 0; i < STOCK_NR_INTERNAL; i++) {
		const struct replay_stock_internal *in = &s->internal[i];

		fprintf(out, "%-12s%llu, ",
			replay_internal_name((enum replay_internal)i),
			(unsigned long long)in->kernel);
		if (mode == REPLAY_PREDICT)
			fprintf(out, "the twin's own %llu\n",
				(unsigned long long)in->twin);
		else
			fprintf(out, "foreseen %llu%s\n",
				(unsigned long long)in->predicted,
				in->followed ? "" : ", not followed");
	}
}
