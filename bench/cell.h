/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cell: one variant, one value of every axis, one seed. All effective values
 * are in it, so it can be run without the experiment's text.
 *
 * Its id is the XXH3-128 of lines `section.key=value`, one for each effective
 * value and one for the seed, sorted as bytes, each ended by a newline. Phases
 * are numbered from 1 (`phase.1.tasks=16`), values are in base units, and a
 * file stands for its content (`phase.1.file=xxh3:HEX`), as does the plugin that
 * a design came from (`reporter.plugin=xxh3:HEX`). docs/results.md.
 */
#ifndef BENCH_CELL_H
#define BENCH_CELL_H

#include "bench/arena.h"
#include "bench/schema.h"

#define CELL_MAX_PATHS 16
#define CELL_TEXT_SIZE (OPTION_STRING_SIZE + 8)

struct cell_axis {
	const char *name;      /* "phase.measure.tasks" */
	const char *value;     /* as written */
};

/* A file that an option names. */
struct cell_path {
	const char *at;        /* member of the options struct */
	const char *written;   /* as the experiment has it */
	char digest[DIGEST_HEX_SIZE];
};

/* All but the seed; shared by the seeds of a cell. */
struct cell_body {
	struct experiment_options experiment;
	struct guest_options guest;
	struct host_options host;
	struct chooser_options host_choice;
	struct reporter_choice reporter_choice;
	void *hypervisor_options, *reporter_options;
	/* "xxh3:HEX" of the plugin that the design came from, or "". */
	char reporter_plugin[OPTION_STRING_SIZE];
	struct chooser_options *workloads;  /* [nr_phases] */
	struct sim_phase_config *phases;
	unsigned int nr_phases;
	struct chooser_options *event_phases;   /* [nr_events] */
	struct sim_event_config *events;
	unsigned int nr_events;
	struct chooser_options *inject_phases;  /* [nr_injects] */
	struct sim_inject_config *injects;
	unsigned int nr_injects;
	const struct price_list *prices;
	struct cell_path paths[CELL_MAX_PATHS];
	unsigned int nr_paths;

	/* By which cells share work: all that is fixed when a run starts, and
	 * each phase. Equal keys, equal behaviour. */
	char base_key[DIGEST_HEX_SIZE];
	char (*phase_keys)[DIGEST_HEX_SIZE];
	const char *lines;     /* of the id, without the seed */
};

struct cell {
	char id[DIGEST_HEX_SIZE];
	const char *variant;
	const struct cell_axis *axes;
	unsigned int nr_axes;
	uint64_t seed;
	const struct cell_body *body;
	size_t index;          /* in plan order */
	bool repeated;         /* an earlier cell of the plan has the same id */
};

/* Called for every effective value, sections and tables in their order. */
typedef void (*cell_option_fn)(void *ctx, enum section_kind kind,
			       unsigned int phase, const struct option_desc *o,
			       const void *base);
void cell_visit(const struct cell_body *b, const struct schema *s,
		cell_option_fn fn, void *ctx);

/* The value as results show it, and as the id has it. */
void cell_value(const struct cell_body *b, const struct option_desc *o,
		const void *base, char *out, size_t out_size);
void cell_id_value(const struct cell_body *b, const struct option_desc *o,
		   const void *base, char *out, size_t out_size);
/* Does the option name a file that stands for its content in the id? */
bool cell_is_file(const struct cell_body *b, const struct option_desc *o,
		  const void *base);

/* Fill lines, base_key and phase_keys. 0 or -ENOMEM. */
int cell_body_finish(struct cell_body *b, const struct schema *s,
		     struct arena *a);
/* Fill the id from body and seed. 0 or -ENOMEM. */
int cell_finish(struct cell *c);

/* "variant enabled, phase.measure.tasks=16, seed 2" */
void cell_describe(const struct cell *c, char *out, size_t out_size);

#endif
