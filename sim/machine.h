/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private layout of a running cell: the host, guests, vCPUs, tasks and locks,
 * and who calls whom inside sim/.
 *
 *     guests.c   launches guests, ends them, says who is killed
 *     phase.c    opens and closes the measured window
 *     phase_tasks.c  starts the tasks of a guest
 *     ahead.c    runs of steps that concern nobody else
 *     vcpu.c     one step of a task: workload op -> guest -> prices
 *     native.c   the same for a process of the host itself
 *     laps.c     how long operations took that a workload wants timed
 *     host.c     touches and discards -> hypervisor -> prices
 *     host_serve.c  requests of the device -> hypervisor
 *     host_threads.c  khugepaged of the host
 *     host_swap.c  its swap device and kswapd, and what both are wasted on
 *     device.c   the reporter's device: set-up, callbacks, what is asked of it
 *     device_*.c its environment in virtual time: env, host, work
 *     kthreads.c the vmstat worker
 *     kthread_mem.c kswapd, kcompactd and khugepaged
 *     oom.c      who is killed when there is no memory left
 *     walk_count.c  accesses by size of both page tables' leaves
 *     stats.c    counters, samples, results
 *     stall.c    tasks that wait for a host that never answers
 *     tap.c      allocator calls for a listener
 *     event.c    what users do to a running guest
 *     inject*.c  what is made to fail, and what has to come of it
 *     pull.c     a host that is short asks the guests for pages
 *     reuse.c    reports whose block was used again soon
 *     first_pass.c  the future, for a design that may know it
 */
#ifndef SIM_MACHINE_H
#define SIM_MACHINE_H

#include "guest/guest.h"
#include "include/diag.h"
#include "include/rng.h"
#include "sim/engine.h"
#include "sim/future.h"
#include "sim/guest_boot.h"
#include "sim/native.h"
#include "sim/reclaim.h"
#include "sim/reuse.h"
#include "sim/sim.h"
#include "sim/walk_count.h"

struct sim_guest;

#define LOCK_NR_BUCKETS 7

/* One zone lock in virtual time: a FIFO whose holder leaves at free_at. */
struct zone_lock {
	sim_ns_t free_at;
	uint64_t acquisitions, contended;
	uint64_t wait_ns, hold_ns, max_hold_ns;
	uint64_t holds[LOCK_NR_BUCKETS]; /* by length; lock.c */
};

/* One process of a workload, pinned to a vCPU. */
struct task {
	uint32_t mm;
	uint32_t file;              /* valid if has_file */
	uint16_t nr;                /* number within the phase */
	bool has_mm, has_file, started, exiting, done;
	bool op_active, op_counted;
	bool replacing;             /* its address space, by a new one */
	bool op_fill, op_lap;       /* WORKLOAD_TOUCH_FILL, WORKLOAD_LAP */
	sim_ns_t lap_began;
	uint32_t nr_laps;           /* that ended */
	struct native_mm *native;   /* process of the host: no guest's mm */
	uint32_t native_slot;       /* of the operation under way */
	struct guest_op op;
	struct workload_op record;  /* RECORD op that waits for the reporter */
	bool record_waits;
	uint64_t slot_addr[WORKLOAD_MAX_SLOTS], slot_len[WORKLOAD_MAX_SLOTS];
	uint32_t mmap_slot;         /* slot that an MMAP under way fills */
	uint64_t op_progress;       /* answer to the last GUEST_WAIT */
	uint64_t iterations;        /* counted touches since the task began */
	sim_ns_t wake_at;           /* not to run before */
	bool asleep;                /* in a SLEEP of its workload */
	bool oom_victim;            /* to exit as soon as it can */
	bool stalled;               /* its allocation waits for the host */
	sim_ns_t stalled_at;
};

/* A fault is a step of its own; zapping and freeing go in small runs. */
#define FAULT_BUDGET 1
#define FREE_BUDGET 16

/* Which pages of an array lie in regions that the host maps by huge leaves. */
struct page_levels {
	uint32_t first_huge;        /* so many, and of those behind them ... */
	uint64_t huge[BITMAP_WORDS(GUEST_AHEAD_MAX)];
};

