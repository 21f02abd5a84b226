/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The script for bash. It needs nothing but bash: the functions of the package
 * bash-completion are not there on every machine.
 */
#include "cli/commands.h"
#include "cli/completion.h"

static void put_words(FILE *out, const struct complete_value *v)
{
	for (size_t i = 0; v->name[i]; i++)
		fprintf(out, "%s%s", i ? " " : "", v->name[i]);
}

/* The branch of one value, without its pattern. */
static void put_value(FILE *out, const struct complete_value *v)
{
	switch (v->kind) {
	case COMPLETE_WORDS:
		fputs(" _buddylab_words '", out);
		put_words(out, v);
		fputs("'", out);
		break;
	case COMPLETE_FILE:
		fputs(" _buddylab_files", out);
		break;
	case COMPLETE_FOLDER:
		fputs(" _buddylab_folders", out);
		break;
	case COMPLETE_KEY:
		fputs(" _buddylab_keys", out);
		break;
	case COMPLETE_NOTHING:
		fputs(" :", out);
	}
	fputs(" ;;\n", out);
}

static void put_command(FILE *out, const struct command *c)
{
	const struct args_option *o;
	struct complete_value v;

	for (o = c->args->options; o && o->name; o++) {
		if (!o->value)
			continue;
		fprintf(out, "\t%s:--%s", c->args->name, o->name);
		if (o->letter)
			fprintf(out, "|%s:-%c", c->args->name, o->letter);
		fputs(")", out);
		complete_value(o->value, &v);
		put_value(out, &v);
	}
}

static void put_options(FILE *out, const struct command *c)
{
	const struct args_option *o;

	fprintf(out, "\t%s) _buddylab_words '--help", c->args->name);
	for (o = c->args->options; o && o->name; o++)
		fprintf(out, " --%s", o->name);
	fputs("' ;;\n", out);
}

static void put_word(FILE *out, const struct command *c)
{
	struct complete_value v;

	complete_value(c->args->synopsis, &v);
	fprintf(out, "\t%s)", c->args->name);
	put_value(out, &v);
}

static void put_key(FILE *out, const char *key, const char *words)
{
	if (words[0])
		fprintf(out, "\t%s) _buddylab_words '%s' ;;\n", key, words);
}

static void put_name(FILE *out, const char *key, const char *words)
{
	(void)words;
	fprintf(out, " %s=", key);
}

static void put_names(FILE *out)
{
	const struct command *c;

	fputs("\t\t_buddylab_words '--help --version help", out);
	for (c = commands; c->run; c++)
		fprintf(out, " %s", c->args->name);
	fputs("'\n", out);
}

static const char helpers[] =
	"# bash completion of buddylab; made by `buddylab completion bash`.\n"
	"\n"
	"_buddylab_words() {\n"
	"\tmapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\")\n"
	"}\n"
	"\n"
	"_buddylab_files() {\n"
	"\tcompopt -o filenames 2>/dev/null\n"
	"\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	"}\n"
	"\n"
	"_buddylab_folders() {\n"
	"\tcompopt -o filenames 2>/dev/null\n"
	"\tmapfile -t COMPREPLY < <(compgen -d -- \"$cur\")\n"
	"}\n"
	"\n";

/* `=` is a word of its own to bash: --format=x are three, --set a.b=c four. */
static const char head[] =
	"_buddylab() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} at=$((COMP_CWORD - 1)) prev key=\n"
	"\n"
	"\tCOMPREPLY=()\n"
	"\tif [[ $cur == = ]]; then\n"
	"\t\tcur=\n"
	"\t\tkey=${COMP_WORDS[at]}\n"
	"\telif [[ ${COMP_WORDS[at]} == = ]]; then\n"
	"\t\tkey=${COMP_WORDS[--at]}\n"
	"\tfi\n"
	"\tprev=${COMP_WORDS[at]}\n"
	"\tif ((COMP_CWORD == 1)); then\n";

static const char middle[] =
	"\t\treturn\n"
	"\tfi\n"
	"\tif [[ $key == *.* ]]; then\n"
	"\t\t_buddylab_value \"$key\"\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tcase ${COMP_WORDS[1]}:$prev in\n";

static const char tail[] =
	"\t*) _buddylab_rest \"${COMP_WORDS[1]}\" ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"complete -F _buddylab buddylab\n";

static int put_keys(FILE *out)
{
	int err;

	fputs("_buddylab_keys() {\n"
	      "\tcompopt -o nospace 2>/dev/null\n"
	      "\t_buddylab_words '", out);
	err = complete_keys(put_name, out);
	fputs("'\n}\n\n_buddylab_value() {\n\tcase $1 in\n", out);
	if (!err)
		err = complete_keys(put_key, out);
	fputs("\tesac\n}\n\n", out);
	return err;
}

static void put_rest(FILE *out)
{
	const struct command *c;

	fputs("_buddylab_rest() {\n"
	      "\tif [[ $cur != -* ]]; then\n"
	      "\t\tcase $1 in\n", out);
	for (c = commands; c->run; c++) {
		fputs("\t", out);
		put_word(out, c);
	}
	fputs("\t\thelp) _buddylab_words '", out);
	for (c = commands; c->run; c++)
		fprintf(out, "%s%s", c == commands ? "" : " ", c->args->name);
	fputs("' ;;\n\t\tesac\n\t\treturn\n\tfi\n\tcase $1 in\n", out);
	for (c = commands; c->run; c++)
		put_options(out, c);
	fputs("\tesac\n}\n\n", out);
}

int completion_bash(FILE *out)
{
	const struct command *c;
	int err;

	fputs(helpers, out);
	err = put_keys(out);
	put_rest(out);
	fputs(head, out);
	put_names(out);
	fputs(middle, out);
	for (c = commands; c->run; c++)
		put_command(out, c);
	fputs(tail, out);
	return err;
}
