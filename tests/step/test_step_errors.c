/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scenario: scripts that are wrong. Each mistake is named with its place. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/types.h"
#include "replay/step.h"
#include "tests/test.h"

struct result {
	int err;
	unsigned int nr_errors;
	char *output, *messages;
};

static struct result run(const char *script)
{
	struct result r = { 0 };
	size_t out_size = 0, msg_size = 0;
	struct diag d = { 0 };
	FILE *in = fmemopen((void *)(uintptr_t)script, strlen(script), "r");
	FILE *out = open_memstream(&r.output, &out_size);

	d.out = open_memstream(&r.messages, &msg_size);
	assert_non_null(in);
	assert_non_null(out);
	assert_non_null(d.out);
	r.err = step_run(in, "s", out, &d);
	r.nr_errors = d.nr_errors;
	fclose(in);
	fclose(out);
	fclose(d.out);
	return r;
}

static void result_destroy(struct result *r)
{
	free(r->output);
	free(r->messages);
}

#define Z "zone Normal 0 4096\n"

struct row {
	const char *script;
	const char *message;      /* begins the only message */
};

static const struct row rows[] = {
	/* words */
	{ "zoen Normal 0 4096\n", "s:1:1: error: unknown command 'zoen', did "
	  "you mean 'zone'?" },
	{ "kernel 6.2\n", "s:1:8: error: unknown kernel '6.2'" },
	{ "zone normal 0 4096\n", "s:1:6: error: unknown zone name 'normal', "
	  "did you mean 'Normal'?" },
	{ Z "alloc X 0\n", "s:2:7: error: unknown type 'X', allowed: U, M, R" },
	{ Z "pageblock 1 X\n", "s:2:13: error: unknown type 'X', allowed: U, "
	  "M, R, H, C, I" },
	{ Z "alloc M 0 budy\n", "s:2:11: error: unknown option 'budy', did "
	  "you mean 'buddy'?" },
	{ Z "watermark Nrmal 0 0 0\n", "s:2:11: error: unknown zone 'Nrmal', "
	  "did you mean 'Normal'?" },
	{ Z "grouping of\n", "s:2:10: error: unknown switch 'of'" },
	/* numbers */
	{ Z "put x 0\n", "s:2:5: error: first page frame must be a number" },
	{ Z "put 0 11\n", "s:2:7: error: order must be a number from 0 to 10" },
	{ Z "put 18446744073709551616 0\n", "s:2:5: error: first page frame" },
	{ Z "put -1 0\n", "s:2:5: error: first page frame must be a number" },
	{ Z "put 0x 0\n", "s:2:5: error: first page frame must be a number" },
	{ "zone Normal 0 268435457\n", "s:1:15: error: end page frame must be "
	  "a number from 1 to 268435456" },
	{ "cpus 0\n", "s:1:6: error: number of CPUs must be a number from 1" },
	{ "pageblock_order 8\n", "s:1:17: error: pageblock order must be" },
	{ Z "alloc M 0 cpu=1024\n", "s:2:15: error: cpu must be a number" },
	/* how many words */
	{ "zone Normal 0\n", "s:1:14: error: end page frame is missing: zone "
	  "NAME FIRST END" },
	{ "zone Normal 0 4096 9\n", "s:1:20: error: too many words" },
	{ Z "pcp 7\n", "s:2:6: error: high is missing" },
	{ Z "pcp 7 42 42 42\n", "s:2:13: error: too many words" },
	{ Z "alloc M 0 cpu=0 cpu=0\n", "s:2:17: error: 'cpu=' is given twice" },
	/* order of commands */
	{ "lists\n", "s:1:1: error: lists needs a guest" },
	{ Z "lists\ncpus 2\n", "s:3:1: error: cpus must stand before the "
	  "first operation" },
	{ "kernel 5.7\nkernel 5.7\n" Z, "s:2:1: error: kernel is given twice" },
	{ Z "pageblock_order 10\n", "s:2:1: error: pageblock_order must stand "
	  "before the zones" },
	/* zones */
	{ "zone Normal 9 9\n", "s:1:1: error: zone is empty" },
	{ Z Z, "s:2:1: error: zone of this name is given twice" },
	{ Z "zone Movable 4000 5000\n", "s:2:1: error: zone overlaps" },
	{ Z "zone DMA32 4096 5000\n", "s:2:1: error: zone is out of order" },
	/* settings */
	{ Z "pcp 7 1 42\n", "s:2:1: error: pcp BATCH MIN MAX needs a kernel" },
	{ "kernel 6.12\n" Z "pcp 7 43 42\n", "s:3:1: error: pcp needs MIN" },
	{ Z "pcp 0 7\n", "s:2:1: error: pcp needs a batch" },
	{ Z "watermark Normal 3 2 4\n", "s:2:1: error: watermark needs MIN" },
	{ Z "pageblock 8 U\n", "s:2:1: error: pageblock is behind the end" },
	{ Z "lru 5 5\n", "s:2:1: error: lru needs a range" },
	{ Z "shuffle\n", "s:2:1: error: shuffle needs the random words" },
	/* operations */
	{ Z "put 1 1\n", "s:2:1: error: put needs a page frame that is a "
	  "multiple" },
	{ Z "put 4096 0\n", "s:2:1: error: put needs a block that lies inside "
	  "one zone" },
	{ Z "free 0 0 cpu=1\n", "s:2:1: error: free names a CPU" },
	{ Z "drain cpu=1\n", "s:2:1: error: drain names a CPU" },
	{ Z "zone Movable 4096 8192\nalloc M 0 buddy\n",
	  "s:3:1: error: alloc buddy needs zone=NAME" },
	{ Z "alloc M 0 zone=Normal\n", "s:2:1: error: alloc takes a zone only "
	  "together with buddy" },
	{ "kernel 5.3\n" Z "report\n", "s:3:1: error: report needs a kernel" },
	{ Z "put 0 0\nput 0 0\n", "s:3:1: error: put of block 0, order 0" },
	{ Z "put 1024 9\nfree 1030 1\n", "s:3:1: error: free of block 1030" },
	{ Z "pcp 7 42\nfree 8 0\nfree 8 0\n", "s:4:1: error: free of block 8" },
	{ Z "put 8 0\nput 8 3\n", "s:3:1: error: put of block 8, order 3" },
	{ Z "boot 0 2048\nboot 1024 3072\n", "s:3:1: error: pages of block "
	  "1024, order 10, are free already" },
	{ Z "boot 3072 5120\n", "s:2:1: error: block 4096 of order 10 does "
	  "not lie inside one zone" },
	{ Z "isolate 1024 9\n", "s:2:1: error: isolate: no free block" },
	{ Z "put 1024 9\nisolate 1024 8\n", "s:3:1: error: isolate: no free "
	  "block of order 8 begins at 1024" },
	{ Z "put 1024 9\nputback 1024 9\n", "s:3:1: error: putback of block" },
	{ Z "boot 0 4096\nshuffle-zone Normal 1\n", "s:3:1: error: the "
	  "script's shuffle words are used up" },
	{ Z "report\nhint\n", "s:3:1: error: report and hint cannot be used" },
	{ "kernel 5.7\n" Z "boot 0 4096\nhint batches=1\nfree 1024 0\n",
	  "s:5:1: error: free of block 1024, order 0: the host has pages" },
	/* repeat */
	{ Z "repeat 0 lists\n", "s:2:8: error: repeat needs a number from 1" },
	{ Z "repeat 2\n", "s:2:9: error: the command is missing" },
	{ Z "repeat 2 repeat 2 lists\n", "s:2:10: error: repeat cannot be" },
	{ Z "repeat 2 lru 0 9\n", "s:2:10: error: lru cannot be repeated" },
	{ Z "repeat 2 put 0 0\n", "s:2:10: error: put of block 0" },
	{ Z "repeat 2 lisst\n", "s:2:10: error: unknown command 'lisst'" },
	/* none that only follows from another */
	{ "zone Normal 0\nput 0 0\nlists\n", "s:1:14: error: end page frame "
	  "is missing" },
};

