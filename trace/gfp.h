/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GFP masks of all releases as one canonical mask: the bits of Linux 6.1
 * (include/linux/gfp_types.h), which the request stream and alloc/ use too.
 * Names are stable over the releases, bit numbers are not.
 */
#ifndef TRACE_GFP_H
#define TRACE_GFP_H

#include <stddef.h>

#include "include/types.h"

/* Bits or names that the canonical mask has no place for. */
struct gfp_rest {
	bool unknown;
};

/*
 * Text as the tracepoints print it: names joined by |, composite names, hex
 * leftovers, "none"; or a raw number, decimal or 0x, in the bits of `kernel`
 * (NULL = 6.1). `len` bytes of `text` are read.
 */
uint32_t gfp_parse(const char *text, size_t len, const char *kernel,
		   struct gfp_rest *rest);
/* Raw mask of a release (profile name) as canonical mask. */
uint32_t gfp_from_raw(uint64_t raw, const char *kernel, struct gfp_rest *rest);
/* As the 6.1 tracepoints print it. */
void gfp_format(uint32_t gfp, char *out, size_t size);

#endif
