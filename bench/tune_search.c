/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The search: points in front have their neighbours tried with one seed; when
 * there are none left to try, whoever is not decided gets another seed, and who
 * is then beaten with confidence is dropped. It ends when nothing is left to ask
 * or the budget is used. This is racing (Maron and Moore 1994) with dominance in
 * several objectives in place of a bound on one.
 */
#include "bench/tune_search.h"

#include <errno.h>
#include <stdlib.h>

#include "include/check.h"

uint64_t tune_least_budget(const struct tune_space *space)
{
	return (uint64_t)space->nr_families * space->nr_seeds;
}

int tune_search_init(struct tune_search *s, const struct tune_space *space,
		     const struct tune_rules *rules, tune_measure_fn measure,
		     void *ctx)
{
	*s = (struct tune_search){ .space = space, .rules = *rules,
				   .measure = measure, .ctx = ctx };
	s->points = calloc(space->nr_points + 1, sizeof(*s->points));
	s->asks = calloc(space->nr_points + 1, sizeof(*s->asks));
	s->critical = calloc(space->nr_seeds + 1, sizeof(*s->critical));
	if (!s->points || !s->asks || !s->critical)
		return -ENOMEM;
	if (!rules->everything && rules->budget < tune_least_budget(space))
		return -EINVAL;
	for (unsigned int i = 2; i <= space->nr_seeds; i++)
		s->critical[i] = tune_critical(rules->level, i - 1);
	return 0;
}

void tune_search_free(struct tune_search *s)
{
	for (size_t i = 0; s->points && i < s->space->nr_points; i++)
		free(s->points[i].value);
	free(s->points);
	free(s->asks);
	free(s->critical);
	*s = (struct tune_search){ 0 };
}

/* ---- asking ---- */

static void put_ask(struct tune_search *s, size_t point, unsigned int seed)
{
	CHECK_LT(s->nr_asks, s->space->nr_points);
	s->asks[s->nr_asks++] = (struct tune_ask){ .point = point,
						   .seed = seed };
}

void tune_ask(struct tune_search *s, size_t point)
{
	if (s->points[point].state != TUNE_UNTRIED)
		return;
	s->points[point].state = TUNE_ALIVE;
	put_ask(s, point, 0);
}

uint64_t tune_front_needs(const struct tune_search *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->space->nr_points; i++)
		if (s->points[i].front)
			sum += s->space->nr_seeds - s->points[i].nr;
	return sum;
}

/* Those with the fewest seeds; of all, or of the front only. */
static void ask_level(struct tune_search *s, bool front)
{
	unsigned int least = s->space->nr_seeds;
	size_t i;

	for (i = 0; i < s->space->nr_points; i++) {
		const struct tune_point *p = &s->points[i];

		if (p->state == TUNE_ALIVE && (p->front || !front) &&
		    p->nr < least)
			least = p->nr;
	}
	for (i = 0; i < s->space->nr_points; i++) {
		const struct tune_point *p = &s->points[i];

		if (p->state == TUNE_ALIVE && (p->front || !front) &&
		    p->nr == least && least < s->space->nr_seeds)
			put_ask(s, i, least);
	}
}

void tune_more_seeds(struct tune_search *s)
{
	const uint64_t left = s->rules.budget - s->used;

	ask_level(s, false);
	if (!s->nr_asks || s->nr_asks + tune_front_needs(s) <= left)
		return;
	/* It will not do for all: the front comes first. */
	s->nr_asks = 0;
	ask_level(s, true);
	if (!s->nr_asks)
		ask_level(s, false);
}

/* ---- answers ---- */

static int take_answer(struct tune_search *s, const struct tune_ask *a)
{
	const unsigned int nr = s->space->nr_objectives;
	struct tune_point *p = &s->points[a->point];

	if (a->verdict != TUNE_MEASURED) {
		p->state = TUNE_OUT;
		p->verdict = a->verdict;
		return 0;
	}
	if (!p->value)
		p->value = calloc((size_t)s->space->nr_seeds * nr,
				  sizeof(*p->value));
	if (!p->value)
		return -ENOMEM;
	CHECK_EQ(a->seed, p->nr);
	for (unsigned int k = 0; k < nr; k++)
		p->value[p->nr * nr + k] = s->space->smaller[k] ?
			-a->value[k] : a->value[k];
	p->nr++;
	return 0;
}

