/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the naive host share. */
#ifndef TESTS_HYPERVISOR_NAIVE_INTERNAL_H
#define TESTS_HYPERVISOR_NAIVE_INTERNAL_H

#include "tests/hypervisor/naive_host.h"

uint64_t naive_huge_pages(const struct naive_host *h);
/* Stamps follow what they stand for. */
void naive_restamp(struct naive_host *h, struct naive_region *r,
		   struct hv_events *ev);
bool naive_make_room(struct naive_host *h, uint32_t nr, struct hv_events *ev);

#endif
