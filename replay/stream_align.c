/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A longest common subsequence of two streams by the method of Myers ("An
 * O(ND) difference algorithm and its variations", 1986), with his split in the
 * middle, so that memory is linear. Where the streams have nothing to do with
 * each other the search for the best split is given up after COST_MAX steps,
 * and the farthest point reached is taken: the result is then a common
 * subsequence, but perhaps not a longest one.
 */
#include "replay/stream_internal.h"

#include <errno.h>
#include <stdlib.h>

#define COST_MAX 1024

/* Calls [x, x_end) of the recording beside [y, y_end) of ours. */
struct box {
	int32_t x, x_end, y, y_end;
};

struct align {
	const uint16_t *a, *b;       /* tokens of both streams */
	/*
	 * Farthest x on each diagonal x - y, from the start and from the end
	 * of the box; index 0 is in the middle of the memory.
	 */
	int32_t *forward, *backward;
	struct box *todo;
	size_t nr_todo, capacity;
	uint32_t *mate;
	bool exact;
};

/* Diagonals looked at so far, from both ends. */
struct search {
	int32_t lowest, highest;     /* of the box */
	int32_t f_low, f_high, b_low, b_high;
};

static int push(struct align *al, struct box b)
{
	struct box *todo;

	if (al->nr_todo == al->capacity) {
		const size_t capacity = al->capacity * 2 + 64;

		todo = realloc(al->todo, capacity * sizeof(*todo));
		if (!todo)
			return -ENOMEM;
		al->todo = todo;
		al->capacity = capacity;
	}
	al->todo[al->nr_todo++] = b;
	return 0;
}

/*
 * What both ends have in common is matched; the box shrinks. The end comes
 * first: of a run that is longer on one side the surplus is then at its begin,
 * where a program has pages of its own before it starts its work.
 */
static void match_ends(struct align *al, struct box *b)
{
	while (b->x < b->x_end && b->y < b->y_end &&
	       al->a[b->x_end - 1] == al->b[b->y_end - 1])
		al->mate[--b->x_end] = (uint32_t)--b->y_end;
	while (b->x < b->x_end && b->y < b->y_end &&
	       al->a[b->x] == al->b[b->y])
		al->mate[b->x++] = (uint32_t)b->y++;
}

/* One step more from the start. True: it met what came from the end. */
static bool search_forward(struct align *al, struct search *s,
			   const struct box *b, bool odd, int32_t *x_out,
			   int32_t *d_out)
{
	int32_t *f = al->forward;

	if (s->f_low > s->lowest)
		f[--s->f_low - 1] = -1;
	else
		s->f_low++;
	if (s->f_high < s->highest)
		f[++s->f_high + 1] = -1;
	else
		s->f_high--;
	for (int32_t d = s->f_high; d >= s->f_low; d -= 2) {
		int32_t x = f[d - 1] < f[d + 1] ? f[d + 1] : f[d - 1] + 1;

		while (x < b->x_end && x - d < b->y_end &&
		       al->a[x] == al->b[x - d])
			x++;
		f[d] = x;
		if (odd && d >= s->b_low && d <= s->b_high &&
		    al->backward[d] <= x) {
			*x_out = x;
			*d_out = d;
			return true;
		}
	}
	return false;
}

static bool search_backward(struct align *al, struct search *s,
			    const struct box *b, bool odd, int32_t *x_out,
			    int32_t *d_out)
{
	int32_t *f = al->backward;

	if (s->b_low > s->lowest)
		f[--s->b_low - 1] = INT32_MAX;
	else
		s->b_low++;
	if (s->b_high < s->highest)
		f[++s->b_high + 1] = INT32_MAX;
	else
		s->b_high--;
	for (int32_t d = s->b_high; d >= s->b_low; d -= 2) {
		int32_t x = f[d - 1] < f[d + 1] ? f[d - 1] : f[d + 1] - 1;

		while (x > b->x && x - d > b->y &&
		       al->a[x - 1] == al->b[x - d - 1])
			x--;
		f[d] = x;
		if (!odd && d >= s->f_low && d <= s->f_high &&
		    x <= al->forward[d]) {
			*x_out = x;
			*d_out = d;
			return true;
		}
	}
	return false;
}

/* The point that came farthest from the start, inside the box. */
static void farthest(const struct align *al, const struct search *s,
		     const struct box *b, int32_t *x_out, int32_t *d_out)
{
	int64_t best = -1;

	for (int32_t d = s->f_high; d >= s->f_low; d -= 2) {
		int32_t x = al->forward[d];

		if (x > b->x_end)
			x = b->x_end;
		if (x - d > b->y_end)
			x = b->y_end + d;
		if ((int64_t)x + x - d > best) {
			best = (int64_t)x + x - d;
			*x_out = x;
			*d_out = d;
		}
	}
}

/* Where to cut the box in two; neither part is the box itself. */
static void split(struct align *al, const struct box *b, int32_t *x, int32_t *y)
{
	const int32_t start = b->x - b->y, end = b->x_end - b->y_end;
	struct search s = {
		.lowest = b->x - b->y_end, .highest = b->x_end - b->y,
		.f_low = start, .f_high = start, .b_low = end, .b_high = end,
	};
	const bool odd = (start - end) & 1;
	int32_t d = 0;

	al->forward[start] = b->x;
	al->backward[end] = b->x_end;
	for (unsigned int cost = 0;; cost++) {
		if (search_forward(al, &s, b, odd, x, &d) ||
		    search_backward(al, &s, b, odd, x, &d))
			break;
		if (cost == COST_MAX) {
			al->exact = false;
			farthest(al, &s, b, x, &d);
			break;
		}
	}
	*y = *x - d;
}

static int align_all(struct align *al, int32_t nr_a, int32_t nr_b)
{
	int ret = push(al, (struct box){ 0, nr_a, 0, nr_b });

	while (!ret && al->nr_todo) {
		struct box b = al->todo[--al->nr_todo];
		int32_t x = 0, y = 0;

		match_ends(al, &b);
		if (b.x == b.x_end || b.y == b.y_end)
			continue;
		split(al, &b, &x, &y);
		ret = push(al, (struct box){ b.x, x, b.y, y });
		if (!ret)
			ret = push(al, (struct box){ x, b.x_end, y, b.y_end });
	}
	return ret;
}

int stream_align(const uint16_t *a, uint32_t nr_a, const uint16_t *b,
		 uint32_t nr_b, uint32_t *mate, bool *exact)
{
	const size_t nr = (size_t)nr_a + nr_b + 3;
	int32_t *memory = malloc(2 * nr * sizeof(*memory));
	struct align al = { .a = a, .b = b, .mate = mate, .exact = true };
	int ret = -ENOMEM;

	for (uint32_t i = 0; i < nr_a; i++)
		mate[i] = STREAM_NONE;
	if (memory) {
		al.forward = memory + nr_b + 1;
		al.backward = al.forward + nr;
		ret = align_all(&al, (int32_t)nr_a, (int32_t)nr_b);
	}
	*exact = al.exact;
	free(memory);
	free(al.todo);
	return ret;
}
