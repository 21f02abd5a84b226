/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a swarm draws, how its text is read again, and what counts as alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "bench/swarm.h"
#include "cli/registry.h"
#include "tests/test.h"

#define CELLS 600

static struct swarm_options options(uint64_t seed)
{
	return (struct swarm_options){
		.registry = &registry, .max_events = 3, .check_every = 20000,
		.limit_s = 60, .seed = seed,
		.traces = { "program.blt" }, .nr_traces = 1,
	};
}

static void print(const struct swarm_text *t, char *out)
{
	assert_true(swarm_text_print(t, out,
				     SWARM_MAX_LINES * SWARM_LINE_SIZE));
}

/* All texts of the first cells, one after the other. */
static char *draw_many(uint64_t seed, unsigned int nr)
{
	const struct swarm_options o = options(seed);
	struct swarm_text *t = malloc(sizeof(*t));
	char *text = malloc(SWARM_MAX_LINES * SWARM_LINE_SIZE), *all = NULL;
	size_t size, i;
	FILE *out = open_memstream(&all, &size);

	assert_true(t && text && out);
	for (i = 0; i < nr; i++) {
		swarm_draw(&o, i, t);
		print(t, text);
		fprintf(out, "\n%s", text);
	}
	fclose(out);
	free(text);
	free(t);
	return all;
}

static void test_swarm__same_seed_same_cells(void **state)
{
	/* The text is a function of seed and number, and of nothing else. */
	char *a = draw_many(7, 50), *b = draw_many(7, 50), *c = draw_many(8, 50);

	(void)state;
	assert_string_equal(a, b);
	assert_string_not_equal(a, c);
	free(a);
	free(b);
	free(c);
}

static void expect_line(const char *all, const char *key, const char *value)
{
	char line[SWARM_LINE_SIZE];

	snprintf(line, sizeof(line), "\n%s = %s%s", key, value ? value : "",
		 value ? "\n" : "");
	if (!strstr(all, line))
		fail_msg("no cell of %d has '%s'", CELLS, line + 1);
}

static void expect_names(const char *all, const char *key,
			 const char *const *names)
{
	for (; *names; names++)
		expect_line(all, key, *names);
}

/* Keys that name what must not be, or that need files. */
static bool is_left_out(const char *key)
{
	static const char *const keys[] = { "prices", "before", "after",
					    "expect", "columns", "title" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i], key))
			return true;
	return false;
}

static void expect_keys(const char *all, const struct option_table *t)
{
	const struct option_desc *o;

	for (o = t->descs; o && o->name; o++)
		if (!is_left_out(o->name))
			expect_line(all, o->name, NULL);
}

static void test_swarm__every_key_and_member_is_drawn(void **state)
{
	/* A new design, workload or key is in the swarm without an edit. */
	char *all = draw_many(1, CELLS);
	struct schema s;
	unsigned int i;

	(void)state;
	schema_init(&s, &registry);
	expect_names(all, "design", s.reporters);
	expect_names(all, "workload", s.workloads);
	expect_line(all, "hypervisor", "mock");
	expect_line(all, "hypervisor", "null");
	assert_null(strstr(all, "hypervisor = live"));
	expect_names(all, "kernel", alloc_profile_names());
	expect_names(all, "kind",
		     option_find(&inject_option_table, "kind")->names);
	expect_names(all, "action",
		     option_find(&event_option_table, "action")->names);
	expect_keys(all, &guest_option_table);
	expect_keys(all, &host_option_table);
	expect_keys(all, &phase_option_table);
	expect_keys(all, &event_option_table);
	expect_keys(all, &inject_option_table);
	expect_keys(all, &registry.hypervisors[0]->options);
	for (i = 0; registry.reporters[i]; i++)
		expect_keys(all, &registry.reporters[i]->options);
	for (i = 0; registry.workloads[i]; i++)
		expect_keys(all, &registry.workloads[i]->options);
	free(all);
}

