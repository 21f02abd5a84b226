/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of a random cell: lines that can be added, taken out and changed. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bench/swarm.h"
#include "include/check.h"

void swarm_add(struct swarm_text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	CHECK_LT(t->nr, SWARM_MAX_LINES);
	va_start(ap, fmt);
	n = vsnprintf(t->line[t->nr], SWARM_LINE_SIZE, fmt, ap);
	va_end(ap);
	CHECK_LT(n, SWARM_LINE_SIZE);
	t->nr++;
}

bool swarm_text_print(const struct swarm_text *t, char *out, size_t size)
{
	size_t len = 0;
	unsigned int i;

	out[0] = '\0';
	for (i = 0; i < t->nr; i++) {
		int n;

		if (!t->line[i][0])
			continue;
		n = snprintf(out + len, size - len, "%s\n", t->line[i]);
		if (n < 0 || (size_t)n >= size - len)
			return false;
		len += (size_t)n;
	}
	return true;
}

unsigned int swarm_text_lines(const struct swarm_text *t)
{
	unsigned int i, n = 0;

	for (i = 0; i < t->nr; i++)
		n += t->line[i][0] && t->line[i][0] != '#';
	return n;
}

struct printer {
	struct swarm_text *t;
	const struct experiment *e;
	const struct cell *c;
	enum section_kind kind;
	unsigned int nr;
	bool full;
};

static void put_header(struct printer *p, enum section_kind kind,
		       unsigned int nr)
{
	unsigned int n;

	p->kind = kind;
	p->nr = nr;
	if (schema_is_named(kind))
		swarm_add(p->t, "[%s %s]", schema_section_name(kind),
			  experiment_named(p->e, kind, &n)[nr].name);
	else
		swarm_add(p->t, "[%s]", schema_section_name(kind));
}

static void put_value(void *ctx, enum section_kind kind, unsigned int nr,
		      const struct option_desc *o, const void *base)
{
	struct printer *p = ctx;
	char value[CELL_TEXT_SIZE];

	/* Room for a header and this line. */
	p->full |= p->t->nr + 2 > SWARM_MAX_LINES;
	if (p->full)
		return;
	cell_value(p->c->body, o, base, value, sizeof(value));
	if (kind != p->kind || nr != p->nr)
		put_header(p, kind, nr);
	/* The digest of a plugin is no key. */
	if (value[0] && !(kind == SECTION_REPORTER &&
			  !strcmp(o->name, "plugin")))
		swarm_add(p->t, "%s = %s", o->name, value);
}

int swarm_text_of_cell(struct swarm_text *t, const struct experiment *e,
		       const struct cell *c)
{
	struct printer p = { .t = t, .e = e, .c = c,
			     .kind = NR_SECTION_KINDS };

	t->nr = 0;
	put_header(&p, SECTION_EXPERIMENT, 0);
	swarm_add(t, "seeds = %llu", (unsigned long long)c->seed);
	cell_visit(c->body, &e->schema, put_value, &p);
	return p.full ? -E2BIG : 0;
}
