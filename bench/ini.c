/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files, includes, sections and duplicates of the INI reader. An included file
 * stands where its `include` line stands: keys before its first header belong
 * to the section around that line, and behind it that section goes on.
 */
#include "bench/ini.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "include/input.h"

struct ini_reader {
	struct ini *ini;
	struct diag *d;
	struct ini_section *section; /* in force, NULL before the first */
	unsigned int depth;
	bool no_memory;
};

static void append_chain(const struct ini *ini, unsigned int source,
			 char *out, size_t size)
{
	const struct ini_source *s = &ini->sources[source];
	size_t len = 0;

	out[0] = '\0';
	while (s->parent >= 0 && len < size) {
		const struct ini_source *p = &ini->sources[s->parent];
		int n = snprintf(out + len, size - len, "%s from %s:%u",
				 len ? "," : " (included", p->path, s->line);

		if (n < 0)
			return;
		len += (size_t)n;
		s = p;
	}
	if (len && len < size - 1)
		memcpy(out + len, ")", 2);
}

void ini_error(const struct ini *ini, struct diag *d, struct ini_place at,
	       const char *fmt, ...)
{
	struct diag_place place = { ini->sources[at.source].path, at.line,
				    at.column };
	char text[400], chain[300];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	append_chain(ini, at.source, chain, sizeof(chain));
	diag_error(d, place, "%s%s", text, chain);
}

void ini_place_text(const struct ini *ini, struct ini_place at, char *out,
		    size_t out_size)
{
	snprintf(out, out_size, "%s:%u", ini->sources[at.source].path, at.line);
}

const char *path_dir(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return arena_strdup(a, "");
	return arena_strndup(a, path, slash == path ? 1 :
			     (size_t)(slash - path));
}

const char *path_from(struct arena *a, const char *dir, const char *path)
{
	if (path[0] == '/' || !dir[0])
		return arena_strdup(a, path);
	return arena_printf(a, "%s/%s", strcmp(dir, "/") ? dir : "", path);
}

static struct ini_section *find_section(struct ini *ini, const char *type,
					const char *name)
{
	struct ini_section *s;

	for (s = ini->sections; s; s = s->next)
		if (!strcmp(s->type, type) && !strcmp(s->name, name))
			return s;
	return NULL;
}

static void open_section(struct ini_reader *r, const struct ini_line *l,
			 struct ini_place at)
{
	struct ini *ini = r->ini;
	struct ini_section *s = find_section(ini, l->first, l->second);
	char text[200];

	if (s) {
		ini_place_text(ini, s->at, text, sizeof(text));
		ini_error(ini, r->d, at, "section [%s%s%s] was already opened "
			  "on %s", s->type, *s->name ? " " : "", s->name, text);
		r->section = s;
		return;
	}
	if (++ini->nr_sections > INI_MAX_SECTIONS) {
		if (ini->nr_sections == INI_MAX_SECTIONS + 1)
			ini_error(ini, r->d, at, "more than %d sections",
				  INI_MAX_SECTIONS);
		return;
	}
	s = arena_alloc(ini->arena, sizeof(*s));
	r->no_memory |= !s;
	if (!s)
		return;
	*s = (struct ini_section){ .at = at, .tail = &s->entries };
	s->type = arena_strdup(ini->arena, l->first);
	s->name = arena_strdup(ini->arena, l->second);
	r->no_memory |= !s->type || !s->name;
	if (r->no_memory)
		return;
	*ini->tail = s;
	ini->tail = &s->next;
	r->section = s;
}

static bool is_duplicate(struct ini_reader *r, const struct ini_line *l,
			 struct ini_place at)
{
	const struct ini_entry *e;
	char text[200];

	for (e = r->section->entries; e; e = e->next) {
		if (strcmp(e->key, l->first) != 0)
			continue;
		ini_place_text(r->ini, e->key_at, text, sizeof(text));
		ini_error(r->ini, r->d, at, "'%s' was already set on %s",
			  e->key, text);
		return true;
	}
	return false;
}

