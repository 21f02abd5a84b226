/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Naive lists: doubly linked, by page frame number, first to last. */
#include "include/check.h"
#include "tests/model/naive_alloc.h"

void nl_init(struct naive_list *l)
{
	*l = (struct naive_list){ NAIVE_NONE, NAIVE_NONE, 0 };
}

void nl_add_head(struct naive *m, struct naive_list *l, uint32_t pfn)
{
	m->page[pfn].prev = NAIVE_NONE;
	m->page[pfn].next = l->head;
	if (l->head == NAIVE_NONE)
		l->tail = pfn;
	else
		m->page[l->head].prev = pfn;
	l->head = pfn;
	l->nr++;
}

void nl_add_tail(struct naive *m, struct naive_list *l, uint32_t pfn)
{
	m->page[pfn].prev = l->tail;
	m->page[pfn].next = NAIVE_NONE;
	if (l->tail == NAIVE_NONE)
		l->head = pfn;
	else
		m->page[l->tail].next = pfn;
	l->tail = pfn;
	l->nr++;
}

void nl_remove(struct naive *m, struct naive_list *l, uint32_t pfn)
{
	const struct naive_page *p = &m->page[pfn];

	CHECK_LT(0, l->nr);
	if (p->prev == NAIVE_NONE)
		l->head = p->next;
	else
		m->page[p->prev].next = p->next;
	if (p->next == NAIVE_NONE)
		l->tail = p->prev;
	else
		m->page[p->next].prev = p->prev;
	l->nr--;
}

void nl_replace(struct naive *m, struct naive_list *l, uint32_t old,
		uint32_t new)
{
	const struct naive_page *p = &m->page[old];

	m->page[new].prev = p->prev;
	m->page[new].next = p->next;
	if (p->prev == NAIVE_NONE)
		l->head = new;
	else
		m->page[p->prev].next = new;
	if (p->next == NAIVE_NONE)
		l->tail = new;
	else
		m->page[p->next].prev = new;
}

void naive_rotate(struct naive *m, uint32_t pfn, bool to_front)
{
	const struct naive_page *p = &m->page[pfn];
	struct naive_list *l =
		&naive_zone_of(m, pfn)->free[p->order][p->type];
	uint32_t last = to_front ? p->prev : pfn;

	/* `last` becomes the tail; what follows it the head. */
	while (last != NAIVE_NONE && l->tail != last) {
		uint32_t first = l->head;

		nl_remove(m, l, first);
		nl_add_tail(m, l, first);
	}
}
