/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's side of the live host: mappings, stores, discards, and reading
 * back what became of them. Discards are what QEMU's ram_block_discard_range()
 * makes of them (5.1 to 10.0): madvise() for anonymous memory, a hole punched
 * into the file and then madvise() where a memory file is behind it.
 *
 * PAGEMAP_SCAN (Linux 6.7) answers with ranges of pages that are alike. Its
 * interface is declared here: distributions' headers are often older than the
 * kernel that runs.
 *
 * A forked child does not get the mappings (MADV_DONTFORK): sharing them for
 * copy-on-write would cost faults that no guest causes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "hypervisor/live.h"
#include "include/check.h"

/* Argument of the PAGEMAP_SCAN ioctl. */
struct scan_arg {
	uint64_t size;
	uint64_t flags;
	uint64_t start, end;      /* addresses */
	uint64_t walk_end;        /* answer: where the walk stopped */
	uint64_t vec, vec_len;    /* struct scan_range[] */
	uint64_t max_pages;       /* 0 = all */
	uint64_t category_inverted;
	uint64_t category_mask;   /* all of these */
	uint64_t category_anyof;  /* or any of these */
	uint64_t return_mask;     /* to be told apart in the answer */
};

#define PAGEMAP_SCAN_CALL _IOWR('f', 16, struct scan_arg)

enum scan_category {
	SCAN_PRESENT = 1 << 3,
	SCAN_SWAPPED = 1 << 4,
	SCAN_ZERO_PAGE = 1 << 5,
	SCAN_HUGE = 1 << 6,
};

#define THP_DIR "/sys/kernel/mm/transparent_hugepage/"

/* Ranges of mapped or swapped pages in [p, p + size), or -errno. */
static int scan(int fd, const void *p, size_t size, struct scan_range *out,
		unsigned int max)
{
	const uint64_t any = SCAN_PRESENT | SCAN_SWAPPED;
	struct scan_arg arg = {
		.size = sizeof(arg),
		.start = (uintptr_t)p, .end = (uintptr_t)p + size,
		.vec = (uintptr_t)out, .vec_len = max,
		.category_anyof = any,
		.return_mask = any | SCAN_ZERO_PAGE | SCAN_HUGE,
	};
	const int n = ioctl(fd, PAGEMAP_SCAN_CALL, &arg);

	return n < 0 ? -errno : n;
}

void kernel_view(struct live_host *h, const struct live_guest *g,
		 uint32_t region, struct region_view *out)
{
	const char *p = page_address(g, region << HPAGE_PMD_ORDER);
	int n = scan(h->pagemap_fd, p, HPAGE_PMD_SIZE, h->ranges,
		     ARRAY_SIZE(h->ranges));

	CHECK_MSG(n >= 0, "PAGEMAP_SCAN failed: %s", strerror(-n));
	memset(out, 0, sizeof(*out));
	for (int i = 0; i < n; i++) {
		const struct scan_range *s = &h->ranges[i];
		struct page_set *set = s->categories & SCAN_ZERO_PAGE ?
			&out->zero : s->categories & SCAN_SWAPPED ?
			&out->swapped : &out->present;

		bitmap_set_range(set->w,
				 bytes_to_pages(s->start - (uintptr_t)p),
				 bytes_to_pages(s->end - s->start));
		if (set == &out->present && (s->categories & SCAN_HUGE))
			out->huge = true;
	}
}

/* ---- whether this host will do ---- */

static int refuse(char *why, size_t why_size, const char *text)
{
	snprintf(why, why_size, "%s", text);
	return -ENOTSUP;
}

int kernel_open(struct live_host *h, char *why, size_t why_size)
{
	struct scan_range one;
	char on_stack = 0;
	int n;

	if (sysconf(_SC_PAGESIZE) != (long)PAGE_SIZE)
		return refuse(why, why_size,
			      "real memory needs a host with pages of 4 KiB");
	h->pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (h->pagemap_fd < 0)
		return refuse(why, why_size,
			      "/proc/self/pagemap cannot be opened; mount "
			      "/proc, on a kernel with CONFIG_PROC_PAGE_MONITOR");
	n = scan(h->pagemap_fd,
		 (void *)((uintptr_t)&on_stack & ~(PAGE_SIZE - 1)), PAGE_SIZE,
		 &one, 1);
	if (n == 1)
		return 0;
	close(h->pagemap_fd);
	return refuse(why, why_size,
		      "the kernel cannot tell which pages are mapped: "
		      "PAGEMAP_SCAN wants Linux 6.7 or later");
}

