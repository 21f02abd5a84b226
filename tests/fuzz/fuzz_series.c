/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What figures are made of: samples over time, the files in series/ of a folder
 * of results. What was read is written as the data of a plot.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/figure_internal.h"
#include "include/check.h"
#include "tests/fuzz/fuzz.h"

#define LARGEST_INPUT 65536

static void use(struct figure *f, const struct result_cell *c)
{
	struct series s;
	const int err = series_read(f, c, &s);

	CHECK(!err || err == -ENODATA || err == -EBADMSG || err == -ENOMEM);
	if (err)
		return;
	CHECK(s.nr && s.nr_seen <= s.nr_guests);
	CHECK(s.nr_guests <= SERIES_MAX_GUESTS);
	s.file = "series.csv";
	CHECK(!series_write(f, &s));
	series_free(&s);
}

static void draw(char *dir)
{
	struct result_cell c = { .id = "x", .variant = "v", .axes = NULL };
	const struct results r = { .dir = dir, .cells = &c,
				   .nr_cells = 1 };
	struct figure f = { .r = &r, .backend = FIGURE_GNUPLOT,
			    .out = fuzz_sink(), .messages = fuzz_sink() };

	snprintf(f.dir, sizeof(f.dir), "%s", dir);
	use(&f, &c);
	arena_free(&f.a);
	fclose(f.out);
	fclose(f.messages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char dir[] = "/tmp/buddylab-fuzz-XXXXXX", name[64];
	struct fuzz_file f;

	if (size > LARGEST_INPUT)
		return 0;
	CHECK(mkdtemp(dir));
	fuzz_file_open(&f, data, size);
	snprintf(name, sizeof(name), "%s/series", dir);
	CHECK(!mkdir(name, 0777));
	snprintf(name, sizeof(name), "%s/series/x.csv", dir);
	CHECK(!symlink(f.path, name));
	draw(dir);
	unlink(name);
	snprintf(name, sizeof(name), "%s/series.csv", dir);
	unlink(name);
	snprintf(name, sizeof(name), "%s/series", dir);
	rmdir(name);
	rmdir(dir);
	fuzz_file_close(&f);
	return 0;
}
