/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An experiment file, checked as a whole, and the cells it makes. Everything
 * lives in one arena, and nothing is left to fail when a cell is run but the
 * run itself.
 */
#ifndef BENCH_EXPERIMENT_H
#define BENCH_EXPERIMENT_H

#include "bench/cell.h"
#include "bench/ini.h"
#include "bench/settings.h"

#define EXPERIMENT_MAX_PHASES SCHEMA_MAX_PHASES
#define EXPERIMENT_MAX_CELLS 100000
/* With experiment_request.large; and bytes of memory for the plan. */
#define EXPERIMENT_MOST_CELLS 1000000
#define EXPERIMENT_MOST_BYTES ((size_t)16 << 30)

/* [phase NAME], [event NAME], [inject NAME] */
struct experiment_phase {
	const char *name;
	struct ini_place at;
	bool complained;          /* that it has no workload, action or kind */
};

struct experiment_variant {
	const char *name;
	struct ini_place at;
	struct setting_list own;
	/* Base and own settings, in order of appearance. */
	struct setting **merged;
	unsigned int nr_merged;
	bool selected;            /* by --only */
	struct experiment_variant *next;
};

/* What the command line asks for. */
struct experiment_request {
	const char *path;
	const char *text;         /* what would be in it; NULL: it is read */
	const struct sim_registry *registry;
	const char *const *sets;  /* "section.key=value", later ones win */
	size_t nr_sets;
	const char *seeds;        /* instead of the file's, or NULL */
	const char *only;         /* names of variants, or NULL */
	bool large;               /* more cells, and more memory than there is */
};

struct experiment {
	struct arena arena;
	const char *path, *title;
	bool large;
	const char *columns;      /* of the table, or NULL */
	struct schema schema;
	struct ini ini;
	struct experiment_phase phases[EXPERIMENT_MAX_PHASES];
	unsigned int nr_phases;
	struct experiment_phase events[SIM_MAX_EVENTS];
	unsigned int nr_events;
	struct experiment_phase injects[SIM_MAX_INJECTIONS];
	unsigned int nr_injects;
	struct setting_list base;
	struct experiment_variant *variants, **variants_tail;
	struct cell *cells;       /* in plan order */
	size_t nr_cells;
};

/*
 * 0; -EINVAL: wrong, missing or unreadable experiment file or option; -EIO: a
 * trace cannot be read; -ENOMEM. Messages are in d. The struct may be freed in
 * any case.
 */
int experiment_load(struct experiment *e, const struct experiment_request *req,
		    struct diag *d);
void experiment_free(struct experiment *e);
/* The named sections of a kind; *nr of them, room for *most. */
struct experiment_phase *experiment_named(const struct experiment *e,
					  enum section_kind kind,
					  unsigned int *nr);
/* "phase.measure", "guest": what stands before the dot of a key. */
const char *experiment_section(const struct experiment *e,
			       enum section_kind kind, unsigned int nr,
			       char *out, size_t out_size);
/* NULL if there is none. */
const struct cell *experiment_cell(const struct experiment *e, const char *id);

/* ---- between the files that make it up ---- */

/* experiment.c -> checks.c: keys and values of every variant. */
int experiment_check(struct experiment *e, struct diag *d);
/* Which members the variant may choose for a section; bit set per index. */
uint64_t experiment_members(const struct experiment *e,
			    const struct experiment_variant *v,
			    enum section_kind kind, unsigned int phase);
/* experiment.c -> plan.c: the cells. */
int experiment_plan(struct experiment *e, struct diag *d);

/* plan.c -> cell_build.c: a body from one choice of items. */
struct build_cache;
struct cell_build {
	struct experiment *e;
	const struct experiment_variant *v;
	const unsigned int *choice;    /* item of merged[i] */
	struct diag *d;
	struct build_cache **cache;    /* files and topologies looked at */
};
int cell_build(const struct cell_build *build, struct cell_body **out);
/* cell_build.c -> cell_moments.c: defaults of events and injections, and, when
 * their values are known, whether they make sense. 0 or -errno. */
int cell_moments_init(const struct cell_build *b, struct cell_body *body);
int cell_moments_finish(const struct cell_build *b, struct cell_body *body);

#endif
