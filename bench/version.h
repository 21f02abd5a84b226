/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Versions that every result carries. MODEL_VERSION goes up whenever the same
 * cell may give other counters than before; results of another version are
 * computed again, and `check` says that it compares across versions.
 * RESULT_SCHEMA goes up when a field of docs/results.md changes its meaning.
 */
#ifndef BENCH_VERSION_H
#define BENCH_VERSION_H

#define MODEL_VERSION 3
#define RESULT_SCHEMA 1

#endif
