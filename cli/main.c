/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program. */
#include "cli/commands.h"

int main(int argc, char **argv)
{
	return buddylab_main(argc, argv);
}
