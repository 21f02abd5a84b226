/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cells/ID.json, the result of one cell: what `run` takes for finished and puts
 * into the list is read as a list, or refused with a message. What does not
 * begin with a brace goes behind the fields that make it this cell's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/cell_json.h"
#include "bench/results.h"
#include "bench/table.h"
#include "bench/version.h"
#include "cli/registry.h"
#include "include/check.h"
#include "tests/fuzz/fuzz.h"

#define LARGEST_INPUT 65536

static const char text[] =
	"[experiment]\nseeds = 1\n[guest]\nmemory = 64M\n"
	"[phase a]\nworkload = idle\nduration = 1ms\n";

static void read_list(const char *line, size_t size)
{
	struct results r;
	struct diag d = { 0 };
	struct fuzz_file f;
	FILE *out = fuzz_sink();
	int err;

	fuzz_file_open(&f, (const uint8_t *)line, size);
	err = results_read(&r, f.path, &d);
	CHECK(!err == !d.nr_errors || err == -ENOMEM);
	for (int i = REPORT_TABLE; !err && i <= REPORT_COVER; i++)
		report_print(&r, (enum report_format)i, out);
	results_free(&r);
	fuzz_file_close(&f);
	fclose(out);
}

static void use(const struct experiment *e, const char *dir)
{
	json_t *o = NULL;
	const int err = cell_read(e, &e->cells[0], dir, &o);
	char *line = NULL;
	size_t size = 0;
	FILE *out;

	CHECK(!err || err == -ENOENT || err == -ENOMEM);
	if (err)
		return;
	out = open_memstream(&line, &size);
	CHECK(out);
	CHECK(!cell_print(o, out));
	fclose(out);
	CHECK(size && line[size - 1] == '\n' &&
	      memchr(line, '\n', size) == line + size - 1);
	read_list(line, size);
	free(line);
	json_decref(o);
}

static void write_cell(const char *path, const struct cell *c,
		       const uint8_t *data, size_t size)
{
	FILE *out = fopen(path, "w");

	CHECK(out);
	if (size && data[0] != '{')
		fprintf(out, "{\"id\":\"%s\",\"schema\":%d,\"model_version\":"
			"%d,", c->id, RESULT_SCHEMA, MODEL_VERSION);
	fwrite(data, 1, size, out);
	CHECK(!fclose(out));
}

static void with_folder(const struct experiment *e, const uint8_t *data,
			size_t size)
{
	char dir[] = "/tmp/buddylab-fuzz-XXXXXX", cells[64], path[128];

	CHECK(mkdtemp(dir));
	snprintf(cells, sizeof(cells), "%s/cells", dir);
	CHECK(!mkdir(cells, 0777));
	snprintf(path, sizeof(path), "%s/%s.json", cells, e->cells[0].id);
	write_cell(path, &e->cells[0], data, size);
	use(e, dir);
	unlink(path);
	rmdir(cells);
	CHECK(!rmdir(dir));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct experiment_request req = { .registry = &registry };
	struct experiment e;
	struct diag d = { 0 };
	struct fuzz_file f;

	if (size > LARGEST_INPUT)
		return 0;
	fuzz_file_open(&f, (const uint8_t *)text, strlen(text));
	req.path = f.path;
	CHECK(!experiment_load(&e, &req, &d));
	with_folder(&e, data, size);
	experiment_free(&e);
	fuzz_file_close(&f);
	return 0;
}
