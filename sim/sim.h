/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One experiment cell: a host, its guests, their tasks and their reporters in
 * virtual time. This is the only header of sim/ that bench/ and cli/ need.
 *
 *     sim_create -> sim_run_phase 0..n-1 -> sim_result -> sim_destroy
 *
 * A phase may be run in one process and the rest in a fork of it: a struct sim
 * holds no descriptor, thread or lock, so bench/ builds a filled guest once and
 * forks a child for every cell that goes on from it.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <signal.h>

#include "alloc/alloc.h"
#include "hypervisor/hypervisor.h"
#include "include/digest.h"
#include "reporter/reporter.h"
#include "sim/cost.h"
#include "sim/events.h"
#include "trace/event.h"
#include "workloads/workload.h"

/* What is compiled in; the tables live in cli/registry.c. NULL-ended. */
struct sim_registry {
	const struct reporter_ops *const *reporters;
	const struct hypervisor_ops *const *hypervisors;
	const struct workload_ops *const *workloads;
	/* By number of reporter: XXH3-128 of the plugin that it came from, NULL
	 * for one that is compiled in. NULL if all are. */
	const char *const *reporter_digests;
};

/* [guest] */
struct guest_options {
	unsigned int kernel;      /* index into alloc_profile_names() */
	uint64_t memory;          /* bytes */
	uint64_t below_4g;        /* bytes of it below the PCI hole */
	uint64_t cpus;            /* 0 = as the topology says */
	char topology[OPTION_STRING_SIZE];
	bool shuffle;
	unsigned int thp;         /* enum thp_enabled */
	unsigned int thp_defrag;  /* enum thp_defrag */
	bool thp_aligned;         /* mmap aligns large mappings to 2 MiB */
	bool compaction;          /* pages can be moved */
	unsigned int files;       /* 0 = memory, 1 = disk */
	bool khugepaged;
	uint64_t khugepaged_pages_to_scan, khugepaged_max_ptes_none;
	sim_ns_t khugepaged_scan_sleep, khugepaged_alloc_sleep;
	uint64_t base;            /* bytes the kernel takes from the buddy */
	unsigned int poison;      /* enum guest_poison */
};

/* What the guest kernel writes to pages when they are freed. */
enum guest_poison { POISON_OFF, POISON_ZERO, POISON_PATTERN };

/* [host]; the other keys belong to the chosen hypervisor. */
struct host_options {
	uint64_t guests;          /* identical guests on this host */
	uint64_t swap_bandwidth;  /* bytes a second; 0 = no limit */
	uint64_t pull_below;      /* free bytes below which it pulls; 0 = no */
	char prices[OPTION_STRING_SIZE]; /* price file, empty = built in */
	unsigned int backing;     /* page size behind guest memory: 4K ... */
	bool page_poison;         /* the device offers that feature */
	unsigned int launch;      /* enum launch_policy */
	sim_ns_t launch_gap;      /* between two launches */
	unsigned int stop_at;     /* enum launch_stop */
	unsigned int oom;         /* enum host_oom */
};

/* When a guest is launched, after the first. */
enum launch_policy {
	LAUNCH_TOGETHER,          /* all at the beginning */
	LAUNCH_SEQUENCE,          /* when the tasks of the last are done */
	LAUNCH_INTERVAL,          /* one after the other, by the clock */
	LAUNCH_EVENTS,            /* by [event] sections */
};

/* What ends launching. */
enum launch_stop { STOP_NEVER, STOP_AT_KILL, STOP_AT_SWAP };

/* What becomes of a guest for which the host has no page. */
enum host_oom { HOST_OOM_KILL, HOST_OOM_FAIL };

/* [phase NAME]; the other keys belong to the chosen workload. */
enum phase_until { UNTIL_TASKS, UNTIL_DURATION, UNTIL_REPORTER_IDLE };

struct phase_options {
	uint64_t tasks;
	struct option_share size; /* of the pages free above the high watermark */
	bool thp;                 /* tasks ask for huge pages */
	bool native;              /* tasks are processes of the host */
	sim_ns_t warmup;          /* discarded before the measurement */
	sim_ns_t duration;        /* 0 = until the tasks are finished */
	uint64_t iterations;      /* stop a task after so many; 0 = no limit */
	unsigned int until;       /* enum phase_until */
	unsigned int touch;       /* trace: 0 = all, 1 = none */
	sim_ns_t stagger;         /* guest i begins i times so much later */
};

extern const struct option_table guest_option_table;
extern const struct option_table host_option_table;
extern const struct option_table phase_option_table;