void tune_keep_asks(struct tune_search *s, size_t nr)
{
	s->decided &= nr == s->nr_asks;
	for (size_t i = nr; i < s->nr_asks; i++)
		if (!s->points[s->asks[i].point].nr)
			s->points[s->asks[i].point].state = TUNE_UNTRIED;
	s->nr_asks = nr;
}

static int measure(struct tune_search *s)
{
	int err;

	if (!s->rules.everything && s->nr_asks > s->rules.budget - s->used)
		tune_keep_asks(s, (size_t)(s->rules.budget - s->used));
	if (!s->nr_asks)
		return 0;
	err = s->measure(s->ctx, s->asks, s->nr_asks);
	for (size_t i = 0; i < s->nr_asks && !err; i++)
		err = take_answer(s, &s->asks[i]);
	s->used += s->nr_asks;
	s->nr_asks = 0;
	return err;
}

/* ---- judging ---- */

/* Equal in so many seeds: the first of them goes on for both. */
static void judge_same(struct tune_search *s, size_t point)
{
	const unsigned int most = s->space->nr_seeds < TUNE_SAME_SEEDS ?
		s->space->nr_seeds : TUNE_SAME_SEEDS;

	for (size_t i = 0; i < point; i++) {
		struct tune_against a;

		if (s->points[i].state != TUNE_ALIVE)
			continue;
		a = tune_compare(s, point, i);
		if (a.equal && a.nr >= most) {
			s->points[point].state = TUNE_SAME;
			s->points[point].like = i;
			return;
		}
	}
}

static bool surely_beaten(const struct tune_search *s, size_t point)
{
	for (size_t i = 0; i < s->space->nr_points; i++)
		if (i != point && s->points[i].state == TUNE_ALIVE &&
		    s->points[i].nr &&
		    tune_compare(s, i, point).surely_beats)
			return true;
	return false;
}

static bool beaten(const struct tune_search *s, size_t point)
{
	for (size_t i = 0; i < s->space->nr_points; i++) {
		struct tune_against a;

		if (i == point || s->points[i].state != TUNE_ALIVE ||
		    !s->points[i].nr)
			continue;
		a = tune_compare(s, i, point);
		if (a.beats || (a.equal && i < point))
			return true;
	}
	return false;
}

static void judge(struct tune_search *s)
{
	const size_t nr = s->space->nr_points;
	size_t i;

	for (i = 0; i < nr && !s->rules.everything; i++) {
		struct tune_point *p = &s->points[i];

		if (p->state == TUNE_ALIVE && p->nr)
			judge_same(s, i);
		if (p->state == TUNE_ALIVE && p->nr && surely_beaten(s, i))
			p->state = TUNE_DOMINATED;
	}
	for (i = 0; i < nr; i++)
		s->points[i].front = s->points[i].state == TUNE_ALIVE &&
			s->points[i].nr && !beaten(s, i);
}

/* ---- the rounds ---- */

static int measure_everything(struct tune_search *s)
{
	int err = 0;

	for (unsigned int k = 0; k < s->space->nr_seeds && !err; k++) {
		for (size_t i = 0; i < s->space->nr_points; i++) {
			struct tune_point *p = &s->points[i];

			if (s->space->stand_in && s->space->stand_in[i] != i)
				continue;
			if (!k)
				p->state = TUNE_ALIVE;
			if (p->state == TUNE_ALIVE)
				put_ask(s, i, k);
		}
		err = measure(s);
	}
	judge(s);
	return err;
}

int tune_search_run(struct tune_search *s)
{
	int err;

	s->decided = true;
	if (s->rules.everything)
		return measure_everything(s);
	err = tune_start(s);
	if (!err)
		err = measure(s);
	while (!err) {
		judge(s);
		tune_neighbours(s);
		if (!s->nr_asks)
			tune_more_seeds(s);
		if (!s->nr_asks || s->used == s->rules.budget)
			break;
		err = measure(s);
	}
	tune_keep_asks(s, 0);
	judge(s);
	return err;
}
