/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folders and whole files of results. */
#include "bench/store.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "include/guard.h"

static int fail(const char *what, const char *path, int err, char *why,
		size_t why_size)
{
	snprintf(why, why_size, "%s: cannot %s: %s", path, what,
		 strerror(err));
	/* -EINTR is what those return who were asked to end. */
	return err == EINTR ? -EIO : -err;
}

int store_make_folders(const char *path, char *why, size_t why_size)
{
	char part[STORE_PATH_SIZE];
	char *slash = part;

	if ((size_t)snprintf(part, sizeof(part), "%s", path) >= sizeof(part))
		return fail("create folder", path, ENAMETOOLONG, why,
			    why_size);
	do {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		if (mkdir(part, 0777) && errno != EEXIST)
			return fail("create folder", part, errno, why,
				    why_size);
		if (slash)
			*slash = '/';
	} while (slash);
	return 0;
}

void store_cell_path(const char *dir, const char *id, char *out, size_t size)
{
	snprintf(out, size, "%s/cells/%s.json", dir, id);
}

void store_series_path(const char *dir, const char *id, char *out,
		       size_t size)
{
	snprintf(out, size, "%s/series/%s.csv", dir, id);
}

void store_map_path(const char *dir, const char *id, char *out, size_t size)
{
	snprintf(out, size, "%s/series/%s.map.csv", dir, id);
}

void store_list_path(const char *dir, char *out, size_t size)
{
	snprintf(out, size, "%s/cells.jsonl", dir);
}

int store_open(const char *dir, char *why, size_t why_size)
{
	static const char *const folders[] = { "cells", "series" };
	struct store_file f;
	char path[STORE_PATH_SIZE];
	int err = 0;

	/* Room for the longest name below it. */
	if (!dir[0] || strlen(dir) > sizeof(path) - 128)
		return fail("create folder", dir, dir[0] ? ENAMETOOLONG :
			    ENOENT, why, why_size);
	for (size_t i = 0; i < 2 && !err; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, folders[i]);
		err = store_make_folders(path, why, why_size);
		snprintf(path, sizeof(path), "%s/%s/probe", dir, folders[i]);
		if (!err)
			err = store_create_own(&f, path, why, why_size);
		if (!err)
			store_discard(&f);
		snprintf(path, sizeof(path), "%s/%s", dir, folders[i]);
		if (!err)
			guard_sweep(path);
	}
	return err;
}

static int created(struct store_file *f, int err, const char *path, char *why,
		   size_t why_size)
{
	f->out = f->file.out;
	if (err)
		snprintf(why, why_size, "%s: cannot write: %s", path,
			 whole_strerror(err));
	return err == WHOLE_NOT_REGULAR ? -EINVAL : err;
}

int store_create(struct store_file *f, const char *path, char *why,
		 size_t why_size)
{
	return created(f, whole_create(&f->file, path), path, why, why_size);
}

int store_create_own(struct store_file *f, const char *path, char *why,
		     size_t why_size)
{
	return created(f, whole_replace(&f->file, path), path, why, why_size);
}

void store_discard(struct store_file *f)
{
	whole_discard(&f->file);
	f->out = NULL;
}

static int committed(struct store_file *f, int err, char *why,
		     size_t why_size)
{
	f->out = NULL;
	return err ? fail("write", f->file.path, -err, why, why_size) : 0;
}

int store_commit(struct store_file *f, char *why, size_t why_size)
{
	return committed(f, whole_commit(&f->file), why, why_size);
}

int store_publish(struct store_file *f, char *why, size_t why_size)
{
	return committed(f, whole_publish(&f->file), why, why_size);
}

void store_sync(const char *dir)
{
	char path[STORE_PATH_SIZE];

	/* A result is one if its series is there, too. */
	snprintf(path, sizeof(path), "%s/series", dir);
	whole_sync_folder(path);
	snprintf(path, sizeof(path), "%s/cells", dir);
	whole_sync_folder(path);
}
