/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshot parser: the header, zones and blocks. Memory follows the number of
 * lines: a zone may span terabytes, but what is kept is one entry per block
 * named, no page may be named twice, and bitmaps are committed as touched.
 * Leaves out: page states other than LRU and movable.
 */
#include "trace/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/bitmap.h"
#include "include/sparse.h"
#include "trace/snapshot_internal.h"

#define SEEN_WORDS BITMAP_WORDS(TRACE_MAX_PFN)

bool snap_grow(struct snap_parser *p, void **array, uint32_t nr,
	       uint32_t *room, size_t size)
{
	uint32_t want;
	void *bigger;

	if (nr < *room)
		return true;
	want = *room ? *room * 2 : 256;
	bigger = want > *room ? reallocarray(*array, want, size) : NULL;
	if (!bigger) {
		p->no_memory = true;
		return false;
	}
	*array = bigger;
	*room = want;
	return true;
}

static void parse_header(struct snap_parser *p)
{
	struct fields *f = &p->f;
	struct snapshot *s = p->s;
	const struct word w = fields_word(f, "before or after");
	char copy[32];

	if (p->has_header)
		fields_error(f, "a second snap record; one file is one snapshot");
	else if (!word_is(w, "before") && !word_is(w, "after"))
		fields_error(f, "snapshot is \"%s\"; allowed are before and after",
			     word_copy(w, copy, sizeof(copy)));
	s->after = word_is(w, "after");
	fields_keyed(f, "t");
	s->nr_cpus = (unsigned int)fields_keyed_number(f, "cpus",
						       TRACE_MAX_CPUS);
	fields_keyed(f, "tsc_khz");
	s->pageblock_order = (unsigned int)
		fields_keyed_number(f, "pageblock_order", MAX_PAGE_ORDER);
	if (!f->bad && !s->nr_cpus)
		fields_error(f, "cpus is 0; allowed are 1 to %u",
			     TRACE_MAX_CPUS);
	if (!f->bad && !fields_at_end(f))
		word_copy(fields_keyed(f, "kernel"), s->kernel,
			  sizeof(s->kernel));
	if (!f->bad && s->pageblock_order < HPAGE_PMD_ORDER)
		fields_error(f, "pageblock_order is %u; allowed are 9 and 10",
			     s->pageblock_order);
	fields_end(f);
	p->has_header = !f->bad;
}

static const char *const zone_names[] = {
	"DMA", "DMA32", "Normal", "Movable", "Device", NULL
};

static void parse_zone_name(struct snap_parser *p, struct snap_zone *z)
{
	const struct word w = fields_word(&p->f, "the zone's name");

	word_copy(w, z->name, sizeof(z->name));
	if (!p->f.bad && strcmp(z->name, zone_names[z->zid]) != 0)
		fields_error(&p->f, "zone %u is called \"%s\"; it is %s on x86-64",
			     z->zid, z->name, zone_names[z->zid]);
}

static void parse_zone(struct snap_parser *p)
{
	struct fields *f = &p->f;
	struct snapshot *s = p->s;
	struct snap_zone z = { .zid = (uint8_t)fields_number(f, "the zone",
					TRACE_MAX_ZONES - 1, false) };
	unsigned int types;

	if (!f->bad && s->nr_zones && z.zid <= s->zones[s->nr_zones - 1].zid)
		fields_error(f, "zone %u after zone %u; zones must ascend",
			     z.zid, s->zones[s->nr_zones - 1].zid);
	parse_zone_name(p, &z);
	z.start = (pfn_t)fields_keyed_number(f, "start_pfn", TRACE_MAX_PFN - 1);
	z.end = z.start;
	if (fields_keyed_number(f, "max_order", NR_PAGE_ORDERS) !=
	    NR_PAGE_ORDERS)
		fields_error(f, "max_order must be %d: orders 0 to %d",
			     NR_PAGE_ORDERS, MAX_PAGE_ORDER);
	types = (unsigned int)fields_keyed_number(f, "migratetypes",
						  TRACE_MAX_TYPES);
	fields_end(f);
	if (!f->bad && types < 4)
		fields_error(f, "migratetypes is %u; allowed are 4 to %u",
			     types, TRACE_MAX_TYPES);
	if (!f->bad && s->nr_zones && types != s->nr_types)
		fields_error(f, "migratetypes is %u, and %u in the zone before",
			     types, s->nr_types);
	if (f->bad)
		return;
	s->nr_types = types;
	z.pagesets = calloc(s->nr_cpus, sizeof(*z.pagesets));
	p->no_memory |= !z.pagesets;
	p->claims[s->nr_zones].line = f->line.number;
	s->zones[s->nr_zones++] = z;
}

