/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures: text fit for a mail, pictures that are the same bytes every time. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/figure.h"
#include "bench/figure_internal.h"
#include "tests/bench/results_fixture.h"
#include "tests/test.h"

static const struct fixture_cell cells[] = {
	{ "baseline", "page_fault1", 1, 1, 1000000, 32, 0, 0, 0, 0 },
	{ "baseline", "page_fault1", 16, 1, 8000000, 32, 0, 0, 0, 0 },
	{ "enabled", "page_fault1", 1, 1, 1010000, 2, 1280, 0, 0, 0 },
	{ "enabled", "page_fault1", 16, 1, 7840000, 2, 1280, 0, 0, 0 },
};
#define NR ARRAY_SIZE(cells)

struct drawn {
	struct fixture f;
	struct results r;
	char *text, *messages;
	int err;
};

static void start(struct drawn *d, const struct fixture_cell *c, size_t nr)
{
	memset(d, 0, sizeof(*d));
	fixture_make(&d->f, c, nr);
	fixture_read(&d->f, &d->r);
}

static void draw_figure(struct drawn *d, const char *name,
			enum figure_terminal terminal)
{
	const struct figure_request req = { .name = name,
					    .terminal = terminal };
	FILE *out = tmpfile(), *messages = tmpfile();

	assert_non_null(out);
	assert_non_null(messages);
	free(d->text);
	free(d->messages);
	d->err = figure_plot(&d->r, &req, out, messages);
	d->text = fixture_text(out);
	d->messages = fixture_text(messages);
}

static void end(struct drawn *d)
{
	free(d->text);
	free(d->messages);
	results_free(&d->r);
	fixture_remove(&d->f);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("not\n%s\nin\n%s", part, text);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* Samples of the cell that stands for a variant: 1 GiB used of 4, falling. */
static void write_series(struct drawn *d, size_t cell, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/series", d->f.dir);
	(void)mkdir(path, 0777);
	results_series_path(&d->r, &d->r.cells[cell], path, sizeof(path));
	write_file(path, text);
}

static const char samples[] =
	"at_ns,guest_free_pages,guest_used_pages,host_rss_pages,other\n"
	"0,786432,262144,1048576,1\n"
	"5000000000,786432,262144,1048576,2\n"
	"10000000000,786432,262144,262144,3\n";

static bool gnuplot_is_there(void)
{
	return !system("gnuplot --version >/dev/null 2>&1");
}

static char *read_file(const char *dir, const char *name)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/figures/%s", dir, name);
	f = fopen(path, "r");
	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	return fixture_text(f);
}

/* ---- text ---- */

