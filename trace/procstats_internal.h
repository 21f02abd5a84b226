/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pieces of the reader of /proc files; only the procstats sources include it. */
#ifndef TRACE_PROCSTATS_INTERNAL_H
#define TRACE_PROCSTATS_INTERNAL_H

#include "trace/procstats.h"

/* Each moves *at behind what it read; false: it is not there. */
bool proc_number(const char **at, uint64_t *out);
bool proc_name(const char **at, char out[16]);
bool proc_zone_line(const char **at, unsigned int *node, char zone[16]);
/* 0, -EINVAL (not such a line) or -ENOMEM. */
int proc_table_line(struct procstats *p, int *table, const char *text,
		    unsigned int line);
/* A zone without memory is no zone. */
void proc_zoneinfo_end(struct procstats *p);
int proc_zoneinfo_line(struct procstats *p, bool *in_zone, const char *text);

#endif
