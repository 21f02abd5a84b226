/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists and ranges. A list is split at its commas; A..B counts from A to B in
 * steps of one of the unit that both are written with, so that 1G..4G has four
 * values and 100ms..102ms three.
 */
#include "bench/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

__attribute__((format(printf, 5, 0)))
static void say(struct setting *s, const struct ini *ini, struct diag *d,
		struct ini_place at, const char *fmt, va_list args)
{
	char text[400];

	vsnprintf(text, sizeof(text), fmt, args);
	s->failed = true;
	if (s->origin)
		diag_error(d, (struct diag_place){ .file = s->origin }, "%s",
			   text);
	else
		ini_error(ini, d, at, "%s", text);
}

void setting_key_error(struct setting *s, const struct ini *ini,
		       struct diag *d, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(s, ini, d, s->key_at, fmt, args);
	va_end(args);
}

void setting_item_error(struct setting *s, const struct ini *ini,
			struct diag *d, unsigned int item, const char *fmt,
			...)
{
	struct ini_place at = s->value_at;
	va_list args;

	if (s->items && item < s->nr_items)
		at.column += s->items[item].offset;
	va_start(args, fmt);
	say(s, ini, d, at, fmt, args);
	va_end(args);
}

void setting_list_init(struct setting_list *l)
{
	l->first = NULL;
	l->tail = &l->first;
}

static bool same_key(const struct setting *a, const struct setting *b)
{
	return a->kind == b->kind && !strcmp(a->key, b->key) &&
	       (!schema_is_named(a->kind) || a->phase == b->phase);
}

struct setting *setting_find(const struct setting_list *l,
			     const struct setting *like)
{
	struct setting *s;

	for (s = l->first; s; s = s->next)
		if (same_key(s, like))
			return s;
	return NULL;
}

void setting_append(struct setting_list *l, struct setting *s)
{
	s->next = NULL;
	*l->tail = s;
	l->tail = &s->next;
}

void setting_remove(struct setting_list *l, const struct setting *like)
{
	struct setting **at = &l->first;

	while (*at) {
		if (same_key(*at, like))
			*at = (*at)->next;
		else
			at = &(*at)->next;
	}
	l->tail = at;
}

/* What setting_expand() works on. */
struct expansion {
	struct setting *s;
	const struct ini *ini;
	struct arena *a;
	struct diag *d;
	struct setting_item items[SETTING_MAX_ITEMS];
	unsigned int nr;
	unsigned int offset; /* of the item under way */
};

static int expand_error(struct expansion *x, const char *what,
			const char *item)
{
	struct ini_place at = x->s->value_at;

	at.column += x->offset;
	x->s->failed = true;
	if (x->s->origin)
		diag_error(x->d, (struct diag_place){ .file = x->s->origin },
			   "'%s' %s", item, what);
	else
		ini_error(x->ini, x->d, at, "'%s' %s", item, what);
	return -EINVAL;
}

static int add_item(struct expansion *x, const char *text)
{
	if (!text)
		return -ENOMEM;
	if (x->nr == SETTING_MAX_ITEMS)
		return expand_error(x, "makes an axis of more than 1000 values",
				    text);
	x->items[x->nr].text = text;
	x->items[x->nr++].offset = x->offset;
	return 0;
}

/* "16" or "4G" as number and unit; false if it is not that simple. */
static bool parse_bound(const char *text, size_t len, uint64_t *n,
			const char **unit, size_t *unit_len)
{
	size_t i = 0;

	for (*n = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++)
		if (__builtin_mul_overflow(*n, 10, n) ||
		    __builtin_add_overflow(*n, (uint64_t)(text[i] - '0'), n))
			return false;
	*unit = text + i;
	*unit_len = len - i;
	return i > 0;
}

static int add_range(struct expansion *x, const char *item, const char *dots)
{
	const char *end = dots + 2, *unit, *unit_b;
	uint64_t from, to, nr, i;
	size_t len, len_b;
	int err = 0;

	if (!parse_bound(item, (size_t)(dots - item), &from, &unit, &len) ||
	    !parse_bound(end, strlen(end), &to, &unit_b, &len_b))
		return expand_error(x, "is not a range; write A..B with whole "
				    "numbers", item);
	if (len != len_b || memcmp(unit, unit_b, len))
		return expand_error(x, "is not a range: both ends need the "
				    "same unit", item);
	if (from > to)
		return expand_error(x, "is not a range: it ends before it "
				    "begins", item);
	if (to - from >= SETTING_MAX_ITEMS)
		return expand_error(x, "makes an axis of more than 1000 values",
				    item);
	nr = to - from + 1;
	for (i = 0; i < nr && !err; i++)
		err = add_item(x, arena_printf(x->a, "%" PRIu64 "%.*s",
					       from + i, (int)len, unit));
	return err;
}

static bool has_ranges(enum option_type type)
{
	return type != OPTION_NAME && type != OPTION_BOOL &&
	       type != OPTION_STRING;
}

static int expand_item(struct expansion *x, const struct option_desc *o,
		       const char *start, size_t len)
{
	const char *dots;
	char *item;

	while (len && (*start == ' ' || *start == '\t')) {
		start++;
		len--;
	}
	while (len && (start[len - 1] == ' ' || start[len - 1] == '\t'))
		len--;
	x->offset = (unsigned int)(start - x->s->value);
	item = arena_strndup(x->a, start, len);
	if (!item)
		return -ENOMEM;
	if (!len && strchr(x->s->value, ','))
		return expand_error(x, "is a list with an empty place",
				    x->s->value);
	dots = strstr(item, "..");
	return dots && has_ranges(o->type) ? add_range(x, item, dots) :
					     add_item(x, item);
}

static int keep_items(struct expansion *x)
{
	struct setting_item *items = arena_array(x->a, x->nr, sizeof(*items));

	if (!items)
		return -ENOMEM;
	memcpy(items, x->items, x->nr * sizeof(*items));
	x->s->items = items;
	x->s->nr_items = x->nr;
	return 0;
}

int setting_expand(struct setting *s, const struct option_desc *o,
		   const struct ini *ini, struct arena *a, struct diag *d)
{
	struct expansion x = { .s = s, .ini = ini, .a = a, .d = d };
	const char *at = s->value;
	size_t len;
	int err;

	if (s->items || s->failed)
		return s->failed ? -EINVAL : 0;
	if (o->type == OPTION_STRING) {
		err = add_item(&x, s->value);
		return err ? err : keep_items(&x);
	}
	for (;; at += len + 1) {
		len = strcspn(at, ",");
		err = expand_item(&x, o, at, len);
		if (err || !at[len])
			break;
	}
	return err ? err : keep_items(&x);
}
