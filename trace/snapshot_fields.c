/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshot parser: the records that describe a zone beside its lists. The
 * names of the zval fields are those of struct zone.
 */
#include <errno.h>
#include <string.h>

#include "trace/snapshot_internal.h"

#define RUN_STATE_MAX 9
/* batch << free_factor has to fit; kernels stay far below both. */
#define BATCH_MAX 65535
#define FACTOR_MAX 15
#define COUNT_MAX ((uint64_t)TRACE_MAX_PFN * 16)

/* Plain fields: name and where the number goes. */
static const struct {
	const char *name;
	size_t offset;
} zone_fields[] = {
	{ "spanned", offsetof(struct snap_zone, spanned) },
	{ "present", offsetof(struct snap_zone, present) },
	{ "managed", offsetof(struct snap_zone, managed) },
	{ "wmark_min", offsetof(struct snap_zone, wmark_min) },
	{ "wmark_low", offsetof(struct snap_zone, wmark_low) },
	{ "wmark_high", offsetof(struct snap_zone, wmark_high) },
	{ "watermark_boost", offsetof(struct snap_zone, boost) },
	{ "nr_reserved_highatomic",
	  offsetof(struct snap_zone, reserved_highatomic) },
	{ "nr_free_pages_exact", offsetof(struct snap_zone, free_pages) },
	{ "flags", offsetof(struct snap_zone, flags) },
};

/* Known, and of no use here. */
static const char *const ignored_fields[] = {
	"nr_free_pages", "percpu_drift_mark",
};

/* "name[index]": the index, or -1 if the word is not that. */
static int indexed(struct snap_parser *p, struct word w, const char *name,
		   unsigned int nr)
{
	const size_t len = strlen(name);
	const struct word digits = { w.text + len + 1, w.len - len - 2 };

	if (w.len < len + 3 || memcmp(w.text, name, len) ||
	    w.text[len] != '[' || w.text[w.len - 1] != ']')
		return -1;
	return (int)fields_parse(&p->f, digits, name, nr - 1, false);
}

static void set_spanned(struct snap_parser *p, struct snap_zone *z,
			struct zone_claims *c)
{
	const unsigned int idx = (unsigned int)(z - p->s->zones);

	if (z->spanned > TRACE_MAX_PFN - z->start)
		fields_error(&p->f, "zone %s would end beyond PFN %u", z->name,
			     TRACE_MAX_PFN - 1);
	else if (idx && z->start < p->s->zones[idx - 1].end)
		fields_error(&p->f, "zone %s overlaps zone %s", z->name,
			     p->s->zones[idx - 1].name);
	else if (c->has_spanned)
		/* Blocks named before were judged by the first one. */
		fields_error(&p->f, "a second spanned for zone %s", z->name);
	else
		z->end = z->start + (pfn_t)z->spanned;
	c->has_spanned = true;
}

static void plain_zval(struct snap_parser *p, struct snap_zone *z, size_t field)
{
	struct zone_claims *c = &p->claims[z - p->s->zones];
	const size_t offset = zone_fields[field].offset;
	uint64_t value = fields_number(&p->f, zone_fields[field].name,
				       COUNT_MAX, false);

	memcpy((char *)z + offset, &value, sizeof(value));
	if (offset == offsetof(struct snap_zone, spanned) && !p->f.bad)
		set_spanned(p, z, c);
	c->has_present |= offset == offsetof(struct snap_zone, present);
	c->has_managed |= offset == offsetof(struct snap_zone, managed);
	c->has_free |= offset == offsetof(struct snap_zone, free_pages);
}

/* true if the word was one of the fields with an index or a narrow type. */
static bool special_zval(struct snap_parser *p, struct snap_zone *z,
			 struct word w)
{
	struct zone_claims *c = &p->claims[z - p->s->zones];
	int i = indexed(p, w, "lowmem_reserve", TRACE_MAX_ZONES);