static void test_figure__text_is_cleaned_for_a_mail(void **state)
{
	/* Left: as gnuplot prints it. Right: as a mail wants it. */
	static const struct {
		const char *dirty, *clean;
	} rows[] = {
		{ "", "" },
		{ "\f", "" },
		{ "\f\n  \n\n", "" },
		{ "\f  a\n", "  a\n" },
		{ "a   \n", "a\n" },
		{ "a", "a\n" },
		{ "\n\na\n\n\nb\n\n", "a\n\n\nb\n" },
		{ "a\tb\r\n", "a b\n" },
		{ "5 \xc2\xb5s\n", "5 ?s\n" },
		{ "123456789 123456789 123456789 123456789 123456789 "
		  "123456789 123456789 12345678\n",
		  "123456789 123456789 123456789 123456789 123456789 "
		  "123456789 123456789 12345\n" },
		{ "123456789 123456789 123456789 123456789 123456789 "
		  "123456789 123456789 1234 X\n",
		  "123456789 123456789 123456789 123456789 123456789 "
		  "123456789 123456789 1234\n" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		FILE *out = tmpfile();
		char *text;

		assert_non_null(out);
		figure_clean_text(rows[i].dirty, strlen(rows[i].dirty), out);
		text = fixture_text(out);
		if (strcmp(text, rows[i].clean) != 0)
			fail_msg("row %u: '%s'", i, text);
		assert_mail_text(text);
		free(text);
	}
}

static void test_figure__bars_share_one_scale(void **state)
{
	/* +1 % and -2 %: the axis stands at two thirds. */
	struct drawn d;

	(void)state;
	start(&d, cells, NR);
	draw_figure(&d, "throughput", FIGURE_DUMB);
	assert_int_equal(d.err, 0);
	assert_string_equal(d.text,
"Iterations per second against baseline, higher is better, mean of n = 1\n"
"\n"
"page_fault1, tasks 1\n"
"  enabled                      +1.00 %                        |###########\n"
"\n"
"page_fault1, tasks 16\n"
"  enabled                      -2.00 % #######################|\n"
"\n");
	end(&d);
}

static void test_figure__odd_names_keep_to_the_rules(void **state)
{
	/* A name that is too long, and one that is no ASCII. */
	struct fixture_cell odd[NR];
	struct drawn d;

	(void)state;
	memcpy(odd, cells, sizeof(cells));
	odd[2].variant = odd[3].variant =
		"a name that does not fit on any page of a mail, whatever is "
		"left out of it gr\xc3\xb6\xc3\x9f" "er";
	start(&d, odd, NR);
	draw_figure(&d, "throughput", FIGURE_DUMB);
	assert_int_equal(d.err, 0);
	assert_has(d.text, "  a name that does not fit o");
	assert_mail_text(d.text);
	end(&d);
}

static void test_figure__file_names_hold_nothing_odd(void **state)
{
	/* A variant's name cannot leave the folder or start a command. */
	static const struct {
		const char *variant, *expected;
	} rows[] = {
		{ NULL, "memory" },
		{ "enabled+shuffle", "memory-enabled+shuffle" },
		{ "../../x", "memory-.._.._x" },
		{ "<rm $HOME", "memory-_rm__HOME" },
		{ "'`|", "memory-___" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		char name[FIGURE_NAME_SIZE];

		figure_file_name(name, sizeof(name), "memory",
				 rows[i].variant);
		assert_string_equal(name, rows[i].expected);
	}
}

/* ---- errors ---- */

static void test_figure__unknown_figure_names_those_that_are(void **state)
{
	/* A slip of the keyboard. */
	struct drawn d;

	(void)state;
	start(&d, cells, NR);
	draw_figure(&d, "memori", FIGURE_DUMB);
	assert_int_equal(d.err, -EINVAL);
	assert_has(d.messages, "unknown figure 'memori'; there are resident, "
		   "memory, guests, huge, throughput");
	end(&d);
}

static void test_figure__no_series_is_said(void **state)
{
	/* sample = 0s leaves them out. */
	struct drawn d;

	(void)state;
	start(&d, cells, NR);
	draw_figure(&d, "memory", FIGURE_DUMB);
	assert_int_equal(d.err, -ENODATA);
	assert_has(d.messages, "the results have no series");
	end(&d);
}

static void test_figure__broken_series_is_named_by_line(void **state)
{
	/* The third line of the file lost a number, or has a wrong one. */
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "at_ns,host_rss_pages\n", ":1: error: the first line does "
		  "not name" },
		{ "at_ns,guest_free_pages,guest_used_pages,host_rss_pages\n"
		  "0,1,2,3\n1,2,3\n", ":3: error: a line needs 4 numbers" },
		{ "at_ns,guest_free_pages,guest_used_pages,host_rss_pages\n"
		  "0,1,2,3\n1,2,-3,4\n", ":3: error: '-3' is not a count" },
	};
	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct drawn d;

		start(&d, cells, NR);
		write_series(&d, 1, rows[i].text);
		draw_figure(&d, "memory", FIGURE_DUMB);
		ASSERT_U64(test_row(i), d.err, -EBADMSG);
		assert_has(d.messages, rows[i].message);
		end(&d);
	}
}

