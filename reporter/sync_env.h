/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reporter on a bare allocator: a reporter_env without a machine, whose clock
 * is nothing but the sum of the delays that were asked for. For scripts
 * (`step`), replays and tests; sim/ has an environment of its own.
 *
 *     sync_env_init(&e, a, &cfg, why, sizeof(why));
 *     sync_env_hooks(&e, &hooks);      the caller's own hooks stay in place
 *     alloc_set_hooks(a, &hooks);
 *     sync_env_start(&e);
 *     sync_env_run_until_idle(&e, 100);   or run_pass, advance, process + ack
 *     sync_env_stop(&e);
 *     sync_env_destroy(&e);               after taking the hooks off again
 *
 * Reports and requests are acknowledged after report() or send() has returned,
 * oldest first, so a design runs here through the same states as on a machine.
 * Work items run one at a time, in the order of their times; call() is answered
 * at once.
 */
#ifndef REPORTER_SYNC_ENV_H
#define REPORTER_SYNC_ENV_H

#include "reporter/reporter.h"

#define SYNC_ENV_MAX_BATCHES 64
#define SYNC_ENV_NO_WORK REPORTER_MAX_WORK

/* What the design did, as it happens. Any pointer may be NULL. */
struct sync_env_watch {
	void *ctx;
	/* Accepted free pages: report(), and send() or call() of a REPORT or
	 * ANSWER. */
	void (*report)(void *ctx, const struct page_report *entries,
		       unsigned int nr);
	/* Every accepted send() and call(). */
	void (*request)(void *ctx, const struct host_request *rq);
	/* A successful isolation; mt = list that the block came from. */
	void (*isolate)(void *ctx, pfn_t pfn, unsigned int order,
			enum migratetype mt);
	/* Before the block is put back, so that the list can be looked at. */
	void (*putback)(void *ctx, pfn_t pfn, unsigned int order,
			enum migratetype mt);
	void (*mark)(void *ctx, pfn_t pfn, enum block_mark m);
	void (*rotate)(void *ctx, pfn_t pfn);
	/* End of a hold of the zone lock: list nodes touched in it. */
	void (*unlock)(void *ctx, unsigned int zone, uint32_t list_touches);
	/* A block that the design has got, or is about to give back. */
	void (*allocate)(void *ctx, pfn_t pfn, unsigned int order);
	void (*free)(void *ctx, pfn_t pfn, unsigned int order);
	void (*wake_stalled)(void *ctx);
};

struct sync_env_config {
	const struct reporter_ops *ops;
	const void *options;         /* outlives the env; NULL = defaults */
	struct sync_env_watch watch;
	sim_ns_t ack_latency_ns;     /* from report() to its drain() */
	unsigned int fail_every;     /* every n-th acknowledgement is -EIO */
	unsigned int refuse_every;   /* every n-th report(), send() is -ENOSPC */
	unsigned int kmalloc_fail_every; /* every n-th kmalloc_ok() is false */
	struct host_status host;     /* what the device tells the guest */
	/* Of the block, for designs that know the future; NULL: never. */
	sim_ns_t (*next_use)(void *watch_ctx, pfn_t pfn, unsigned int order);
	/* Does an entry read as zeroes once it is served? NULL: never. */
	bool (*zeroes)(void *watch_ctx, const struct page_report *entry);
};

/* A request that the host has. */
struct sync_env_batch {
	bool is_report;              /* answered by drain() */
	struct host_request rq;
	sim_ns_t due_ns;
};

struct sync_env_work {
	bool armed;
	unsigned int cpu;
	sim_ns_t due_ns;
};

struct sync_env {
	struct alloc *alloc;
	struct sync_env_config cfg;
	struct reporter reporter;
	struct reporter_env env;
	void *own_options;           /* the defaults, if none were given */

	sim_ns_t now_ns;
	bool scheduled;              /* process() is due at scheduled_ns */
	sim_ns_t scheduled_ns;
	int locked_zone;             /* -1 = no zone lock is held */
	uint64_t out_pages;          /* isolated and not yet put back */
	uint64_t own_pages;          /* allocated and not yet freed */
	struct sync_env_work *work;  /* REPORTER_MAX_WORK; NULL without work() */
	unsigned int nr_work;        /* one more than the largest used */
	unsigned int cpu;            /* of the call under way */
	uint32_t own_locked;         /* bit per lock of the design that is held */
	uint64_t charged[NR_REPORTER_COSTS];
	uint64_t kmallocs, calls, stall_wakes;

	struct sync_env_batch batches[SYNC_ENV_MAX_BATCHES];
	unsigned int first_batch, nr_batches;
	unsigned int max_in_flight;  /* blocks with the host, largest ever */
	uint64_t reports, acks;      /* for cfg.refuse_every, cfg.fail_every */
};

/*
 * 0, or -errno with a sentence in `why`: the design refuses these options on
 * this guest, or memory. The struct is its own environment's context: it must
 * not be moved afterwards.
 */
int sync_env_init(struct sync_env *e, struct alloc *a,
		  const struct sync_env_config *cfg, char *why,
		  size_t why_size);
/* Accepts a zeroed struct. The allocator's hooks must be off by now. */
void sync_env_destroy(struct sync_env *e);
/* Fill the reporter's part of *h; see reporter_fill_hooks(). */
void sync_env_hooks(struct sync_env *e, struct alloc_hooks *h);

/* The device appears; called again, it asks for another pass. */
void sync_env_start(struct sync_env *e);
/* The device goes away; acknowledges until nothing is in flight. */
void sync_env_stop(struct sync_env *e);

/*
 * Jump to the time of the next process() or work(), run it, and acknowledge
 * until nothing is in flight. False if there was nothing to run.
 */
bool sync_env_run_pass(struct sync_env *e);
/* Passes until nothing is scheduled, at most max_passes. Returns how many. */
unsigned int sync_env_run_until_idle(struct sync_env *e,
				     unsigned int max_passes);
/*
 * Let delta_ns pass: process(), work() and acknowledgements that fall due
 * happen in the order of their times; at the same time an acknowledgement
 * comes first, then process(), then work() by number.
 */
void sync_env_advance(struct sync_env *e, sim_ns_t delta_ns);

/* What host and guest ask of the design; results as those of reporter_ops. */
void sync_env_set_target(struct sync_env *e, uint64_t pages);
int sync_env_host_request(struct sync_env *e, const struct host_command *c);
void sync_env_set_host(struct sync_env *e, const struct host_status *host);
uint64_t sync_env_oom_notify(struct sync_env *e);
int sync_env_migrate_page(struct sync_env *e, pfn_t from, pfn_t to);

/* By hand: run process() now if it is scheduled, acknowledging nothing. */
bool sync_env_process(struct sync_env *e);
/* By hand: acknowledge the oldest batch with `err`. False if there is none. */
bool sync_env_ack(struct sync_env *e, int err);

/*
 * The design's own check(), and: between two calls of the design every block
 * that it has isolated is with the host.
 */
const char *sync_env_check(const struct sync_env *e);

#endif
