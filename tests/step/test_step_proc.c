/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The /proc files of a script's guest. */
#include <stdlib.h>
#include <string.h>

#include "include/types.h"
#include "replay/step.h"
#include "tests/test.h"

static char *run(const char *script)
{
	struct diag d = { .out = stderr };
	char *text = NULL;
	size_t size;
	FILE *in = fmemopen((void *)(uintptr_t)script, strlen(script), "r");
	FILE *out = open_memstream(&text, &size);

	assert_non_null(in);
	assert_non_null(out);
	assert_int_equal(step_run(in, "proc", out, &d), 0);
	fclose(in);
	fclose(out);
	return text;
}

static void test_step__proc_files(void **state)
{
	/* One order-10 block and one page are free in a 16 MiB zone. */
	static const struct { const char *command, *line; } rows[] = {
		{ "buddyinfo", "Node 0, zone   Normal      1      0      0      0 "
			       "     0      0      0      0      0      0      1 \n" },
		{ "pagetypeinfo", "Node    0, zone   Normal, type      Movable "
				  "     1      0" },
		{ "zoneinfo", "\n  pages free     1025\n" },
		{ "vmstat", "nr_free_pages 1025\n" },
	};
	char script[256];
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text;

		snprintf(script, sizeof(script), "zone Normal 0 4096\n"
			 "put 1024 10\nput 512 0\n%s\n", rows[i].command);
		text = run(script);
		if (!strstr(text, rows[i].line))
			fail_msg("%s prints\n%s", rows[i].command, text);
		free(text);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_step__proc_files),
};

TEST_MAIN(cases)