static void test_figure__missing_gnuplot_is_an_error(void **state)
{
	/* Nothing in PATH: which package has it is said. */
	char *path = strdup(getenv("PATH"));
	struct drawn d;

	(void)state;
	start(&d, cells, NR);
	write_series(&d, 1, samples);
	setenv("PATH", "/nonexistent", 1);
	draw_figure(&d, "memory", FIGURE_DUMB);
	setenv("PATH", path, 1);
	free(path);
	assert_int_equal(d.err, -ENOENT);
	assert_has(d.messages, "gnuplot-nox");
	end(&d);
}

/* ---- gnuplot ---- */

static void test_figure__memory_as_text(void **state)
{
	/* The host falls from 4 GiB to the 1 GiB that the guest uses. */
	struct drawn d;

	(void)state;
	if (!gnuplot_is_there())
		skip();
	start(&d, cells, NR);
	write_series(&d, 1, samples);
	write_series(&d, 3, samples);
	draw_figure(&d, "memory", FIGURE_DUMB);
	assert_int_equal(d.err, 0);
	assert_mail_text(d.text);
	assert_has(d.text, "Made up\nenabled (page_fault1, tasks 16, seed 1)\n"
		   "phases: fill 0.0..5.0 s, measure 5.0..10.0 s\n");
	assert_has(d.text, "***");
	assert_has(d.text, "###");
	assert_has(d.text, "virtual time [s]");
	end(&d);
}

#define ZEROS ",0.000000,0.000000,0.000000,0.000000\n"

static void test_figure__pictures_have_their_numbers_beside_them(void **state)
{
	/* Seconds and GiB, as plotted; the same picture twice. */
	struct drawn d;
	char *first, *second;

	(void)state;
	if (!gnuplot_is_there())
		skip();
	start(&d, cells, NR);
	write_series(&d, 1, samples);
	write_series(&d, 3, samples);
	draw_figure(&d, NULL, FIGURE_SVG);
	assert_int_equal(d.err, 0);
	assert_has(d.text, "/figures/resident.svg\n");
	assert_has(d.text, "/figures/memory-enabled.svg\n");
	assert_has(d.text, "/figures/throughput.svg\n");
	first = read_file(d.f.dir, "memory-enabled.csv");
	assert_string_equal(first,
		"time_s,guest_free_gib,guest_used_gib,host_resident_gib,"
		"host_free_gib,host_huge_gib,balloon_gib,"
		"balloon_target_gib\n"
		"0.000000000,3.000000,1.000000,4.000000" ZEROS
		"5.000000000,3.000000,1.000000,4.000000" ZEROS
		"10.000000000,3.000000,1.000000,1.000000" ZEROS);
	free(first);
	/* Both lines of the title are on the canvas. */
	first = read_file(d.f.dir, "memory-enabled.svg");
	assert_has(first, "<text>enabled (page_fault1");
	assert_has(first, d.r.cells[0].experiment);
	free(first);
	first = read_file(d.f.dir, "resident.svg");
	assert_has(first, "resident on the host [GiB]");
	assert_has(first, "enabled");
	draw_figure(&d, NULL, FIGURE_SVG);
	assert_int_equal(d.err, 0);
	second = read_file(d.f.dir, "resident.svg");
	assert_string_equal(first, second);
	free(first);
	free(second);
	end(&d);
}

static void test_figure__quotes_in_names_stay_text(void **state)
{
	/* Neither gnuplot nor a shell sees a command in them. */
	static const char evil[] = "x'; system('touch evil'); '`touch evil`"
				   " 100%s%n";
	struct fixture_cell odd[NR];
	struct drawn d;
	char *text;

	(void)state;
	if (!gnuplot_is_there())
		skip();
	memcpy(odd, cells, sizeof(cells));
	odd[2].variant = odd[3].variant = evil;
	for (size_t i = 0; i < NR; i++)
		odd[i].workload = "50%d";
	start(&d, odd, NR);
	write_series(&d, 1, samples);
	write_series(&d, 3, samples);
	draw_figure(&d, NULL, FIGURE_SVG);
	assert_int_equal(d.err, 0);
	text = read_file(d.f.dir, "throughput.svg");
	assert_has(text, "50%d");
	free(text);
	assert_int_equal(access("evil", F_OK), -1);
	end(&d);
}

