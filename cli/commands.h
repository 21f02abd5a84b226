/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands. Each gets its own name as argv[0] and returns the exit code;
 * results go to stdout, everything else to stderr.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/args.h"

int cmd_accept(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_calibrate(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_collect(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_completion(int argc, char **argv);
int cmd_conformance(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_kernel_reporter(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_plot(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_reproduce(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_run_cell(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_step(int argc, char **argv);
int cmd_stream_diff(int argc, char **argv);
int cmd_swarm(int argc, char **argv);
int cmd_tune(int argc, char **argv);

/* What each takes: for its parser, its help, completion and the manual. */
extern const struct args_command command_accept;
extern const struct args_command command_bench;
extern const struct args_command command_calibrate;
extern const struct args_command command_check;
extern const struct args_command command_collect;
extern const struct args_command command_compare;
extern const struct args_command command_completion;
extern const struct args_command command_conformance;
extern const struct args_command command_export;
extern const struct args_command command_import;
extern const struct args_command command_info;
extern const struct args_command command_kernel_reporter;
extern const struct args_command command_list;
extern const struct args_command command_plan;
extern const struct args_command command_plot;
extern const struct args_command command_record;
extern const struct args_command command_replay;
extern const struct args_command command_report;
extern const struct args_command command_reproduce;
extern const struct args_command command_run;
extern const struct args_command command_run_cell;
extern const struct args_command command_status;
extern const struct args_command command_step;
extern const struct args_command command_stream_diff;
extern const struct args_command command_swarm;
extern const struct args_command command_tune;

struct command {
	int (*run)(int argc, char **argv);
	const struct args_command *args;
	const char *summary;
};

/* All of them, in the order of --help; ends with a NULL `run`. */
extern const struct command commands[];

/* The i-th thing that `list` knows, NULL behind the last. */
const char *list_topic_name(size_t i);

/* `buddylab ...`: find the command and call it. */
int buddylab_main(int argc, char **argv);

#endif