struct snap_zone *snap_zone_field(struct snap_parser *p)
{
	struct snapshot *s = p->s;
	const unsigned int zid = (unsigned int)
		fields_number(&p->f, "the zone", TRACE_MAX_ZONES - 1, false);
	const int idx = snapshot_zone_index(s, zid);

	if (p->f.bad)
		return NULL;
	if (idx < 0)
		fields_error(&p->f, "zone %u has no zone record above", zid);
	return idx < 0 ? NULL : &s->zones[idx];
}

/* The block must lie in the zone and share no page with an earlier one. */
static bool claim_block(struct snap_parser *p, const struct snap_zone *z,
			const struct snap_block *b)
{
	const uint32_t nr = order_nr_pages(b->order);

	if (!pfn_aligned(b->pfn, b->order))
		fields_error(&p->f,
			     "PFN %u is not a multiple of %u, the size of a block of order %u",
			     b->pfn, nr, b->order);
	else if (b->pfn < z->start || b->pfn + nr > z->end)
		fields_error(&p->f, "block %u of order %u is outside zone %s, PFNs %u to %llu",
			     b->pfn, b->order, z->name, z->start,
			     (unsigned long long)z->end - 1);
	else if (bitmap_count_range(p->seen, b->pfn, nr))
		fields_error(&p->f, "block %u of order %u overlaps a block named above",
			     b->pfn, b->order);
	if (p->f.bad)
		return false;
	bitmap_set_range(p->seen, b->pfn, nr);
	return true;
}

static void add_block(struct snap_parser *p, struct raw_array *array,
		      const struct snap_block *b, uint32_t key)
{
	if (!snap_grow(p, (void **)&array->at, array->nr, &array->room,
		       sizeof(*array->at)))
		return;
	array->at[array->nr++] = (struct raw_block){ .block = *b, .key = key };
}

static void parse_free(struct snap_parser *p)
{
	struct fields *f = &p->f;
	const struct snap_zone *z = snap_zone_field(p);
	struct snap_block b = { 0 };

	b.order = (uint8_t)fields_number(f, "the order", MAX_PAGE_ORDER, false);
	b.mt = (uint8_t)fields_number(f, "the migratetype",
				      p->s->nr_types - 1, false);
	b.pfn = (pfn_t)fields_number(f, "the PFN", TRACE_MAX_PFN - 1, false);
	if (!f->bad && !fields_at_end(f)) {
		b.reported = word_is(fields_word(f, "R"), "R");
		if (!b.reported)
			fields_error(f, "only R (reported) may follow the PFN");
	}
	fields_end(f);
	if (f->bad || !z || !claim_block(p, z, &b))
		return;
	add_block(p, &p->free, &b,
		  free_key((unsigned int)(z - p->s->zones), b.order, b.mt));
}

static void parse_pcp(struct snap_parser *p)
{
	struct fields *f = &p->f;
	const struct snap_zone *z = snap_zone_field(p);
	const unsigned int cpu = (unsigned int)
		fields_number(f, "the CPU", p->s->nr_cpus - 1, false);
	const unsigned int pindex = (unsigned int)
		fields_number(f, "the list index", TRACE_MAX_PINDEX - 1, false);
	struct snap_block b = {
		.order = (uint8_t)(pindex < 12 ? pindex / 3 : HPAGE_PMD_ORDER),
	};

	b.pfn = (pfn_t)fields_number(f, "the PFN", TRACE_MAX_PFN - 1, false);
	b.mt = (uint8_t)fields_keyed_number(f, "mt", p->s->nr_types - 1);
	fields_end(f);
	if (f->bad || !z || !claim_block(p, z, &b))
		return;
	add_block(p, &p->pcp, &b,
		  pcp_key(p->s, (unsigned int)(z - p->s->zones), cpu, pindex));
}

static const struct {
	const char *name;
	void (*parse)(struct snap_parser *p);
} records[] = {
	{ "snap", parse_header },
	{ "zone", parse_zone },
	{ "zval", snap_parse_zval },
	{ "free", parse_free },
	{ "pcphdr", snap_parse_pcphdr },
	{ "pcp", parse_pcp },
	{ "pb", snap_parse_pageblock },
	{ "run", snap_parse_run },
};

