/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands. Each gets its own name as argv[0] and returns the exit code;
 * results go to stdout, everything else to stderr.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

int cmd_accept(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_calibrate(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_collect(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_conformance(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_kernel_reporter(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_plot(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_reproduce(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_run_cell(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_stream_diff(int argc, char **argv);

/* `buddylab ...`: find the command and call it. */
int buddylab_main(int argc, char **argv);

#endif
