/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part that all text formats print alike: "NAME: key=value ..." of the
 * kmem:mm_page_* tracepoints, 5.3 to 6.18 (include/trace/events/kmem.h).
 * Fields are found by name, so their order does not matter and one that a
 * later release adds is passed over. page= is never used: its value is hashed,
 * or the PFN once more.
 */
#include <errno.h>
#include <string.h>

#include "trace/importer.h"
#include "trace/scan.h"

enum kmem_field {
	FIELD_PFN, FIELD_ORDER, FIELD_MT, FIELD_GFP, FIELD_REFILL,
	FIELD_ALLOC_ORDER, FIELD_FALLBACK_ORDER, FIELD_ALLOC_MT,
	FIELD_FALLBACK_MT, FIELD_CHANGE, NR_FIELDS,
};

static const struct {
	const char *name;
	uint64_t max;   /* of those that are plain numbers */
} field_desc[NR_FIELDS] = {
	[FIELD_PFN] = { "pfn", UINT64_MAX },
	[FIELD_ORDER] = { "order", MAX_PAGE_ORDER },
	[FIELD_MT] = { "migratetype", TRACE_MAX_TYPES - 1 },
	[FIELD_GFP] = { "gfp_flags", 0 },
	[FIELD_REFILL] = { "percpu_refill", 1 },
	[FIELD_ALLOC_ORDER] = { "alloc_order", MAX_PAGE_ORDER },
	[FIELD_FALLBACK_ORDER] = { "fallback_order", MAX_PAGE_ORDER },
	[FIELD_ALLOC_MT] = { "alloc_migratetype", TRACE_MAX_TYPES - 1 },
	[FIELD_FALLBACK_MT] = { "fallback_migratetype", TRACE_MAX_TYPES - 1 },
	[FIELD_CHANGE] = { "change_ownership", 1 },
};

#define BIT(field) (1u << (field))
#define BLOCK_FIELDS (BIT(FIELD_PFN) | BIT(FIELD_ORDER))

static const struct {
	const char *name;
	enum trace_kind kind;
	unsigned int fields;    /* that the kind must have */
} kmem_kinds[] = {
	{ "mm_page_alloc", TRACE_ALLOC,
	  BLOCK_FIELDS | BIT(FIELD_MT) | BIT(FIELD_GFP) },
	{ "mm_page_free", TRACE_FREE, BLOCK_FIELDS },
	{ "mm_page_free_batched", TRACE_FREE_BATCHED, BLOCK_FIELDS },
	{ "mm_page_alloc_zone_locked", TRACE_ZONE_LOCKED,
	  BLOCK_FIELDS | BIT(FIELD_MT) | BIT(FIELD_REFILL) },
	{ "mm_page_pcpu_drain", TRACE_PCPU_DRAIN,
	  BLOCK_FIELDS | BIT(FIELD_MT) },
	{ "mm_page_alloc_extfrag", TRACE_EXTFRAG,
	  BIT(FIELD_PFN) | BIT(FIELD_ALLOC_ORDER) | BIT(FIELD_FALLBACK_ORDER) |
	  BIT(FIELD_ALLOC_MT) | BIT(FIELD_FALLBACK_MT) | BIT(FIELD_CHANGE) },
};

/* A place in a table, if that is the name there. */
#define NAMED(index, table)                                                   \
	(memcmp(name, (table)[index].name, len) == 0 ? (int)(index) : -1)

/* Index in kmem_kinds, or -1. No two names have the same length. */
static int find_kind(const char *name, size_t len)
{
	switch (len) {
	case 13:
		return NAMED(0, kmem_kinds);
	case 12:
		return NAMED(1, kmem_kinds);
	case 20:
		return NAMED(2, kmem_kinds);
	case 25:
		return NAMED(3, kmem_kinds);
	case 18:
		return NAMED(4, kmem_kinds);
	case 21:
		return NAMED(5, kmem_kinds);
	}
	return -1;
}

/* Only two names have the same length. */
static int find_field(const char *name, size_t len)
{
	switch (len) {
	case 3:
		return NAMED(FIELD_PFN, field_desc);
	case 5:
		return NAMED(FIELD_ORDER, field_desc);
	case 9:
		return NAMED(FIELD_GFP, field_desc);
	case 11:
		return name[0] == 'm' ? NAMED(FIELD_MT, field_desc) :
					NAMED(FIELD_ALLOC_ORDER, field_desc);
	case 13:
		return NAMED(FIELD_REFILL, field_desc);
	case 14:
		return NAMED(FIELD_FALLBACK_ORDER, field_desc);
	case 16:
		return NAMED(FIELD_CHANGE, field_desc);
	case 17:
		return NAMED(FIELD_ALLOC_MT, field_desc);
	case 20:
		return NAMED(FIELD_FALLBACK_MT, field_desc);
	}
	return -1;
}

pfn_t kmem_pfn(struct trace_source *s, uint64_t value, bool may_fail)
{
	/* What the kernel prints for "no page": -1 of 64 or 32 bits, or 0,
	 * which is never the allocator's own. */
	if (may_fail && (value == 0 || value == UINT64_MAX ||
			 value == UINT32_MAX))
		return PFN_NONE;
	if (value < TRACE_MAX_PFN)
		return (pfn_t)value;
	fields_error(&s->f, "PFN is %llu; allowed is a number from 0 to %u",
		     (unsigned long long)value, TRACE_MAX_PFN - 1);
	return 0;
}

