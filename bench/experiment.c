/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sections of an experiment file become settings: those of the base, those of
 * each variant, and those of the command line, which win over both.
 */
#include "bench/experiment.h"

#include <errno.h>
#include <string.h>

#define NAME_MAX_LENGTH 60

static const char *const section_types[] = {
	"experiment", "guest", "host", "reporter", "phase", "event", "inject",
	"variant", NULL
};

static struct setting *new_setting(struct experiment *e, const char *key,
				   const char *value)
{
	struct setting *s = arena_alloc(&e->arena, sizeof(*s));

	if (s) {
		s->key = key;
		s->value = value;
		s->dir = "";
	}
	return s;
}

/* A setting as an entry of a file has it, its kind still to be filled in. */
static struct setting *entry_setting(struct experiment *e,
				     const struct ini_entry *entry)
{
	struct setting *s = new_setting(e, entry->key, entry->value);

	if (s) {
		s->key_at = entry->key_at;
		s->value_at = entry->value_at;
		s->dir = e->ini.sources[entry->key_at.source].dir;
	}
	return s;
}

static bool is_name(const char *name, const char *more)
{
	for (; *name; name++) {
		const char c = *name;

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') && !strchr(more, c))
			return false;
	}
	return true;
}

static int section_index(const char *type)
{
	int i;

	for (i = 0; section_types[i]; i++)
		if (!strcmp(section_types[i], type))
			return i;
	return -1;
}

struct experiment_phase *experiment_named(const struct experiment *e,
					  enum section_kind kind,
					  unsigned int *nr)
{
	switch (kind) {
	case SECTION_EVENT:
		*nr = e->nr_events;
		return (struct experiment_phase *)(uintptr_t)e->events;
	case SECTION_INJECT:
		*nr = e->nr_injects;
		return (struct experiment_phase *)(uintptr_t)e->injects;
	default:
		*nr = e->nr_phases;
		return (struct experiment_phase *)(uintptr_t)e->phases;
	}
}

const char *experiment_section(const struct experiment *e,
			       enum section_kind kind, unsigned int nr,
			       char *out, size_t out_size)
{
	unsigned int n;

	if (schema_is_named(kind))
		snprintf(out, out_size, "%s.%s", schema_section_name(kind),
			 experiment_named(e, kind, &n)[nr].name);
	else
		snprintf(out, out_size, "%s", schema_section_name(kind));
	return out;
}

/* The section of this kind called name[0..len), or -1. */
static int find_named(const struct experiment *e, enum section_kind kind,
		      const char *name, size_t len)
{
	const struct experiment_phase *p;
	unsigned int i, nr;

	p = experiment_named(e, kind, &nr);
	for (i = 0; i < nr; i++)
		if (strlen(p[i].name) == len && !memcmp(p[i].name, name, len))
			return (int)i;
	return -1;
}

static void unknown_section(struct experiment *e, struct diag *d,
			    const struct ini_section *sec)
{
	const char *near = diag_nearest(sec->type, section_types);

	ini_error(&e->ini, d, sec->at, "unknown section [%s]%s%s%s allowed "
		  "are experiment, guest, host, reporter, phase NAME, "
		  "event NAME, inject NAME, variant NAME", sec->type,
		  near ? "; did you mean [" : "",
		  near ? near : "", near ? "]?" : ";");
}

/* Does the header have a name where one is needed, and only there? */
static bool check_header(struct experiment *e, struct diag *d,
			 const struct ini_section *sec, bool named,
			 const char *more)
{
	if (named && !sec->name[0])
		ini_error(&e->ini, d, sec->at, "section [%s] needs a name: "
			  "[%s NAME]", sec->type, sec->type);
	else if (!named && sec->name[0])
		ini_error(&e->ini, d, sec->at, "section [%s] takes no name, "
			  "but '%s' stands there", sec->type, sec->name);
	else if (strlen(sec->name) > NAME_MAX_LENGTH)
		ini_error(&e->ini, d, sec->at, "a name of %zu characters; at "
			  "most %d are allowed", strlen(sec->name),
			  NAME_MAX_LENGTH);
	else if (!is_name(sec->name, more))
		ini_error(&e->ini, d, sec->at, "'%s' is not a name; allowed "
			  "are letters, digits and any of %s", sec->name, more);
	else
		return true;
	return false;
}

