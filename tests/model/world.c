/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guests of the differential test, made alike in both allocators. */
#include <errno.h>
#include <string.h>

#include "include/check.h"
#include "tests/model/differential.h"

static const char *const kernel_names[] = {
	[K53] = "5.3", [K57] = "5.7", [K510] = "5.10", [K61] = "6.1",
	[K612_0] = "6.12.0", [K612] = "6.12", [K618] = "6.18",
};

const char *naive_kernel_name(enum naive_kernel k)
{
	return kernel_names[k];
}

int naive_kernel_find(const char *name)
{
	int i;

	for (i = 0; i < (int)ARRAY_SIZE(kernel_names); i++)
		if (strcmp(kernel_names[i], name) == 0)
			return i;
	return -1;
}

struct layout {
	unsigned int nr_zones;
	struct {
		enum zone_type type;
		pfn_t start, end;
	} zones[3];
};

/* 16 MiB each, or times the scale; the last two cut pageblocks. */
static const struct layout layouts[NR_LAYOUTS] = {
	{ 1, { { ZONE_NORMAL, 0, 4096 } } },
	{ 2, { { ZONE_DMA32, 0, 2048 }, { ZONE_NORMAL, 2048, 4096 } } },
	{ 3, { { ZONE_DMA32, 0, 1536 }, { ZONE_NORMAL, 1536, 3072 },
	       { ZONE_MOVABLE, 3072, 4096 } } },
	{ 1, { { ZONE_NORMAL, 100, 4196 } } },
	{ 2, { { ZONE_DMA, 1, 1100 }, { ZONE_DMA32, 1100, 4097 } } },
};

static const char *const zone_names[] = { "DMA", "DMA32", "Normal",
					  "Movable" };

static uint32_t zone_start(const struct world *w, unsigned int i)
{
	return layouts[w->layout].zones[i].start * w->scale;
}

static uint32_t zone_end(const struct world *w, unsigned int i)
{
	return layouts[w->layout].zones[i].end * w->scale;
}

static uint64_t shuffle_word(uint64_t index)
{
	struct rng r;

	rng_init(&r, index, "shuffle", 0);
	return rng_next(&r);
}

static uint64_t shuffle_hook(void *ctx)
{
	struct world *w = ctx;

	return shuffle_word(w->words_drawn++);
}

static void look_around(void *ctx)
{
	struct world *w = ctx;

	w->looked_around = true;
}

static int create_alloc(struct world *w)
{
	const struct layout *l = &layouts[w->layout];
	struct alloc_zone_config zones[3];
	struct alloc_config cfg = {
		.profile = alloc_profile_find(w->kernel_name),
		.nr_cpus = NAIVE_CPUS, .nr_nodes = 1, .zones = zones,
		.nr_zones = l->nr_zones, .pageblock_order = NAIVE_PB_ORDER,
		.big_cache = w->big_cache, .cma = true, .isolation = true,
		.watermark_boost_factor = UINT32_MAX,
	};
	const struct alloc_hooks hooks = {
		.notify_order = NR_PAGE_ORDERS, .ctx = w,
		.shuffle_word = shuffle_hook, .look_around = look_around,
		.digest = w->events ? &w->own : NULL,
	};
	const char *why = NULL;
	unsigned int i;
	int err;

	for (i = 0; i < l->nr_zones; i++)
		zones[i] = (struct alloc_zone_config){
			.type = l->zones[i].type, .start = zone_start(w, i),
			.end = zone_end(w, i),
		};
	err = alloc_create(&w->a, &cfg, &why);
	if (err)
		return err;
	alloc_setup_pcp(w->a);
	alloc_set_hooks(w->a, &hooks);
	return 0;
}

static int create_naive(struct world *w)
{
	const struct layout *l = &layouts[w->layout];
	unsigned int i;

	w->m = naive_create(w->kernel, NAIVE_CPUS);
	if (!w->m)
		return -ENOMEM;
	w->m->word = shuffle_word;
	for (i = 0; i < l->nr_zones; i++)
		naive_add_zone(w->m, l->zones[i].type, zone_start(w, i),
			       zone_end(w, i));
	return 0;
}

