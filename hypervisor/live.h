/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the live host, shared by the files live*.c. docs/live-host.md says
 * what of its counts is measured, what is derived, and what cannot be known.
 *
 * A guest is a mapping of this process, aligned to 2 MiB. What the kernel has
 * done to it is read back region by region, before and after each call; the
 * difference is what the call did, and what changed between two calls is the
 * kernel's own doing.
 */
#ifndef HYPERVISOR_LIVE_H
#define HYPERVISOR_LIVE_H

#include "hypervisor/hypervisor.h"

#define PAGE_WORDS BITMAP_WORDS(HPAGE_PMD_NR)

/* Pages of a region, one bit each. */
struct page_set {
	uint64_t w[PAGE_WORDS];
};

/* What the kernel says of a region. */
struct region_view {
	bool huge;               /* one huge mapping */
	struct page_set present; /* mapped memory; all of it if huge */
	struct page_set zero;    /* the shared zero page is mapped */
	struct page_set swapped;
};

/* A region as it was after the last call that concerned it. */
struct live_region {
	struct region_view is;
	/* Derived: what KVM would have mapped, and what cannot be read back. */
	struct page_set ept;     /* 4 KiB leaves, of present and zero pages */
	struct page_set lazy;    /* of the present ones; all or none if huge */
	struct page_set thp;     /* of the present ones: part of a huge page
				  * that was split in its mapping only */
	bool ept_huge;           /* a 2 MiB leaf */
	bool table;              /* a page table is there, possibly empty */
};

struct live_guest {
	pfn_t nr_pages;          /* 0: id not in use */
	uint32_t nr_regions;     /* the last one may be incomplete */
	char *memory;            /* the mapping */
	size_t reserved;         /* its bytes, whole regions */
	int fd;                  /* of the memory file, or -1 */
	struct hv_guest_map map; /* what callers see of the arrays below */
	uint64_t *mapped_regions;
	uint32_t *slots;
	uint64_t (*pages)[PAGE_WORDS];
	struct live_region *regions;
	struct hv_gauges gauges; /* host_ members unused */
};

/* Values of [host]. */
struct live_options {
	uint64_t cap;             /* bytes of all guests together */
	unsigned int discard;     /* enum hv_advice, for reports */
	unsigned int granularity; /* enum live_granularity */
	unsigned int thp;         /* enum live_thp */
	bool madv_hugepage;       /* the VMM advises huge pages */
	unsigned int khugepaged;  /* enum live_khugepaged_mode */
	uint64_t khugepaged_pages_to_scan;
	uint64_t khugepaged_scan_sleep, khugepaged_alloc_sleep; /* ns */
	uint64_t khugepaged_max_ptes_none;
	bool khugepaged_pte_mapped;
	unsigned int memory_file; /* enum live_file */
	bool inhibit;             /* acknowledge, but do not discard */
};

enum live_granularity { LIVE_RANGE, LIVE_PER_4K };
enum live_thp { LIVE_THP_ALWAYS, LIVE_THP_MADVISE, LIVE_THP_NEVER };
/* Nobody; one in virtual time; the machine's own. */
enum live_khugepaged_mode {
	LIVE_KHUGEPAGED_OFF, LIVE_KHUGEPAGED_ON, LIVE_KHUGEPAGED_HOST
};
enum live_file { LIVE_FILE_NONE, LIVE_FILE_MEMFD };

/* One range of PAGEMAP_SCAN's answer, and room for those of a region. */
struct scan_range {
	uint64_t start, end, categories;
};

/* Where the khugepaged in virtual time is. */
struct live_khugepaged {
	bool scanning;
	uint32_t guest, region;
};

struct live_host {
	const struct live_options *opt;
	bool ready;              /* init() has been through */
	int pagemap_fd;
	bool wants_huge;         /* guests are to have huge pages */
	bool frees_tables;       /* seen: a DONTNEED of 2 MiB frees the table */
	uint64_t guest_pages;    /* of all guests */
	struct live_khugepaged khugepaged;
	struct hv_real real;     /* sums; what smaps says is filled in later */
	char refusal[240];       /* why guest_add() failed last */
	struct scan_range ranges[HPAGE_PMD_NR];
	struct live_guest guests[HV_MAX_GUESTS];
};

