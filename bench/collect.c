/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From dir/cells/ID.json to dir/cells.jsonl, in plan order. To read a result and
 * to write it again under the names of this experiment takes a millisecond, so
 * of a large sweep worker processes read: of n workers number k has the cells k,
 * k + n, k + 2n and so on, and writes them to a pipe. This process takes one
 * from each in turn; pipes hold few, so nobody runs far ahead.
 */
#define _GNU_SOURCE
#include "bench/collect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/cell_json.h"
#include "bench/store.h"
#include "include/guard.h"

/* Below this, to start a worker takes longer than what it reads. */
#define CELLS_PER_WORKER 32
#define MAX_WORKERS 12

/* What a worker says of a cell; `size` bytes of text follow, newline included. */
struct answer {
	size_t size;             /* 0: none */
	int err;                 /* it is there and cannot be read */
};

struct worker {
	pid_t pid;
	FILE *in;                /* NULL: it was lost, and waited for */
};

struct collector {
	const struct experiment *e;
	const char *dir;
	FILE *out;
	size_t *missing;
	char *why;
	size_t why_size;
	struct worker workers[MAX_WORKERS];
	size_t nr_workers;       /* 0: this process reads */
	char *text;              /* of a cell from a pipe */
	size_t room;
};

static int fail(struct collector *c, const char *path, const char *doing,
		int err)
{
	snprintf(c->why, c->why_size, "%s: cannot %s: %s", path, doing,
		 strerror(-err));
	/* -EINTR is what those return who were asked to end. */
	return err == -EINTR ? -EIO : err;
}

/* The text of a cell, to be freed; NULL if there is none. */
static char *read_cell(const struct collector *c, size_t i, struct answer *a)
{
	const struct cell *cell = &c->e->cells[i];
	json_t *o;
	char *text = NULL;
	int err = cell_read(c->e, cell, c->dir, &o);

	if (!err) {
		text = cell_text(o);
		err = text ? 0 : -ENOMEM;
	}
	json_decref(o);
	*a = (struct answer){ .err = err == -ENOENT ? 0 : err };
	if (!text)
		return NULL;
	/* A line of a file ends; its zero is no longer asked for. */
	a->size = strlen(text) + 1;
	text[a->size - 1] = '\n';
	return text;
}

static int take_answer(struct collector *c, size_t i, const struct answer *a,
		       const char *text)
{
	char path[STORE_PATH_SIZE];

	store_cell_path(c->dir, c->e->cells[i].id, path, sizeof(path));
	if (a->err)
		return fail(c, path, "read", a->err);
	if (!a->size) {
		(*c->missing)++;
		return 0;
	}
	errno = 0;
	if (fwrite(text, 1, a->size, c->out) == a->size)
		return 0;
	store_list_path(c->dir, path, sizeof(path));
	return fail(c, path, "write", errno ? -errno : -EIO);
}

static int collect_alone(struct collector *c)
{
	int err = 0;

	for (size_t i = 0; i < c->e->nr_cells && !err; i++) {
		struct answer a;
		char *text = read_cell(c, i, &a);

		err = take_answer(c, i, &a, text);
		free(text);
	}
	return err;
}

/* ---- with workers ---- */

/* In a child; 0, or the errno of what went wrong. */
static int answer_all(const struct collector *c, size_t first, size_t step,
		      FILE *out)
{
	bool said = true;

	errno = 0;
	for (size_t i = first; i < c->e->nr_cells && said; i += step) {
		struct answer a;
		char *text = read_cell(c, i, &a);

		said = fwrite(&a, sizeof(a), 1, out) == 1 &&
		       fwrite(text ? text : "", 1, a.size, out) == a.size;
		free(text);
	}
	return !fflush(out) && said ? 0 : errno ? errno : EIO;
}

