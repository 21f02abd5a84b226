/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes cells as `run` does, with the few counters that the tables use. */
#define _GNU_SOURCE
#include "tests/bench/results_fixture.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/version.h"
#include "tests/test.h"

#define GIB (UINT64_C(1) << 30)

static void write_axes(const struct fixture_cell *c, FILE *out)
{
	fputs("\"axes\":{", out);
	if (c->tasks)
		fprintf(out, "\"phase.measure.tasks\":\"%u\"%s", c->tasks,
			c->workload ? "," : "");
	if (c->workload)
		fprintf(out, "\"phase.measure.workload\":\"%s\"", c->workload);
	fputs("},", out);
}

static void write_phase(const struct fixture_cell *c, const char *name,
			uint64_t start, uint64_t rss, FILE *out)
{
	fprintf(out, "{\"counters\":{\"host.ept_violation_zero_2m\":%u,"
		"\"host.zeroed_pages\":%u},\"end_ns\":%" PRIu64
		",\"iterations\":5,\"measured_ns\":5000000000,\"metrics\":{"
		"\"guest_free_end_bytes\":%" PRIu64
		",\"host_rss_end_bytes\":%" PRIu64 "},\"name\":\"%s\","
		"\"start_ns\":%" PRIu64 "}", c->refaults, c->refaults * 512,
		start + 5000000000, 30 * GIB, rss, name, start);
}

static void write_cell(const struct fixture_cell *c, unsigned int nr,
		       FILE *out)
{
	fputc('{', out);
	write_axes(c, out);
	fprintf(out, "\"counters\":{\"guest.pgfault\":%u,"
		"\"host.ept_violation_zero_2m\":%u,"
		"\"reporter.report_calls\":%u},\"digest\":\"%032u\","
		"\"experiment\":\"Made up\",\"id\":\"%032x\",", 100 + nr,
		c->refaults, 16 * c->refaults, c->digest,
		c->id ? c->id : nr + 1);
	fprintf(out, "\"metrics\":{\"iterations_per_s\":%.15g},"
		"\"model_version\":%u,\"options\":{\"guest.cpus\":\"16\","
		"\"guest.memory\":\"34359738368\"},\"phases\":[", c->rate,
		c->model ? c->model : 1);
	write_phase(c, "fill", 0, 32 * GIB, out);
	fputc(',', out);
	write_phase(c, "measure", 5000000000, c->rss_gib * GIB, out);
	fprintf(out, "],\"schema\":%d,\"seed\":%" PRIu64 ",\"variant\":\"%s\","
		"\"virtual_ns\":10000000000,\"wall\":{\"seconds\":1.5}}\n",
		RESULT_SCHEMA, c->seed, c->variant);
}

void fixture_make(struct fixture *f, const struct fixture_cell *cells,
		  size_t nr)
{
	FILE *out;

	snprintf(f->dir, sizeof(f->dir), "results-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/cells.jsonl", f->dir);
	out = fopen(f->path, "w");
	assert_non_null(out);
	for (size_t i = 0; i < nr; i++)
		write_cell(&cells[i], (unsigned int)i, out);
	assert_int_equal(fclose(out), 0);
}

void fixture_read(const struct fixture *f, struct results *r)
{
	struct diag d = { .out = stderr };

	assert_int_equal(results_read(r, f->dir, &d), 0);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void fixture_remove(const struct fixture *f)
{
	nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

char *fixture_text(FILE *f)
{
	long size;
	char *text;

	assert_int_equal(fflush(f), 0);
	size = ftell(f);
	assert_true(size >= 0);
	text = calloc(1, (size_t)size + 1);
	assert_non_null(text);
	rewind(f);
	assert_int_equal(fread(text, 1, (size_t)size, f), size);
	fclose(f);
	return text;
}

void assert_mail_text(const char *text)
{
	unsigned int line = 1;

	while (*text) {
		size_t len = strcspn(text, "\n");

		if (len > 75)
			fail_msg("line %u has %zu columns: %.*s", line, len,
				 (int)len, text);
		if (len && text[len - 1] == ' ')
			fail_msg("line %u ends in a blank", line);
		for (size_t i = 0; i < len; i++)
			if (text[i] < ' ' || text[i] > '~')
				fail_msg("line %u, column %zu: byte %d", line,
					 i + 1, text[i]);
		if (text[len] != '\n')
			fail_msg("line %u does not end", line);
		text += len + 1;
		line++;
	}
}
