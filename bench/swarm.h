/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A swarm of random cells: cell K of seed S is the text of an experiment, drawn
 * from the option tables, so that a key is in it as soon as it is in its table.
 * Each cell runs in a process of its own with all checks on; what fails is made
 * smaller as long as it fails in the same way. docs/swarm.md.
 */
#ifndef BENCH_SWARM_H
#define BENCH_SWARM_H

#include "bench/experiment.h"
#include "bench/store.h"

#define SWARM_MAX_LINES 400
#define SWARM_LINE_SIZE 320
#define SWARM_MAX_TRACES 16
#define SWARM_WHY_SIZE 600

/* The text of an experiment, line by line; "" are left out when printed. */
struct swarm_text {
	unsigned int nr;
	char line[SWARM_MAX_LINES][SWARM_LINE_SIZE];
};

__attribute__((format(printf, 2, 3)))
void swarm_add(struct swarm_text *t, const char *fmt, ...);
/* As one string; false if it does not fit. */
bool swarm_text_print(const struct swarm_text *t, char *out, size_t size);
/* Lines that are not empty. */
unsigned int swarm_text_lines(const struct swarm_text *t);
/* An experiment of one cell with all its values, none left to a default. */
int swarm_text_of_cell(struct swarm_text *t, const struct experiment *e,
		       const struct cell *c);

struct swarm_options;
struct swarm_outcome;

/* Cells that are scripts, if they are not experiments. */
struct swarm_scripts {
	const char *name;          /* of the option, and of what files end in */
	size_t log_size;
	/*
	 * Draw and run cell `cell`, or run what can run of text, in a process
	 * of its own; lines are in log (shared, of log_size bytes) as they run.
	 */
	void (*run)(const struct swarm_options *o, uint64_t cell,
		    const char *text, char *log, struct swarm_outcome *out);
};

/* What cells are drawn from, and how they are run. */
struct swarm_options {
	const struct swarm_scripts *scripts; /* NULL: experiments */
	unsigned int nr_ops;       /* of a script */
	const struct sim_registry *registry;
	/* Recorded programs that `workload = trace` may read. */
	const char *traces[SWARM_MAX_TRACES];
	unsigned int nr_traces;
	unsigned int max_events;   /* [event] sections, and [inject] ones */
	uint64_t check_every;      /* engine events between two full walks */
	unsigned int limit_s;      /* processor time of a cell */
	uint64_t seed;
	const char *path;          /* of a text that is not drawn, or NULL */
};

void swarm_draw(const struct swarm_options *o, uint64_t cell,
		struct swarm_text *out);

/* What became of a cell. */
enum swarm_verdict {
	SWARM_PASSED,
	SWARM_ENDED,      /* as its values foretell: no memory, host hangs ... */
	SWARM_REFUSED,    /* with a message: values that do not fit together */
	SWARM_VIOLATION,
	NR_SWARM_VERDICTS
};

struct swarm_outcome {
	enum swarm_verdict verdict;
	char why[SWARM_WHY_SIZE];
	uint64_t alloc_calls;      /* of the page allocator */
	uint64_t host_events;      /* faults, discards, pages swapped */
	uint64_t engine_events;
};

/* Run it here, twice: a CHECK that fails ends the process. */
void swarm_run_here(const struct swarm_options *o, const char *text,
		    struct swarm_outcome *out);

/* Two failures of which one may stand for the other. */
bool swarm_same_failure(const char *why, const char *other);

/* ---- processes; swarm_pool.c ---- */

struct swarm_pool;

/*
 * Cells run beside each other in children. SIGINT, SIGTERM and SIGCHLD are
 * blocked between create and destroy. NULL without memory.
 */
struct swarm_pool *swarm_pool_create(const struct swarm_options *o,
				     unsigned int jobs);
void swarm_pool_destroy(struct swarm_pool *p);
bool swarm_pool_full(const struct swarm_pool *p);
bool swarm_pool_idle(const struct swarm_pool *p);
/* Start a cell, or with text != NULL that text. 0 or -errno. */
int swarm_pool_start(struct swarm_pool *p, uint64_t cell, const char *text);
/* The next cell that is over: 0; -EINTR: a signal asks to stop. */
int swarm_pool_wait(struct swarm_pool *p, uint64_t *cell,
		    struct swarm_outcome *out);

/* Of the cell that wait() has told of: what its script ran. Until start(). */
const char *swarm_pool_log(const struct swarm_pool *p);

/* ---- shrinking; swarm_shrink.c, swarm_script.c ---- */

struct swarm_shrunk {
	unsigned int runs, lines_before, lines;
	bool complete;             /* nothing left to try */
};

/*
 * Make the text smaller as long as it fails like `why`; spends at most `runs`
 * runs. 0, -EINTR (what there is stays valid), -errno.
 */
int swarm_shrink(struct swarm_pool *p, const struct swarm_options *o,
		 struct swarm_text *t, const char *why, unsigned int runs,
		 struct swarm_shrunk *out);

/*
 * The same for the script of a cell, which is run once to have it; *text is
 * what is left, to be freed, or NULL.
 */
int swarm_script_shrink(struct swarm_pool *p, uint64_t cell, const char *why,
			unsigned int runs, char **text,
			struct swarm_shrunk *out);

/* ---- a campaign; swarm.c ---- */

#define SWARM_MAX_FAILURES 100

struct swarm_failure {
	uint64_t cell;
	char why[SWARM_WHY_SIZE];
	const struct swarm_failure *like; /* an earlier one, or NULL */
	struct swarm_shrunk shrunk;
	char path[STORE_PATH_SIZE];       /* of the small file; "" = none */
};

struct swarm_campaign {
	const struct swarm_options *o;
	uint64_t first, nr;        /* cells */
	const char *text;          /* of the only cell, instead of drawing it */
	double budget_s;           /* 0 = none; begun cells are finished */
	unsigned int jobs, shrink_runs;
	const char *dir;           /* where small files go; NULL: no shrinking */
	/* Told of every cell that is over, and of where it stands; or NULL. */
	void (*cell_over)(void *ctx, uint64_t cell,
			  const struct swarm_outcome *out);
	void (*shrinking)(void *ctx, const struct swarm_failure *f);
	void *ctx;
};

struct swarm_summary {
	uint64_t cells, verdicts[NR_SWARM_VERDICTS];
	uint64_t alloc_calls, host_events, engine_events;
	double wall_s;             /* without shrinking */
	bool interrupted;
	unsigned int nr_failures;  /* kept, of verdicts[SWARM_VIOLATION] */
	struct swarm_failure failures[SWARM_MAX_FAILURES]; /* by cell */
};

/* 0, or -errno with a sentence in why. */
int swarm_campaign_run(const struct swarm_campaign *c,
		       struct swarm_summary *out, char *why, size_t why_size);

#endif
