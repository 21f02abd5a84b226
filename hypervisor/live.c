/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The live host: guest-physical memory is memory of this process, touches are
 * stores, discards the system calls that QEMU makes. The counts are those of
 * the kernel it runs on; docs/live-host.md says which are measured and which
 * derived, and what of them is not the same in every run.
 *
 * No privilege is needed. What the host cannot do is refused with a reason and
 * a remedy; memory is bounded by `cap`.
 *
 * Left out: KVM. There is no second page table, so EPT leaves are derived from
 * the mapping. Swap, memory cgroups and khugepaged are what the host makes of
 * them: their doing is noticed and counted apart, never caused.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hypervisor/live.h"
#include "include/check.h"
#include "include/sparse.h"

/* Left to others when guests take their memory. */
#define MEMORY_RESERVE (UINT64_C(256) << 20)

static const char *const discard_names[] = { "dontneed", "free", NULL };
static const char *const granularity_names[] = { "range", "page", NULL };
static const char *const thp_names[] = { "always", "madvise", "never", NULL };
static const char *const khugepaged_names[] = { "off", "on", "host", NULL };
static const char *const file_names[] = { "none", "memfd", NULL };

#define DAY_NS (86400 * NSEC_PER_SEC)
#define OPTION(field) offsetof(struct live_options, field)

static const struct option_desc live_option_descs[] = {
	{ .name = "cap", .type = OPTION_SIZE, .offset = OPTION(cap),
	  .min = 4096, .def = "1G", .unit = "bytes",
	  .help = "Most real memory that all guests together may take." },
	{ .name = "discard", .type = OPTION_NAME, .offset = OPTION(discard),
	  .names = discard_names, .def = "dontneed", .unit = "",
	  .help = "Advice for reported blocks; balloon pages always get "
		  "dontneed." },
	{ .name = "discard_granularity", .type = OPTION_NAME,
	  .offset = OPTION(granularity), .names = granularity_names,
	  .def = "range", .unit = "",
	  .help = "One madvise call per reported block, or one per 4 KiB "
		  "page." },
	{ .name = "thp", .type = OPTION_NAME, .offset = OPTION(thp),
	  .names = thp_names, .def = "always", .unit = "",
	  .help = "Transparent huge pages for guests; never: MADV_NOHUGEPAGE, "
		  "else what this machine is set to must allow them." },
	{ .name = "madv_hugepage", .type = OPTION_BOOL,
	  .offset = OPTION(madv_hugepage), .def = "on", .unit = "",
	  .help = "Guest memory is advised MADV_HUGEPAGE." },
	{ .name = "khugepaged", .type = OPTION_NAME,
	  .offset = OPTION(khugepaged), .names = khugepaged_names,
	  .def = "off", .unit = "",
	  .help = "on: one in virtual time, by MADV_COLLAPSE; host: the "
		  "machine's own may work on guest memory." },
	{ .name = "khugepaged_pages_to_scan", .type = OPTION_UINT,
	  .offset = OPTION(khugepaged_pages_to_scan), .min = 1,
	  .max = 1 << 30, .def = "4096", .unit = "pages",
	  .help = "Pages that the one in virtual time looks at in one go." },
	{ .name = "khugepaged_scan_sleep", .type = OPTION_TIME,
	  .offset = OPTION(khugepaged_scan_sleep), .min = NSEC_PER_MSEC,
	  .max = DAY_NS, .def = "10s", .unit = "time",
	  .help = "Its sleep between two scans." },
	{ .name = "khugepaged_alloc_sleep", .type = OPTION_TIME,
	  .offset = OPTION(khugepaged_alloc_sleep), .min = NSEC_PER_MSEC,
	  .max = DAY_NS, .def = "60s", .unit = "time",
	  .help = "Its sleep after a collapse that failed." },
	{ .name = "khugepaged_max_ptes_none", .type = OPTION_UINT,
	  .offset = OPTION(khugepaged_max_ptes_none),
	  .max = HPAGE_PMD_NR - 1, .def = "511", .unit = "pages",
	  .help = "Holes of a region that a collapse may fill." },
	{ .name = "khugepaged_pte_mapped", .type = OPTION_BOOL,
	  .offset = OPTION(khugepaged_pte_mapped), .def = "off", .unit = "",
	  .help = "It also collapses what is left of a huge page that was "
		  "partly discarded (Linux 5.8 and later)." },
	{ .name = "memory_file", .type = OPTION_NAME,
	  .offset = OPTION(memory_file), .names = file_names, .def = "none",
	  .unit = "",
	  .help = "memfd: guest memory is a shared file, and discards punch "
		  "holes into it; wants thp = never." },
	{ .name = "inhibit", .type = OPTION_BOOL, .offset = OPTION(inhibit),
	  .def = "off", .unit = "",
	  .help = "Acknowledge discards without doing them, as with an "
		  "assigned device." },
	{ .name = NULL },
};

