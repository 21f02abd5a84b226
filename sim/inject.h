/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * [inject NAME]: what is made to fail in a run, what was seen of it, and what
 * has to be seen. Only sim/ includes it.
 *
 *     inject.c        when an injection is in force, what it makes fail
 *     inject_race.c   things that happen while the host has a request
 *     inject_seen.c   what designs do meanwhile, noted
 *     expect.c        the language of `expect`, and the table of defaults
 *     inject_check.c  the words of that language, and the verdict
 */
#ifndef SIM_INJECT_H
#define SIM_INJECT_H

#include "sim/machine.h"

#define EXPECT_MAX_WORDS 16

/* Words of `expect`; inject_check.c says what each means. */
enum expect_word {
	EXPECT_BOUNDED,
	EXPECT_NONE_LOST,
	EXPECT_UNMARKED,
	EXPECT_NO_RETRY,
	EXPECT_NOT_DISCARDED,
	EXPECT_FOOTPRINT_KEPT,
	EXPECT_FOOTPRINT_RISES,
	EXPECT_FOOTPRINT_FALLS,
	EXPECT_COLD_BUT_BACKED,
	EXPECT_NO_REFAULTS,
	EXPECT_BLOCKED,
	EXPECT_GUEST_RUNS,
	EXPECT_NOT_IDLE,
	EXPECT_STALL_IS_WAIT,
	EXPECT_LIST_LEFT,
	EXPECT_PASS_ENDS,
	EXPECT_SPINS,
	EXPECT_NOT_IN_FLIGHT,
	EXPECT_MERGE_UNMARKED,
	EXPECT_TYPE_FOLLOWED,
	EXPECT_ONE_MORE_PASS,
	EXPECT_ONE_PASS,
	EXPECT_AGAIN,
	EXPECT_MARKS_KEPT,
	EXPECT_MARKS_HONOURED,
	EXPECT_RETRY_PAUSE,
	EXPECT_REMOVED_IS_LEFT,
	NR_EXPECT_WORDS,
};

enum compare { LESS, LESS_EQUAL, EQUAL, NOT_EQUAL, GREATER_EQUAL, GREATER };

/* `word`, `!word`, or `counter>=number` (since the injection began). */
struct expect_item {
	bool negated;
	bool is_counter;
	enum expect_word word;
	unsigned int counter;    /* index in the counter table */
	enum compare how;
	uint64_t number;
	char text[96];           /* as written */
};

struct expectation {
	unsigned int nr;
	struct expect_item items[EXPECT_MAX_WORDS];
};

/* Words that have been seen to be kept, or broken: events of a run. */
struct sight {
	uint64_t kept, broken;
};

/* An injection in one guest. */
struct inject_state {
	unsigned int index;      /* in cfg.injects */
	bool begun, over;
	sim_ns_t began, ended;
	uint64_t opportunities, hits;
	struct sight seen[NR_EXPECT_WORDS];
	/* How things stood when it began, and when it was over. */
	uint64_t counters[SIM_MAX_COUNTERS];
	uint64_t rss_begun, rss_over, discards_begun, discards_over;
	uint64_t zeroing_begun, zeroing_over, allocs_begun, allocs_over;
	struct host_status host; /* as it was before */
	const char *broken;      /* first invariant that broke */
	/* Blocks that designs have isolated and not put back. */
	uint64_t withheld, withheld_most;
	/* After an error, or a refusal. */
	bool erred;
	uint64_t erred_pass;
	bool refused;            /* an isolation was, in ... */
	uint64_t refused_pass;
	unsigned int refused_zone, refused_order;
	enum migratetype refused_type;
	bool kmalloc_failed;     /* the last one */
	uint64_t kmalloc_failures, kmalloc_worst; /* in a row */
	bool hung;               /* a request stays with the host */
	sim_ns_t longest_trip;   /* of a request, until its acknowledgement */
	sim_ns_t failed_at;      /* an allocation of the design; 0 = none */
	bool restarted;          /* the device has come back */
	uint64_t marked_at_stop; /* pages */
	/* A race that is on, with one request. */
	bool racing;
	unsigned int flight;
	pfn_t pfn;               /* of the block that is the race's own */
	unsigned int order;
	enum migratetype mt;
	uint64_t requests_before;
	/* Memory that another process, or nobody any more, has. */
	uint32_t hv_guest;
	bool has_hv_guest;
	pfn_t removed_from, removed_to;
	pfn_t scan;              /* khugepaged: next page */
	uint64_t rss_most;       /* after one of its rounds */
};

const char *inject_kind_name(enum inject_kind kind);
const char *event_action_name(enum event_action action);

/* expect.c: 0, or -EINVAL with a sentence. */
int expect_parse(struct expectation *e, const char *text, char *why,
		 size_t why_size);
/* What the table says of a kind and a design. */
const char *expect_default(enum inject_kind kind, const char *design);
const char *expect_word_name(enum expect_word word);

/* inject.c */
int inject_init(struct sim_guest *g);
void inject_destroy(struct sim_guest *g);
/* Injection i of the experiment begins at `at`. */
void inject_arm(struct sim *s, unsigned int i, sim_ns_t at);
/* The next injection of this kind that is in force and due; NULL: none. */
struct inject_state *inject_hit(struct sim_guest *g, enum inject_kind kind);
/* The run is over: what stands now counts. */
void inject_finish(struct sim_guest *g, struct inject_state *st);
/* Answers to the device. g->inject is not NULL in these. */
int inject_submit(struct sim_guest *g, const struct host_request *rq);
bool inject_isolate(struct sim_guest *g, pfn_t pfn);
bool inject_kmalloc_ok(struct sim_guest *g);
/* Of a request that has come to the host: true, it is not carried out. */
bool inject_serve(struct sim_guest *g, struct host_reply *reply,
		  sim_ns_t *later, bool *hangs);
const struct inject_options *inject_options_of(const struct sim_guest *g,
					       const struct inject_state *st);

/* inject_race.c */
/* The design marks a block as reported. */
void seen_marked(struct sim_guest *g, pfn_t pfn);
void race_begin(struct sim_guest *g, unsigned int flight);
/* After the callback that the acknowledgement is. */
void race_acknowledged(struct sim_guest *g, unsigned int flight);
void race_prepare(struct sim_guest *g, struct inject_state *st);
void race_release(struct sim_guest *g, struct inject_state *st);
void inject_hot_remove(struct sim_guest *g, struct inject_state *st);
void inject_khugepaged(struct sim_guest *g, struct inject_state *st);
void inject_host_pressure(struct sim_guest *g, struct inject_state *st);
uint64_t inject_marked_pages(const struct sim_guest *g, bool backed);

/* inject_seen.c: what designs do, as far as some word asks for it */
void seen_isolated(struct sim_guest *g, pfn_t pfn, unsigned int marks);
void seen_put_back(struct sim_guest *g);
void seen_submit(struct sim_guest *g);
void seen_process(struct sim_guest *g);
void seen_trip(struct sim_guest *g, const struct flight *f);
void seen_drained(struct sim_guest *g, const struct page_report *entries,
		  unsigned int nr, int err);
void seen_stall(struct sim_guest *g, sim_ns_t ns);
void seen_allocate(struct sim_guest *g);
void seen_allocation_failed(struct sim_guest *g);
void seen_invariants(struct sim_guest *g);

static inline void saw(struct inject_state *st, enum expect_word word, bool ok)
{
	if (ok)
		st->seen[word].kept++;
	else
		st->seen[word].broken++;
}

/* inject_check.c: as sim_verdict() */
int inject_verdict(struct sim *s, char *why, size_t why_size);

#endif
