/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parser of the request stream. One table says which fields each kind has;
 * parsing and printing both follow it. Leaves out what only a replay can know:
 * whether the page named is allocated or free.
 */
#include "trace/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/fields.h"

/* One letter per field, in the order of the line. */
static const struct {
	const char *name;
	const char *fields;
} kinds[REQ_NR_KINDS] = {
	[REQ_A] = { "A", "cogma" },   [REQ_AB] = { "AB", "cogma" },
	[REQ_AK] = { "AK", "cogma" }, [REQ_B] = { "B", "czoma" },
	[REQ_F] = { "F", "cop" },     [REQ_FB] = { "FB", "cop" },
	[REQ_P] = { "P", "cop" },     [REQ_C] = { "C", "cop" },
	[REQ_D] = { "D", "czdin" },   [REQ_W] = { "W", "zw" },
	[REQ_I] = { "I", "czomp" },   [REQ_R] = { "R", "czomp" },
	[REQ_TF] = { "TF", "czomp" }, [REQ_TB] = { "TB", "czomp" },
	[REQ_K] = { "K", "czompf" },  [REQ_T] = { "T", "hp" },
	[REQ_M] = { "M", "zpmvl" },   [REQ_Q] = { "Q", "op" },
	[REQ_L] = { "L", "zb" },      [REQ_V] = { "V", "cz" },
	[REQ_G] = { "G", "zd" },
};

struct req_stream {
	struct line_reader *reader;
	struct req_limits limits;
	struct fields fields;
};

const char *req_kind_name(enum req_kind kind)
{
	return kinds[kind].name;
}

static void unknown_kind(struct fields *f, struct word w)
{
	const char *names[REQ_NR_KINDS + 1] = { NULL };
	const char *near;
	char copy[32];

	for (size_t i = 0; i < REQ_NR_KINDS; i++)
		names[i] = kinds[i].name;
	word_copy(w, copy, sizeof(copy));
	near = diag_nearest(copy, names);
	fields_error(f,
		     "unknown record kind \"%s\"%s%s%s; allowed are "
		     "A AB AK B F FB P C D W I R TF TB K T M Q L V G",
		     copy, near ? "; did you mean \"" : "", near ? near : "",
		     near ? "\"?" : "");
}

static enum req_kind parse_kind(struct fields *f)
{
	const struct word w = fields_word(f, "a record kind");

	for (unsigned int i = 0; i < REQ_NR_KINDS; i++)
		if (word_is(w, kinds[i].name))
			return (enum req_kind)i;
	unknown_kind(f, w);
	return REQ_NR_KINDS;
}

static pfn_t parse_pfn(struct req_stream *s, const char *what, bool may_fail)
{
	struct fields *f = &s->fields;
	const struct word w = fields_word(f, what);

	if (may_fail && word_is(w, "-"))
		return PFN_NONE;
	return (pfn_t)fields_parse(f, w, what, s->limits.end_pfn - 1, false);
}

static uint8_t parse_zone(struct req_stream *s)
{
	struct fields *f = &s->fields;
	const unsigned int zone = (unsigned int)
		fields_number(f, "the zone", TRACE_MAX_ZONES - 1, false);

	if (!f->bad && !((s->limits.zones >> zone) & 1))
		fields_error(f, "zone %u is not in the snapshot", zone);
	return (uint8_t)zone;
}

static uint32_t parse_gfp(struct fields *f)
{
	const uint32_t gfp = (uint32_t)
		fields_number(f, "the GFP mask", UINT32_MAX, true);

	if ((gfp & GFP_BOTH_TYPES) == GFP_BOTH_TYPES)
		fields_error(f, "the GFP mask is movable (0x8) and reclaimable (0x10) at once");
	return gfp;
}

static bool parse_placement(struct fields *f)
{
	const struct word w = fields_word(f, "head or tail");
	char copy[32];

	if (word_is(w, "tail"))
		return true;
	if (!word_is(w, "head"))
		fields_error(f, "placement is \"%s\"; allowed are head and tail",
			     word_copy(w, copy, sizeof(copy)));
	return false;
}

static void parse_field(struct req_stream *s, char field, struct req_record *r)
{
	struct fields *f = &s->fields;

	switch (field) {
	case 'c':
		r->cpu = (uint16_t)fields_number(f, "the CPU",
						 s->limits.nr_cpus - 1, false);
		break;
	case 'o':
		r->order = (uint8_t)fields_number(f, "the order",
						  MAX_PAGE_ORDER, false);
		break;
	case 'm':
		r->mt = (uint8_t)fields_number(f, "the migratetype",
					       s->limits.nr_types - 1, false);
		break;
	case 'z':
		r->zone = parse_zone(s);
		break;
	case 'g':
		r->gfp = parse_gfp(f);
		break;
	case 'a':
	case 'p':
		r->pfn = parse_pfn(s, "the PFN", field == 'a');
		break;
	case 'f':
		r->freed = parse_pfn(s, "the PFN of the freed page", false);
		break;
	case 'd':
		r->nr_pages = (uint32_t)fields_number(f, "the pages to free",
						      TRACE_MAX_PFN, false);
		break;
	case 'i':
		r->pindex = (uint8_t)fields_number(f, "the list index",
						   TRACE_MAX_PINDEX - 1, false);
		break;
	case 'n':
		r->count = (uint32_t)fields_number(f, "the pageset's count",
						   TRACE_MAX_PFN, false);
		break;
	case 'w':
		r->on = fields_number(f, "reclaim active", 1, false) != 0;
		break;
	case 'b':
		r->on = fields_number(f, "below high", 1, false) != 0;
		break;
	case 'h':
		r->on = parse_placement(f);
		break;
	case 'v':
		r->moved = (uint32_t)fields_number(f, "the pages moved",
						   TRACE_MAX_PFN, false);
		break;
	case 'l':
		r->movable = (uint32_t)fields_number(f, "the movable pages",
						     TRACE_MAX_PFN, false);
		break;
	}
}

