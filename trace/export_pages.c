/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages allocated minus pages freed, by order and by migratetype. A free does
 * not tell the type, so each page keeps the one it was requested with, and a
 * block that is freed in pieces is counted right. mm_page_free_batched is left
 * out: every page it names has an mm_page_free of its own; so is a request's P
 * (the C that follows is the free) and K (the F or C beside it is).
 */
#include <errno.h>
#include <string.h>

#include "include/sparse.h"
#include "trace/export.h"

#define OLDER TRACE_MAX_TYPES

int export_pages_init(struct export_pages *p)
{
	memset(p, 0, sizeof(*p));
	p->types = sparse_alloc(TRACE_MAX_PFN, 1);
	return p->types ? 0 : -ENOMEM;
}

void export_pages_destroy(struct export_pages *p)
{
	if (p->types)
		sparse_free(p->types, TRACE_MAX_PFN, 1);
}

static void add(struct export_pages *p, pfn_t pfn, unsigned int order,
		unsigned int mt)
{
	const uint32_t nr = order_nr_pages(order);

	p->by_order[order] += nr;
	p->by_type[mt] += nr;
	if (pfn <= TRACE_MAX_PFN - nr)
		memset(p->types + pfn, (int)mt + 1, nr);
}

static void sub(struct export_pages *p, pfn_t pfn, unsigned int order)
{
	const uint32_t nr = order_nr_pages(order);

	p->by_order[order] -= nr;
	if (pfn > TRACE_MAX_PFN - nr) {
		p->by_type[OLDER] -= nr;
		return;
	}
	for (uint32_t i = 0; i < nr; i++) {
		uint8_t *type = &p->types[pfn + i];

		p->by_type[*type ? *type - 1u : OLDER]--;
		*type = 0;
	}
}

static void request(struct export_pages *p, const struct req_record *r)
{
	switch (r->kind) {
	case REQ_A:
	case REQ_AB:
	case REQ_AK:
	case REQ_B:
		if (r->pfn != PFN_NONE)
			add(p, r->pfn, r->order, r->mt);
		break;
	case REQ_F:
	case REQ_FB:
	case REQ_C:
		sub(p, r->pfn, r->order);
		break;
	}
}

void export_pages_event(struct export_pages *p, const struct trace_event *e)
{
	const struct trace_kmem *k = &e->u.kmem;

	if (e->kind == TRACE_REQUEST)
		request(p, &e->u.req);
	else if (e->kind == TRACE_ALLOC && k->pfn != PFN_NONE)
		add(p, k->pfn, k->order, k->mt);
	else if (e->kind == TRACE_FREE && k->pfn != PFN_NONE)
		sub(p, k->pfn, k->order);
}