/* ---- memory maps ---- */

#define MAP_HEAD "at_ns,first_pfn,pages,free,reported,mapped,huge\n"

/* Two bins of 1 GiB: the first used, the second free, then given back. */
static const char map[] = MAP_HEAD
	"0,0,262144,0,0,262144,262144\n"
	"0,262144,262144,262144,0,262144,0\n"
	"1000000000,0,262144,0,0,262144,262144\n"
	"1000000000,262144,262144,262144,262144,0,0\n";

static void write_map(struct drawn *d, size_t cell, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/series", d->f.dir);
	(void)mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/series/%s.map.csv", d->f.dir,
		 d->r.cells[cell].id);
	write_file(path, text);
}

static void test_figure__map_as_text(void **state)
{
	/* Used below; above it free and held, given back at the very end. */
	struct drawn d;

	(void)state;
	start(&d, cells, NR);
	write_map(&d, 3, map);
	draw_figure(&d, "map", FIGURE_DUMB);
	assert_int_equal(d.err, 0);
	assert_has(d.text, "enabled (page_fault1, tasks 16, seed 1)\n");
	assert_has(d.text, "\n   2.00 ooooooooooooooooooooooooooooooooooooooooo"
			   "oooooooooooooooooo.\n");
	assert_has(d.text, "\n   1.00 #########################################"
			   "###################\n");
	assert_mail_text(d.text);
	end(&d);
}

static void test_figure__map_has_its_numbers_beside_it(void **state)
{
	/* Shares of each bin; the same bytes a second time. */
	struct drawn d;
	char *first, *second;

	(void)state;
	if (!gnuplot_is_there())
		skip();
	start(&d, cells, NR);
	write_map(&d, 3, map);
	draw_figure(&d, "map", FIGURE_SVG);
	assert_int_equal(d.err, 0);
	first = read_file(d.f.dir, "map-enabled.csv");
	assert_string_equal(first,
		"time_s,address_gib,used,free,reported,huge,small,none\n"
		"0.000000,0.500000,1.0000,0.0000,0.0000,1.0000,0.0000,0.0000\n"
		"0.000000,1.500000,0.0000,1.0000,0.0000,0.0000,1.0000,0.0000\n"
		"1.000000,0.500000,1.0000,0.0000,0.0000,1.0000,0.0000,0.0000\n"
		"1.000000,1.500000,0.0000,0.0000,1.0000,0.0000,0.0000,"
		"1.0000\n");
	free(first);
	first = read_file(d.f.dir, "map-enabled.svg");
	draw_figure(&d, "map", FIGURE_SVG);
	second = read_file(d.f.dir, "map-enabled.svg");
	assert_string_equal(first, second);
	free(first);
	free(second);
	end(&d);
}

static void test_figure__broken_map_is_named_by_line(void **state)
{
	/* What is wrong, and the line. */
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ MAP_HEAD "0,0,8,9,0,0,0\n", ":2: error: is not a bin" },
		{ MAP_HEAD "0,0,8,4,0,0\n", ":2: error: is not a bin" },
		{ MAP_HEAD "0,0,8,4,0,0,0 \n", ":2: error: is not a bin" },
		{ MAP_HEAD "0,0,8,4,0,0,0\n0,8,8,4,0,0,0\n1,0,8,4,0,0,0\n",
		  "different sizes" },
		{ MAP_HEAD "5,0,8,4,0,0,0\n1,0,8,4,0,0,0\n",
		  ":3: error: maps are not in order" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct drawn d;

		start(&d, cells, NR);
		write_map(&d, 3, rows[i].text);
		draw_figure(&d, "map", FIGURE_DUMB);
		ASSERT_U64(test_row(i), d.err, -EBADMSG);
		assert_has(d.messages, rows[i].message);
		end(&d);
	}
}

