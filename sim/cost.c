/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The built-in price list and the interpolation. docs/prices.md explains every
 * number; the list for the published 2019 machine is a file beside the
 * experiment, because its prices are solved from that machine's baseline.
 */
#include "sim/cost.h"

#include <string.h>

#define NS UINT64_C(1000)
#define US (1000 * NS)

struct price_desc {
	const char *name, *help;
	uint64_t ps;
	enum price_tag tag;
	const char *source;
};

static const struct price_desc descs[NR_PRICES] = {
	[PRICE_FAULT_THP] = {
		"fault_thp", "huge fault with zeroing and 512 touches",
		187 * US, PRICE_MEASURED,
		"Linux 6.18, Zen 4 class, page_fault1 with THP, one process" },
	[PRICE_FAULT_ANON] = {
		"fault_anon", "4 KiB anonymous fault with zeroing",
		1750 * NS, PRICE_MEASURED,
		"Linux 6.18, Zen 4 class, page_fault1, one process" },
	[PRICE_GUEST_ZERO_2M] = {
		"guest_zero_2m", "clearing of 2 MiB, the part of fault_thp",
		90 * US, PRICE_LITERATURE, "23 GB/s for one thread, as zero_2m" },
	[PRICE_GUEST_ZERO_4K] = {
		"guest_zero_4k", "clearing of 4 KiB, the part of fault_anon",
		300 * NS, PRICE_LITERATURE, "line fills and stores, as zero_4k" },
	[PRICE_GUEST_REZERO_2M] = {
		"guest_rezero_2m", "the same if the host has just cleared it",
		90 * US, PRICE_LITERATURE, "taken as no cheaper: guest_zero_2m" },
	[PRICE_GUEST_REZERO_4K] = {
		"guest_rezero_4k", "the same if the host has just cleared it",
		300 * NS, PRICE_LITERATURE, "taken as no cheaper: guest_zero_4k" },
	[PRICE_FAULT_COW] = {
		"fault_cow", "write fault of a private file mapping with copy",
		2320 * NS, PRICE_MEASURED,
		"Linux 6.18, Zen 4 class, page_fault2, one process" },
	[PRICE_FAULT_READ] = {
		"fault_read", "fault served by the zero page or the page cache",
		500 * NS, PRICE_LITERATURE, "minor fault without zeroing" },
	[PRICE_ZAP_4K] = {
		"zap_4k", "unmap and free of one 4 KiB mapping",
		150 * NS, PRICE_LITERATURE, "order of a tenth of the fault" },
	[PRICE_ZAP_THP] = {
		"zap_thp", "unmap and free of one huge mapping",
		2 * US, PRICE_LITERATURE, "one PMD, deposit, one free" },
	[PRICE_GUEST_WALK_REF] = {
		"guest_walk_ref", "one reference of a walk in a guest; 0: only counted",
		0, PRICE_LITERATURE,
		"part of what a fault was measured to cost" },
	[PRICE_TOUCH] = {
		"touch", "touch of a page that is mapped",
		14 * NS, PRICE_MEASURED,
		"Linux 6.18, Zen 4 class, one store per 4 KiB of huge pages" },
	[PRICE_FILL_4K] = {
		"fill_4k", "4 KiB of mapped memory written by a program",
		95 * NS, PRICE_MEASURED,
		"Linux 6.18, Zen 4 class, memset of huge pages, again" },
	[PRICE_WALK_REF] = {
		"walk_ref", "one memory reference of a page-table walk",
		1 * NS, PRICE_LITERATURE,
		"an entry in the second-level cache, mostly overlapped" },
	[PRICE_SYSCALL] = {
		"syscall", "system call without its work",
		300 * NS, PRICE_LITERATURE, "mmap/munmap entry and VMA work" },
	[PRICE_LOCK] = {
		"lock", "uncontended zone lock, taken and released",
		20 * NS, PRICE_LITERATURE, "two atomic operations, line in cache" },
	[PRICE_LIST_TOUCH] = {
		"list_touch", "one cold free-list node under the zone lock",
		80 * NS, PRICE_LITERATURE, "one miss to local memory" },
	[PRICE_RECLAIM_ROUND] = {
		"reclaim_round", "one fruitless round of direct reclaim",
		100 * US, PRICE_LITERATURE, "scan without progress" },
	[PRICE_RECLAIM_SCAN] = {
		"reclaim_scan", "page-cache page looked at by reclaim",
		200 * NS, PRICE_LITERATURE, "two misses, unlink, free" },
	[PRICE_MIGRATE_4K] = {
		"migrate_4k", "4 KiB page copied and mapped elsewhere",
		2000 * NS, PRICE_LITERATURE,
		"copy, two page-table updates, one local TLB flush" },
	[PRICE_COMPACT_SCAN] = {
		"compact_scan", "page looked at by compaction",
		10 * NS, PRICE_LITERATURE, "struct pages in a row" },
	[PRICE_VIOLATION] = {
		"violation", "EPT violation without zeroing",
		2500 * NS, PRICE_LITERATURE, "exit, memslot walk, host fault" },
	[PRICE_ZERO_2M] = {
		"zero_2m", "host clears 2 MiB",
		90 * US, PRICE_LITERATURE, "23 GB/s for one thread" },
	[PRICE_ZERO_4K] = {
		"zero_4k", "host clears 4 KiB",
		300 * NS, PRICE_LITERATURE, "line fills and stores" },
	[PRICE_SWAP_IN_4K] = {
		"swap_in_4k", "page read from swap, without its transfer",
		80 * US, PRICE_LITERATURE,
		"4 KiB read of an NVMe flash drive, queue empty; with its fault" },
	[PRICE_SWAP_OUT_4K] = {
		"swap_out_4k", "page unmapped and given to the swap device",
		3 * US, PRICE_LITERATURE,
		"rmap walk, slot, flush, block request; the order of a fault" },
	[PRICE_DISCARD_CALL] = {
		"discard_call", "one madvise call of a reported range",
		1400 * NS, PRICE_MEASURED,
		"Linux 6.18, DONTNEED of order 0: 1.4 us per call" },
	[PRICE_DISCARD_2M] = {
		"discard_2m", "zap of one huge mapping",
		4700 * NS, PRICE_MEASURED,
		"Linux 6.18, order 10 minus order 9: 10.8 - 5.9 us, rounded" },
	[PRICE_DISCARD_4K] = {
		"discard_4k", "zap of one small mapping",
		75 * NS, PRICE_MEASURED,
		"Linux 6.18, DONTNEED of order 6 and 8: 7.6 and 17.1 us" },
	[PRICE_TLB_FLUSH_VCPU] = {
		"tlb_flush_vcpu", "remote flush, per vCPU in guest mode",
		1500 * NS, PRICE_LITERATURE, "IPI, exit and re-entry" },
	[PRICE_DOORBELL] = {
		"doorbell", "virtqueue kick until the device thread runs",
		10 * US, PRICE_LITERATURE, "exit to user space and thread wake-up" },
	[PRICE_COMPLETION] = {
		"completion", "device interrupt until the guest worker runs",
		10 * US, PRICE_LITERATURE, "injection and workqueue wake-up" },
	[PRICE_HYPERCALL] = {
		"hypercall", "exit that is answered in the kernel, and back",
		1500 * NS, PRICE_LITERATURE, "round trip of a vmcall" },
	[PRICE_DESIGN_LOCAL] = {
		"design_local", "store to a design's per-CPU memory",
		5 * NS, PRICE_LITERATURE,
		"interrupts off and on, three stores to a line in cache" },
	[PRICE_DESIGN_SHARED] = {
		"design_shared", "atomic on a line of the design's that all write",
		60 * NS, PRICE_LITERATURE, "one line from another core's cache" },
	[PRICE_DESIGN_SCAN] = {
		"design_scan", "entry or bitmap word of the design's looked at",
		2 * NS, PRICE_LITERATURE, "sequential, in the first-level cache" },
};

