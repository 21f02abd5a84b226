/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The folder of results. A file appears whole or not at all (include/whole.h). */
#ifndef BENCH_STORE_H
#define BENCH_STORE_H

#include <stdio.h>

#include "include/whole.h"

#define STORE_PATH_SIZE 4096

/*
 * Make `dir`, dir/cells and dir/series, try to write there, and remove what
 * processes that were killed left half written. 0, or -errno with a sentence in
 * why.
 */
int store_open(const char *dir, char *why, size_t why_size);

/* mkdir -p; 0 or -errno. */
int store_make_folders(const char *path, char *why, size_t why_size);

/* dir/cells/ID.json, dir/series/ID.csv, dir/series/ID.map.csv,
 * dir/cells.jsonl. */
void store_cell_path(const char *dir, const char *id, char *out, size_t size);
void store_series_path(const char *dir, const char *id, char *out,
		       size_t size);
void store_map_path(const char *dir, const char *id, char *out, size_t size);
void store_list_path(const char *dir, char *out, size_t size);

/* A file under construction. */
struct store_file {
	FILE *out;
	struct whole_file file;
};

/* A link at path is followed: whoever names a link means its file. */
int store_create(struct store_file *f, const char *path, char *why,
		 size_t why_size);
/*
 * For names of our own in a folder that others may have filled: a link there is
 * replaced, and what it leads to stays.
 */
int store_create_own(struct store_file *f, const char *path, char *why,
		     size_t why_size);
/* Sync and rename; on an error nothing is left behind. */
int store_commit(struct store_file *f, char *why, size_t why_size);
/*
 * One of many: whole_publish(), to be followed by store_sync() of the folder of
 * results when all are there. A result that a power cut takes is run again.
 */
int store_publish(struct store_file *f, char *why, size_t why_size);
void store_sync(const char *dir);
void store_discard(struct store_file *f);

#endif