/*
 * Resolve `topology =` to a description that is the same on every machine and
 * holds all that shapes a guest (`this` is looked up, a file is read). 0 or
 * -EINVAL / -errno.
 */
int sim_topology_resolve(const char *text, char *out, size_t out_size,
			 char *why, size_t why_size);
/* Processing units of a resolved topology; 0 if it is none. */
unsigned int sim_topology_cpus(const char *text);
/*
 * Clear the variables that make hwloc take another machine for this one, and
 * keep its own messages off stderr. For main(), while there is one thread:
 * unsetenv() races with getenv().
 */
void sim_topology_environment(void);
/*
 * Is there memory for what hwloc does? It ends the program where an allocation
 * of its own fails, so whoever calls it asks first.
 */
bool sim_topology_room(void);
/* The host this program runs on, one line, for timed results. */
void sim_topology_describe(char *out, size_t out_size);

struct sim_phase_config {
	char name[64];
	struct phase_options opt;
	const struct workload_ops *workload;
	const void *workload_options;
};

/*
 * Who listens to a guest's page-allocator calls: TRACE_ALLOC and TRACE_FREE
 * events in the order of the calls, with .task = 1 + number of the task within
 * its phase, 0 for the kernel's own. Set-up of a guest is included.
 */
struct sim_tap {
	void *ctx;
	void (*event)(void *ctx, const struct trace_event *e);
	unsigned int guest;       /* number of the guest */
};

struct sim_config {
	struct guest_options guest;
	struct host_options host;
	const struct hypervisor_ops *hypervisor;
	const void *hypervisor_options;
	const struct reporter_ops *reporter;
	const void *reporter_options;
	bool reporter_enabled;    /* off: hooks present, device never appears */
	const struct sim_phase_config *phases;
	unsigned int nr_phases;
	const struct sim_event_config *events;
	unsigned int nr_events;    /* at most SIM_MAX_EVENTS */
	const struct sim_inject_config *injects;
	unsigned int nr_injects;   /* at most SIM_MAX_INJECTIONS */
	uint64_t seed;
	sim_ns_t sample_ns;       /* 0 = no series */
	sim_ns_t map_ns;          /* a memory map with the first sample after
				   * so long; 0 = none */
	const struct price_list *prices;
	bool step_by_step;        /* no run-ahead: slower, the same results */
	uint64_t check_every;     /* run all checks every N events; 0 = never */
	const struct sim_tap *tap; /* or NULL */
	uint64_t mmap_base;       /* of the guests; guest.h. 0 = default */
};

struct sim;

/*
 * The allocator of a guest that has just booted: kernel and memory as in an
 * experiment's [guest]. 0, or -errno with a sentence in why.
 */
int sim_boot_alloc(struct alloc **out, const char *kernel, const char *memory,
		   unsigned int cpus, char *why, size_t why_size);

/* 0, or -errno with a sentence in why. The config is borrowed until destroy. */
int sim_create(struct sim **out, const struct sim_config *cfg, char *why,
	       size_t why_size);
/*
 * Run phase i (each once, in order). 0; -EINVAL (bad request such as a size
 * larger than the guest); -EIO (trace); -EINTR (*stop became non-zero, which
 * a signal handler may do).
 */
int sim_run_phase(struct sim *s, unsigned int i,
		  const volatile sig_atomic_t *stop, char *why,
		  size_t why_size);
void sim_destroy(struct sim *s);
/* What the host has seen of real memory; false if it has none. */
bool sim_host_real(const struct sim *s, struct hv_real *out);

/*
 * Replace the phases that have not run yet (a fork that goes on with another
 * cell of the same group). 0 or -ENOMEM.
 */
int sim_set_phases(struct sim *s, const struct sim_phase_config *phases,
		   unsigned int nr_phases);

/* The same for events and injections: as many, alike in phases that ran. */
void sim_set_events(struct sim *s, const struct sim_event_config *events,
		    const struct sim_inject_config *injects);
/*
 * When all phases have run: 0; -EINVAL: an event or injection had no time to
 * happen; -EPROTO: what an injection has to bring about is not what was seen,
 * or an invariant broke. A sentence is in why.
 */
int sim_verdict(struct sim *s, char *why, size_t why_size);
/*
 * Walk through guests, designs and host, between two phases or after the last:
 * an invariant that does not hold is a CHECK that fails.
 */
void sim_check(struct sim *s);

/*
 * What an experiment does to a running guest from outside, between two steps
 * of the run (from an event, or between phases); guest < host.guests.
 */