/* Huge pages of other sizes would change what one fault brings. */
static int refuse_other_sizes(char *why, size_t why_size)
{
	for (unsigned int kib = 16; kib < 2048; kib *= 2) {
		char path[128], choice[16];

		snprintf(path, sizeof(path), THP_DIR "hugepages-%ukB/enabled",
			 kib);
		read_choice(path, choice, sizeof(choice));
		if (!choice[0] || !strcmp(choice, "never"))
			continue;
		snprintf(why, why_size, "the host has huge pages of %u KiB "
			 "('%s'), which are not modelled; echo never > %s, or "
			 "set thp = never", kib, choice, path);
		return -ENOTSUP;
	}
	return 0;
}

static int refuse_settings(const struct live_host *h, char *why,
			   size_t why_size)
{
	const bool advised = h->opt->madv_hugepage;
	char choice[16], size_choice[16];

	read_choice(THP_DIR "enabled", choice, sizeof(choice));
	read_choice(THP_DIR "hugepages-2048kB/enabled", size_choice,
		    sizeof(size_choice));
	/* Before 6.8 there is one setting for all sizes. */
	if (size_choice[0] && strcmp(size_choice, "inherit") != 0)
		snprintf(choice, sizeof(choice), "%s", size_choice);
	if (!strcmp(choice, "always") || (!strcmp(choice, "madvise") && advised))
		return prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) <= 0 ? 0 :
		       refuse(why, why_size, "this process was started with "
			      "huge pages disabled (PR_SET_THP_DISABLE)");
	snprintf(why, why_size, "the host gives no huge pages ('%s' in "
		 THP_DIR "enabled); as root: echo %s > " THP_DIR "enabled, or "
		 "set thp = never", choice[0] ? choice : "nothing",
		 advised ? "madvise" : "always");
	return -ENOTSUP;
}

/*
 * In a region that has had a page table: is a huge page to be had after all of
 * it was discarded? (PT_RECLAIM, Linux 6.14 on x86; else the empty table is in
 * the way.) On the way: can huge pages be had at all?
 */
static int probe_tables(struct live_host *h, struct live_guest *g)
{
	struct region_view v;
	uint64_t faults;

	kernel_allow_huge(h, g, 0, true);
	kernel_touch(h, g, 0, HPAGE_PMD_NR, true, &faults);
	kernel_view(h, g, 0, &v);
	if (!v.huge)
		return -ENOTSUP;
	kernel_discard(g, HV_DONTNEED, 0, 1);
	kernel_discard(g, HV_DONTNEED, 0, HPAGE_PMD_NR);
	kernel_touch(h, g, 0, 1, true, &faults);
	kernel_view(h, g, 0, &v);
	h->frees_tables = v.huge;
	return 0;
}

int kernel_probe(struct live_host *h, char *why, size_t why_size)
{
	struct live_guest g = { .nr_pages = HPAGE_PMD_NR, .nr_regions = 1 };
	char size[16];
	int err = 0;
	int fd = open(THP_DIR "hpage_pmd_size", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, size, sizeof(size) - 1);

	if (fd >= 0)
		close(fd);
	size[n > 0 ? n : 0] = '\0';
	if (strcmp(size, "2097152\n") != 0)
		return refuse(why, why_size, fd < 0 ?
			      THP_DIR "hpage_pmd_size cannot be read: no sysfs "
			      "or no huge pages here; an experiment does "
			      "without by host.thp = never" :
			      "the host has no huge pages of 2 MiB; an "
			      "experiment does without by host.thp = never");
	err = refuse_settings(h, why, why_size);
	if (!err)
		err = refuse_other_sizes(why, why_size);
	if (err)
		return err;
	err = kernel_map_guest(h, &g);
	if (err)
		return refuse(why, why_size, "2 MiB cannot be mapped");
	err = probe_tables(h, &g);
	kernel_unmap_guest(&g);
	return err ? refuse(why, why_size, "the host has no huge page left: "
			    "memory is fragmented; as root: echo 1 > "
			    "/proc/sys/vm/compact_memory") : 0;
}

void kernel_close(struct live_host *h)
{
	close(h->pagemap_fd);
}

/* ---- memory ---- */

static int memory_file(struct live_guest *g, size_t bytes)
{
	g->fd = memfd_create("buddylab-guest", MFD_CLOEXEC);
	if (g->fd < 0)
		return -errno;
	return ftruncate(g->fd, (off_t)bytes) ? -errno : 0;
}

