/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reader of published values. */
#include <errno.h>
#include <string.h>

#include "bench/reproduce/score.h"

#define MAX_ORDER 32

struct row_options {
	char value[OPTION_STRING_SIZE], spread[OPTION_STRING_SIZE];
	char judge[OPTION_STRING_SIZE], title[OPTION_STRING_SIZE];
};

#define R(member) offsetof(struct row_options, member)

static const struct option_desc row_descs[] = {
	{ .name = "value", .type = OPTION_STRING, .offset = R(value),
	  .def = "", .unit = "", .help = "What was published." },
	{ .name = "spread", .type = OPTION_STRING, .offset = R(spread),
	  .def = "0", .unit = "",
	  .help = "Published deviation of the value, in its unit." },
	{ .name = "judge", .type = OPTION_STRING, .offset = R(judge),
	  .def = "shown", .unit = "",
	  .help = "interval, band N, band N%, range LOW HIGH, exact, shown or "
		  "calibrated." },
	{ .name = "title", .type = OPTION_STRING, .offset = R(title),
	  .def = "", .unit = "", .help = "In the table, for the name." },
	{ .name = NULL },
};

static const struct option_table row_table = {
	.descs = row_descs, .size = sizeof(struct row_options),
};

static int parse_band(struct published_row *r, char *text)
{
	const size_t len = strlen(text);

	r->judge = JUDGE_BAND;
	if (len && text[len - 1] == '%') {
		text[len - 1] = '\0';
		r->judge = JUDGE_BAND_SHARE;
	}
	return claim_number(text, &r->band) || r->band < 0 ? -EINVAL : 0;
}

static int parse_range(struct published_row *r, char *text)
{
	char *second = strchr(text, ' ');

	r->judge = JUDGE_RANGE;
	if (!second)
		return -EINVAL;
	*second++ = '\0';
	if (claim_number(text, &r->low) || claim_number(second, &r->high))
		return -EINVAL;
	return r->low <= r->high ? 0 : -EINVAL;
}

static int parse_judge(struct published_row *r, const char *written)
{
	static const struct {
		const char *word;
		enum judge judge;
	} plain[] = {
		{ "shown", JUDGE_SHOWN }, { "calibrated", JUDGE_CALIBRATED },
		{ "interval", JUDGE_INTERVAL }, { "exact", JUDGE_EXACT },
	};
	char text[OPTION_STRING_SIZE];

	snprintf(text, sizeof(text), "%s", written);
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (!strcmp(text, plain[i].word)) {
			r->judge = plain[i].judge;
			return 0;
		}
	if (!strncmp(text, "band ", 5))
		return parse_band(r, text + 5);
	if (!strncmp(text, "range ", 6))
		return parse_range(r, text + 6);
	return -EINVAL;
}

static void read_row(struct published *p, const struct ini_section *s,
		     struct diag *d)
{
	struct published_row *r = &p->rows[p->nr_rows++];
	struct row_options o;

	r->name = s->name;
	r->at = s->at;
	claim_options(&p->ini, s, &row_table, &o, d);
	r->title = arena_strdup(&p->arena, *o.title ? o.title : s->name);
	r->has_value = *o.value;
	if (r->has_value && claim_number(o.value, &r->value))
		ini_error(&p->ini, d, s->at, "'value = %s' is not a number",
			  o.value);
	if (claim_number(o.spread, &r->spread) || r->spread < 0)
		ini_error(&p->ini, d, s->at, "'spread = %s' is not a number "
			  "from 0", o.spread);
	if (parse_judge(r, o.judge))
		ini_error(&p->ini, d, s->at, "'judge = %s' is none of "
			  "interval, band N, band N%%, range LOW HIGH, exact, "
			  "shown, calibrated", o.judge);
	else if (!r->has_value && r->judge != JUDGE_RANGE &&
		 r->judge != JUDGE_SHOWN)
		ini_error(&p->ini, d, s->at, "row %s is judged by a value that "
			  "it does not give", s->name);
}

/* rows = first > second > third */
static void read_order(struct published *p, const struct ini_section *s,
		       struct diag *d)
{
	struct published_order *o = &p->orders[p->nr_orders++];
	const struct ini_entry *e = s->entries;
	char *text, *word, *save;

	o->name = s->name;
	o->at = s->at;
	o->rows = arena_array(&p->arena, MAX_ORDER, sizeof(*o->rows));
	text = arena_strdup(&p->arena, e ? e->value : "");
	if (!o->rows || !text)
		return;
	if (!e || e->next || strcmp(e->key, "rows") != 0) {
		ini_error(&p->ini, d, s->at, "an order has one key, 'rows = "
			  "greatest > next > ...'");
		return;
	}
	for (word = strtok_r(text, " >", &save); word && o->nr < MAX_ORDER;
	     word = strtok_r(NULL, " >", &save))
		o->rows[o->nr++] = word;
	if (word || o->nr < 2)
		ini_error(&p->ini, d, e->value_at, "an order has 2 to %d rows",
			  MAX_ORDER);
}

/* "note", "note2", "note3" make one text: a line of a file is short. */
static bool take_text(struct published *p, const struct ini_entry *e,
		      const char *key, const char **text)
{
	const size_t len = strlen(key);

	if (strncmp(e->key, key, len) != 0 ||
	    strspn(e->key + len, "0123456789") != strlen(e->key + len))
		return false;
	*text = *text ? arena_printf(&p->arena, "%s %s", *text, e->value) :
			e->value;
	return true;
}

static void read_head(struct published *p, const struct ini_section *s,
		      struct diag *d)
{
	for (const struct ini_entry *e = s->entries; e; e = e->next)
		if (!take_text(p, e, "source", &p->source) &&
		    !take_text(p, e, "calibrated", &p->calibrated) &&
		    !take_text(p, e, "note", &p->note))
			ini_error(&p->ini, d, e->key_at, "unknown key '%s'; "
				  "source, calibrated and note are known",
				  e->key);
}

static int read_sections(struct published *p, struct diag *d)
{
	const size_t nr = p->ini.nr_sections + 1;

	p->rows = arena_array(&p->arena, nr, sizeof(*p->rows));
	p->orders = arena_array(&p->arena, nr, sizeof(*p->orders));
	if (!p->rows || !p->orders)
		return -ENOMEM;
	for (const struct ini_section *s = p->ini.sections; s; s = s->next) {
		if (!strcmp(s->type, "published"))
			read_head(p, s, d);
		else if (!strcmp(s->type, "row"))
			read_row(p, s, d);
		else if (!strcmp(s->type, "order"))
			read_order(p, s, d);
		else
			ini_error(&p->ini, d, s->at, "unknown section [%s]; "
				  "published, row and order are known",
				  s->type);
	}
	return 0;
}

int published_read(struct published *p, const char *dir, const char *name,
		   struct diag *d)
{
	const unsigned int before = d->nr_errors;
	const char *path;
	int err;

	*p = (struct published){ 0 };
	path = arena_printf(&p->arena, "%s/published/%s.ini", dir, name);
	if (!path)
		return -ENOMEM;
	err = ini_read(&p->ini, &p->arena, path, d);
	if (!err)
		err = read_sections(p, d);
	if (err)
		return err;
	if (!p->source || !p->calibrated)
		diag_error(d, (struct diag_place){ .file = path },
			   "[published] says the 'source', and in 'calibrated' "
			   "which values the model has seen");
	return d->nr_errors == before ? 0 : -EINVAL;
}

void published_free(struct published *p)
{
	arena_free(&p->arena);
	*p = (struct published){ 0 };
}
