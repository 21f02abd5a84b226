/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Episodes of the differential test, in child processes (episode.h). */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "include/check.h"
#include "tests/model/episode.h"

/* Complete lists are compared after so many operations, if each is looked at. */
#define LIST_PERIOD 16

/* Of a longer script only the end is written. */
#define SCRIPT_OPS 20000u
#define SCRIPT_END 60u

/* What a child has to say; shared, so that it survives an abort. */
struct progress {
	unsigned int op;
	bool failed;
	char why[400];
	char got[DIGEST_HEX_SIZE], want[DIGEST_HEX_SIZE];
};

static bool compare_all(struct world *w)
{
	return world_compare_counts(w) && world_compare_lists(w);
}

static bool step_both(struct world *w, const struct op *op, unsigned int i,
		      unsigned int every, unsigned int period)
{
	if (!op_apply(w, op))
		return false;
	if (every > 1)
		return i % every != every - 1 || compare_all(w);
	return world_compare_counts(w) &&
	       (i % period != 0 || world_compare_lists(w));
}

static void finish(struct world *w, struct progress *p)
{
	digest_hex(&w->got, p->got);
	digest_hex(&w->want, p->want);
	if (!p->failed && !compare_all(w))
		p->failed = true;
	if (!p->failed && strcmp(p->got, p->want) != 0) {
		snprintf(w->why, sizeof(w->why), "digest %s, the model's is %s",
			 p->got, p->want);
		p->failed = true;
	}
	memcpy(p->why, w->why, sizeof(p->why));
}

/* Operations come from ops or, if that is NULL, from the seed. */
static void run_here(const struct episode *e, const struct op *ops,
		     unsigned int nr, unsigned int period, FILE *script,
		     struct progress *p)
{
	static struct world w; /* too large for a stack; one per process */
	struct mood mood = { 0 };
	struct rng r;

	CHECK_EQ(world_create(&w, e->kernel, e->seed, e->large), 0);
	if (script)
		world_print_setup(&w, script);
	rng_init(&r, e->seed, "ops", 0);
	for (p->op = 0; p->op < nr; p->op++) {
		struct op op;

		if (nr <= SCRIPT_OPS || p->op + SCRIPT_END >= nr)
			w.script = script;
		mood_update(&mood, &w, e->seed, p->op);
		op = ops ? ops[p->op] : op_random(&r, &w, &mood);
		if (!step_both(&w, &op, p->op, e->every, period)) {
			p->failed = true;
			break;
		}
	}
	finish(&w, p);
	world_destroy(&w);
}

static struct outcome judge(const struct progress *p, int status)
{
	struct outcome o = { .op = p->op };

	o.failed = p->failed || !WIFEXITED(status) || WEXITSTATUS(status);
	memcpy(o.got, p->got, sizeof(o.got));
	memcpy(o.want, p->want, sizeof(o.want));
	if (p->failed)
		snprintf(o.why, sizeof(o.why), "%s", p->why);
	else if (WIFSIGNALED(status))
		snprintf(o.why, sizeof(o.why), "signal %d, see above",
			 WTERMSIG(status));
	else if (o.failed)
		snprintf(o.why, sizeof(o.why), "exit %d, see above",
			 WEXITSTATUS(status));
	return o;
}

static struct outcome run_in_child(const struct episode *e,
				   const struct op *ops, unsigned int nr,
				   unsigned int period, FILE *script,
				   bool quiet)
{
	struct progress *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct outcome o;
	int status;
	pid_t pid;

	CHECK(p != MAP_FAILED);
	fflush(NULL);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		if (quiet && !freopen("/dev/null", "w", stderr))
			_exit(1);
		if (script)
			setvbuf(script, NULL, _IOLBF, 0);
		run_here(e, ops, nr, period, script, p);
		fflush(NULL);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	o = judge(p, status);
	munmap(p, sizeof(*p));
	return o;
}

struct outcome episode_run(const struct episode *e)
{
	return run_in_child(e, NULL, e->nr_ops, LIST_PERIOD, NULL, false);
}

struct outcome episode_replay(const struct episode *e, const struct op *ops,
			      unsigned int nr, FILE *out)
{
	return run_in_child(e, ops, nr, 1, out, out == NULL);
}

/*
 * The draw depends on the state, so it needs both allocators; the last
 * operation may be the one that aborts, and is drawn but not applied.
 */
unsigned int episode_draw(const struct episode *e, struct op *ops,
			  unsigned int nr)
{
	struct world *w = malloc(sizeof(*w));
	struct mood mood = { 0 };
	unsigned int i;
	struct rng r;

	CHECK(w != NULL);
	CHECK_EQ(world_create(w, e->kernel, e->seed, e->large), 0);
	rng_init(&r, e->seed, "ops", 0);
	for (i = 0; i < nr; i++) {
		mood_update(&mood, w, e->seed, i);
		ops[i] = op_random(&r, w, &mood);
		if (i + 1 < nr && !op_apply(w, &ops[i]))
			break;
	}
	world_destroy(w);
	free(w);
	return i;
}

/* ops without [from, from + len) */
static unsigned int cut(const struct op *ops, unsigned int nr,
			unsigned int from, unsigned int len, struct op *out)
{
	unsigned int rest = nr - from - len;

	memcpy(out, ops, from * sizeof(*ops));
	memcpy(out + from, ops + from + len, rest * sizeof(*ops));
	return nr - len;
}

struct outcome episode_shrink(const struct episode *e, struct op *ops,
			      unsigned int *nr, uint64_t budget)
{
	struct op *trial = malloc((*nr + 1) * sizeof(*trial));
	struct outcome o = episode_replay(e, ops, *nr, NULL), last = o;
	unsigned int len;

	CHECK(trial != NULL);
	if (o.failed && o.op < *nr)
		*nr = o.op + 1;
	for (len = *nr / 2; o.failed && len > 0; len /= 2) {
		unsigned int from = 0;

		while (from + len <= *nr && budget > *nr) {
			unsigned int n = cut(ops, *nr, from, len, trial);

			budget -= n;
			o = episode_replay(e, trial, n, NULL);
			if (!o.failed) {
				from += len;
				continue;
			}
			last = o;
			*nr = o.op < n ? o.op + 1 : n;
			memcpy(ops, trial, *nr * sizeof(*ops));
		}
		o = last;
	}
	free(trial);
	return last;
}
