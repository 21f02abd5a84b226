/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random step scripts. The guest is small and its memory changes between
 * scarce and plenty; operations are drawn with an eye on what is allocated and
 * what is on the lists, so that nearly all of them have something to do.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "include/rng.h"
#include "replay/step_session.h"

#define MAX_LIVE 16384u
#define MOOD_OPS 150u
#define BLOCK 1024u

struct live {
	pfn_t pfn;
	unsigned int order;
};

struct draw {
	struct step_session n;
	struct rng r;
	int err;
	unsigned int nr_cpus, pageblock_order;
	const struct alloc_profile *profile;
	bool hinting, shuffled;
	unsigned int rush;        /* of 100 operations so many allocate */
	unsigned int nr_live;
	struct live live[MAX_LIVE];
	pfn_t isolated;           /* the last one, or PFN_NONE */
	unsigned int isolated_order;
};

static unsigned int below(struct draw *d, unsigned int bound)
{
	return rng_below(&d->r, bound);
}

/* Did the line run? */
__attribute__((format(printf, 2, 3)))
static bool line(struct draw *d, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int len, err;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	CHECK_LT(len, (int)sizeof(text));
	err = step_session_line(&d->n, text, (size_t)len);
	if (err && err != -EINVAL)
		d->err = err;
	return !err;
}

static void taken(void *ctx, pfn_t pfn, unsigned int order)
{
	struct draw *d = ctx;

	if (d->nr_live < MAX_LIVE)
		d->live[d->nr_live++] = (struct live){ pfn, order };
}

static const struct alloc_zone_config *zone_of(const struct draw *d,
					       unsigned int i)
{
	return &d->n.script.cfg.zones[i];
}

static unsigned int nr_zones(const struct draw *d)
{
	return d->n.script.cfg.nr_zones;
}

static const char *zone_name(unsigned int type)
{
	static const char *const names[] = { "DMA", "DMA32", "Normal",
					     "Movable" };

	return names[type];
}

/* ---- the guest ---- */

static void draw_zones(struct draw *d)
{
	const unsigned int which = below(d, 3) ? 1u << 2 : 1 + below(d, 15);
	pfn_t start = below(d, 3) ? 0 : BLOCK * below(d, 5);
	unsigned int type;

	for (type = 0; type < STEP_MAX_ZONES; type++) {
		pfn_t end = start + BLOCK * (1 + below(d, 12));

		if (!(which & (1u << type)))
			continue;
		/* Now and then a zone ends within a block. */
		if (!below(d, 5))
			end -= below(d, BLOCK);
		line(d, "zone %s %u %u", zone_name(type), start, end);
		start = below(d, 4) ? end : end + below(d, 3 * BLOCK);
	}
}

static void draw_pcp(struct draw *d)
{
	const unsigned int batch = 1 + below(d, below(d, 2) ? 7 : 63);
	const unsigned int low = batch * below(d, 8);

	if (!below(d, 3))
		line(d, "pcp off");
	else if (d->profile->pcp_high == PCP_HIGH_AUTO && below(d, 2))
		line(d, "pcp %u %u %u", batch, low, low + below(d, 400));
	else
		line(d, "pcp %u %u", batch, low);
}

static void draw_watermark(struct draw *d)
{
	const struct alloc_zone_config *z =
		zone_of(d, below(d, nr_zones(d)));
	const unsigned int min = below(d, 1 + (z->end - z->start) / 8);
	const unsigned int low = min + below(d, 1 + min);
	const char *name = zone_name(z->type);

	if (below(d, 4))
		line(d, "watermark %s %u %u %u", name, min, low,
		     low + below(d, 1 + min));
	else
		line(d, "reserve %s %s %u", name, zone_name(below(d, 4)), min);
}

static pfn_t any_pfn(struct draw *d)
{
	const struct alloc_zone_config *z =
		zone_of(d, below(d, nr_zones(d)));

	return z->start + below(d, z->end - z->start);
}

static void draw_pageblock(struct draw *d)
{
	line(d, "pageblock %u %c", any_pfn(d) >> d->pageblock_order,
	     "UMRUMRUMRUMRUMRHCI"[below(d, 18)]);
}

static void draw_lru(struct draw *d)
{
	const pfn_t start = any_pfn(d);

	line(d, "lru %u %u", start, start + 1 + below(d, 2 * BLOCK));
}

