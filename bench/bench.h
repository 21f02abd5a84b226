/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interface of bench/: all that cli/ needs of it. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "bench/calibrate.h"
#include "bench/cell_json.h"
#include "bench/collect.h"
#include "bench/command.h"
#include "bench/columns.h"
#include "bench/compare.h"
#include "bench/demand.h"
#include "bench/experiment.h"
#include "bench/figure.h"
#include "bench/json_memory.h"
#include "bench/reproduce/reproduce.h"
#include "bench/results.h"
#include "bench/runner.h"
#include "bench/selfbench.h"
#include "bench/store.h"
#include "bench/swarm.h"
#include "bench/table.h"
#include "bench/tune.h"
#include "bench/version.h"

#endif
