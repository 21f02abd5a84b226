/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Facts to prices. Most prices are one fact; a few are a difference of two. A
 * price whose facts are missing or spread too far, or whose difference is lost
 * in their spread, keeps its built-in value and tag.
 */
#include "bench/calibrate_internal.h"

#include "include/types.h"

#define PS_PER_NS 1000.0

/* A price that is `scale` times a fact; for several processes, too. */
struct rule {
	enum price_id price;
	const char *fact;
	double scale;
	const char *how;
};

static const struct rule rules[] = {
	{ PRICE_FAULT_THP, "page_fault1_thp", HPAGE_PMD_NR,
	  "page_fault1 THP" },
	{ PRICE_ZAP_THP, "page_fault1_thp_unmap", HPAGE_PMD_NR,
	  "munmap in page_fault1 THP" },
	{ PRICE_FAULT_ANON, "page_fault1", 1, "page_fault1 4 KiB" },
	{ PRICE_ZAP_4K, "page_fault1_unmap", 1, "munmap in page_fault1 4 KiB" },
	{ PRICE_FAULT_COW, "page_fault2", 1, "page_fault2" },
	{ PRICE_FAULT_READ, "read_fault", 1, "read faults, zero page" },
	{ PRICE_ZERO_2M, "clear_2m_cold", 1, "clear 2 MiB, cold" },
	{ PRICE_ZERO_4K, "clear_4k_cold", 1, "clear 4 KiB, cold" },
	{ PRICE_GUEST_ZERO_2M, "clear_2m_cold", 1, "clear 2 MiB, cold" },
	{ PRICE_GUEST_ZERO_4K, "clear_4k_cold", 1, "clear 4 KiB, cold" },
	{ PRICE_GUEST_REZERO_2M, "clear_2m_again", 1,
	  "clear 2 MiB just cleared" },
	{ PRICE_GUEST_REZERO_4K, "clear_4k_again", 1,
	  "clear 4 KiB just cleared" },
	{ PRICE_TOUCH, "store_huge", 1, "store per 4 KiB of huge pages" },
	{ PRICE_FILL_4K, "fill_huge", 1, "memset of huge pages, per 4 KiB" },
	{ PRICE_SYSCALL, "syscall", 1, "mmap, munmap untouched" },
	{ PRICE_LOCK, "lock", 1, "exchange and store, nobody else" },
	{ PRICE_LIST_TOUCH, "cold_node", 1, "pointer chase, cold" },
	{ PRICE_COMPACT_SCAN, "scan_line", 1, "cold lines in a row" },
	{ PRICE_RECLAIM_SCAN, "page_cache_drop", 1,
	  "FADV_DONTNEED, per clean page" },
	{ PRICE_MIGRATE_4K, "collapse_2m", 1.0 / HPAGE_PMD_NR,
	  "MADV_COLLAPSE, per page" },
};

static uint64_t to_ps(double ns)
{
	return ns > 0.001 ? (uint64_t)(ns * PS_PER_NS) : 1;
}

static const struct fact *usable(const struct calibration *c, const char *name,
				 unsigned int procs)
{
	const struct fact *f = fact_find(c, name, procs);

	return f && f->spread <= FACT_TOO_WIDE ? f : NULL;
}

static void set_price(const struct calibration *c, struct price_list *l,
		      enum price_id id, double one, double spread,
		      const char *how)
{
	struct price *p = &l->p[id];

	*p = (struct price){ .ps_1 = to_ps(one), .ps_n = to_ps(one),
			     .tasks = 1, .tag = PRICE_MEASURED };
	snprintf(p->source, sizeof(p->source), "%s, +- %.1f %%; %s", how,
		 spread * 100, c->machine);
}

static void apply_rule(const struct calibration *c, struct price_list *l,
		       const struct rule *r)
{
	const struct fact *one = usable(c, r->fact, 1);
	const struct fact *many = usable(c, r->fact, c->procs);
	struct price *p = &l->p[r->price];

	if (!one)
		return;
	set_price(c, l, r->price, one->ns * r->scale, one->spread, r->how);
	if (c->procs < 2 || !many || to_ps(many->ns * r->scale) == p->ps_1)
		return;
	p->ps_n = to_ps(many->ns * r->scale);
	p->tasks = c->procs;
}

/* (a - b) / by, if it is more than the two spread. */
static void set_difference(const struct calibration *c, struct price_list *l,
			   enum price_id id, const char *a, const char *b,
			   double by, const char *how)
{
	const struct fact *x = fact_find(c, a, 1), *y = fact_find(c, b, 1);
	double ns, off;

	if (!x || !y)
		return;
	ns = x->ns - y->ns;
	off = x->ns * x->spread + y->ns * y->spread;
	if (ns <= 0 || off >= ns)
		return;
	set_price(c, l, id, ns / by, off / ns, how);
}

/* One call is what is left of order 0 when its page is taken out. */
static void set_discard_call(const struct calibration *c, struct price_list *l)
{
	const struct fact *f = usable(c, "discard_order0", 1);
	const struct price *page = &l->p[PRICE_DISCARD_4K];
	double ns;

	if (!f)
		return;
	ns = f->ns - (double)page->ps_1 / PS_PER_NS;
	if (ns > 0)
		set_price(c, l, PRICE_DISCARD_CALL, ns, f->spread,
			  "DONTNEED of order 0 less its page");
}

void calibrate_prices(const struct calibration *c, struct price_list *l)
{
	price_list_default(l);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		apply_rule(c, l, &rules[i]);
	set_difference(c, l, PRICE_DISCARD_4K, "discard_order8",
		       "discard_order0", 255,
		       "DONTNEED, (order 8 less order 0) / 255");
	set_difference(c, l, PRICE_DISCARD_2M, "discard_order10",
		       "discard_order9", 1, "DONTNEED, order 10 less order 9");
	set_difference(c, l, PRICE_WALK_REF, "store_small", "store_huge", 4,
		       "store, (small less huge pages) / 4 levels");
	set_discard_call(c, l);
}

double calibrate_zero_share(const struct calibration *c, const char *clear,
			    unsigned int procs)
{
	const struct fact *z = fact_find(c, clear, procs);
	const struct fact *touch = fact_find(c, "page_fault1_thp", procs);
	const struct fact *unmap = fact_find(c, "page_fault1_thp_unmap",
					     procs);

	if (!z || !touch || !unmap)
		return 0;
	return z->ns / ((touch->ns + unmap->ns) * HPAGE_PMD_NR);
}
