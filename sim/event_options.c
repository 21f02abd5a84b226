/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of [event NAME] and [inject NAME]. */
#include <errno.h>
#include <stdio.h>

#include "sim/inject.h"

#define DAY (UINT64_C(86400) * NSEC_PER_SEC)
#define TIB (UINT64_C(1) << 40)
#define SMALLEST_RANGE (UINT64_C(4) << 20)

static const char *const from_names[] = { "start", "end", NULL };
/* In the order of enum event_action. */
static const char *const action_names[] = {
	"balloon_target", "drop_caches", "reporter_start", "reporter_stop",
	"host_request", "compact_memory", "dirty_log_on", "dirty_log_off",
	"launch", "exit", "kill",
	"gigantic_page", "memory_offline", NULL
};
/* In the order of enum host_command_kind. */
static const char *const request_names[] = {
	"pages", "hint_start", "hint_stop", "hint_done", "flush", "stats", NULL
};
/* In the order of enum inject_kind. */
static const char *const kind_names[] = {
	"watch", "report_error", "host_rejects", "host_ignores", "host_slow",
	"host_hangs", "alloc_fails", "isolate_refused", "alloc_race",
	"buddy_race", "type_race", "free_storm", "migrate_race", "unregister",
	"clock_jump", "oom_inflate", "poison", "vfio", "host_pressure",
	"host_khugepaged", "hot_remove", NULL
};
_Static_assert(ARRAY_SIZE(action_names) == NR_EVENT_ACTIONS + 1, "actions");
_Static_assert(ARRAY_SIZE(kind_names) == NR_INJECT_KINDS + 1, "kinds");

#define E(member) offsetof(struct event_options, member)
static const struct option_desc event_descs[] = {
	{ .name = "enabled", .type = OPTION_BOOL, .offset = E(enabled),
	  .def = "on", .unit = "",
	  .help = "off: as if the section were not there." },
	{ .name = "action", .type = OPTION_NAME, .offset = E(action),
	  .names = action_names, .unit = "",
	  .help = "What happens." },
	{ .name = "from", .type = OPTION_NAME, .offset = E(from),
	  .names = from_names, .def = "start", .unit = "",
	  .help = "From which end of the phase the time counts." },
	{ .name = "at", .type = OPTION_TIME, .offset = E(at), .max = DAY,
	  .def = "0s", .unit = "time",
	  .help = "Virtual time after that moment." },
	{ .name = "every", .type = OPTION_TIME, .offset = E(every), .max = DAY,
	  .def = "0s", .unit = "time",
	  .help = "Again after so long, and again; 0s: once." },
	{ .name = "count", .type = OPTION_UINT, .offset = E(count), .def = "0",
	  .unit = "times",
	  .help = "With every: how often in all; 0 = to the end of the run." },
	{ .name = "guest", .type = OPTION_UINT, .offset = E(guest), .max = 64,
	  .def = "0", .unit = "",
	  .help = "Which guest, from 1; 0 = all; launch: 0 = the next." },
	{ .name = "value", .type = OPTION_SIZE, .offset = E(value),
	  .max = 8 * TIB, .def = "0", .unit = "bytes",
	  .help = "balloon_target: memory of the balloon; drop_caches: 1, 2 or "
		  "3; host_request = pages, flush: how much, 0 = all; "
		  "gigantic_page, memory_offline: of the page, of a block." },
	{ .name = "request", .type = OPTION_NAME, .offset = E(request),
	  .names = request_names, .def = "pages", .unit = "",
	  .help = "host_request: what the host asks the design for." },
	{ .name = "id", .type = OPTION_UINT, .offset = E(id),
	  .max = UINT32_MAX, .def = "2", .unit = "",
	  .help = "hint_start, hint_stop, hint_done: number of the run." },
	{ .name = NULL }
};
const struct option_table event_option_table = {
	event_descs, sizeof(struct event_options)
};

