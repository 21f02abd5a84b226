/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of keys per section, completed from what is registered. */
#include "bench/schema.h"

#include <string.h>

#include "include/check.h"

#define E(member) offsetof(struct experiment_options, member)
static const struct option_desc experiment_descs[] = {
	{ .name = "title", .type = OPTION_STRING, .offset = E(title),
	  .def = "", .unit = "",
	  .help = "Heading of tables and figures." },
	/* No larger integer survives in JSON. */
	{ .name = "seeds", .type = OPTION_UINT, .offset = E(seeds),
	  .max = INT64_MAX, .def = "1", .unit = "",
	  .help = "Root seeds: a number, a range A..B, or a list of both." },
	{ .name = "sample", .type = OPTION_TIME, .offset = E(sample_ns),
	  .def = "100ms", .unit = "time",
	  .help = "Virtual time between samples of the series; 0s = none." },
	{ .name = "map", .type = OPTION_TIME, .offset = E(map_ns),
	  .def = "0s", .unit = "",
	  .help = "Virtual time between memory maps of the first guest, taken "
		  "with samples; 0s = none." },
	{ .name = "columns", .type = OPTION_STRING, .offset = E(columns),
	  .def = "", .unit = "",
	  .help = "Print one table with these columns; `list columns`." },
	{ .name = NULL }
};

static const struct option_desc no_descs[] = { { .name = NULL } };

static const char *const section_names[] = {
	"experiment", "guest", "host", "reporter", "phase", "event", "inject"
};

const char *schema_section_name(enum section_kind kind)
{
	return section_names[kind];
}

bool schema_is_named(enum section_kind kind)
{
	return kind >= SECTION_PHASE;
}

const char *schema_required(enum section_kind kind)
{
	switch (kind) {
	case SECTION_PHASE:
		return "workload";
	case SECTION_EVENT:
		return "action";
	case SECTION_INJECT:
		return "kind";
	default:
		return NULL;
	}
}

const char *schema_chooser(enum section_kind kind)
{
	switch (kind) {
	case SECTION_HOST:
		return "hypervisor";
	case SECTION_REPORTER:
		return "design";
	case SECTION_PHASE:
		return "workload";
	default:
		return NULL;
	}
}

static void init_names(struct schema *s, const struct sim_registry *r)
{
	unsigned int i;

	for (i = 0; r->reporters[i] && i < SCHEMA_MAX_MEMBERS; i++)
		s->reporters[i] = r->reporters[i]->name;
	for (i = 0; r->hypervisors[i] && i < SCHEMA_MAX_MEMBERS; i++)
		s->hypervisors[i] = r->hypervisors[i]->name;
	for (i = 0; r->workloads[i] && i < SCHEMA_MAX_MEMBERS; i++)
		s->workloads[i] = r->workloads[i]->name;
}

/* The key that chooses the member; the first one registered is the default. */
static struct option_desc chooser_desc(enum section_kind kind,
				       const char *const *names,
				       const char *help)
{
	return (struct option_desc){
		.name = schema_chooser(kind), .type = OPTION_NAME,
		.offset = offsetof(struct chooser_options, member),
		.names = names, .unit = "", .help = help,
		/* A phase without a workload is a mistake. */
		.def = kind == SECTION_PHASE ? NULL : names[0],
	};
}

void schema_init(struct schema *s, const struct sim_registry *registry)
{
	const size_t chooser = sizeof(struct chooser_options);
	unsigned int i;

	*s = (struct schema){ .registry = registry };
	init_names(s, registry);
	s->host_descs[0] = chooser_desc(SECTION_HOST, s->hypervisors,
					"Which host backs the guests.");
	s->phase_descs[0] = chooser_desc(SECTION_PHASE, s->workloads,
					 "What the tasks of the phase do.");
	s->reporter_descs[0] = chooser_desc(SECTION_REPORTER, s->reporters,
					    "How the guest reports.");
	s->reporter_descs[1] = (struct option_desc){
		.name = "enabled", .type = OPTION_BOOL,
		.offset = offsetof(struct reporter_choice, enabled),
		.def = "on", .unit = "",
		.help = "off: the code is there, the device never appears.",
	};
	s->event_descs[0] = (struct option_desc){
		.name = "phase", .type = OPTION_NAME,
		.offset = offsetof(struct chooser_options, member),
		.names = s->phases, .unit = "name of a phase",
		.help = "The phase from whose start or end the time counts; "
			"the first one if there is no such key.",
	};
	for (i = 0; i < NR_SECTION_KINDS; i++)
		s->head[i] = s->common[i] =
			(struct option_table){ no_descs, 0 };
	s->head[SECTION_EXPERIMENT] = (struct option_table){
		experiment_descs, sizeof(struct experiment_options) };
	s->head[SECTION_HOST] = (struct option_table){ s->host_descs, chooser };
	s->head[SECTION_REPORTER] = (struct option_table){
		s->reporter_descs, sizeof(struct reporter_choice) };
	s->head[SECTION_PHASE] =
		(struct option_table){ s->phase_descs, chooser };
	s->head[SECTION_EVENT] = s->head[SECTION_INJECT] =
		(struct option_table){ s->event_descs, chooser };
	s->common[SECTION_GUEST] = guest_option_table;
	s->common[SECTION_HOST] = host_option_table;
	s->common[SECTION_PHASE] = phase_option_table;
	s->common[SECTION_EVENT] = event_option_table;
	s->common[SECTION_INJECT] = inject_option_table;
}

static const char *const *family_names(const struct schema *s,
				       enum section_kind kind)
{
	switch (kind) {
	case SECTION_HOST:
		return s->hypervisors;
	case SECTION_REPORTER:
		return s->reporters;
	case SECTION_PHASE:
		return s->workloads;
	default:
		return NULL;
	}
}

unsigned int schema_nr_members(const struct schema *s, enum section_kind kind)
{
	const char *const *names = family_names(s, kind);
	unsigned int n = 0;

	while (names && names[n])
		n++;
	return n;
}

const char *schema_member_name(const struct schema *s, enum section_kind kind,
			       unsigned int member)
{
	CHECK_LT(member, schema_nr_members(s, kind));
	return family_names(s, kind)[member];
}

const struct option_table *schema_member(const struct schema *s,
					 enum section_kind kind,
					 unsigned int member)
{
	const struct sim_registry *r = s->registry;

	switch (kind) {
	case SECTION_HOST:
		return &r->hypervisors[member]->options;
	case SECTION_REPORTER:
		return &r->reporters[member]->options;
	case SECTION_PHASE:
		return &r->workloads[member]->options;
	default:
		return &s->head[SECTION_GUEST];
	}
}

const struct option_desc *schema_find_fixed(const struct schema *s,
					    enum section_kind kind,
					    const char *key)
{
	const struct option_desc *o = option_find(&s->head[kind], key);

	return o ? o : option_find(&s->common[kind], key);
}

bool option_is_path(const struct option_desc *o)
{
	return o->type == OPTION_STRING && !strcmp(o->unit, "path");
}
