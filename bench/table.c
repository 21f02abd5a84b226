/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report: all tables, and the words around them that each format needs. A
 * cover letter also says what was run, over how many seeds, which direction is
 * better, and how to repeat it.
 */
#include "bench/table.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "bench/columns.h"
#include "bench/command.h"
#include "bench/cover.h"
#include "bench/grid.h"
#include "bench/html_parts.h"
#include "bench/json_memory.h"
#include "bench/openmetrics.h"
#include "bench/table_build.h"
#include "include/option.h"

#define NR_TABLES 3

const char *const report_format_names[] = {
	[REPORT_TABLE] = "table", [REPORT_MD] = "md", [REPORT_CSV] = "csv",
	[REPORT_JSON] = "json", [REPORT_COVER] = "cover",
	[REPORT_HTML] = "html", [REPORT_METRICS] = "openmetrics", NULL
};

const char *const cover_layout_names[] = {
	[COVER_TABLES] = "tables", [COVER_MMTESTS] = "mmtests",
	[COVER_BENCHSTAT] = "benchstat", [COVER_LKP] = "lkp", NULL
};

struct report {
	struct arena a;
	struct grouping g;
	struct grid tables[NR_TABLES];
	size_t nr_tables;
	struct page page;
};

int report_format_parse(const char *text, enum report_format *out)
{
	for (int i = 0; report_format_names[i]; i++)
		if (!strcmp(text, report_format_names[i])) {
			*out = (enum report_format)i;
			return 0;
		}
	return -EINVAL;
}

int cover_layout_parse(const char *text, enum cover_layout *out)
{
	for (int i = 0; cover_layout_names[i]; i++)
		if (!strcmp(text, cover_layout_names[i])) {
			*out = (enum cover_layout)i;
			return 0;
		}
	return -EINVAL;
}

static bool seeds_are_consecutive(const struct grouping *g)
{
	for (size_t i = 1; i < g->nr_seeds; i++)
		if (g->seeds[i] != g->seeds[0] + i)
			return false;
	return true;
}

/* "1..5", or "1,4,9": as --seeds takes them. */
static const char *seed_argument(const struct grouping *g, struct arena *a)
{
	const char *text;

	if (g->nr_seeds == 1)
		return arena_printf(a, "%" PRIu64, g->seeds[0]);
	if (seeds_are_consecutive(g))
		return arena_printf(a, "%" PRIu64 "..%" PRIu64, g->seeds[0],
				    g->seeds[g->nr_seeds - 1]);
	text = arena_printf(a, "%" PRIu64, g->seeds[0]);
	for (size_t i = 1; i < g->nr_seeds && text; i++)
		text = arena_printf(a, "%s,%" PRIu64, text, g->seeds[i]);
	return text;
}

/* The value of an option if it is the same in all cells, else NULL. */
static const char *common_option(const struct results *r, const char *name)
{
	const char *first = result_option(&r->cells[0], name), *other;

	for (size_t i = 1; first && i < r->nr_cells; i++) {
		other = result_option(&r->cells[i], name);
		if (!other || strcmp(first, other) != 0)
			return NULL;
	}
	return first;
}

/* "32 GiB" */
static const char *size_text(struct arena *a, const char *text)
{
	uint64_t bytes;

	if (parse_size(text, &bytes))
		return text;
	if (bytes && bytes % (UINT64_C(1) << 30) == 0)
		return arena_printf(a, "%" PRIu64 " GiB", bytes >> 30);
	return arena_printf(a, "%" PRIu64 " MiB", bytes >> 20);
}

/* What all cells have in common, as far as it describes the machines. */
static const char *setup_text(const struct results *r, struct arena *a)
{
	static const struct {
		const char *option, *label;
		bool size;
	} parts[] = {
		{ "guest.memory", "guest", true },
		{ "guest.cpus", "vCPUs", false },
		{ "guest.kernel", "profile", false },
		{ "guest.topology", "topology", false },
		{ "host.memory", "host", true },
		{ "host.hypervisor", "hypervisor", false },
		{ "host.prices", "prices", false },
	};
	const char *text = "", *value;

	for (size_t i = 0; i < ARRAY_SIZE(parts) && text; i++) {
		value = common_option(r, parts[i].option);
		if (!value || !*value || !strcmp(value, "0"))
			continue;
		if (parts[i].size)
			value = size_text(a, value);
		text = arena_printf(a, "%s%s%s %s", text, *text ? ", " : "",
				    parts[i].label, value ? value : "");
	}
	return text;
}

/* Points of the experiment that have fewer cells than there are seeds. */
static const char *warning_text(const struct grouping *g, struct arena *a)
{
	size_t missing = 0, r, i;

	for (r = 0; r < g->nr_rows; r++)
		for (i = 0; i < g->nr_groups; i++)
			missing += g->nr_seeds - g->rows[r].slots[i].nr;
	if (!missing)
		return NULL;
	return arena_printf(a, "Incomplete: %zu of %zu cells are missing; "
			    "means are over those that are there", missing,
			    g->nr_rows * g->nr_groups * g->nr_seeds);
}

/* "n = 3 seeds (1..3)" */
static const char *seeds_text(const struct grouping *g, const char *argument,
			      struct arena *a)
{
	return g->nr_seeds == 1 ?
		arena_printf(a, "n = 1 (seed %s)", argument) :
		arena_printf(a, "n = %zu seeds (%s)", g->nr_seeds, argument);
}

static bool is_complete(const struct page *p)
{
	for (size_t i = 0; i < 2; i++)
		if (!p->intro[i] || !p->repeat[i])
			return false;
	for (size_t i = 0; i < PAGE_MAX_LINES && p->facts[i].name; i++)
		if (!p->facts[i].value)
			return false;
	return true;
}