/* N random words in decimal. */
static void draw_words(struct draw *d, const char *command, unsigned int nr)
{
	char text[440];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s", command);
	unsigned int i;

	for (i = 0; i < nr && len < sizeof(text) - 24; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					" %" PRIu64, rng_next(&d->r));
	line(d, "%s", text);
}

static void draw_shuffle_zone(struct draw *d)
{
	const struct alloc_zone_config *z =
		zone_of(d, below(d, nr_zones(d)));
	char command[32];

	/* Each of its blocks may take ten words. */
	if ((z->end - z->start) / BLOCK > 1)
		return;
	snprintf(command, sizeof(command), "shuffle-zone %s",
		 zone_name(z->type));
	draw_words(d, command, 19);
}

static void draw_boot(struct draw *d)
{
	unsigned int i;

	for (i = 0; i < nr_zones(d); i++) {
		const struct alloc_zone_config *z = zone_of(d, i);
		const unsigned int pages = z->end - z->start;
		const pfn_t middle = z->start + below(d, pages);

		switch (below(d, 5)) {
		case 0:
			line(d, "deferred %u %u", z->start, middle);
			line(d, "boot %u %u", middle, z->end);
			break;
		case 1:
			line(d, "boot %u %u", z->start, middle);
			break;
		default:
			line(d, "boot %u %u", z->start, z->end);
		}
	}
}

static void draw_guest(struct draw *d)
{
	const char *const *names = alloc_profile_names();
	unsigned int nr = 0;

	while (names[nr])
		nr++;
	nr = below(d, nr);
	d->profile = alloc_profile_find(names[nr]);
	line(d, "kernel %s", names[nr]);
	d->nr_cpus = below(d, 2) ? 1 : 1 + below(d, 4);
	line(d, "cpus %u", d->nr_cpus);
	d->pageblock_order = below(d, 6) ? 9 : 10;
	line(d, "pageblock_order %u", d->pageblock_order);
	draw_zones(d);
	line(d, "check %u", 16u << below(d, 4));
	if (!below(d, 4))
		line(d, "events all");
	if (below(d, 3))
		draw_pcp(d);
	for (nr = below(d, 3); nr; nr--)
		draw_watermark(d);
	if (!below(d, 10))
		line(d, "grouping off");
	for (nr = below(d, 4); nr; nr--)
		draw_pageblock(d);
	draw_boot(d);
	if (!below(d, 4))
		draw_shuffle_zone(d);
	d->shuffled = !below(d, 5);
}

/* ---- operations ---- */

static unsigned int draw_order(struct draw *d)
{
	switch (below(d, 8)) {
	case 0:
		return below(d, NR_PAGE_ORDERS);
	case 1:
		return 9;
	case 2:
	case 3:
		return 1 + below(d, 3);
	default:
		return 0;
	}
}

static void draw_alloc(struct draw *d)
{
	const char type = "UMMMR"[below(d, 5)];
	const unsigned int order = draw_order(d);
	char repeat[24] = "";

	if (!below(d, 40))
		snprintf(repeat, sizeof(repeat), "repeat %u ",
			 2 + below(d, 40));
	if (below(d, 3)) {
		line(d, "%salloc %c %u cpu=%u%s", repeat, type, order,
		     below(d, d->nr_cpus), below(d, 50) ? "" : " highatomic");
		return;
	}
	line(d, "%salloc %c %u buddy zone=%s%s", repeat, type, order,
	     zone_name(zone_of(d, below(d, nr_zones(d)))->type),
	     below(d, 5) ? "" : " nofragment");
}

static struct live take_live(struct draw *d)
{
	const unsigned int i = below(d, d->nr_live);
	const struct live l = d->live[i];

	d->live[i] = d->live[--d->nr_live];
	return l;
}

static void free_block(struct draw *d, pfn_t pfn, unsigned int order)
{
	if (below(d, 4))
		line(d, "free %u %u cpu=%u", pfn, order,
		     below(d, d->nr_cpus));
	else
		line(d, "put %u %u", pfn, order);
}

/* A block that was taken, or a part of it, or something never handed over. */
static void draw_free(struct draw *d)
{
	unsigned int order;
	struct live l;

	if (!d->nr_live || !below(d, 12)) {
		order = draw_order(d);
		free_block(d, pfn_align_down(any_pfn(d), order), order);
		return;
	}
	l = take_live(d);
	if (l.order && !below(d, 4)) {
		l.order--;
		taken(d, l.pfn + order_nr_pages(l.order), l.order);
	}
	free_block(d, l.pfn, l.order);
}