/* ---- numbers of variants ---- */

static void test_figure__footprint_is_the_area_below_the_line(void **state)
{
	/* 4 GiB for 5 s, then falling to 1 GiB in 5 s: 32.5 GiB x s. */
	struct drawn d;

	(void)state;
	start(&d, cells, NR);
	write_series(&d, 1, samples);
	write_series(&d, 3, samples);
	draw_figure(&d, "footprint", FIGURE_DUMB);
	assert_int_equal(d.err, 0);
	assert_has(d.text, "page_fault1, tasks 16\n"
		   "  baseline                       0.54 ###");
	assert_mail_text(d.text);
	draw_figure(&d, "tradeoff", FIGURE_DUMB);
	assert_int_equal(d.err, 0);
	assert_has(d.text, "       0.54   +0.00% * baseline\n"
		   "       0.54   -2.00%   enabled\n");
	assert_mail_text(d.text);
	end(&d);
}

static void test_figure__footprint_of_runs_of_other_lengths(void **state)
{
	/* One settles until its reporter is idle, the other does not wait:
	 * left out among all figures, drawn with a word if it is asked for. */
	struct drawn d;

	(void)state;
	if (!gnuplot_is_there())
		skip();
	start(&d, cells, NR);
	write_series(&d, 1, samples);
	write_series(&d, 3, samples);
	d.r.cells[3].virtual_ns = 10400000000;
	draw_figure(&d, NULL, FIGURE_DUMB);
	assert_int_equal(d.err, 0);
	assert_string_equal(d.messages, "");
	assert_has(d.text, "GiB x minutes");
	assert_has(d.text, "on the front");
	d.r.cells[3].virtual_ns = 20000000000;
	draw_figure(&d, NULL, FIGURE_DUMB);
	assert_int_equal(d.err, 0);
	assert_has(d.messages, "left out, they would compare runs of 10.0 to "
		   "20.0 s");
	assert_null(strstr(d.text, "GiB x minutes"));
	assert_null(strstr(d.text, "on the front"));
	draw_figure(&d, "resident", FIGURE_DUMB);
	assert_string_equal(d.messages, "");
	draw_figure(&d, "footprint", FIGURE_DUMB);
	assert_has(d.messages, "the figure compares runs of 10.0 to 20.0 s");
	assert_has(d.text, "GiB x minutes");
	end(&d);
}

static void test_figure__points_on_one_another_share_a_label(void **state)
{
	/* Two variants that differ in nothing, behind one that does. */
	struct fixture_cell three[6];
	struct drawn d;
	char *text;

	(void)state;
	if (!gnuplot_is_there())
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(three); i++) {
		three[i] = cells[i % 2];
		three[i].variant = i < 2 ? "base" : i < 4 ? "same" : "slow";
		three[i].rate = i < 4 ? 1000 : 900;
	}
	start(&d, three, ARRAY_SIZE(three));
	for (size_t i = 0; i < ARRAY_SIZE(three); i++)
		write_series(&d, i, samples);
	draw_figure(&d, "tradeoff", FIGURE_SVG);
	assert_int_equal(d.err, 0);
	text = read_file(d.f.dir, "tradeoff-page_fault1__tasks_16.csv");
	assert_has(text, ",\"base\",\"base, same\"\n");
	assert_has(text, ",\"same\",\"\"\n");
	assert_has(text, ",\"slow\",\"slow\"\n");
	free(text);
	end(&d);
}

