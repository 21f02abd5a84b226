/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completion for bash and zsh, printed from the tables that the program parses
 * with: commands, options, the words an option takes, names of what is compiled
 * in, and keys of experiment files with their words.
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include <stdio.h>

#include "cli/args.h"

/* What the value of an option, or the word of a command, can be. */
enum complete_kind {
	COMPLETE_NOTHING,        /* a number, a time: up to the user */
	COMPLETE_WORDS,
	COMPLETE_FILE,
	COMPLETE_FOLDER,
	COMPLETE_KEY,            /* section.key=value of an experiment */
};

#define COMPLETE_MAX_NAMES 200

struct complete_value {
	enum complete_kind kind;
	const char *name[COMPLETE_MAX_NAMES + 1]; /* of COMPLETE_WORDS, NULL-ended */
	struct args_words words;                  /* what they may point into */
};

/* `placeholder`: of an option's table ("FILE"), or first word of a synopsis. */
void complete_value(const char *placeholder, struct complete_value *v);
/*
 * Each key that --set takes, as `section.key`, with the words of its value,
 * separated by blanks, "" for anything. 0 or -ENOMEM.
 */
typedef void (*complete_key_fn)(FILE *out, const char *key, const char *words);
int complete_keys(complete_key_fn fn, FILE *out);

/* The scripts. 0 or -ENOMEM; whether `out` took it is the caller's to see. */
int completion_bash(FILE *out);
int completion_zsh(FILE *out);

#endif
