/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alloc/shuffle.c against mm/shuffle.c itself, in random guests: one or two
 * nodes with up to three zones, aligned or not, with holes, allocated parts and
 * pageblocks of all types, whose memory came to the buddy in blocks of all
 * orders.
 *
 * Boot: the lists of a guest are built of struct pages as they stand, and both
 * sides shuffle all zones with the same random words: the same lists, the same
 * number of words. Run time: two equal guests, one with our coin, one with the
 * file's shuffle_pick_tail(), allocate and free the same; again the same lists
 * and words. A difference names the guest; alone: KERNEL_GUEST=n. KERNEL_GUESTS=n:
 * only the first n. KERNEL_SHUFFLE names the plugin of test_kernel_shuffle.sh.
 */
#include <dlfcn.h>
#include <stdlib.h>

#include "include/digest.h"
#include "include/rng.h"
#include "tests/alloc/fixture.h"
#include "tests/kernel/shuffle_bridge.h"
#include "tests/test.h"

#ifdef BUDDYLAB_SANITIZED
#define NR_GUESTS 300
#else
#define NR_GUESTS 1500
#endif
#define NR_EVENTS 250
#define LISTS_EVERY 10
#define MAX_TAKEN 256
#define BIG (1u << MAX_PAGE_ORDER)

/* 5.3 tosses the coin the other way round. */
static const char *const kernels[] = { "5.7", "5.10", "6.1", "6.12.0", "6.12",
				       "6.18" };

/* The functions of shuffle_bridge.h, from the plugin. */
struct file {
	uint64_t tosses;              /* of all guests so far */
	__typeof__(&kernel_shuffle_boot) boot;
	__typeof__(&kernel_shuffle_hole) hole;
	__typeof__(&kernel_shuffle_set_type) set_type;
	__typeof__(&kernel_shuffle_add) add;
	__typeof__(&kernel_shuffle_node) node;
	__typeof__(&kernel_shuffle_next) next;
	__typeof__(&kernel_shuffle_is_order) is_order;
	__typeof__(&kernel_shuffle_pick_tail) pick_tail;
	__typeof__(&kernel_shuffle_locks_held) locks_held;
};

struct words {
	struct rng rng;
	uint64_t nr;
};

struct guest {
	unsigned int nr;
	struct file *file;
	const char *kernel;
	struct shuffle_setup setup;
	struct rng rng;
	struct alloc *ours, *theirs;  /* theirs: with the file's coin */
	struct words our_words, their_words, boot_words;
	struct { pfn_t pfn; uint8_t order; } taken[MAX_TAKEN];
	unsigned int nr_taken;
	unsigned int event;           /* 0: boot */
};

struct total {
	struct digest ours, theirs;
	uint64_t words;
};

static uint64_t next_word(void *ctx)
{
	struct words *w = ctx;

	w->nr++;
	return rng_next(&w->rng);
}

/* Theirs shuffles as the file did, by the words that the file had. */
static uint64_t next_boot_word(void *ctx)
{
	struct guest *g = ctx;

	return next_word(&g->boot_words);
}

/* ---- the plugin ---- */

static void *find(void *plugin, const char *name)
{
	void *p = dlsym(plugin, name);

	if (!p)
		fail_msg("%s", dlerror());
	return p;
}

static void load(struct file *f)
{
	const char *path = getenv("KERNEL_SHUFFLE");
	void *so;

	if (!path)
		fail_msg("KERNEL_SHUFFLE is not set");
	so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!so)
		fail_msg("%s", dlerror());
	*(void **)&f->boot = find(so, "kernel_shuffle_boot");
	*(void **)&f->hole = find(so, "kernel_shuffle_hole");
	*(void **)&f->set_type = find(so, "kernel_shuffle_set_type");
	*(void **)&f->add = find(so, "kernel_shuffle_add");
	*(void **)&f->node = find(so, "kernel_shuffle_node");
	*(void **)&f->next = find(so, "kernel_shuffle_next");
	*(void **)&f->is_order = find(so, "kernel_shuffle_is_order");
	*(void **)&f->pick_tail = find(so, "kernel_shuffle_pick_tail");
	*(void **)&f->locks_held = find(so, "kernel_shuffle_locks_held");
}

/* ---- a guest ---- */

static uint32_t below(struct guest *g, uint32_t n)
{
	return rng_below(&g->rng, n);
}

