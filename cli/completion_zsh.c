/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The script for zsh, with what each option means beside it. */
#include <string.h>

#include "cli/commands.h"
#include "cli/completion.h"

/* Inside single quotes, and inside the brackets of _arguments. */
static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else if (strchr("[]:\\", *text))
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

static void put_action(FILE *out, const struct complete_value *v)
{
	switch (v->kind) {
	case COMPLETE_WORDS:
		fputs("(", out);
		for (size_t i = 0; v->name[i]; i++)
			fprintf(out, "%s%s", i ? " " : "", v->name[i]);
		fputs(")", out);
		break;
	case COMPLETE_FILE:
		fputs("_files", out);
		break;
	case COMPLETE_FOLDER:
		fputs("_files -/", out);
		break;
	case COMPLETE_KEY:
		fputs("_buddylab_key", out);
		break;
	case COMPLETE_NOTHING:
		fputs(" ", out);
	}
}

static void put_spec(FILE *out, const struct args_option *o, const char *name)
{
	struct complete_value v;

	/* It may stand there more than once. */
	fprintf(out, " \\\n\t\t\t'*%s%s[", name,
		!o->value ? "" : name[1] == '-' ? "=" : "+");
	put_text(out, o->help);
	fputs("]", out);
	if (o->value) {
		fputs(":", out);
		put_text(out, o->value);
		fputs(":", out);
		complete_value(o->value, &v);
		put_action(out, &v);
	}
	fputs("'", out);
}

static void put_option(FILE *out, const struct args_option *o)
{
	char name[64];

	snprintf(name, sizeof(name), "--%s", o->name);
	put_spec(out, o, name);
	if (!o->letter)
		return;
	snprintf(name, sizeof(name), "-%c", o->letter);
	put_spec(out, o, name);
}

static void put_command(FILE *out, const struct command *c)
{
	const struct args_option *o;
	struct complete_value v;

	fprintf(out, "\t%s)\n\t\t_arguments '--help[show a command'\\''s "
		"options]'", c->args->name);
	for (o = c->args->options; o && o->name; o++)
		put_option(out, o);
	complete_value(c->args->synopsis, &v);
	fputs(" \\\n\t\t\t'*:", out);
	put_text(out, c->args->synopsis);
	fputs(":", out);
	put_action(out, &v);
	fputs("'\n\t\t;;\n", out);
}

static void put_name(FILE *out, const char *key, const char *words)
{
	(void)words;
	fprintf(out, " %s", key);
}

static void put_words(FILE *out, const char *key, const char *words)
{
	if (words[0])
		fprintf(out, "\t\t%s) compadd -- %s ;;\n", key, words);
}

static int put_keys(FILE *out)
{
	int err;

	fputs("_buddylab_key() {\n"
	      "\tif compset -P '*='; then\n"
	      "\t\tcase ${${IPREFIX%=}#--set=} in\n", out);
	err = complete_keys(put_words, out);
	fputs("\t\tesac\n"
	      "\telse\n"
	      "\t\tcompadd -q -S = --", out);
	if (!err)
		err = complete_keys(put_name, out);
	fputs("\n\tfi\n}\n\n", out);
	return err;
}

int completion_zsh(FILE *out)
{
	const struct command *c;
	int err;

	fputs("#compdef buddylab\n"
	      "# zsh completion of buddylab; made by `buddylab completion "
	      "zsh`.\n\n", out);
	err = put_keys(out);
	fputs("_buddylab() {\n"
	      "\tlocal -a commands\n\n"
	      "\tcommands=(\n", out);
	for (c = commands; c->run; c++) {
		fprintf(out, "\t\t'%s:", c->args->name);
		put_text(out, c->summary);
		fputs("'\n", out);
	}
	fputs("\t\t'help:a command'\\''s options'\n\t)\n"
	      "\tif ((CURRENT == 2)); then\n"
	      "\t\t_describe command commands\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tshift words\n"
	      "\t((CURRENT--))\n"
	      "\tcase $words[1] in\n"
	      "\thelp) _describe command commands ;;\n", out);
	for (c = commands; c->run; c++)
		put_command(out, c);
	fputs("\tesac\n}\n\n"
	      "# Loaded by compinit, or read by hand.\n"
	      "if [[ $funcstack[1] == _buddylab ]]; then\n"
	      "\t_buddylab \"$@\"\n"
	      "else\n"
	      "\tcompdef _buddylab buddylab\n"
	      "fi\n", out);
	return err;
}
