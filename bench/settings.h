/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Assignments of an experiment: the text `section.key = value` with its place,
 * before any cell is built. A value that is a list or a range has several
 * items and makes an axis.
 */
#ifndef BENCH_SETTINGS_H
#define BENCH_SETTINGS_H

#include "bench/ini.h"
#include "bench/schema.h"

#define SETTING_MAX_ITEMS 1000

struct setting_item {
	const char *text;
	unsigned int offset;     /* in the value, for the column */
};

struct setting {
	enum section_kind kind;
	unsigned int phase;      /* named section: index in the experiment */
	const char *key, *value;
	struct ini_place key_at, value_at;
	const char *origin;      /* "--set guest.cpus=4"; NULL: from a file */
	const char *dir;         /* what a path in it is relative to */
	const struct setting_item *items; /* NULL until expanded */
	unsigned int nr_items;
	bool failed;             /* an error of it was reported */
	bool known;              /* some chosen member has the key */
	struct setting *next;
};

struct setting_list {
	struct setting *first, **tail;
};

/* An error at the setting's key, or at item i of its value. */
__attribute__((format(printf, 4, 5)))
void setting_key_error(struct setting *s, const struct ini *ini,
		       struct diag *d, const char *fmt, ...);
__attribute__((format(printf, 5, 6)))
void setting_item_error(struct setting *s, const struct ini *ini,
			struct diag *d, unsigned int item, const char *fmt,
			...);

void setting_list_init(struct setting_list *l);
/* Same section and key, or NULL. */
struct setting *setting_find(const struct setting_list *l,
			     const struct setting *like);
void setting_append(struct setting_list *l, struct setting *s);
/* Take the setting of the same section and key out, if there is one. */
void setting_remove(struct setting_list *l, const struct setting *like);

/*
 * Split the value into items as the option's type asks for. 0, -EINVAL with a
 * message in d, -ENOMEM. Does nothing the second time.
 */
int setting_expand(struct setting *s, const struct option_desc *o,
		   const struct ini *ini, struct arena *a, struct diag *d);

#endif
