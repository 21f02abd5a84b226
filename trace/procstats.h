/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recorded /proc files of the page allocator in one file, each under a line
 *     @@@ before|after NAME
 * as buddylab-record saves them. Read are buddyinfo, pagetypeinfo and zoneinfo;
 * files of other names are passed over.
 */
#ifndef TRACE_PROCSTATS_H
#define TRACE_PROCSTATS_H

#include <stddef.h>

#include "include/diag.h"
#include "include/types.h"
#include "trace/request.h"

#define PROC_MAX_COLUMNS 16

enum proc_table {
	PROC_BUDDYINFO,
	PROC_TYPES,      /* pagetypeinfo: free blocks per type and order */
	PROC_BLOCKS,     /* pagetypeinfo: pageblocks per type */
	PROC_NR_TABLES,
};

/* A line of a table: what it is about, and its numbers. */
struct proc_row {
	unsigned int line;     /* of the file */
	uint8_t table;         /* enum proc_table */
	uint8_t nr;            /* columns */
	uint16_t node;
	char zone[16], type[16]; /* type: PROC_TYPES only */
	uint64_t values[PROC_MAX_COLUMNS]; /* ">100000" is 100000 */
};

struct proc_pageset {
	uint32_t count, high, batch;
	uint32_t high_min, high_max; /* 6.7 on; 0 = not printed */
};

/* A zone of zoneinfo that has memory. */
struct proc_zone {
	char name[16];
	unsigned int node;
	uint64_t free, boost, min, low, high, spanned, present, managed;
	uint64_t protection[TRACE_MAX_ZONES];
	pfn_t start;
	unsigned int nr_cpus;
	struct proc_pageset *pagesets; /* nr_cpus entries */
};

struct procstats {
	bool found;            /* a section of this time is there */
	struct proc_row *rows;
	uint32_t nr_rows, room;
	struct proc_zone zones[TRACE_MAX_ZONES];
	unsigned int nr_zones;
	unsigned int pageblock_order; /* 0 = not told */
};

/*
 * Read the sections of one time ("before" or "after"). 0, or a negative errno
 * after messages.
 */
int procstats_read(struct procstats **out, const char *path, const char *when,
		   struct diag *d);
/* Add the rows of a printed buddyinfo or pagetypeinfo. 0 or -ENOMEM. */
int procstats_add_text(struct procstats *p, enum proc_table first,
		       const char *text);
void procstats_free(struct procstats *p);
/* The row about the same as `like`, or NULL. */
const struct proc_row *procstats_find(const struct procstats *p,
				      const struct proc_row *like);

#endif
