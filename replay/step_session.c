/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Step scripts line by line, with a log of what ran (step_session.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "replay/step_session.h"

/* Of a drawn line, its end included. */
#define LINE_MOST 480

size_t step_log_size(unsigned int nr_ops)
{
	/* The guest and the last lines are some operations more. */
	return ((size_t)nr_ops + 200) * LINE_MOST;
}

void step_session_init(struct step_session *n, struct step_log *log, FILE *out,
		       struct diag *d)
{
	*n = (struct step_session){ .log = log };
	n->parser = (struct step_parser){
		.diag = d, .file = "script", .script = &n->script,
	};
	n->s = (struct step){
		.out = out, .diag = d, .file = "script", .script = &n->script,
	};
	log->len = 0;
	log->text[0] = '\0';
}

void step_session_destroy(struct step_session *n)
{
	if (n->s.a)
		step_watch_walk(&n->s);
	step_reporters_destroy(&n->s);
	step_watch_destroy(&n->s);
	alloc_destroy(n->s.a);
	free(n->s.words);
	step_script_destroy(&n->script);
}

/* Is it a command that may stand here? NULL or the reason. */
static const char *place_of(struct step_session *n, const struct step_cmd *c)
{
	if (c->def->class == STEP_CONFIG)
		return n->s.a ? "must stand before the first operation" : NULL;
	if (!n->script.cfg.nr_zones)
		return "needs a guest, but the script has no zone";
	return c->def->check ? c->def->check(&n->script.cfg, c) : NULL;
}

static int run(struct step_session *n, const struct step_cmd *c)
{
	const char *why = place_of(n, c);
	int err = 0;

	if (!why && c->def->class == STEP_CONFIG)
		why = c->def->configure(&n->script.cfg, c);
	if (why) {
		step_parse_error(&n->parser, c->column, "%s %s", c->def->name,
				 why);
		return -EINVAL;
	}
	if (c->def->class == STEP_CONFIG)
		return 0;
	if (!n->s.a)
		err = step_create_guest(&n->s);
	if (err) {
		n->over = true;
		return err;
	}
	err = step_run_cmd(&n->s, c);
	/* It did something, but not what the same line does elsewhere. */
	n->over |= n->s.words_short;
	return err;
}

static bool log_line(struct step_log *log, const char *line, size_t len)
{
	if (log->len + len + 2 > log->size)
		return false;
	memcpy(log->text + log->len, line, len);
	memcpy(log->text + log->len + len, "\n", 2);
	log->len += len + 1;
	return true;
}

int step_session_line(struct step_session *n, const char *line, size_t len)
{
	struct step_parser *p = &n->parser;
	const size_t before = n->log->len;
	struct step_cmd c;
	int err;

	if (n->over)
		return -EINVAL;
	p->start = p->pos = line;
	p->end = line + len;
	p->failed = false;
	p->line++;
	p->config_known = true;
	step_parse_line(p, &c);
	err = p->failed ? -EINVAL : 0;
	if (!err && c.def && !log_line(n->log, line, len)) {
		n->over = true;
		err = -EINVAL;
	} else if (!err && c.def) {
		err = run(n, &c);
	}
	if (err) {
		/* Lines are counted as they will be in the log. */
		p->line--;
		n->log->len = before;
		n->log->text[before] = '\0';
	} else if (c.def && c.def->class == STEP_OPERATION) {
		n->log->operations += c.repeat;
	}
	return err;
}

int step_run_some(const char *text, struct step_log *log, FILE *out,
		  struct diag *d)
{
	struct step_session n;
	int err = 0;
	size_t len;

	step_session_init(&n, log, out, d);
	for (; *text && !n.over && err != -ENOMEM && err != -EIO;
	     text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		err = step_session_line(&n, text, len);
	}
	step_session_destroy(&n);
	return err == -EINVAL ? 0 : err;
}
