/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A JSON object that a member could not be added to looks like one that never
 * had it: jansson takes the NULL of a value that could not be made for nothing
 * to add. So that a result without an option is not taken for a whole one, each
 * allocation that fails is remembered.
 *
 * To parse and to print it asks without looking at the answer: then the call is
 * left (longjmp) and what it had made so far is freed. The only state is that
 * mark and the call that is under way, for each thread; a forked worker starts
 * with its parent's.
 */
#include "bench/json_memory.h"

#include <setjmp.h>
#include <stdlib.h>

/* A call that is left where memory fails, and what it has made. */
struct call {
	jmp_buf way_out;
	void **made;
	size_t nr, room;
};

static _Thread_local bool failed;
static _Thread_local struct call *under_way;

static bool remember(struct call *c, void *p)
{
	if (c->nr == c->room) {
		const size_t room = c->room * 2 + 64;
		void **made = realloc(c->made, room * sizeof(*made));

		if (!made)
			return false;
		c->made = made;
		c->room = room;
	}
	c->made[c->nr++] = p;
	return true;
}

/* Most of what is freed was made last. */
static void forget(struct call *c, const void *p)
{
	size_t i = c->nr;

	while (i-- > 0)
		if (c->made[i] == p) {
			c->made[i] = c->made[--c->nr];
			return;
		}
}

static void *take(size_t size)
{
	struct call *c = under_way;
	void *p = malloc(size);

	if (p && (!c || remember(c, p)))
		return p;
	free(p);
	failed = true;
	if (c)
		longjmp(c->way_out, 1);
	return NULL;
}

static void give(void *p)
{
	if (under_way && p)
		forget(under_way, p);
	free(p);
}

void json_memory_watch(void)
{
	json_set_alloc_funcs(take, give);
}

void json_memory_lacked(void)
{
	failed = true;
}

bool json_memory_failed(void)
{
	return failed;
}

static void leave(struct call *c)
{
	under_way = NULL;
	while (c->nr > 0)
		free(c->made[--c->nr]);
	free(c->made);
}

json_t *json_memory_load(const char *text, size_t len, size_t flags,
			 json_error_t *error)
{
	struct call c = { .made = NULL };
	json_t *o;

	if (setjmp(c.way_out)) {
		leave(&c);
		return NULL;
	}
	under_way = &c;
	o = json_loadb(text, len, flags, error);
	under_way = NULL;
	free(c.made);
	return o;
}

char *json_memory_dump(const json_t *o, size_t flags)
{
	struct call c = { .made = NULL };
	char *text;

	if (setjmp(c.way_out)) {
		leave(&c);
		return NULL;
	}
	under_way = &c;
	text = json_dumps(o, flags);
	under_way = NULL;
	free(c.made);
	return text;
}