static void add_entry(struct ini_reader *r, const struct ini_line *l,
		      struct ini_place at)
{
	struct ini *ini = r->ini;
	struct ini_entry *e;

	if (!r->section) {
		ini_error(ini, r->d, at, "'%s' stands before the first "
			  "[section]", l->first);
		return;
	}
	if (is_duplicate(r, l, at))
		return;
	if (++ini->nr_entries > INI_MAX_ENTRIES) {
		if (ini->nr_entries == INI_MAX_ENTRIES + 1)
			ini_error(ini, r->d, at, "more than %d keys",
				  INI_MAX_ENTRIES);
		return;
	}
	e = arena_alloc(ini->arena, sizeof(*e));
	r->no_memory |= !e;
	if (!e)
		return;
	e->key = arena_strdup(ini->arena, l->first);
	e->value = arena_strdup(ini->arena, l->second);
	e->key_at = e->value_at = at;
	e->value_at.column = l->second_column;
	r->no_memory |= !e->key || !e->value;
	if (r->no_memory)
		return;
	*r->section->tail = e;
	r->section->tail = &e->next;
}

static void read_source(struct ini_reader *r, const char *path, int parent,
			struct ini_place from);

/* The file is one of those that are being read. */
static bool is_open(const struct ini *ini, unsigned int source,
		    const char *path)
{
	int i;

	for (i = (int)source; i >= 0; i = ini->sources[i].parent)
		if (!strcmp(ini->sources[i].path, path))
			return true;
	return false;
}

static void include_file(struct ini_reader *r, const struct ini_line *l,
			 struct ini_place at)
{
	struct ini *ini = r->ini;
	struct ini_section *around = r->section;
	const char *path;

	at.column = l->second_column;
	if (!l->second[0]) {
		ini_error(ini, r->d, at, "'include' without a file name");
		return;
	}
	if (r->depth == INI_MAX_DEPTH || ini->nr_sources == INI_MAX_SOURCES) {
		ini_error(ini, r->d, at, "cannot include '%s': more than %d "
			  "files inside each other, or %d in all", l->second,
			  INI_MAX_DEPTH, INI_MAX_SOURCES);
		return;
	}
	path = path_from(ini->arena, ini->sources[at.source].dir, l->second);
	r->no_memory |= !path;
	if (!path)
		return;
	if (is_open(ini, at.source, path)) {
		ini_error(ini, r->d, at, "'%s' includes itself", path);
		return;
	}
	r->depth++;
	read_source(r, path, (int)at.source, at);
	r->depth--;
	r->section = around;
}

static void read_line(struct ini_reader *r, char *text, struct ini_place at)
{
	struct ini_line l;

	ini_parse_line(text, &l);
	at.column = l.column;
	switch (l.kind) {
	case INI_BLANK:
		return;
	case INI_BAD:
		ini_error(r->ini, r->d, at, "%s", l.why);
		return;
	case INI_HEADER:
		open_section(r, &l, at);
		return;
	case INI_PAIR:
		if (!strcmp(l.first, "include"))
			include_file(r, &l, at);
		else
			add_entry(r, &l, at);
		return;
	}
}

/* One line at a time of `text`, which has `size` bytes and a zero behind. */
static void read_text(struct ini_reader *r, char *text, size_t size,
		      unsigned int source)
{
	struct ini_place at = { source, 0, 1 };
	char *end = text + size;

	if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		text += 3;
	while (text < end && !r->no_memory) {
		char *newline = memchr(text, '\n', (size_t)(end - text));
		char *next = newline ? newline + 1 : end;
		size_t len = (size_t)((newline ? newline : end) - text);

		at.line++;
		at.column = 1;
		if (len && text[len - 1] == '\r')
			len--;
		text[len] = '\0';
		if (memchr(text, '\0', len))
			ini_error(r->ini, r->d, at, "zero byte; this is no "
				  "text file");
		else if (len > INI_MAX_LINE)
			ini_error(r->ini, r->d, at, "line of %zu bytes; at "
				  "most %d are allowed", len, INI_MAX_LINE);
		else
			read_line(r, text, at);
		text = next;
	}
}

