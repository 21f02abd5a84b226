/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between topology.c, which asks hwloc, and topology_text.c, which does not. */
#ifndef SIM_TOPOLOGY_INTERNAL_H
#define SIM_TOPOLOGY_INTERNAL_H

#include "sim/topology.h"

/* More than the number of any CPU that a kernel can have (CONFIG_NR_CPUS). */
#define TOPOLOGY_MAX_INDEX 65535
#define TOPOLOGY_MAX_XML (16 << 20)

/*
 * A description is what hwloc reads or "nodes:N cores:N cpus:LIST", and then
 * may have the words "distances:LIST", "caches:LIST", "cpu_caches:LIST".
 */

/* Where our words begin: the part before is hwloc's, and empty if it is ours
 * altogether. */
size_t topology_text_head(const char *text);
/*
 * Apply the words at the end of a description to what its head gave; an own
 * head is taken, too. 0 or -EINVAL with a reason.
 */
int topology_text_parse(struct topology *t, const char *text, char *why,
			size_t why_size);
/*
 * Write what `head` does not tell; head NULL: all of it. 0, or -ENOSPC if it
 * does not fit.
 */
int topology_text_print(const struct topology *t, const char *head, char *out,
			size_t out_size);

/* NULL, or why hwloc should not see this file; topology_xml.c. */
const char *topology_xml_check(const char *path);

#endif
