/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State of one snapshot being parsed; only the snapshot sources include it. */
#ifndef TRACE_SNAPSHOT_INTERNAL_H
#define TRACE_SNAPSHOT_INTERNAL_H

#include "trace/fields.h"
#include "trace/snapshot.h"

/* A block as read, with the list it names, until all lists are known. */
struct raw_block {
	struct snap_block block;
	uint32_t key;      /* list number, see snapshot_lists.c */
};

struct raw_array {
	struct raw_block *at;
	uint32_t nr, room;
};

/* What a zone's lines announce, checked when the file ends. */
struct zone_claims {
	bool has_spanned, has_present, has_managed, has_free;
	uint16_t nr_free_given;             /* bit per order */
	uint64_t nr_free[NR_PAGE_ORDERS];
	unsigned int line;                  /* of the zone record */
};

struct snap_parser {
	struct fields f;
	struct snapshot *s;
	struct zone_claims claims[TRACE_MAX_ZONES];
	struct raw_array free, pcp;
	uint64_t *seen;    /* bit per PFN: in a free or pcp block */
	uint32_t room_pageblocks, room_movable;
	bool has_header, has_end;
	bool no_memory;
};

static inline uint32_t free_key(unsigned int zone, unsigned int order,
				unsigned int mt)
{
	return (zone * NR_PAGE_ORDERS + order) * TRACE_MAX_TYPES + mt;
}

static inline uint32_t pcp_key(const struct snapshot *s, unsigned int zone,
			       unsigned int cpu, unsigned int pindex)
{
	return (zone * s->nr_cpus + cpu) * TRACE_MAX_PINDEX + pindex;
}

/*
 * Room for one more element in an array of `nr` of `room`; the array moves.
 * false (and p->no_memory) if memory is out.
 */
bool snap_grow(struct snap_parser *p, void **array, uint32_t nr,
	       uint32_t *room, size_t size);
/* Sort the blocks into lists, keeping their order within each. */
int snap_build_lists(struct snap_parser *p);
/* What only the whole file can show: counts against lists. */
void snap_check_totals(struct snap_parser *p);
/* The zone numbered `zid`, or NULL after a message. */
struct snap_zone *snap_zone_field(struct snap_parser *p);
/* zval, pcphdr, pb and run records; the kind is already read. */
void snap_parse_zval(struct snap_parser *p);
void snap_parse_pcphdr(struct snap_parser *p);
void snap_parse_pageblock(struct snap_parser *p);
void snap_parse_run(struct snap_parser *p);

#endif