static int load(struct experiment *e, const char *text, struct diag *d)
{
	const struct experiment_request req = {
		.path = "cell.ini", .text = text, .registry = &registry,
	};

	*d = (struct diag){ 0 };
	return experiment_load(e, &req, d);
}

static void test_swarm__few_texts_are_refused_and_all_say_why(void **state)
{
	/* The reader takes almost all; the rest gets a message with a place. */
	const struct swarm_options o = {
		.registry = &registry, .max_events = 3, .seed = 3,
	};
	struct swarm_text *t = malloc(sizeof(*t));
	char *text = malloc(SWARM_MAX_LINES * SWARM_LINE_SIZE);
	unsigned int i, refused = 0;
	struct experiment e;
	struct diag d;

	(void)state;
	for (i = 0; i < CELLS; i++) {
		int err;

		swarm_draw(&o, i, t);
		print(t, text);
		err = load(&e, text, &d);
		assert_true(err == 0 || err == -22);
		if (err)
			assert_non_null(strstr(d.last, "cell.ini:"));
		else
			assert_int_equal(e.nr_cells, 1);
		refused += err != 0;
		experiment_free(&e);
	}
	print_message("%u of %d refused\n", refused, CELLS);
	assert_true(refused * 50 < CELLS);
	free(text);
	free(t);
}

static void test_swarm__values_of_a_cell_make_it_again(void **state)
{
	/* Printed in full and read again: the same id, seed included. */
	static const char text[] =
		"[experiment]\nseeds = 5\n[guest]\nmemory = 32M\n"
		"topology = numa:2 core:1 pu:1\n[phase p]\nworkload = memhog\n"
		"size = 12.5%\n[event e]\naction = compact_memory\nat = 1.5ms\n"
		"[inject i]\nkind = watch\nexpect = guest.pgfault>=0\n";
	struct swarm_text *t = malloc(sizeof(*t));
	char *again = malloc(SWARM_MAX_LINES * SWARM_LINE_SIZE);
	struct experiment a, b;
	struct diag d;

	(void)state;
	assert_int_equal(load(&a, text, &d), 0);
	assert_int_equal(swarm_text_of_cell(t, &a, &a.cells[0]), 0);
	print(t, again);
	assert_int_equal(load(&b, again, &d), 0);
	assert_string_equal(a.cells[0].id, b.cells[0].id);
	experiment_free(&a);
	experiment_free(&b);
	free(again);
	free(t);
}

static void test_swarm__failures_are_alike_but_for_numbers(void **state)
{
	/* What may stand for what while a failure is made smaller. */
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "alloc/buddy.c:12: CHECK failed: x;page 17",
		  "alloc/buddy.c:12: CHECK failed: x;page 0x4f", true },
		{ "a.c:1: CHECK failed: x == y;  left = 1 (0x1), right = 2",
		  "a.c:1: CHECK failed: x == y;  left = 12 (0xc), right = 0",
		  true },
		{ "a.c:1: CHECK failed: x == y;  left = 1 (0x1), right = 2",
		  "a.c:1: CHECK failed: x == z;  left = 1 (0x1), right = 2",
		  false },
		{ "injection i0 (vfio): invariant broken: lost",
		  "injection i7 (watch): invariant broken: lost", true },
		{ "run-ahead: digest 00ff, step by step ff00",
		  "run-ahead: guest.pgfault is 7, step by step 8", true },
		{ "killed by signal 11 (Segmentation fault)",
		  "it did not end within its time limit", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("%s\n", rows[i].a);
		assert_int_equal(swarm_same_failure(rows[i].a, rows[i].b),
				 rows[i].same);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_swarm__same_seed_same_cells),
	cmocka_unit_test(test_swarm__every_key_and_member_is_drawn),
	cmocka_unit_test(test_swarm__few_texts_are_refused_and_all_say_why),
	cmocka_unit_test(test_swarm__values_of_a_cell_make_it_again),
	cmocka_unit_test(test_swarm__failures_are_alike_but_for_numbers),
};

int main(void)
{
	return cmocka_run_group_tests(cases, NULL, NULL) ? 1 : 0;
}