static void set_up(struct world *w)
{
	unsigned int i, cpu;

	for (i = 0; i < layouts[w->layout].nr_zones; i++) {
		const uint32_t start = zone_start(w, i), end = zone_end(w, i);

		for (cpu = 0; cpu < NAIVE_CPUS; cpu++) {
			alloc_set_pcp(w->a, i, cpu, w->batch, w->high,
				      w->high_max, 0);
			naive_set_pcp(w->m, (int)i, (int)cpu, (int)w->batch,
				      (int)w->high, (int)w->high_max);
			w->m->zone[i].pcp[cpu].big_cache = w->big_cache;
		}
		alloc_boot_range(w->a, start, end);
		/* 6.12 reserves nothing in a zone as small as these are. */
		alloc_set_managed(w->a, i, (end - start) * w->managed);
		w->m->zone[i].managed = (end - start) * w->managed;
		naive_boot(w->m, start, end);
		w->pages += end - start;
	}
	if (w->shuffle)
		alloc_set_shuffle(w->a, true);
	w->m->shuffle = w->shuffle;
}

static void choose_pagesets(struct world *w, struct rng *r, bool large)
{
	static const uint8_t batches[] = { 7, 15, 31, 63 };

	w->batch = large ? batches[rng_below(r, ARRAY_SIZE(batches))] : 7;
	w->high = 6 * w->batch;
	if (rng_below(r, 8) == 0) {
		w->batch = 1;
		w->high = w->kernel >= K61 ? 4 : 0;
	}
	w->high_max = w->high;
	if (large && w->kernel >= K612_0)
		w->high_max *= 1 + rng_below(r, 4);
}

int world_create(struct world *w, enum naive_kernel kernel, uint64_t seed,
		 bool large)
{
	struct rng r;
	int err;

	memset(w, 0, sizeof(*w));
	rng_init(&r, seed, "world", 0);
	w->kernel = kernel;
	w->kernel_name = kernel_names[kernel];
	w->layout = rng_below(&r, NR_LAYOUTS);
	w->shuffle = rng_below(&r, 3) == 0;
	w->big_cache = rng_below(&r, 2);
	w->events = rng_below(&r, 2);
	w->scale = large ? 1u << rng_below(&r, 4) : 1;
	w->managed = large && rng_below(&r, 2) ? 16 : 1;
	choose_pagesets(w, &r, large);
	err = digest_init(&w->own);
	if (!err)
		err = digest_init(&w->got);
	if (!err)
		err = digest_init(&w->want);
	if (!err)
		err = create_alloc(w);
	if (!err)
		err = create_naive(w);
	if (!err)
		set_up(w);
	return err;
}

void world_destroy(struct world *w)
{
	alloc_destroy(w->a);
	naive_destroy(w->m);
	digest_destroy(&w->own);
	digest_destroy(&w->got);
	digest_destroy(&w->want);
	w->a = NULL;
	w->m = NULL;
}

void world_print_setup(const struct world *w, FILE *out)
{
	const struct layout *l = &layouts[w->layout];
	unsigned int i;

	fprintf(out, "kernel %s\n", w->kernel_name);
	for (i = 0; i < l->nr_zones; i++)
		fprintf(out, "zone %s %u %u\n", zone_names[l->zones[i].type],
			zone_start(w, i), zone_end(w, i));
	fprintf(out, "cpus %d\n", NAIVE_CPUS);
	if (w->high == w->high_max)
		fprintf(out, "pcp %u %u\n", w->batch, w->high);
	else
		fprintf(out, "pcp %u %u %u\n", w->batch, w->high, w->high_max);
	for (i = 0; i < l->nr_zones; i++)
		fprintf(out, "boot %u %u\n", zone_start(w, i),
			zone_end(w, i));
	if (w->shuffle)
		fprintf(out, "shuffle 0x%016llx 0x%016llx 0x%016llx\n",
			(unsigned long long)shuffle_word(0),
			(unsigned long long)shuffle_word(1),
			(unsigned long long)shuffle_word(2));
	if (w->big_cache)
		fprintf(out, "# the CPU's cache slice is large here\n");
}

const char *world_zone_name(unsigned int type)
{
	CHECK_LT(type, ARRAY_SIZE(zone_names));
	return zone_names[type];
}
