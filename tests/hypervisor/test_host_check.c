/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check() of each host is silent on what the host does, which other tests ask
 * after every call, and names each corruption that is seeded here.
 */
#include <string.h>

#include "hypervisor/live.h"
#include "hypervisor/mock.h"
#include "tests/hypervisor/host.h"

#define NR_PAGES 2148 /* four whole regions and 100 pages */
/* Region 0 huge, 1 small, 2 half of a huge page, 3 one without a page. */
#define MIXED                                                                 \
	"w 0 9; w 512 9; b 512 0 512 1; w 512 0 5 1; w 1024 9; b 1024 8; "     \
	"w 1536 0; b 1536 0"

struct corruption {
	const char *name, *options, *script;
	void (*spoil)(struct mock_host *h, struct mock_guest *g);
	const char *found;
};

static struct small_region *small(struct mock_guest *g, uint32_t region)
{
	return &g->small[g->slots[region]];
}

static void spoil_rss(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	g->gauges.rss_pages++;
}

static void spoil_used(struct mock_host *h, struct mock_guest *g)
{
	(void)g;
	h->used_pages--;
}

static void spoil_huge_held(struct mock_host *h, struct mock_guest *g)
{
	(void)g;
	h->huge_held++;
}

static void spoil_limit(struct mock_host *h, struct mock_guest *g)
{
	(void)g;
	h->huge_limit = 1;
}

static void spoil_memory(struct mock_host *h, struct mock_guest *g)
{
	(void)g;
	h->total_pages = h->used_pages - 1;
}

static void spoil_taken(struct mock_host *h, struct mock_guest *g)
{
	(void)g;
	h->taken_pages++;
	h->zeroed_pages++;
}

static void spoil_zeroed(struct mock_host *h, struct mock_guest *g)
{
	(void)g;
	h->zeroed_pages++;
}

static void spoil_mapped_bit(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	bitmap_clear(g->regions, 0);
}

static void spoil_flags(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	g->state[3] |= REGION_EPT;
}

static void spoil_slot_of_huge(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	g->slots[0] = g->slots[1];
}

static void spoil_leaf(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	small(g, 1)->ept[0] |= UINT64_C(1) << 63;
}

static void spoil_lazy(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	small(g, 1)->lazy[7] |= 1;
}

static void spoil_part(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	small(g, 1)->thp[1] |= 1;
}

static void spoil_present(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	small(g, 1)->nr_present--;
}

static void spoil_outside(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	small(g, 4)->present[7] |= 1;
}

static void spoil_page_bits(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	g->pages[g->slots[1]][0] ^= 1;
}

static void spoil_queue_length(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	g->queues[QUEUE_DEFERRED].nr = 0;
}

static void spoil_queue_member(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	g->queues[QUEUE_DEFERRED].head = 1;
}

static void spoil_queue_range(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	g->queues[QUEUE_DEFERRED].head = g->nr_regions;
}

static void spoil_queue_link(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	g->links[QUEUE_DEFERRED][2].prev = 0;
}

static void spoil_queue_tail(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	g->queues[QUEUE_DEFERRED].tail = 0;
}

static void spoil_queue_end(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	g->links[QUEUE_DEFERRED][3].next = 1;
}

static void spoil_lru_length(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	g->lru.nr--;
}

static void spoil_lru_entry(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	g->lru.oldest = 1; /* inside of the huge page */
}

static void spoil_lru_range(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	g->lru.oldest = g->nr_pages;
}

static void spoil_lru_link(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	g->page[g->lru.newest].prev = 7;
}

static void spoil_lru_order(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	g->used_at[g->lru.newest] = 0;
}

static void spoil_lru_newest(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	g->lru.newest = g->lru.oldest;
}

static void spoil_slots(struct mock_host *h, struct mock_guest *g)
{
	(void)g;
	h->swap.nr_used++;
}

static void spoil_cluster(struct mock_host *h, struct mock_guest *g)
{
	(void)g;
	h->swap.in_cluster[0]--;
}

static void spoil_whole_free(struct mock_host *h, struct mock_guest *g)
{
	(void)g;
	h->swap.nr_whole_free++;
}

/* The first page that is swapped out. */
static pfn_t swapped_page(struct mock_guest *g)
{
	for (pfn_t pfn = 0; pfn < g->nr_pages; pfn++) {
		const struct small_region *s = small(g, pfn_region(pfn));

		if (bitmap_test(s->swapped, pfn & (HPAGE_PMD_NR - 1)))
			return pfn;
	}
	fail_msg("nothing is swapped out");
	return 0;
}