/* Steps of one task that were begun and are not carried out yet. */
struct run_ahead {
	uint32_t nr;                /* 0 = none */
	struct task *task;
	sim_ns_t start, end;
	uint64_t ps;                /* fraction and charges at the start */
	uint64_t price;             /* of one fault */
	struct guest_ahead faults;
	/* On which of the host's leaves its pages, and those copied, are. */
	struct page_levels levels[2];
};

/* A virtual CPU: the tasks pinned to it, run in turns of one slice. */
struct vcpu {
	struct sim_guest *guest;
	uint16_t cpu;
	bool scheduled;             /* an event for it waits in the queue */
	struct engine_slot slot;    /* for that event: vcpu_event() */
	uint32_t nr_tasks, current; /* current: index in tasks */
	struct task **tasks;        /* of guest->tasks */
	uint32_t tasks_capacity;
	sim_ns_t slice_end;
	uint64_t ps;                /* fraction of a nanosecond carried over */
	uint64_t stolen_ps;         /* IPIs and worker time to be added */
	struct run_ahead ahead;
};

/* A request on its way to the host and back. */
struct flight {
	bool used;
	bool is_report;             /* of report(): ends in drain() */
	bool hangs;                 /* its answer never comes */
	sim_ns_t sent;
	struct host_request rq;
	struct host_reply reply;
};

/* A work item of the design. */
struct work_item {
	bool armed;
	uint16_t cpu;
	uint64_t seq;               /* of its event */
	sim_ns_t busy_until;        /* its last callback ended */
};

/* One batch for each CPU's thread, and some. */
#define MAX_FLIGHTS (ALLOC_MAX_CPUS + 64)

/* The reporter's side of a guest: env, timers, requests in flight. */
struct device {
	struct reporter r;
	struct reporter_env env;
	struct host_status host;
	bool present;               /* the device is registered */
	bool in_callback;
	uint16_t cpu;               /* that runs the callback */
	sim_ns_t now;               /* the worker's own time in a callback */
	uint64_t ps;                /* fraction of a nanosecond of it */
	sim_ns_t lock_start;        /* of the hold under way */
	sim_ns_t busy_until;        /* the worker's last callback ended */
	sim_ns_t host_busy_until;   /* the host's thread for this guest */
	bool timer_armed;
	uint64_t timer_seq;
	uint16_t worker_cpu;        /* vCPU that pays for the worker's time */
	struct guest_op alloc_op;   /* allocation that the design repeats */
	const struct alloc_request *alloc_for; /* whose it is; NULL = none */
	struct work_item *work;     /* REPORTER_MAX_WORK, or NULL: no work() */
	struct flight *flights;     /* MAX_FLIGHTS */
	unsigned int in_flight;     /* requests that the host has */
	uint64_t isolated_pages;    /* off the free lists, but free */
	struct zone_lock own_locks[REPORTER_MAX_LOCKS];
	sim_ns_t own_start[REPORTER_MAX_LOCKS];
	uint32_t hint_id;           /* of the run that the host wants, 0 = none */
	bool hint_open;             /* its start marker has come */
	uint64_t hint_pages, hint_saved_pages, hint_stale_pages;
	uint64_t batches, doorbells, hypercalls;
	uint64_t batch_hist[7];     /* by power of two, the last for all above */
};

enum kthread_kind {
	KTHREAD_KSWAPD,
	KTHREAD_KCOMPACTD,
	KTHREAD_KHUGEPAGED,         /* one for all nodes */
	NR_KTHREADS
};

/* A kernel thread of a node. */
struct kthread {
	bool running;               /* an event for it waits */
	bool begun;                 /* it is in the midst of op */
	bool wanted;                /* woken since it began */
	bool compacts;              /* ... by one that does not compact itself */
	uint16_t cpu;
	unsigned int order, highest; /* what for */
	struct guest_op op;
};

#define SHELL_MAX_QUEUE 8

/* Commands of [event] sections that a process of the guest carries out. */
struct shell {
	bool busy;
	struct guest_op op;
	uint8_t nr;
	struct guest_op queue[SHELL_MAX_QUEUE];
};