/* A region of a guest and the events of the call that works on it. */
struct live_ref {
	struct live_host *host;
	struct live_guest *guest;
	uint32_t region;
	struct hv_events *ev;
};

static inline bool live_huge_wanted(const struct live_options *o)
{
	return o->thp == LIVE_THP_ALWAYS ||
	       (o->thp == LIVE_THP_MADVISE && o->madv_hugepage);
}

static inline struct live_region *region_of(const struct live_ref *r)
{
	return &r->guest->regions[r->region];
}

static inline char *page_address(const struct live_guest *g, pfn_t pfn)
{
	return g->memory + pages_to_bytes(pfn);
}

static inline uint32_t set_nr(const struct page_set *s)
{
	uint32_t nr = 0;

	for (uint32_t w = 0; w < PAGE_WORDS; w++)
		nr += (uint32_t)__builtin_popcountll(s->w[w]);
	return nr;
}

/* Both. */
static inline struct page_set set_and(const struct page_set *a,
				      const struct page_set *b)
{
	struct page_set s;

	for (uint32_t w = 0; w < PAGE_WORDS; w++)
		s.w[w] = a->w[w] & b->w[w];
	return s;
}

/* a without b. */
static inline struct page_set set_minus(const struct page_set *a,
					const struct page_set *b)
{
	struct page_set s;

	for (uint32_t w = 0; w < PAGE_WORDS; w++)
		s.w[w] = a->w[w] & ~b->w[w];
	return s;
}

static inline struct page_set set_or(const struct page_set *a,
				     const struct page_set *b)
{
	struct page_set s;

	for (uint32_t w = 0; w < PAGE_WORDS; w++)
		s.w[w] = a->w[w] | b->w[w];
	return s;
}

/* Pages [first, first + nr). */
static inline struct page_set set_range(uint32_t first, uint32_t nr)
{
	struct page_set s = { { 0 } };

	if (nr)
		bitmap_set_range(s.w, first, nr);
	return s;
}

/* live_kernel.c: the kernel's calls. 0 or -errno; why says what and what to
 * do about it. */
int kernel_open(struct live_host *h, char *why, size_t why_size);
int kernel_probe(struct live_host *h, char *why, size_t why_size);
void kernel_close(struct live_host *h);
int kernel_map_guest(struct live_host *h, struct live_guest *g);
void kernel_unmap_guest(struct live_guest *g);
void kernel_view(struct live_host *h, const struct live_guest *g,
		 uint32_t region, struct region_view *out);
/* Allow a huge page for a first touch, where they are kept off between them. */
void kernel_allow_huge(const struct live_host *h, const struct live_guest *g,
		       uint32_t region, bool allow);
void kernel_touch(struct live_host *h, const struct live_guest *g, pfn_t pfn,
		  uint32_t nr, bool write, uint64_t *faults);
void kernel_discard(const struct live_guest *g, enum hv_advice advice,
		    pfn_t pfn, uint32_t nr);

/* live_memory.c: bytes that this process can still take. The arguments are
 * "/proc" and "/sys/fs/cgroup", but for tests. */
uint64_t memory_available(const char *proc, const char *sys);
/* live_smaps.c: what the kernel says of whole mappings. */
int smaps_read(const struct live_host *h, struct hv_real *out);
/* Word in brackets of a file such as .../enabled; "" if it cannot be read. */
void read_choice(const char *path, char *out, size_t out_size);

/* live_region.c: what the differences mean. */
void region_refresh(const struct live_ref *r);
/* The caller has had it made huge. */
void region_collapsed(const struct live_ref *r);
void region_accessed(const struct live_ref *r, uint32_t first, uint32_t nr,
		     bool write);
bool region_discarded(const struct live_ref *r, enum hv_advice advice,
		      uint32_t first, uint32_t nr);

/* live.c */
struct live_guest *live_guest(const struct hypervisor *hv, uint32_t id);
/* live_khugepaged.c */
uint64_t live_khugepaged(struct hypervisor *hv, struct hv_events *ev);
void live_khugepaged_exit(struct live_host *h, uint32_t guest);
/* live_check.c */
const char *live_check(const struct hypervisor *hv);

#endif
