/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `buddylab export TRACE --format text|perfetto`: a trace of any format as
 * text for grep, awk and our own importers, or as Chrome trace event JSON for
 * ui.perfetto.dev. docs/trace-formats.md is the reference.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "include/option.h"
#include "trace/export.h"
#include "trace/out_file.h"

enum { OPT_FORMAT, OPT_OUTPUT, OPT_SAMPLE };

static const struct args_option options[] = {
	[OPT_FORMAT] = { "format", 0, "text|perfetto",
			 "default text" },
	[OPT_OUTPUT] = { "output", 'o', "FILE",
			 "write this file (default: standard output)" },
	[OPT_SAMPLE] = { "sample-ns", 0, "N",
			 "perfetto: time between rows (default 1000000)" },
	{ NULL, 0, NULL, NULL },
};

const struct args_command command_export = {
	.name = "export",
	.synopsis = "TRACE [--format text|perfetto] [-o FILE]",
	.text = "Write a trace of any format that `import` reads, .blt among "
		"them, as text or for\n"
		"a viewer. text: a request stream for requests, else lines "
		"of tracefs; perfetto:\n"
		"JSON that ui.perfetto.dev opens, with counters of pages by "
		"order and type.\n"
		"Exit status: 0 done; 2 usage; 3 a file is wrong or cannot "
		"be written.\n",
	.options = options,
	.example = "  buddylab export t.blt --format perfetto -o t.json\n"
		   "  buddylab export t.blt | grep extfrag\n",
};

struct export_command {
	struct args args;
	const char *input, *output;
	uint64_t sample_ns;
	bool perfetto;
};

static int parse_option(void *ctx, int option)
{
	struct export_command *c = ctx;
	const char *value = c->args.value;

	if (option == OPT_OUTPUT) {
		c->output = value;
		return 0;
	}
	if (option == OPT_SAMPLE) {
		if (!parse_u64(value, &c->sample_ns) && c->sample_ns &&
		    c->sample_ns <= INT64_MAX)
			return 0;
		return args_error(&c->args,
				  "sample-ns is \"%s\"; allowed is a number of nanoseconds from 1",
				  value);
	}
	c->perfetto = c->args.choice == 1;
	return 0;
}

static int write_events(struct export_command *c, struct trace_source *s,
			FILE *out, struct diag *d)
{
	return c->perfetto ?
	       trace_export_perfetto(s, c->input, c->sample_ns, out, d) :
	       trace_export_text(s, c->input, out, d);
}

static int write_file(struct export_command *c, struct trace_source *s,
		      struct diag *d)
{
	struct out_file f;
	int err = out_file_create(&f, c->output, d);

	if (err)
		return err;
	err = write_events(c, s, f.out, d);
	if (err == -EIO && ferror(f.out))
		out_file_error(&f, d);
	if (!err)
		err = out_file_commit(&f, d);
	out_file_discard(&f);
	return err;
}

int cmd_export(int argc, char **argv)
{
	struct export_command c = { .sample_ns = 1000000 };
	struct diag d = { .out = stderr };
	struct trace_source *s;
	int code, err;

	args_init(&c.args, &command_export, argc, argv);
	code = args_one_word(&c.args, parse_option, &c, "trace", &c.input);
	if (code != ARGS_END)
		return code;
	if (trace_open(&s, c.input, NULL, &d))
		return EXIT_RUNTIME;
	err = c.output ? write_file(&c, s, &d) :
			 write_events(&c, s, stdout, &d);
	trace_close(s);
	return err ? EXIT_RUNTIME : EXIT_FINE;
}
