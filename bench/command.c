/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line in a file of its own: results are the same whoever made them. */
#include "bench/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/json_memory.h"
#include "bench/store.h"
#include "include/diag.h"
#include "include/input.h"

#define MAX_COMMAND 8192
#define RUN "buddylab run "

static void command_path(const char *dir, char *out, size_t size)
{
	snprintf(out, size, "%s/command", dir);
}

int command_save(const char *dir, const char *command, char *why,
		 size_t why_size)
{
	char path[STORE_PATH_SIZE];
	struct store_file f;
	int err;

	command_path(dir, path, sizeof(path));
	err = store_create_own(&f, path, why, why_size);
	if (err)
		return err;
	fprintf(f.out, "%s\n", command);
	return store_commit(&f, why, why_size);
}

/*
 * Only words as `run` writes them, plain or in single quotes: the line is shown
 * to be pasted into a shell, and the folder may come from others.
 */
static bool is_words(const char *line)
{
	static const char plain[] = " abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+=./:,%@";

	while (*line) {
		line += strspn(line, plain);
		if (line[0] == '\\' && line[1] == '\'') {
			line += 2;
		} else if (*line == '\'') {
			line = strchr(line + 1, '\'');
			if (!line)
				return false;
			line++;
		} else if (*line) {
			return false;
		}
	}
	return true;
}

/* What cannot be read now is not the same as what nobody kept. */
static bool was_not_kept(int err)
{
	return err == ENOENT || err == ENOTDIR || err == ENODEV ||
	       err == EISDIR || err == ELOOP || err == ENAMETOOLONG;
}

static int unreadable(const char *path, int err)
{
	struct diag d = { .out = stderr };

	diag_error(&d, (struct diag_place){ .file = path }, "cannot be read: %s", strerror(err));
	return -err;
}

/* 0: out is such a line or empty; else -errno after a message. */
static int command_load(const char *dir, char *out, size_t size)
{
	char path[STORE_PATH_SIZE];
	int err = 0;
	FILE *f;

	out[0] = '\0';
	command_path(dir, path, sizeof(path));
	f = input_stream(path, 0);
	if (!f)
		return was_not_kept(errno) ? 0 : unreadable(path, errno);
	if (fgets(out, (int)size, f)) {
		out[strcspn(out, "\n")] = '\0';
		if (strncmp(out, RUN, strlen(RUN)) != 0 || !is_words(out))
			out[0] = '\0';
	} else if (ferror(f)) {
		err = unreadable(path, EIO);
	}
	fclose(f);
	return err;
}

const char *command_text(const struct results *r, const char *verb,
			 struct arena *a)
{
	char line[MAX_COMMAND];

	if (command_load(r->dir, line, sizeof(line))) {
		json_memory_lacked();
		return NULL;
	}
	if (!line[0])
		return arena_printf(a, "buddylab %s EXP.ini -o DIR", verb);
	return arena_printf(a, "buddylab %s %s", verb, line + strlen(RUN));
}
