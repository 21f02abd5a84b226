/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The price file of this host. What an unprivileged process can time is tagged
 * measured, with the machine as source; costs inside a guest (exits, doorbells,
 * flushes of vCPUs) keep their built-in price and tag.
 */
#define _GNU_SOURCE
#include "bench/calibrate.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench/calibrate_internal.h"

#define PS_PER_NS 1000.0

struct measured {
	struct clear_cost clear;
	struct discard_cost discard;
	double cold_node, touch, lock, syscall;
	struct loop_cost one[NR_LOOP_KINDS], many[NR_LOOP_KINDS];
	unsigned int cpus;
	char machine[120];
};

static const char *const loop_names[] = {
	[LOOP_PAGE_FAULT1] = "page_fault1, 4 KiB",
	[LOOP_PAGE_FAULT1_THP] = "page_fault1, THP",
	[LOOP_PAGE_FAULT2] = "page_fault2",
	[LOOP_READ_FAULT] = "read faults",
	[LOOP_CLEAR] = "clearing",
};

/* # and | have a meaning in price files. */
static void describe_machine(struct measured *m)
{
	struct utsname u;
	char shape[64];
	char *s;

	sim_topology_describe(shape, sizeof(shape));
	if (uname(&u))
		snprintf(u.release, sizeof(u.release), "?");
	snprintf(m->machine, sizeof(m->machine), "Linux %.30s, %.60s",
		 u.release, shape);
	for (s = m->machine; *s; s++)
		if (*s == '#' || *s == '|')
			*s = ' ';
}

static int measure_loops(struct measured *m)
{
	int err = 0;

	for (int i = 0; i < NR_LOOP_KINDS && !err; i++) {
		err = measure_loop((enum loop_kind)i, 1, &m->one[i]);
		m->many[i] = m->one[i];
		if (!err && m->cpus > 1)
			err = measure_loop((enum loop_kind)i, m->cpus,
					   &m->many[i]);
	}
	return err;
}

/* 64 huge faults a pass, or 32,768 small ones. */
static bool has_huge_pages(const struct measured *m)
{
	return m->one[LOOP_PAGE_FAULT1_THP].faults < 0.01;
}

static int measure_all(struct measured *m, FILE *messages)
{
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int err;

	m->cpus = cpus < 1 ? 1 : cpus > 1024 ? 1024 : (unsigned int)cpus;
	describe_machine(m);
	err = measure_loop(LOOP_PAGE_FAULT1_THP, 1,
			   &m->one[LOOP_PAGE_FAULT1_THP]);
	if (!err && !has_huge_pages(m)) {
		fputs("skipped: this host gives no huge pages; see "
		      "/sys/kernel/mm/transparent_hugepage/enabled\n",
		      messages);
		return -ENOTSUP;
	}
	if (!err)
		err = measure_loops(m);
	if (!err)
		err = measure_clear(&m->clear);
	if (!err)
		err = measure_discard(&m->discard);
	if (!err)
		err = measure_cold_node(&m->cold_node);
	if (!err)
		err = measure_touch(&m->touch);
	if (!err)
		err = measure_syscall(&m->syscall);
	m->lock = measure_lock();
	return err;
}

/* ---- to prices ---- */

static uint64_t to_ps(double ns)
{
	return ns > 0.001 ? (uint64_t)(ns * PS_PER_NS) : 1;
}

static void set_price(struct price_list *l, enum price_id id,
		      const struct measured *m, double one, double many,
		      const char *how)
{
	struct price *p = &l->p[id];
	const bool split = m->cpus > 1 && to_ps(one) != to_ps(many);

	*p = (struct price){ .ps_1 = to_ps(one), .ps_n = to_ps(many),
			     .tasks = split ? m->cpus : 1,
			     .tag = PRICE_MEASURED };
	snprintf(p->source, sizeof(p->source), "%s; %s", how, m->machine);
}

static void set_alone(struct price_list *l, enum price_id id,
		      const struct measured *m, double ns, const char *how)
{
	set_price(l, id, m, ns, ns, how);
}

