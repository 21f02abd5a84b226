/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page allocator shuffling: models mm/shuffle.c of 5.3 and 5.7 on. At boot the
 * order-10 blocks of a zone swap places; later each placement of an order-10
 * block is a coin toss. Random words come from the hook, bits are used from
 * the lowest, and one buffer of bits serves all zones and CPUs.
 */
#include "alloc/lists.h"

#define SHUFFLE_ORDER MAX_PAGE_ORDER
#define SHUFFLE_RETRY 10

static uint64_t next_word(struct alloc *a)
{
	CHECK(a->hooks.shuffle_word != NULL);
	return a->hooks.shuffle_word(a->hooks.ctx);
}

static bool next_bit(struct alloc *a)
{
	bool bit;

	if (a->shuffle_nr_bits == 0) {
		a->shuffle_bits = next_word(a);
		a->shuffle_nr_bits = 64;
	}
	bit = a->shuffle_bits & 1;
	a->shuffle_bits >>= 1;
	a->shuffle_nr_bits--;
	return bit;
}

bool shuffle_pick_tail(struct alloc *a, pfn_t freed)
{
	if (a->hooks.shuffle_coin) {
		const int coin = a->hooks.shuffle_coin(a->hooks.ctx, freed);

		if (coin >= 0)
			return coin != 0;
	}
	return next_bit(a) == a->prof.shuffle_one_is_tail;
}

void alloc_set_shuffle(struct alloc *a, bool on)
{
	a->shuffle = on;
}

/*
 * Models shuffle_valid_page. The zone test that 5.3 to 5.7 lack cannot fail
 * here, as zones do not overlap; it is kept because those releases differ.
 */
static bool shuffle_valid_page(const struct alloc *a, const struct zone *z,
			       pfn_t pfn)
{
	const struct page_rec *rec;

	if (pfn >= z->end)
		return false;
	rec = rec_of(a, pfn, SHUFFLE_ORDER);
	if (rec->state != PAGE_BUDDY || rec->order != SHUFFLE_ORDER)
		return false;
	return !a->prof.shuffle_zone_checked || zone_spans_pfn(z, pfn);
}

/* Up to ten draws for a partner; PFN_NONE if none is a free block. */
static pfn_t draw_partner(struct alloc *a, const struct zone *z, pfn_t pfn)
{
	for (unsigned int retry = 0; retry < SHUFFLE_RETRY; retry++) {
		const uint64_t offset = next_word(a) % (z->end - z->start);
		const pfn_t other = z->start +
				    pfn_align_down((pfn_t)offset,
						   SHUFFLE_ORDER);

		if (other != pfn && pfn_aligned(other, SHUFFLE_ORDER) &&
		    shuffle_valid_page(a, z, other))
			return other;
	}
	return PFN_NONE;
}

/* The blocks trade places; a place belongs to a list, so they trade lists. */
static void swap_places(struct alloc *a, struct zone *z, pfn_t one, pfn_t two)
{
	struct page_rec *r1 = rec_of(a, one, SHUFFLE_ORDER);
	struct page_rec *r2 = rec_of(a, two, SHUFFLE_ORDER);
	struct page_list *lists = z->free_area[SHUFFLE_ORDER].free_list;
	const uint8_t list1 = r1->list, list2 = r2->list;
	pfn_t after = list_next(a, one, SHUFFLE_ORDER);

	if (after == two)
		after = one;
	list_del(a, &lists[list1], one, SHUFFLE_ORDER);
	list_insert_before(a, &lists[list2], two, one, SHUFFLE_ORDER);
	list_del(a, &lists[list2], two, SHUFFLE_ORDER);
	if (after != PFN_NONE)
		list_insert_before(a, &lists[list1], after, two,
				   SHUFFLE_ORDER);
	else
		list_add_tail(a, &lists[list1], two, SHUFFLE_ORDER);
	r1->list = list2;
	r2->list = list1;
	note_touches(a, 2);
}

/* Models __shuffle_zone. */
void alloc_shuffle_zone(struct alloc *a, unsigned int zone)
{
	struct zone *z = zone_at(a, zone);
	const pfn_t start = pfn_align_down(z->start +
					   order_nr_pages(SHUFFLE_ORDER) - 1,
					   SHUFFLE_ORDER);

	note_lock(a, z);
	for (pfn_t pfn = start; pfn < z->end;
	     pfn += order_nr_pages(SHUFFLE_ORDER)) {
		pfn_t other;

		if (!shuffle_valid_page(a, z, pfn))
			continue;
		other = draw_partner(a, z, pfn);
		if (other == PFN_NONE ||
		    pageblock_mt(a, pfn) != pageblock_mt(a, other))
			continue;
		swap_places(a, z, pfn, other);
	}
}
