/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many workers make sense here. */
#ifndef INCLUDE_CPUS_H
#define INCLUDE_CPUS_H

/*
 * CPUs that this process may run on, from 1 to 1024: what taskset, a cpuset or
 * a batch system leaves it of the machine.
 */
unsigned int usable_cpus(void);

#endif