static void check_block(struct req_stream *s, const struct req_record *r)
{
	if (s->fields.bad || r->pfn == PFN_NONE)
		return;
	if (!pfn_aligned(r->pfn, r->order))
		fields_error(&s->fields,
			     "PFN %u is not a multiple of %u, the size of a block of order %u",
			     r->pfn, order_nr_pages(r->order), r->order);
	else if (r->pfn + order_nr_pages(r->order) > s->limits.end_pfn)
		fields_error(&s->fields,
			     "the block reaches beyond the last PFN, %u",
			     s->limits.end_pfn - 1);
}

static int parse_record(struct req_stream *s, struct req_record *r)
{
	struct fields *f = &s->fields;

	memset(r, 0, sizeof(*r));
	r->kind = (uint8_t)parse_kind(f);
	if (f->bad)
		return -EINVAL;
	for (const char *p = kinds[r->kind].fields; *p && !f->bad; p++)
		parse_field(s, *p, r);
	check_block(s, r);
	fields_end(f);
	return f->bad ? -EINVAL : 1;
}

int req_next(struct req_stream *s, struct req_record *out)
{
	struct line line;
	int ret;

	while ((ret = line_reader_next(s->reader, &line)) == 1) {
		fields_start(&s->fields, &line);
		if (fields_at_end(&s->fields) || *s->fields.at == '#')
			continue;
		return parse_record(s, out);
	}
	/* -EINVAL from here means "go on"; a reader that failed cannot. */
	return ret == -EINVAL ? -EBADMSG : ret;
}

unsigned int req_line(const struct req_stream *s)
{
	return s->fields.line.number;
}

static void set_limits(struct req_limits *l)
{
	if (!l->nr_cpus || l->nr_cpus > TRACE_MAX_CPUS)
		l->nr_cpus = TRACE_MAX_CPUS;
	if (!l->nr_types || l->nr_types > TRACE_MAX_TYPES)
		l->nr_types = TRACE_MAX_TYPES;
	if (!l->zones)
		l->zones = (1u << TRACE_MAX_ZONES) - 1;
	if (!l->end_pfn || l->end_pfn > TRACE_MAX_PFN)
		l->end_pfn = TRACE_MAX_PFN;
}

int req_open_reader(struct req_stream **out, struct line_reader *reader,
		    const char *path, const struct req_limits *limits,
		    struct diag *d)
{
	struct req_stream *s = calloc(1, sizeof(*s));

	*out = s;
	if (!s) {
		diag_error(d, (struct diag_place){ .file = path },
			   "out of memory");
		return -ENOMEM;
	}
	if (limits)
		s->limits = *limits;
	set_limits(&s->limits);
	s->fields.file = path;
	s->fields.diag = d;
	s->reader = reader;
	return 0;
}

int req_open(struct req_stream **out, const char *path,
	     const struct req_limits *limits, struct diag *d)
{
	struct line_reader *reader;
	int err;

	*out = NULL;
	err = line_reader_open(&reader, path, d);
	if (err)
		return err;
	err = req_open_reader(out, reader, path, limits, d);
	if (err)
		line_reader_close(reader);
	return err;
}

void req_close(struct req_stream *s)
{
	if (!s)
		return;
	line_reader_close(s->reader);
	free(s);
}

static int format_field(const struct req_record *r, char field, char *out,
			size_t size)
{
	switch (field) {
	case 'c':
		return snprintf(out, size, " %u", r->cpu);
	case 'o':
		return snprintf(out, size, " %u", r->order);
	case 'm':
		return snprintf(out, size, " %u", r->mt);
	case 'z':
		return snprintf(out, size, " %u", r->zone);
	case 'g':
		return snprintf(out, size, " 0x%x", r->gfp);
	case 'i':
		return snprintf(out, size, " %u", r->pindex);
	case 'b':
	case 'w':
		return snprintf(out, size, " %d", r->on);
	case 'h':
		return snprintf(out, size, r->on ? " tail" : " head");
	case 'f':
		return snprintf(out, size, " %u", r->freed);
	case 'd':
	case 'v':
		return snprintf(out, size, " %u", r->nr_pages);
	case 'n':
	case 'l':
		return snprintf(out, size, " %u", r->count);
	}
	if (r->pfn == PFN_NONE)
		return snprintf(out, size, " -");
	return snprintf(out, size, " %u", r->pfn);
}

void req_format(const struct req_record *r, char *out, size_t size)
{
	size_t used = (size_t)snprintf(out, size, "%s", kinds[r->kind].name);

	for (const char *p = kinds[r->kind].fields; *p && used < size; p++)
		used += (size_t)format_field(r, *p, out + used, size - used);
}
