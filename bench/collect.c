/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From dir/cells/ID.json to dir/cells.jsonl, in plan order. */
#include "bench/collect.h"

#include <errno.h>
#include <string.h>

#include "bench/cell_json.h"
#include "bench/store.h"

/* A cell that is there and cannot be read is not one that is missing. */
static int copy_cell(const struct experiment *e, const struct cell *c,
		     const char *dir, FILE *out, size_t *missing, char *why,
		     size_t why_size)
{
	char path[STORE_PATH_SIZE];
	const char *doing = "read";
	json_t *o;
	int err = cell_read(e, c, dir, &o);

	store_cell_path(dir, c->id, path, sizeof(path));
	if (err == -ENOENT) {
		(*missing)++;
		return 0;
	}
	if (!err) {
		err = cell_print(o, out);
		store_list_path(dir, path, sizeof(path));
		doing = "write";
	}
	json_decref(o);
	if (err)
		snprintf(why, why_size, "%s: cannot %s: %s", path, doing,
			 strerror(-err));
	return err;
}

int collect_cells(const struct experiment *e, const char *dir,
		  size_t *missing, char *why, size_t why_size)
{
	char path[STORE_PATH_SIZE];
	struct store_file f;
	size_t i;
	int err;

	*missing = 0;
	store_list_path(dir, path, sizeof(path));
	err = store_create_own(&f, path, why, why_size);
	if (err)
		return err;
	for (i = 0; i < e->nr_cells && !err; i++)
		err = copy_cell(e, &e->cells[i], dir, f.out, missing, why,
				why_size);
	if (!err)
		return store_commit(&f, why, why_size);
	store_discard(&f);
	return err;
}
