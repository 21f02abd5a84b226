/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queues of regions, first in, first out: those with lazy-free pages, and those
 * whose huge page is partly unmapped (the deferred split queue, which is one
 * for each memory cgroup since 5.4). Each guest has its own, since its limit is
 * its own; a stamp tells which of all guests' regions has waited longest.
 */
#include "hypervisor/mock.h"

#include "include/check.h"

void queue_init(struct region_queue *q)
{
	*q = (struct region_queue){ .head = REGION_NIL, .tail = REGION_NIL };
}

void queue_add(const struct region_ref *r, enum mock_queue_id id)
{
	struct region_queue *q = &r->guest->queues[id];
	struct region_link *links = r->guest->links[id];

	links[r->region] = (struct region_link){
		.next = REGION_NIL, .prev = q->tail, .since = ++r->host->clock
	};
	if (q->tail == REGION_NIL)
		q->head = r->region;
	else
		links[q->tail].next = r->region;
	q->tail = r->region;
	q->nr++;
}

void queue_del(const struct region_ref *r, enum mock_queue_id id)
{
	struct region_queue *q = &r->guest->queues[id];
	struct region_link *links = r->guest->links[id];
	const struct region_link link = links[r->region];

	CHECK(q->nr);
	if (link.prev == REGION_NIL)
		q->head = link.next;
	else
		links[link.prev].next = link.next;
	if (link.next == REGION_NIL)
		q->tail = link.prev;
	else
		links[link.next].prev = link.prev;
	q->nr--;
}

static uint64_t waits_since(const struct mock_guest *g, enum mock_queue_id id)
{
	const uint32_t head = g->queues[id].head;

	return g->nr_pages && head != REGION_NIL ? g->links[id][head].since :
						   UINT64_MAX;
}

bool queue_first(struct mock_host *h, uint32_t only, enum mock_queue_id id,
		 struct region_ref *out)
{
	uint32_t first = only == HV_ALL_GUESTS ? 0 : only;
	const uint32_t end = only == HV_ALL_GUESTS ? h->nr_ids : only + 1;
	uint64_t since = UINT64_MAX;

	for (uint32_t i = first; i < end; i++) {
		const uint64_t its = waits_since(&h->guests[i], id);

		if (its < since) {
			since = its;
			first = i;
		}
	}
	if (since == UINT64_MAX)
		return false;
	out->host = h;
	out->guest = &h->guests[first];
	out->guest_id = first;
	out->region = out->guest->queues[id].head;
	return true;
}
