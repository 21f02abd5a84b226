/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files of this folder's writers: the errors become messages. */
#include "trace/out_file.h"

#include <errno.h>

__attribute__((cold))
static int fail(const char *name, struct diag *d, int err)
{
	diag_error(d, (struct diag_place){ .file = name },
		   "cannot write: %s", whole_strerror(err));
	return err == WHOLE_NOT_REGULAR ? -EINVAL : err;
}

int out_file_create(struct out_file *f, const char *path, struct diag *d)
{
	const int err = whole_create(&f->file, path);

	f->name = path;
	f->out = f->file.out;
	return err ? fail(path, d, err) : 0;
}

void out_file_discard(struct out_file *f)
{
	whole_discard(&f->file);
	f->out = NULL;
}

int out_file_error(struct out_file *f, struct diag *d)
{
	return fail(f->name, d, errno ? -errno : -EIO);
}

int out_file_commit(struct out_file *f, struct diag *d)
{
	const int err = whole_commit(&f->file);

	f->out = NULL;
	return err ? fail(f->name, d, err) : 0;
}
