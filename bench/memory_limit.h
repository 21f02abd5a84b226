/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a container or a batch system leaves to the processes in it. */
#ifndef BENCH_MEMORY_LIMIT_H
#define BENCH_MEMORY_LIMIT_H

#include <stdint.h>

/*
 * The least of the limits of the control groups that `list`, a
 * /proc/PID/cgroup, names, and of those above them; they are mounted at `top`,
 * which is /sys/fs/cgroup. UINT64_MAX: none.
 */
uint64_t memory_limit(const char *list, const char *top);

#endif
