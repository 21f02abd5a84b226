/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that appears whole or not at all: written under a temporary name
 * beside its own, synced, then renamed. What was there before stays until
 * then, whatever goes wrong; include/guard.h says what becomes of the rest.
 */
#ifndef INCLUDE_WHOLE_H
#define INCLUDE_WHOLE_H

#include <limits.h>
#include <stdio.h>

struct whole_file {
	FILE *out;                /* write here */
	char path[PATH_MAX];      /* behind links */
	char temporary[PATH_MAX]; /* "": none */
};

#define WHOLE_NOT_REGULAR (-4096)

/* 0, a negative errno or WHOLE_NOT_REGULAR: a device, a pipe, a socket. */
int whole_create(struct whole_file *f, const char *path);
/* The same, and a link is replaced instead of followed. */
int whole_replace(struct whole_file *f, const char *path);
/* What an error of these functions is called. */
const char *whole_strerror(int err);
/* Sync, rename and close; -errno, and then the temporary file is gone. */
int whole_commit(struct whole_file *f);
/*
 * For many files of one folder: as whole_commit(), but until whole_sync_folder()
 * a power cut may undo the rename. What is there then is whole all the same.
 */
int whole_publish(struct whole_file *f);
void whole_sync_folder(const char *dir);
/* Remove it; after a commit there is nothing to do. */
void whole_discard(struct whole_file *f);

#endif
