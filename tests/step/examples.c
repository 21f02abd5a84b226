/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading, expanding and comparing worked examples (examples.h). */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/profile.h"
#include "include/check.h"
#include "replay/step.h"
#include "tests/step/examples.h"

static void *grow(void *array, size_t nr, size_t *max, size_t size)
{
	if (nr < *max)
		return array;
	*max = *max ? *max * 2 : 16;
	array = realloc(array, *max * size);
	CHECK(array != NULL);
	return array;
}

static char *copy(const char *text)
{
	char *c = strdup(text);

	CHECK(c != NULL);
	return c;
}

static bool complain(const char *path, unsigned int line, const char *what,
		     const char *text)
{
	fprintf(stderr, "%s:%u: error: %s: %s\n", path, line, what, text);
	return false;
}

/* ---- reading ---- */

static struct example *add_example(struct example_set *set, const char *path,
				   unsigned int number, char *text)
{
	char *colon = strchr(text, ':');
	struct example *ex;

	if (!colon)
		return NULL;
	*colon++ = '\0';
	colon += strspn(colon, " ");
	set->examples = grow(set->examples, set->nr, &set->max,
			     sizeof(*set->examples));
	ex = &set->examples[set->nr++];
	*ex = (struct example){
		.path = path, .name = copy(text), .title = copy(colon),
		.number = number,
	};
	return ex;
}

static bool add_kernel(struct example *ex, const char *name)
{
	const struct alloc_profile *p = alloc_profile_find(name);
	size_t nr = 0;

	while (ex->kernels[nr])
		nr++;
	if (!p || nr == EXAMPLE_MAX_KERNELS)
		return false;
	ex->kernels[nr] = p->name;
	return true;
}

static bool parse_kernels(struct example *ex, char *text)
{
	const char *const *names = alloc_profile_names();
	char *save, *word;

	for (word = strtok_r(text, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		size_t i;

		if (strcmp(word, "all") != 0) {
			if (!add_kernel(ex, word))
				return false;
			continue;
		}
		for (i = 0; names[i]; i++)
			if (strcmp(names[i], "5.10") != 0 &&
			    !add_kernel(ex, names[i]))
				return false;
	}
	return ex->kernels[0] != NULL;
}

static void add_line(struct example *ex, const char *text, unsigned int number)
{
	ex->lines = grow(ex->lines, ex->nr_lines, &ex->max_lines,
			 sizeof(*ex->lines));
	ex->lines[ex->nr_lines++] = (struct example_line){
		.text = copy(text), .number = number,
	};
}

static bool read_line(struct example_set *set, struct example **ex,
		      const char *path, unsigned int number, char *text)
{
	text[strcspn(text, "\n")] = '\0';
	if (text[0] == '#' || text[0] == '\0')
		return true;
	if (strncmp(text, "case ", 5) == 0) {
		if (*ex && !(*ex)->kernels[0])
			return complain(path, number, "case without kernels",
					(*ex)->name);
		*ex = add_example(set, path, number, text + 5);
		return *ex || complain(path, number, "no title", text);
	}
	if (!*ex)
		return complain(path, number, "line before a case", text);
	if (strncmp(text, "kernels ", 8) == 0)
		return parse_kernels(*ex, text + 8) ||
		       complain(path, number, "unknown kernel in", text + 8);
	add_line(*ex, text, number);
	return true;
}

bool example_set_read(struct example_set *set, const char *path)
{
	FILE *in = fopen(path, "r");
	struct example *ex = NULL;
	unsigned int number = 0;
	char *line = NULL;
	size_t size = 0;
	bool good = true;

	if (!in)
		return complain(path, 0, "cannot be opened", path);
	set->paths = realloc(set->paths,
			     (set->nr_paths + 1) * sizeof(*set->paths));
	CHECK(set->paths != NULL);
	set->paths[set->nr_paths++] = copy(path);
	while (good && getline(&line, &size, in) >= 0)
		good = read_line(set, &ex, set->paths[set->nr_paths - 1],
				 ++number, line);
	free(line);
	fclose(in);
	return good;
}

void example_set_destroy(struct example_set *set)
{
	size_t i, j;

	for (i = 0; i < set->nr; i++) {
		struct example *ex = &set->examples[i];

		for (j = 0; j < ex->nr_lines; j++)
			free(ex->lines[j].text);
		free(ex->lines);
		free(ex->name);
		free(ex->title);
	}
	for (i = 0; i < set->nr_paths; i++)
		free(set->paths[i]);
	free(set->paths);
	free(set->examples);
	*set = (struct example_set){ .nr = 0 };
}

/* ---- expanding ---- */

/* Does `[GLOB,GLOB] rest` hold for the kernel? *text moves to the rest. */
static bool condition_holds(const char **text, const char *kernel)
{
	const char *end = strchr(*text, ']');
	char list[128], *save, *glob;
	bool holds = false;

	if ((*text)[0] != '[')
		return true;
	CHECK(end != NULL);
	snprintf(list, sizeof(list), "%.*s", (int)(end - *text - 1),
		 *text + 1);
	for (glob = strtok_r(list, ",", &save); glob;
	     glob = strtok_r(NULL, ",", &save))
		holds |= fnmatch(glob, kernel, 0) == 0;
	*text = end + 1 + strspn(end + 1, " ");
	return holds;
}

struct range {
	unsigned int first, last, step;
};

/* `for A..B/STEP: rest`; one round of 0 for lines without it. */
static bool parse_range(const char **text, struct range *r)
{
	int used = 0;

	*r = (struct range){ 0, 0, 1 };
	if (strncmp(*text, "for ", 4) != 0)
		return true;
	if (sscanf(*text, "for %u..%u/%u: %n", &r->first, &r->last, &r->step,
		   &used) != 3 || used == 0) {
		r->step = 1;
		used = 0;
		if (sscanf(*text, "for %u..%u: %n", &r->first, &r->last,
			   &used) != 2 || used == 0)
			return false;
	}
	*text += used;
	return r->step > 0 && r->first <= r->last;
}

/* `text` with each $ replaced. */
static char *expand(const char *text, unsigned int value)
{
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);

	CHECK(f != NULL);
	for (; *text; text++) {
		if (*text == '$')
			fprintf(f, "%u", value);
		else
			fputc(*text, f);
	}
	fclose(f);
	return out;
}

