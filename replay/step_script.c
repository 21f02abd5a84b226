/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Step scripts: reading and checking. The script is read whole and gone
 * through twice: once for the shape of the guest, once for every command with
 * that shape known, so that one run of the program shows all its mistakes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "replay/step_internal.h"

#define READ_PIECE 65536u

/* The whole of `in`, at most STEP_MAX_SCRIPT_BYTES. */
static int read_all(FILE *in, const char *name, struct diag *d, char **text,
		    size_t *size)
{
	struct diag_place at = { name, 0, 0 };
	size_t max = 0, nr = 0, got;
	char *buf = NULL;

	do {
		char *grown = realloc(buf, max + READ_PIECE);

		if (!grown) {
			free(buf);
			diag_error(d, at, "out of memory");
			return -ENOMEM;
		}
		buf = grown;
		max += READ_PIECE;
		got = fread(buf + nr, 1, READ_PIECE, in);
		nr += got;
	} while (got == READ_PIECE && nr <= STEP_MAX_SCRIPT_BYTES);
	*text = buf;
	*size = nr;
	if (ferror(in)) {
		diag_error(d, at, "cannot be read: %s", strerror(errno));
		return -EIO;
	}
	if (nr > STEP_MAX_SCRIPT_BYTES) {
		diag_error(d, at, "the script is longer than %u MiB",
			   STEP_MAX_SCRIPT_BYTES >> 20);
		return -EINVAL;
	}
	return 0;
}

/* Some editors put a byte order mark in front of a text. */
static size_t mark_length(const char *text, size_t size)
{
	return size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
}

static const struct step_def *find_def(struct step_word w)
{
	const struct step_def *def;

	for (def = step_defs; def->name; def++)
		if (step_word_is(w, def->name))
			return def;
	return NULL;
}

static void unknown_command(struct step_parser *p, struct step_word w)
{
	const char *names[64];
	const struct step_def *def;
	size_t nr = 0;

	for (def = step_defs; def->name; def++) {
		CHECK_LT(nr, ARRAY_SIZE(names) - 2);
		names[nr++] = def->name;
	}
	names[nr++] = "repeat";
	names[nr] = NULL;
	step_unknown_word(p, w, "command", names);
}

/* `repeat N`: the count, then the first word of the command behind it. */
static struct step_word parse_repeat(struct step_parser *p, struct step_cmd *c)
{
	struct step_word w = step_next_word(p);
	uint64_t n = 0;

	if (!step_word_number(w, STEP_MAX_REPEAT, &n) || n == 0) {
		step_parse_error(p, w.column,
				 "repeat needs a number from 1 to %u: "
				 "repeat N COMMAND", STEP_MAX_REPEAT);
		return w;
	}
	c->repeat = (uint32_t)n;
	w = step_next_word(p);
	if (!w.len)
		step_parse_error(p, w.column,
				 "the command is missing: repeat N COMMAND");
	else if (step_word_is(w, "repeat"))
		step_parse_error(p, w.column, "repeat cannot be repeated");
	return w;
}

/* One line into *c; c->def stays NULL if there is no command or an error. */
void step_parse_line(struct step_parser *p, struct step_cmd *c)
{
	struct step_word w = step_next_word(p);

	*c = (struct step_cmd){ .line = p->line, .repeat = 1 };
	if (!w.len)
		return;
	if (step_word_is(w, "repeat")) {
		w = parse_repeat(p, c);
		if (p->failed)
			return;
	}
	c->column = w.column;
	c->def = find_def(w);
	if (!c->def) {
		unknown_command(p, w);
		return;
	}
	if (c->repeat > 1 && c->def->class != STEP_OPERATION) {
		step_parse_error(p, w.column, "%s cannot be repeated",
				 c->def->name);
		return;
	}
	step_parse_args(p, c);
	if (!p->failed && memchr(p->start, '\0', (size_t)(p->end - p->start)))
		step_parse_error(p, 0, "the line contains a NUL byte");
}

/* Next line of [*at, end) into p; false at the end. */
static bool next_line(struct step_parser *p, const char **at, const char *end)
{
	const char *nl;

	if (*at == end)
		return false;
	nl = memchr(*at, '\n', (size_t)(end - *at));
	p->line++;
	p->start = p->pos = *at;
	p->end = nl ? nl : end;
	*at = nl ? nl + 1 : end;
	p->failed = false;
	return true;
}

/* First pass: the shape of the guest, silently. False if it has a mistake. */
static bool scan_config(struct step_parser *p, const char *text,
			const char *end)
{
	struct diag quiet = { .out = NULL };
	struct diag *loud = p->diag;
	bool good = true;

	p->diag = &quiet;
	while (next_line(p, &text, end)) {
		struct step_word w = step_next_word(p);
		const struct step_def *def = find_def(w);
		struct step_cmd c;

		if (!def || def->class != STEP_CONFIG)
			continue;
		p->pos = p->start;
		step_parse_line(p, &c);
		if (p->failed || def->configure(&p->script->cfg, &c))
			good = false;
	}
	p->diag = loud;
	p->line = 0;
	return good;
}

