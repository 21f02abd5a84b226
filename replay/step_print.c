/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What step scripts print: free lists, pcp lists, pageblock types, counters
 * and, where a script asks for them, events. Page frames are decimal and lists
 * head first.
 */
#include <inttypes.h>

#include "replay/step_internal.h"

char step_type_letter(enum migratetype mt)
{
	static const char letters[] = "UMRHCI";

	return mt < MIGRATE_TYPES ? letters[mt] : '?';
}

static void print_block(struct step *s, pfn_t pfn, const char *before)
{
	unsigned int marks = alloc_block_marks(s->a, pfn);

	fprintf(s->out, "%s%u%s%s", before, pfn,
		marks & BLOCK_REPORTED ? "r" : "",
		marks & BLOCK_HINTED ? "h" : "");
}

/* ` o0/M[1026 1030]`; nothing if the list is empty and has no boundary. */
static void print_list(struct step *s, unsigned int zone, unsigned int order,
		       enum migratetype mt)
{
	pfn_t pfn = alloc_list_first(s->a, zone, order, mt);
	pfn_t boundary = PFN_NONE;
	bool active = step_boundary(s, zone, order, mt, &boundary);
	const char *sep = "";

	if (pfn == PFN_NONE)
		return;
	fprintf(s->out, " o%u/%c[", order, step_type_letter(mt));
	for (; pfn != PFN_NONE; pfn = alloc_list_next(s->a, pfn)) {
		if (active && pfn == boundary) {
			fprintf(s->out, "%s|", sep);
			sep = " ";
		}
		print_block(s, pfn, sep);
		sep = " ";
	}
	fputs(active && boundary == PFN_NONE ? " |]" : "]", s->out);
}

int step_print_lists(struct step *s, const struct step_cmd *c)
{
	unsigned int zone, order, mt;

	(void)c;
	for (zone = 0; zone < alloc_nr_zones(s->a); zone++) {
		struct alloc_zone_info info;

		alloc_zone_info(s->a, zone, &info);
		fputs(info.name, s->out);
		for (order = 0; order < NR_PAGE_ORDERS; order++)
			for (mt = 0; mt < MIGRATE_TYPES; mt++)
				print_list(s, zone, order,
					   (enum migratetype)mt);
		fputc('\n', s->out);
	}
	return 0;
}

static void print_pcp_list(struct step *s, unsigned int zone, unsigned int cpu,
			   unsigned int pindex)
{
	pfn_t pfn = alloc_pcp_first(s->a, zone, cpu, pindex);
	enum migratetype mt;
	unsigned int order;
	const char *sep = "";

	if (pfn == PFN_NONE)
		return;
	alloc_pindex_decode(s->a, pindex, &order, &mt);
	fprintf(s->out, " o%u/%c{", order, step_type_letter(mt));
	for (; pfn != PFN_NONE; pfn = alloc_list_next(s->a, pfn)) {
		fprintf(s->out, "%s%u", sep, pfn);
		sep = " ";
	}
	fputc('}', s->out);
}

/* What scales the next refill (6.12 on) or the next flush (6.1). */
static uint32_t pcp_factor(const struct step *s,
			   const struct alloc_pcp_info *info)
{
	switch (alloc_profile_of(s->a)->pcp_flush) {
	case PCP_FLUSH_FACTOR:
		return info->free_factor;
	case PCP_FLUSH_COUNT:
		return info->alloc_factor;
	default:
		return 0;
	}
}

static void print_pageset(struct step *s, unsigned int zone, unsigned int cpu)
{
	struct alloc_zone_info zi;
	struct alloc_pcp_info pi;
	unsigned int i;

	alloc_zone_info(s->a, zone, &zi);
	alloc_pcp_info(s->a, zone, cpu, &pi);
	fprintf(s->out, "%s cpu%u", zi.name, cpu);
	for (i = 0; i < pi.nr_lists; i++)
		print_pcp_list(s, zone, cpu, i);
	fprintf(s->out, " count=%u factor=%u\n", pi.count, pcp_factor(s, &pi));
}

int step_print_pcplists(struct step *s, const struct step_cmd *c)
{
	unsigned int zone, cpu;

	(void)c;
	for (zone = 0; zone < alloc_nr_zones(s->a); zone++)
		for (cpu = 0; cpu < alloc_nr_cpus(s->a); cpu++)
			print_pageset(s, zone, cpu);
	return 0;
}

