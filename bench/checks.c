/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and values of an experiment, against the tables of every member that a
 * variant may choose: an axis or a variant may change the design, and a key of
 * the base may be meant for one of them only. A key that none of them has is
 * an error; one that a variant sets must be known to that variant's own.
 */
#include "bench/experiment.h"

#include <errno.h>
#include <string.h>

#include "include/check.h"

#define SCRATCH_BYTES 8192

/* One variant's setting under inspection. */
struct inspection {
	struct experiment *e;
	struct experiment_variant *v;
	struct diag *d;
};

static const struct setting *find_merged(const struct experiment_variant *v,
					 enum section_kind kind,
					 unsigned int phase, const char *key)
{
	unsigned int i;

	for (i = 0; i < v->nr_merged; i++) {
		const struct setting *s = v->merged[i];

		if (s->kind == kind && !strcmp(s->key, key) &&
		    (!schema_is_named(kind) || s->phase == phase))
			return s;
	}
	return NULL;
}

uint64_t experiment_members(const struct experiment *e,
			    const struct experiment_variant *v,
			    enum section_kind kind, unsigned int phase)
{
	const char *key = schema_chooser(kind);
	const struct setting *s = key ? find_merged(v, kind, phase, key) : NULL;
	const struct option_desc *o = key ?
		option_find(&e->schema.head[kind], key) : NULL;
	struct reporter_choice choice = { 0 };
	uint64_t members = 0;
	unsigned int i;
	char why[400];

	if (!o)
		return 1;
	if (!s && o->def)
		return 1;  /* the first one is the default */
	for (i = 0; s && i < s->nr_items; i++)
		if (!option_parse(o, s->items[i].text, &choice, why,
				  sizeof(why)))
			members |= UINT64_C(1) << choice.member;
	return members;
}

/* Parse every item of s as option o; messages at the item. */
static void check_values(struct inspection *x, struct setting *s,
			 const struct option_table *t,
			 const struct option_desc *o)
{
	_Alignas(16) char scratch[SCRATCH_BYTES];
	/* A design that is not here may be one of the user's own. */
	const bool design = s->kind == SECTION_REPORTER &&
			    o->type == OPTION_NAME &&
			    !strcmp(s->key, schema_chooser(s->kind));
	unsigned int i;
	char why[400];

	CHECK_LE(t->size, sizeof(scratch));
	for (i = 0; i < s->nr_items; i++)
		if (option_parse(o, s->items[i].text, scratch, why,
				 sizeof(why)))
			setting_item_error(s, &x->e->ini, x->d, i, "%s: %s%s",
					   s->key, why, design ?
					   "; --reporter-plugin FILE takes "
					   "one from a shared object" : "");
}

static void check_no_axis(struct inspection *x, struct setting *s)
{
	if (s->kind == SECTION_EXPERIMENT && strcmp(s->key, "seeds") != 0 &&
	    s->nr_items > 1)
		setting_key_error(s, &x->e->ini, x->d,
				  "'%s' is one value; it makes no axis", s->key);
}

static int check_as(struct inspection *x, struct setting *s,
		    const struct option_table *t, const struct option_desc *o)
{
	int err;

	s->known = true;
	err = setting_expand(s, o, &x->e->ini, &x->e->arena, x->d);
	if (err)
		return err == -ENOMEM ? err : 0;
	if (!s->failed)
		check_values(x, s, t, o);
	if (!s->failed)
		check_no_axis(x, s);
	return 0;
}

/* Names of fixed keys and of the members' keys, for a suggestion. */
static const char *nearest_key(const struct experiment *e,
			       const struct setting *s, uint64_t members)
{
	const char *names[256];
	size_t n, m;
	unsigned int i;

	n = option_names(&e->schema.head[s->kind], names, 64);
	n += option_names(&e->schema.common[s->kind], names + n, 64);
	for (i = 0; i < schema_nr_members(&e->schema, s->kind); i++) {
		if (!(members & UINT64_C(1) << i) || n > 180)
			continue;
		m = option_names(schema_member(&e->schema, s->kind, i),
				 names + n, 64);
		n += m;
	}
	return diag_nearest(s->key, names);
}

/* A registered member that has the key although nothing chooses it. */
static const char *other_member(const struct experiment *e,
				const struct setting *s)
{
	unsigned int i;

	for (i = 0; i < schema_nr_members(&e->schema, s->kind); i++)
		if (option_find(schema_member(&e->schema, s->kind, i), s->key))
			return schema_member_name(&e->schema, s->kind, i);
	return NULL;
}

static void list_members(const struct experiment *e, enum section_kind kind,
			 uint64_t members, char *out, size_t size)
{
	size_t len = 0;
	unsigned int i;

	out[0] = '\0';
	for (i = 0; i < schema_nr_members(&e->schema, kind); i++) {
		if (!(members & UINT64_C(1) << i) || len >= size)
			continue;
		len += (size_t)snprintf(out + len, size - len, "%s%s",
					len ? ", " : "",
					schema_member_name(&e->schema, kind,
							   i));
	}
}

static void unknown_key(const struct experiment *e, struct diag *d,
			struct setting *s, uint64_t members)
{
	const char *near = nearest_key(e, s, members);
	const char *other = other_member(e, s);
	const char *chooser = schema_chooser(s->kind);
	char section[96], chosen[160];
	unsigned int nr;