/* The folder as a reader of the mail would name it. */
static const char *dir_text(const char *dir)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-./";

	return dir[strspn(dir, plain)] ? "DIR" : dir;
}

static int fill_page(struct report *rep, const struct results *r)
{
	struct page *p = &rep->page;
	struct arena *a = &rep->a;
	const char *argument = seed_argument(&rep->g, a);
	const char *model = arena_printf(a, "%" PRIu64,
					 r->cells[0].model_version);

	if (!argument || !model)
		return -ENOMEM;
	p->title = r->cells[0].experiment;
	p->intro[0] = setup_text(r, a);
	p->intro[1] = arena_printf(
		a, "Mean of %s; dev: largest distance of a seed from the mean; "
		"reference: %s. Simulated in virtual time (model %s): exact "
		"for a given seed.", seeds_text(&rep->g, argument, a),
		rep->g.variants[0], model);
	p->warning = warning_text(&rep->g, a);
	p->repeat[0] = command_text(r, "run", a);
	p->repeat[1] = arena_printf(a, "buddylab report %s --format cover",
				    dir_text(r->dir));
	p->facts[0] = (struct page_fact){ "reference", rep->g.variants[0] };
	p->facts[1] = (struct page_fact){ "seeds", argument };
	p->facts[2] = (struct page_fact){ "model_version", model };
	p->tables = rep->tables;
	p->nr_tables = rep->nr_tables;
	return is_complete(p) ? 0 : -ENOMEM;
}

/* The phases of the cell that has most of them. */
static int check_columns(const struct results *r, const char *columns,
			 struct arena *a, char *why, size_t why_size)
{
	const struct result_cell *most = &r->cells[0];
	const char **phases;

	for (size_t i = 1; i < r->nr_cells; i++)
		if (r->cells[i].nr_phases > most->nr_phases)
			most = &r->cells[i];
	phases = arena_array(a, most->nr_phases + 1, sizeof(*phases));
	if (!phases)
		return -ENOMEM;
	for (size_t i = 0; i < most->nr_phases; i++)
		phases[i] = most->phases[i].name;
	return columns_check(columns, phases, why, why_size);
}

static int report_build(struct report *rep, const struct results *r,
			const char *columns)
{
	static int (*const make[NR_TABLES])(struct grid *,
					    const struct grouping *,
					    struct arena *) = {
		table_throughput, table_memory, table_footprint,
	};
	int err = grouping_make(&rep->g, r, &rep->a);

	if (columns && !err) {
		err = table_columns(&rep->tables[0], columns, &rep->g, &rep->a);
		rep->nr_tables = !err;
	}
	for (size_t i = 0; i < NR_TABLES && !columns && !err; i++) {
		err = make[i](&rep->tables[rep->nr_tables], &rep->g, &rep->a);
		rep->nr_tables += !err && rep->tables[rep->nr_tables].nr_rows;
	}
	return err ? err : fill_page(rep, r);
}

/* The page's own command says how it was made. */
static int add_cover(struct report *rep, struct cover *c,
		     const struct report_request *req, const char *columns,
		     char *why, size_t why_size)
{
	struct page *p = &rep->page;
	int err;

	if (req->format != REPORT_COVER || req->layout == COVER_TABLES)
		return 0;
	err = cover_build(c, &rep->g, columns, req->layout, &rep->a);
	if (json_memory_failed())
		return -ENOMEM;
	if (err == -ENODATA) {
		snprintf(why, why_size, "layout %s compares variants, and there "
			 "is only one, or they have no number in common",
			 cover_layout_names[req->layout]);
		return -EINVAL;
	}
	p->body = cover_print;
	p->body_ctx = c;
	p->repeat[1] = arena_printf(&rep->a, "%s --layout %s", p->repeat[1],
				    cover_layout_names[req->layout]);
	return err ? err : p->repeat[1] ? 0 : -ENOMEM;
}

/* Columns that the experiment does not ask for belong to the command. */
static int repeat_columns(struct report *rep, const char *columns)
{
	struct page *p = &rep->page;

	/* What a shell would read otherwise: only the name of a phase has it. */
	if (!strchr(columns, '\''))
		p->repeat[1] = arena_printf(&rep->a, "%s --columns '%s'",
					    p->repeat[1], columns);
	return p->repeat[1] ? 0 : -ENOMEM;
}

int report_columns(const struct results *r, const struct report_request *req,
		   FILE *out, char *why, size_t why_size)
{
	struct report rep = { 0 };
	struct cover cover;
	const char *columns = req->columns;
	int err = 0;

	if (!r->nr_cells)
		return -ENODATA;
	if (req->format == REPORT_METRICS)
		return openmetrics_print(r, out);
	if (!columns)
		columns = common_option(r, "experiment.columns");
	if (columns)
		err = check_columns(r, columns, &rep.a, why, why_size);
	if (!err)
		err = report_build(&rep, r, columns);
	if (!err && req->columns)
		err = repeat_columns(&rep, req->columns);
	if (!err)
		err = add_cover(&rep, &cover, req, columns, why, why_size);
	if (!err && req->format == REPORT_HTML)
		err = page_add_html(&rep.page, r, &rep.a);
	if (!err)
		err = page_print(&rep.page, req->format, out);
	arena_free(&rep.a);
	return err;
}

int report_print(const struct results *r, enum report_format format,
		 FILE *out)
{
	const struct report_request req = { .format = format };
	char why[400];
	int err = report_columns(r, &req, out, why, sizeof(why));

	/* Results of another version may ask for what is not known here. */
	return err == -EINVAL ? -ENODATA : err;
}
