/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fixtures of tests that read and write files. */
#include "tests/bench/scratch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "include/check.h"

int scratch_setup(void **state)
{
	struct scratch *s = calloc(1, sizeof(*s));

	CHECK(s);
	CHECK(getcwd(s->before, sizeof(s->before)));
	snprintf(s->dir, sizeof(s->dir), "/tmp/buddylab-test-XXXXXX");
	CHECK(mkdtemp(s->dir));
	CHECK(!chdir(s->dir));
	s->messages = open_memstream(&s->text, &s->size);
	CHECK(s->messages);
	s->diag.out = s->messages;
	*state = s;
	return 0;
}

int scratch_teardown(void **state)
{
	struct scratch *s = *state;
	pid_t pid;

	CHECK(!chdir(s->before));
	pid = fork();
	if (!pid) {
		execlp("rm", "rm", "-rf", s->dir, (char *)NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	fclose(s->messages);
	free(s->text);
	free(s);
	return 0;
}

void scratch_write_bytes(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "w");

	CHECK_MSG(f, "cannot write %s", path);
	CHECK_EQ(fwrite(data, 1, size, f), size);
	CHECK(!fclose(f));
}

void scratch_write(const char *path, const char *text)
{
	scratch_write_bytes(path, text, strlen(text));
}

const char *scratch_text(struct scratch *s)
{
	static _Thread_local char copy[16384];

	CHECK(!fclose(s->messages));
	snprintf(copy, sizeof(copy), "%s", s->text);
	free(s->text);
	s->messages = open_memstream(&s->text, &s->size);
	CHECK(s->messages);
	s->diag = (struct diag){ .out = s->messages };
	return copy;
}