static void test_figure__scaling_is_over_tasks(void **state)
{
	/* Two numbers of tasks. */
	struct drawn d;

	(void)state;
	start(&d, cells, NR);
	draw_figure(&d, "scaling", FIGURE_DUMB);
	assert_int_equal(d.err, 0);
	assert_has(d.text, "  enabled\n"
		   "    1                      1.01\n"
		   "    16                     7.84\n");
	assert_mail_text(d.text);
	end(&d);
}

static void test_figure__orders_are_gib_of_free_blocks(void **state)
{
	/* 1 GiB in blocks of order 10, then half of it in order 0. */
	static const char text[] =
		"at_ns,guest_free_pages,guest_used_pages,host_rss_pages,"
		"free_order0,free_order10\n"
		"0,262144,0,0,0,256\n1000000000,262144,0,0,131072,128\n";
	struct drawn d;

	(void)state;
	start(&d, cells, NR);
	write_series(&d, 1, text);
	draw_figure(&d, "orders", FIGURE_DUMB);
	assert_int_equal(d.err, 0);
	assert_has(d.text, "      0.0    0.000     0.000     0.000     0.000 "
			   "    1.000\n");
	assert_has(d.text, "      1.0    0.500     0.000     0.000     0.000 "
			   "    0.500\n");
	assert_mail_text(d.text);
	end(&d);
}

/* ---- matplotlib ---- */

static bool matplotlib_is_there(void)
{
	return !system("/usr/bin/python3 -I -c 'import matplotlib' "
		       ">/dev/null 2>&1");
}

static void draw_by_matplotlib(struct drawn *d)
{
	const struct figure_request req = { .terminal = FIGURE_SVG,
					    .backend = FIGURE_MATPLOTLIB };
	FILE *out = tmpfile(), *messages = tmpfile();

	assert_non_null(out);
	assert_non_null(messages);
	free(d->text);
	free(d->messages);
	d->err = figure_plot(&d->r, &req, out, messages);
	d->text = fixture_text(out);
	d->messages = fixture_text(messages);
}

static void test_figure__matplotlib_draws_the_same_bytes(void **state)
{
	/* All figures, twice, with a name that would like to be code. */
	static const char *const names[] = {
		"resident.svg", "memory-baseline.svg", "throughput.svg",
		"map-baseline.svg", "footprint.svg", "scaling-page_fault1.svg",
		"tradeoff-page_fault1__tasks_16.svg"
	};
	static const char evil[] = "x'); __import__('os').mkdir('evil') #";
	struct fixture_cell odd[NR];
	char *first[ARRAY_SIZE(names)];
	struct drawn d;

	(void)state;
	if (!matplotlib_is_there())
		skip();
	memcpy(odd, cells, sizeof(cells));
	odd[2].variant = odd[3].variant = evil;
	start(&d, odd, NR);
	write_series(&d, 1, samples);
	write_series(&d, 3, samples);
	write_map(&d, 1, map);
	draw_by_matplotlib(&d);
	if (d.err)
		print_message("%s\n", d.messages);
	assert_int_equal(d.err, 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		first[i] = read_file(d.f.dir, names[i]);
		assert_has(first[i], "<svg");
	}
	draw_by_matplotlib(&d);
	assert_int_equal(d.err, 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *again = read_file(d.f.dir, names[i]);

		assert_string_equal(first[i], again);
		free(again);
		free(first[i]);
	}
	assert_int_equal(access("evil", F_OK), -1);
	end(&d);
}

