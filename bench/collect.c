/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From dir/cells/ID.json to dir/cells.jsonl, in plan order. */
#include "bench/collect.h"

#include <errno.h>
#include <string.h>

#include "bench/cell_json.h"
#include "bench/store.h"

static int copy_cells(const struct experiment *e, const char *dir, FILE *out,
		      size_t *missing)
{
	size_t i;
	int err = 0;

	for (i = 0; i < e->nr_cells && !err; i++) {
		json_t *o = cell_read(e, &e->cells[i], dir);

		if (o)
			err = cell_print(o, out);
		else
			(*missing)++;
		json_decref(o);
	}
	return err;
}

int collect_cells(const struct experiment *e, const char *dir,
		  size_t *missing, char *why, size_t why_size)
{
	char path[STORE_PATH_SIZE];
	struct store_file f;
	int err;

	*missing = 0;
	store_list_path(dir, path, sizeof(path));
	err = store_create_own(&f, path, why, why_size);
	if (err)
		return err;
	err = copy_cells(e, dir, f.out, missing);
	if (!err)
		return store_commit(&f, why, why_size);
	snprintf(why, why_size, "%s: cannot write: %s", path, strerror(-err));
	store_discard(&f);
	return err;
}
