/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of a .blt file that are not records: header, statistics, and the
 * checksum over each. Numbers are little-endian whatever the machine.
 */
#include <xxhash.h>

#include "trace/blt_format.h"

uint64_t blt_checksum(const void *data, size_t size)
{
	return XXH64(data, size, 0);
}

void blt_header_build(uint8_t *out, const char *kernel, const char *source)
{
	uint8_t *p = out + BLT_TAG_BYTES;

	memset(out, 0, BLT_HEADER_BYTES);
	memcpy(out, BLT_TAG_HEADER, BLT_TAG_BYTES);
	blt_put32(p, BLT_VERSION);
	blt_put32(p + 4, 0);
	p += 8;
	memcpy(p, kernel, strnlen(kernel, BLT_NAME_BYTES - 1));
	p += BLT_NAME_BYTES;
	memcpy(p, source, strnlen(source, BLT_NAME_BYTES - 1));
	p += BLT_NAME_BYTES;
	blt_put64(p, blt_checksum(out, BLT_HEADER_BYTES - 8));
}

const char *blt_header_parse(const uint8_t *p, char kernel[BLT_NAME_BYTES],
			     char source[BLT_NAME_BYTES])
{
	const uint8_t *names = p + BLT_TAG_BYTES + 8;

	if (memcmp(p, BLT_TAG_HEADER, BLT_TAG_BYTES) != 0)
		return "this is not a .blt file";
	if (blt_get64(p + BLT_HEADER_BYTES - 8) !=
	    blt_checksum(p, BLT_HEADER_BYTES - 8))
		return "the header is damaged: its checksum does not fit";
	if (blt_get32(p + BLT_TAG_BYTES) > BLT_VERSION ||
	    blt_get32(p + BLT_TAG_BYTES + 4))
		return "the file is of a later version; a newer buddylab reads it";
	memcpy(kernel, names, BLT_NAME_BYTES);
	memcpy(source, names + BLT_NAME_BYTES, BLT_NAME_BYTES);
	if (kernel[BLT_NAME_BYTES - 1] || source[BLT_NAME_BYTES - 1])
		return "a name in the header does not end";
	return NULL;
}

/* In the order of the file: numbers alone, then each counted list. */
static unsigned int scalars(struct trace_stats *s, uint64_t **out)
{
	uint64_t *const fields[] = {
		&s->lines, &s->events, &s->lost, &s->lost_markers,
		&s->failed_allocs, &s->other_lines, &s->backwards,
		&s->unknown_gfp, &s->first_ns, &s->last_ns,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++)
		out[i] = fields[i];
	return ARRAY_SIZE(fields);
}

unsigned int blt_stats_build(const struct trace_stats *s,
			     uint64_t out[BLT_MAX_STATS])
{
	struct trace_stats copy = *s;
	uint64_t *fields[16];
	unsigned int n = scalars(&copy, fields), used = 0;

	out[used++] = n + 2;
	for (unsigned int i = 0; i < n; i++)
		out[used++] = *fields[i];
	out[used++] = s->nr_cpus;
	out[used++] = s->end_pfn;
	out[used++] = TRACE_NR_KINDS;
	for (unsigned int i = 0; i < TRACE_NR_KINDS; i++)
		out[used++] = s->by_kind[i];
	out[used++] = REQ_NR_KINDS;
	for (unsigned int i = 0; i < REQ_NR_KINDS; i++)
		out[used++] = s->requests[i];
	return used;
}

/* A list of `n` words that a later version may have made longer. */
static const uint8_t *parse_list(const uint8_t *p, const uint8_t *end,
				 uint64_t *out, unsigned int n)
{
	uint64_t have;

	if (!p || end - p < 8)
		return NULL;
	have = blt_get64(p);
	p += 8;
	if (have > (uint64_t)(end - p) / 8)
		return NULL;
	for (unsigned int i = 0; i < n; i++)
		out[i] = i < have ? blt_get64(p + 8 * i) : 0;
	return p + 8 * have;
}

size_t blt_stats_parse(struct trace_stats *s, const uint8_t *p, size_t size)
{
	const uint8_t *const end = p + size;
	const uint8_t *at;
	uint64_t *fields[16], words[16];
	unsigned int n = scalars(s, fields);

	at = parse_list(p, end, words, n + 2);
	at = parse_list(at, end, s->by_kind, TRACE_NR_KINDS);
	at = parse_list(at, end, s->requests, REQ_NR_KINDS);
	if (!at || words[n] > TRACE_MAX_CPUS || words[n + 1] > PFN_NONE)
		return 0;
	for (unsigned int i = 0; i < n; i++)
		*fields[i] = words[i];
	s->nr_cpus = (uint32_t)words[n];
	s->end_pfn = (pfn_t)words[n + 1];
	return (size_t)(at - p) / 8;
}

static void count_pages(struct trace_stats *s, pfn_t pfn, unsigned int order)
{
	const uint64_t end = (uint64_t)pfn + order_nr_pages(order);

	if (pfn != PFN_NONE && end > s->end_pfn)
		s->end_pfn = end < PFN_NONE ? (pfn_t)end : PFN_NONE;
}

static void count_request(struct trace_stats *s, const struct req_record *r)
{
	s->requests[r->kind]++;
	if (r->kind <= REQ_AK && r->pfn == PFN_NONE)
		s->failed_allocs++;
	if (blt_code(r->kind)->has & (BLT_HAS_PAGE | BLT_MAY_FAIL))
		count_pages(s, r->pfn, r->order);
	if (r->kind == REQ_K)
		count_pages(s, r->freed, 0);
}

static void count_time(struct trace_stats *s, uint64_t ns, uint64_t before)
{
	if (s->events == 1 || ns < s->first_ns)
		s->first_ns = ns;
	if (ns > s->last_ns)
		s->last_ns = ns;
	s->backwards += ns < before;
}

void blt_stats_count(struct trace_stats *s, const struct trace_event *e,
		     uint64_t before)
{
	s->events++;
	s->by_kind[e->kind]++;
	count_time(s, e->ns, before);
	if (e->cpu >= s->nr_cpus)
		s->nr_cpus = e->cpu + 1u;
	if (e->kind == TRACE_REQUEST) {
		count_request(s, &e->u.req);
	} else if (e->kind == TRACE_LOST) {
		s->lost += e->u.lost;
		s->lost_markers++;
	} else if (e->kind != TRACE_MEM) {
		count_pages(s, e->u.kmem.pfn, e->u.kmem.order);
		s->failed_allocs += e->kind == TRACE_ALLOC &&
				    e->u.kmem.pfn == PFN_NONE;
	}
}
