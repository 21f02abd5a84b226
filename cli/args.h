/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options of a command: one table drives the parser and --help. Full names
 * only: getopt_long() takes unambiguous beginnings, and a new option would then
 * break a script that used one.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>

enum exit_code {
	EXIT_FINE = 0,
	EXIT_REGRESSION = 1,     /* or a failed expectation */
	EXIT_USAGE = 2,          /* or an error in an experiment file */
	EXIT_RUNTIME = 3,        /* I/O, memory, broken trace, failed cells */
	EXIT_NOT_COMPARABLE = 4,
	EXIT_SKIPPED = 77,
	EXIT_INTERRUPTED = 130,
};

struct args_option {
	const char *name;        /* without dashes; NULL ends the table */
	char letter;             /* -o; 0 = none */
	/*
	 * "DIR", what is wanted; or "text|json", words in lower case: one of
	 * them, and args_next() sees to it. NULL = takes no value.
	 */
	const char *value;
	const char *help;
};

struct args_command {
	const char *name;        /* "run" */
	const char *synopsis;    /* "EXP.ini [options]" */
	const char *text;        /* what it does, lines with \n */
	const struct args_option *options;
	const char *example;     /* lines with \n, or NULL */
};

#define ARGS_MAX_OPTIONS 30

enum args_result {
	ARGS_END = -1,           /* nr_words words are left in words[] */
	ARGS_BAD = -2,           /* a message was printed: exit 2 */
	ARGS_HELP = -3,          /* help was printed: exit 0 */
};

struct args {
	const struct args_command *command;
	int argc;
	char **argv;
	const char *value;       /* of the option that was returned */
	int choice;              /* its index, if it is one of several words */
	char **words;            /* after ARGS_END: what is no option */
	int nr_words;
};

void args_init(struct args *a, const struct args_command *command, int argc,
	       char **argv);
/*
 * The next option as its index in the table, or enum args_result. --help is
 * known to every command.
 */
int args_next(struct args *a);
/* Print "buddylab CMD: error: ...; see buddylab CMD --help". Returns 2. */
__attribute__((format(printf, 2, 3)))
int args_error(const struct args *a, const char *fmt, ...);
void args_help(const struct args_command *command);

#define ARGS_MAX_WORDS 12
#define ARGS_WORDS_SIZE 120

/* The words an option chooses from, NULL-ended. */
struct args_words {
	const char *name[ARGS_MAX_WORDS + 1];
	char text[ARGS_WORDS_SIZE];
};

/* Split `value` of a table; false if it is no list of words. */
bool args_words(const char *value, struct args_words *w);

/* 0, or not 0 after a message. */
typedef int (*args_take_fn)(void *ctx, int option);

/*
 * Hand every option to `take`; then there must be one word, called `what` in
 * messages. ARGS_END and *word, or the exit code.
 */
int args_one_word(struct args *a, args_take_fn take, void *ctx,
		  const char *what, const char **word);
/* "unknown WHAT 'X'; did you mean 'Y'?; `buddylab list TOPIC` shows all" */
int args_unknown(const struct args *a, const char *what, const char *name,
		 const char *const *names, const char *topic);
/* The value is a kernel profile: 0, or 2 with a message. */
int args_kernel(const struct args *a);

#endif
