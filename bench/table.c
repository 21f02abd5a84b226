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

#include "bench/grid.h"
#include "bench/table_build.h"
#include "include/option.h"

#define NR_TABLES 3

const char *const report_format_names[] = {
	[REPORT_TABLE] = "table", [REPORT_MD] = "md", [REPORT_CSV] = "csv",
	[REPORT_JSON] = "json", [REPORT_COVER] = "cover", NULL
};

struct report {
	struct arena a;
	struct grouping g;
	struct grid tables[NR_TABLES];
	size_t nr_tables;
	struct report_text text;
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
		if (!value || !*value)
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

static int fill_text(struct report *rep, const struct results *r)
{
	struct report_text *t = &rep->text;

	t->title = r->cells[0].experiment;
	t->reference = rep->g.variants[0];
	t->model_version = r->cells[0].model_version;
	t->dir = r->dir;
	t->setup = setup_text(r, &rep->a);
	t->warning = warning_text(&rep->g, &rep->a);
	t->seed_argument = seed_argument(&rep->g, &rep->a);
	if (!t->setup || !t->seed_argument)
		return -ENOMEM;
	t->seeds = rep->g.nr_seeds == 1 ?
		arena_printf(&rep->a, "n = 1 (seed %s)", t->seed_argument) :
		arena_printf(&rep->a, "n = %zu seeds (%s)", rep->g.nr_seeds,
			     t->seed_argument);
	return t->seeds ? 0 : -ENOMEM;
}

static int report_build(struct report *rep, const struct results *r)
{
	static int (*const make[NR_TABLES])(struct grid *,
					    const struct grouping *,
					    struct arena *) = {
		table_throughput, table_memory, table_footprint,
	};
	int err = grouping_make(&rep->g, r, &rep->a);

	for (size_t i = 0; i < NR_TABLES && !err; i++) {
		err = make[i](&rep->tables[rep->nr_tables], &rep->g, &rep->a);
		rep->nr_tables += !err && rep->tables[rep->nr_tables].nr_rows;
	}
	return err ? err : fill_text(rep, r);
}

/* ---- the formats ---- */

__attribute__((format(printf, 3, 4)))
static void say(FILE *out, bool ascii, const char *fmt, ...)
{
	char text[4096];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	print_wrapped(text, 0, COVER_COLUMNS, ascii, out);
}

static void print_intro(const struct report *rep, bool ascii, FILE *out)
{
	const struct report_text *t = &rep->text;

	say(out, ascii, "%s", t->title);
	if (*t->setup)
		say(out, ascii, "%s", t->setup);
	say(out, ascii, "Mean of %s; dev: largest distance of a seed from the "
	    "mean; reference: %s. Simulated in virtual time (model %" PRIu64
	    "): exact for a given seed.", t->seeds, t->reference,
	    t->model_version);
	if (t->warning)
		say(out, ascii, "%s", t->warning);
}

static int print_tables(const struct report *rep, size_t columns, FILE *out)
{
	int err = 0;

	for (size_t i = 0; i < rep->nr_tables && !err; i++) {
		const struct grid *g = &rep->tables[i];

		fputc('\n', out);
		say(out, columns, "%s", g->title);
		if (g->note)
			say(out, columns, "(%s)", g->note);
		fputc('\n', out);
		err = grid_print_text(g, columns, out);
	}
	return err;
}

static int print_table(struct report *rep, FILE *out)
{
	print_intro(rep, false, out);
	return print_tables(rep, 0, out);
}

/* The folder as a reader of the mail would name it. */
static const char *dir_text(const char *dir)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-./";

	if (*dir == '/' || strlen(dir) > 40 || dir[strspn(dir, plain)])
		return "DIR";
	return dir;
}

static int print_cover(struct report *rep, FILE *out)
{
	const char *dir = dir_text(rep->text.dir);
	int err;

	print_intro(rep, true, out);
	err = print_tables(rep, COVER_COLUMNS, out);
	fputs("\nTo repeat:\n\n", out);
	say(out, true, "  buddylab run EXP.ini --seeds %s -o %s",
	    rep->text.seed_argument, dir);
	say(out, true, "  buddylab report %s --format cover", dir);
	return err;
}

static int print_md(struct report *rep, FILE *out)
{
	const struct report_text *t = &rep->text;

	fprintf(out, "# %s\n\nMean of %s, reference %s, model %" PRIu64
		".\n", t->title, t->seeds, t->reference, t->model_version);
	if (*t->setup)
		fprintf(out, "\n%s\n", t->setup);
	if (t->warning)
		fprintf(out, "\n**%s**\n", t->warning);
	for (size_t i = 0; i < rep->nr_tables; i++) {
		const struct grid *g = &rep->tables[i];

		fprintf(out, "\n## %s\n\n", g->title);
		if (g->note)
			fprintf(out, "%s\n\n", g->note);
		grid_print_md(g, out);
	}
	return 0;
}

static int print_csv(struct report *rep, FILE *out)
{
	const struct grid *first = &rep->tables[0];

	if (!rep->nr_tables)
		return 0;
	fputs("table", out);
	for (size_t k = 0; k < first->nr_keys; k++)
		fprintf(out, ",%s", first->key_names[k]);
	fputs(",group,metric,unit,mean,min,max\n", out);
	for (size_t i = 0; i < rep->nr_tables; i++)
		grid_print_csv(&rep->tables[i], first->key_names,
			       first->nr_keys, out);
	return 0;
}

static int print_json(struct report *rep, FILE *out)
{
	return report_print_json(&rep->text, rep->tables, rep->nr_tables, out);
}

int report_print(const struct results *r, enum report_format format,
		 FILE *out)
{
	static int (*const print[])(struct report *, FILE *) = {
		[REPORT_TABLE] = print_table, [REPORT_MD] = print_md,
		[REPORT_CSV] = print_csv, [REPORT_JSON] = print_json,
		[REPORT_COVER] = print_cover,
	};
	struct report rep = { 0 };
	int err;

	if (!r->nr_cells)
		return -ENODATA;
	err = report_build(&rep, r);
	if (!err)
		err = print[format](&rep, out);
	arena_free(&rep.a);
	if (!err && (fflush(out) || ferror(out)))
		err = -EIO;
	return err;
}
