/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One claim after another. */
#include "bench/reproduce/reproduce.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/store.h"

#define MAX_CLAIMS 256

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int read_names(DIR *dir, struct arena *a, const char **names)
{
	const struct dirent *e;
	size_t nr = 0, len;
	int err;

	for (errno = 0; (e = readdir(dir)) && nr < MAX_CLAIMS; errno = 0) {
		len = strlen(e->d_name);
		if (len <= 4 || strcmp(e->d_name + len - 4, ".ini") ||
		    e->d_name[0] == '.')
			continue;
		names[nr] = arena_strndup(a, e->d_name, len - 4);
		if (!names[nr++])
			return -ENOMEM;
	}
	err = -errno;
	qsort(names, nr, sizeof(*names), by_name);
	return err;
}

int reproduce_list(const char *data, struct arena *a, const char ***names,
		   struct diag *d)
{
	const char *path = arena_printf(a, "%s/predictions", data);
	DIR *dir;
	int err;

	*names = arena_array(a, MAX_CLAIMS + 1, sizeof(**names));
	if (!path || !*names)
		return -ENOMEM;
	dir = opendir(path);
	err = dir ? read_names(dir, a, *names) : -errno;
	if (dir)
		closedir(dir);
	if (!err)
		return 0;
	diag_error(d, (struct diag_place){ .file = path },
		   "cannot be read: %s; --data names the folder that holds "
		   "predictions/ and published/ (bench in a source tree)",
		   strerror(-err));
	return err == -ENOMEM ? err : -ENOENT;
}

static int write_csv(const struct score *s, const char *dir, size_t *nr,
		     FILE *messages)
{
	char path[STORE_PATH_SIZE], why[4400] = "";
	struct store_file f;
	int err;

	snprintf(path, sizeof(path), "%.3000s/%.200s/figure.csv", dir,
		 s->prediction->claim->name);
	err = store_create(&f, path, why, sizeof(why));
	if (!err) {
		*nr = score_print_csv(s, f.out);
		err = store_commit(&f, why, sizeof(why));
	}
	if (err)
		fprintf(messages, "error: %s\n", why);
	return err ? -EIO : 0;
}

/* The numbers of the figure, and the figure itself if it is asked for. */
static int write_figure(const struct reproduce_request *req,
			const struct score *s)
{
	const struct claim *c = s->prediction->claim;
	struct figure_of_data d = {
		.name = "figure", .plot = "reproduce", .heading = c->title,
		.across = score_unit(s), .terminal = req->terminal,
		.backend = req->backend,
	};
	char dir[STORE_PATH_SIZE];
	int err = write_csv(s, req->predict.dir, &d.nr, req->predict.messages);

	if (err || req->terminal == FIGURE_DUMB || !d.nr)
		return err;
	snprintf(dir, sizeof(dir), "%.3000s/%.200s", req->predict.dir, c->name);
	d.dir = dir;
	err = figure_draw_data(&d, req->predict.messages,
			       req->predict.messages);
	return err ? -EIO : 0;
}

static int run_claim(const struct reproduce_request *req, const char *name,
		     FILE *out, size_t *misses, struct diag *d)
{
	struct published published = { 0 };
	struct prediction prediction;
	struct claim claim;
	struct score s;
	int err = claim_read(&claim, req->data, name, d);

	/* All that is predicted is known before anything published is read. */
	if (!err)
		err = predict(&claim, &req->predict, &prediction, d);
	if (!err)
		err = published_read(&published, req->data, name, d);
	if (!err)
		err = score(&prediction, &published, &s, d);
	if (!err)
		err = score_print(&s, req->format, out);
	if (!err && claim.experiment)
		err = write_figure(req, &s);
	if (!err)
		*misses += s.nr_misses;
	published_free(&published);
	claim_free(&claim);
	return err;
}

int reproduce_run(const struct reproduce_request *req, FILE *out,
		  size_t *misses, struct diag *d)
{
	const bool json = req->format == REPRODUCE_JSON;
	const bool one_table = req->format == REPRODUCE_SUMMARY;
	int err = 0;

	*misses = 0;
	if (json)
		fputs("[\n", out);
	if (one_table)
		score_print_summary_head(out);
	for (size_t i = 0; req->names[i] && !err; i++) {
		if (i && !one_table)
			fputs(json ? ",\n" : "\n", out);
		err = run_claim(req, req->names[i], out, misses, d);
		fflush(out);
	}
	if (json)
		fputs("\n]\n", out);
	return err;
}