static int add_base(struct experiment *e, const struct ini_section *sec,
		    enum section_kind kind)
{
	const struct ini_entry *entry;
	struct setting *s;

	for (entry = sec->entries; entry; entry = entry->next) {
		s = entry_setting(e, entry);
		if (!s)
			return -ENOMEM;
		s->kind = kind;
		s->phase = 0;
		if (schema_is_named(kind)) {
			experiment_named(e, kind, &s->phase);
			s->phase--;
		}
		setting_append(&e->base, s);
	}
	return 0;
}

_Static_assert(EXPERIMENT_MAX_PHASES == SIM_MAX_EVENTS &&
	       SIM_MAX_EVENTS == SIM_MAX_INJECTIONS, "one limit for all");

static int add_named(struct experiment *e, struct diag *d,
		     const struct ini_section *sec, enum section_kind kind)
{
	unsigned int *count = kind == SECTION_EVENT ? &e->nr_events :
			      kind == SECTION_INJECT ? &e->nr_injects :
						       &e->nr_phases;
	struct experiment_phase *p;
	unsigned int nr;

	if (!check_header(e, d, sec, true, "_-"))
		return 0;
	p = experiment_named(e, kind, &nr);
	if (nr == EXPERIMENT_MAX_PHASES) {
		ini_error(&e->ini, d, sec->at, "more than %d %ss",
			  EXPERIMENT_MAX_PHASES, schema_section_name(kind));
		return 0;
	}
	p[nr] = (struct experiment_phase){ .name = sec->name, .at = sec->at };
	if (kind == SECTION_PHASE)
		e->schema.phases[nr] = sec->name;
	++*count;
	return add_base(e, sec, kind);
}

static int add_variant(struct experiment *e, const char *name,
		       struct ini_place at)
{
	struct experiment_variant *v = arena_alloc(&e->arena, sizeof(*v));

	if (!v)
		return -ENOMEM;
	v->name = name;
	v->at = at;
	v->selected = true;
	setting_list_init(&v->own);
	*e->variants_tail = v;
	e->variants_tail = &v->next;
	return 0;
}

/* All sections but the settings of variants, which may name later phases. */
static int read_sections(struct experiment *e, struct diag *d)
{
	const struct ini_section *sec;
	int kind, err = 0;

	for (sec = e->ini.sections; sec && !err; sec = sec->next) {
		kind = section_index(sec->type);
		if (kind < 0)
			unknown_section(e, d, sec);
		else if (kind < NR_SECTION_KINDS &&
			 schema_is_named((enum section_kind)kind))
			err = add_named(e, d, sec, (enum section_kind)kind);
		else if (kind < NR_SECTION_KINDS)
			err = check_header(e, d, sec, false, "") ?
				add_base(e, sec, (enum section_kind)kind) : 0;
		else if (check_header(e, d, sec, true, "_-+."))
			err = add_variant(e, sec->name, sec->at);
	}
	if (!err && !e->variants)
		err = add_variant(e, "default", (struct ini_place){ 0 });
	if (!err && !e->nr_phases && !d->nr_errors)
		diag_error(d, (struct diag_place){ .file = e->path },
			   "no [phase NAME]; at least one is needed");
	return err;
}

static void bad_name(struct experiment *e, struct diag *d, struct setting *s,
		      const char *name, size_t len)
{
	const char *names[EXPERIMENT_MAX_PHASES + 1] = { 0 };
	const struct experiment_phase *p;
	char word[64];
	const char *near;
	unsigned int i, nr;

	p = experiment_named(e, s->kind, &nr);
	for (i = 0; i < nr; i++)
		names[i] = p[i].name;
	snprintf(word, sizeof(word), "%.*s", (int)len, name);
	near = diag_nearest(word, names);
	setting_key_error(s, &e->ini, d, "there is no [%s %s]%s%s%s",
			  schema_section_name(s->kind), word,
			  near ? "; did you mean '" : "", near ? near : "",
			  near ? "'?" : "");
}

