/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arguments of step commands. A definition names its positional arguments by
 * one letter each; this table says how each letter is read. Options (cpu=N,
 * buddy, ...) follow the positional arguments in any order.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "replay/step_internal.h"

struct arg_kind {
	char letter;
	const char *what;         /* for "WHAT is missing" */
	uint64_t min, max;        /* numbers */
	void (*parse)(struct step_parser *p, struct step_word w,
		      const struct arg_kind *k, struct step_cmd *c);
};

static const char *const zone_names[] = { "DMA", "DMA32", "Normal", "Movable",
					  NULL };
static const char *const type_names[] = { "U", "M", "R", "H", "C", "I", NULL };
static const char *const alloc_types[] = { "U", "M", "R", NULL };
static const char *const on_off[] = { "on", "off", NULL };
static const char *const on_off_all[] = { "on", "off", "all", NULL };

/* Index of w in names, or -1. */
static int word_index(struct step_word w, const char *const *names)
{
	int i;

	for (i = 0; names[i]; i++)
		if (step_word_is(w, names[i]))
			return i;
	return -1;
}

static int word_among(struct step_parser *p, struct step_word w,
		      const char *what, const char *const *names)
{
	int i = word_index(w, names);

	if (i < 0)
		step_unknown_word(p, w, what, names);
	return i;
}

/* The number in w, or an error that says the range. */
static uint64_t word_in_range(struct step_parser *p, struct step_word w,
			      const char *what, uint64_t min, uint64_t max)
{
	uint64_t n = 0;

	if (!step_word_number(w, max, &n) || n < min) {
		step_parse_error(p, w.column,
				 "%s must be a number from %" PRIu64
				 " to %" PRIu64 ", not '%.*s'", what, min, max,
				 (int)(w.len < 40 ? w.len : 40), w.text);
		return min;
	}
	return n;
}

static void parse_number(struct step_parser *p, struct step_word w,
			 const struct arg_kind *k, struct step_cmd *c)
{
	CHECK_LT(c->nr_numbers, ARRAY_SIZE(c->number));
	c->number[c->nr_numbers++] = word_in_range(p, w, k->what, k->min,
						   k->max);
}

static void parse_order(struct step_parser *p, struct step_word w,
			const struct arg_kind *k, struct step_cmd *c)
{
	c->order = (uint8_t)word_in_range(p, w, k->what, k->min, k->max);
}

static void parse_profile(struct step_parser *p, struct step_word w,
			  const struct arg_kind *k, struct step_cmd *c)
{
	int i = word_among(p, w, k->what, alloc_profile_names());

	c->profile = (uint8_t)(i < 0 ? 0 : i);
}

static void parse_zone_type(struct step_parser *p, struct step_word w,
			    const struct arg_kind *k, struct step_cmd *c)
{
	int i = word_among(p, w, k->what, zone_names);

	c->zone_type = (uint8_t)(i < 0 ? 0 : i);
}

/* Index of the script's zone called w, or -1. */
static int find_zone(const struct step_config *cfg, struct step_word w)
{
	unsigned int i;

	for (i = 0; i < cfg->nr_zones; i++)
		if (step_word_is(w, zone_names[cfg->zones[i].type]))
			return (int)i;
	return -1;
}

static void parse_zone(struct step_parser *p, struct step_word w,
		       const struct arg_kind *k, struct step_cmd *c)
{
	const struct step_config *cfg = &p->script->cfg;
	const char *names[STEP_MAX_ZONES + 1] = { NULL };
	unsigned int i;
	int zone;

	if (!p->config_known)
		return;
	zone = find_zone(cfg, w);
	for (i = 0; i < cfg->nr_zones; i++)
		names[i] = zone_names[cfg->zones[i].type];
	if (zone < 0)
		step_unknown_word(p, w, k->what, names);
	else
		c->zone = (uint8_t)zone;
}

static void parse_type(struct step_parser *p, struct step_word w,
		       const struct arg_kind *k, struct step_cmd *c)
{
	int i = word_among(p, w, k->what,
			   k->letter == 'a' ? alloc_types : type_names);

	c->type = (uint8_t)(i < 0 ? 0 : i);
}

