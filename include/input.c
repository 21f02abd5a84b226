/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening and reading with bounds. Models nothing of a kernel. */
#define _GNU_SOURCE
#include "include/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_ROOM 256u

static int check(int fd, uint64_t most)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -ENODEV;
	return most && (uint64_t)st.st_size > most ? -EFBIG : 0;
}

int input_open(const char *path, uint64_t most)
{
	/* Of a regular file O_NONBLOCK means nothing. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int err;

	if (fd < 0)
		return errno == ENXIO ? -ENODEV : -errno;
	err = check(fd, most);
	if (!err)
		return fd;
	close(fd);
	return err;
}

FILE *input_stream(const char *path, uint64_t most)
{
	const int fd = input_open(path, most);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd < 0)
		errno = -fd;
	else if (!f)
		close(fd);
	return f;
}

const char *input_error(int err)
{
	return err == ENODEV ? "not a regular file" :
	       err == EFBIG ? "the file is too large" : strerror(err);
}

static int grow(char **line, size_t *room)
{
	const size_t more = *line ? *room * 2 : FIRST_ROOM;
	char *text = realloc(*line, more);

	if (!text)
		return -ENOMEM;
	*line = text;
	*room = more;
	return 0;
}

ssize_t input_line(char **line, size_t *room, size_t most, FILE *in)
{
	size_t n = 0;
	int c;

	do {
		if ((!*line || n + 2 > *room) && grow(line, room))
			return -ENOMEM;
		c = getc_unlocked(in);
		if (c == EOF)
			break;
		(*line)[n++] = (char)c;
	} while (c != '\n' && n <= most);
	(*line)[n] = '\0';
	return (ssize_t)n;
}