static void bad_target(struct experiment *e, struct diag *d, struct setting *s)
{
	char word[64];
	const char *near;

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(s->key, "."),
		 s->key);
	near = diag_nearest(word, section_types);
	/* `variant` is a section, but not one whose keys can be set. */
	if (near && !strcmp(near, word))
		near = NULL;
	if (!strchr(s->key, '.'))
		setting_key_error(s, &e->ini, d, "'%s' is not of the form "
				  "section.key or phase.NAME.key", s->key);
	else
		setting_key_error(s, &e->ini, d, "unknown section '%s'%s%s%s",
				  word, near ? "; did you mean '" : "",
				  near ? near : "", near ? "'?" : "");
}

/* Resolve the dotted key of *s. False, with a message, if it is none. */
static bool set_target(struct experiment *e, struct diag *d, struct setting *s)
{
	const char *dot = strchr(s->key, '.'), *name, *end;
	int kind, phase;
	char word[16];

	snprintf(word, sizeof(word), "%.*s", dot ? (int)(dot - s->key) : 0,
		 s->key);
	kind = section_index(word);
	if (!dot || kind < 0 || kind >= NR_SECTION_KINDS) {
		bad_target(e, d, s);
		return false;
	}
	s->kind = (enum section_kind)kind;
	if (schema_is_named(s->kind)) {
		name = dot + 1;
		end = strchr(name, '.');
		if (!end) {
			setting_key_error(s, &e->ini, d, "'%s' is not of the "
					  "form %s.NAME.key", s->key, word);
			return false;
		}
		phase = find_named(e, s->kind, name, (size_t)(end - name));
		if (phase < 0) {
			bad_name(e, d, s, name, (size_t)(end - name));
			return false;
		}
		s->phase = (unsigned int)phase;
		dot = end;
	}
	s->key = dot + 1;
	return true;
}

