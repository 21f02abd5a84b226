/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario: the examples of docs/step.md. Each fenced block marked `step` is a
 * script with its output in lines that begin with `->`.
 */
#include <stdlib.h>
#include <string.h>

#include "replay/step.h"
#include "tests/test.h"

#define DOCUMENT TEST_DATA_DIR "/../../docs/step.md"

struct example {
	FILE *script, *expected;
	char *script_text, *expected_text;
	size_t script_size, expected_size;
	unsigned int line;        /* where it begins */
};

static void begin(struct example *ex, unsigned int line)
{
	ex->script = open_memstream(&ex->script_text, &ex->script_size);
	ex->expected = open_memstream(&ex->expected_text, &ex->expected_size);
	assert_non_null(ex->script);
	assert_non_null(ex->expected);
	ex->line = line;
}

static void finish(struct example *ex)
{
	struct diag d = { .out = stderr };
	char *output = NULL;
	size_t size = 0;
	FILE *in, *out = open_memstream(&output, &size);

	fclose(ex->script);
	fclose(ex->expected);
	in = fmemopen(ex->script_text, ex->script_size, "r");
	assert_non_null(in);
	assert_non_null(out);
	if (step_run(in, "example", out, &d) != 0)
		fail_msg("%s:%u: the script failed", DOCUMENT, ex->line);
	fclose(in);
	fclose(out);
	if (strcmp(output, ex->expected_text) != 0)
		fail_msg("%s:%u: the document says\n%s\nthe script prints\n%s",
			 DOCUMENT, ex->line, ex->expected_text, output);
	free(output);
	free(ex->script_text);
	free(ex->expected_text);
	ex->script = NULL;
}

static void test_step__document_examples_are_real(void **state)
{
	/* At least the examples that there are now. */
	FILE *in = fopen(DOCUMENT, "r");
	struct example ex = { .script = NULL };
	unsigned int number = 0, nr = 0;
	char *line = NULL;
	size_t size = 0;

	(void)state;
	assert_non_null(in);
	while (getline(&line, &size, in) >= 0) {
		number++;
		if (strcmp(line, "```step\n") == 0) {
			begin(&ex, number);
		} else if (ex.script && strcmp(line, "```\n") == 0) {
			finish(&ex);
			nr++;
		} else if (ex.script && strncmp(line, "-> ", 3) == 0) {
			fputs(line + 3, ex.expected);
		} else if (ex.script) {
			fputs(line, ex.script);
		}
	}
	free(line);
	fclose(in);
	assert_null(ex.script);
	assert_true(nr >= 6);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_step__document_examples_are_real),
};

TEST_MAIN(cases)
