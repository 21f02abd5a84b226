/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reporter is a design that tells the host which guest pages are free. One
 * file per design; adding one takes that file, a line in CMakeLists.txt and a
 * line in cli/registry.c (docs/writing-a-reporter.md).
 *
 * Order of calls:
 *   init -> { free_notify* | process | drain }* -> stop -> drain* -> destroy
 * process() runs when a delay asked for with env->schedule() has passed, or
 * at start. report() hands isolated blocks to the host and returns at once;
 * the host's acknowledgement arrives later as exactly one drain() with the
 * same entries. Between the two the entries belong to the host: they are on no
 * list, and allocation goes on meanwhile. process(), drain() and start() are
 * entered without any zone lock, and report() is called without one.
 *
 * Designs with more than one thing to do at a time use numbered work items
 * (queue_work -> work) and requests of several kinds (send -> reply) instead of
 * or beside these two pairs. The host may change a balloon's target or ask for
 * something at any time between start and stop; the guest may ask for a page to
 * be moved or given back.
 *
 * Hooks (free_notify, block_unmark, tail_position, alloc_stall) run under the
 * zone lock: they may change the reporter's own state and make the calls of
 * reporter/env.h that are marked "any", no more.
 */
#ifndef REPORTER_REPORTER_H
#define REPORTER_REPORTER_H

#include "alloc/alloc.h"
#include "include/option.h"
#include "include/types.h"
#include "reporter/counters.h"
#include "reporter/env.h"
#include "reporter/request.h"

#define REPORTER_WAIT UINT64_MAX

struct reporter {
	const struct reporter_ops *ops;
	const struct reporter_env *env;
	const void *options;      /* ops->options.size bytes */
	struct reporter_counters counters;
	void *state;              /* ops->state_size bytes, zeroed before init */
};

struct reporter_ops {
	const char *name;         /* experiment spelling, unique */
	const char *summary;
	struct option_table options;
	size_t state_size;
	/* 0, or -errno (bad combination of options; memory) with a reason. */
	int (*init)(struct reporter *r, char *why, size_t why_size);
	/*
	 * Start: the device appears; usually schedules the first process().
	 * Called again, it asks for another pass.
	 */
	void (*start)(struct reporter *r);
	void (*process)(struct reporter *r);
	void (*drain)(struct reporter *r, struct page_report *entries,
		      unsigned int nr, int err);
	/*
	 * The device goes away, process() will not be called again. Work that
	 * is under way may go on, as the kernel waits for a running work item:
	 * drain() may still report(). After the last drain() nothing is
	 * isolated.
	 */
	void (*stop)(struct reporter *r);
	/* True if nothing is pending, in flight or scheduled. */
	bool (*idle)(const struct reporter *r);
	/* Every promise of the design; NULL or a description. */
	const char *(*check)(const struct reporter *r);
	/* Last; a run may end while entries are with the host. */
	void (*destroy)(struct reporter *r);

	/* The device is not used by a guest that fills its free pages, if
	 * the host cannot be told so (host_status.page_poison). */
	bool withdraws_if_poisoned;

	/* Hooks into the allocator; NULL = not wanted. See alloc_hooks. */
	unsigned int (*notify_order)(const struct reporter *r);
	void (*free_notify)(struct reporter *r, unsigned int zone, pfn_t pfn,
			    unsigned int order);
	bool unmark_on_move;
	void (*block_unmark)(struct reporter *r, unsigned int zone, pfn_t pfn,
			     unsigned int order, enum migratetype mt,
			     enum unmark_reason why);
	/* See alloc_hooks: marks kept by the parts of a split block. */
	void (*block_marked)(struct reporter *r, unsigned int zone, pfn_t pfn,
			     unsigned int order, enum migratetype mt);
	/* See alloc_hooks; a design's own rotations are heard of, too. */
	void (*list_rotated)(struct reporter *r, unsigned int zone,
			     unsigned int order, enum migratetype mt);
	pfn_t (*tail_position)(struct reporter *r, unsigned int zone,
			       unsigned int order, enum migratetype mt);
	/* Wants env->next_use(): cells take a first pass without reporting. */
	bool needs_future;
	/*
	 * Position of the design's boundary on a list, for `step`'s `lists`:
	 * true and *pfn (PFN_NONE = at the end) while one exists.
	 */
	bool (*boundary)(const struct reporter *r, unsigned int zone,
			 unsigned int order, enum migratetype mt, pfn_t *pfn);