static void test_step__names_the_place_of_a_mistake(void **state)
{
	/* One wrong script each; the first message is compared. */
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct result r = run(row->script);

		if (strncmp(r.messages, row->message, strlen(row->message)))
			fail_msg("row %zu, script:\n%s\nexpected: %s\ngot: %s",
				 i, row->script, row->message, r.messages);
		ASSERT_U64(row->script, -r.err, EINVAL);
		ASSERT_U64(row->script, r.nr_errors, 1);
		result_destroy(&r);
	}
}

static void test_step__names_all_mistakes_at_once(void **state)
{
	/* Three wrong lines, three messages, in order. */
	struct result r = run("zoen Normal 0 4096\nput 1 11\n" Z
			      "alloc M 99\n");

	(void)state;
	ASSERT_U64("three", r.nr_errors, 3);
	assert_non_null(strstr(r.messages, "s:1:1: "));
	assert_non_null(strstr(r.messages, "s:2:7: "));
	assert_non_null(strstr(r.messages, "s:4:9: "));
	result_destroy(&r);
}

static void test_step__runs_nothing_if_the_syntax_is_wrong(void **state)
{
	/* A good command before a bad one must not have printed anything. */
	struct result r = run(Z "lists\nlisst\n");

	(void)state;
	assert_int_equal(r.err, -EINVAL);
	assert_string_equal(r.output, "");
	result_destroy(&r);
}