static int append_cmd(struct step_script *sc, const struct step_cmd *c)
{
	if (sc->nr_cmds == sc->max_cmds) {
		size_t max = sc->max_cmds ? sc->max_cmds * 2 : 64;
		struct step_cmd *grown = realloc(sc->cmds,
						 max * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		sc->cmds = grown;
		sc->max_cmds = max;
	}
	sc->cmds[sc->nr_cmds++] = *c;
	return 0;
}

/* What pass two keeps while it goes down the script. */
struct check_state {
	struct step_config cfg;   /* shape as far as the script gave it */
	bool operated;            /* an operation was seen */
};

/* Place and meaning of one parsed command. */
static void check_cmd(struct step_parser *p, struct check_state *st,
		      const struct step_cmd *c)
{
	const char *why = NULL;

	if (c->def->class == STEP_CONFIG) {
		if (st->operated)
			why = "must stand before the first operation";
		else
			why = c->def->configure(&st->cfg, c);
	} else if (p->config_known) {
		if (!p->script->cfg.nr_zones)
			why = "needs a guest, but the script has no zone";
		else if (c->def->check)
			why = c->def->check(&p->script->cfg, c);
	}
	if (c->def->class == STEP_OPERATION)
		st->operated = true;
	if (why)
		step_parse_error(p, c->column, "%s %s", c->def->name, why);
}

/*
 * Pages that the command may look at: those of all zones, or of all per-CPU
 * lists, each of which counts as 1024.
 */
static uint64_t walk_of(const struct step_config *cfg, const struct step_cmd *c)
{
	const uint64_t cpus = cfg->nr_cpus ? cfg->nr_cpus : 1;
	uint64_t pages = 0;
	unsigned int i;

	for (i = 0; c->def->options & STEP_WALKS_ZONES && i < cfg->nr_zones; i++)
		pages += cfg->zones[i].end - cfg->zones[i].start;
	if (c->def->options & STEP_WALKS_CPUS)
		pages += cpus * cfg->nr_zones * 1024;
	return pages;
}

/* After `check N` every N operations look at all pages and lists. */
static uint64_t checks_of(const struct step_script *sc,
			  const struct step_cmd *c)
{
	static const struct step_def all = {
		.options = STEP_WALKS_ZONES | STEP_WALKS_CPUS,
	};
	const struct step_cmd walk = { .def = &all };

	if (!sc->check_every || c->def->class != STEP_OPERATION)
		return 0;
	return c->repeat * walk_of(&sc->cfg, &walk) / sc->check_every;
}

static void check_walk(struct step_parser *p, const struct step_cmd *c)
{
	struct step_script *sc = p->script;
	const bool fitted = sc->nr_walked <= STEP_MAX_WALKED;

	/* At most 2^28 pages and 2^20 repeats by 2^24 lines: no overflow. */
	if (fitted)
		sc->nr_walked += c->repeat * walk_of(&sc->cfg, c) +
				 checks_of(sc, c);
	if (c->def->run == step_set_check)
		sc->check_every = c->nr_numbers ? c->number[0] : 0;
	if (fitted && sc->nr_walked > STEP_MAX_WALKED)
		step_parse_error(p, c->column,
				 "the script looks at %llu pages with '%s' and "
				 "the like, repeats included, and at most %llu "
				 "are allowed; repeat less, or make the zones "
				 "smaller", (unsigned long long)sc->nr_walked,
				 c->def->name,
				 (unsigned long long)STEP_MAX_WALKED);
}

static void check_budget(struct step_parser *p, const struct step_cmd *c)
{
	struct step_script *sc = p->script;
	bool fitted = sc->nr_steps <= STEP_MAX_COMMANDS;

	sc->nr_steps += c->repeat;
	if (fitted && sc->nr_steps > STEP_MAX_COMMANDS)
		step_parse_error(p, c->column,
				 "the script runs more than %u commands, "
				 "repeats included", STEP_MAX_COMMANDS);
	check_walk(p, c);
}

static int parse_all(struct step_parser *p, const char *text, const char *end)
{
	struct check_state st = { .operated = false };

	while (next_line(p, &text, end)) {
		struct step_cmd c;

		step_parse_line(p, &c);
		if (!c.def)
			continue;
		if (!p->failed)
			check_cmd(p, &st, &c);
		check_budget(p, &c);
		if (!p->failed && append_cmd(p->script, &c)) {
			step_parse_error(p, 0, "out of memory");
			return -ENOMEM;
		}
	}
	return 0;
}

int step_script_read(struct step_script *script, FILE *in, const char *name,
		     struct diag *d)
{
	struct step_parser p = { .diag = d, .file = name, .script = script };
	unsigned int errors_before = d->nr_errors;
	char *text = NULL;
	size_t size = 0;
	int err;

	*script = (struct step_script){ .nr_cmds = 0 };
	err = read_all(in, name, d, &text, &size);
	if (!err && size) {
		const char *start = text + mark_length(text, size);

		p.config_known = scan_config(&p, start, text + size);
		err = parse_all(&p, start, text + size);
	}
	free(text);
	if (!err && d->nr_errors > errors_before)
		err = -EINVAL;
	return err;
}

void step_script_destroy(struct step_script *script)
{
	free(script->cmds);
	free(script->words);
	*script = (struct step_script){ .nr_cmds = 0 };
}