static void set_fault_prices(struct price_list *l, const struct measured *m)
{
	const struct loop_cost *o = m->one, *n = m->many;

	set_price(l, PRICE_FAULT_THP, m,
		  o[LOOP_PAGE_FAULT1_THP].touch_ns * HPAGE_PMD_NR,
		  n[LOOP_PAGE_FAULT1_THP].touch_ns * HPAGE_PMD_NR,
		  "page_fault1 THP");
	set_price(l, PRICE_ZAP_THP, m,
		  o[LOOP_PAGE_FAULT1_THP].unmap_ns * HPAGE_PMD_NR,
		  n[LOOP_PAGE_FAULT1_THP].unmap_ns * HPAGE_PMD_NR,
		  "munmap in page_fault1 THP");
	set_price(l, PRICE_FAULT_ANON, m, o[LOOP_PAGE_FAULT1].touch_ns,
		  n[LOOP_PAGE_FAULT1].touch_ns, "page_fault1 4 KiB");
	set_price(l, PRICE_ZAP_4K, m, o[LOOP_PAGE_FAULT1].unmap_ns,
		  n[LOOP_PAGE_FAULT1].unmap_ns, "munmap in page_fault1 4 KiB");
	set_price(l, PRICE_FAULT_COW, m, o[LOOP_PAGE_FAULT2].touch_ns,
		  n[LOOP_PAGE_FAULT2].touch_ns, "page_fault2");
	set_price(l, PRICE_FAULT_READ, m, o[LOOP_READ_FAULT].touch_ns,
		  n[LOOP_READ_FAULT].touch_ns, "read faults, zero page");
}

/* Cold with one process; with many in the ratio that clearing slows down. */
static void set_zero_prices(struct price_list *l, const struct measured *m)
{
	const double slow = m->many[LOOP_CLEAR].touch_ns /
			    m->one[LOOP_CLEAR].touch_ns;
	const double one = m->clear.cold, many = m->clear.cold * slow;

	set_price(l, PRICE_ZERO_2M, m, one, many, "clear 2 MiB, cold");
	set_price(l, PRICE_ZERO_4K, m, one / HPAGE_PMD_NR,
		  many / HPAGE_PMD_NR, "clear 2 MiB, cold, / 512");
}

static void set_prices(struct price_list *l, const struct measured *m)
{
	const struct discard_cost *d = &m->discard;
	const double small = (d->order8 - d->order0) / 255.0;

	price_list_default(l);
	set_fault_prices(l, m);
	set_zero_prices(l, m);
	set_alone(l, PRICE_TOUCH, m, m->touch, "store to a mapped page");
	set_alone(l, PRICE_SYSCALL, m, m->syscall, "mmap, munmap untouched");
	set_alone(l, PRICE_LOCK, m, m->lock, "exchange and store, 1 thread");
	set_alone(l, PRICE_LIST_TOUCH, m, m->cold_node, "pointer chase, cold");
	set_alone(l, PRICE_DISCARD_CALL, m, d->order0 - small,
		  "DONTNEED of order 0 less its page");
	set_alone(l, PRICE_DISCARD_2M, m, d->order10 - d->order9,
		  "DONTNEED, order 10 less order 9");
	set_alone(l, PRICE_DISCARD_4K, m, small,
		  "DONTNEED, (order 8 less order 0) / 255");
}

/* ---- printing ---- */

static double percent(double part, double whole)
{
	return whole > 0 ? part * 100.0 / whole : 0;
}

static void print_loop(FILE *out, const char *name, unsigned int procs,
		       const struct loop_cost *c)
{
	fprintf(out, "#   %-20s %3u: %10.1f ns per iteration, munmap %.1f %%\n",
		name, procs, c->iteration_ns, percent(c->unmap_ns,
						      c->iteration_ns));
}

/* z: clearing as a share of what a huge fault takes, all included. */
static double zero_share(const struct measured *m, double clear)
{
	return clear / (m->one[LOOP_PAGE_FAULT1_THP].iteration_ns *
			HPAGE_PMD_NR);
}

static void print_facts(const struct measured *m, FILE *out)
{
	fprintf(out, "# Measured by buddylab calibrate on %s\n# Loops, by "
		"number of processes:\n", m->machine);
	for (int i = 0; i < NR_LOOP_KINDS; i++) {
		print_loop(out, loop_names[i], 1, &m->one[i]);
		if (m->cpus > 1)
			print_loop(out, loop_names[i], m->cpus, &m->many[i]);
	}
	fprintf(out, "# Clearing 2 MiB: %.1f us cold, %.1f us if it was just "
		"cleared\n# Share of a huge page's iteration (--zero-share): "
		"%.3f cold, %.3f just cleared\n", m->clear.cold / 1e3,
		m->clear.again / 1e3, zero_share(m, m->clear.cold),
		zero_share(m, m->clear.again));
	fprintf(out, "# MADV_DONTNEED: %.0f ns order 0, %.0f ns order 8 small, "
		"%.0f ns order 9 huge,\n#   %.0f ns order 10 huge\n",
		m->discard.order0, m->discard.order8, m->discard.order9,
		m->discard.order10);
}

int calibrate_measure(FILE *out, FILE *messages)
{
	struct measured m = { 0 };
	struct price_list l;
	int err = measure_all(&m, messages);

	if (err) {
		if (err != -ENOTSUP)
			fprintf(messages, "error: cannot measure: %s\n",
				strerror(-err));
		return err;
	}
	set_prices(&l, &m);
	print_facts(&m, out);
	price_list_print(&l, out);
	return fflush(out) || ferror(out) ? -EIO : 0;
}
