/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/reproduce/score.h"

static const struct predicted *find_predicted(const struct prediction *p,
					      const char *name)
{
	for (size_t i = 0; i < p->claim->nr_quantities; i++)
		if (!strcmp(p->p[i].quantity->name, name))
			return &p->p[i];
	return NULL;
}

/*
 * What must lie in a range: the quartiles over seeds where the answer is a
 * distribution; the mean where prices, which all seeds share, are in doubt.
 */
static double predicted_low(const struct predicted *p)
{
	return p->prices ? p->mean : p->q1;
}

static double predicted_high(const struct predicted *p)
{
	return p->prices ? p->mean : p->q3;
}

static enum verdict hit_if(bool hit)
{
	return hit ? VERDICT_HIT : VERDICT_MISS;
}

static enum verdict judge_row(const struct published_row *r,
			      const struct predicted *p)
{
	const double off = fabs(p->mean - r->value);

	switch (r->judge) {
	case JUDGE_SHOWN:
	case JUDGE_CALIBRATED:
		break;
	case JUDGE_INTERVAL:
		return hit_if(r->value >= p->low && r->value <= p->high);
	case JUDGE_BAND:
		return hit_if(off <= r->band);
	case JUDGE_BAND_SHARE:
		return hit_if(off * 100.0 <= r->band * fabs(r->value));
	case JUDGE_RANGE:
		return hit_if(predicted_low(p) >= r->low &&
			      predicted_high(p) <= r->high);
	case JUDGE_EXACT:
		return hit_if(p->min == r->value && p->max == r->value);
	}
	return VERDICT_NONE;
}

static void count(struct score *s, enum verdict v)
{
	s->nr_hits += v == VERDICT_HIT;
	s->nr_misses += v == VERDICT_MISS;
}

static int score_rows(struct score *s, struct diag *d)
{
	const struct published *pub = s->published;
	int bad = 0;

	for (size_t i = 0; i < pub->nr_rows; i++) {
		struct scored_row *to = &s->rows[s->nr_rows];

		to->published = &pub->rows[i];
		to->predicted = find_predicted(s->prediction,
					       pub->rows[i].name);
		if (!to->predicted) {
			ini_error(&pub->ini, d, pub->rows[i].at, "row %s: the "
				  "prediction has no quantity of that name",
				  pub->rows[i].name);
			bad = -EINVAL;
			continue;
		}
		to->verdict = judge_row(to->published, to->predicted);
		count(s, to->verdict);
		s->nr_rows++;
	}
	return bad;
}

static int score_order(struct score *s, const struct published_order *o,
		       struct diag *d)
{
	struct scored_order *to = &s->orders[s->nr_orders++];
	const struct predicted *last = NULL, *p;
	bool right = true;

	for (size_t i = 0; i < o->nr; i++) {
		p = find_predicted(s->prediction, o->rows[i]);
		if (!p) {
			ini_error(&s->published->ini, d, o->at, "order %s: no "
				  "quantity '%s'", o->name, o->rows[i]);
			return -EINVAL;
		}
		right = right && (!last || last->mean > p->mean);
		last = p;
	}
	*to = (struct scored_order){ o, hit_if(right) };
	count(s, to->verdict);
	return 0;
}

static void score_models(struct score *s)
{
	double sum = 0, model = 0, zero = 0, constant = 0;
	size_t nr = 0;

	for (size_t i = 0; i < s->nr_rows; i++) {
		if (s->rows[i].published->judge != JUDGE_INTERVAL)
			continue;
		sum += s->rows[i].published->value;
		nr++;
	}
	s->models.nr = nr;
	if (nr < 2)
		return;
	for (size_t i = 0; i < s->nr_rows; i++) {
		const double is = s->rows[i].published->value;
		const double said = s->rows[i].predicted->mean;

		if (s->rows[i].published->judge != JUDGE_INTERVAL)
			continue;
		model += (said - is) * (said - is);
		zero += is * is;
		constant += (sum / (double)nr - is) * (sum / (double)nr - is);
	}
	s->models.model = sqrt(model / (double)nr);
	s->models.zero = sqrt(zero / (double)nr);
	s->models.constant = sqrt(constant / (double)nr);
	s->models.verdict = hit_if(model < zero && model < constant);
	count(s, s->models.verdict);
}

int score(const struct prediction *prediction, struct published *published,
	  struct score *out, struct diag *d)
{
	struct arena *a = &published->arena;
	int err;

	*out = (struct score){ .prediction = prediction,
			       .published = published };
	out->rows = arena_array(a, published->nr_rows + 1, sizeof(*out->rows));
	out->orders = arena_array(a, published->nr_orders + 1,
				  sizeof(*out->orders));
	if (!out->rows || !out->orders)
		return -ENOMEM;
	err = score_rows(out, d);
	for (size_t i = 0; i < published->nr_orders && !err; i++)
		err = score_order(out, &published->orders[i], d);
	if (!err)
		score_models(out);
	return err;
}

void score_judge_text(const struct scored_row *r, char *out, size_t out_size)
{
	const struct published_row *p = r->published;

	switch (p->judge) {
	case JUDGE_SHOWN:
		snprintf(out, out_size, "shown");
		break;
	case JUDGE_CALIBRATED:
		snprintf(out, out_size, "calibrated on");
		break;
	case JUDGE_INTERVAL:
		snprintf(out, out_size, "in interval");
		break;
	case JUDGE_BAND:
		snprintf(out, out_size, "within %g", p->band);
		break;
	case JUDGE_BAND_SHARE:
		snprintf(out, out_size, "within %g %%", p->band);
		break;
	case JUDGE_RANGE:
		snprintf(out, out_size, "in %g to %g", p->low, p->high);
		break;
	case JUDGE_EXACT:
		snprintf(out, out_size, "equal");
		break;
	}
}