static void unknown_record(struct snap_parser *p, struct word w)
{
	const char *names[ARRAY_SIZE(records) + 2] = { "end" };
	const char *near;
	char copy[32];

	for (size_t i = 0; i < ARRAY_SIZE(records); i++)
		names[i + 1] = records[i].name;
	near = diag_nearest(word_copy(w, copy, sizeof(copy)), names);
	fields_error(&p->f,
		     "unknown record \"%s\"%s%s%s; allowed are "
		     "snap zone zval free pcphdr pcp pb run end",
		     copy, near ? "; did you mean \"" : "", near ? near : "",
		     near ? "\"?" : "");
}

static void parse_line(struct snap_parser *p)
{
	const struct word w = fields_word(&p->f, "a record");

	if (p->has_end) {
		fields_error(&p->f, "nothing may follow the end record");
		return;
	}
	if (word_is(w, "end")) {
		fields_end(&p->f);
		p->has_end = true;
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		if (!word_is(w, records[i].name))
			continue;
		if (i > 0 && !p->has_header)
			fields_error(&p->f, "a snapshot starts with a snap record");
		else
			records[i].parse(p);
		return;
	}
	unknown_record(p, w);
}

/* Every line; stops early only when the file itself is broken. */
static int parse_lines(struct snap_parser *p, struct line_reader *reader)
{
	struct line line;
	int ret = 0;

	while (!p->no_memory && (ret = line_reader_next(reader, &line)) == 1) {
		fields_start(&p->f, &line);
		if (!fields_at_end(&p->f) && *p->f.at != '#')
			parse_line(p);
		/* Without a header nothing can be judged. */
		if (p->f.bad && !p->has_header)
			return -EINVAL;
	}
	return p->no_memory ? -ENOMEM : ret;
}

static int parse_file(struct snap_parser *p, struct line_reader *reader)
{
	const unsigned int errors = p->f.diag->nr_errors;
	int err = parse_lines(p, reader);

	if (!err && !p->has_end) {
		diag_error(p->f.diag,
			   (struct diag_place){ .file = p->f.file,
						.line = p->f.line.number },
			   "cut short: the end record is missing");
		return -EBADMSG;
	}
	if (!err && p->f.diag->nr_errors == errors)
		err = snap_build_lists(p);
	if (!err && p->f.diag->nr_errors == errors)
		snap_check_totals(p);
	if (err == -ENOMEM)
		diag_error(p->f.diag, (struct diag_place){ .file = p->f.file },
			   "out of memory");
	return !err && p->f.diag->nr_errors != errors ? -EINVAL : err;
}

static int parse_snapshot(struct snap_parser *p, const char *path)
{
	struct line_reader *reader;
	int err = line_reader_open(&reader, path, p->f.diag);

	if (err)
		return err;
	p->s = calloc(1, sizeof(*p->s));
	p->seen = sparse_alloc(SEEN_WORDS, sizeof(uint64_t));
	if (p->s && p->seen) {
		err = parse_file(p, reader);
	} else {
		diag_error(p->f.diag, (struct diag_place){ .file = path },
			   "out of memory");
		err = -ENOMEM;
	}
	line_reader_close(reader);
	return err;
}

int snapshot_read(struct snapshot **out, const char *path, struct diag *d)
{
	struct snap_parser p = { .f = { .file = path, .diag = d } };
	int err = parse_snapshot(&p, path);

	if (p.seen)
		sparse_free(p.seen, SEEN_WORDS, sizeof(uint64_t));
	free(p.free.at);
	free(p.pcp.at);
	*out = err ? NULL : p.s;
	if (err)
		snapshot_free(p.s);
	return err;
}

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	for (unsigned int i = 0; i < s->nr_zones; i++)
		free(s->zones[i].pagesets);
	free(s->free_blocks);
	free(s->pcp_blocks);
	free(s->pageblocks);
	free(s->movable);
	free(s);
}

pfn_t snapshot_end_pfn(const struct snapshot *s)
{
	return s->nr_zones ? s->zones[s->nr_zones - 1].end : 0;
}

int snapshot_zone_index(const struct snapshot *s, unsigned int zid)
{
	for (unsigned int i = 0; i < s->nr_zones; i++)
		if (s->zones[i].zid == zid)
			return (int)i;
	return -1;
}
