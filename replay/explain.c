/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first miss, told so that one can go and look: what was expected, where
 * the twin has that page, and the lists from which the request is served, as
 * they are after the twin's answer.
 */
#include <string.h>

#include "replay/internal.h"

const char *list_name(unsigned int order, enum migratetype mt, char out[16])
{
	snprintf(out, 16, "o%u/%c", order, "UMRHCI"[mt]);
	return out;
}

void print_blocks(const struct alloc *a, pfn_t first, FILE *out)
{
	uint32_t nr = 0;

	for (pfn_t p = first; p != PFN_NONE; p = alloc_list_next(a, p)) {
		const bool marked = alloc_is_free_head(a, p) &&
				    (alloc_block_marks(a, p) & BLOCK_REPORTED);

		if (nr < SHOWN_BLOCKS)
			fprintf(out, "%s%u%s", nr ? " " : "", p,
				marked ? "r" : "");
		nr++;
	}
	if (nr > SHOWN_BLOCKS)
		fprintf(out, " ... %u in all", nr);
}

/* Position of a block in the list it is on, counting from 1. */
static uint32_t list_position(const struct alloc *a, pfn_t pfn)
{
	uint32_t n = 1;

	while ((pfn = alloc_list_prev(a, pfn)) != PFN_NONE)
		n++;
	return n;
}

static pfn_t list_head_of(const struct alloc *a, pfn_t pfn)
{
	pfn_t prev;

	while ((prev = alloc_list_prev(a, pfn)) != PFN_NONE)
		pfn = prev;
	return pfn;
}

static void explain_buddy(const struct alloc *a, pfn_t head, FILE *out)
{
	const int zone = alloc_zone_of(a, head);
	struct alloc_zone_info info;
	char name[16];

	alloc_zone_info(a, (unsigned int)zone, &info);
	fprintf(out, "is in the free block %u, number %u on %s %s", head,
		list_position(a, head), info.name,
		list_name(alloc_block_order(a, head),
			  alloc_block_type(a, head), name));
}

/* The pcp list whose first block is `first`. */
static void explain_pcp(const struct alloc *a, pfn_t block, FILE *out)
{
	const pfn_t first = list_head_of(a, block);
	const unsigned int zone = (unsigned int)alloc_zone_of(a, block);
	struct alloc_pcp_info info;
	enum migratetype mt;
	unsigned int order;
	char name[16];

	for (unsigned int c = 0; c < alloc_nr_cpus(a); c++) {
		alloc_pcp_info(a, zone, c, &info);
		for (unsigned int i = 0; i < info.nr_lists; i++) {
			if (alloc_pcp_first(a, zone, c, i) != first)
				continue;
			alloc_pindex_decode(a, i, &order, &mt);
			fprintf(out, "is in block %u, number %u on the pcp list %s of CPU %u",
				block, list_position(a, block),
				list_name(order, mt, name), c);
			return;
		}
	}
	fprintf(out, "is on a pcp list");
}

static void explain_used(const struct replay *r, pfn_t pfn, FILE *out)
{
	for (pfn_t o = 0; o < r->names.end; o++)
		if (o != pfn && names_find(&r->names, o, 0) == pfn) {
			fprintf(out, "was handed out earlier, where the kernel handed out %u",
				o);
			return;
		}
	fprintf(out, "is allocated");
}

static void explain_expected(const struct replay *r, pfn_t expected, FILE *out)
{
	const struct alloc *a = r->alloc;
	pfn_t head = PFN_NONE;
	unsigned int order = 0;

	if (expected == PFN_NONE) {
		fprintf(out, "the kernel failed this request");
		return;
	}
	fprintf(out, "in the twin, page %u ", expected);
	if (alloc_zone_of(a, expected) < 0) {
		fprintf(out, "is in no zone");
		return;
	}
	switch (alloc_page_lookup(a, expected, &head, &order)) {
	case ALLOC_PAGE_BUDDY:
		explain_buddy(a, head, out);
		break;
	case ALLOC_PAGE_PCP:
		explain_pcp(a, head, out);
		break;
	default:
		explain_used(r, expected, out);
		break;
	}
}

static void show_pcp_list(const struct alloc *a, unsigned int zone,
			  unsigned int cpu, unsigned int order,
			  enum migratetype mt, FILE *out)
{
	const int pindex = twin_pindex(a, order, mt);
	struct alloc_pcp_info info;
	char name[16];

	if (pindex < 0)
		return;
	alloc_pcp_info(a, zone, cpu, &info);
	fprintf(out, "  cpu%u %s{", cpu, list_name(order, mt, name));
	print_blocks(a, alloc_pcp_first(a, zone, cpu, (unsigned int)pindex),
		     out);
	fprintf(out, "} count=%u high=%u batch=%u factor=%u\n", info.count,
		info.high, info.batch, info.free_factor);
}

static void show_free_lists(const struct alloc *a, unsigned int zone,
			    unsigned int order, enum migratetype mt, FILE *out)
{
	char name[16];

	for (unsigned int o = order; o < NR_PAGE_ORDERS; o++) {
		const pfn_t first = alloc_list_first(a, zone, o, mt);

		if (first == PFN_NONE)
			continue;
		fprintf(out, "  %s[", list_name(o, mt, name));
		print_blocks(a, first, out);
		fprintf(out, "]\n");
	}
}

/* Type that the record asked for: its own field, not the mask's. */
static void show_lists(const struct replay *r, const struct req_record *rec,
		       pfn_t page, FILE *out)
{
	const struct alloc *a = r->alloc;
	const enum migratetype mt = twin_type(r->before, rec->mt);
	const int zone = page == PFN_NONE ? -1 : alloc_zone_of(a, page);
	struct alloc_zone_info info;

	if (zone < 0)
		return;
	alloc_zone_info(a, (unsigned int)zone, &info);
	fprintf(out, "%s free=%llu min=%llu low=%llu boost=%llu\n", info.name,
		(unsigned long long)info.free,
		(unsigned long long)info.wmark_min,
		(unsigned long long)info.wmark_low,
		(unsigned long long)info.boost);
	show_pcp_list(a, (unsigned int)zone, rec->cpu, rec->order, mt, out);
	show_free_lists(a, (unsigned int)zone, rec->order, mt, out);
}

void explain_miss(struct replay *r, const struct req_record *rec,
		  pfn_t expected, pfn_t got, enum replay_cause cause)
{
	struct replay_miss *m = &r->res.first_miss;
	FILE *out;

	m->event = r->line;
	m->record = *rec;
	m->expected = expected;
	m->got = got;
	m->cause = cause;
	out = fmemopen(m->reason, sizeof(m->reason), "w");
	if (out) {
		explain_expected(r, expected, out);
		fclose(out);
	}
	out = fmemopen(m->lists, sizeof(m->lists), "w");
	if (out) {
		show_lists(r, rec, got, out);
		if (got == PFN_NONE || expected == PFN_NONE ||
		    alloc_zone_of(r->alloc, got) !=
			    alloc_zone_of(r->alloc, expected))
			show_lists(r, rec, expected, out);
		fclose(out);
	}
	m->reason[sizeof(m->reason) - 1] = '\0';
	m->lists[sizeof(m->lists) - 1] = '\0';
}