static int check_options(const struct live_options *o, char *why,
			 size_t why_size)
{
	if (o->memory_file != LIVE_FILE_MEMFD)
		return 0;
	if (o->thp != LIVE_THP_NEVER) {
		snprintf(why, why_size, "memory_file = memfd has small pages "
			 "only; set thp = never");
		return -EINVAL;
	}
	if (o->discard != HV_FREE)
		return 0;
	snprintf(why, why_size, "memory_file = memfd cannot be discarded with "
		 "MADV_FREE; set discard = dontneed");
	return -EINVAL;
}

static int live_init(struct hypervisor *hv, char *why, size_t why_size)
{
	struct live_host *h = hv->state;
	int err;

	h->opt = hv->options;
	h->wants_huge = live_huge_wanted(h->opt);
	err = check_options(h->opt, why, why_size);
	if (!err)
		err = kernel_open(h, why, why_size);
	if (err)
		return err;
	h->ready = true;
	if (h->wants_huge)
		err = kernel_probe(h, why, why_size);
	h->real = (struct hv_real){ 0 };
	return err;
}

static void guest_free(struct live_guest *g)
{
	kernel_unmap_guest(g);
	sparse_free(g->mapped_regions, BITMAP_WORDS(g->nr_regions),
		    sizeof(*g->mapped_regions));
	sparse_free(g->slots, g->nr_regions, sizeof(*g->slots));
	sparse_free(g->pages, g->nr_regions + 1, sizeof(*g->pages));
	sparse_free(g->regions, g->nr_regions, sizeof(*g->regions));
	*g = (struct live_guest){ 0 };
}

static int guest_alloc(struct live_host *h, struct live_guest *g,
		       pfn_t nr_pages)
{
	const uint32_t nr = (uint32_t)(((uint64_t)nr_pages + HPAGE_PMD_NR - 1) /
				       HPAGE_PMD_NR);
	int err = -ENOMEM;

	*g = (struct live_guest){ .nr_pages = nr_pages, .nr_regions = nr };
	g->mapped_regions = sparse_alloc(BITMAP_WORDS(nr),
					 sizeof(*g->mapped_regions));
	g->slots = sparse_alloc(nr, sizeof(*g->slots));
	g->pages = sparse_alloc(nr + 1, sizeof(*g->pages));
	g->regions = sparse_alloc(nr, sizeof(*g->regions));
	if (g->mapped_regions && g->slots && g->pages && g->regions)
		err = kernel_map_guest(h, g);
	if (err) {
		guest_free(g);
		return err;
	}
	g->map = (struct hv_guest_map){
		.regions = g->mapped_regions, .slots = g->slots,
		.pages = (const uint64_t (*)[PAGE_WORDS])g->pages,
		.nr_pages = nr_pages };
	return 0;
}

static uint64_t to_mib(uint64_t bytes)
{
	return bytes >> 20;
}

