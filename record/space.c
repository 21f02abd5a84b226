/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One recorded address space: what is mapped, and which pages were touched.
 *
 * A page is touched when /proc/PID/pagemap has it present (or swapped out), not
 * as a page of a file, and mapped by nobody else: so the shared page of zeroes
 * is none, and of a page that fork() shares, the parent's touch counts, and the
 * child's when it has a copy, or the page for itself. In the moment of a fork
 * all pages are shared: those that are new since the last look are the parent's,
 * even the page of zeroes. Documentation/admin-guide/mm/pagemap.rst describes
 * the bits. Huge pages are off in a recorded program, else a touch of one byte
 * would show as 512 pages.
 */
#include "record/space.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "include/bitmap.h"
#include "include/minmax.h"

#define PM_PRESENT (UINT64_C(1) << 63)
#define PM_SWAP (UINT64_C(1) << 62)
#define PM_FILE (UINT64_C(1) << 61)
#define PM_EXCLUSIVE (UINT64_C(1) << 56)
#define ENTRIES_AT_ONCE 4096u
/* Reserved address space beyond this is not looked through for pages. */
#define MAX_SAMPLED (UINT64_C(64) << 30)
#define REGION_SHIFT 21
#define MIN_REGIONS 64u

uint64_t record_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

void space_emit(struct space *s, enum trace_mem_op op, uint64_t addr,
		uint64_t len)
{
	struct record_sink *sink = s->sink;
	const struct trace_event e = {
		.kind = TRACE_MEM,
		.task = s->task,
		.ns = record_clock() - sink->start_ns + 1,
		.u.mem = { .addr = addr, .len = len, .op = (uint8_t)op },
	};

	if (sink->err)
		return;
	sink->err = blt_put(sink->writer, &e);
	sink->counts.events++;
	sink->counts.ops[op]++;
	if (op == TRACE_MEM_TOUCH)
		sink->counts.touched_pages += bytes_to_pages(len);
}

