/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits of memory of control groups, version 2 (memory.max) and 1
 * (memory.limit_in_bytes), where systemd and container engines mount them. In a
 * container with the host's names of groups the folder of the own group is not
 * there, and what is mounted at the top is it: so each is looked at up to the
 * top, which is right for the limits of parents too. Leaves out memory.high,
 * which slows down and does not end a process, and memory of others in the
 * group.
 */
#include "bench/memory_limit.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINE 4096

/* "max", or a file that is not there: none. */
static uint64_t read_limit(const char *path)
{
	unsigned long long value;
	char text[32], *end;
	FILE *f = fopen(path, "re");

	if (!f)
		return UINT64_MAX;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	errno = 0;
	value = strtoull(text, &end, 10);
	return isdigit((unsigned char)text[0]) && !errno &&
	       (!*end || *end == '\n') ? value : UINT64_MAX;
}

/* Of a group, which is cut off name by name, and all above it. */
static uint64_t least_limit(const char *top, const char *folder, char *group,
			    const char *file)
{
	uint64_t least = UINT64_MAX, limit;
	char path[PATH_MAX];
	char *slash;

	do {
		const int n = snprintf(path, sizeof(path), "%s%s%s/%s", top,
				       folder, group, file);

		limit = n < (int)sizeof(path) ? read_limit(path) : UINT64_MAX;
		least = limit < least ? limit : least;
		slash = strrchr(group, '/');
		if (slash)
			*slash = '\0';
	} while (slash);
	return least;
}

static bool has_word(const char *list, const char *word)
{
	const size_t len = strlen(word);

	for (; list; list = strchr(list, ',')) {
		list += *list == ',';
		if (!strncmp(list, word, len) &&
		    (!list[len] || list[len] == ','))
			return true;
	}
	return false;
}

/* "4:memory:/group" or "0::/group" */
static uint64_t limit_of_line(const char *top, char *line)
{
	char *words = strchr(line, ':');
	char *group = words ? strchr(words + 1, ':') : NULL;
	char again[MAX_LINE];
	uint64_t unified, limit;

	if (!group)
		return UINT64_MAX;
	*words++ = '\0';
	*group++ = '\0';
	group[strcspn(group, "\n")] = '\0';
	if (has_word(words, "memory"))
		return least_limit(top, "/memory", group,
				   "memory.limit_in_bytes");
	if (strcmp(line, "0") != 0)
		return UINT64_MAX;
	snprintf(again, sizeof(again), "%s", group);
	limit = least_limit(top, "", group, "memory.max");
	unified = least_limit(top, "/unified", again, "memory.max");
	return unified < limit ? unified : limit;
}

uint64_t memory_limit(const char *list, const char *top)
{
	uint64_t least = UINT64_MAX, limit;
	char line[MAX_LINE];
	FILE *f = fopen(list, "re");

	if (!f)
		return UINT64_MAX;
	while (fgets(line, sizeof(line), f)) {
		limit = limit_of_line(top, line);
		least = limit < least ? limit : least;
	}
	fclose(f);
	return least;
}