enum guest_state {
	GUEST_ABSENT,               /* has not been launched */
	GUEST_RUNS,
	GUEST_GONE,                 /* shut down or killed; it is not back */
};

struct sim_guest {
	struct sim *sim;
	unsigned int id;            /* index in sim->guests */
	enum guest_state state;
	unsigned int launch_nr;     /* how many had been launched before */
	bool finished;              /* its first tasks are done */
	uint32_t nr_left;           /* tasks that are not done */
	uint32_t hv_id;             /* the hypervisor's number for it */
	const struct hv_guest_map *hv_map; /* accesses that cost nothing */
	struct alloc *alloc;
	struct guest *mm;
	struct topology topo;
	struct guest_map map;
	struct alloc_work work;
	struct touch_buffer *touches;
	struct hv_events host;      /* what its accesses and discards cost */
	struct reuse_map reuse;
	struct walk_counts walk;
	struct zone_lock locks[ALLOC_MAX_ZONES];
	struct device dev;
	struct rng shuffle_rng, boot_rng, phase_rng;
	struct vcpu *vcpus;         /* topo.nr_cpus */
	struct task *tasks;         /* of the current phase */
	uint32_t nr_tasks;
	uint32_t nr_ahead;          /* vCPUs with a run under way */
	struct digest *cpu_digests; /* topo.nr_cpus */
	bool may_stall;             /* allocations may wait for the host */
	uint64_t *known_zero;       /* bit per page, or NULL; of the design */
	size_t known_zero_words;
	uint16_t running_cpu;       /* vCPU whose step runs now */
	bool frees_unseen;          /* steps that only free may be made one */
	const struct task *running; /* task whose step it is, or NULL */
	struct workload workload;
	void *workload_state;
	/* workload = trace */
	struct replay *replay;
	struct diag replay_diag;
	uint64_t record_reports;    /* Q records passed */
	uint64_t record_putbacks;   /* R records passed */
	uint64_t record_seen;       /* what the design had done ... */
	sim_ns_t record_since;      /* ... when that last changed */
	uint64_t records_applied, record_misses;
	sim_ns_t record_waited;     /* in this phase, for the design */
	struct shell shell;
	struct inject_state *inject; /* cfg.nr_injects; NULL = none */
	struct kthread kthreads[NR_KTHREADS][ALLOC_MAX_NODES];
	uint64_t base_pages;        /* kept by the kernel since boot */
	uint64_t reclaim_rounds, oom_kills, tasks_started;
	/* Requests that ended without a page while the host had blocks. */
	uint64_t failures_in_flight;
	uint64_t alloc_stalls, alloc_stall_ns;
	/* Pages free in the guest that the host wrote to swap; pages read from
	 * it to be overwritten. */
	uint64_t swap_out_of_guest_free_pages, swap_in_dead;
};

/* Swap of the host in virtual time. */
struct host_swap {
	struct hv_env env;
	const struct sim_guest *user; /* whose access it is, or NULL */
	sim_ns_t free_at;           /* the device has done what it was given */
	uint64_t free_ps;           /* and a fraction of a nanosecond */
	uint64_t wait_ns;           /* of all who waited for it */
};

struct sim {
	struct sim_config cfg;
	struct engine engine;
	struct price_now price;     /* at the busy count of this phase */
	struct hypervisor *hv;
	struct sim_guest *guests;
	unsigned int nr_guests;
	struct digest digest;
	struct digest joined;       /* made from all, for a result */
	uint32_t nr_ahead;          /* of all guests */
	uint64_t discards_served;   /* requests that took pages from a guest */
	bool check_soon;            /* ... and this one is to be looked at */
	struct host_swap swap;
	struct hv_events host_own;  /* of the host's threads, for no guest */
	uint64_t host_stolen_ns;
	bool pulling;               /* the host is short, and asks */
	/* guests.c */
	bool launch_armed;          /* an event for the next launch waits */
	bool launch_over;           /* stop_at: nobody is launched any more */
	uint64_t launch_seq;        /* of that event */
	struct sim_guest *newest;   /* launched last */
	uint32_t nr_guests_running;
	uint64_t guests_launched, guests_fit, guests_exited, guests_killed;
	uint64_t host_oom_kills;
	uint64_t peak_used_pages;   /* of the host, so far */
	uint64_t event_runs[SIM_MAX_EVENTS];
	struct native_counters native;

