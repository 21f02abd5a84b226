/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gnuplot: scripts, and the program as a child process. No text reaches a
 * shell: names of files are made by figure_file_name() and start with "./",
 * all other text is quoted, and gnuplot is run by exec in the folder.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/figure_internal.h"

#define MAX_TEXT ((size_t)1 << 20)

/* Single quotes keep everything but themselves. */
static void put_quoted(FILE *out, const char *text)
{
	fputc('\'', out);
	for (; *text; text++) {
		if (*text == '\'')
			fputc('\'', out);
		fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
	}
	fputc('\'', out);
}

static void put_terminal(struct script *s)
{
	switch (s->f->terminal) {
	case FIGURE_DUMB:
		fprintf(s->out, "set terminal dumb size %d,%d\n",
			FIGURE_TEXT_COLUMNS, FIGURE_TEXT_LINES);
		fputs("text = 1\n", s->out);
		return;
	case FIGURE_SVG:
		fputs("set terminal svg size 760,440 font 'sans,13' "
		      "background 'white'\n", s->out);
		break;
	case FIGURE_PNG:
		fputs("set terminal pngcairo size 1140,660 font 'sans,15' "
		      "background 'white'\n", s->out);
		break;
	}
	fprintf(s->out, "set output './%s.%s'\ntext = 0\n", s->name,
		figure_terminal_names[s->f->terminal]);
}

int script_begin(struct script *s, struct figure *f, const char *name)
{
	*s = (struct script){ .f = f, .name = name };
	snprintf(s->path, sizeof(s->path), "%.3900s/%s.gp", f->dir, name);
	s->out = fopen(s->path, "we");
	if (!s->out) {
		const int err = errno;

		fprintf(f->messages, "error: %s: cannot be written: %s\n",
			s->path, strerror(err));
		return -err;
	}
	fputs("set encoding utf8\n", s->out);
	put_terminal(s);
	/* An underscore in a name is an underscore. */
	fputs("set termoption noenhanced\n"
	      "set datafile separator ','\n", s->out);
	return 0;
}

void script_text(struct script *s, const char *name, const char *text)
{
	fprintf(s->out, "%s = ", name);
	put_quoted(s->out, text);
	fputc('\n', s->out);
}

/* Double quotes read \n, and more that a name should not do. */
void script_label(struct script *s, const char *text, bool raised)
{
	fputc('"', s->out);
	for (; *text; text++)
		if (*text == '\n')
			fputs("\\n", s->out);
		else
			fputc(strchr("\"\\`", *text) ? '_' : *text, s->out);
	fputs(raised ? "\\n\"" : "\"", s->out);
}

void script_heading(struct script *s, const char *text)
{
	fputs("heading = ", s->out);
	script_label(s, text, false);
	fputc('\n', s->out);
}

void script_number(struct script *s, const char *name, double value)
{
	fprintf(s->out, "%s = %.9g\n", name, value);
}

static bool phase_is_narrow(const struct result_cell *c,
			    const struct result_phase *p)
{
	/* Columns of 60 that the phase takes. */
	const double share = c->virtual_ns ? (double)(p->end - p->start) *
			     60.0 / (double)c->virtual_ns : 0;

	return share < (double)strlen(p->name) + 2.0;
}

/* Names in two rows where one would run together. */
static void put_phase_names(struct script *s, const struct result_cell *c)
{
	bool narrow = false;

	for (size_t i = 0; i < c->nr_phases; i++)
		narrow |= phase_is_narrow(c, &c->phases[i]);
	fputs("set x2tics (", s->out);
	for (size_t i = 0; i < c->nr_phases; i++) {
		const struct result_phase *p = &c->phases[i];

		if (i)
			fputs(", ", s->out);
		script_label(s, p->name, narrow && i % 2 == 0);
		fprintf(s->out, " %.9g",
			((double)p->start + (double)p->end) / 2e9);
	}
	fputs(") scale 0\n", s->out);
}