	if (schema_is_named(s->kind))
		snprintf(section, sizeof(section), "%s %s",
			 schema_section_name(s->kind),
			 experiment_named(e, s->kind, &nr)[s->phase].name);
	else
		snprintf(section, sizeof(section), "%s",
			 schema_section_name(s->kind));
	if (other) {
		list_members(e, s->kind, members, chosen, sizeof(chosen));
		setting_key_error(s, &e->ini, d, "'%s' is a key of %s %s, but "
				  "[%s] has %s %s", s->key, chooser, other,
				  section, chooser, chosen);
	} else {
		setting_key_error(s, &e->ini, d, "unknown key '%s' in [%s]"
				  "%s%s%s", s->key, section,
				  near ? "; did you mean '" : "",
				  near ? near : "", near ? "'?" : "");
	}
}

static bool is_own(const struct experiment_variant *v, const struct setting *s)
{
	const struct setting *own;

	for (own = v->own.first; own; own = own->next)
		if (own == s)
			return true;
	return false;
}

/* A key that depends on the member that is chosen. */
static int check_family_key(struct inspection *x, struct setting *s)
{
	const struct schema *schema = &x->e->schema;
	const uint64_t members = experiment_members(x->e, x->v, s->kind,
						    s->phase);
	bool known = !members;  /* the choice itself is wrong */
	unsigned int i;
	int err = 0;

	for (i = 0; i < schema_nr_members(schema, s->kind) && !err; i++) {
		const struct option_table *t = schema_member(schema, s->kind,
							     i);
		const struct option_desc *o = option_find(t, s->key);

		if (!(members & UINT64_C(1) << i) || !o)
			continue;
		known = true;
		err = check_as(x, s, t, o);
	}
	s->known |= known;
	if (!known && is_own(x->v, s) && !s->failed)
		unknown_key(x->e, x->d, s, members);
	return err;
}

static int check_fixed_keys(struct inspection *x)
{
	const struct schema *schema = &x->e->schema;
	unsigned int i;
	int err = 0;

	for (i = 0; i < x->v->nr_merged && !err; i++) {
		struct setting *s = x->v->merged[i];
		const struct option_table *t = &schema->head[s->kind];
		const struct option_desc *o = option_find(t, s->key);

		if (!o) {
			t = &schema->common[s->kind];
			o = option_find(t, s->key);
		}
		if (o && !s->known)
			err = check_as(x, s, t, o);
	}
	return err;
}

/* Keys without a default: what a phase, event or injection is. */
static void check_required(struct inspection *x, enum section_kind kind)
{
	struct experiment_phase *p;
	unsigned int i, nr;

	p = experiment_named(x->e, kind, &nr);
	for (i = 0; i < nr; i++, p++) {
		if (p->complained ||
		    find_merged(x->v, kind, i, schema_required(kind)))
			continue;
		p->complained = true;
		ini_error(&x->e->ini, x->d, p->at, "[%s %s] has no '%s'",
			  schema_section_name(kind), p->name,
			  schema_required(kind));
	}
}

static int check_variant(struct experiment *e, struct experiment_variant *v,
			 struct diag *d)
{
	struct inspection x = { e, v, d };
	unsigned int i;
	int err = check_fixed_keys(&x);

	check_required(&x, SECTION_PHASE);
	check_required(&x, SECTION_EVENT);
	check_required(&x, SECTION_INJECT);
	for (i = 0; i < v->nr_merged && !err; i++)
		if (!schema_find_fixed(&e->schema, v->merged[i]->kind,
				       v->merged[i]->key))
			err = check_family_key(&x, v->merged[i]);
	return err;
}

/* The table that has the key: a fixed one, or that of one of the members. */
static const struct option_table *find_table(const struct schema *schema,
					     const struct setting *s,
					     uint64_t members)
{
	const struct option_table *t;
	unsigned int i;

	if (option_find(&schema->head[s->kind], s->key))
		return &schema->head[s->kind];
	if (option_find(&schema->common[s->kind], s->key))
		return &schema->common[s->kind];
	for (i = 0; i < schema_nr_members(schema, s->kind); i++) {
		t = schema_member(schema, s->kind, i);
		if ((members & UINT64_C(1) << i) && option_find(t, s->key))
			return t;
	}
	return NULL;
}

/* Keys of the base that no variant uses: all override them, or none knows. */
static int check_unused(struct experiment *e, struct diag *d)
{
	struct inspection x = { .e = e, .d = d };
	const struct experiment_variant *v;
	const struct option_table *t;
	struct setting *s;
	uint64_t members;
	int err = 0;

	for (s = e->base.first; s && !err; s = s->next) {
		if (s->known || s->failed)
			continue;
		members = 0;
		for (v = e->variants; v; v = v->next)
			members |= experiment_members(e, v, s->kind, s->phase);
		t = find_table(&e->schema, s, members);
		if (t)
			err = check_as(&x, s, t, option_find(t, s->key));
		else
			unknown_key(e, d, s, members);
	}
	return err;
}

int experiment_check(struct experiment *e, struct diag *d)
{
	struct experiment_variant *v;
	int err = 0;

	for (v = e->variants; v && !err; v = v->next)
		err = check_variant(e, v, d);
	return err ? err : check_unused(e, d);
}