	/* Current phase. */
	const struct phase_options *opt;
	sim_ns_t phase_began;
	bool measuring, stopping, window_closed, failed;
	uint32_t nr_running;        /* tasks that are not done, all guests */
	uint32_t starts_due;        /* guests whose tasks begin later */
	int error;                  /* -errno of a failed run */
	char why[256];
	uint64_t window_iterations;
	struct {
		uint64_t ns, nr;    /* of all tasks */
	} laps[WORKLOAD_MAX_LAPS];
	sim_ns_t window_start, window_end;
	uint64_t open_event, close_event; /* of the window */

	/* Of a design that needs the future: made before the first phase. */
	struct future *future;
	struct future *recorder;    /* this is the first pass: note uses here */

	struct reclaim reclaim;
	struct sim_sample gauges_at_close;

	/* Results. */
	struct sim_phase_result *phases;
	unsigned int nr_phases_run;
	struct sim_counter_desc counter_table[SIM_MAX_COUNTERS + 1];
	uint64_t at_open[SIM_MAX_COUNTERS], at_close[SIM_MAX_COUNTERS];
	struct sim_sample *samples;
	struct sim_map *maps;
	unsigned int nr_maps;
	unsigned int nr_samples, samples_capacity;
	struct sim_guest_sample *guest_samples; /* NULL: a single guest */
	struct sim_result result;
};

/* Stop the run with a reason; the first one wins. */
__attribute__((format(printf, 3, 4)))
void sim_fail(struct sim *s, int error, const char *fmt, ...);

/* Prices at so many busy vCPUs. sim.c */
void sim_set_prices(struct sim *s, unsigned int busy);

/* vcpu.c */
void vcpu_wake(struct vcpu *v, sim_ns_t at);
void vcpu_event(void *ctx, uint64_t arg);
bool vcpu_has_work(const struct vcpu *v);
/* What the task does now is given up, its exit begins. */
void task_begin_exit(struct sim_guest *g, struct task *t);
/* Not to run again before the design's wake_stalled(). */
void task_stall(struct sim_guest *g, struct task *t);
/* Reclaim, compaction and migration, in picoseconds. */
uint64_t price_of_help(const struct price_now *p, const struct guest_work *w);

/*
 * ahead.c: the next steps of this task that nobody else can see, as one run;
 * false if there are none. The vCPU is due again at v->ahead.end.
 */
bool ahead_begin(struct vcpu *v, struct task *t, sim_ns_t now);
/* All of the run has passed: carry it out. */
void ahead_finish(struct vcpu *v);
/* Runs of all vCPUs go no further than what happens at `at` by `rank`. */
void ahead_settle(struct sim *s, sim_ns_t at, uint32_t rank);
void ahead_settle_guest(struct sim_guest *g, sim_ns_t at, uint32_t rank);
void ahead_fill_hooks(struct alloc_hooks *h);
/* Faults of other vCPUs that began before now are carried out. */
void ahead_look_around(void *ctx);

/* phase.c */
void phase_task_done(struct sim_guest *g, struct task *t);
void phase_note_iterations(struct sim *s, uint32_t pages);

/* laps.c: the task begins an operation; the one before it has ended. */
void laps_next(struct sim *s, struct task *t, sim_ns_t now);
/* Mean time of lap i over the tasks; false if there is none. */
bool laps_mean(const struct sim *s, unsigned int i, sim_ns_t *ns);
/* stall.c: true, and the run has failed, if all tasks wait in vain. */
bool stall_is_final(struct sim *s);

/* phase_tasks.c: all tasks of a phase, from now on. 0 or -errno. */
int phase_start_tasks(struct sim_guest *g, const struct sim_phase_config *c,
		      char *why, size_t why_size);
void phase_end_tasks(struct sim_guest *g);

/* sim.c: boot it, with its device. 0, or -errno with a sentence in why. */
int sim_guest_build(struct sim *s, unsigned int id, char *why, size_t why_size);