static void spoil_slot(struct mock_host *h, struct mock_guest *g)
{
	/* Of another page, too: their number is right, their sum is not. */
	const pfn_t pfn = swapped_page(g);

	g->page[pfn].next = h->swap.nr_slots ? g->page[pfn + 1].next : 0;
}

static void spoil_slot_range(struct mock_host *h, struct mock_guest *g)
{
	g->page[swapped_page(g)].next = h->swap.nr_slots;
}

static void spoil_swapped(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	small(g, pfn_region(swapped_page(g)))->nr_swapped--;
}

static void spoil_charge(struct mock_host *h, struct mock_guest *g)
{
	(void)g;
	h->memcg_pages = 1;
}

static void spoil_pool(struct mock_host *h, struct mock_guest *g)
{
	(void)g;
	h->pool_free--;
}

static void spoil_pool_state(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	g->state[0] |= REGION_RESERVED;
}

static void spoil_pool_inside(struct mock_host *h, struct mock_guest *g)
{
	(void)h;
	g->state[0] |= REGION_LAZY;
}

static void spoil_pool_reserved(struct mock_host *h, struct mock_guest *g)
{
	(void)g;
	h->pool_reserved++;
}

#define PLAIN "memory=64M base=0"
#define SWAPS "memory=2M base=0 swap=4M lru=strict"
#define OUT "w 512 0 512 1; w 1024 0 20 1"

static const struct corruption corruptions[] = {
	{ "rss", PLAIN, MIXED, spoil_rss, "rss_pages" },
	{ "used", PLAIN, MIXED, spoil_used, "used_pages" },
	{ "huge pages", PLAIN, MIXED, spoil_huge_held, "huge_held" },
	{ "their limit", PLAIN, MIXED, spoil_limit, "above the limit" },
	{ "memory", PLAIN, MIXED, spoil_memory, "memory exceeded" },
	{ "taken", PLAIN, MIXED, spoil_taken, "taken - freed" },
	{ "cleared", PLAIN, MIXED, spoil_zeroed, "cleared, copied" },
	{ "mapped", PLAIN, MIXED, spoil_mapped_bit, "mapped bit of a HUGE" },
	{ "flags", PLAIN, MIXED, spoil_flags, "not HUGE" },
	{ "record", PLAIN, MIXED, spoil_slot_of_huge, "record of a HUGE" },
	{ "leaf", PLAIN, MIXED, spoil_leaf, "EPT leaves without page" },
	{ "lazy", PLAIN, MIXED, spoil_lazy, "lazy without page" },
	{ "part", PLAIN, MIXED, spoil_part, "part without page" },
	{ "present", PLAIN, MIXED, spoil_present, "nr_present" },
	{ "outside", PLAIN, "w 2048 0", spoil_outside, "outside of the guest" },
	{ "page bits", PLAIN, MIXED, spoil_page_bits, "mapped bits" },
	{ "queue length", PLAIN, MIXED, spoil_queue_length, "queue length" },
	{ "member", PLAIN, MIXED, spoil_queue_member, "place on a queue" },
	{ "no region", PLAIN, MIXED, spoil_queue_range, "place on a queue" },
	{ "queue link", PLAIN, MIXED, spoil_queue_link, "previous on" },
	{ "queue tail", PLAIN, MIXED, spoil_queue_tail, "last on the queue" },
	{ "queue end", PLAIN, MIXED, spoil_queue_end, "end of the queue" },
	{ "LRU length", SWAPS, OUT, spoil_lru_length, "length of the LRU" },
	{ "LRU entry", "memory=8M base=0 swap=4M", "w 0 9", spoil_lru_entry,
	  "entry of the LRU" },
	{ "LRU range", SWAPS, OUT, spoil_lru_range, "entry of the LRU" },
	{ "LRU link", SWAPS, OUT, spoil_lru_link, "link of the LRU" },
	{ "LRU order", SWAPS, OUT, spoil_lru_order, "order of the LRU" },
	{ "LRU newest", SWAPS, OUT, spoil_lru_newest, "newest of the LRU" },
	{ "slots", SWAPS, OUT, spoil_slots, "slots in use" },
	{ "cluster", SWAPS, OUT, spoil_cluster, "slots of a cluster" },
	{ "free clusters", SWAPS, OUT, spoil_whole_free, "that are free" },
	{ "slot twice", SWAPS, OUT, spoil_slot, "sum of their slots" },
	{ "no such slot", SWAPS, OUT, spoil_slot_range, "slot" },
	{ "swapped", SWAPS, OUT, spoil_swapped, "swapped_pages" },
	{ "limit", "memory=64M base=0 memcg_limit=8M", MIXED, spoil_charge,
	  "guest above its limit" },
};

