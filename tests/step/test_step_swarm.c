/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario: an allocator with a planted defect. A swarm of step scripts finds
 * it, leaves a dozen lines or less that show it, and does so twice alike; the
 * script fails as a whole in the same way, and passes without the defect.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc/internal.h"
#include "cli/swarm_step.h"
#include "include/check.h"
#include "replay/step.h"
#include "tests/bench/scratch.h"
#include "tests/test.h"

#define CELLS 6
#define MOST_LINES 12

enum defect {
	NO_DEFECT,
	LOSES_A_PAGE, LOSES_HALF, HANDED_OUT_TWICE, DRAINS_NOTHING,
	PUTS_BACK_HALF, NEVER_MERGES, OVERLOOKS_BLOCKS,
	CRASHES,
};

static enum defect defect;

/* ---- the allocator, and what is wrong with it ---- */

void __real_alloc_free(struct alloc *a, unsigned int cpu, pfn_t pfn,
		       unsigned int order);
void __real_alloc_free_buddy(struct alloc *a, pfn_t pfn, unsigned int order);
struct alloc_result __real_alloc_pages(struct alloc *a,
				       struct alloc_request *req);
pfn_t __real_alloc_buddy(struct alloc *a, unsigned int zone,
			 unsigned int order, enum migratetype mt,
			 bool nofragment);
void __real_alloc_drain_all(struct alloc *a);
void __real_alloc_putback(struct alloc *a, pfn_t pfn, unsigned int order,
			  enum migratetype mt);
void __real_free_one_page(struct alloc *a, struct zone *z, pfn_t pfn,
			  unsigned int order, enum migratetype mt,
			  unsigned int fpi);
void __wrap_alloc_free(struct alloc *a, unsigned int cpu, pfn_t pfn,
		       unsigned int order);
void __wrap_alloc_free_buddy(struct alloc *a, pfn_t pfn, unsigned int order);
struct alloc_result __wrap_alloc_pages(struct alloc *a,
				       struct alloc_request *req);
pfn_t __wrap_alloc_buddy(struct alloc *a, unsigned int zone,
			 unsigned int order, enum migratetype mt,
			 bool nofragment);
void __wrap_alloc_drain_all(struct alloc *a);
void __wrap_alloc_putback(struct alloc *a, pfn_t pfn, unsigned int order,
			  enum migratetype mt);
void __wrap_free_one_page(struct alloc *a, struct zone *z, pfn_t pfn,
			  unsigned int order, enum migratetype mt,
			  unsigned int fpi);

void __wrap_alloc_free(struct alloc *a, unsigned int cpu, pfn_t pfn,
		       unsigned int order)
{
	if (defect == LOSES_A_PAGE && order == 0 && pfn % 16 == 5)
		return;
	if (defect == CRASHES && order == 3)
		abort();
	__real_alloc_free(a, cpu, pfn, order);
}

void __wrap_alloc_free_buddy(struct alloc *a, pfn_t pfn, unsigned int order)
{
	if (defect == LOSES_HALF && order == 2)
		order = 1;
	__real_alloc_free_buddy(a, pfn, order);
}

struct alloc_result __wrap_alloc_pages(struct alloc *a,
				       struct alloc_request *req)
{
	struct alloc_result r = __real_alloc_pages(a, req);

	/* It gives the page below, and so a page that another has. */
	if (defect == HANDED_OUT_TWICE && r.pfn != PFN_NONE &&
	    req->order == 0 && r.pfn % 8 == 3)
		r.pfn--;
	return r;
}

pfn_t __wrap_alloc_buddy(struct alloc *a, unsigned int zone,
			 unsigned int order, enum migratetype mt,
			 bool nofragment)
{
	if (defect == OVERLOOKS_BLOCKS && order == 1 &&
	    mt == MIGRATE_RECLAIMABLE)
		return PFN_NONE;
	return __real_alloc_buddy(a, zone, order, mt, nofragment);
}

void __wrap_alloc_drain_all(struct alloc *a)
{
	if (defect != DRAINS_NOTHING)
		__real_alloc_drain_all(a);
}

void __wrap_alloc_putback(struct alloc *a, pfn_t pfn, unsigned int order,
			  enum migratetype mt)
{
	if (defect == PUTS_BACK_HALF && order == 9)
		order = 8;
	__real_alloc_putback(a, pfn, order, mt);
}

void __wrap_free_one_page(struct alloc *a, struct zone *z, pfn_t pfn,
			  unsigned int order, enum migratetype mt,
			  unsigned int fpi)
{
	if (defect != NEVER_MERGES) {
		__real_free_one_page(a, z, pfn, order, mt, fpi);
		return;
	}
	add_to_free_list(a, z, pfn, order, mt, false);
	account_free_pages(a, z, (int64_t)order_nr_pages(order), mt);
}

