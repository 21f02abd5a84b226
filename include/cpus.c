/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CPUs that are ours, not those of the machine. */
#define _GNU_SOURCE
#include "include/cpus.h"

#include <sched.h>
#include <unistd.h>

#define MAX_CPUS 1024

unsigned int usable_cpus(void)
{
	cpu_set_t set;
	long n;

	/* The set has room for 1024; on a larger machine that is an error. */
	if (sched_getaffinity(0, sizeof(set), &set))
		n = sysconf(_SC_NPROCESSORS_ONLN);
	else
		n = CPU_COUNT(&set);
	return n < 1 ? 1 : n > MAX_CPUS ? MAX_CPUS : (unsigned int)n;
}
