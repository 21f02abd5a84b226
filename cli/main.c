/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program: what it is given by the shell is made safe to work with. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "include/guard.h"
#include "sim/sim.h"

/*
 * A standard stream that is closed would be the number of the next file that
 * is opened, and messages would end up in results. In its place stands one
 * that can be used for nothing, so that use is still an error.
 */
static bool keep_standard_streams(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	/* A limit on the size of files is an error of write(), as a full disk
	 * is, and no reason to be killed. */
	signal(SIGXFSZ, SIG_IGN);
	if (!keep_standard_streams())
		return EXIT_RUNTIME;
	/* A recorded program has to find its environment as it was. */
	if (argc < 2 || strcmp(argv[1], "record") != 0) {
		/* Where it is ignored, too, `| head` ends us without a word. */
		signal(SIGPIPE, SIG_DFL);
		/* Where it is ignored, nobody is told how a child ended. */
		signal(SIGCHLD, SIG_DFL);
		sim_topology_environment();
	}
	guard_install();
	return buddylab_main(argc, argv);
}