void script_phases(struct script *s, const struct result_cell *c)
{
	if (!c->nr_phases)
		return;
	if (s->f->terminal != FIGURE_DUMB)
		put_phase_names(s, c);
	for (size_t i = 1; i < c->nr_phases; i++)
		fprintf(s->out, "set arrow from %.9g, graph 0 to %.9g, graph "
			"1 nohead dashtype 3 linecolor rgb 'gray40' back\n",
			(double)c->phases[i].start / 1e9,
			(double)c->phases[i].start / 1e9);
}

const char *plot_text(const char *name)
{
	for (size_t i = 0; plot_scripts[i].name; i++)
		if (!strcmp(plot_scripts[i].name, name))
			return plot_scripts[i].text;
	return NULL;
}

static int show_text(struct figure *f, const char *script)
{
	char *text = NULL;
	size_t len = 0;
	int err = gnuplot_run(f->dir, script, &text, &len);

	if (!err) {
		figure_clean_text(text, len, f->out);
		fputc('\n', f->out);
	}
	free(text);
	return err;
}

int script_run(struct script *s, const char *plot)
{
	const char *text = plot_text(plot);
	char file[FIGURE_NAME_SIZE + 8];
	int err;

	fputs(text ? text : "", s->out);
	if (fclose(s->out)) {
		fprintf(s->f->messages, "error: %s: cannot be written: %s\n",
			s->path, strerror(errno));
		return -EIO;
	}
	snprintf(file, sizeof(file), "%s.gp", s->name);
	if (s->f->terminal == FIGURE_DUMB)
		return show_text(s->f, file);
	err = gnuplot_run(s->f->dir, file, NULL, NULL);
	if (!err)
		fprintf(s->f->out, "%s/%s.%s\n", s->f->dir, s->name,
			figure_terminal_names[s->f->terminal]);
	return err;
}

/* ---- the program ---- */

/* In the child: never returns. errno goes to fd if there is no gnuplot. */
__attribute__((noreturn))
static void run_child(const char *dir, const char *script, int out, int fd)
{
	char program[] = "gnuplot", defaults[] = "-d", path[256];
	char *argv[] = { program, defaults, path, NULL };
	ssize_t n;
	int err;

	snprintf(path, sizeof(path), "./%s", script);
	if (chdir(dir) || (out >= 0 && dup2(out, STDOUT_FILENO) < 0))
		_exit(126);
	/* Numbers and dates look the same everywhere. */
	setenv("LC_ALL", "C.UTF-8", 1);
	execvp(argv[0], argv);
	err = errno;
	n = write(fd, &err, sizeof(err));
	_exit(n == sizeof(err) ? 127 : 126);
}

static int read_all(int fd, char **text, size_t *len)
{
	char *buf = malloc(MAX_TEXT);
	ssize_t n = 1;

	*len = 0;
	while (buf && n > 0 && *len < MAX_TEXT) {
		n = read(fd, buf + *len, MAX_TEXT - *len);
		if (n > 0)
			*len += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	*text = buf;
	return buf ? 0 : -ENOMEM;
}

static int wait_child(pid_t pid, int fd)
{
	int status, err = 0;
	ssize_t n = read(fd, &err, sizeof(err));

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (n == (ssize_t)sizeof(err))
		return -err;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

static void close_pipe(int fds[2])
{
	if (fds[0] >= 0)
		close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
}

int gnuplot_run(const char *dir, const char *script, char **text, size_t *len)
{
	int out[2] = { -1, -1 }, failed[2] = { -1, -1 };
	int err = 0;
	pid_t pid = -1;

	if (pipe2(failed, O_CLOEXEC) || (text && pipe2(out, O_CLOEXEC)))
		err = -errno;
	if (!err) {
		pid = fork();
		err = pid < 0 ? -errno : 0;
	}
	if (!pid)
		run_child(dir, script, out[1], failed[1]);
	if (!err) {
		close(failed[1]);
		failed[1] = -1;
		if (text) {
			close(out[1]);
			out[1] = -1;
			err = read_all(out[0], text, len);
		}
	}
	if (pid > 0) {
		const int status = wait_child(pid, failed[0]);

		err = err ? err : status;
	}
	close_pipe(out);
	close_pipe(failed);
	return err;
}
