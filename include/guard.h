/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must not outlive this process: files under construction, temporary
 * folders, children. A signal that ends the process takes them with it; after
 * SIGKILL the next one that works in the same place does. A lock on each tells
 * those of the living from those of the dead, on this host and over NFS (folders
 * on this host only: over NFS nobody removes those of the dead).
 */
#ifndef INCLUDE_GUARD_H
#define INCLUDE_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Signals that end a process are caught from now on, except those that whoever
 * started it has set to be ignored (nohup). The process still ends by them.
 */
void guard_install(void);

/*
 * Create `path`, which must not exist, and lock it. A descriptor or a negative
 * errno; -EEXIST also while somebody else looks whether its owner is alive.
 * The lock lasts until the descriptor is closed: rename first, then close.
 */
int guard_create(const char *path);
/* Give it its name; 0, or -errno and it is as it was. */
int guard_rename(const char *path, const char *to);
/* Before its descriptor is closed: after that the name may be another's. */
void guard_remove(const char *path);

/* Remove a file that guard_create() made in a process that is dead. False: it
 * is not there, not ours, or in use. */
bool guard_reclaim(const char *path);

/* The same for each ".NAME.N.tmp" in `dir`. */
void guard_sweep(const char *dir);

/* TMPDIR, or what the system has for it. */
const char *guard_parent(void);

/*
 * A folder under `parent`, whose name goes to path; those that dead processes
 * left there go first. -errno. guard_remove_folder() removes it with all that
 * is in it.
 */
int guard_folder(const char *parent, char *path, size_t size);
void guard_remove_folder(const char *path);

/* A file of `parent` without a name, to read and write; -errno. */
int guard_unnamed(const char *parent);

/*
 * fork() for a child that is to end with this process: it gets SIGTERM then,
 * and a signal that ends this one waits until it has ended. guard_wait() is
 * waitpid(pid, status, 0), or -errno.
 */
pid_t guard_fork(void);
int guard_wait(pid_t pid, int *status);

#endif