	if (i >= 0) {
		z->lowmem_reserve[i] = fields_number(&p->f, "the reserve",
						     COUNT_MAX, false);
		return true;
	}
	i = indexed(p, w, "nr_free", NR_PAGE_ORDERS);
	if (i >= 0) {
		c->nr_free[i] = fields_number(&p->f, "the number of blocks",
					      COUNT_MAX, false);
		c->nr_free_given |= (uint16_t)(1u << i);
		return true;
	}
	if (word_is(w, "pageset_high")) {
		z->pageset_high = (uint32_t)fields_number(&p->f, "high",
							  TRACE_MAX_PFN, false);
		return true;
	}
	if (word_is(w, "pageset_batch")) {
		z->pageset_batch = (uint32_t)fields_number(&p->f, "batch",
							   BATCH_MAX, false);
		return true;
	}
	for (size_t k = 0; k < ARRAY_SIZE(ignored_fields); k++)
		if (word_is(w, ignored_fields[k])) {
			fields_word(&p->f, "the value");
			return true;
		}
	return false;
}

static void unknown_zval(struct snap_parser *p, struct word w)
{
	const char *names[ARRAY_SIZE(zone_fields) + 5] = {
		"lowmem_reserve[0]", "nr_free[0]", "pageset_high",
		"pageset_batch",
	};
	const char *near;
	char copy[48];

	for (size_t i = 0; i < ARRAY_SIZE(zone_fields); i++)
		names[i + 4] = zone_fields[i].name;
	near = diag_nearest(word_copy(w, copy, sizeof(copy)), names);
	fields_error(&p->f, "unknown field \"%s\" of a zone%s%s%s", copy,
		     near ? "; did you mean \"" : "", near ? near : "",
		     near ? "\"?" : "");
}

void snap_parse_zval(struct snap_parser *p)
{
	struct snap_zone *z = snap_zone_field(p);
	const struct word w = fields_word(&p->f, "the field's name");
	size_t i;

	if (!z || p->f.bad)
		return;
	for (i = 0; i < ARRAY_SIZE(zone_fields); i++)
		if (word_is(w, zone_fields[i].name))
			break;
	if (i < ARRAY_SIZE(zone_fields))
		plain_zval(p, z, i);
	else if (!special_zval(p, z, w) && !p->f.bad)
		unknown_zval(p, w);
	fields_end(&p->f);
}

/* vm_stat_diff is a signed byte. */
#define STAT_DIFF_MAX 128

/* What may follow free_factor, in any order. */
static const struct {
	const char *name;
	size_t offset;
	uint32_t max;
} pcp_fields[] = {
	{ "high_min", offsetof(struct snap_pageset, high_min), TRACE_MAX_PFN },
	{ "high_max", offsetof(struct snap_pageset, high_max), TRACE_MAX_PFN },
	{ "alloc_factor", offsetof(struct snap_pageset, alloc_factor), 5 },
	{ "free_count", offsetof(struct snap_pageset, free_count),
	  BATCH_MAX << 5 },
	{ "flags", offsetof(struct snap_pageset, flags), UINT8_MAX },
	{ "stat_threshold", offsetof(struct snap_pageset, stat_threshold),
	  INT8_MAX },
};

static bool is_stat_diff(struct snap_parser *p, struct snap_pageset *ps,
			 struct word key, struct word value)
{
	const bool negative = value.len && value.text[0] == '-';

	if (!word_is(key, "stat_diff"))
		return false;
	if (negative) {
		value.text++;
		value.len--;
	}
	ps->stat_diff = (int32_t)fields_parse(&p->f, value, "stat_diff",
					      STAT_DIFF_MAX, false);
	if (negative)
		ps->stat_diff = -ps->stat_diff;
	return true;
}

/* Others are passed over. */
static void optional_pcp_field(struct snap_parser *p, struct snap_pageset *ps)
{
	const struct word w = fields_word(&p->f, "a field");
	const char *eq = memchr(w.text, '=', w.len);
	const size_t len = eq ? (size_t)(eq - w.text) : w.len;
	const struct word key = { w.text, len };
	uint32_t value;

	if (eq && is_stat_diff(p, ps, key,
			       (struct word){ eq + 1, w.len - len - 1 }))
		return;
	for (size_t i = 0; eq && i < ARRAY_SIZE(pcp_fields); i++) {
		if (!word_is(key, pcp_fields[i].name))
			continue;
		value = (uint32_t)fields_parse(&p->f,
			(struct word){ eq + 1, w.len - len - 1 },
			pcp_fields[i].name, pcp_fields[i].max, false);
		memcpy((char *)ps + pcp_fields[i].offset, &value,
		       sizeof(value));
		ps->has_range |= i == 1;
		return;
	}
}

