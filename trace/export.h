/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces in other people's formats: text that kernel tools and our own
 * importers read, and Chrome trace event JSON that ui.perfetto.dev draws.
 */
#ifndef TRACE_EXPORT_H
#define TRACE_EXPORT_H

#include <stdio.h>

#include "trace/source.h"

/* Of the tracepoint, or of what the kind is: "request", "lost", "memory". */
const char *trace_kind_name(enum trace_kind kind);
/* "map", "touch", ... */
const char *trace_mem_name(enum trace_mem_op op);

/*
 * All events of the source. 0; -EINVAL if lines were wrong (each reported) or
 * the format has no place for an event; -EIO if `out` failed (not reported);
 * or another negative errno after a message.
 */
int trace_export_text(struct trace_source *s, const char *name, FILE *out,
		      struct diag *d);
/* One row of counters per `sample_ns` of the trace's clock, at most. */
int trace_export_perfetto(struct trace_source *s, const char *name,
			  uint64_t sample_ns, FILE *out, struct diag *d);

/* What one event did to the pages of the trace. */
struct export_pages {
	int64_t by_order[NR_PAGE_ORDERS];
	/* Requested type; the last one: allocated before the trace began. */
	int64_t by_type[TRACE_MAX_TYPES + 1];
	uint8_t *types;       /* per page: type + 1, 0 = not known */
};

/* 0 or -ENOMEM. */
int export_pages_init(struct export_pages *p);
void export_pages_destroy(struct export_pages *p);
void export_pages_event(struct export_pages *p, const struct trace_event *e);

#endif