static const struct corruption of_the_pool[] = {
	{ "pool", NULL, "w 0 9", spoil_pool, "pool" },
	{ "reserved and there", NULL, "w 0 9", spoil_pool_state,
	  "reserved and there" },
	{ "flag of a page", NULL, "w 0 9", spoil_pool_inside,
	  "state of a page of hugetlbfs" },
	{ "reserved", NULL, "w 0 9", spoil_pool_reserved, "pool_reserved" },
};

static void expect_found(struct host *h, const struct corruption *c)
{
	const char *found;

	host_run(h, c->name, c->script, true);
	c->spoil(h->hv.state, mock_guest(&h->hv, h->guest));
	found = h->hv.ops->check(&h->hv);
	if (!found || !strstr(found, c->found))
		fail_msg("%s: found '%s', expected '%s'", c->name,
			 found ? found : "nothing", c->found);
}

static void test_host_check__mock_names_each_corruption(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(corruptions); i++) {
		const struct corruption *c = &corruptions[i];
		struct host h;

		host_boot(&h, c->name, &mock_hypervisor, c->options, NR_PAGES);
		expect_found(&h, c);
		host_close(&h);
	}
}

static void test_host_check__mock_names_each_corruption_of_a_pool(void **state)
{
	/* A guest of two huge pages, of which one is there. */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(of_the_pool); i++) {
		struct host h;
		int id;

		host_open(&h, "pool", &mock_hypervisor, PLAIN);
		id = mock_hypervisor.guest_add_hugetlb(&h.hv, 1024, 9);
		assert_int_equal(id, 0);
		expect_found(&h, &of_the_pool[i]);
		host_close(&h);
	}
}

static void test_host_check__null_has_every_region(void **state)
{
	const struct hv_guest_map *map;
	struct host h;
	const char *found;

	(void)state;
	host_boot(&h, "null", &null_hypervisor, "", NR_PAGES);
	map = null_hypervisor.guest_map(&h.hv, 0);
	assert_null(null_hypervisor.check(&h.hv));
	bitmap_clear((uint64_t *)(uintptr_t)map->regions, 4);
	found = null_hypervisor.check(&h.hv);
	assert_non_null(found);
	assert_non_null(strstr(found, "guest 0"));
	host_close(&h);
}

static void test_host_check__live_names_each_corruption(void **state)
{
	/* One region huge, in the next every other page. */
	static const struct {
		const char *found;
		unsigned int what;
	} rows[] = {
		{ "rss_pages", 0 }, { "EPT leaves without page", 1 },
		{ "lazy without page", 2 }, { "pages that have gone", 3 },
		{ "mapped bits", 4 }, { "mapped bit of the region", 5 },
		{ "a part of a huge page lazy", 6 }, { "split and huge", 7 },
	};
	char why[256];

	(void)state;
	if (!host_possible(&live_hypervisor, "", why, sizeof(why))) {
		print_message("skipped: %s\n", why);
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct live_guest *g;
		struct host h;
		const char *found;

		host_boot(&h, "live", &live_hypervisor, "", 1024);
		host_run(&h, "live", "w 0 9; w 512 9; d 512 0 512 1; "
			 "w 514 0 255 2", true);
		g = live_guest(&h.hv, 0);
		switch (rows[i].what) {
		case 0:
			g->gauges.rss_pages++;
			break;
		case 1:
			bitmap_set(g->regions[1].ept.w, 3);
			break;
		case 2:
			bitmap_set(g->regions[1].lazy.w, 3);
			break;
		case 3:
			bitmap_set(g->regions[1].is.present.w, 3);
			break;
		case 4:
			g->pages[2][0] ^= 1;
			break;
		case 5:
			bitmap_clear(g->mapped_regions, 0);
			break;
		case 6:
			bitmap_set(g->regions[0].lazy.w, 3);
			break;
		default:
			bitmap_set(g->regions[0].thp.w, 3);
			break;
		}
		found = live_hypervisor.check(&h.hv);
		if (!found || !strstr(found, rows[i].found))
			fail_msg("row %zu: found '%s', expected '%s'", i,
				 found ? found : "nothing", rows[i].found);
		host_close(&h);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_host_check__mock_names_each_corruption),
	cmocka_unit_test(test_host_check__mock_names_each_corruption_of_a_pool),
	cmocka_unit_test(test_host_check__null_has_every_region),
	cmocka_unit_test(test_host_check__live_names_each_corruption),
};

TEST_MAIN(cases)