void snap_parse_pcphdr(struct snap_parser *p)
{
	struct fields *f = &p->f;
	struct snap_zone *z = snap_zone_field(p);
	const unsigned int cpu = (unsigned int)
		fields_keyed_number(f, "cpu", p->s->nr_cpus - 1);
	struct snap_pageset ps = { .present = true };

	ps.count = (uint32_t)fields_keyed_number(f, "count", TRACE_MAX_PFN);
	ps.high = (uint32_t)fields_keyed_number(f, "high", TRACE_MAX_PFN);
	ps.batch = (uint32_t)fields_keyed_number(f, "batch", BATCH_MAX);
	ps.free_factor = (uint32_t)fields_keyed_number(f, "free_factor",
						       FACTOR_MAX);
	while (!f->bad && !fields_at_end(f))
		optional_pcp_field(p, &ps);
	if (!f->bad && ps.high_min > ps.high_max)
		fields_error(f, "high_min is %u, above high_max, %u",
			     ps.high_min, ps.high_max);
	if (!f->bad && z && z->pagesets[cpu].present)
		fields_error(f, "a second pcphdr for zone %s, CPU %u", z->name,
			     cpu);
	if (!f->bad && z)
		z->pagesets[cpu] = ps;
}

void snap_parse_pageblock(struct snap_parser *p)
{
	struct fields *f = &p->f;
	struct snapshot *s = p->s;
	const struct snap_zone *z = snap_zone_field(p);
	struct snap_pageblock pb = { 0 };

	pb.pfn = (pfn_t)fields_number(f, "the PFN", TRACE_MAX_PFN - 1, false);
	if (!f->bad && z &&
	    (!pfn_aligned(pb.pfn, s->pageblock_order) || pb.pfn >= z->end ||
	     pb.pfn + order_nr_pages(s->pageblock_order) <= z->start))
		fields_error(f, "PFN %u does not start a pageblock of zone %s",
			     pb.pfn, z->name);
	pb.mt = (uint8_t)fields_number(f, "the migratetype", s->nr_types - 1,
				       false);
	if (!f->bad && !fields_at_end(f)) {
		pb.skip = word_is(fields_word(f, "S"), "S");
		if (!pb.skip)
			fields_error(f, "only S (skip) may follow the type");
	}
	fields_end(f);
	if (f->bad || !z ||
	    !snap_grow(p, (void **)&s->pageblocks, s->nr_pageblocks,
		       &p->room_pageblocks, sizeof(*s->pageblocks)))
		return;
	pb.zone = (uint8_t)(z - s->zones);
	s->pageblocks[s->nr_pageblocks++] = pb;
}

void snap_parse_run(struct snap_parser *p)
{
	struct fields *f = &p->f;
	struct snapshot *s = p->s;
	const struct snap_zone *z = snap_zone_field(p);
	struct snap_movable run;
	unsigned int state;

	run.pfn = (pfn_t)fields_number(f, "the PFN", TRACE_MAX_PFN - 1, false);
	run.nr = (uint32_t)fields_number(f, "the length", TRACE_MAX_PFN, false);
	if (!f->bad && z && (run.pfn < z->start || run.pfn >= z->end ||
			     run.nr > z->end - run.pfn))
		fields_error(f, "the run is outside zone %s, PFNs %u to %llu",
			     z->name, z->start,
			     (unsigned long long)z->end - 1);
	state = (unsigned int)fields_number(f, "the state", RUN_STATE_MAX,
					    false);
	fields_end(f);
	/* 4 anonymous LRU, 5 file LRU, 6 movable outside the LRU. */
	if (f->bad || !z || state < 4 || state > 6 ||
	    !snap_grow(p, (void **)&s->movable, s->nr_movable, &p->room_movable,
		       sizeof(*s->movable)))
		return;
	s->movable[s->nr_movable++] = run;
}
