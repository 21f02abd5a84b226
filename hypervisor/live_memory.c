/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much memory this process could still take: MemAvailable of the machine,
 * and what the memory limits of its control groups leave, of version 2 and of
 * version 1. A container's limit is met with the OOM killer, so it has to be
 * known before. Cache that is not in use can be dropped and does not count.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hypervisor/live.h"

#define PATH_SIZE 1024

/* The first line "NAME VALUE" with that name, or of one value if NULL. */
static bool read_number(const char *path, const char *name, uint64_t *out)
{
	FILE *f = fopen(path, "re");
	bool found = false;
	char line[256];
	size_t n = name ? strlen(name) : 0;

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = (!name || !strncmp(line, name, n)) &&
			sscanf(line + n, "%" SCNu64, out) == 1;
	fclose(f);
	return found;
}

/* Names of one group's files, by version of control groups. */
static const struct group_files {
	const char *limit, *usage, *inactive;
} group_files[] = {
	{ "memory.max", "memory.current", "inactive_file " },
	{ "memory.limit_in_bytes", "memory.usage_in_bytes",
	  "total_inactive_file " },
};

static bool read_file(const char *group, const char *file, const char *name,
		      uint64_t *out)
{
	char path[2 * PATH_SIZE + 64];

	snprintf(path, sizeof(path), "%s/%s", group, file);
	return read_number(path, name, out);
}

/* Bytes below the group's limit; UINT64_MAX without one. */
static uint64_t group_room(const char *group, const struct group_files *f)
{
	uint64_t limit, usage, inactive = 0;

	/* "max" is no number. */
	if (!read_file(group, f->limit, NULL, &limit) ||
	    !read_file(group, f->usage, NULL, &usage))
		return UINT64_MAX;
	(void)read_file(group, "memory.stat", f->inactive, &inactive);
	usage -= inactive < usage ? inactive : usage;
	return usage < limit ? limit - usage : 0;
}

/* The least of the group and of those above it, up to the mount. */
static uint64_t least_room(const char *mount, const char *group,
			   const struct group_files *f)
{
	char path[2 * PATH_SIZE];
	uint64_t least = UINT64_MAX;
	const size_t root = strlen(mount);

	snprintf(path, sizeof(path), "%s%s", mount, group);
	for (;;) {
		const uint64_t room = group_room(path, f);
		char *slash = strrchr(path, '/');

		least = room < least ? room : least;
		if (strlen(path) <= root || !slash)
			return least;
		*slash = '\0';
	}
}

/* A line of /proc/self/cgroup: "0::/group", "4:memory:/group". */
static uint64_t line_room(const char *sys, char *line)
{
	char *controllers = strchr(line, ':'), mount[PATH_SIZE - 1];
	char *group = controllers ? strchr(controllers + 1, ':') : NULL;
	unsigned int version;

	if (!group)
		return UINT64_MAX;
	*group++ = '\0';
	controllers++;
	group[strcspn(group, "\n")] = '\0';
	if (*controllers && strcmp(controllers, "memory") != 0)
		return UINT64_MAX;
	version = *controllers ? 1 : 0;
	snprintf(mount, sizeof(mount), "%s%s", sys, version ? "/memory" : "");
	return least_room(mount, group, &group_files[version]);
}

uint64_t memory_available(const char *proc, const char *sys)
{
	uint64_t least = 0;
	char path[PATH_SIZE], line[PATH_SIZE];
	FILE *f;

	snprintf(path, sizeof(path), "%s/meminfo", proc);
	if (read_number(path, "MemAvailable: ", &least))
		least <<= 10;
	snprintf(path, sizeof(path), "%s/self/cgroup", proc);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		const uint64_t room = line_room(sys, line);

		least = room < least ? room : least;
	}
	if (f)
		fclose(f);
	return least;
}
