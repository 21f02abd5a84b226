/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Maps of memory over time, the files series/ID.map.csv of a folder of results:
 * drawn as text, and written as the numbers of a picture. The program that
 * draws the picture is not there.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/figure_internal.h"
#include "include/check.h"
#include "tests/fuzz/fuzz.h"

#define LARGEST_INPUT 65536

static void draw(char *dir, enum figure_terminal terminal)
{
	struct result_cell c = { .id = "x", .experiment = "e", .variant = "v" };
	const struct results r = { .dir = dir, .cells = &c, .nr_cells = 1 };
	struct figure f = { .r = &r, .terminal = terminal,
			    .out = fuzz_sink(), .messages = fuzz_sink() };
	int err;

	snprintf(f.dir, sizeof(f.dir), "%s", dir);
	CHECK(!grouping_make(&f.g, &r, &f.a));
	err = figure_map(&f);
	CHECK(err == -ENODATA || err == -EBADMSG || err == -ENOMEM ||
	      err == (terminal == FIGURE_DUMB ? 0 : -ENOENT));
	arena_free(&f.a);
	fclose(f.out);
	fclose(f.messages);
}

static void name_in(char path[FUZZ_PATH_SIZE], const char *dir,
		    const char *name)
{
	snprintf(path, FUZZ_PATH_SIZE, "%s/%s", dir, name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const made[] = { "series/x.map.csv", "map-v.csv",
					    "map-v.gp", NULL };
	char dir[] = "/tmp/buddylab-fuzz-XXXXXX", path[FUZZ_PATH_SIZE];
	struct fuzz_file f;

	if (size > LARGEST_INPUT)
		return 0;
	setenv("PATH", "/nonexistent", 1);
	CHECK(mkdtemp(dir));
	fuzz_file_open(&f, data, size);
	name_in(path, dir, "series");
	CHECK(!mkdir(path, 0777));
	name_in(path, dir, made[0]);
	CHECK(!symlink(f.path, path));
	draw(dir, FIGURE_DUMB);
	draw(dir, FIGURE_SVG);
	for (unsigned int i = 0; made[i]; i++) {
		name_in(path, dir, made[i]);
		unlink(path);
	}
	name_in(path, dir, "series");
	rmdir(path);
	CHECK(!rmdir(dir));
	fuzz_file_close(&f);
	return 0;
}
