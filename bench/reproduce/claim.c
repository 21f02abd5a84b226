/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reader of prediction files. */
#include "bench/reproduce/claim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAMES 32

static const char *const as_names[] = {
	[AS_VALUE] = "value", [AS_CHANGE] = "change",
	[AS_DIFFERENCE] = "difference", NULL
};

#define Q(member) offsetof(struct quantity_options, member)

static const struct option_desc quantity_descs[] = {
	{ .name = "variant", .type = OPTION_STRING, .offset = Q(variant),
	  .def = "", .unit = "", .help = "Variant whose cells count." },
	{ .name = "against", .type = OPTION_STRING, .offset = Q(against),
	  .def = "", .unit = "", .help = "Variant to compare with." },
	{ .name = "where", .type = OPTION_STRING, .offset = Q(where),
	  .def = "", .unit = "",
	  .help = "Options that its cells have, key=value." },
	{ .name = "phase", .type = OPTION_STRING, .offset = Q(phase),
	  .def = "", .unit = "",
	  .help = "Phase that is looked at; run: all of them." },
	{ .name = "metric", .type = OPTION_STRING, .offset = Q(metric),
	  .def = "iterations_per_s", .unit = "",
	  .help = "Metric or counter." },
	{ .name = "as", .type = OPTION_NAME, .offset = Q(as),
	  .names = as_names, .def = "value", .unit = "",
	  .help = "The value, its change against another variant in percent, "
		  "or the difference to it." },
	{ .name = "divide", .type = OPTION_STRING, .offset = Q(divide),
	  .def = "1", .unit = "", .help = "What the value is divided by." },
	{ .name = "unit", .type = OPTION_STRING, .offset = Q(unit),
	  .def = "", .unit = "", .help = "Printed behind the value." },
	{ .name = "decimals", .type = OPTION_UINT, .offset = Q(decimals),
	  .max = 9, .def = "2", .unit = "", .help = "Digits printed." },
	{ .name = "interval", .type = OPTION_BOOL, .offset = Q(interval),
	  .def = "off", .unit = "",
	  .help = "Find out how far the prices may move it." },
	{ .name = "walk", .type = OPTION_STRING, .offset = Q(walk),
	  .def = "", .unit = "",
	  .help = "No cells: references of a page walk, levels of guest and "
		  "host." },
	{ .name = NULL },
};

const struct option_table quantity_table = {
	.descs = quantity_descs, .size = sizeof(struct quantity_options),
};

int claim_number(const char *text, double *out)
{
	const size_t sign = *text == '-' || *text == '+';
	const size_t digits = strspn(text + sign, "0123456789");
	size_t end = sign + digits;

	if (text[end] == '.')
		end += 1 + strspn(text + end + 1, "0123456789");
	if (!digits || end > 30 || text[end])
		return -EINVAL;
	/* No locale is set: the point is a point. */
	*out = strtod(text, NULL);
	return 0;
}

void claim_options(const struct ini *ini, const struct ini_section *s,
		   const struct option_table *t, void *base, struct diag *d)
{
	const char *names[MAX_NAMES], *near;
	char why[300];

	option_defaults(t, base);
	option_names(t, names, MAX_NAMES);
	for (const struct ini_entry *e = s->entries; e; e = e->next) {
		const struct option_desc *o = option_find(t, e->key);

		if (!o) {
			near = diag_nearest(e->key, names);
			ini_error(ini, d, e->key_at, "unknown key '%s'%s%s%s",
				  e->key, near ? "; did you mean '" : "",
				  near ? near : "", near ? "'?" : "");
		} else if (option_parse(o, e->value, base, why, sizeof(why))) {
			ini_error(ini, d, e->value_at, "%s", why);
		}
	}
}