static struct experiment_variant *find_variant(struct experiment *e,
					       const char *name)
{
	struct experiment_variant *v;

	for (v = e->variants; v; v = v->next)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

static int read_variants(struct experiment *e, struct diag *d)
{
	const struct ini_section *sec;
	const struct ini_entry *entry;
	struct experiment_variant *v;
	struct setting *s;

	for (sec = e->ini.sections; sec; sec = sec->next) {
		v = strcmp(sec->type, "variant") ? NULL :
		    find_variant(e, sec->name);
		for (entry = v ? sec->entries : NULL; entry;
		     entry = entry->next) {
			s = entry_setting(e, entry);
			if (!s)
				return -ENOMEM;
			if (!set_target(e, d, s))
				continue;
			if (s->kind == SECTION_EXPERIMENT)
				setting_key_error(s, &e->ini, d, "a variant "
					"cannot change [experiment]");
			else
				setting_append(&v->own, s);
		}
	}
	return 0;
}

/* --set wins: over the base, where it takes the place, and over variants. */
static void override(struct experiment *e, struct setting *s)
{
	struct setting *old = setting_find(&e->base, s);
	struct experiment_variant *v;

	for (v = e->variants; v; v = v->next)
		setting_remove(&v->own, s);
	if (!old) {
		setting_append(&e->base, s);
		return;
	}
	s->next = old->next;
	*old = *s;
}

static int add_set(struct experiment *e, struct diag *d, const char *text,
		   const char *option)
{
	const char *equals = strchr(text, '=');
	const char *origin = arena_printf(&e->arena, "%s %s", option, text);
	struct setting *s = new_setting(e, NULL, NULL);

	if (!origin || !s)
		return -ENOMEM;
	s->origin = origin;
	if (!equals) {
		diag_error(d, (struct diag_place){ .file = origin },
			   "'=' is missing; write section.key=value");
		return 0;
	}
	s->key = arena_strndup(&e->arena, text, (size_t)(equals - text));
	s->value = arena_strdup(&e->arena, equals + 1);
	if (!s->key || !s->value)
		return -ENOMEM;
	if (set_target(e, d, s))
		override(e, s);
	return 0;
}

static int apply_request(struct experiment *e,
			 const struct experiment_request *req, struct diag *d)
{
	struct setting *s;
	size_t i;
	int err = 0;

	for (i = 0; i < req->nr_sets && !err; i++)
		err = add_set(e, d, req->sets[i], "--set");
	if (!req->seeds || err)
		return err;
	s = new_setting(e, "seeds", req->seeds);
	if (!s)
		return -ENOMEM;
	s->kind = SECTION_EXPERIMENT;
	s->origin = arena_printf(&e->arena, "--seeds %s", req->seeds);
	if (!s->origin)
		return -ENOMEM;
	override(e, s);
	return 0;
}

static void unknown_variant(struct experiment *e, struct diag *d,
			    const char *name)
{
	const char *names[INI_MAX_SECTIONS + 1] = { 0 };
	struct experiment_variant *v;
	const char *near;
	unsigned int n = 0;

	for (v = e->variants; v && n < INI_MAX_SECTIONS; v = v->next)
		names[n++] = v->name;
	near = diag_nearest(name, names);
	diag_error(d, (struct diag_place){ .file = "--only" },
		   "there is no variant '%s'%s%s%s", name,
		   near ? "; did you mean '" : "", near ? near : "",
		   near ? "'?" : "");
}

static int select_variants(struct experiment *e, const char *only,
			   struct diag *d)
{
	struct experiment_variant *v;
	const char *name;
	size_t len;

	if (!only)
		return 0;
	for (v = e->variants; v; v = v->next)
		v->selected = false;
	for (;; only += len + 1) {
		len = strcspn(only, ",");
		name = arena_strndup(&e->arena, only, len);
		if (!name)
			return -ENOMEM;
		v = find_variant(e, name);
		if (v)
			v->selected = true;
		else
			unknown_variant(e, d, name);
		if (!only[len])
			return 0;
	}
}

static unsigned int list_length(const struct setting_list *l)
{
	const struct setting *s;
	unsigned int n = 0;

	for (s = l->first; s; s = s->next)
		n++;
	return n;
}

/* The base in its order, the variant's values in place, new keys behind. */
static int merge_variant(struct experiment *e, struct experiment_variant *v)
{
	const unsigned int most = list_length(&e->base) + list_length(&v->own);
	struct setting *s, *own;

	v->merged = arena_array(&e->arena, most + 1, sizeof(struct setting *));
	if (!v->merged)
		return -ENOMEM;
	for (s = e->base.first; s; s = s->next) {
		own = setting_find(&v->own, s);
		v->merged[v->nr_merged++] = own ? own : s;
	}
	for (s = v->own.first; s; s = s->next)
		if (!setting_find(&e->base, s))
			v->merged[v->nr_merged++] = s;
	return 0;
}

static int read_all(struct experiment *e, const struct experiment_request *req,
		    struct diag *d)
{
	struct experiment_variant *v;
	int err = read_sections(e, d);

	if (!err)
		err = read_variants(e, d);
	if (!err)
		err = apply_request(e, req, d);
	if (!err)
		err = select_variants(e, req->only, d);
	for (v = e->variants; v && !err; v = v->next)
		err = merge_variant(e, v);
	return err ? err : experiment_check(e, d);
}

int experiment_load(struct experiment *e, const struct experiment_request *req,
		    struct diag *d)
{
	const unsigned int before = d->nr_errors;
	int err, ini_err;

	*e = (struct experiment){ .title = "", .large = req->large };
	if (req->large)
		e->arena.limit = EXPERIMENT_MOST_BYTES;
	e->variants_tail = &e->variants;
	setting_list_init(&e->base);
	schema_init(&e->schema, req->registry);
	e->path = arena_strdup(&e->arena, req->path);
	if (!e->path)
		return -ENOMEM;
	/* After mistakes of form the rest is still looked at. */
	ini_err = req->text ? ini_read_text(&e->ini, &e->arena, req->path,
					    req->text, d) :
			      ini_read(&e->ini, &e->arena, req->path, d);
	if (ini_err && (ini_err != -EINVAL || !e->ini.nr_sources))
		return ini_err;
	err = read_all(e, req, d);
	if (err)
		return err;
	if (d->nr_errors != before)
		return -EINVAL;
	return experiment_plan(e, d);
}

void experiment_free(struct experiment *e)
{
	arena_free(&e->arena);
	*e = (struct experiment){ .title = "" };
}

const struct cell *experiment_cell(const struct experiment *e, const char *id)
{
	size_t i;

	for (i = 0; i < e->nr_cells; i++)
		if (!strcmp(e->cells[i].id, id))
			return &e->cells[i];
	return NULL;
}