static int open_proc(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

struct space *space_new(struct record_sink *sink, pid_t pid, const char *comm)
{
	const struct trace_task t = { .pid = (uint32_t)pid, .comm = comm };
	struct space *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->sink = sink;
	s->pid = pid;
	s->users = 1;
	s->touched_capacity = MIN_REGIONS;
	s->touched = calloc(MIN_REGIONS, sizeof(*s->touched));
	if (!s->touched) {
		free(s);
		return NULL;
	}
	s->pagemap = open_proc(pid, "pagemap");
	s->statm = open_proc(pid, "statm");
	if (!sink->err)
		sink->err = blt_task(sink->writer, &t, &s->task);
	sink->counts.blind += s->pagemap < 0;
	sink->counts.processes++;
	if (++sink->counts.alive > sink->counts.lanes)
		sink->counts.lanes = sink->counts.alive;
	return s;
}

void space_free(struct space *s)
{
	if (!s)
		return;
	if (s->pagemap >= 0)
		close(s->pagemap);
	if (s->statm >= 0)
		close(s->statm);
	ranges_free(&s->mapped);
	free(s->touched);
	free(s);
}

/* ---- touched pages ---- */

static struct touched_region *region_slot(const struct space *s, uint64_t nr)
{
	const uint64_t mask = s->touched_capacity - 1;
	uint64_t i = (nr * UINT64_C(0x9e3779b97f4a7c15)) >> 32 & mask;

	while (s->touched[i].nr && s->touched[i].nr != nr)
		i = (i + 1) & mask;
	return &s->touched[i];
}

/* Twice as many slots; 0 or -ENOMEM. */
static int grow_touched(struct space *s)
{
	struct touched_region *old = s->touched;
	const uint64_t nr = s->touched_capacity;

	s->touched = calloc(nr * 2, sizeof(*old));
	if (!s->touched) {
		s->touched = old;
		return -ENOMEM;
	}
	s->touched_capacity = nr * 2;
	for (uint64_t i = 0; i < nr; i++)
		if (old[i].nr)
			*region_slot(s, old[i].nr) = old[i];
	free(old);
	return 0;
}

/* The region of an address, made if need be; NULL: no memory. */
static struct touched_region *region_get(struct space *s, uint64_t addr)
{
	const uint64_t nr = addr >> REGION_SHIFT;
	struct touched_region *r = region_slot(s, nr);

	if (r->nr)
		return r;
	if (s->nr_touched * 2 >= s->touched_capacity) {
		if (grow_touched(s))
			return NULL;
		r = region_slot(s, nr);
	}
	s->nr_touched++;
	r->nr = nr;
	return r;
}

static unsigned int page_in_region(uint64_t addr)
{
	return (addr >> PAGE_SHIFT) % REGION_PAGES;
}

static void forget_touched(struct space *s, uint64_t start, uint64_t end)
{
	while (start < end) {
		struct touched_region *r = region_slot(s,
						       start >> REGION_SHIFT);
		const uint64_t next = ((start >> REGION_SHIFT) + 1)
				      << REGION_SHIFT;
		const uint64_t stop = min_u64(next, end);

		for (; r->nr && start < stop; start += PAGE_SIZE)
			bitmap_clear(r->bits, page_in_region(start));
		start = stop;
	}
}

/* ---- mappings ---- */

static void no_memory(struct space *s)
{
	if (!s->sink->err)
		s->sink->err = -ENOMEM;
}

void space_unmap(struct space *s, uint64_t start, uint64_t end)
{
	const struct addr_range *r;

	while ((r = ranges_first(&s->mapped, start)) && r->start < end) {
		const uint64_t from = max_u64(r->start, start);
		const uint64_t to = min_u64(r->end, end);

		space_emit(s, TRACE_MEM_UNMAP, from, to - from);
		forget_touched(s, from, to);
		if (ranges_del(&s->mapped, from, to)) {
			no_memory(s);
			return;
		}
		start = to;
	}
}

void space_map(struct space *s, uint64_t start, uint64_t end)
{
	if (start >= end)
		return;
	space_unmap(s, start, end);
	space_emit(s, TRACE_MEM_MAP, start, end - start);
	s->sink->counts.unsampled += end - start > MAX_SAMPLED;
	if (ranges_add(&s->mapped, start, end))
		no_memory(s);
}

void space_advise(struct space *s, enum trace_mem_op op, uint64_t start,
		  uint64_t end)
{
	const struct addr_range *r;

	for (r = ranges_first(&s->mapped, start); r && r->start < end;
	     r = ranges_first(&s->mapped, r->end)) {
		const uint64_t from = max_u64(r->start, start);
		const uint64_t to = min_u64(r->end, end);

		space_emit(s, op, from, to - from);
		if (op == TRACE_MEM_DONTNEED)
			forget_touched(s, from, to);
	}
}

void space_fork(struct space *child, struct space *parent)
{
	const struct addr_range *r;

	parent->forking = !parent->forked;
	space_sample(parent, 0, UINT64_MAX);
	parent->forking = false;
	child->forked = true;
	child->brk = parent->brk;
	child->stack = parent->stack;
	space_emit(child, TRACE_MEM_FORK, 0, 0);
	for (r = ranges_first(&parent->mapped, 0); r;
	     r = ranges_first(&parent->mapped, r->end))
		space_map(child, r->start, r->end);
}

/* ---- samples ---- */

static bool is_touched(const struct space *s, uint64_t entry)
{
	if (entry & PM_FILE)
		return false;
	if (entry & PM_PRESENT)
		return entry & PM_EXCLUSIVE || s->forking;
	return entry & PM_SWAP;
}

/* Runs of pages that were not known before. */
static void take_entries(struct space *s, uint64_t addr, const uint64_t *entry,
			 size_t nr)
{
	uint64_t run = 0;

	for (size_t i = 0; i <= nr; i++, addr += PAGE_SIZE) {
		struct touched_region *r = NULL;
		bool is_new = false;

		if (i < nr && is_touched(s, entry[i])) {
			r = region_get(s, addr);
			if (!r)
				no_memory(s);
			is_new = r && !bitmap_test(r->bits,
						   page_in_region(addr));
		}
		if (is_new) {
			bitmap_set(r->bits, page_in_region(addr));
			run += PAGE_SIZE;
		} else if (run) {
			space_emit(s, TRACE_MEM_TOUCH, addr - run, run);
			run = 0;
		}
	}
}

static void sample_range(struct space *s, uint64_t start, uint64_t end)
{
	uint64_t entry[ENTRIES_AT_ONCE];

	while (start < end && !s->sink->err) {
		const uint64_t left = bytes_to_pages(end - start);
		const size_t want = left < ENTRIES_AT_ONCE ? (size_t)left :
							     ENTRIES_AT_ONCE;
		const ssize_t got = pread(s->pagemap, entry,
					  want * sizeof(*entry),
					  (off_t)(bytes_to_pages(start) *
						  sizeof(*entry)));

		/* The process is gone, or going. */
		if (got < (ssize_t)sizeof(*entry))
			return;
		take_entries(s, start, entry, (size_t)got / sizeof(*entry));
		start += pages_to_bytes((uint64_t)got / sizeof(*entry));
	}
}

void space_sample(struct space *s, uint64_t start, uint64_t end)
{
	const struct addr_range *r;

	s->sink->counts.samples++;
	for (r = ranges_first(&s->mapped, start); r && r->start < end;
	     r = ranges_first(&s->mapped, r->end))
		if (r->end - r->start <= MAX_SAMPLED)
			sample_range(s, max_u64(r->start, start),
				     min_u64(r->end, end));
}

void space_sample_if_changed(struct space *s)
{
	char text[128];
	const ssize_t len = pread(s->statm, text, sizeof(text) - 1, 0);
	unsigned long long size, rss;

	if (len <= 0)
		return;
	text[len] = '\0';
	if (sscanf(text, "%llu %llu", &size, &rss) != 2 || rss == s->rss)
		return;
	s->rss = rss;
	space_read_stack(s);
	space_sample(s, 0, UINT64_MAX);
}