static void test_step__keeps_the_output_before_a_double_free(void **state)
{
	/* A run-time error ends the script where it happens. */
	struct result r = run(Z "put 0 0\nlists\nput 0 0\nlists\n");

	(void)state;
	assert_int_equal(r.err, -EINVAL);
	assert_string_equal(r.output, "Normal o0/M[0]\n");
	result_destroy(&r);
}

static void test_step__limits_what_a_script_may_run(void **state)
{
	/* One command more than ten times the largest repeat. */
	struct result r = run(Z
		"repeat 1000000 drain\nrepeat 1000000 drain\n"
		"repeat 1000000 drain\nrepeat 1000000 drain\n"
		"repeat 1000000 drain\nrepeat 1000000 drain\n"
		"repeat 1000000 drain\nrepeat 1000000 drain\n"
		"repeat 1000000 drain\nrepeat 1000000 drain\n"
		"lists\n");

	(void)state;
	assert_int_equal(r.err, -EINVAL);
	assert_string_equal(r.messages, "s:11:16: error: the script runs more "
			    "than 10000000 commands, repeats included\n");
	result_destroy(&r);
}

static void test_step__takes_blank_lines_comments_and_hex(void **state)
{
	/* Everything a line may have around its words. */
	struct result r = run("# nothing\n\n\t " "zone\tNormal 0x0 0x1000#c\r\n"
			      "  put 0x400 9 # a block\nlists");

	(void)state;
	assert_int_equal(r.err, 0);
	assert_string_equal(r.messages, "");
	assert_string_equal(r.output, "Normal o9/M[1024]\n");
	result_destroy(&r);
}

static void test_step__accepts_an_empty_script(void **state)
{
	/* Nothing to do is no mistake. */
	struct result r = run("\n");

	(void)state;
	assert_int_equal(r.err, 0);
	assert_string_equal(r.output, "");
	result_destroy(&r);
}

static void test_step__prints_all_zones(void **state)
{
	/* Zones in any order; what is empty prints its name alone. */
	struct result r = run("zone Normal 4096 8192\nzone DMA32 0 4096\n"
			      "cpus 2\nput 4096 3\nlists\ntypes 7 9\nstate\n"
			      "pcplists\n");

	(void)state;
	assert_int_equal(r.err, 0);
	assert_string_equal(r.output,
			    "DMA32\n"
			    "Normal o3/M[4096]\n"
			    "DMA32 7:M\n"
			    "Normal 8:M\n"
			    "DMA32 free=0 boost=0 reserved_highatomic=0\n"
			    "Normal free=8 boost=0 reserved_highatomic=0\n"
			    "DMA32 cpu0 count=0 factor=0\n"
			    "DMA32 cpu1 count=0 factor=0\n"
			    "Normal cpu0 count=0 factor=0\n"
			    "Normal cpu1 count=0 factor=0\n");
	result_destroy(&r);
}

static void test_step__takes_a_byte_order_mark(void **state)
{
	/* As some editors write it in front of the first word. */
	struct result r = run("\xef\xbb\xbf" Z "put 1024 9\nlists\n");

	(void)state;
	assert_int_equal(r.err, 0);
	assert_string_equal(r.output, "Normal o9/M[1024]\n");
	result_destroy(&r);
}

static void test_step__many_shuffle_commands_take_no_time(void **state)
{
	/* Words given one by one: copied once each, not once per command. */
	static const char line[] = "shuffle 1\n";
	const size_t nr = 200000, len = sizeof(line) - 1;
	char *script = malloc(sizeof(Z) + nr * len);
	struct result r;

	(void)state;
	assert_non_null(script);
	memcpy(script, Z, sizeof(Z));
	for (size_t i = 0; i < nr; i++)
		memcpy(script + sizeof(Z) - 1 + i * len, line, len + 1);
	r = run(script);
	assert_int_equal(r.err, 0);
	result_destroy(&r);
	free(script);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_step__names_the_place_of_a_mistake),
	cmocka_unit_test(test_step__names_all_mistakes_at_once),
	cmocka_unit_test(
		test_step__runs_nothing_if_the_syntax_is_wrong),
	cmocka_unit_test(
		test_step__keeps_the_output_before_a_double_free),
	cmocka_unit_test(test_step__limits_what_a_script_may_run),
	cmocka_unit_test(
		test_step__takes_blank_lines_comments_and_hex),
	cmocka_unit_test(test_step__accepts_an_empty_script),
	cmocka_unit_test(test_step__prints_all_zones),
	cmocka_unit_test(test_step__takes_a_byte_order_mark),
	cmocka_unit_test(
		test_step__many_shuffle_commands_take_no_time),
};

TEST_MAIN(cases)
