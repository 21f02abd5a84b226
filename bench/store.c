/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folders and whole files of results. */
#define _GNU_SOURCE
#include "bench/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *what, const char *path, int err, char *why,
		size_t why_size)
{
	snprintf(why, why_size, "%s: cannot %s: %s", path, what,
		 strerror(err));
	return -err;
}

/* mkdir -p */
static int make_folders(const char *path, char *why, size_t why_size)
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
		err = make_folders(path, why, why_size);
		snprintf(path, sizeof(path), "%s/%s/probe", dir, folders[i]);
		if (!err)
			err = store_create(&f, path, why, why_size);
		if (!err)
			store_discard(&f);
	}
	return err;
}

/*
 * The rename at the end puts a new file in place of the old one, whatever that
 * was: not in place of a device or a pipe, and in that of the file behind a
 * link, /dev/stdout for example.
 */
static int resolve(const char *path, char real[PATH_MAX], char *why,
		   size_t why_size)
{
	struct stat st;

	snprintf(real, PATH_MAX, "%s", path);
	if (stat(path, &st))
		return 0;
	if (S_ISDIR(st.st_mode))
		return fail("write", path, EISDIR, why, why_size);
	if (!S_ISREG(st.st_mode)) {
		snprintf(why, why_size, "%s: cannot write: not a regular file",
			 path);
		return -EINVAL;
	}
	/* The name stays as it was written unless it is a link. */
	if (!lstat(path, &st) && S_ISLNK(st.st_mode) && !realpath(path, real))
		return fail("write", path, errno, why, why_size);
	return 0;
}

int store_create(struct store_file *f, const char *name, char *why,
		 size_t why_size)
{
	char path[PATH_MAX];
	const char *slash;
	int n, len, err = resolve(name, path, why, why_size);

	f->out = NULL;
	if (err)
		return err;
	slash = strrchr(path, '/');
	len = slash ? (int)(slash - path) + 1 : 0;
	snprintf(f->path, sizeof(f->path), "%s", path);
	n = snprintf(f->temporary, sizeof(f->temporary), "%.*s.%s.%ld.tmp",
		     len, path, path + len, (long)getpid());
	if (n < 0 || (size_t)n >= sizeof(f->temporary))
		return fail("write", path, ENAMETOOLONG, why, why_size);
	f->out = fopen(f->temporary, "we");
	if (!f->out)
		return fail("write", path, errno, why, why_size);
	return 0;
}

void store_discard(struct store_file *f)
{
	if (f->out)
		fclose(f->out);
	f->out = NULL;
	unlink(f->temporary);
}

/* The name itself reaches the disk with its folder. */
static void sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[STORE_PATH_SIZE];
	int fd;

	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) : 1,
		 slash ? path : ".");
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* Some file systems cannot; the rename stands all the same. */
	(void)fsync(fd);
	close(fd);
}

/*
 * An earlier write failed, and what with is forgotten: a byte more, in a file that
 * goes anyway, most likely fails with the same.
 */
static int why_not(FILE *out)
{
	return write(fileno(out), "\n", 1) < 0 ? errno : EIO;
}

int store_commit(struct store_file *f, char *why, size_t why_size)
{
	int err = 0;

	errno = 0;
	if (fflush(f->out) || fsync(fileno(f->out)))
		err = errno ? errno : EIO;
	else if (ferror(f->out))
		err = why_not(f->out);
	if (fclose(f->out) && !err)
		err = errno;
	f->out = NULL;
	if (!err && rename(f->temporary, f->path))
		err = errno;
	if (err) {
		unlink(f->temporary);
		return fail("write", f->path, err, why, why_size);
	}
	sync_folder(f->path);
	return 0;
}
