/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab step`: argv[0] is the command's own name. Returns the exit code. */
#ifndef CLI_CMD_STEP_H
#define CLI_CMD_STEP_H

int cmd_step(int argc, char **argv);

#endif