/* Zones one behind the other, with gaps, aligned in half of the guests. */
static void draw_zones(struct guest *g)
{
	const unsigned int nr_nodes = 1 + (below(g, 3) == 0);
	const unsigned int nr_zones = nr_nodes + below(g, 5 - nr_nodes);
	const bool aligned = below(g, 2) == 0;
	uint32_t at = below(g, 3) * BIG;

	for (unsigned int i = 0; i < nr_zones; i++) {
		const uint32_t pages = (1 + below(g, 20)) * BIG;

		at += aligned ? 0 : below(g, 4) == 0 ? below(g, BIG) : 0;
		g->setup.zones[i].node = i * nr_nodes / nr_zones;
		g->setup.zones[i].start = at;
		at += pages + (aligned ? 0 : below(g, BIG));
		g->setup.zones[i].end = at;
		at = pfn_align_down(at + BIG - 1, MAX_PAGE_ORDER);
	}
	g->setup.nr_zones = nr_zones;
}

static int toss(void *ctx, pfn_t freed)
{
	struct guest *g = ctx;

	(void)freed;
	g->file->tosses++;
	return g->file->pick_tail();
}

static struct alloc *create(struct guest *g, const struct alloc_hooks *hooks)
{
	struct alloc_zone_config zones[SHUFFLE_MAX_ZONES] = { { 0 } };
	const struct alloc_config config = {
		.profile = alloc_profile_find(g->kernel),
		.nr_cpus = 1, .zones = zones, .nr_zones = g->setup.nr_zones,
		.nr_nodes = 1 + g->setup.zones[g->setup.nr_zones - 1].node,
		.pageblock_order = 9, .pcp_disabled = true,
		.cma = true, .isolation = true,
		.watermark_boost_factor = UINT32_MAX,
	};
	unsigned int type = ZONE_DMA;
	struct alloc *a;

	for (unsigned int i = 0; i < config.nr_zones; i++) {
		if (i && g->setup.zones[i].node != g->setup.zones[i - 1].node)
			type = ZONE_DMA;
		zones[i].node = g->setup.zones[i].node;
		zones[i].start = g->setup.zones[i].start;
		zones[i].end = g->setup.zones[i].end;
		zones[i].type = (enum zone_type)type++;
	}
	a = fixture_create_config(&config);
	alloc_set_hooks(a, hooks);
	alloc_set_shuffle(a, true);
	return a;
}

static void set_type(struct guest *g, pfn_t pfn, enum migratetype mt)
{
	alloc_set_pageblock_type(g->ours, pfn, mt);
	alloc_set_pageblock_type(g->theirs, pfn, mt);
}

static void put(struct guest *g, pfn_t pfn, unsigned int order)
{
	fixture_put(g->ours, pfn, order);
	fixture_put(g->theirs, pfn, order);
}

static void hand_over(struct guest *g, pfn_t start, pfn_t end)
{
	alloc_boot_range(g->ours, start, end);
	alloc_boot_range(g->theirs, start, end);
}

/* In blocks as large as they may be, or smaller by some orders. */
static void put_pieces(struct guest *g, pfn_t pfn, pfn_t end)
{
	while (pfn < end) {
		unsigned int order = MAX_PAGE_ORDER - below(g, 4);

		while (!pfn_aligned(pfn, order) || pfn + (1u << order) > end)
			order--;
		if (below(g, 8))
			put(g, pfn, order);
		pfn += 1u << order;
	}
}

/* What becomes of one aligned piece of 4 MiB, or what the zone has of it. */
static void fill_piece(struct guest *g, pfn_t start, pfn_t end)
{
	const uint32_t dice = below(g, 12);
	const uint32_t part = below(g, end - start) / 2;

	if (dice < 7)
		hand_over(g, start, end);
	else if (dice < 8)
		hand_over(g, start + part, end - part);
	else if (dice < 10)
		put_pieces(g, start, end);
	else if (dice < 11)
		g->file->hole(start, end);
}

/* Some guests have one type, some a few of another, some all of them. */
static void fill_types(struct guest *g, pfn_t start, pfn_t end,
		       unsigned int one_in)
{
	static const enum migratetype of_dice[] = {
		MIGRATE_UNMOVABLE, MIGRATE_MOVABLE, MIGRATE_RECLAIMABLE,
		MIGRATE_HIGHATOMIC, MIGRATE_CMA,
	};

	for (pfn_t pfn = start; pfn < end; pfn += SHUFFLE_PAGEBLOCK)
		if (one_in && below(g, one_in) == 0)
			set_type(g, pfn, of_dice[below(g,
						       ARRAY_SIZE(of_dice))]);
}

