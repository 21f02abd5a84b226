/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --reporter-plugin NAME: the first line is the name of a file, the rest what is
 * in it. It is refused with a message. Nothing is loaded, for code can do
 * anything: an object is made one of no machine.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/plugin.h"
#include "include/check.h"
#include "tests/fuzz/fuzz.h"

#define LARGEST_INPUT 16384
#define LARGEST_NAME 5000

/* Names of folders are of this machine. */
static bool is_file_name(const char *name)
{
	return name[0] && !strchr(name, '/') && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

static bool make_file(const char *name, const uint8_t *data, size_t size)
{
	const int fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
	const Elf64_Half machine = EM_NONE;

	if (fd < 0)
		return false;
	CHECK_EQ(write(fd, data, size), size);
	if (size >= offsetof(Elf64_Ehdr, e_machine) + sizeof(machine))
		CHECK_EQ(pwrite(fd, &machine, sizeof(machine),
				offsetof(Elf64_Ehdr, e_machine)),
			 sizeof(machine));
	close(fd);
	return true;
}

/* Messages go to the standard error of a program. */
static void take(char *name)
{
	const int saved = dup(STDERR_FILENO);
	const int null = open("/dev/null", O_WRONLY);
	struct plugins p;
	struct args a = { .command = &command_run, .value = name };

	CHECK(saved >= 0 && null >= 0);
	fflush(stderr);
	dup2(null, STDERR_FILENO);
	plugins_init(&p);
	CHECK_EQ(plugins_take(&p, &a), 2);
	CHECK_EQ(p.nr, 0);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(null);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char dir[] = "/tmp/buddylab-fuzz-XXXXXX";
	const uint8_t *end = memchr(data, '\n', size);
	const size_t len = end ? (size_t)(end - data) : size;
	char *name;

	if (size > LARGEST_INPUT || len > LARGEST_NAME)
		return 0;
	name = strndup((const char *)data, len);
	CHECK(name);
	if (is_file_name(name)) {
		CHECK(mkdtemp(dir));
		CHECK(!chdir(dir));
		make_file(name, end ? end + 1 : data,
			  end ? size - len - 1 : 0);
		take(name);
		unlink(name);
		CHECK(!chdir("/"));
		CHECK(!rmdir(dir));
	}
	free(name);
	return 0;
}