/* Pages that guests do not have yet can still be taken from the host. */
static int check_memory(struct live_host *h, pfn_t nr_pages)
{
	const uint64_t bytes = pages_to_bytes(h->guest_pages + nr_pages);
	const uint64_t available = memory_available("/proc",
						    "/sys/fs/cgroup");
	uint64_t missing = pages_to_bytes(nr_pages), resident = 0;

	if (bytes > h->opt->cap) {
		snprintf(h->refusal, sizeof(h->refusal),
			 "guests want %llu MiB of real memory, the cap is %llu; "
			 "set cap, or make guests smaller",
			 (unsigned long long)to_mib(bytes),
			 (unsigned long long)to_mib(h->opt->cap));
		return -E2BIG;
	}
	for (uint32_t id = 0; id < HV_MAX_GUESTS; id++)
		resident += h->guests[id].gauges.rss_pages;
	missing += pages_to_bytes(h->guest_pages - resident);
	if (available >= missing + MEMORY_RESERVE)
		return 0;
	snprintf(h->refusal, sizeof(h->refusal),
		 "%llu MiB available to this process, guests would want %llu and "
		 "%llu are kept for others; end programs, or make guests smaller",
		 (unsigned long long)to_mib(available),
		 (unsigned long long)to_mib(missing),
		 (unsigned long long)to_mib(MEMORY_RESERVE));
	return -ENOTSUP;
}

static int live_guest_add(struct hypervisor *hv, pfn_t nr_pages)
{
	struct live_host *h = hv->state;
	uint32_t id = 0;
	int err;

	h->refusal[0] = '\0';
	if (!nr_pages)
		return -EINVAL;
	while (id < HV_MAX_GUESTS && h->guests[id].nr_pages)
		id++;
	if (id == HV_MAX_GUESTS)
		return -ENOSPC;
	err = check_memory(h, nr_pages);
	if (err)
		return err;
	err = guest_alloc(h, &h->guests[id], nr_pages);
	if (err) {
		snprintf(h->refusal, sizeof(h->refusal),
			 "%llu MiB cannot be mapped: %s; make guests smaller, "
			 "or raise the limits of this process (ulimit -v)",
			 (unsigned long long)
			 to_mib(pages_to_bytes(nr_pages)), strerror(-err));
		return err;
	}
	h->guest_pages += nr_pages;
	return (int)id;
}

static const char *live_refusal(const struct hypervisor *hv)
{
	const struct live_host *h = hv->state;

	return h->refusal[0] ? h->refusal : NULL;
}

struct live_guest *live_guest(const struct hypervisor *hv, uint32_t id)
{
	struct live_host *h = hv->state;

	CHECK_LT(id, HV_MAX_GUESTS);
	CHECK(h->guests[id].nr_pages);
	return &h->guests[id];
}

static void live_guest_remove(struct hypervisor *hv, uint32_t guest)
{
	struct live_host *h = hv->state;
	struct live_guest *g = live_guest(hv, guest);

	h->guest_pages -= g->nr_pages;
	guest_free(g);
	live_khugepaged_exit(h, guest);
}

static const struct hv_guest_map *live_guest_map(const struct hypervisor *hv,
						 uint32_t guest)
{
	return &live_guest(hv, guest)->map;
}

static int live_access(struct hypervisor *hv, uint32_t guest, pfn_t pfn,
		       unsigned int order, enum hv_access kind,
		       struct hv_events *ev)
{
	struct live_ref r = { .host = hv->state,
			      .guest = live_guest(hv, guest), .ev = ev };
	uint32_t left = order_nr_pages(order);

	CHECK_LE(order, MAX_PAGE_ORDER);
	CHECK(pfn_aligned(pfn, order));
	CHECK_LE((uint64_t)pfn + left, r.guest->nr_pages);
	while (left) {
		const uint32_t nr = left < HPAGE_PMD_NR ? left : HPAGE_PMD_NR;

		r.region = pfn_region(pfn);
		region_refresh(&r);
		region_accessed(&r, pfn & (HPAGE_PMD_NR - 1), nr,
				kind != HV_ACCESS_READ);
		pfn += nr;
		left -= nr;
	}
	return 0;
}

/* One madvise call for nr pages from pfn, whose regions are known as they are. */
static void discard_range(struct live_ref *r, enum hv_advice advice, pfn_t pfn,
			  uint32_t nr)
{
	const uint32_t first = pfn_region(pfn);
	const uint32_t last = pfn_region(pfn + nr - 1);
	const uint32_t part = nr < HPAGE_PMD_NR ? nr : HPAGE_PMD_NR;
	bool flush = false;

	kernel_discard(r->guest, advice, pfn, nr);
	for (r->region = first; r->region <= last; r->region++)
		flush |= region_discarded(r, advice, pfn & (HPAGE_PMD_NR - 1),
					  part);
	r->ev->discard_calls++;
	r->ev->tlb_flush_rounds += flush;
}

