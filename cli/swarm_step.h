/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random step scripts as cells of a swarm. */
#ifndef CLI_SWARM_STEP_H
#define CLI_SWARM_STEP_H

#include "bench/bench.h"

void swarm_step_scripts(struct swarm_scripts *s, unsigned int nr_ops);
/* Run cell `cell` and print its script: 0 or -errno. */
int swarm_step_print(const struct swarm_options *o, uint64_t cell);

#endif
