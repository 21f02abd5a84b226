/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values of options: text to struct member and back.
 *
 * The canonical spelling that option_format() writes is hashed into cell ids
 * and printed into results, so it is fixed: sizes are plain bytes (4096),
 * times nanoseconds with their unit (2000000000ns), because a time without a
 * unit is not accepted, shares bytes or the shortest percentage (100%, 12.5%),
 * bools on and off, names as in their table. option_parse() reads all of it
 * back to the same value. Fractions are exact: 1.5G is accepted, 0.1K is not
 * a whole number of bytes and is refused. No floating point, no locale.
 */
#include "include/option.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "include/check.h"
#include "include/diag.h"
#include "include/spell.h"

/* A unit and how many base units it is worth; ends with a NULL name. */
struct unit {
	const char *name;
	uint64_t scale;
};

static const struct unit size_units[] = {
	{ "", 1 },
	{ "K", UINT64_C(1) << 10 },
	{ "M", UINT64_C(1) << 20 },
	{ "G", UINT64_C(1) << 30 },
	{ "T", UINT64_C(1) << 40 },
	{ NULL, 0 },
};

static const struct unit time_units[] = {
	{ "ns", 1 },
	{ "us", UINT64_C(1000) },
	{ "ms", UINT64_C(1000000) },
	{ "s", UINT64_C(1000000000) },
	{ "m", UINT64_C(60000000000) },
	{ NULL, 0 },
};

/* In hundredths of a percent. */
static const struct unit percent_units[] = {
	{ "%", 100 },
	{ NULL, 0 },
};

static const struct unit no_units[] = {
	{ "", 1 },
	{ NULL, 0 },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits at *text as a number; at least one. Moves *text behind them. */
static int parse_digits(const char **text, uint64_t *out)
{
	uint64_t value = 0;

	if (!is_digit(**text))
		return -EINVAL;
	for (; is_digit(**text); (*text)++) {
		const uint64_t digit = (uint64_t)(**text - '0');

		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return -ERANGE;
	}
	*out = value;
	return 0;
}

/*
 * The part behind the point, times `scale`, which must be a whole number.
 * `digits` points behind the point, `end` behind the last digit.
 */
static int parse_fraction(const char *digits, const char *end, uint64_t scale,
			  uint64_t *out)
{
	uint64_t numerator = 0, denominator = 1;

	while (end > digits && end[-1] == '0')
		end--;
	for (; digits < end; digits++) {
		/* More digits than any unit is fine enough for. */
		if (denominator > UINT64_C(1000000000000))
			return -EINVAL;
		numerator = numerator * 10 + (uint64_t)(*digits - '0');
		denominator *= 10;
	}
	if (__builtin_mul_overflow(numerator, scale, &numerator) ||
	    numerator % denominator)
		return -EINVAL;
	*out = numerator / denominator;
	return 0;
}

/* NUMBER[.FRACTION]UNIT as a whole number of base units. */
static int parse_scaled(const char *text, const struct unit *units,
			uint64_t *out)
{
	const char *fraction = NULL, *fraction_end = NULL;
	uint64_t value, part = 0;
	int err = parse_digits(&text, &value);

	if (err)
		return err;
	if (*text == '.') {
		fraction = ++text;
		while (is_digit(*text))
			text++;
		fraction_end = text;
		if (fraction == fraction_end)
			return -EINVAL;
	}
	while (units->name && strcmp(text, units->name))
		units++;
	if (!units->name)
		return -EINVAL;
	if (fraction) {
		err = parse_fraction(fraction, fraction_end, units->scale,
				     &part);
		if (err)
			return err;
	}
	if (__builtin_mul_overflow(value, units->scale, &value) ||
	    __builtin_add_overflow(value, part, out))
		return -ERANGE;
	return 0;
}

int parse_u64(const char *text, uint64_t *out)
{
	return strchr(text, '.') ? -EINVAL
				 : parse_scaled(text, no_units, out);
}

int parse_size(const char *text, uint64_t *bytes)
{
	return parse_scaled(text, size_units, bytes);
}

int parse_time(const char *text, uint64_t *ns)
{
	return parse_scaled(text, time_units, ns);
}

const struct option_desc *option_find(const struct option_table *t,
				      const char *name)
{
	for (const struct option_desc *o = t->descs; o->name; o++)
		if (!strcmp(o->name, name))
			return o;
	return NULL;
}

size_t option_names(const struct option_table *t, const char **out, size_t nr)
{
	size_t n = 0;

	CHECK_LT(0, nr);
	for (const struct option_desc *o = t->descs; o->name && n + 1 < nr; o++)
		out[n++] = o->name;
	out[n] = NULL;
	return n;
}

void option_defaults(const struct option_table *t, void *base)
{
	char why[256];

	memset(base, 0, t->size);
	for (const struct option_desc *o = t->descs; o->name; o++) {
		CHECK_LT(o->offset, t->size);
		if (o->def && option_parse(o, o->def, base, why, sizeof(why)))
			CHECK_MSG(false, "default of %s: %s", o->name, why);
	}
}

/* The words of a name option, comma separated, for a message. */
static void join_names(const char *const *names, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; names[i] && len < size; i++) {
		const int n = snprintf(out + len, size - len, "%s%s",
				       i ? ", " : "", names[i]);

		if (n < 0)
			return;
		len += (size_t)n;
	}
}

