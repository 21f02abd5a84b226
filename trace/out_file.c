/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Atomic output files. The temporary name is found by counting, so nothing
 * depends on a process number or on chance; two writers of one name get two
 * names and the later rename wins. Leaves out: locking.
 */
#include "trace/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY_NAMES 1000

__attribute__((cold))
static int fail(const char *name, struct diag *d, int err)
{
	diag_error(d, (struct diag_place){ .file = name },
		   "cannot write: %s", strerror(err));
	return -err;
}

/*
 * The rename puts the new file in place of whatever was there: not in place of
 * a device or a pipe, and in that of the file behind a link.
 */
static int resolve(struct out_file *f, const char *path, struct diag *d)
{
	struct stat st;

	if (strlen(path) >= sizeof(f->path))
		return fail(path, d, ENAMETOOLONG);
	memcpy(f->path, path, strlen(path) + 1);
	if (stat(path, &st))
		return 0;
	if (S_ISDIR(st.st_mode))
		return fail(path, d, EISDIR);
	if (!S_ISREG(st.st_mode)) {
		diag_error(d, (struct diag_place){ .file = path },
			   "cannot write: not a regular file");
		return -EINVAL;
	}
	if (!lstat(path, &st) && S_ISLNK(st.st_mode) &&
	    !realpath(path, f->path))
		return fail(path, d, errno);
	return 0;
}

/* ".NAME.N.tmp" in the same folder; the first N that is free. */
static int open_temporary(struct out_file *f)
{
	const char *slash = strrchr(f->path, '/');
	const int dir = slash ? (int)(slash - f->path) + 1 : 0;

	for (int i = 0; i < TEMPORARY_NAMES; i++) {
		const int n = snprintf(f->temporary, sizeof(f->temporary),
				       "%.*s.%s.%d.tmp", dir, f->path,
				       f->path + dir, i);
		int fd;

		if (n < 0 || (size_t)n >= sizeof(f->temporary))
			return -ENAMETOOLONG;
		fd = open(f->temporary,
			  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

int out_file_create(struct out_file *f, const char *path, struct diag *d)
{
	int fd, err;

	f->out = NULL;
	f->name = path;
	f->temporary[0] = '\0';
	err = resolve(f, path, d);
	if (err)
		return err;
	fd = open_temporary(f);
	if (fd < 0) {
		f->temporary[0] = '\0';
		return fail(path, d, -fd);
	}
	f->out = fdopen(fd, "w");
	if (!f->out) {
		err = fail(path, d, errno);
		close(fd);
		out_file_discard(f);
		return err;
	}
	return 0;
}

void out_file_discard(struct out_file *f)
{
	if (f->out)
		fclose(f->out);
	f->out = NULL;
	if (f->temporary[0])
		unlink(f->temporary);
	f->temporary[0] = '\0';
}

int out_file_error(struct out_file *f, struct diag *d)
{
	return fail(f->name, d, errno ? errno : EIO);
}

/* The name itself reaches the disk with its folder. */
static void sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	int fd;

	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) + 1 : 1,
		 slash ? path : ".");
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* Some file systems cannot; the rename stands all the same. */
	(void)fsync(fd);
	close(fd);
}

int out_file_commit(struct out_file *f, struct diag *d)
{
	int err = 0;

	errno = 0;
	if (fflush(f->out) || ferror(f->out) || fsync(fileno(f->out)))
		err = errno ? errno : EIO;
	if (fclose(f->out) && !err)
		err = errno;
	f->out = NULL;
	if (!err && rename(f->temporary, f->path))
		err = errno;
	if (err) {
		out_file_discard(f);
		return fail(f->name, d, err);
	}
	f->temporary[0] = '\0';
	sync_folder(f->path);
	return 0;
}
