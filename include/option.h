/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of options. Every key a user can set is declared once, in a table
 * beside the code that uses it; the experiment reader, --set, `buddylab list
 * options`, the manual and completion all come from the table.
 */
#ifndef INCLUDE_OPTION_H
#define INCLUDE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
	OPTION_BOOL,     /* on | off; stored as bool */
	OPTION_UINT,     /* plain number; uint64_t */
	OPTION_SIZE,     /* bytes, binary K/M/G/T suffix; uint64_t */
	OPTION_TIME,     /* ns/us/ms/s/m, unit required; uint64_t ns */
	OPTION_SHARE,    /* size or N%; struct option_share */
	OPTION_NAME,     /* one of .names; stored as index, unsigned int */
	OPTION_STRING,   /* text; char[OPTION_STRING_SIZE] */
};

#define OPTION_STRING_SIZE 256

/* A size in bytes, or a share of something the reader of the option names. */
struct option_share {
	uint64_t value; /* bytes, or hundredths of a percent if is_percent */
	bool is_percent;
};

struct option_desc {
	const char *name;         /* as written in an experiment file */
	enum option_type type;
	size_t offset;            /* of the value in the options struct */
	uint64_t min, max;        /* numbers; max 0 = no upper limit */
	const char *const *names; /* OPTION_NAME: allowed words, NULL-ended */
	const char *def;          /* default, in the file's spelling */
	const char *unit;         /* for help, "" if none */
	const char *help;         /* one sentence */
};

/* Table of one consumer; `descs` ends with a NULL name. */
struct option_table {
	const struct option_desc *descs;
	size_t size;              /* bytes of the options struct */
};

/* The descriptor called `name`, or NULL. */
const struct option_desc *option_find(const struct option_table *t,
				      const char *name);
/* Write every default into `base` (t->size bytes). */
void option_defaults(const struct option_table *t, void *base);
/*
 * Parse `text` into `base`. 0, or -EINVAL with a sentence in `why` that says
 * what is wrong and what is allowed.
 */
int option_parse(const struct option_desc *o, const char *text, void *base,
		 char *why, size_t why_size);
/* Canonical spelling of the value in `base`: base units, no suffixes. */
void option_format(const struct option_desc *o, const void *base, char *out,
		   size_t out_size);
/* NULL-ended array of the table's names in `out` (capacity `nr`), for hints. */
size_t option_names(const struct option_table *t, const char **out, size_t nr);

/* Number parsers shared with other readers; 0 or -EINVAL / -ERANGE. */
int parse_u64(const char *text, uint64_t *out);
int parse_size(const char *text, uint64_t *bytes);
int parse_time(const char *text, uint64_t *ns);

#endif
