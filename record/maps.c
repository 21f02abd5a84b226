/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc says of a process: its first mappings, its stack, its name. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "record/space.h"

struct map_line {
	uint64_t start, end;
	char perms[5];
	unsigned long long inode;
	char name[32];           /* "" = anonymous */
};

static FILE *open_maps(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	return fopen(path, "re");
}

/* False: the end. */
static bool next_map(FILE *f, struct map_line *m)
{
	char line[512];
	int c;

	for (;;) {
		if (!fgets(line, sizeof(line), f))
			return false;
		/* What does not fit is the end of a path. */
		if (!strchr(line, '\n'))
			while ((c = getc(f)) != EOF && c != '\n')
				;
		m->name[0] = '\0';
		if (sscanf(line, "%" SCNx64 "-%" SCNx64
			   " %4s %*x %*s %llu %31s", &m->start, &m->end,
			   m->perms, &m->inode, m->name) >= 4)
			return true;
	}
}

static bool is_stack(const struct map_line *m)
{
	return !strcmp(m->name, "[stack]");
}

/*
 * Private memory of the program: anonymous, or a writable part of a file, of
 * which written pages are copies. Not the kernel's own ([vvar], [vdso]).
 */
static bool is_recorded(const struct map_line *m)
{
	if (m->perms[3] != 'p')
		return false;
	if (m->inode)
		return m->perms[1] == 'w';
	return m->name[0] != '[' || is_stack(m) || !strcmp(m->name, "[heap]");
}

void space_read_maps(struct space *s)
{
	FILE *f = open_maps(s->pid);
	struct map_line m;

	if (!f)
		return;
	while (next_map(f, &m)) {
		if (!is_recorded(&m))
			continue;
		if (is_stack(&m))
			s->stack = m.start;
		space_map(s, m.start, m.end);
	}
	fclose(f);
}

void space_read_stack(struct space *s)
{
	FILE *f = s->stack ? open_maps(s->pid) : NULL;
	struct map_line m;

	if (!f)
		return;
	while (next_map(f, &m)) {
		if (!is_stack(&m) || m.start >= s->stack)
			continue;
		space_map(s, m.start, s->stack);
		s->stack = m.start;
	}
	fclose(f);
}

void read_comm(pid_t pid, char comm[16])
{
	char path[64];
	FILE *f;

	comm[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(comm, 16, f))
		comm[strcspn(comm, "\n")] = '\0';
	fclose(f);
}

pid_t read_tgid(pid_t tid)
{
	char path[64], line[128];
	int tgid = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (tgid < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "Tgid: %d", &tgid) == 1)
			break;
	fclose(f);
	return tgid;
}