/* guests.c */
static inline bool guest_runs(const struct sim_guest *g)
{
	return g->state == GUEST_RUNS;
}
/* Processes of the host need no guest, but its vCPUs. */
static inline bool phase_tasks_run(const struct sim_guest *g)
{
	return guest_runs(g) || (g->sim->opt && g->sim->opt->native);
}
/* Those that are there from the beginning. */
int guests_launch_first(struct sim *s, char *why, size_t why_size);
/* Launch number `id`, or the next if it is nr_guests. 0, or -EINVAL: there is
 * nobody to be launched. What goes wrong then ends the run. */
int guests_launch(struct sim *s, unsigned int id);
/* The VMM exits, or is killed; its counters stay. */
void guests_end(struct sim_guest *g, bool killed);
/* The last of its tasks is done. */
void guests_tasks_done(struct sim_guest *g);
/*
 * The host has no page for g (-ENOMEM), or g has reached its own limit
 * (-EDQUOT): kill somebody. True: try again; false: g is gone, or the run has
 * failed.
 */
bool guests_make_room(struct sim_guest *g, int err);
/* The same for a process of the host: kill the largest guest, if it is as large
 * as that. False: it is not, or there is none. */
bool guests_make_room_for_process(struct sim *s, uint64_t its_pages);
/* The host has begun to swap. */
void guests_swapped(struct sim *s);
/* How much of the host is in use, its page cache apart, for the peak. */
void guests_note_peak(struct sim *s);

/* record.c: workload = trace */
bool record_wanted(const struct sim *s);
/* The allocator of the snapshot, in place of a booted one. */
int record_boot(struct sim_guest *g, char *why, size_t why_size);
void record_fill_hooks(struct sim_guest *g, struct alloc_hooks *h);
/* What was allocated at the snapshot had been touched before it. */
void record_touch_allocated(struct sim_guest *g);
void record_destroy(struct sim_guest *g);
/* Apply one recorded operation, or put the task to sleep until it may be
 * applied. Always false: there is no guest operation to run. */
bool record_apply(struct sim_guest *g, struct task *t,
		  const struct workload_op *op, sim_ns_t now);

/* tap.c: the hook of a guest that somebody listens to */
void tap_fill_hooks(struct sim_guest *g, struct alloc_hooks *h);

/* lock.c: hold one lock, or `zones` (bit mask) for `ps` in total, from `at`;
 * return the wait in nanoseconds. */
sim_ns_t lock_hold(struct zone_lock *l, sim_ns_t at, sim_ns_t hold);
sim_ns_t zone_locks_hold(struct sim_guest *g, uint64_t zones, sim_ns_t at,
			 uint64_t hold_ps, uint64_t nr);

/* host_swap.c: before the hypervisor is initialised */
void host_swap_init(struct sim *s);
/* What swapping adds to the price of these events, in picoseconds: the time of
 * whoever waits, from `at` on. */
uint64_t host_swap_price(struct sim *s, sim_ns_t at,
			 const struct hv_events *ev);
void host_swap_note_access(struct sim_guest *g, enum touch_kind kind,
			   const struct hv_events *ev);

/* host_threads.c: when all guests are there */
void host_threads_start(struct sim *s);

/* host.c */
/* Order of the pages behind guest memory. */
unsigned int host_backing_order(const struct sim_config *cfg);
int host_init(struct sim *s, char *why, size_t why_size);
void host_destroy(struct sim *s);
int host_add_guest(struct sim_guest *g, char *why, size_t why_size);
/* One access outside of guest_run(): boot, records. Price in picoseconds. */
uint64_t host_touch(struct sim_guest *g, pfn_t pfn, unsigned int order,
		    enum touch_kind kind);
/* A migration begins or reads the log of the guest's writes, or ends it. */
void host_dirty_log(struct sim_guest *g, bool on);
void host_gauges(const struct sim_guest *g, struct hv_gauges *out);
void host_check(struct sim *s);
/* conserve.c: the host has the pages whose bit in anon is set; a CHECK. */
void conserve_check(const struct sim_guest *g, const uint64_t *anon);
/* Drain the guest's touch buffer; price in picoseconds. */
uint64_t host_drain_touches(struct sim_guest *g);
/*
 * Do what the device asks for; price in picoseconds, *flushes TLB flush
 * rounds.
 */