static void fill(struct guest *g)
{
	static const unsigned int one_in[] = { 0, 1, 2, 5 };
	const unsigned int types = one_in[below(g, ARRAY_SIZE(one_in))];
	/* Until 6.1 a block may lie on the list of another type. */
	const unsigned int retypes = below(g, 2) ? 0 : 6;
	const bool hygiene = alloc_profile_of(g->ours)->free_by_pageblock;

	for (unsigned int i = 0; i < g->setup.nr_zones; i++) {
		const pfn_t first = g->setup.zones[i].start;
		const pfn_t end = g->setup.zones[i].end;

		fill_types(g, first, end, types);
		for (pfn_t at = first; at < end;) {
			const pfn_t up = pfn_align_down(at + BIG,
							MAX_PAGE_ORDER);
			const pfn_t stop = up < end ? up : end;

			fill_piece(g, at, stop);
			at = stop;
		}
		if (!hygiene)
			fill_types(g, first, end, retypes);
	}
}

/* ---- comparison ---- */

typedef pfn_t (*next_block)(struct guest *g, unsigned int zone,
			    unsigned int order, unsigned int mt, pfn_t pfn);

static pfn_t next_of(const struct alloc *a, unsigned int zone,
		     unsigned int order, unsigned int mt, pfn_t pfn)
{
	return pfn == PFN_NONE ?
	       alloc_list_first(a, zone, order, (enum migratetype)mt) :
	       alloc_list_next(a, pfn);
}

static pfn_t next_in_file(struct guest *g, unsigned int zone,
			  unsigned int order, unsigned int mt, pfn_t pfn)
{
	return g->file->next(zone, order, mt, pfn);
}

static pfn_t next_in_theirs(struct guest *g, unsigned int zone,
			    unsigned int order, unsigned int mt, pfn_t pfn)
{
	return next_of(g->theirs, zone, order, mt, pfn);
}

static void compare_list(struct guest *g, struct total *t, next_block next,
			 unsigned int zone, unsigned int order,
			 unsigned int mt)
{
	pfn_t p = PFN_NONE, q = PFN_NONE;

	do {
		p = next_of(g->ours, zone, order, mt, p);
		q = next(g, zone, order, mt, q);
		digest_u64(&t->ours, p);
		digest_u64(&t->theirs, q);
	} while (p == q && p != PFN_NONE);
	if (p != q)
		fail_msg("guest %u (KERNEL_GUEST=%u), kernel %s, event %u: zone "
			 "%u order %u type %u: ours has %u, the kernel's %u",
			 g->nr, g->nr, g->kernel, g->event, zone, order, mt, p,
			 q);
}

static void compare(struct guest *g, struct total *t, next_block next)
{
	for (unsigned int zone = 0; zone < g->setup.nr_zones; zone++)
		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
			for (unsigned int mt = 0; mt < MIGRATE_TYPES; mt++)
				compare_list(g, t, next, zone, o, mt);
	if (g->our_words.nr != g->their_words.nr)
		fail_msg("guest %u (KERNEL_GUEST=%u), kernel %s: ours draws %"
			 PRIu64 " words, the kernel's %" PRIu64, g->nr, g->nr,
			 g->kernel, g->our_words.nr, g->their_words.nr);
	digest_u64(&t->ours, g->our_words.nr);
	digest_u64(&t->theirs, g->their_words.nr);
}

/* ---- boot ---- */

static void copy_list(struct guest *g, unsigned int zone, unsigned int order,
		      enum migratetype mt)
{
	for (pfn_t pfn = alloc_list_first(g->theirs, zone, order, mt);
	     pfn != PFN_NONE; pfn = alloc_list_next(g->theirs, pfn))
		g->file->add(zone, order, mt, pfn);
}

/* Types too: from 6.12 on a merge changes some. */
static void copy_zone(struct guest *g, unsigned int zone)
{
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		for (int mt = 0; mt < MIGRATE_TYPES; mt++)
			copy_list(g, zone, o, (enum migratetype)mt);
	for (pfn_t pfn = g->setup.zones[zone].start;
	     pfn < g->setup.zones[zone].end; pfn += SHUFFLE_PAGEBLOCK / 2)
		g->file->set_type(pfn, alloc_pageblock_type(g->theirs, pfn));
}

static void shuffle_at_boot(struct guest *g)
{
	const unsigned int nr_zones = g->setup.nr_zones;

	for (unsigned int zone = 0; zone < nr_zones; zone++)
		copy_zone(g, zone);
	g->boot_words = g->their_words;
	for (unsigned int node = 0;
	     node <= g->setup.zones[nr_zones - 1].node; node++)
		g->file->node(node);
	assert_int_equal(g->file->locks_held(), 0);
	for (unsigned int zone = 0; zone < nr_zones; zone++) {
		alloc_shuffle_zone(g->ours, zone);
		alloc_shuffle_zone(g->theirs, zone);
	}
}