static int check_range(const struct option_desc *o, const char *text,
		       uint64_t value, char *why, size_t why_size)
{
	char min[SPELL_SIZE], max[SPELL_SIZE];

	if (value >= o->min && (!o->max || value <= o->max))
		return 0;
	spell_limit(o->type, o->min, min);
	spell_limit(o->type, o->max, max);
	if (o->max)
		snprintf(why, why_size,
			 "'%s' is out of range; allowed are %s to %s", text,
			 min, max);
	else
		snprintf(why, why_size,
			 "'%s' is too small; the smallest is %s", text, min);
	return -EINVAL;
}

/* Message for a text that the number parsers refused with `err`. */
static int bad_number(const char *text, int err, const char *allowed,
		      char *why, size_t why_size)
{
	if (err == -ERANGE)
		snprintf(why, why_size, "'%s' does not fit in 64 bits", text);
	else
		snprintf(why, why_size, "'%s' is not %s", text, allowed);
	return -EINVAL;
}

static int parse_number(const struct option_desc *o, const char *text,
			uint64_t *out, char *why, size_t why_size)
{
	const char *allowed;
	uint64_t value = 0;
	int err;

	if (o->type == OPTION_TIME) {
		err = parse_time(text, &value);
		allowed = "a time; allowed is a number with its unit, one of "
			  "ns, us, ms, s, m";
	} else if (o->type == OPTION_UINT) {
		err = parse_u64(text, &value);
		allowed = "a plain number";
	} else {
		err = parse_size(text, &value);
		allowed = "a size; allowed is a number of bytes, or with K, "
			  "M, G or T behind it";
	}
	if (err)
		return bad_number(text, err, allowed, why, why_size);
	err = check_range(o, text, value, why, why_size);
	if (!err)
		*out = value;
	return err;
}

static int parse_share(const struct option_desc *o, const char *text,
		       struct option_share *out, char *why, size_t why_size)
{
	const size_t len = strlen(text);
	uint64_t value;
	int err;

	if (!len || text[len - 1] != '%') {
		err = parse_number(o, text, &value, why, why_size);
		if (!err)
			*out = (struct option_share){ .value = value };
		return err;
	}
	err = parse_scaled(text, percent_units, &value);
	if (err)
		return bad_number(text, err, "a percentage; two decimals are "
				  "allowed", why, why_size);
	if (value > 100 * 100) {
		snprintf(why, why_size, "'%s' is more than 100%%", text);
		return -EINVAL;
	}
	*out = (struct option_share){ .value = value, .is_percent = true };
	return 0;
}