__attribute__((cold))
static void bad_number(struct trace_source *s, int field, const char *value)
{
	const size_t len = (size_t)(scan_word(value) - value);
	const uint64_t max = field_desc[field].max;
	char copy[32];

	word_copy((struct word){ value, len }, copy, sizeof(copy));
	if (max < UINT64_MAX)
		fields_error(&s->f,
			     "%s is \"%s\"; allowed is a number from 0 to %u",
			     field_desc[field].name, copy, (unsigned int)max);
	else
		fields_error(&s->f,
			     "%s is \"%s\"; allowed is a number (decimal or 0x...)",
			     field_desc[field].name, copy);
}

static uint64_t number(struct trace_source *s, int field, const char **at)
{
	const char *value = *at, *end;
	uint64_t v;

	end = scan_number(value, &v);
	if (end && (!*end || scan_is_blank(*end)) &&
	    v <= field_desc[field].max) {
		*at = end;
		return v;
	}
	*at = scan_word(value);
	if (field == FIELD_PFN && *at - value == 2 && !memcmp(value, "-1", 2))
		return UINT64_MAX;
	bad_number(s, field, value);
	return 0;
}

/* Returns what follows the value. */
static const char *store(struct trace_source *s, struct trace_event *out,
			 int field, const char *value)
{
	const bool may_fail = out->kind == TRACE_ALLOC ||
			      out->kind == TRACE_ZONE_LOCKED;
	struct trace_kmem *k = &out->u.kmem;
	const char *end = value;
	uint64_t v;

	if (field == FIELD_GFP) {
		end = scan_word(value);
		k->gfp = gfp_text(s, value, (size_t)(end - value));
		return end;
	}
	v = number(s, field, &end);
	if (field == FIELD_PFN)
		k->pfn = kmem_pfn(s, v, may_fail);
	else if (field == FIELD_ORDER || field == FIELD_ALLOC_ORDER)
		k->order = (uint8_t)v;
	else if (field == FIELD_MT || field == FIELD_ALLOC_MT)
		k->mt = (uint8_t)v;
	else if (field == FIELD_REFILL)
		k->refill = v != 0;
	else if (field == FIELD_FALLBACK_ORDER)
		k->fallback_order = (uint8_t)v;
	else if (field == FIELD_FALLBACK_MT)
		k->fallback_mt = (uint8_t)v;
	else
		k->change_ownership = v != 0;
	return end;
}

/* All key=value of the line; returns the fields that were there. */
static unsigned int read_fields(struct trace_source *s, const char *p,
				unsigned int wanted, struct trace_event *out)
{
	unsigned int seen = 0;

	while (!s->f.bad) {
		const char *key = scan_blanks(p);
		int field;

		for (p = key; *p && *p != '=' && !scan_is_blank(*p); p++)
			;
		if (!*p)
			break;
		if (*p != '=')
			continue;   /* a word that is no field */
		field = find_field(key, (size_t)(p - key));
		s->f.last = ++p;
		if (field < 0 || !(wanted & BIT(field))) {
			p = scan_word(p);
			continue;
		}
		if (seen & BIT(field))
			fields_error(&s->f, "%s stands here twice",
				     field_desc[field].name);
		seen |= BIT(field);
		p = store(s, out, field, p);
	}
	return seen;
}

void event_check_block(struct trace_source *s, const struct trace_event *e)
{
	const struct trace_kmem *k = &e->u.kmem;

	if (s->f.bad || k->pfn == PFN_NONE || e->kind == TRACE_EXTFRAG)
		return;
	if (!pfn_aligned(k->pfn, k->order))
		fields_error(&s->f,
			     "PFN 0x%x is not a multiple of %u, the size of a block of order %u",
			     k->pfn, order_nr_pages(k->order), k->order);
}

static int read_event(struct trace_source *s, const char *body, int which,
		      struct trace_event *out)
{
	const unsigned int wanted = kmem_kinds[which].fields;
	unsigned int missing;

	missing = wanted & ~read_fields(s, body, wanted, out);
	if (missing && !s->f.bad) {
		s->f.last = s->f.line.text + s->f.line.len;
		fields_error(&s->f, "%s= is missing",
			     field_desc[__builtin_ctz(missing)].name);
	}
	event_check_block(s, out);
	return s->f.bad ? -EINVAL : 1;
}

int kmem_event(struct trace_source *s, const struct event_head *h,
	       struct trace_event *out)
{
	const char *name = h->event, *end = scan_word(name);
	size_t len = (size_t)(end - name);
	int which, ret;

	if (len > 5 && !memcmp(name, "kmem:", 5)) {
		name += 5;
		len -= 5;
	}
	which = len && name[len - 1] == ':' ? find_kind(name, len - 1) : -1;
	if (which < 0) {
		s->stats.other_lines++;
		return 0;
	}
	out->u.kmem = (struct trace_kmem){ .pfn = 0 };
	out->kind = (uint8_t)kmem_kinds[which].kind;
	ret = read_event(s, end, which, out);
	return ret == 1 ? event_finish(s, h, out) : ret;
}