static bool start_worker(struct collector *c, size_t k, size_t of)
{
	struct worker *w = &c->workers[k];
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return false;
	w->in = fdopen(fds[0], "r");
	w->pid = w->in ? guard_fork() : -1;
	if (!w->pid) {
		FILE *out = fdopen(fds[1], "w");

		/* The others' ends too: who is gone must look gone. */
		for (size_t i = 0; i <= k; i++)
			close(fileno(c->workers[i].in));
		_exit(out ? answer_all(c, k, of, out) : ENOMEM);
	}
	close(fds[1]);
	if (w->pid > 0)
		return true;
	if (w->in)
		fclose(w->in);
	else
		close(fds[0]);
	return false;
}

/* Those that have more to say end by SIGPIPE. */
static void end_workers(struct collector *c)
{
	int status;

	for (size_t k = 0; k < c->nr_workers; k++)
		if (c->workers[k].in)
			fclose(c->workers[k].in);
	for (size_t k = 0; k < c->nr_workers; k++)
		if (c->workers[k].pid)
			guard_wait(c->workers[k].pid, &status);
	c->nr_workers = 0;
	free(c->text);
}

/* All, or none: which cells are whose depends on how many there are. */
static void start_workers(struct collector *c, unsigned int jobs)
{
	size_t nr = c->e->nr_cells / CELLS_PER_WORKER;

	if (nr > jobs)
		nr = jobs;
	if (nr > MAX_WORKERS)
		nr = MAX_WORKERS;
	/* What is in a buffer would be written by each of them. */
	if (nr < 2 || fflush(c->out))
		return;
	while (c->nr_workers < nr && start_worker(c, c->nr_workers, nr))
		c->nr_workers++;
	if (c->nr_workers < nr)
		end_workers(c);
}

static int make_room(struct collector *c, size_t size)
{
	char *text;

	if (size <= c->room)
		return 0;
	text = realloc(c->text, size);
	if (!text)
		return -ENOMEM;
	c->text = text;
	c->room = size;
	return 0;
}

/*
 * Nothing more comes from it: the pipe cannot be read, or it has ended, which
 * says why by its exit status. A living one ends by SIGPIPE.
 */
static int worker_lost(struct collector *c, struct worker *w)
{
	int status = 0, err = ferror(w->in) ? -errno : 0;

	fclose(w->in);
	guard_wait(w->pid, &status);
	*w = (struct worker){ 0 };
	if (!err)
		err = WIFEXITED(status) ? -WEXITSTATUS(status) : 0;
	return fail(c, c->dir, "collect: a process that reads results has "
		    "failed", err ? err : -EIO);
}

static int collect_from_workers(struct collector *c)
{
	int err = 0;

	for (size_t i = 0; i < c->e->nr_cells && !err; i++) {
		struct worker *w = &c->workers[i % c->nr_workers];
		struct answer a;

		if (fread(&a, sizeof(a), 1, w->in) != 1)
			return worker_lost(c, w);
		err = make_room(c, a.size);
		if (err)
			return fail(c, c->dir, "collect", err);
		if (fread(c->text, 1, a.size, w->in) != a.size)
			return worker_lost(c, w);
		err = take_answer(c, i, &a, c->text);
	}
	return err;
}

int collect_cells(const struct experiment *e, const char *dir,
		  unsigned int jobs, size_t *missing, char *why,
		  size_t why_size)
{
	struct collector c = { .e = e, .dir = dir, .missing = missing,
			       .why = why, .why_size = why_size };
	char path[STORE_PATH_SIZE];
	struct store_file f;
	int err;

	*missing = 0;
	store_list_path(dir, path, sizeof(path));
	err = store_create_own(&f, path, why, why_size);
	if (err)
		return err;
	c.out = f.out;
	start_workers(&c, jobs);
	if (c.nr_workers) {
		err = collect_from_workers(&c);
		end_workers(&c);
	} else {
		err = collect_alone(&c);
	}
	if (!err)
		return store_commit(&f, why, why_size);
	store_discard(&f);
	return err;
}