static void parse_choice(struct step_parser *p, struct step_word w,
			 const struct arg_kind *k, struct step_cmd *c)
{
	int i = word_among(p, w, k->what,
			   k->letter == 's' ? on_off : on_off_all);

	c->choice = (uint8_t)(i < 0 ? 0 : i);
}

static void store_word(struct step_parser *p, struct step_cmd *c, uint64_t n)
{
	struct step_script *sc = p->script;

	if (sc->nr_words == sc->max_words) {
		size_t max = sc->max_words ? sc->max_words * 2 : 64;
		uint64_t *grown = realloc(sc->words, max * sizeof(*grown));

		if (!grown) {
			step_parse_error(p, c->column, "out of memory");
			return;
		}
		sc->words = grown;
		sc->max_words = max;
	}
	sc->words[sc->nr_words++] = n;
	c->nr_words++;
}

/* All words to the end of the line are random words. */
static void parse_words(struct step_parser *p, struct step_word w,
			const struct arg_kind *k, struct step_cmd *c)
{
	c->first_word = (uint32_t)p->script->nr_words;
	for (; w.len && !p->failed; w = step_next_word(p))
		store_word(p, c, word_in_range(p, w, k->what, 0, UINT64_MAX));
}

/* `off`, BATCH HIGH or BATCH MIN MAX. */
static void parse_pcp(struct step_parser *p, struct step_word w,
		      const struct arg_kind *k, struct step_cmd *c)
{
	if (step_word_is(w, "off")) {
		c->nr_numbers = 0;
		return;
	}
	for (; w.len && !p->failed && c->nr_numbers < 3; w = step_next_word(p))
		parse_number(p, w, k, c);
	if (!p->failed && c->nr_numbers < 2)
		step_parse_error(p, w.column, "high is missing: %s",
				 c->def->usage);
	else if (!p->failed && w.len)
		step_parse_error(p, w.column, "too many words: %s",
				 c->def->usage);
}

static const struct arg_kind arg_kinds[] = {
	{ 'k', "kernel", 0, 0, parse_profile },
	{ 'Z', "zone name", 0, 0, parse_zone_type },
	{ 'f', "requesting zone", 0, 0, parse_zone_type },
	{ 'z', "zone", 0, 0, parse_zone },
	{ 'p', "first page frame", 0, STEP_MAX_PFN - 1, parse_number },
	{ 'e', "end page frame", 1, STEP_MAX_PFN, parse_number },
	{ 'o', "order", 0, MAX_PAGE_ORDER, parse_order },
	{ 't', "type", 0, 0, parse_type },
	{ 'a', "type", 0, 0, parse_type },
	{ 'b', "pageblock", 0, STEP_MAX_PFN >> 9, parse_number },
	{ 'n', "page count", 0, UINT32_MAX, parse_number },
	{ 'c', "number of CPUs", 1, ALLOC_MAX_CPUS, parse_number },
	{ 'x', "pageblock order", 9, 10, parse_number },
	{ 's', "switch", 0, 0, parse_choice },
	{ 'v', "switch", 0, 0, parse_choice },
	{ 'w', "random word", 0, 0, parse_words },
	{ 'P', "batch or high", 0, 1u << 20, parse_pcp },
};

static const struct arg_kind *find_kind(char letter)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(arg_kinds); i++)
		if (arg_kinds[i].letter == letter)
			return &arg_kinds[i];
	CHECK_MSG(false, "no argument kind '%c'", letter);
	return NULL;
}

/* ---- options ---- */

struct option_kind {
	const char *name;         /* with the '=' if a value follows */
	uint32_t bit;
	uint64_t min, max;
};

