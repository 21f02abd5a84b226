/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The switch of a mutated copy: BUDDYLAB_MUTANT=n turns number n on, 0 or none
 * leaves the source as it is. BUDDYLAB_REACHED names a file of one byte for
 * each mutant, in which a process and its children note the places they reach.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/mutation/runtime.h"

#define MOST_MUTANTS 65536

static unsigned char unread[MOST_MUTANTS];

int buddylab_mutant;
unsigned char *buddylab_reached = unread;

static void map_reached(const char *path)
{
	const int fd = open(path, O_RDWR | O_CLOEXEC);
	void *map;

	if (fd < 0)
		return;
	map = mmap(NULL, MOST_MUTANTS, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   0);
	close(fd);
	if (map != MAP_FAILED)
		buddylab_reached = map;
}

__attribute__((constructor))
static void read_switch(void)
{
	const char *number = getenv("BUDDYLAB_MUTANT");
	const char *path = getenv("BUDDYLAB_REACHED");

	if (number)
		buddylab_mutant = (int)strtol(number, NULL, 10);
	if (path)
		map_reached(path);
}
