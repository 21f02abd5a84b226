/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the fault shim share; its users read driver.py. */
#ifndef TESTS_FAULTS_FAULTS_H
#define TESTS_FAULTS_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_class {
	FAULT_NONE, FAULT_ALLOC, FAULT_MMAP, FAULT_OPEN, FAULT_READ,
	FAULT_WRITE, FAULT_SYNC, FAULT_CLOSE, FAULT_RENAME, FAULT_MKDIR,
	FAULT_STAT, FAULT_READDIR, FAULT_PIPE, FAULT_PROCESS, FAULT_WAIT,
	FAULT_LOCK,
};

#define FAULT_SITES 65536
#define FAULT_WHAT 1024

/*
 * One file that every process of a run maps, so that calls of workers count on
 * where those of their parent stopped. driver.py reads it by these offsets.
 */
struct fault_state {
	uint64_t calls;            /* of the class; of alloc: distinct sites */
	uint64_t hits;             /* faults that happened */
	char what[FAULT_WHAT];     /* the first of them */
	uint64_t order[FAULT_SITES];  /* sites as they were first met */
	uint64_t table[FAULT_SITES];  /* the same, hashed; 0 is free */
};

struct fault_plan {
	enum fault_class class;
	int error;                 /* 0: half of what was asked for */
	uint64_t which;            /* Nth call, or site; 0: count only */
	bool sticky;               /* that one and all later ones */
};

/* Which calls fail; the class is FAULT_NONE in programs that are not ours. */
extern struct fault_plan fault_plan;
extern struct fault_state *fault_state;

/* A system call that is never trapped: the result or a negative errno. */
long fault_syscall(long nr, long a, long b, long c, long d, long e, long f);

/* Does this call fail? Counts it. `what` and `fd` (or -1) are for the report. */
bool fault_now(enum fault_class class, const char *what, int fd);
/* The same for a site; a site fails when it is first met. */
bool fault_site_now(uint64_t site, const char *what);

/* Have the kernel hand libc's system calls of that class to us. */
void fault_trap(enum fault_class class);

#endif