/* The whole file, NULL with a reason. */
static char *load_file(const char *path, bool included, size_t *size,
		       char *why, size_t why_size)
{
	/* What a user names may be a pipe; what a file names may not. */
	FILE *f = included ? input_stream(path, 0) : fopen(path, "r");
	char *text = NULL;

	if (!f) {
		snprintf(why, why_size, "cannot be opened: %s",
			 input_error(errno));
		return NULL;
	}
	text = malloc(INI_MAX_FILE_BYTES + 2);
	if (!text) {
		snprintf(why, why_size, "out of memory");
		fclose(f);
		return NULL;
	}
	*size = fread(text, 1, INI_MAX_FILE_BYTES + 1, f);
	why[0] = '\0';
	if (ferror(f))
		snprintf(why, why_size, "cannot be read: %s", strerror(errno));
	else if (*size > INI_MAX_FILE_BYTES)
		snprintf(why, why_size, "is larger than %zu bytes",
			 INI_MAX_FILE_BYTES);
	fclose(f);
	if (!why[0])
		return text;
	free(text);
	return NULL;
}

/* The text of a file, which is changed and freed. */
static void take_text(struct ini_reader *r, const char *path, int parent,
		      struct ini_place from, char *text, size_t size)
{
	struct ini *ini = r->ini;

	ini->sources[ini->nr_sources] = (struct ini_source){
		.path = arena_strdup(ini->arena, path),
		.dir = path_dir(ini->arena, path),
		.parent = parent, .line = from.line,
	};
	if (ini->sources[ini->nr_sources].path &&
	    ini->sources[ini->nr_sources].dir)
		read_text(r, text, size, ini->nr_sources++);
	else
		r->no_memory = true;
	free(text);
}

static void read_source(struct ini_reader *r, const char *path, int parent,
			struct ini_place from)
{
	char why[200], *text;
	size_t size = 0;

	errno = 0;
	text = load_file(path, parent >= 0, &size, why, sizeof(why));
	if (!text && errno == ENOMEM)
		r->no_memory = true;
	else if (text)
		take_text(r, path, parent, from, text, size);
	else if (parent >= 0)
		ini_error(r->ini, r->d, from, "included file '%s' %s", path,
			  why);
	else
		diag_error(r->d, (struct diag_place){ .file = path },
			   "%s", why);
}

int ini_read(struct ini *ini, struct arena *a, const char *path,
	     struct diag *d)
{
	struct ini_reader r = { .ini = ini, .d = d };
	const unsigned int before = d->nr_errors;

	*ini = (struct ini){ .arena = a };
	ini->tail = &ini->sections;
	path = arena_strdup(a, path);
	if (!path)
		return -ENOMEM;
	read_source(&r, path, -1, (struct ini_place){ 0 });
	if (r.no_memory)
		return -ENOMEM;
	return d->nr_errors == before ? 0 : -EINVAL;
}

int ini_read_text(struct ini *ini, struct arena *a, const char *name,
		  const char *text, struct diag *d)
{
	struct ini_reader r = { .ini = ini, .d = d };
	const unsigned int before = d->nr_errors;
	char *copy = strdup(text);

	*ini = (struct ini){ .arena = a };
	ini->tail = &ini->sections;
	if (!copy)
		return -ENOMEM;
	take_text(&r, name, -1, (struct ini_place){ 0 }, copy, strlen(copy));
	if (r.no_memory)
		return -ENOMEM;
	return d->nr_errors == before ? 0 : -EINVAL;
}
