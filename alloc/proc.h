/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the printers of /proc files share. */
#ifndef ALLOC_PROC_H
#define ALLOC_PROC_H

#include "alloc/internal.h"

/* The zone of this type on this node, NULL if it has none. */
const struct zone *proc_zone(const struct alloc *a, unsigned int node,
			     unsigned int type);
/* "DMA", "DMA32", "Normal", "Movable", "Device". */
const char *zone_type_name(unsigned int type);

#endif