/* The host asks the balloon to take so many bytes of the guest's memory. */
void sim_guest_set_balloon_target(struct sim *s, unsigned int guest,
				  uint64_t bytes);
/* A command to the design. 0; -EOPNOTSUPP: it knows none of this kind;
 * -ENODEV: no device is present. */
int sim_guest_host_request(struct sim *s, unsigned int guest,
			   const struct host_command *command);
/* The device appears, or asks for another pass; the device goes away. */
void sim_guest_reporter_start(struct sim *s, unsigned int guest);
void sim_guest_reporter_stop(struct sim *s, unsigned int guest);
/* What the device tells the guest; ops->host_changed() hears of it. */
void sim_guest_set_host_status(struct sim *s, unsigned int guest,
			       const struct host_status *status);

/* ---- results ---- */

/* A counter: dotted name, cumulative over the run (exact, integer). */
struct sim_counter {
	const char *name;     /* "host.thp_split_pmd" */
	uint64_t value;
};

/* A derived value; the reader may recompute it from the counters. */
struct sim_metric {
	const char *name;     /* "iterations_per_s" */
	double value;
};

struct sim_sample {
	sim_ns_t at;
	uint64_t guest_free_pages;      /* buddy and pcp, all guests */
	uint64_t guest_used_pages;      /* managed - free */
	uint64_t reported_pages;        /* cumulative, as reported */
	uint64_t host_rss_pages;
	uint64_t host_anon_huge_pages;  /* in 4 KiB pages */
	uint64_t host_lazy_pages;
	uint64_t host_free_pages;       /* really free on the host */
	uint64_t host_swapped_pages;    /* of guests, in its swap */
	uint64_t host_cache_pages;      /* of its own page cache */
	uint64_t balloon_pages;         /* in balloons */
	uint64_t balloon_target_pages;  /* what the host wants there */
	uint64_t guests_running;
	uint64_t free_blocks[NR_PAGE_ORDERS]; /* on free lists, all guests */
};

/* One guest at the time of a sample; all zero while it is not there. */
struct sim_guest_sample {
	uint64_t free_pages, used_pages;
	uint64_t rss_pages, anon_huge_pages, lazy_pages, swapped_pages;
};

/* Pages of a part of the first guest's memory. */
struct sim_map_bin {
	uint32_t pages;                 /* in a zone */
	uint32_t free, reported;        /* on free lists; marked, of these */
	uint32_t mapped, huge;          /* for the host; by huge pages, of these */
};

#define SIM_MAP_BINS 128
#define SIM_MAX_MAPS 4000

struct sim_map {
	sim_ns_t at;
	uint32_t bin_pages, nr_bins;
	struct sim_map_bin bins[SIM_MAP_BINS];
};

#define SIM_MAX_METRICS 32
#define SIM_MAX_SAMPLES 1000000 /* 11 days at 1 s, 28 hours at 100 ms */
#define SIM_MAX_COUNTERS 256

struct sim_phase_result {
	const char *name;
	sim_ns_t start, end;            /* of the phase */
	sim_ns_t measured_ns;           /* length of the measured window */
	uint64_t iterations;            /* counted in the measured window */
	unsigned int nr_counters;       /* deltas over the measured window */
	struct sim_counter counters[SIM_MAX_COUNTERS];
	unsigned int nr_metrics;
	struct sim_metric metrics[SIM_MAX_METRICS];
};

struct sim_result {
	sim_ns_t virtual_ns;
	char digest[DIGEST_HEX_SIZE];
	unsigned int nr_counters;
	struct sim_counter counters[SIM_MAX_COUNTERS];
	unsigned int nr_metrics;
	struct sim_metric metrics[SIM_MAX_METRICS];
	unsigned int nr_phases;
	const struct sim_phase_result *phases;
	unsigned int nr_samples;
	const struct sim_sample *samples;
	/* [nr_samples][nr_guests], sample by sample; NULL for a single guest. */
	unsigned int nr_guests;
	const struct sim_guest_sample *guest_samples;
	unsigned int nr_maps;
	const struct sim_map *maps;
	uint64_t events;                /* engine events, for the speed report */
};

/* Valid until the next call or destroy. */
const struct sim_result *sim_result(struct sim *s);

/* Name, unit and definition of every counter; the end has an empty name. */
struct sim_counter_desc {
	char name[64];
	const char *unit;
	const char *help;
};
void sim_counter_table(struct sim_counter_desc out[SIM_MAX_COUNTERS + 1]);

#endif