static void test_figure__guests_lie_on_top_of_each_other(void **state)
{
	/* Three guests, of which the third never runs, and a balloon. */
	static const char several[] =
		"at_ns,guest_free_pages,guest_used_pages,host_rss_pages,"
		"host_free_pages,host_anon_huge_pages,balloon_pages,"
		"balloon_target_pages,guest1_rss_pages,guest2_rss_pages,"
		"guest3_rss_pages\n"
		"0,786432,262144,262144,262144,131072,0,131072,262144,0,0\n"
		"5000000000,0,0,524288,0,0,131072,131072,262144,262144,0\n";
	struct drawn d;
	char *text;

	(void)state;
	if (!gnuplot_is_there())
		skip();
	start(&d, cells, NR);
	write_series(&d, 1, samples);
	write_series(&d, 3, several);
	draw_figure(&d, NULL, FIGURE_SVG);
	assert_int_equal(d.err, 0);
	assert_has(d.text, "/figures/guests-enabled.svg\n");
	assert_has(d.text, "/figures/huge-enabled.svg\n");
	assert_null(strstr(d.text, "guests-baseline"));
	assert_null(strstr(d.text, "huge-baseline"));
	text = read_file(d.f.dir, "memory-enabled.csv");
	assert_has(text, ",guests_1_to_2_resident_gib,"
		   "guests_1_to_3_resident_gib\n"
		   "0.000000000,3.000000,1.000000,1.000000,1.000000,0.500000,"
		   "0.000000,0.500000,1.000000,1.000000,1.000000\n"
		   "5.000000000,0.000000,0.000000,2.000000,0.000000,0.000000,"
		   "0.500000,0.500000,1.000000,2.000000,2.000000\n");
	free(text);
	text = read_file(d.f.dir, "guests-enabled.gp");
	assert_has(text, "nr = 2\n");
	free(text);
	draw_figure(&d, "guests", FIGURE_DUMB);
	assert_int_equal(d.err, 0);
	assert_mail_text(d.text);
	assert_has(d.text, "guests 1, 1 and 2, ...");
	end(&d);
}

static void test_figure__one_guest_has_no_guests_figure(void **state)
{
	/* By name it is an error that says what is missing. */
	struct drawn d;

	(void)state;
	if (!gnuplot_is_there())
		skip();
	start(&d, cells, NR);
	write_series(&d, 1, samples);
	draw_figure(&d, "guests", FIGURE_SVG);
	assert_int_equal(d.err, -ENODATA);
	assert_has(d.messages, "[host] guests");
	draw_figure(&d, "huge", FIGURE_SVG);
	assert_int_equal(d.err, -ENODATA);
	assert_has(d.messages, "balloon");
	end(&d);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_figure__matplotlib_draws_the_same_bytes),
	cmocka_unit_test(test_figure__footprint_is_the_area_below_the_line),
	cmocka_unit_test(test_figure__footprint_of_runs_of_other_lengths),
	cmocka_unit_test(test_figure__points_on_one_another_share_a_label),
		cmocka_unit_test(test_figure__scaling_is_over_tasks),
	cmocka_unit_test(test_figure__orders_are_gib_of_free_blocks),
	cmocka_unit_test(test_figure__map_as_text),
	cmocka_unit_test(test_figure__map_has_its_numbers_beside_it),
	cmocka_unit_test(test_figure__broken_map_is_named_by_line),
	cmocka_unit_test(test_figure__text_is_cleaned_for_a_mail),
	cmocka_unit_test(test_figure__bars_share_one_scale),
	cmocka_unit_test(test_figure__odd_names_keep_to_the_rules),
	cmocka_unit_test(test_figure__file_names_hold_nothing_odd),
	cmocka_unit_test(test_figure__unknown_figure_names_those_that_are),
	cmocka_unit_test(test_figure__no_series_is_said),
	cmocka_unit_test(test_figure__broken_series_is_named_by_line),
	cmocka_unit_test(test_figure__missing_gnuplot_is_an_error),
	cmocka_unit_test(test_figure__memory_as_text),
	cmocka_unit_test(test_figure__pictures_have_their_numbers_beside_them),
	cmocka_unit_test(test_figure__quotes_in_names_stay_text),
	cmocka_unit_test(test_figure__guests_lie_on_top_of_each_other),
	cmocka_unit_test(test_figure__one_guest_has_no_guests_figure),
};

TEST_MAIN(tests)
