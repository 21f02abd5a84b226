/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which keys a section of an experiment file may hold. They come from up to
 * three tables: those of bench/ itself (which design, host or workload is
 * meant), those that sim/ reads, and those of the chosen member of the family.
 */
#ifndef BENCH_SCHEMA_H
#define BENCH_SCHEMA_H

#include "sim/sim.h"

enum section_kind {
	SECTION_EXPERIMENT,
	SECTION_GUEST,
	SECTION_HOST,
	SECTION_REPORTER,
	SECTION_PHASE,
	SECTION_EVENT,
	SECTION_INJECT,
	NR_SECTION_KINDS
};

#define SCHEMA_MAX_MEMBERS 64
#define SCHEMA_MAX_PHASES 64

/* [experiment] */
struct experiment_options {
	char title[OPTION_STRING_SIZE];
	uint64_t seeds;        /* one of the list */
	sim_ns_t sample_ns, map_ns;
	char columns[OPTION_STRING_SIZE];
};

/* [host] hypervisor; [phase] workload; [event], [inject] phase */
struct chooser_options {
	unsigned int member;   /* index in the family */
};

/* [reporter] */
struct reporter_choice {
	unsigned int member;   /* first, as in struct chooser_options */
	bool enabled;
};

struct schema {
	const struct sim_registry *registry;
	/* NULL-ended names of reporters, hypervisors and workloads. */
	const char *reporters[SCHEMA_MAX_MEMBERS + 1];
	const char *hypervisors[SCHEMA_MAX_MEMBERS + 1];
	const char *workloads[SCHEMA_MAX_MEMBERS + 1];
	/* NULL-ended names of the phases, of an experiment that has any. */
	const char *phases[SCHEMA_MAX_PHASES + 1];
	struct option_desc host_descs[2], reporter_descs[3], phase_descs[2];
	struct option_desc event_descs[2];
	struct option_table head[NR_SECTION_KINDS];
	struct option_table common[NR_SECTION_KINDS];
};

void schema_init(struct schema *s, const struct sim_registry *registry);

/* Sections of this kind have names and are several. */
bool schema_is_named(enum section_kind kind);
/* The key of a named section that has no default ("workload"), or NULL. */
const char *schema_required(enum section_kind kind);
/* "guest" */
const char *schema_section_name(enum section_kind kind);
/* The key that chooses a member of the family ("design"), or NULL. */
const char *schema_chooser(enum section_kind kind);
/* Members of the family, and the option table of each. */
unsigned int schema_nr_members(const struct schema *s, enum section_kind kind);
const char *schema_member_name(const struct schema *s, enum section_kind kind,
			       unsigned int member);
const struct option_table *schema_member(const struct schema *s,
					 enum section_kind kind,
					 unsigned int member);
/* In the tables that do not depend on the member, or NULL. */
const struct option_desc *schema_find_fixed(const struct schema *s,
					    enum section_kind kind,
					    const char *key);
bool option_is_path(const struct option_desc *o);

#endif