uint64_t host_serve(struct sim_guest *g, const struct host_request *rq,
		    struct host_reply *reply, uint64_t *flushes);
/* The host issues a command: what it takes for an answer from now on. */
void host_commands(struct sim_guest *g, const struct host_command *c);

/* device.c */
int device_init(struct sim_guest *g, char *why, size_t why_size);
void device_fill_hooks(struct sim_guest *g, struct alloc_hooks *h);
void device_start(struct sim_guest *g);
void device_stop(struct sim_guest *g);
void device_destroy(struct sim_guest *g);
bool device_idle(const struct sim_guest *g);
/* A callback of the design as work on `cpu`, from the engine's time on. */
void device_enter(struct sim_guest *g, unsigned int cpu);
void device_leave(struct sim_guest *g);
/* The time that the design's callback has come to. */
sim_ns_t device_now(const struct sim_guest *g);
/* The guest asks: pages freed; a page moved (as ops->migrate_page). */
uint64_t device_oom_notify(struct sim_guest *g);
uint64_t device_shrink(struct sim_guest *g);
bool device_owns_page(const struct sim_guest *g, pfn_t pfn);
int device_migrate_page(struct sim_guest *g, pfn_t from, pfn_t to);
/* The host asks. */
void device_set_target(struct sim_guest *g, uint64_t pages);
int device_host_request(struct sim_guest *g, const struct host_command *c);

/* device_env.c: lists, pages, locks */
void device_env_fill(struct reporter_env *env);
/* Charge picoseconds to whoever runs the design now. */
void device_spend(struct sim_guest *g, uint64_t ps);

/* device_work.c: what is armed is due now. */
void device_timer_expires(struct sim_guest *g);
void device_work_expires(struct sim_guest *g, unsigned int nr);

/* device_host.c: requests */
void device_host_fill(struct reporter_env *env);

/* device_work.c: timers and work items */
void device_work_fill(struct reporter_env *env);

/* pull.c: the host has had to give a page; it may be short of memory now */
void pull_if_short(struct sim *s);

/* first_pass.c: 0, or -errno with a sentence in why */
bool first_pass_wanted(const struct sim *s);
int first_pass_run(struct sim *s, const volatile sig_atomic_t *stop, char *why,
		   size_t why_size);
void first_pass_destroy(struct sim *s);
/* This is the first pass, and the guest uses the block. */
void first_pass_note(struct sim_guest *g, pfn_t pfn, unsigned int order);
/* From now, as far as the first pass can tell; FUTURE_NEVER. */
sim_ns_t first_pass_next_use(const struct sim_guest *g, pfn_t pfn,
			     unsigned int order);

/* kthreads.c: the vmstat worker */
void kthreads_start(struct sim_guest *g);

/* kthread_mem.c: kswapd, kcompactd, khugepaged */
void kthread_khugepaged_start(struct sim_guest *g);
void kthread_kswapd_wake(void *ctx, unsigned int node, unsigned int order,
			 unsigned int highest, gfp_t gfp);

/* Picoseconds of one run of op as work of a CPU; *status: is there more? */
uint64_t kthread_slice(struct sim_guest *g, struct guest_op *op,
		       unsigned int cpu, uint32_t budget,
		       enum guest_status *status);

/* event.c: a phase begins or has ended; events and injections that count from
 * there are put into the queue. */
void moments_pass(struct sim *s, unsigned int phase, enum moment_from from);
/* 0, or -EINVAL with a sentence: an event that had no time to happen. */
int events_verdict(const struct sim *s, char *why, size_t why_size);

/* oom.c: the request of this task finds no memory at all */
void oom_kill(struct sim_guest *g, struct task *t);

/* stats.c */
void stats_read(struct sim *s, uint64_t values[SIM_MAX_COUNTERS]);
void stats_sample(struct sim *s);
/* map.c: with a sample, if one is due */
void map_sample(struct sim *s);
/* What a sample shows, now. */
void stats_gauges(struct sim *s, struct sim_sample *out);
void stats_phase(struct sim *s, unsigned int i);

#endif
