/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Step scripts: the guest that a script builds and the loop that runs its
 * commands. Nothing is derived from the size of a zone: watermarks and
 * reserves are 0, the pcp is off and grouping is on until the script says
 * otherwise, and all pages count as managed.
 */
#include <errno.h>
#include <stdlib.h>

#include "include/check.h"
#include "replay/step_internal.h"

#define DEFAULT_KERNEL "6.1"

int step_error(struct step *s, const char *fmt, ...)
{
	const struct diag_place at = {
		s->file, s->cmd ? s->cmd->line : 0, s->cmd ? s->cmd->column : 0
	};
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_error(s->diag, at, "%s", text);
	return -EINVAL;
}

/* ---- hooks ---- */

static void event_hook(void *ctx, const struct alloc_event *ev)
{
	step_print_event(ctx, ev);
}

static uint64_t shuffle_word_hook(void *ctx)
{
	struct step *s = ctx;

	if (s->boot_words) {
		if (s->nr_boot_words) {
			s->nr_boot_words--;
			return *s->boot_words++;
		}
	} else if (s->next_word < s->nr_words) {
		return s->words[s->next_word++];
	}
	s->words_short = true;
	return 0;
}

void step_update_hooks(struct step *s)
{
	s->hooks.ctx = s;
	s->hooks.event = s->events ? event_hook : NULL;
	s->hooks.shuffle_word = shuffle_word_hook;
	alloc_set_hooks(s->a, &s->hooks);
}

/* ---- the guest ---- */

int step_create_guest(struct step *s)
{
	const struct step_config *cfg = &s->script->cfg;
	struct alloc_config ac = {
		.profile = cfg->profile ? cfg->profile :
			   alloc_profile_find(DEFAULT_KERNEL),
		.nr_cpus = cfg->nr_cpus ? cfg->nr_cpus : 1,
		.nr_nodes = 1,
		.zones = cfg->zones,
		.nr_zones = cfg->nr_zones,
		.pageblock_order = cfg->pageblock_order ?
				   cfg->pageblock_order : HPAGE_PMD_ORDER,
		/* Worked examples of order 1 to 3 frees are without it. */
		.big_cache = false,
		.cma = true,
		.isolation = true,
		.watermark_boost_factor = UINT32_MAX,
	};
	const char *why = NULL;
	struct diag_place at = { s->file, 0, 0 };
	int err = alloc_create(&s->a, &ac, &why);
	unsigned int i;

	if (err) {
		diag_error(s->diag, at, "no such guest: %s",
			   why ? why : "out of memory");
		return err;
	}
	for (i = 0; i < cfg->nr_zones; i++)
		alloc_set_managed(s->a, i,
				  cfg->zones[i].end - cfg->zones[i].start);
	step_update_hooks(s);
	return 0;
}

int step_run_cmd(struct step *s, const struct step_cmd *c)
{
	uint32_t i;
	int err = 0;

	s->cmd = c;
	for (i = 0; i < c->repeat && !err; i++) {
		err = c->def->run(s, c);
		if (!err && s->words_short)
			err = step_error(s, "the script's shuffle words are "
					 "used up");
		if (ferror(s->out))
			err = -EIO;
		if (!err && c->def->class == STEP_OPERATION)
			step_watch_after(s);
	}
	return err;
}

static int run_script(struct step *s)
{
	size_t i;
	int err = step_create_guest(s);

	for (i = 0; i < s->script->nr_cmds && !err; i++)
		err = step_run_cmd(s, &s->script->cmds[i]);
	/* Whatever a script did, every invariant of the allocator holds. */
	if (s->a)
		step_watch_walk(s);
	if (!err && fflush(s->out))
		err = -EIO;
	if (err == -EIO)
		step_error(s, "the output cannot be written");
	else if (err == -ENOMEM && s->a)
		step_error(s, "out of memory");
	return err;
}

int step_run(FILE *in, const char *name, FILE *out, struct diag *d)
{
	struct step_script script;
	struct step s = {
		.out = out, .diag = d, .file = name, .script = &script,
	};
	int err = step_script_read(&script, in, name, d);

	if (!err && script.cfg.nr_zones)
		err = run_script(&s);
	step_reporters_destroy(&s);
	step_watch_destroy(&s);
	alloc_destroy(s.a);
	free(s.words);
	step_script_destroy(&script);
	return err;
}
