/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Atomic output files. The temporary name is found by counting, so nothing
 * depends on a process number, which is another one on each host of a cluster,
 * or on chance; two writers of one name get two names and the later rename
 * wins. What a killed writer of the same file left is removed on the way.
 */
#define _GNU_SOURCE
#include "include/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "include/guard.h"

#define TEMPORARY_NAMES 1000
/* After the own one: as many writers at a time may have been killed. */
#define NAMES_TO_SWEEP 4
/* Of the name, so that "." and ".999.tmp" fit into the 255 bytes of one. */
#define NAME_BYTES 240

const char *whole_strerror(int err)
{
	return err == WHOLE_NOT_REGULAR ? "not a regular file" :
					  strerror(-err);
}

/*
 * The rename puts the new file in place of whatever was there: not in place of
 * a device or a pipe, and in that of the file behind a link.
 */
static int resolve(struct whole_file *f, const char *path, bool follow)
{
	struct stat st;

	if (strlen(path) >= sizeof(f->path))
		return -ENAMETOOLONG;
	memcpy(f->path, path, strlen(path) + 1);
	if (follow ? stat(path, &st) : lstat(path, &st))
		return 0;
	if (!follow && S_ISLNK(st.st_mode))
		return 0;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return WHOLE_NOT_REGULAR;
	/* The name stays as it was written unless it is a link. */
	if (!lstat(path, &st) && S_ISLNK(st.st_mode) &&
	    !realpath(path, f->path))
		return -errno;
	return 0;
}

/* ".NAME.N.tmp" in the same folder. */
static int name_temporary(struct whole_file *f, int number)
{
	const char *slash = strrchr(f->path, '/');
	const int dir = slash ? (int)(slash - f->path) + 1 : 0;
	const int n = snprintf(f->temporary, sizeof(f->temporary),
			       "%.*s.%.*s.%d.tmp", dir, f->path, NAME_BYTES,
			       f->path + dir, number);

	return n < 0 || (size_t)n >= sizeof(f->temporary) ? -ENAMETOOLONG : 0;
}

/* The first N that is free, or comes free. */
static int open_temporary(struct whole_file *f, int *number)
{
	int i, err, fd = -EEXIST;

	for (i = 0; i < TEMPORARY_NAMES && fd == -EEXIST; i++) {
		err = name_temporary(f, i);
		if (err)
			return err;
		fd = guard_create(f->temporary);
		if (fd == -EEXIST && guard_reclaim(f->temporary))
			fd = guard_create(f->temporary);
	}
	*number = i - 1;
	return fd;
}

static void sweep_others(const struct whole_file *f, int number)
{
	struct whole_file other = { .out = NULL };

	memcpy(other.path, f->path, sizeof(other.path));
	for (int i = 1; i <= NAMES_TO_SWEEP; i++)
		if (!name_temporary(&other, number + i))
			guard_reclaim(other.temporary);
}

static int create(struct whole_file *f, const char *path, bool follow)
{
	int fd, number = 0, err;

	f->out = NULL;
	f->temporary[0] = '\0';
	err = resolve(f, path, follow);
	if (err)
		return err;
	fd = open_temporary(f, &number);
	if (fd < 0) {
		f->temporary[0] = '\0';
		return fd;
	}
	sweep_others(f, number);
	f->out = fdopen(fd, "w");
	if (!f->out) {
		err = -errno;
		whole_discard(f);
		close(fd);
	}
	return err;
}

int whole_create(struct whole_file *f, const char *path)
{
	return create(f, path, true);
}

int whole_replace(struct whole_file *f, const char *path)
{
	return create(f, path, false);
}

void whole_discard(struct whole_file *f)
{
	/* As long as it is locked: then the name may be another writer's. */
	if (f->temporary[0])
		guard_remove(f->temporary);
	f->temporary[0] = '\0';
	if (f->out)
		fclose(f->out);
	f->out = NULL;
}

/* The name itself reaches the disk with its folder. */
void whole_sync_folder(const char *dir)
{
	const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	/* Some file systems cannot; the rename stands all the same. */
	(void)fsync(fd);
	close(fd);
}

/*
 * An earlier write failed, and what with is forgotten: a byte more, in a file
 * that goes anyway, most likely fails with the same.
 */
static int why_not(FILE *out)
{
	return write(fileno(out), "\n", 1) < 0 ? errno : EIO;
}

static int flush_out(FILE *out)
{
	errno = 0;
	if (fflush(out) || fsync(fileno(out)))
		return errno ? errno : EIO;
	return ferror(out) ? why_not(out) : 0;
}

int whole_publish(struct whole_file *f)
{
	int err = flush_out(f->out);

	/* Before the close, which gives the lock back. */
	if (!err)
		err = -guard_rename(f->temporary, f->path);
	if (err) {
		whole_discard(f);
		return -err;
	}
	f->temporary[0] = '\0';
	fclose(f->out);
	f->out = NULL;
	return 0;
}

int whole_commit(struct whole_file *f)
{
	const char *slash = strrchr(f->path, '/');
	const int err = whole_publish(f);
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%.*s",
		 slash ? (int)(slash - f->path) + 1 : 1,
		 slash ? f->path : ".");
	if (!err)
		whole_sync_folder(dir);
	return err;
}