#define I(member) offsetof(struct inject_options, member)
static const struct option_desc inject_descs[] = {
	{ .name = "enabled", .type = OPTION_BOOL, .offset = I(enabled),
	  .def = "on", .unit = "",
	  .help = "off: as if the section were not there." },
	{ .name = "kind", .type = OPTION_NAME, .offset = I(kind),
	  .names = kind_names, .unit = "",
	  .help = "What fails." },
	{ .name = "from", .type = OPTION_NAME, .offset = I(from),
	  .names = from_names, .def = "start", .unit = "",
	  .help = "From which end of the phase the time counts." },
	{ .name = "at", .type = OPTION_TIME, .offset = I(at), .max = DAY,
	  .def = "0s", .unit = "time",
	  .help = "Virtual time after that moment." },
	{ .name = "for", .type = OPTION_TIME, .offset = I(span), .max = DAY,
	  .def = "0s", .unit = "time",
	  .help = "How long it lasts; 0s: to the end of the run." },
	{ .name = "every", .type = OPTION_UINT, .offset = I(every), .min = 1,
	  .def = "1", .unit = "",
	  .help = "Meanwhile, each so-manieth opportunity fails." },
	{ .name = "count", .type = OPTION_UINT, .offset = I(count), .def = "0",
	  .unit = "times",
	  .help = "How many fail at most; 0 = no limit." },
	{ .name = "guest", .type = OPTION_UINT, .offset = I(guest), .max = 64,
	  .def = "0", .unit = "",
	  .help = "Which guest, from 1; 0 = all." },
	{ .name = "latency", .type = OPTION_TIME, .offset = I(latency),
	  .max = DAY, .def = "100ms", .unit = "time",
	  .help = "host_slow: by how much later the host answers." },
	{ .name = "value", .type = OPTION_SIZE, .offset = I(value),
	  .max = 8 * TIB, .def = "64M", .unit = "bytes",
	  .help = "free_storm, oom_inflate, host_pressure, hot_remove: of how "
		  "much memory." },
	{ .name = "expect", .type = OPTION_STRING, .offset = I(expect),
	  .def = "", .unit = "words",
	  .help = "What has to hold at the end of the run; empty: what is "
		  "expected of this kind and design." },
	{ .name = NULL }
};
const struct option_table inject_option_table = {
	inject_descs, sizeof(struct inject_options)
};

const char *inject_kind_name(enum inject_kind kind)
{
	return kind_names[kind];
}

const char *event_action_name(enum event_action action)
{
	return action_names[action];
}

int sim_event_check(const struct event_options *o, const char **key, char *why,
		    size_t why_size)
{
	if (o->action == EVENT_DROP_CACHES &&
	    (o->value < 1 || o->value > 3)) {
		*key = "value";
		snprintf(why, why_size, "%llu is nothing that drop_caches "
			 "takes; allowed are 1 (page cache), 2 (slab), 3 (both)",
			 (unsigned long long)o->value);
		return -EINVAL;
	}
	if ((o->action == EVENT_GIGANTIC_PAGE ||
	     o->action == EVENT_MEMORY_OFFLINE) &&
	    (o->value < SMALLEST_RANGE || o->value & (o->value - 1))) {
		*key = "value";
		snprintf(why, why_size, "%llu bytes are no range of memory; "
			 "allowed are powers of two from 4M on",
			 (unsigned long long)o->value);
		return -EINVAL;
	}
	if (o->action == EVENT_HOST_REQUEST && o->request == HOST_HINT_START &&
	    o->id < 2) {
		*key = "id";
		snprintf(why, why_size, "%llu is no number of a run of hints; "
			 "0 and 1 mean stop and done, allowed is 2 or more",
			 (unsigned long long)o->id);
		return -EINVAL;
	}
	if (o->every && o->every < NSEC_PER_USEC) {
		*key = "every";
		snprintf(why, why_size, "%lluns is too short; the shortest is "
			 "1us, and 0s is once", (unsigned long long)o->every);
		return -EINVAL;
	}
	if (o->count && !o->every) {
		*key = "count";
		snprintf(why, why_size, "needs 'every', the time between two "
			 "of them");
		return -EINVAL;
	}
	return 0;
}

int sim_inject_check(const struct inject_options *o, const char **key,
		     char *why, size_t why_size)
{
	struct expectation e;

	*key = "expect";
	return expect_parse(&e, o->expect, why, why_size);
}
