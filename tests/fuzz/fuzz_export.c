/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From one format to the others and back: a trace that is imported without a
 * mistake is written as .blt and read again, and its text is a trace with the
 * same events, but for what text has no place for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/check.h"
#include "tests/fuzz/fuzz.h"
#include "trace/blt.h"
#include "trace/blt_format.h"
#include "trace/export.h"

#define LARGEST_INPUT 65536
#define MOST_EVENTS 2000

/* All events, if none is wrong and there are not too many; else 0. */
static unsigned int load(const char *path, struct trace_event *e)
{
	struct diag d = { 0 };
	struct trace_source *s;
	unsigned int nr = 0;
	int ret;

	if (trace_open(&s, path, NULL, &d))
		return 0;
	while ((ret = trace_next(s, &e[nr])) == 1 && nr < MOST_EVENTS - 1)
		nr++;
	trace_close(s);
	return ret ? 0 : nr;
}

static void write_blt(const char *path, const struct trace_event *e,
		      unsigned int nr)
{
	const struct trace_task task = { .pid = 7, .comm = "seven" };
	struct diag d = { 0 };
	struct blt_writer *w;
	uint32_t number;

	CHECK_MSG(!blt_create(&w, path, &(struct blt_info){ 0 }, &d), "%s",
		  d.last);
	CHECK(!blt_task(w, &task, &number));
	for (unsigned int i = 0; i < nr; i++) {
		struct trace_event with = e[i];

		with.task = e[i].task ? number : 0;
		CHECK_MSG(!blt_put(w, &with), "%s", d.last);
	}
	CHECK_MSG(!blt_commit(w, NULL), "%s", d.last);
}

static void check_same(const struct trace_event *a, unsigned int nr_a,
		       const struct trace_event *b, unsigned int nr_b)
{
	struct blt_shape x, y;

	CHECK_EQ(nr_a, nr_b);
	for (unsigned int i = 0; i < nr_a; i++) {
		CHECK_EQ(a[i].kind, b[i].kind);
		CHECK_EQ(a[i].ns, b[i].ns);
		CHECK_EQ(a[i].cpu, b[i].cpu);
		blt_shape_of(&a[i], &x);
		blt_shape_of(&b[i], &y);
		CHECK(!memcmp(&x, &y, sizeof(x)));
	}
}

/* NULL if the format has no place for one of the events. */
static char *export_as(const char *path, bool text, size_t *size)
{
	struct diag d = { 0 };
	struct trace_source *s;
	char *out = NULL;
	FILE *f = open_memstream(&out, size);
	int ret;

	CHECK(f);
	CHECK_MSG(!trace_open(&s, path, NULL, &d), "%s", d.last);
	ret = text ? trace_export_text(s, path, f, &d) :
		     trace_export_perfetto(s, path, 1000, f, &d);
	CHECK(!ret || ret == -EINVAL);
	CHECK(!ret || d.nr_errors);
	trace_close(s);
	CHECK(!fclose(f));
	if (!ret)
		return out;
	free(out);
	return NULL;
}

/* Losses between requests are comments, and operations on memory no text. */
static bool has_text(const struct trace_event *e, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if ((e[i].kind == TRACE_REQUEST) !=
		    (e[0].kind == TRACE_REQUEST) || e[i].kind == TRACE_MEM)
			return false;
	return true;
}

static void go_round(const char *path, const struct trace_event *e,
		     unsigned int nr, struct trace_event *again)
{
	struct fuzz_file f;
	size_t size;
	char *text;

	check_same(e, nr, again, load(path, again));
	text = export_as(path, false, &size);
	free(text);
	text = export_as(path, true, &size);
	if (text && has_text(e, nr)) {
		fuzz_file_open(&f, (const uint8_t *)text, size);
		check_same(e, nr, again, load(f.path, again));
		fuzz_file_close(&f);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace_event *e, *again;
	char path[FUZZ_PATH_SIZE];
	unsigned int nr;
	struct fuzz_file f;

	if (size > LARGEST_INPUT)
		return 0;
	e = calloc(MOST_EVENTS, sizeof(*e));
	again = calloc(MOST_EVENTS, sizeof(*again));
	CHECK(e && again);
	fuzz_file_open(&f, data, size);
	nr = load(f.path, e);
	if (nr) {
		fuzz_temporary(path);
		write_blt(path, e, nr);
		go_round(path, e, nr, again);
		CHECK(!unlink(path));
	}
	fuzz_file_close(&f);
	free(e);
	free(again);
	return 0;
}