	/* ---- more calls, each NULL if the design has no use for it ---- */

	/* env->queue_work(nr) is due. */
	void (*work)(struct reporter *r, unsigned int nr);
	/* The host has answered a send(); the same entries. */
	void (*reply)(struct reporter *r, const struct host_request *rq,
		      const struct host_reply *reply);
	/* The host wants the balloon to hold so many 4 KiB pages. */
	void (*set_target)(struct reporter *r, uint64_t pages);
	/* A command of the host. 0; -EOPNOTSUPP: not of this kind. */
	int (*host_request)(struct reporter *r,
			    const struct host_command *command);
	/* env->host has changed. */
	void (*host_changed)(struct reporter *r);

	/*
	 * The guest is about to kill a task: give pages back now with
	 * env->free(). Returns how many; REPORTER_WAIT: the design is busy, ask
	 * again after its next env->wake_stalled().
	 */
	uint64_t (*oom_notify)(struct reporter *r);
	/* Direct reclaim runs the shrinkers: about nr_pages are wanted. */
	uint64_t (*shrink)(struct reporter *r, uint64_t nr_pages);
	/* Is this allocated page one of the design's movable ones? */
	bool (*owns_page)(const struct reporter *r, pfn_t pfn);
	/*
	 * Compaction wants `from` free: let `to`, which it has allocated, take
	 * its place. 0: `to` is the design's, and `from` the caller's to free;
	 * -EAGAIN: busy, nothing has changed.
	 */
	int (*migrate_page)(struct reporter *r, pfn_t from, pfn_t to);

	/* A free of any order, before the CPU's lists or the buddy see it;
	 * no zone lock is held. */
	void (*free_capture)(struct reporter *r, unsigned int zone, pfn_t pfn,
			     unsigned int order, unsigned int cpu);
	/*
	 * An allocation is about to hand this block out. True: some of it is
	 * still with the host; the block stays with the allocation, which is
	 * parked (ALLOC_AGAIN, ALLOC_REASON_STALL) and asks again after
	 * env->wake_stalled(). A design with this hook has no run-ahead.
	 */
	bool (*alloc_stall)(struct reporter *r, unsigned int zone, pfn_t pfn,
			    unsigned int order, unsigned int cpu);
	/*
	 * The design keeps env->known_zero: the guest kernel does not clear
	 * what it hands to programs from these pages.
	 */
	bool knows_zero;
	/* Mask of enum block_mark: what the parts of a split block keep. */
	unsigned int marks_kept_on_split;
	/* Take out what these options have no use for; NULL: all are used. */
	void (*trim_hooks)(const struct reporter *r, struct alloc_hooks *h);
};

extern const struct reporter_ops none_reporter;
extern const struct reporter_ops page_reporting_reporter;
extern const struct reporter_ops hinted_boundary_reporter;
extern const struct reporter_ops ideal_reporter;
extern const struct reporter_ops percpu_array_reporter;
extern const struct reporter_ops zone_bitmap_reporter;
extern const struct reporter_ops per_free_reporter;
extern const struct reporter_ops balloon_reporter;
extern const struct reporter_ops pull_bitmap_reporter;
extern const struct reporter_ops host_zeroed_reporter;
extern const struct reporter_ops free_page_hint_reporter;
extern const struct reporter_ops skeleton_reporter;

/*
 * Fill the reporter's part of *h (reporter_ctx and the hooks that the design
 * wants; NULL for the others); the rest of *h is left alone.
 */
void reporter_fill_hooks(struct reporter *r, struct alloc_hooks *h);

#endif
