/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is compiled in: the designs, hosts and workloads by name. */
#ifndef CLI_REGISTRY_H
#define CLI_REGISTRY_H

#include "sim/sim.h"

extern const struct sim_registry registry;

#endif