static int parse_bool(const char *text, bool *out, char *why, size_t why_size)
{
	if (strcmp(text, "on") && strcmp(text, "off")) {
		snprintf(why, why_size, "'%s' is neither on nor off", text);
		return -EINVAL;
	}
	*out = !strcmp(text, "on");
	return 0;
}

static int parse_name(const struct option_desc *o, const char *text,
		      unsigned int *out, char *why, size_t why_size)
{
	const char *near;
	char allowed[192];

	for (unsigned int i = 0; o->names[i]; i++) {
		if (!strcmp(o->names[i], text)) {
			*out = i;
			return 0;
		}
	}
	join_names(o->names, allowed, sizeof(allowed));
	near = diag_nearest(text, o->names);
	if (near)
		snprintf(why, why_size,
			 "'%s' is not known; did you mean '%s'? allowed are %s",
			 text, near, allowed);
	else
		snprintf(why, why_size, "'%s' is not known; allowed are %s",
			 text, allowed);
	return -EINVAL;
}

static int parse_string(const char *text, char *out, char *why,
			size_t why_size)
{
	const size_t len = strlen(text);

	if (len >= OPTION_STRING_SIZE) {
		snprintf(why, why_size, "text of %zu bytes; at most %d fit",
			 len, OPTION_STRING_SIZE - 1);
		return -EINVAL;
	}
	memset(out, 0, OPTION_STRING_SIZE);
	memcpy(out, text, len);
	return 0;
}

int option_parse(const struct option_desc *o, const char *text, void *base,
		 char *why, size_t why_size)
{
	char *at = (char *)base + o->offset;

	switch (o->type) {
	case OPTION_BOOL:
		return parse_bool(text, (bool *)at, why, why_size);
	case OPTION_UINT:
	case OPTION_SIZE:
	case OPTION_TIME:
		return parse_number(o, text, (uint64_t *)at, why, why_size);
	case OPTION_SHARE:
		return parse_share(o, text, (struct option_share *)at, why,
				   why_size);
	case OPTION_NAME:
		return parse_name(o, text, (unsigned int *)at, why, why_size);
	case OPTION_STRING:
		return parse_string(text, at, why, why_size);
	}
	CHECK_MSG(false, "option %s has type %d", o->name, (int)o->type);
}

static void format_share(const struct option_share *s, char *out, size_t size)
{
	const uint64_t whole = s->value / 100, part = s->value % 100;

	if (!s->is_percent)
		snprintf(out, size, "%" PRIu64, s->value);
	else if (!part)
		snprintf(out, size, "%" PRIu64 "%%", whole);
	else if (part % 10 == 0)
		snprintf(out, size, "%" PRIu64 ".%" PRIu64 "%%", whole,
			 part / 10);
	else
		snprintf(out, size, "%" PRIu64 ".%02" PRIu64 "%%", whole, part);
}

void option_format(const struct option_desc *o, const void *base, char *out,
		   size_t out_size)
{
	const char *at = (const char *)base + o->offset;

	switch (o->type) {
	case OPTION_BOOL:
		snprintf(out, out_size, "%s", *(const bool *)at ? "on" : "off");
		return;
	case OPTION_UINT:
	case OPTION_SIZE:
		snprintf(out, out_size, "%" PRIu64, *(const uint64_t *)at);
		return;
	case OPTION_TIME:
		snprintf(out, out_size, "%" PRIu64 "ns", *(const uint64_t *)at);
		return;
	case OPTION_SHARE:
		format_share((const struct option_share *)at, out, out_size);
		return;
	case OPTION_NAME:
		snprintf(out, out_size, "%s",
			 o->names[*(const unsigned int *)at]);
		return;
	case OPTION_STRING:
		snprintf(out, out_size, "%s", at);
		return;
	}
	CHECK_MSG(false, "option %s has type %d", o->name, (int)o->type);
}
