/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zeroed arrays whose untouched parts cost no memory: a 1 TiB guest has to
 * boot on a laptop. Backed by an uncommitted private mapping without host huge
 * pages, so that one touched record commits one 4 KiB page.
 */
#ifndef INCLUDE_SPARSE_H
#define INCLUDE_SPARSE_H

#include <stddef.h>

/* nr * size bytes of zeroes, or NULL (errno set). Free with the same sizes. */
void *sparse_alloc(size_t nr, size_t size);
/*
 * The parts that are touched will be used densely: let the host back them with
 * huge pages, of which the first touch then commits 2 MiB. Fewer TLB misses,
 * which cost twice in a virtual machine. A hint; nothing else changes.
 */
void sparse_prefer_huge(void *p, size_t nr, size_t size);
void sparse_free(void *p, size_t nr, size_t size);

#endif
