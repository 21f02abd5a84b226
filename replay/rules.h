/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules of the page allocator that a replay can do without, to show what each
 * is worth: which misses and which differing lists come of it.
 */
#ifndef REPLAY_RULES_H
#define REPLAY_RULES_H

#include "alloc/profile.h"

struct replay_rule {
	const char *name;
	const char *rule;    /* what it says */
	const char *without; /* what holds instead */
	/* False if the profile has no such rule. */
	bool (*take_away)(struct alloc_profile *p);
};

/* Ended by a name of NULL. */
extern const struct replay_rule replay_rules[];

/*
 * Take away the rules of a comma list. 0, or -EINVAL with a sentence in `why`:
 * an unknown rule, or one that this kernel does not have.
 */
int replay_take_away(struct alloc_profile *p, const char *list, char *why,
		     size_t why_size);
/* The same without a profile: are these rules at all? */
int replay_check_rules(const char *list, char *why, size_t why_size);

#endif
