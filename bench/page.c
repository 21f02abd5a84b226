/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page of tables in each format. For a mail the lines are ASCII, at most 75
 * columns long, and the commands that repeat the numbers stand at the end.
 */
#include <errno.h>
#include <string.h>

#include "bench/grid.h"

static void print_intro(const struct page *p, bool ascii, FILE *out)
{
	print_wrapped(p->title, 0, COVER_COLUMNS, ascii, out);
	for (size_t i = 0; i < PAGE_MAX_LINES; i++)
		if (p->intro[i] && *p->intro[i])
			print_wrapped(p->intro[i], 0, COVER_COLUMNS, ascii,
				      out);
	if (p->warning)
		print_wrapped(p->warning, 0, COVER_COLUMNS, ascii, out);
}

static int print_tables(const struct page *p, size_t columns, FILE *out)
{
	int err = 0;

	for (size_t i = 0; i < p->nr_tables && !err; i++) {
		const struct grid *g = &p->tables[i];

		fputc('\n', out);
		print_wrapped(g->title, 0, COVER_COLUMNS, columns, out);
		if (g->note)
			print_wrapped(g->note, 0, COVER_COLUMNS, columns, out);
		fputc('\n', out);
		err = grid_print_text(g, columns, out);
	}
	return err;
}

static int print_table(const struct page *p, FILE *out)
{
	print_intro(p, false, out);
	return print_tables(p, 0, out);
}

static bool is_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

/* Bytes of a shell's word: up to a blank that is in no quotes. */
static size_t word_length(const char *text)
{
	bool quoted = false;
	size_t i;

	for (i = 0; text[i] && (quoted || text[i] != ' '); i++)
		if (text[i] == '\\' && !quoted && text[i + 1])
			i++;
		else if (text[i] == '\'')
			quoted = !quoted;
	return i;
}

/*
 * A quoted word in parts that a mail can hold, which the shell joins again. The
 * column behind it.
 */
static size_t print_long_word(const char *text, size_t len, size_t at,
			      FILE *out)
{
	bool quoted = false;
	size_t n;

	fputc(' ', out);
	at++;
	for (size_t i = 0; i < len; i += n, at += n) {
		n = text[i] == '\\' && !quoted && i + 1 < len ? 2 : 1;
		if (at + n + 2 > COVER_COLUMNS) {
			fputs(quoted ? "'\\\n'" : "\\\n", out);
			at = quoted;
		}
		if (text[i] == '\'')
			quoted = !quoted;
		fwrite(text + i, 1, n, out);
	}
	return at;
}

/*
 * A command is broken with a backslash before the break, so that it can be
 * pasted: between words where that will do. A plain word that a mail cannot
 * hold is a path of this machine, and is replaced.
 */
static void print_command(const char *text, FILE *out)
{
	size_t at = 2, len;

	fputs(" ", out);
	while (*text) {
		len = word_length(text);
		if (at + len + 2 > COVER_COLUMNS && at > 6) {
			fputs(" \\\n     ", out);
			at = 6;
		}
		if (!is_plain(text, len) ||
		    (at + len + 2 > COVER_COLUMNS && *text != '\''))
			fputs(" PATH", out);
		else if (at + len + 2 > COVER_COLUMNS)
			at = print_long_word(text, len, at, out) - len - 1;
		else
			fprintf(out, " %.*s", (int)len, text);
		at += len + 1;
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static int print_cover(const struct page *p, FILE *out)
{
	int err;

	print_intro(p, true, out);
	err = p->body ? p->body(p->body_ctx, out) :
			print_tables(p, COVER_COLUMNS, out);
	if (p->repeat[0])
		fputs("\nTo repeat:\n\n", out);
	for (size_t i = 0; i < PAGE_MAX_LINES && p->repeat[i]; i++)
		print_command(p->repeat[i], out);
	return err;
}

static int print_md(const struct page *p, FILE *out)
{
	fputs("# ", out);
	grid_md_text(p->title, out);
	fputc('\n', out);
	for (size_t i = 0; i < PAGE_MAX_LINES; i++) {
		if (!p->intro[i] || !*p->intro[i])
			continue;
		fputc('\n', out);
		grid_md_text(p->intro[i], out);
		fputc('\n', out);
	}
	if (p->warning)
		fprintf(out, "\n**%s**\n", p->warning);
	for (size_t i = 0; i < p->nr_tables; i++) {
		const struct grid *g = &p->tables[i];

		fputs("\n## ", out);
		grid_md_text(g->title, out);
		fputs("\n\n", out);
		if (g->note) {
			grid_md_text(g->note, out);
			fputs("\n\n", out);
		}
		grid_print_md(g, out);
	}
	return 0;
}

static bool has_name(const char *const *names, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* Keys of all tables: one line of a file has room for each. */
static int all_keys(const struct page *p, struct arena *a, const char ***out,
		    size_t *nr)
{
	size_t max = 0;

	*nr = 0;
	for (size_t i = 0; i < p->nr_tables; i++)
		max += p->tables[i].nr_keys;
	*out = arena_array(a, max + 1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	for (size_t i = 0; i < p->nr_tables; i++)
		for (size_t k = 0; k < p->tables[i].nr_keys; k++)
			if (!has_name(*out, *nr, p->tables[i].key_names[k]))
				(*out)[(*nr)++] = p->tables[i].key_names[k];
	return 0;
}

static int print_csv(const struct page *p, FILE *out)
{
	struct arena a = { 0 };
	const char **keys;
	size_t nr;
	int err = all_keys(p, &a, &keys, &nr);

	if (!err) {
		fputs("table", out);
		for (size_t k = 0; k < nr; k++)
			fprintf(out, ",%s", keys[k]);
		fputs(",group,metric,unit,mean,min,max\n", out);
		for (size_t i = 0; i < p->nr_tables; i++)
			grid_print_csv(&p->tables[i], keys, nr, out);
	}
	arena_free(&a);
	return err;
}

int page_print(const struct page *p, enum report_format format, FILE *out)
{
	static int (*const print[])(const struct page *, FILE *) = {
		[REPORT_TABLE] = print_table, [REPORT_MD] = print_md,
		[REPORT_CSV] = print_csv, [REPORT_JSON] = page_print_json,
		[REPORT_COVER] = print_cover, [REPORT_HTML] = page_print_html,
	};
	int err = print[format](p, out);

	if (!err && (fflush(out) || ferror(out)))
		err = -EIO;
	return err;
}
