/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reporter's only way to the guest and the host. reporter.h includes it.
 *
 * Each call says from where it may be made:
 *   W  a callback that the environment runs as work: process, work, drain,
 *      reply, start, stop, set_target, host_request, host_changed
 *   G  a call on behalf of the guest, which waits for it, no zone lock held:
 *      oom_notify, migrate_page, free_capture
 *   H  a hook under the zone lock: free_notify, block_unmark, tail_position,
 *      alloc_stall
 * Time that a call takes is charged to the worker (W) or to the task that runs
 * on this CPU (G, H).
 */
#ifndef REPORTER_ENV_H
#define REPORTER_ENV_H

#include "reporter/request.h"

/* Work items that a design may number as it likes, e.g. one per CPU. */
#define REPORTER_MAX_WORK (ALLOC_MAX_CPUS + 16)
/* Locks of its own. */
#define REPORTER_MAX_LOCKS 16
/* queue_work(): on the CPU where it is asked for, as system_wq does. */
#define REPORTER_THIS_CPU UINT32_MAX

/* Costs of a design's own data structures; the price list says how much. */
enum reporter_cost {
	COST_LOCAL,       /* store to per-CPU memory with interrupts off */
	COST_SHARED,      /* atomic operation on a line that other CPUs write */
	COST_SCAN,        /* one entry of an array or bitmap word looked at */
	NR_REPORTER_COSTS
};

/* Guest statistics as the stats queue carries them; pages, counts. */
struct reporter_guest_stats {
	uint64_t swap_in, swap_out, major_faults, minor_faults;
	uint64_t free, total, available, caches;
	uint64_t hugetlb_allocations, hugetlb_failures;
};

/*
 * Owned by the caller, outlives the reporter. `view` is for reading (lists,
 * zones, marks, pageblock types); every change goes through the calls, which
 * count and price it.
 */
struct reporter_env {
	void *ctx;
	const struct alloc *view;
	const struct host_status *host;
	/*
	 * Bit per page: free or just allocated, and known to read as zeroes.
	 * NULL but for designs with ops->knows_zero, which set and clear it.
	 */
	uint64_t *known_zero;

	/* ---- free lists ---- */

	/*
	 * W: zone lock. unlock() says how many list nodes the hold touched:
	 * looked at, put back or rotated. isolate() and putback() also show in
	 * the allocator's own work record; price one of the two.
	 */
	void (*lock)(void *ctx, unsigned int zone);
	void (*unlock)(void *ctx, unsigned int zone, uint32_t list_touches);

	/* W, under the zone lock: as the calls of the same name in alloc.h. */
	bool (*isolate)(void *ctx, pfn_t pfn);
	void (*isolate_raw)(void *ctx, pfn_t pfn);
	void (*putback)(void *ctx, pfn_t pfn, unsigned int order,
			enum migratetype mt);
	void (*putback_tail)(void *ctx, pfn_t pfn, unsigned int order,
			     enum migratetype mt);
	void (*set_mark)(void *ctx, pfn_t pfn, enum block_mark m);
	void (*rotate_to_front)(void *ctx, pfn_t pfn);

	/* ---- pages of its own ---- */

	/*
	 * W: allocate 2^rq->order pages on the CPU of the callback; zero *rq,
	 * set gfp and order. ALLOC_OK: *pfn is the design's until free().
	 * ALLOC_FAIL. ALLOC_AGAIN: one round of reclaim or compaction has been
	 * made for it; call again with the same *rq, at once or from a later
	 * callback, or give up.
	 */
	enum alloc_status (*allocate)(void *ctx, struct alloc_request *rq,
				      pfn_t *pfn);
	/* W, G: through the CPU's lists, as __free_pages does. */
	void (*free)(void *ctx, pfn_t pfn, unsigned int order);
	/*
	 * W, G: pages of the design that migrate_page() can move
	 * (__SetPageMovable); the claim rule and compaction count them.
	 */
	void (*set_movable)(void *ctx, pfn_t pfn, uint32_t nr, bool on);
	/* W, G: adjust_managed_page_count() of the zone of pfn. */
	void (*adjust_managed)(void *ctx, pfn_t pfn, int64_t pages);
	/* W: may the design have `bytes` of the guest kernel's memory for an
	 * array of its own? False only where a failure is injected. */
	bool (*kmalloc_ok)(void *ctx, size_t bytes);
	/* W, and free_capture: drain one CPU's lists to the buddy. */
	void (*drain_pcp)(void *ctx, unsigned int cpu);

	/* ---- host ---- */

	/*
	 * W: give nr blocks (1..capacity) to the host; entries stay valid and
	 * untouched until drain(). 0, or -errno: refused, no drain() follows.
	 */
	int (*report)(void *ctx, struct page_report *entries, unsigned int nr);
	/*
	 * W: a request of any kind, answered later by exactly one reply(). 0,
	 * or -errno: refused (-ENOSPC: the queue is full), no reply() follows.
	 * The host works on one request of a guest after the other.
	 */
	int (*send)(void *ctx, const struct host_request *rq);
	/*
	 * W, G: the same, and wait: *reply is filled when it returns. The
	 * caller is charged for both ways and for the host's work. From a hook
	 * (H) only with rq->hypercall: the zone lock is held all the while.
	 */
	int (*call)(void *ctx, const struct host_request *rq,
		    struct host_reply *reply);

	/*
	 * W: by an option of the design the host issues this command now. What
	 * the host takes for an answer changes; the design acts on it itself.
	 */
	void (*host_issues)(void *ctx, const struct host_command *command);

	/* ---- time and place ---- */

	/* Any: ask for process() after delay_ns; replaces an earlier request. */
	void (*schedule)(void *ctx, sim_ns_t delay_ns);
	/* Any: forget the request. */
	void (*cancel)(void *ctx);
	/*
	 * Any: ask for work(nr) on `cpu` after delay_ns; replaces an earlier
	 * request for this nr. A work item never runs on two CPUs at a time:
	 * one that is asked for while it runs begins when it has ended.
	 */
	void (*queue_work)(void *ctx, unsigned int nr, unsigned int cpu,
			   sim_ns_t delay_ns);
	/* Any: true if it was waiting. */
	bool (*cancel_work)(void *ctx, unsigned int nr);
	/* Any: the CPU that runs this. */
	unsigned int (*cpu)(void *ctx);
	/*
	 * Any: a lock of the design's own, number below REPORTER_MAX_LOCKS;
	 * waited for and paid for like a zone lock. Taken inside a zone lock
	 * or alone.
	 */
	void (*own_lock)(void *ctx, unsigned int nr);
	void (*own_unlock)(void *ctx, unsigned int nr, uint32_t touches);
	/* Any: pay for n of these. */
	void (*charge)(void *ctx, enum reporter_cost what, uint64_t n);
	/* W: allocations that alloc_stall() holds up ask it again. */
	void (*wake_stalled)(void *ctx);
	/*
	 * Any, designs with needs_future: nanoseconds until the guest uses a
	 * page of the block again; UINT64_MAX = never, or not known.
	 */
	sim_ns_t (*next_use)(void *ctx, pfn_t pfn, unsigned int order);
	/* W: what the guest would answer to REQUEST_STATS. */
	void (*guest_stats)(void *ctx, struct reporter_guest_stats *out);
};

/* NUMA node of a page of the guest. */
static inline unsigned int reporter_node_of(const struct reporter_env *env,
					    pfn_t pfn)
{
	struct alloc_zone_info z;

	alloc_zone_info(env->view,
			(unsigned int)alloc_zone_of(env->view, pfn), &z);
	return z.node;
}

#endif
