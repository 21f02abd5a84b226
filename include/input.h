/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that other files name, and lines of files that nobody vouches for:
 * neither may make the program wait or grow without end.
 */
#ifndef INCLUDE_INPUT_H
#define INCLUDE_INPUT_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * Open a regular file of at most `most` bytes (0 = of any size) for reading,
 * without waiting for whoever may be at the other end of a pipe. A descriptor;
 * -ENODEV: a pipe, a device or the like; -EISDIR; -EFBIG; or another -errno.
 */
int input_open(const char *path, uint64_t most);
/* The same as a stream; NULL with errno set. */
FILE *input_stream(const char *path, uint64_t most);
/* What strerror() says, with words for ENODEV and EFBIG. */
const char *input_error(int err);

/*
 * The next line with its newline and a zero behind, in *line, which grows as in
 * getline(3). Its length, 0 at the end or after a read error (see ferror), or
 * -ENOMEM. One of more than `most` bytes: most + 1, its beginning.
 */
ssize_t input_line(char **line, size_t *room, size_t most, FILE *in);

#endif
