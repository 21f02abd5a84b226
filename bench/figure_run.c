/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gnuplot, or Python with matplotlib, as a child process. No text reaches a
 * shell: the program is run by exec in the folder of the figures, on a script
 * whose name was made by figure_file_name().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/figure_internal.h"
#include "include/guard.h"

#define MAX_TEXT ((size_t)1 << 20)
/* Exit status of plots/common.py: there is a Python, and no matplotlib. */
#define NO_MATPLOTLIB 77

/*
 * Debian's own Python comes first: that is the one which its matplotlib is for.
 * -I: nothing from the environment or the current folder is loaded.
 */
static const char *program_of(enum figure_backend backend)
{
	static const char python[] = "/usr/bin/python3";

	if (backend == FIGURE_GNUPLOT)
		return "gnuplot";
	return access(python, X_OK) ? "python3" : python;
}

/* In the child: never returns. errno goes to fd if there is no program. */
__attribute__((noreturn))
static void run_child(enum figure_backend backend, const char *dir,
		      const char *script, const char *picture, int out,
		      int fd)
{
	char program[64], gnuplot[] = "-d", python[] = "-I", path[256];
	char option[] = "-e", as[PATH_MAX + 32];
	char *first[] = { program, gnuplot, option, as, path, NULL };
	char *last[] = { program, python, path, as, NULL };
	char **argv = backend == FIGURE_GNUPLOT ? first : last;
	ssize_t n;
	int err;

	snprintf(program, sizeof(program), "%s", program_of(backend));
	snprintf(path, sizeof(path), "./%s", script);
	if (!picture)
		snprintf(as, sizeof(as), "%s",
			 backend == FIGURE_GNUPLOT ? "text = 1" : "");
	else if (backend == FIGURE_GNUPLOT)
		snprintf(as, sizeof(as), "picture = './%s'", picture);
	else
		snprintf(as, sizeof(as), "./%s", picture);
	if (chdir(dir) || (out >= 0 && dup2(out, STDOUT_FILENO) < 0))
		_exit(126);
	/* Numbers and dates look the same everywhere. */
	if (!setenv("LC_ALL", "C.UTF-8", 1))
		execvp(argv[0], argv);
	err = errno;
	n = write(fd, &err, sizeof(err));
	_exit(n == sizeof(err) ? 127 : 126);
}

static int read_all(int fd, char **text, size_t *len)
{
	char *buf = malloc(MAX_TEXT);
	ssize_t n = 1;

	*len = 0;
	while (buf && n > 0 && *len < MAX_TEXT) {
		n = read(fd, buf + *len, MAX_TEXT - *len);
		if (n > 0)
			*len += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	*text = buf;
	return buf ? 0 : -ENOMEM;
}

static int wait_child(pid_t pid, int fd)
{
	int status = 0, err = 0;
	ssize_t n = read(fd, &err, sizeof(err));
	const int lost = guard_wait(pid, &status);

	if (lost)
		return lost;
	if (n == (ssize_t)sizeof(err))
		return -err;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_MATPLOTLIB)
		return -ENOENT;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -ECHILD;
}

static void close_pipe(int fds[2])
{
	if (fds[0] >= 0)
		close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
}

int figure_run(enum figure_backend backend, const char *dir,
	       const char *script, const char *picture, char **text,
	       size_t *len)
{
	int out[2] = { -1, -1 }, failed[2] = { -1, -1 };
	int err = 0;
	pid_t pid = -1;

	if (pipe2(failed, O_CLOEXEC) || (text && pipe2(out, O_CLOEXEC)))
		err = -errno;
	if (!err) {
		pid = guard_fork();
		err = pid < 0 ? -errno : 0;
	}
	if (!pid)
		run_child(backend, dir, script, picture, out[1], failed[1]);
	if (!err) {
		close(failed[1]);
		failed[1] = -1;
		if (text) {
			close(out[1]);
			out[1] = -1;
			err = read_all(out[0], text, len);
		}
	}
	if (pid > 0) {
		const int status = wait_child(pid, failed[0]);

		err = err ? err : status;
	}
	close_pipe(out);
	close_pipe(failed);
	return err;
}
