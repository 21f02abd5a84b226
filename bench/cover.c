/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The numbers of a cover letter. */
#include "bench/cover.h"

#include <errno.h>
#include <string.h>

#include "bench/columns_internal.h"
#include "bench/stats.h"

#define DEFAULT_COLUMNS \
	"throughput resident refaults zeroed splits reports"

static void fill_side(struct cover_side *to, const struct column_word *w,
		      const struct group_slot *s)
{
	struct stats_summary sum;

	for (size_t i = 0; i < s->nr && to->nr < COVER_MAX_SEEDS; i++)
		if (column_number(w, s->cells[i], &to->v[to->nr]))
			to->nr++;
	if (stats_summarize(&(struct stats_sample){ to->v, to->nr }, &sum))
		return;
	to->mean = to->hmean = sum.mean;
	if (w->column.shown.unit && !strcmp(w->column.shown.unit, "1/s"))
		stats_harmonic_mean(&(struct stats_sample){ to->v, to->nr },
				    &to->hmean);
	to->dev = sum.mean != 0 ? 100.0 * sum.sd / sum.mean : 0;
	to->dev = to->dev < 0 ? -to->dev : to->dev;
}

static void test_line(struct cover_line *l)
{
	const struct stats_sample base = { l->base.v, l->base.nr };
	const struct stats_sample new = { l->new.v, l->new.nr };
	struct stats_test t;

	l->p = l->welch_p = -1;
	if (base.nr < 2 || new.nr < 2)
		return;
	if (!stats_mann_whitney(&base, &new, &t))
		l->p = t.p;
	if (!stats_welch(&base, &new, &t))
		l->welch_p = t.p;
}

/* False if a side has no number, or if nothing happened on either. */
static bool fill_line(struct cover_line *l, const struct column_word *w,
		      const struct group_slot *base,
		      const struct group_slot *new)
{
	fill_side(&l->base, w, base);
	fill_side(&l->new, w, new);
	if (!l->base.nr || !l->new.nr ||
	    (l->base.mean == 0 && l->new.mean == 0))
		return false;
	l->better = column_better(w);
	l->is_rate = w->column.shown.unit &&
		     !strcmp(w->column.shown.unit, "1/s");
	l->has_change = l->base.mean != 0;
	if (l->has_change)
		l->change = (l->new.mean / l->base.mean - 1.0) * 100.0;
	/* No negative zero. */
	if (l->change > -0.005 && l->change < 0.005)
		l->change = 0;
	test_line(l);
	return true;
}

/* "page_fault1, tasks 16" */
static const char *where_text(const struct grouping *g,
			      const struct group_row *row, size_t group,
			      struct arena *a)
{
	const char *text = g->group_axis ? g->groups[group] : "";

	for (size_t i = 0; i < g->nr_axes && text; i++)
		text = arena_printf(a, "%s%s%s %s", text, *text ? ", " : "",
				    g->axis_labels[i], row->axes[i]);
	return text;
}

static int fill_block(struct cover_block *b, const struct grouping *g,
		      const struct group_row *ref, const struct group_row *row,
		      size_t group, const struct column_words *words,
		      struct arena *a)
{
	b->where = where_text(g, row, group, a);
	b->base = ref->variant;
	b->new = row->variant;
	b->lines = arena_array(a, words->nr + 1, sizeof(*b->lines));
	if (!b->where || !b->lines)
		return -ENOMEM;
	for (size_t i = 0; i < words->nr; i++) {
		struct cover_line *l = &b->lines[b->nr];

		*l = (struct cover_line){ .column = &words->shown[i] };
		/* A ratio is what the last column says anyway. */
		if (words->w[i].column.kind != COLUMN_RATIO &&
		    fill_line(l, &words->w[i], &ref->slots[group],
			      &row->slots[group]))
			b->nr++;
	}
	return 0;
}

/* Point by point, so that variants of one point stand together. */
static int fill_blocks(struct cover *c, const struct grouping *g,
		       const struct column_words *words, struct arena *a)
{
	int err = 0;

	for (size_t i = 0; i < g->nr_groups; i++)
		for (size_t r = 0; r < g->nr_rows && !err; r++) {
			const struct group_row *row = &g->rows[r];
			const struct group_row *ref =
				grouping_reference(g, row);

			if (!ref || ref == row || !row->slots[i].nr ||
			    !ref->slots[i].nr)
				continue;
			err = fill_block(&c->blocks[c->nr_blocks], g, ref, row,
					 i, words, a);
			c->nr_blocks += !err && c->blocks[c->nr_blocks].nr;
		}
	return err;
}

/* "Units: resident GiB, zeroed MiB."; what names its unit itself is left out. */
static const char *units_text(const struct column_words *words,
			      struct arena *a)
{
	const char *text = "";

	for (size_t i = 0; i < words->nr && text; i++) {
		const struct grid_column *c = &words->shown[i];

		if (!c->unit || !*c->unit || !strcmp(c->unit, "1/s") ||
		    (c->suffix && *c->suffix))
			continue;
		text = arena_printf(a, "%s%s%s %s", text,
				    *text ? ", " : "Units: ", c->label,
				    c->unit);
	}
	return text && *text ? arena_printf(a, "%s.", text) : text;
}

int cover_build(struct cover *c, const struct grouping *g, const char *text,
		enum cover_layout layout, struct arena *a)
{
	struct column_words *words = arena_alloc(a, sizeof(*words));
	int err;

	*c = (struct cover){ .layout = layout, .nr_seeds = g->nr_seeds };
	c->may_tell = stats_smallest_p(g->nr_seeds, g->nr_seeds) < COVER_ALPHA;
	c->blocks = arena_array(a, g->nr_rows * g->nr_groups + 1,
				sizeof(*c->blocks));
	if (!words || !c->blocks)
		return -ENOMEM;
	err = columns_words(text ? text : DEFAULT_COLUMNS, words, a);
	if (!err) {
		c->units = units_text(words, a);
		err = c->units ? fill_blocks(c, g, words, a) : -ENOMEM;
	}
	if (!err && !c->nr_blocks)
		err = -ENODATA;
	return err;
}
