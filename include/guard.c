/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table that a signal handler can read, and locks that tell whose owner is
 * dead. Everything a handler calls is safe in one: no stdio, no malloc. Threads
 * other than the first take no signals (pthread_sigmask), so while signals are
 * blocked here the table changes unseen. Leaves out: more entries than SLOTS
 * at a time, which then last until somebody sweeps.
 */
#define _GNU_SOURCE
#include "include/guard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "include/types.h"

#define SLOTS 16
#define DEPTH 8              /* of folders in a temporary folder */
#define PATIENCE 200         /* times 25 ms for children to end */
#define FOLDER "buddylab-tmp-"
#define TAIL ".tmp"

enum kind { NOTHING, A_FILE, A_FOLDER, A_CHILD };

struct slot {
	enum kind kind;
	pid_t owner;         /* a fork has a copy of the table */
	pid_t child;
	int lock;            /* of a folder */
	char path[PATH_MAX];
};

static struct slot slots[SLOTS];

static const int fatal[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT,
			     SIGXCPU };

static void block(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, before);
}

static void unblock(const sigset_t *before)
{
	sigprocmask(SIG_SETMASK, before, NULL);
}

/* ---- the table; signals are blocked ---- */

static struct slot *take_slot(enum kind kind)
{
	const pid_t self = getpid();

	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *s = &slots[i];

		if (s->kind != NOTHING && s->owner == self)
			continue;
		s->kind = kind;
		s->owner = self;
		return s;
	}
	return NULL;
}

static struct slot *find_slot(enum kind kind, const char *path, pid_t child)
{
	const pid_t self = getpid();

	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *s = &slots[i];

		if (s->kind == kind && s->owner == self &&
		    (path ? !strcmp(s->path, path) : s->child == child))
			return s;
	}
	return NULL;
}

static void remember_path(enum kind kind, const char *path, int lock)
{
	struct slot *s = strlen(path) < PATH_MAX ? take_slot(kind) : NULL;

	if (!s)
		return;
	memcpy(s->path, path, strlen(path) + 1);
	s->lock = lock;
}

/* ---- removal, in a handler too ---- */

static void remove_tree(int at, const char *name, int depth);

/* True: it removed something, so that another look is worth it. */
static bool remove_entries(int fd, int depth)
{
	union {
		struct dirent64 first;
		char bytes[2048];
	} buf;
	bool any = false;
	ssize_t n, i;

	lseek(fd, 0, SEEK_SET);
	while ((n = getdents64(fd, &buf, sizeof(buf))) > 0)
		for (i = 0; i < n;) {
			const struct dirent64 *e =
				(const void *)(buf.bytes + i);

			i += e->d_reclen;
			if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
				continue;
			remove_tree(fd, e->d_name, depth - 1);
			any = true;
		}
	return any;
}

static void remove_tree(int at, const char *name, int depth)
{
	int fd;

	if (!unlinkat(at, name, 0) || errno == ENOENT || !depth)
		return;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	/* Some file systems skip names of a folder that shrinks. */
	for (int pass = 0; pass < 4 && remove_entries(fd, depth); pass++)
		;
	close(fd);
	unlinkat(at, name, AT_REMOVEDIR);
}

/* ---- the handler ---- */

static void end_children(pid_t self)
{
	const struct timespec tick = { 0, 25000000 };

	for (size_t i = 0; i < SLOTS; i++)
		if (slots[i].kind == A_CHILD && slots[i].owner == self)
			kill(slots[i].child, SIGTERM);
	for (size_t i = 0; i < SLOTS; i++) {
		const pid_t child = slots[i].child;
		int patience = PATIENCE;

		if (slots[i].kind != A_CHILD || slots[i].owner != self)
			continue;
		while (!waitpid(child, NULL, WNOHANG)) {
			if (!patience--)
				kill(child, SIGKILL);
			nanosleep(&tick, NULL);
		}
	}
}

static void end_process(int sig)
{
	const pid_t self = getpid();

	end_children(self);
	for (size_t i = 0; i < SLOTS; i++)
		if (slots[i].owner == self && slots[i].kind == A_FILE)
			unlink(slots[i].path);
		else if (slots[i].owner == self && slots[i].kind == A_FOLDER)
			remove_tree(AT_FDCWD, slots[i].path, DEPTH);
	/* Whoever started it learns what ended it; a shell says 128 + sig. */
	signal(sig, SIG_DFL);
	raise(sig);
}

void guard_install(void)
{
	struct sigaction action = { .sa_handler = end_process };
	struct sigaction before;

	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++)
		if (!sigaction(fatal[i], NULL, &before) &&
		    before.sa_handler == SIG_DFL)
			sigaction(fatal[i], &action, NULL);
}

/* ---- files ---- */

/*
 * Lock what was just made. Not all file systems can; what is not locked is
 * never swept. -EEXIST: a sweep holds it, or has removed it in between.
 */
