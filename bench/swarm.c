/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A campaign: cells in order until there are enough, the time is over, or a
 * signal comes; then the first cell of each kind of failure is made smaller.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/swarm.h"

/* A cell that does not end is expensive to run. */
#define LATE_RUNS 20

struct campaign {
	const struct swarm_campaign *c;
	struct swarm_summary *out;
	struct swarm_pool *pool;
	double began_s;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Failures are kept by cell, the lowest if there are too many. */
static void keep_failure(struct swarm_summary *s, uint64_t cell,
			 const struct swarm_outcome *o)
{
	unsigned int i = s->nr_failures;

	if (i == SWARM_MAX_FAILURES) {
		if (s->failures[i - 1].cell < cell)
			return;
		i--;
	} else {
		s->nr_failures++;
	}
	for (; i && s->failures[i - 1].cell > cell; i--)
		s->failures[i] = s->failures[i - 1];
	s->failures[i] = (struct swarm_failure){ .cell = cell };
	memcpy(s->failures[i].why, o->why, sizeof(o->why));
}

static void cell_over(struct campaign *m, uint64_t cell,
		      const struct swarm_outcome *o)
{
	m->out->cells++;
	m->out->verdicts[o->verdict]++;
	m->out->alloc_calls += o->alloc_calls;
	m->out->host_events += o->host_events;
	m->out->engine_events += o->engine_events;
	if (o->verdict == SWARM_VIOLATION)
		keep_failure(m->out, cell, o);
	if (m->c->cell_over)
		m->c->cell_over(m->c->ctx, cell, o);
}

static bool goes_on(const struct campaign *m, uint64_t next)
{
	if (next - m->c->first >= m->c->nr || m->out->interrupted)
		return false;
	return m->c->budget_s <= 0 ||
	       now_s() - m->began_s < m->c->budget_s;
}

static int run_cells_of(struct campaign *m)
{
	uint64_t next = m->c->first, cell;
	struct swarm_outcome o;
	int err;

	for (;;) {
		while (goes_on(m, next) && !swarm_pool_full(m->pool)) {
			err = swarm_pool_start(m->pool, next++, m->c->text);
			if (err)
				return err;
		}
		if (swarm_pool_idle(m->pool))
			return 0;
		err = swarm_pool_wait(m->pool, &cell, &o);
		if (err == -EINTR) {
			/* Those that are under way end with the pool. */
			m->out->interrupted = true;
			return 0;
		}
		if (err)
			return err;
		cell_over(m, cell, &o);
	}
}

static void find_likes(struct swarm_summary *s)
{
	unsigned int i, k;

	for (i = 0; i < s->nr_failures; i++)
		for (k = 0; k < i && !s->failures[i].like; k++)
			if (!s->failures[k].like &&
			    swarm_same_failure(s->failures[i].why,
					       s->failures[k].why))
				s->failures[i].like = &s->failures[k];
}

static int write_small(const struct campaign *m, struct swarm_failure *f,
		       const char *text, char *why, size_t size)
{
	const struct swarm_scripts *scripts = m->c->o->scripts;
	char path[STORE_PATH_SIZE];
	struct store_file file;
	int err;

	snprintf(path, sizeof(path), "%.3800s/seed-%llu-cell-%llu.%s",
		 m->c->dir, (unsigned long long)m->c->o->seed,
		 (unsigned long long)f->cell, scripts ? scripts->name : "ini");
	err = store_make_folders(m->c->dir, why, size);
	if (!err)
		err = store_create(&file, path, why, size);
	if (err)
		return err;
	fprintf(file.out, "# Cell %llu of swarm %llu: %s\n",
		(unsigned long long)f->cell,
		(unsigned long long)m->c->o->seed, f->why);
	fputs(text, file.out);
	err = store_commit(&file, why, size);
	if (!err)
		memcpy(f->path, path, sizeof(path));
	return err;
}

/* The text that is left, to be freed; NULL only with an error. */
static int shrink_cell(struct campaign *m, struct swarm_failure *f,
		       unsigned int runs, char **text)
{
	struct swarm_text *t = malloc(sizeof(*t));
	int err = -ENOMEM;

	*text = malloc(SWARM_MAX_LINES * SWARM_LINE_SIZE);
	if (t && *text) {
		swarm_draw(m->c->o, f->cell, t);
		err = swarm_shrink(m->pool, m->c->o, t, f->why, runs,
				   &f->shrunk);
		if (!swarm_text_print(t, *text,
				      SWARM_MAX_LINES * SWARM_LINE_SIZE))
			err = -E2BIG;
	}
	free(t);
	return err;
}

static int shrink_one(struct campaign *m, struct swarm_failure *f, char *why,
		      size_t size)
{
	const bool late = strstr(f->why, "time limit");
	unsigned int runs = m->c->shrink_runs;
	char *text = NULL;
	int err;

	if (late && runs > LATE_RUNS)
		runs = LATE_RUNS;
	if (m->c->o->scripts)
		err = swarm_script_shrink(m->pool, f->cell, f->why, runs,
					  &text, &f->shrunk);
	else
		err = shrink_cell(m, f, runs, &text);
	if (err == -EINTR)
		m->out->interrupted = true;
	if (text && (!err || err == -EINTR)) {
		err = write_small(m, f, text, why, size);
		if (!err && m->c->shrinking)
			m->c->shrinking(m->c->ctx, f);
	}
	free(text);
	return err == -EINTR ? 0 : err;
}

static int shrink_all(struct campaign *m, char *why, size_t size)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < m->out->nr_failures && !err; i++)
		if (!m->out->failures[i].like && !m->out->interrupted)
			err = shrink_one(m, &m->out->failures[i], why, size);
	return err;
}

int swarm_campaign_run(const struct swarm_campaign *c,
		       struct swarm_summary *out, char *why, size_t why_size)
{
	struct campaign m = { .c = c, .out = out, .began_s = now_s() };
	int err;

	memset(out, 0, sizeof(*out));
	snprintf(why, why_size, "out of memory or processes");
	m.pool = swarm_pool_create(c->o, c->jobs);
	if (!m.pool)
		return -ENOMEM;
	err = run_cells_of(&m);
	out->wall_s = now_s() - m.began_s;
	find_likes(out);
	if (!err && c->dir && !out->interrupted)
		err = shrink_all(&m, why, why_size);
	swarm_pool_destroy(m.pool);
	return err;
}