/* ---- the swarm ---- */

static const struct {
	enum defect defect;
	const char *why;
} rows[] = {
	{ LOSES_A_PAGE, "pages are free or with the host and" },
	{ LOSES_HALF, "pages are free or with the host and" },
	{ HANDED_OUT_TWICE, "was handed out twice" },
	{ DRAINS_NOTHING, "on its lists after they were flushed" },
	{ PUTS_BACK_HALF, "was isolated and put back" },
	{ NEVER_MERGES, "" },
	{ OVERLOOKS_BLOCKS, "no block of order 1 was found" },
	{ CRASHES, "killed by signal 6" },
};

static void swarm(unsigned int jobs, const char *dir, struct swarm_summary *sum)
{
	struct swarm_scripts scripts;
	const struct swarm_options o = {
		.scripts = &scripts, .nr_ops = 400, .limit_s = 60, .seed = 1,
	};
	const struct swarm_campaign c = {
		.o = &o, .nr = CELLS, .jobs = jobs, .shrink_runs = 500,
		.dir = dir,
	};
	char why[4400];

	swarm_step_scripts(&scripts, o.nr_ops);
	assert_int_equal(swarm_campaign_run(&c, sum, why, sizeof(why)), 0);
	assert_int_equal(sum->cells, CELLS);
}

static char *read_text(const char *path)
{
	char *text = calloc(1, 65536);
	FILE *in = fopen(path, "r");

	assert_true(text && in);
	assert_true(fread(text, 1, 65535, in) > 0);
	fclose(in);
	return text;
}

static unsigned int lines_of(const char *text)
{
	unsigned int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n - 1; /* what failed, as a comment */
}

/* How a process that runs the script ends. */
static int run_alone(const char *path)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct diag d = { .out = stderr };
		FILE *in = fopen(path, "r"), *out = fopen("/dev/null", "w");

		_exit(in && out && freopen("/dev/null", "w", stderr) ?
		      -step_run(in, path, out, &d) : 99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void find(size_t i, struct swarm_summary *one,
		 struct swarm_summary *two)
{
	const struct swarm_failure *f = &one->failures[0];
	char *a, *b;

	defect = rows[i].defect;
	swarm(1, "one", one);
	/* The same once more, which takes its time. */
	if (i % 4)
		*two = *one;
	else
		swarm(2, "two", two);
	assert_true(one->verdicts[SWARM_VIOLATION] > 0);
	assert_int_equal(one->verdicts[SWARM_VIOLATION],
			 two->verdicts[SWARM_VIOLATION]);
	a = read_text(f->path);
	b = read_text(two->failures[0].path);
	print_message("%zu: %u of %u lines after %u runs\n%s", i,
		      f->shrunk.lines, f->shrunk.lines_before, f->shrunk.runs,
		      a);
	assert_non_null(strstr(a, rows[i].why));
	assert_string_equal(a, b);
	assert_int_equal(lines_of(a), f->shrunk.lines);
	assert_in_range(f->shrunk.lines, 1, MOST_LINES);
	assert_true(WIFSIGNALED(run_alone(f->path)));
	defect = NO_DEFECT;
	assert_int_equal(run_alone(f->path), 0);
	free(a);
	free(b);
}

static void test_step_swarm__defects_are_found_and_made_small(void **state)
{
	/* Each of them, and the same script with one job and with two. */
	struct swarm_summary *one = malloc(sizeof(*one));
	struct swarm_summary *two = malloc(sizeof(*two));
	size_t i;

	(void)state;
	assert_true(one && two);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		find(i, one, two);
	free(one);
	free(two);
}

static void test_step_swarm__nothing_is_found_without_a_defect(void **state)
{
	/* All cells pass; nothing is written. */
	struct swarm_summary *sum = malloc(sizeof(*sum));

	(void)state;
	assert_non_null(sum);
	defect = NO_DEFECT;
	swarm(1, "none", sum);
	assert_int_equal(sum->verdicts[SWARM_PASSED], CELLS);
	assert_true(sum->alloc_calls > CELLS * 400);
	assert_int_not_equal(access("none", F_OK), 0);
	free(sum);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test_setup_teardown(
		test_step_swarm__defects_are_found_and_made_small,
		scratch_setup, scratch_teardown),
	cmocka_unit_test_setup_teardown(
		test_step_swarm__nothing_is_found_without_a_defect,
		scratch_setup, scratch_teardown),
};

int main(void)
{
	return cmocka_run_group_tests(cases, NULL, NULL) ? 1 : 0;
}
