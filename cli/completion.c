/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What completion knows of values and keys; for bash and zsh alike. */
#include "cli/completion.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/profile.h"
#include "bench/bench.h"
#include "cli/commands.h"
#include "cli/registry.h"
#include "replay/rules.h"

static void add(struct complete_value *v, size_t *n, const char *name)
{
	if (*n < COMPLETE_MAX_NAMES)
		v->name[(*n)++] = name;
	v->name[*n] = NULL;
}

static void add_designs(struct complete_value *v)
{
	size_t n = 0;

	for (size_t i = 0; registry.reporters[i]; i++)
		add(v, &n, registry.reporters[i]->name);
}

static void add_workloads(struct complete_value *v)
{
	size_t n = 0;

	for (size_t i = 0; registry.workloads[i]; i++)
		add(v, &n, registry.workloads[i]->name);
}

static void add_kernels(struct complete_value *v)
{
	size_t n = 0;

	for (const char *const *p = alloc_profile_names(); *p; p++)
		add(v, &n, *p);
}

static void add_figures(struct complete_value *v)
{
	size_t n = 0;

	for (const struct figure_desc *f = figure_descs; f->name; f++)
		add(v, &n, f->name);
}

static void add_rules(struct complete_value *v)
{
	size_t n = 0;

	for (const struct replay_rule *r = replay_rules; r->name; r++)
		add(v, &n, r->name);
}

static void add_columns(struct complete_value *v)
{
	const struct column_desc *c;
	size_t n = 0;

	for (size_t i = 0; (c = columns_list(i))->name; i++)
		add(v, &n, c->name);
}

static void add_topics(struct complete_value *v)
{
	const char *name;
	size_t n = 0;

	for (size_t i = 0; (name = list_topic_name(i)); i++)
		add(v, &n, name);
}

/* What a placeholder stands for; those that are not here are free text. */
static const struct placeholder {
	const char *name;
	enum complete_kind kind;
	void (*add)(struct complete_value *v);
} placeholders[] = {
	{ "BASE", COMPLETE_FILE, NULL },
	{ "COLUMNS", COMPLETE_WORDS, add_columns },
	{ "DESIGN", COMPLETE_WORDS, add_designs },
	{ "DIR", COMPLETE_FOLDER, NULL },
	{ "EXP.ini", COMPLETE_FILE, NULL },
	{ "FIGURE", COMPLETE_WORDS, add_figures },
	{ "FILE", COMPLETE_FILE, NULL },
	{ "KEY=VALUE", COMPLETE_KEY, NULL },
	{ "NEW", COMPLETE_FILE, NULL },
	{ "PROFILE", COMPLETE_WORDS, add_kernels },
	{ "RULES", COMPLETE_WORDS, add_rules },
	{ "SCRIPT|-", COMPLETE_FILE, NULL },
	{ "T.blt", COMPLETE_FILE, NULL },
	{ "TRACE", COMPLETE_FILE, NULL },
	{ "WORKLOAD", COMPLETE_WORDS, add_workloads },
	{ "[TOPIC]", COMPLETE_WORDS, add_topics },
	{ "boot|FILE", COMPLETE_FILE, NULL },
};

static void complete_words(struct complete_value *v)
{
	v->kind = COMPLETE_WORDS;
	memcpy(v->name, v->words.name, sizeof(v->words.name));
}

void complete_value(const char *placeholder, struct complete_value *v)
{
	const size_t len = placeholder ? strcspn(placeholder, " ") : 0;

	memset(v, 0, sizeof(*v));
	if (args_words(placeholder, &v->words)) {
		complete_words(v);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(placeholders); i++) {
		const struct placeholder *p = &placeholders[i];

		if (strlen(p->name) != len ||
		    memcmp(p->name, placeholder, len) != 0)
			continue;
		v->kind = p->kind;
		if (p->add)
			p->add(v);
	}
}

static void put_key(complete_key_fn fn, FILE *out, const char *section,
		    const struct option_desc *o)
{
	char key[120], words[400];
	size_t n = 0;

	snprintf(key, sizeof(key), "%s.%s", section, o->name);
	snprintf(words, sizeof(words), "%s",
		 o->type == OPTION_BOOL ? "on off" : "");
	for (size_t i = 0; o->type == OPTION_NAME && o->names[i] &&
	     n + strlen(o->names[i]) + 2 < sizeof(words); i++)
		n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s",
				      i ? " " : "", o->names[i]);
	fn(out, key, words);
}

/* Designs share keys such as `order`. */
static bool seen_before(const struct schema *s, enum section_kind kind,
			unsigned int member, const char *key)
{
	for (unsigned int i = 0; i < member; i++)
		if (option_find(schema_member(s, kind, i), key))
			return true;
	return false;
}

static void put_section(complete_key_fn fn, FILE *out, const struct schema *s,
			enum section_kind kind)
{
	const char *section = schema_section_name(kind);
	const struct option_desc *o;
	unsigned int i;

	for (o = s->head[kind].descs; o->name; o++)
		put_key(fn, out, section, o);
	for (o = s->common[kind].descs; o->name; o++)
		put_key(fn, out, section, o);
	for (i = 0; i < schema_nr_members(s, kind); i++)
		for (o = schema_member(s, kind, i)->descs; o->name; o++)
			if (!seen_before(s, kind, i, o->name))
				put_key(fn, out, section, o);
}

int complete_keys(complete_key_fn fn, FILE *out)
{
	struct schema *s = malloc(sizeof(*s));

	if (!s)
		return -ENOMEM;
	schema_init(s, &registry);
	/* Of named sections the name is the experiment's. */
	for (int i = 0; i < NR_SECTION_KINDS; i++)
		if (!schema_is_named((enum section_kind)i))
			put_section(fn, out, s, (enum section_kind)i);
	free(s);
	return 0;
}
