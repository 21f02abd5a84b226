/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own sums, as text: /proc/self/smaps of the guests' mappings, and
 * the words in /sys that choose how huge pages are used.
 *
 * Pages that MADV_FREE has marked wait in batches of each CPU before smaps
 * shows them as LazyFree; those of this CPU are moved on first, as MADV_COLD
 * does (lru_add_drain() in madvise_cold(), 5.4 and later).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hypervisor/live.h"

#define SMAPS_BUFFER (64 * 1024)

void read_choice(const char *path, char *out, size_t out_size)
{
	char line[128] = "", *from, *to;
	FILE *f = fopen(path, "re");

	out[0] = '\0';
	if (!f)
		return;
	if (fgets(line, sizeof(line), f)) {
		from = strchr(line, '[');
		to = from ? strchr(from, ']') : NULL;
		if (to)
			snprintf(out, out_size, "%.*s", (int)(to - from - 1),
				 from + 1);
	}
	fclose(f);
}

static void drain_batches(void)
{
	void *p = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return;
	/* Older kernels do not know it, and show their marks later. */
	(void)madvise(p, PAGE_SIZE, MADV_COLD);
	munmap(p, PAGE_SIZE);
}

static bool is_guest_memory(const struct live_host *h, uint64_t start,
			    uint64_t end)
{
	for (uint32_t id = 0; id < HV_MAX_GUESTS; id++) {
		const struct live_guest *g = &h->guests[id];
		const uint64_t from = (uintptr_t)g->memory;

		/* Neighbours with the same flags are shown as one. */
		if (g->nr_pages && start < from + pages_to_bytes(g->nr_pages) &&
		    end > from)
			return true;
	}
	return false;
}

static void add_line(const char *line, struct hv_real *out)
{
	uint64_t kib;

	if (sscanf(line, "Rss: %" SCNu64 " kB", &kib) == 1)
		out->rss_pages += kib / pages_to_kib(1);
	else if (sscanf(line, "AnonHugePages: %" SCNu64 " kB", &kib) == 1)
		out->anon_huge_regions += kib / pages_to_kib(HPAGE_PMD_NR);
	else if (sscanf(line, "LazyFree: %" SCNu64 " kB", &kib) == 1)
		out->lazy_pages += kib / pages_to_kib(1);
}

int smaps_read(const struct live_host *h, struct hv_real *out)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	size_t size = 0;
	char *line = NULL;
	bool ours = false;

	if (!f)
		return -errno;
	/* Its own choice would be 1 KiB. */
	(void)setvbuf(f, NULL, _IOFBF, SMAPS_BUFFER);
	drain_batches();
	out->rss_pages = out->anon_huge_regions = out->lazy_pages = 0;
	while (getline(&line, &size, f) > 0) {
		uint64_t start, end;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &start, &end) == 2)
			ours = is_guest_memory(h, start, end);
		else if (ours)
			add_line(line, out);
	}
	free(line);
	fclose(f);
	return 0;
}