/* "tasks=16 workload=page_fault1" */
static int parse_where(struct claim *c, struct quantity *q)
{
	char *text = arena_strdup(&c->arena, q->o.where), *save, *word, *eq;

	if (!text)
		return -ENOMEM;
	for (word = strtok_r(text, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		eq = strchr(word, '=');
		if (!eq || q->nr_where == MAX_WHERE)
			return -EINVAL;
		*eq = '\0';
		q->where[q->nr_where++] = (struct result_text){ word, eq + 1 };
	}
	return 0;
}

static int parse_walk(struct quantity *q)
{
	const char *t = q->o.walk;

	if (!*t)
		return 0;
	if (strlen(t) != 3 || t[1] != ' ' || t[0] < '3' || t[0] > '5' ||
	    (t[2] != '0' && (t[2] < '2' || t[2] > '5')))
		return -EINVAL;
	q->walk_guest = (unsigned int)(t[0] - '0');
	q->walk_host = (unsigned int)(t[2] - '0');
	return 0;
}

static void read_quantity(struct claim *c, const struct ini_section *s,
			  struct diag *d)
{
	struct quantity *q = &c->quantities[c->nr_quantities++];

	q->name = s->name;
	q->at = s->at;
	claim_options(&c->ini, s, &quantity_table, &q->o, d);
	if (!*q->name)
		ini_error(&c->ini, d, s->at, "a quantity has a name: "
			  "[quantity NAME]");
	if (parse_where(c, q))
		ini_error(&c->ini, d, s->at, "'where = %s' is not up to %d "
			  "words of the form key=value", q->o.where, MAX_WHERE);
	if (claim_number(q->o.divide, &q->divide) || q->divide <= 0)
		ini_error(&c->ini, d, s->at, "'divide = %s' is not a number "
			  "above 0", q->o.divide);
	if (parse_walk(q))
		ini_error(&c->ini, d, s->at, "'walk = %s' is not levels of "
			  "guest and host, e.g. '4 3', or '4 0' for no guest",
			  q->o.walk);
	if (!*q->o.walk && !*q->o.variant)
		ini_error(&c->ini, d, s->at, "quantity %s says neither "
			  "'variant' nor 'walk'", q->name);
	if ((q->o.as == AS_VALUE) != !*q->o.against)
		ini_error(&c->ini, d, s->at, "quantity %s: 'against' belongs "
			  "to 'as = change' and 'as = difference'", q->name);
}

static int parse_percent(const char *text, double *out)
{
	char number[32];
	const size_t len = strlen(text);

	if (len < 2 || len >= sizeof(number) || text[len - 1] != '%')
		return -EINVAL;
	memcpy(number, text, len - 1);
	number[len - 1] = '\0';
	if (claim_number(number, out) || *out <= 0)
		return -EINVAL;
	*out /= 100.0;
	return 0;
}

static void read_price_key(struct claim *c, const struct ini_entry *e,
			   struct price_range *p, struct diag *d)
{
	if (!strcmp(e->key, "reason"))
		p->reason = e->value;
	else if (strcmp(e->key, "low") != 0 && strcmp(e->key, "high") != 0)
		ini_error(&c->ini, d, e->key_at, "unknown key '%s'; low, high "
			  "and reason are known", e->key);
	else if (parse_percent(e->value, e->key[0] == 'l' ? &p->low : &p->high))
		ini_error(&c->ini, d, e->value_at, "'%s' is not a part of the "
			  "price, e.g. 75%%", e->value);
}

static void read_price(struct claim *c, const struct ini_section *s,
		       struct diag *d)
{
	struct price_range *p = &c->prices[c->nr_prices++];
	unsigned int i = 0;

	while (i < NR_PRICES &&
	       strcmp(price_name((enum price_id)i), s->name) != 0)
		i++;
	if (i == NR_PRICES)
		ini_error(&c->ini, d, s->at, "unknown price '%s'", s->name);
	else
		p->price = (enum price_id)i;
	for (const struct ini_entry *e = s->entries; e; e = e->next)
		read_price_key(c, e, p, d);
	if (p->low <= 0 || p->high < p->low || !p->reason)
		ini_error(&c->ini, d, s->at, "a price has 'low', 'high' (at "
			  "least low) and 'reason'");
}

static void read_head(struct claim *c, const struct ini_section *s,
		      struct diag *d)
{
	for (const struct ini_entry *e = s->entries; e; e = e->next) {
		if (!strcmp(e->key, "title"))
			c->title = e->value;
		else if (!strcmp(e->key, "only"))
			c->only = e->value;
		else if (!strcmp(e->key, "experiment"))
			c->experiment = path_from(&c->arena,
				c->ini.sources[e->value_at.source].dir,
				e->value);
		else
			ini_error(&c->ini, d, e->key_at, "unknown key '%s'; "
				  "title, experiment and only are known",
				  e->key);
	}
}

static void check_claim(const struct claim *c, const char *path,
			struct diag *d)
{
	const struct diag_place at = { .file = path };

	if (!c->title)
		diag_error(d, at, "has no [prediction] with a title");
	if (!c->nr_quantities)
		diag_error(d, at, "predicts nothing: it has no [quantity NAME]");
	for (size_t i = 0; i < c->nr_quantities; i++) {
		const struct quantity *q = &c->quantities[i];

		if (!c->experiment && !*q->o.walk)
			ini_error(&c->ini, d, q->at, "quantity %s is of cells, "
				  "and the file names no experiment", q->name);
	}
}

int claim_read(struct claim *c, const char *dir, const char *name,
	       struct diag *d)
{
	const unsigned int before = d->nr_errors;
	const char *path;
	int err;

	*c = (struct claim){ .name = name };
	path = arena_printf(&c->arena, "%s/predictions/%s.ini", dir, name);
	if (!path)
		return -ENOMEM;
	err = ini_read(&c->ini, &c->arena, path, d);
	if (err)
		return err;
	c->quantities = arena_array(&c->arena, c->ini.nr_sections + 1,
				    sizeof(*c->quantities));
	c->prices = arena_array(&c->arena, c->ini.nr_sections + 1,
				sizeof(*c->prices));
	if (!c->quantities || !c->prices)
		return -ENOMEM;
	for (const struct ini_section *s = c->ini.sections; s; s = s->next) {
		if (!strcmp(s->type, "prediction"))
			read_head(c, s, d);
		else if (!strcmp(s->type, "quantity"))
			read_quantity(c, s, d);
		else if (!strcmp(s->type, "price"))
			read_price(c, s, d);
		else
			ini_error(&c->ini, d, s->at, "unknown section [%s]; "
				  "prediction, quantity and price are known",
				  s->type);
	}
	check_claim(c, path, d);
	return d->nr_errors == before ? 0 : -EINVAL;
}

void claim_free(struct claim *c)
{
	arena_free(&c->arena);
	*c = (struct claim){ 0 };
}