static bool live_discard(struct hypervisor *hv, uint32_t guest, pfn_t pfn,
			 unsigned int order, enum hv_origin origin,
			 struct hv_events *ev)
{
	struct live_ref r = { .host = hv->state,
			      .guest = live_guest(hv, guest), .ev = ev };
	const struct live_options *opt = r.host->opt;
	const enum hv_advice advice = origin == HV_ORIGIN_BALLOON ?
					      HV_DONTNEED :
					      (enum hv_advice)opt->discard;
	const uint32_t nr = order_nr_pages(order);
	const uint32_t step = opt->granularity == LIVE_PER_4K ? 1 : nr;

	CHECK_LE(order, MAX_PAGE_ORDER);
	CHECK(pfn_aligned(pfn, order));
	if (opt->inhibit || (uint64_t)pfn + nr > r.guest->nr_pages) {
		ev->discard_ignored++;
		return false;
	}
	ev->discards[advice][order]++;
	for (r.region = pfn_region(pfn); r.region <= pfn_region(pfn + nr - 1);
	     r.region++)
		region_refresh(&r);
	for (uint32_t at = 0; at < nr; at += step)
		discard_range(&r, advice, pfn + at, step);
	return advice == HV_DONTNEED;
}

static void gauges_add(struct hv_gauges *to, const struct hv_gauges *from)
{
	to->rss_pages += from->rss_pages;
	to->anon_huge_regions += from->anon_huge_regions;
	to->small_regions += from->small_regions;
	to->lazy_pages += from->lazy_pages;
	to->partial_thps += from->partial_thps;
	to->partial_unmapped_pages += from->partial_unmapped_pages;
	to->ept_2m_leaves += from->ept_2m_leaves;
	to->ept_4k_leaves += from->ept_4k_leaves;
	to->swapped_pages += from->swapped_pages;
}

static void live_gauges(const struct hypervisor *hv, uint32_t guest,
			struct hv_gauges *out)
{
	const struct live_host *h = hv->state;
	struct hv_gauges all = { 0 };

	for (uint32_t id = 0; id < HV_MAX_GUESTS; id++)
		gauges_add(&all, &h->guests[id].gauges);
	*out = guest == HV_ALL_GUESTS ? all : live_guest(hv, guest)->gauges;
	/* The cap is all that guests can see of the host. Unmapped parts of
	 * huge pages can take more than that. */
	out->host_total_pages = bytes_to_pages(h->opt->cap);
	out->host_free_pages = out->host_total_pages;
	all.rss_pages += all.partial_unmapped_pages;
	out->host_free_pages -= all.rss_pages < out->host_total_pages ?
				all.rss_pages : out->host_total_pages;
}

static int live_real(const struct hypervisor *hv, struct hv_real *out)
{
	const struct live_host *h = hv->state;

	*out = h->real;
	return smaps_read(h, out);
}

static void live_destroy(struct hypervisor *hv)
{
	struct live_host *h = hv->state;

	for (uint32_t id = 0; id < HV_MAX_GUESTS; id++) {
		if (h->guests[id].nr_pages)
			guest_free(&h->guests[id]);
	}
	if (h->ready)
		kernel_close(h);
	h->ready = false;
}

const struct hypervisor_ops live_hypervisor = {
	.name = "live",
	.summary = "memory of this process: real faults, discards and huge pages",
	.options = { .descs = live_option_descs,
		     .size = sizeof(struct live_options) },
	.state_size = sizeof(struct live_host),
	.no_fork = true,
	.init = live_init,
	.guest_add = live_guest_add,
	.refusal = live_refusal,
	.guest_remove = live_guest_remove,
	.guest_map = live_guest_map,
	.access = live_access,
	.discard = live_discard,
	.khugepaged = live_khugepaged,
	.gauges = live_gauges,
	.check = live_check,
	.real = live_real,
	.destroy = live_destroy,
};