static int advise_guest(const struct live_host *h, const struct live_guest *g,
			size_t bytes)
{
	int err = 0;

	if (h->wants_huge && h->opt->madv_hugepage &&
	    h->opt->khugepaged == LIVE_KHUGEPAGED_HOST)
		err = madvise(g->memory, bytes, MADV_HUGEPAGE);
	else if (!h->wants_huge || h->opt->madv_hugepage)
		/* Fails only on a kernel without huge pages. */
		(void)madvise(g->memory, bytes, MADV_NOHUGEPAGE);
	return err || madvise(g->memory, bytes, MADV_DONTFORK) ? -errno : 0;
}

/*
 * Whole regions of address space, of which the guest's pages are mapped; the
 * rest stays out of reach, so that no neighbour completes the last region.
 */
int kernel_map_guest(struct live_host *h, struct live_guest *g)
{
	const size_t size = g->nr_regions * HPAGE_PMD_SIZE;
	const size_t bytes = pages_to_bytes(g->nr_pages);
	const bool file = h->opt->memory_file == LIVE_FILE_MEMFD;
	char *p = mmap(NULL, size + HPAGE_PMD_SIZE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t before;
	int err = 0;

	g->fd = -1;
	if (p == MAP_FAILED)
		return -errno;
	before = (HPAGE_PMD_SIZE - (uintptr_t)p % HPAGE_PMD_SIZE) %
		 HPAGE_PMD_SIZE;
	if (before)
		munmap(p, before);
	munmap(p + before + size, HPAGE_PMD_SIZE - before);
	g->memory = p + before;
	g->reserved = size;
	if (file)
		err = memory_file(g, bytes);
	if (!err && mmap(g->memory, bytes, PROT_READ | PROT_WRITE,
			 MAP_FIXED | MAP_NORESERVE |
			 (file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS),
			 g->fd, 0) == MAP_FAILED)
		err = -errno;
	if (!err)
		err = advise_guest(h, g, bytes);
	if (err)
		kernel_unmap_guest(g);
	return err;
}

void kernel_unmap_guest(struct live_guest *g)
{
	if (g->memory)
		CHECK(munmap(g->memory, g->reserved) == 0);
	if (g->memory && g->fd >= 0)
		close(g->fd);
	g->memory = NULL;
}

/*
 * khugepaged leaves memory with MADV_NOHUGEPAGE alone, and what is huge stays
 * huge; so an empty region is advised while its first page is touched, or while
 * it is collapsed, and at no other time. Without any advice of the VMM there is
 * none to take back.
 */
void kernel_allow_huge(const struct live_host *h, const struct live_guest *g,
		       uint32_t region, bool allow)
{
	const pfn_t pfn = region << HPAGE_PMD_ORDER;

	if (!h->wants_huge || !h->opt->madv_hugepage ||
	    h->opt->khugepaged == LIVE_KHUGEPAGED_HOST ||
	    g->nr_pages - pfn < HPAGE_PMD_NR)
		return;
	CHECK(madvise(page_address(g, pfn), HPAGE_PMD_SIZE,
		      allow ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) == 0);
}

static uint64_t minor_faults(void)
{
	struct rusage u;

	CHECK(getrusage(RUSAGE_THREAD, &u) == 0);
	return (uint64_t)u.ru_minflt;
}

/* One word of each page. What is stored is not zero: Linux since 6.12 drops
 * pages full of zeroes when it splits a huge page. */
void kernel_touch(struct live_host *h, const struct live_guest *g, pfn_t pfn,
		  uint32_t nr, bool write, uint64_t *faults)
{
	const uint64_t before = minor_faults();
	uint64_t sum = 0;

	for (uint32_t i = 0; i < nr; i++) {
		volatile uint64_t *word =
			(volatile uint64_t *)(void *)page_address(g, pfn + i);

		if (write)
			*word = UINT64_MAX;
		else
			sum += *word;
	}
	(void)sum;
	*faults = minor_faults() - before;
	h->real.minor_faults += *faults;
}

void kernel_discard(const struct live_guest *g, enum hv_advice advice,
		    pfn_t pfn, uint32_t nr)
{
	void *p = page_address(g, pfn);
	int err = 0;

	if (g->fd >= 0)
		err = fallocate(g->fd,
				FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				(off_t)pages_to_bytes(pfn),
				(off_t)pages_to_bytes(nr));
	if (!err)
		err = madvise(p, pages_to_bytes(nr), advice == HV_FREE ?
			      MADV_FREE : MADV_DONTNEED);
	CHECK_MSG(!err, "a discard failed: %s", strerror(errno));
}
