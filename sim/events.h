/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an experiment does to its guests from outside while phases run: the
 * [event NAME] and [inject NAME] sections. Both begin at a moment that is
 * counted from the start or the end of a phase; an event does something that
 * users do, an injection makes something fail and says what has to come of it.
 * sim.h includes it.
 */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

#include "include/option.h"
#include "include/types.h"

#define SIM_MAX_EVENTS 64
#define SIM_MAX_INJECTIONS 64

/* From where the time of a moment counts. */
enum moment_from { FROM_PHASE_START, FROM_PHASE_END };

enum event_action {
	EVENT_BALLOON_TARGET,   /* value: bytes of the guest's memory */
	EVENT_DROP_CACHES,      /* value: 1, 2 or 3 */
	EVENT_REPORTER_START,
	EVENT_REPORTER_STOP,
	EVENT_HOST_REQUEST,     /* request, value: bytes, id */
	EVENT_COMPACT_MEMORY,
	EVENT_DIRTY_LOG_ON,     /* or, while it is on, read it */
	EVENT_DIRTY_LOG_OFF,
	EVENT_LAUNCH,           /* guest 0 = the next */
	EVENT_EXIT,
	EVENT_KILL,
	EVENT_GIGANTIC_PAGE,    /* value: bytes in one piece */
	EVENT_MEMORY_OFFLINE,   /* value: bytes of a block */
	NR_EVENT_ACTIONS,
};

/* [event NAME]; `phase` belongs to the reader of the experiment. */
struct event_options {
	bool enabled;           /* first, as in struct inject_options */
	unsigned int action;    /* enum event_action */
	unsigned int from;      /* enum moment_from */
	sim_ns_t at;
	sim_ns_t every;         /* 0 = once */
	uint64_t count;         /* how often, with every; 0 = to the end */
	uint64_t guest;         /* 0 = all, else number from 1 */
	uint64_t value;
	unsigned int request;   /* enum host_command_kind */
	uint64_t id;
};

struct sim_event_config {
	char name[64];
	unsigned int phase;     /* number of the phase, from 0 */
	struct event_options opt;
};

enum inject_kind {
	INJECT_WATCH,           /* nothing but the expectation */
	/* Requests to the host. */
	INJECT_REPORT_ERROR,    /* the queue refuses the request */
	INJECT_HOST_REJECTS,    /* acknowledged with an error */
	INJECT_HOST_IGNORES,    /* acknowledged, not carried out */
	INJECT_HOST_SLOW,       /* acknowledged after `latency` more */
	INJECT_HOST_HANGS,      /* never acknowledged */
	/* The guest's own memory. */
	INJECT_ALLOC_FAILS,     /* arrays of the design */
	INJECT_ISOLATE_REFUSED, /* a watermark fails in mid-list */
	/* Races with a request that the host has. */
	INJECT_ALLOC_RACE,      /* the head of the list is allocated */
	INJECT_BUDDY_RACE,      /* the buddy of a block in flight is freed */
	INJECT_TYPE_RACE,       /* its pageblock changes its type */
	INJECT_FREE_STORM,      /* `value` bytes of huge pages are freed */
	INJECT_MIGRATE_RACE,    /* compaction wants a page of the balloon */
	/* The device. */
	INJECT_UNREGISTER,      /* it goes away, and comes back after `for` */
	INJECT_CLOCK_JUMP,      /* pending timers of the design expire at once */
	INJECT_OOM_INFLATE,     /* the balloon is to take `value` bytes */
	/* The host. */
	INJECT_POISON,          /* the guest fills free pages with a pattern */
	INJECT_VFIO,            /* a device is passed through */
	INJECT_HOST_PRESSURE,   /* another process takes `value` bytes */
	INJECT_HOST_KHUGEPAGED, /* holes of the guest's memory are backed */
	/* The guest's memory itself. */
	INJECT_HOT_REMOVE,      /* `value` bytes of free memory go away */
	NR_INJECT_KINDS,
};

/* [inject NAME] */
struct inject_options {
	bool enabled;           /* first, as in struct event_options */
	unsigned int kind;      /* enum inject_kind */
	unsigned int from;      /* enum moment_from */
	sim_ns_t at;
	sim_ns_t span;          /* `for`; 0 = to the end of the run */
	uint64_t every;         /* each n-th opportunity */
	uint64_t count;         /* so often at most; 0 = no limit */
	uint64_t guest;         /* 0 = all, else number from 1 */
	sim_ns_t latency;
	uint64_t value;
	char expect[OPTION_STRING_SIZE]; /* empty = as the table says */
};

struct sim_inject_config {
	char name[64];
	unsigned int phase;
	struct inject_options opt;
};

extern const struct option_table event_option_table;
extern const struct option_table inject_option_table;

/*
 * Combinations of values that make no sense, and expectations that cannot be
 * read: 0, or -EINVAL with the key and a sentence.
 */
int sim_event_check(const struct event_options *o, const char **key, char *why,
		    size_t why_size);
int sim_inject_check(const struct inject_options *o, const char **key,
		     char *why, size_t why_size);

#endif