static const char *const tag_names[] = {
	[PRICE_LITERATURE] = "literature",
	[PRICE_MEASURED] = "measured",
	[PRICE_BASELINE] = "baseline",
};

const char *price_name(enum price_id id)
{
	return descs[id].name;
}

const char *price_help(enum price_id id)
{
	return descs[id].help;
}

const char *price_tag_name(enum price_tag tag)
{
	return tag_names[tag];
}

void price_list_default(struct price_list *l)
{
	unsigned int i;

	memset(l, 0, sizeof(*l));
	snprintf(l->name, sizeof(l->name), "built-in");
	for (i = 0; i < NR_PRICES; i++) {
		l->p[i].ps_1 = l->p[i].ps_n = descs[i].ps;
		l->p[i].tasks = 1;
		l->p[i].tag = descs[i].tag;
		snprintf(l->p[i].source, sizeof(l->p[i].source), "%s",
			 descs[i].source);
	}
}

static uint64_t price_at(const struct price *p, unsigned int busy)
{
	int64_t slope;

	if (p->tasks <= 1 || busy <= 1)
		return p->ps_1;
	if (busy >= p->tasks)
		return p->ps_n;
	slope = (int64_t)p->ps_n - (int64_t)p->ps_1;
	return (uint64_t)((int64_t)p->ps_1 +
			  slope * (int64_t)(busy - 1) / (int64_t)(p->tasks - 1));
}

void price_list_at(const struct price_list *l, unsigned int busy,
		   struct price_now *out)
{
	unsigned int i;

	for (i = 0; i < NR_PRICES; i++)
		out->ps[i] = price_at(&l->p[i], busy);
}