/* Pageblocks [first, end) of the zone; one that it shares counts as its own. */
static void print_types(struct step *s, const struct alloc_zone_info *zi,
			uint64_t first, uint64_t end)
{
	unsigned int order = alloc_pageblock_order(s->a);
	uint64_t zone_first = zi->start >> order;
	uint64_t zone_end = ((uint64_t)zi->end + order_nr_pages(order) - 1) >>
			    order;

	if (first < zone_first)
		first = zone_first;
	if (end > zone_end)
		end = zone_end;
	if (first >= end)
		return;
	fputs(zi->name, s->out);
	for (; first < end; first++)
		fprintf(s->out, " %" PRIu64 ":%c", first,
			step_type_letter(alloc_pageblock_type(
				s->a, (pfn_t)(first << order))));
	fputc('\n', s->out);
}

int step_print_types(struct step *s, const struct step_cmd *c)
{
	unsigned int zone;

	for (zone = 0; zone < alloc_nr_zones(s->a); zone++) {
		struct alloc_zone_info zi;

		alloc_zone_info(s->a, zone, &zi);
		print_types(s, &zi, c->number[0], c->number[1]);
	}
	return 0;
}

int step_print_state(struct step *s, const struct step_cmd *c)
{
	unsigned int zone;

	(void)c;
	for (zone = 0; zone < alloc_nr_zones(s->a); zone++) {
		struct alloc_zone_info zi;

		alloc_zone_info(s->a, zone, &zi);
		fprintf(s->out, "%s free=%" PRIu64 " boost=%" PRIu64
			" reserved_highatomic=%" PRIu64 "\n", zi.name, zi.free,
			zi.boost, zi.reserved_highatomic);
	}
	return 0;
}

static void print_event_pfn(FILE *out, const char *name, pfn_t pfn)
{
	if (pfn == PFN_NONE)
		fprintf(out, "%s pfn=none", name);
	else
		fprintf(out, "%s pfn=%u", name, pfn);
}

void step_print_event(struct step *s, const struct alloc_event *ev)
{
	char mt = step_type_letter((enum migratetype)ev->migratetype);

	switch (ev->kind) {
	case ALLOC_EVENT_MERGE:
		print_event_pfn(s->out, "merge", ev->pfn);
		fprintf(s->out, " order=%u\n", ev->order);
		break;
	case ALLOC_EVENT_ZONE_LOCKED:
		print_event_pfn(s->out, "zone_locked", ev->pfn);
		fprintf(s->out, " order=%u type=%c refill=%u\n", ev->order, mt,
			ev->percpu_refill);
		break;
	case ALLOC_EVENT_EXTFRAG:
		print_event_pfn(s->out, "extfrag", ev->pfn);
		fprintf(s->out, " order=%u fallback_order=%u type=%c "
			"fallback_type=%c change=%u\n", ev->order,
			ev->fallback_order, mt, step_type_letter(
				(enum migratetype)ev->fallback_type),
			ev->change_ownership);
		break;
	case ALLOC_EVENT_PCPU_DRAIN:
		if (!s->drain_events)
			break;
		print_event_pfn(s->out, "pcpu_drain", ev->pfn);
		fprintf(s->out, " order=%u type=%c\n", ev->order, mt);
		break;
	case ALLOC_EVENT_PAGE_ALLOC:
	case ALLOC_EVENT_PAGE_FREE:
		break;
	}
}

int step_print_buddyinfo(struct step *s, const struct step_cmd *c)
{
	(void)c;
	alloc_print_buddyinfo(s->a, s->out);
	return 0;
}

int step_print_pagetypeinfo(struct step *s, const struct step_cmd *c)
{
	(void)c;
	alloc_print_pagetypeinfo(s->a, s->out);
	return 0;
}

int step_print_zoneinfo(struct step *s, const struct step_cmd *c)
{
	(void)c;
	alloc_print_zoneinfo(s->a, s->out);
	return 0;
}

int step_print_vmstat(struct step *s, const struct step_cmd *c)
{
	(void)c;
	alloc_print_vmstat(s->a, s->out);
	return 0;
}