/* ---- run time ---- */

static void take(struct guest *g)
{
	const unsigned int zone = below(g, g->setup.nr_zones);
	const unsigned int order = MAX_PAGE_ORDER - (below(g, 2) ? 0 :
				   below(g, NR_PAGE_ORDERS));
	const enum migratetype mt = (enum migratetype)below(g, 3);
	const pfn_t p = alloc_buddy(g->ours, zone, order, mt, false);
	const pfn_t q = alloc_buddy(g->theirs, zone, order, mt, false);

	if (p != q)
		fail_msg("guest %u (KERNEL_GUEST=%u), kernel %s: block %u of "
			 "ours is %u of the kernel's", g->nr, g->nr, g->kernel,
			 p, q);
	if (p == PFN_NONE)
		return;
	g->taken[g->nr_taken].pfn = p;
	g->taken[g->nr_taken++].order = (uint8_t)order;
}

static void step(struct guest *g)
{
	if (g->nr_taken && (g->nr_taken == MAX_TAKEN || below(g, 2))) {
		const uint32_t i = below(g, g->nr_taken);

		put(g, g->taken[i].pfn, g->taken[i].order);
		g->taken[i] = g->taken[--g->nr_taken];
	} else {
		take(g);
	}
}

static void draw(struct guest *g, unsigned int nr, struct file *f)
{
	*g = (struct guest){ .nr = nr, .file = f };
	rng_init(&g->rng, nr, "kernel shuffle", 0);
	rng_init(&g->our_words.rng, nr, "kernel shuffle words", 0);
	g->their_words = g->our_words;
	g->kernel = kernels[below(g, ARRAY_SIZE(kernels))];
	draw_zones(g);
	g->setup.word = next_word;
	g->setup.ctx = &g->their_words;
}

static void run_guest(struct guest *g, struct total *t)
{
	const struct alloc_hooks ours = {
		.ctx = &g->our_words, .shuffle_word = next_word,
	};
	struct alloc_hooks theirs = {
		.ctx = g, .shuffle_word = next_boot_word, .shuffle_coin = toss,
	};

	/* The last guest's bits. */
	for (; g->file->tosses % 64; g->file->tosses++)
		g->file->pick_tail();
	g->file->boot(&g->setup);
	g->ours = create(g, &ours);
	g->theirs = create(g, &theirs);
	fill(g);
	shuffle_at_boot(g);
	compare(g, t, next_in_file);
	for (unsigned int i = 1; i <= NR_EVENTS; i++) {
		g->event = i;
		step(g);
		if (i % LISTS_EVERY == 0)
			compare(g, t, next_in_theirs);
	}
	t->words += g->our_words.nr;
	alloc_destroy(g->ours);
	alloc_destroy(g->theirs);
}

static void test_kernel__shuffles_as_ours_does(void **state)
{
	const char *only = getenv("KERNEL_GUEST");
	const char *most = getenv("KERNEL_GUESTS");
	const unsigned long nr_guests = most ? strtoul(most, NULL, 10) :
					NR_GUESTS;
	char a[DIGEST_HEX_SIZE], b[DIGEST_HEX_SIZE];
	struct total t = { .words = 0 };
	struct file f = { .tosses = 0 };
	struct guest g;

	(void)state;
	load(&f);
	assert_int_equal(digest_init(&t.ours) | digest_init(&t.theirs), 0);
	for (unsigned int i = 0; i < nr_guests; i++) {
		if (only && strtoul(only, NULL, 10) != i)
			continue;
		draw(&g, i, &f);
		run_guest(&g, &t);
	}
	assert_true(f.is_order(MAX_PAGE_ORDER));
	assert_false(f.is_order(MAX_PAGE_ORDER - 1));
	digest_hex(&t.ours, a);
	digest_hex(&t.theirs, b);
	print_message("%lu guests, %u events each: %" PRIu64 " random words, %"
		      PRIu64 " coins\nours         %s\nthe kernel's %s\n",
		      nr_guests, NR_EVENTS, t.words, f.tosses, a, b);
	assert_string_equal(a, b);
	digest_destroy(&t.ours);
	digest_destroy(&t.theirs);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_kernel__shuffles_as_ours_does),
};

TEST_MAIN(cases)