static const struct option_kind option_kinds[] = {
	{ "cpu=", STEP_OPT_CPU, 0, ALLOC_MAX_CPUS - 1 },
	{ "zone=", STEP_OPT_ZONE, 0, 0 },
	{ "order=", STEP_OPT_ORDER, 0, MAX_PAGE_ORDER },
	{ "capacity=", STEP_OPT_CAPACITY, 1, STEP_MAX_CAPACITY },
	{ "batches=", STEP_OPT_BATCHES, 1, UINT32_MAX },
	{ "buddy", STEP_OPT_BUDDY, 0, 0 },
	{ "nofragment", STEP_OPT_NOFRAGMENT, 0, 0 },
	{ "highatomic", STEP_OPT_HIGHATOMIC, 0, 0 },
};

static bool option_matches(const struct option_kind *o, struct step_word w)
{
	size_t len = strlen(o->name);

	if (o->name[len - 1] != '=')
		return step_word_is(w, o->name);
	return w.len >= len && memcmp(w.text, o->name, len) == 0;
}

static void parse_option_value(struct step_parser *p, struct step_word w,
			       const struct option_kind *o, struct step_cmd *c)
{
	static const struct arg_kind zone = { 'z', "zone", 0, 0, parse_zone };
	size_t len = strlen(o->name);
	char what[16];
	uint64_t n;

	w.text += len;
	w.len -= len;
	w.column += (unsigned int)len;
	if (o->bit == STEP_OPT_ZONE) {
		parse_zone(p, w, &zone, c);
		return;
	}
	snprintf(what, sizeof(what), "%.*s", (int)len - 1, o->name);
	n = word_in_range(p, w, what, o->min, o->max);
	switch (o->bit) {
	case STEP_OPT_CPU:
		c->cpu = (uint32_t)n;
		break;
	case STEP_OPT_ORDER:
		c->order = (uint8_t)n;
		break;
	case STEP_OPT_CAPACITY:
		c->capacity = (uint32_t)n;
		break;
	default:
		c->batches = (uint32_t)n;
	}
}

static void unknown_option(struct step_parser *p, struct step_word w,
			   const struct step_cmd *c)
{
	const char *names[ARRAY_SIZE(option_kinds) + 1];
	size_t i, nr = 0;

	for (i = 0; i < ARRAY_SIZE(option_kinds); i++)
		if (c->def->options & option_kinds[i].bit)
			names[nr++] = option_kinds[i].name;
	names[nr] = NULL;
	if (nr)
		step_unknown_word(p, w, "option", names);
	else
		step_parse_error(p, w.column, "too many words: %s",
				 c->def->usage);
}

static const struct option_kind *find_option(struct step_word w,
					     uint32_t accepted)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(option_kinds); i++)
		if ((accepted & option_kinds[i].bit) &&
		    option_matches(&option_kinds[i], w))
			return &option_kinds[i];
	return NULL;
}

static void parse_option(struct step_parser *p, struct step_word w,
			 struct step_cmd *c)
{
	const struct option_kind *o = find_option(w, c->def->options);
	int zone = find_zone(&p->script->cfg, w);

	if (!o && (c->def->options & STEP_OPT_ZONE) && zone >= 0) {
		c->zone = (uint8_t)zone;
		c->options |= STEP_OPT_ZONE;
		return;
	}
	if (!o) {
		unknown_option(p, w, c);
		return;
	}
	if (c->options & o->bit)
		step_parse_error(p, w.column, "'%s' is given twice", o->name);
	c->options |= o->bit;
	if (strchr(o->name, '='))
		parse_option_value(p, w, o, c);
}

void step_parse_args(struct step_parser *p, struct step_cmd *c)
{
	const char *arg;
	struct step_word w;

	for (arg = c->def->args; *arg && !p->failed; arg++) {
		const struct arg_kind *k = find_kind(*arg);

		w = step_next_word(p);
		if (!w.len && *arg != 'w') {
			step_parse_error(p, w.column, "%s is missing: %s",
					 k->what, c->def->usage);
			return;
		}
		k->parse(p, w, k, c);
	}
	if (strchr(c->def->args, 'w') || strchr(c->def->args, 'P'))
		return;
	while (!p->failed && (w = step_next_word(p)).len)
		parse_option(p, w, c);
}