static void add_expected(struct example_run *run, char *text,
			 unsigned int number)
{
	run->expected = grow(run->expected, run->nr_expected,
			     &run->max_expected, sizeof(*run->expected));
	run->expected[run->nr_expected++] = (struct example_line){
		.text = text, .number = number,
	};
}

static bool prepare_line(const struct example *ex,
			 const struct example_line *l, const char *kernel,
			 struct example_run *run, FILE *script)
{
	const char *text = l->text;
	struct range r;
	unsigned int i;

	if (!condition_holds(&text, kernel))
		return true;
	if (!parse_range(&text, &r))
		return complain(ex->path, l->number, "bad range", l->text);
	for (i = r.first; i <= r.last; i += r.step) {
		char *line = expand(text, i);

		if (strncmp(line, "-> ", 3) == 0) {
			memmove(line, line + 3, strlen(line + 3) + 1);
			add_expected(run, line, l->number);
			continue;
		}
		fprintf(script, "%s\n", line);
		free(line);
	}
	return true;
}

bool example_prepare(const struct example *ex, const char *kernel,
		     struct example_run *run)
{
	FILE *script;
	bool good = true;
	size_t i;

	*run = (struct example_run){ .script = NULL };
	script = open_memstream(&run->script, &run->script_size);
	CHECK(script != NULL);
	fprintf(script, "kernel %s\n", kernel);
	for (i = 0; i < ex->nr_lines && good; i++)
		good = prepare_line(ex, &ex->lines[i], kernel, run, script);
	fclose(script);
	return good;
}

void example_run_destroy(struct example_run *run)
{
	size_t i;

	for (i = 0; i < run->nr_expected; i++)
		free(run->expected[i].text);
	free(run->expected);
	free(run->script);
	*run = (struct example_run){ .script = NULL };
}

/* ---- comparing ---- */

/* Next line of *at, NUL-terminated in place; NULL at the end. */
static char *next_output(char **at)
{
	char *line = *at, *nl;

	if (!*line)
		return NULL;
	nl = strchr(line, '\n');
	if (nl)
		*nl = '\0';
	*at = nl ? nl + 1 : line + strlen(line);
	return line;
}

#define SHOWN_BEFORE 5

/*
 * Compare line by line; the first difference is printed below the lines that
 * still agreed.
 */
static bool compare(const struct example *ex, const char *kernel,
		    const struct example_run *run, char *output)
{
	size_t i, j;
	char *got;

	for (i = 0; ; i++) {
		const struct example_line *e = i < run->nr_expected ?
					       &run->expected[i] : NULL;

		got = next_output(&output);
		if (!e && !got)
			return true;
		if (e && got && strcmp(e->text, got) == 0)
			continue;
		fprintf(stderr, "%s:%u: %s on %s: output differs\n", ex->path,
			e ? e->number : ex->number, ex->name, kernel);
		for (j = i > SHOWN_BEFORE ? i - SHOWN_BEFORE : 0; j < i; j++)
			fprintf(stderr, "  %s\n", run->expected[j].text);
		fprintf(stderr, "- %s\n+ %s\n", e ? e->text : "(nothing)",
			got ? got : "(nothing)");
		return false;
	}
}

bool example_check(const struct example *ex, const char *kernel)
{
	struct diag d = { .out = stderr };
	struct example_run run;
	char *output = NULL;
	size_t size = 0;
	FILE *in, *out;
	bool good = example_prepare(ex, kernel, &run);

	if (good) {
		in = fmemopen(run.script, run.script_size, "r");
		out = open_memstream(&output, &size);
		CHECK(in != NULL);
		CHECK(out != NULL);
		if (step_run(in, ex->name, out, &d) != 0)
			good = complain(ex->path, ex->number,
					"the script failed", ex->name);
		fclose(in);
		fclose(out);
		good = compare(ex, kernel, &run, output) && good;
		free(output);
	}
	example_run_destroy(&run);
	return good;
}