static int lock_new(int fd)
{
	struct stat st;

	if (flock(fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -EEXIST : 0;
	return fstat(fd, &st) || st.st_nlink ? 0 : -EEXIST;
}

int guard_create(const char *path)
{
	sigset_t before;
	int fd, err;

	block(&before);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	err = fd < 0 ? -errno : lock_new(fd);
	if (!err)
		remember_path(A_FILE, path, -1);
	else if (fd >= 0)
		close(fd);
	unblock(&before);
	return err ? err : fd;
}

static void forget_file(const char *path)
{
	struct slot *s = find_slot(A_FILE, path, 0);

	if (s)
		s->kind = NOTHING;
}

/* No signal in between: the name is free then, and may be another's next. */
int guard_rename(const char *path, const char *to)
{
	sigset_t before;
	int err;

	block(&before);
	err = rename(path, to) ? -errno : 0;
	if (!err)
		forget_file(path);
	unblock(&before);
	return err;
}

void guard_remove(const char *path)
{
	sigset_t before;

	block(&before);
	unlink(path);
	forget_file(path);
	unblock(&before);
}

/* The lock is ours, and `name` is still what was locked. */
static bool is_dead(int at, const char *name, int fd, const struct stat *st)
{
	struct stat now;

	return !flock(fd, LOCK_EX | LOCK_NB) &&
	       !fstatat(at, name, &now, AT_SYMLINK_NOFOLLOW) &&
	       now.st_dev == st->st_dev && now.st_ino == st->st_ino;
}

/*
 * An owner renames its file before it lets go of the lock, and two sweeps do
 * not hold it at once: what has this name while the lock is ours is garbage.
 */
static bool reclaim(int at, const char *name, mode_t type)
{
	/* Over NFS only what is open for writing can be locked for oneself. */
	const int flags = (type == S_IFREG ? O_WRONLY : O_RDONLY) |
			  O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	const int fd = openat(at, name, flags);
	struct stat st;
	bool dead;

	if (fd < 0)
		return false;
	dead = !fstat(fd, &st) && (st.st_mode & S_IFMT) == type &&
	       st.st_uid == geteuid() && is_dead(at, name, fd, &st);
	if (dead)
		remove_tree(at, name, DEPTH);
	close(fd);
	return dead;
}

bool guard_reclaim(const char *path)
{
	return reclaim(AT_FDCWD, path, S_IFREG);
}

/* ".NAME.N.tmp": not every hidden file is one of this program. */
static bool is_temporary(const char *name)
{
	const size_t n = strlen(name);
	size_t digits = n - strlen(TAIL);

	if (name[0] != '.' || n < sizeof(".a.0" TAIL) - 1 ||
	    strcmp(name + digits, TAIL) != 0)
		return false;
	while (digits > 1 && name[digits - 1] >= '0' && name[digits - 1] <= '9')
		digits--;
	return digits < n - strlen(TAIL) && name[digits - 1] == '.';
}

void guard_sweep(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (is_temporary(e->d_name))
			reclaim(dirfd(d), e->d_name, S_IFREG);
	if (d)
		closedir(d);
}

/* ---- folders ---- */

const char *guard_parent(void)
{
	const char *dir = secure_getenv("TMPDIR");

	return dir && dir[0] == '/' ? dir : P_tmpdir;
}

/* Locks of folders are this host's own, but over NFS others see them. */
static bool is_shared(DIR *d)
{
	struct statfs fs;

	return fstatfs(dirfd(d), &fs) || fs.f_type == NFS_SUPER_MAGIC;
}

static void sweep_folders(const char *parent)
{
	DIR *d = opendir(parent);
	struct dirent *e;

	while (d && !is_shared(d) && (e = readdir(d)))
		if (!strncmp(e->d_name, FOLDER, strlen(FOLDER)))
			reclaim(dirfd(d), e->d_name, S_IFDIR);
	if (d)
		closedir(d);
}

static int make_folder(const char *parent, char *path, size_t size)
{
	int lock, err;

	if ((size_t)snprintf(path, size, "%s/" FOLDER "XXXXXX", parent) >= size)
		return -ENAMETOOLONG;
	if (!mkdtemp(path))
		return -errno;
	lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = lock < 0 ? errno == ENOENT ? -EEXIST : -errno : lock_new(lock);
	if (!err)
		remember_path(A_FOLDER, path, lock);
	else if (lock >= 0)
		close(lock);
	return err;
}

int guard_folder(const char *parent, char *path, size_t size)
{
	sigset_t before;
	int err;

	sweep_folders(parent);
	do {
		block(&before);
		err = make_folder(parent, path, size);
		unblock(&before);
	} while (err == -EEXIST);
	if (err)
		path[0] = '\0';
	return err;
}

void guard_remove_folder(const char *path)
{
	struct slot *s;
	sigset_t before;

	if (!path[0])
		return;
	remove_tree(AT_FDCWD, path, DEPTH);
	block(&before);
	s = find_slot(A_FOLDER, path, 0);
	if (s) {
		close(s->lock);
		s->kind = NOTHING;
	}
	unblock(&before);
}

int guard_unnamed(const char *parent)
{
	char path[PATH_MAX];
	sigset_t before;
	int fd = open(parent, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	/* Not all file systems can: for a moment it has a name. */
	if ((size_t)snprintf(path, sizeof(path), "%s/" FOLDER "XXXXXX",
			     parent) >= sizeof(path))
		return -ENAMETOOLONG;
	block(&before);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	else
		unlink(path);
	unblock(&before);
	return fd;
}

/* ---- children ---- */

pid_t guard_fork(void)
{
	const pid_t parent = getpid();
	struct slot *s;
	sigset_t before;
	pid_t pid;
	int err;

	block(&before);
	pid = fork();
	err = errno;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(1);
	} else if (pid > 0) {
		s = take_slot(A_CHILD);
		if (s)
			s->child = pid;
	}
	unblock(&before);
	errno = err;
	return pid;
}

int guard_wait(pid_t pid, int *status)
{
	siginfo_t info;
	struct slot *s;
	sigset_t before;
	int err = 0;

	/* Until it is reaped nobody else has its number. */
	while (!err && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT))
		if (errno != EINTR)
			err = -errno;
	block(&before);
	if (!err && waitpid(pid, status, 0) < 0)
		err = -errno;
	s = find_slot(A_CHILD, NULL, pid);
	if (s)
		s->kind = NOTHING;
	unblock(&before);
	return err;
}
