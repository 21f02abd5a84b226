/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reader of experiment files, INI as users of fio write it:
 *
 *     # comment            ; comment        key = value   # comment
 *     [type name]
 *     key = value
 *     include = other.ini  (text of the file, in this place)
 *
 * It knows sections, keys and places, and nothing of what they mean. All
 * mistakes of a file are reported, not the first.
 */
#ifndef BENCH_INI_H
#define BENCH_INI_H

#include "bench/arena.h"
#include "include/diag.h"

#define INI_MAX_FILE_BYTES ((size_t)1 << 20)
#define INI_MAX_LINE 4096
#define INI_MAX_DEPTH 8
#define INI_MAX_SOURCES 64
#define INI_MAX_SECTIONS 1000
#define INI_MAX_ENTRIES 10000

/* A file that was read, and the line that included it. */
struct ini_source {
	const char *path;      /* as opened */
	const char *dir;       /* its folder, "" = the current one */
	int parent;            /* source that included it, -1 = none */
	unsigned int line;     /* ... on this line */
};

struct ini_place {
	unsigned int source, line, column;
};

struct ini_entry {
	const char *key, *value;
	struct ini_place key_at, value_at;
	struct ini_entry *next;
};

struct ini_section {
	const char *type;
	const char *name;      /* "" if there is none */
	struct ini_place at;
	struct ini_entry *entries, **tail;
	struct ini_section *next;
};

struct ini {
	struct arena *arena;
	struct ini_source sources[INI_MAX_SOURCES];
	unsigned int nr_sources;
	struct ini_section *sections, **tail;
	unsigned int nr_sections, nr_entries;
};

/*
 * Read `path` and what it includes. 0; -EINVAL with messages in d; -ENOMEM.
 * Strings live in the arena.
 */
int ini_read(struct ini *ini, struct arena *a, const char *path,
	     struct diag *d);
/* The same of a text that is in memory; messages call it `name`. */
int ini_read_text(struct ini *ini, struct arena *a, const char *name,
		  const char *text, struct diag *d);

/* An error at a place, with the chain of includes that led there. */
__attribute__((format(printf, 4, 5)))
void ini_error(const struct ini *ini, struct diag *d, struct ini_place at,
	       const char *fmt, ...);

/* "file:line" of a place, for a message about another one. */
void ini_place_text(const struct ini *ini, struct ini_place at, char *out,
		    size_t out_size);

/* `path` as seen from folder `dir`; absolute ones stay. NULL: no memory. */
const char *path_from(struct arena *a, const char *dir, const char *path);
/* Folder of `path`, "" if it names none. */
const char *path_dir(struct arena *a, const char *path);

/* ---- one line; ini_lines.c ---- */

enum ini_line_kind { INI_BLANK, INI_HEADER, INI_PAIR, INI_BAD };

struct ini_line {
	enum ini_line_kind kind;
	const char *first;     /* section type, or key */
	const char *second;    /* section name ("" = none), or value */
	unsigned int column, second_column;
	char why[128];         /* INI_BAD: what is wrong, at column */
};

/* Take apart a line without its newline; it is changed in place. */
void ini_parse_line(char *text, struct ini_line *out);

#endif
