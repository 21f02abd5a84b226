/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `buddylab replay`: argv[0] is the command's own name. Returns the exit code. */
#ifndef CLI_CMD_REPLAY_H
#define CLI_CMD_REPLAY_H

int cmd_replay(int argc, char **argv);

#endif