/* A free block, if there are some of an order and type that is drawn. */
static pfn_t find_free(struct draw *d, unsigned int *order)
{
	const struct alloc *a = d->n.s.a;
	const unsigned int zone = below(d, nr_zones(d));
	const enum migratetype mt = (enum migratetype)below(d, 6);
	unsigned int i, skip = below(d, 4);
	pfn_t pfn = PFN_NONE, next;

	*order = below(d, NR_PAGE_ORDERS);
	for (i = 0; i < NR_PAGE_ORDERS && pfn == PFN_NONE; i++) {
		*order = (*order + 1) % NR_PAGE_ORDERS;
		pfn = alloc_list_first(a, zone, *order, mt);
	}
	while (pfn != PFN_NONE && skip--) {
		next = alloc_list_next(a, pfn);
		if (next == PFN_NONE)
			break;
		pfn = next;
	}
	return pfn;
}

static void draw_isolate(struct draw *d)
{
	unsigned int order;
	const pfn_t pfn = find_free(d, &order);

	if (pfn == PFN_NONE || !line(d, "isolate %u %u", pfn, order))
		return;
	if (!below(d, 3) || alloc_is_free_head(d->n.s.a, pfn))
		return;
	if (line(d, "putback %u %u", pfn, order) && d->nr_live)
		d->nr_live--;
}

static void draw_reporting(struct draw *d)
{
	const unsigned int capacity = 1 + below(d, below(d, 2) ? 4 : 40);

	if (!d->hinting)
		line(d, "report order=%u capacity=%u", below(d, 2) ? 9 :
		     below(d, NR_PAGE_ORDERS), capacity);
	else if (below(d, 2))
		line(d, "hint capacity=%u", capacity);
	else
		line(d, "hint batches=%u", 1 + below(d, 3));
}

static void draw_setting(struct draw *d)
{
	switch (below(d, 5)) {
	case 0:
		draw_pcp(d);
		break;
	case 1:
		draw_watermark(d);
		break;
	case 2:
		draw_pageblock(d);
		break;
	case 3:
		draw_lru(d);
		break;
	default:
		line(d, "grouping %s", below(d, 4) ? "on" : "off");
	}
}

static void draw_print(struct draw *d)
{
	static const char *const prints[] = {
		"lists", "pcplists", "state", "buddyinfo", "pagetypeinfo",
		"zoneinfo", "vmstat",
	};

	line(d, "%s", prints[below(d, ARRAY_SIZE(prints))]);
}

static void draw_drain(struct draw *d)
{
	if (below(d, 2))
		line(d, "drain");
	else
		line(d, "drain cpu=%u", below(d, d->nr_cpus));
}

static void draw_operation(struct draw *d)
{
	const unsigned int n = below(d, 100);

	if (n < 86) {
		if (below(d, 100) < d->rush)
			draw_alloc(d);
		else
			draw_free(d);
	} else if (n < 93) {
		draw_isolate(d);
	} else if (n < 95) {
		draw_drain(d);
	} else if (n < 97) {
		draw_reporting(d);
	} else if (n < 99) {
		draw_setting(d);
	} else if (!below(d, 6)) {
		draw_print(d);
	}
}

static int draw_script(struct draw *d, unsigned int nr_ops)
{
	unsigned int i;

	draw_guest(d);
	if (!d->n.s.a)
		return d->err ? d->err : -EINVAL;
	d->hinting = !d->profile->reporting || !below(d, 3);
	for (i = 0; i < nr_ops && !d->err && !d->n.over; i++) {
		if (i % MOOD_OPS == 0)
			d->rush = 15 + 10 * below(d, 8);
		if (d->shuffled && i % (MOOD_OPS / 2) == 0)
			draw_words(d, "shuffle", 18);
		draw_operation(d);
	}
	if (d->hinting)
		line(d, "hint");
	line(d, "settle");
	return d->err;
}

int step_draw(uint64_t seed, uint64_t number, unsigned int nr_ops,
	      struct step_log *log, FILE *out, struct diag *diag)
{
	struct draw *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	rng_init(&d->r, seed, "step", number);
	step_session_init(&d->n, log, out, diag);
	d->n.s.taken = taken;
	d->n.s.taken_ctx = d;
	err = draw_script(d, nr_ops);
	step_session_destroy(&d->n);
	free(d);
	return err;
}
