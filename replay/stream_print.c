/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A comparison of two streams as text and as JSON; docs/stream-diff.md. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>

#include "replay/stream_internal.h"

#define LINE_TEXT 320

static void print_line(const struct stream_diff *d,
		       const struct stream_line *l, FILE *out)
{
	static const char signs[] = "=<>";
	const char *why = stream_cause_text(l->cause);
	char what[LINE_TEXT];

	stream_line_format(d, l, what, sizeof(what));
	if (l->side == SIDE_OURS)
		fprintf(out, "%9s", "-");
	else
		fprintf(out, "%9" PRIu32, l->first + 1);
	if (l->side == SIDE_RECORDED)
		fprintf(out, " %9s", "-");
	else
		fprintf(out, " %9" PRIu32, l->first_ours + 1);
	fprintf(out, "  %c %s%s%s\n", signs[l->side], what,
		why ? "  # " : "", why ? why : "");
}

/* Matched lines [i, end): those near a difference, and how many are not. */
static void print_matched(const struct stream_diff *d,
			  const struct stream_line *lines, uint32_t nr,
			  bool at_start, bool at_end, unsigned int context,
			  FILE *out)
{
	const uint32_t head = at_start ? 0 : context;
	const uint32_t tail = at_end ? 0 : context;
	uint64_t calls = 0;

	for (uint32_t i = 0; i < nr; i++) {
		if (nr <= head + tail + 1 || i < head || i >= nr - tail) {
			print_line(d, &lines[i], out);
			continue;
		}
		calls += (uint64_t)lines[i].period * lines[i].reps;
		if (i + 1 == nr - tail)
			fprintf(out, "%19s  = ... %" PRIu64 " calls in %" PRIu32
				" lines\n", "", calls, nr - head - tail);
	}
}

/* Differences with their context, as far as max_lines allows. */
static void print_lines(const struct stream_diff *d,
			const struct stream_lines *l,
			const struct stream_print_options *o, FILE *out)
{
	uint32_t i = 0, shown = 0;

	fprintf(out, "%9s %9s\n", "recorded", "workload");
	while (i < l->nr) {
		uint32_t end = i;

		while (end < l->nr && l->lines[end].side == SIDE_BOTH)
			end++;
		if (end > i)
			print_matched(d, &l->lines[i], end - i, i == 0,
				      end == l->nr, o->context, out);
		for (i = end; i < l->nr && l->lines[i].side != SIDE_BOTH; i++) {
			if (shown++ == o->max_lines) {
				fprintf(out, "%19s    ... the rest is left "
					"out\n", "");
				return;
			}
			print_line(d, &l->lines[i], out);
		}
	}
}

static void print_share(uint32_t ppm, FILE *out)
{
	fprintf(out, "%" PRIu32 ".%04" PRIu32 " %%", ppm / 10000, ppm % 10000);
}

static void print_counts(const char *op, const struct stream_count *counts,
			 FILE *out)
{
	for (unsigned int c = 0; c < STREAM_NR_CLASSES; c++)
		if (counts[c].recorded || counts[c].ours)
			fprintf(out, "%-6s%-24s %9" PRIu32 " %9" PRIu32
				" %9" PRIu32 "\n", op, stream_class_name(c),
				counts[c].recorded, counts[c].ours,
				counts[c].matched);
}

static void print_summary(const struct stream_diff *d, FILE *out)
{
	const struct stream *r = d->recorded, *o = d->ours;

	fprintf(out, "\n%-30s %9s %9s %9s\n", "in the window", "recorded",
		"workload", "matched");
	print_counts("alloc", d->allocs, out);
	print_counts("free", d->frees, out);
	fprintf(out, "%-30s %9" PRIu32 " %9" PRIu32 " %9" PRIu32 "\n", "all",
		d->end - d->first, d->end_ours - d->first_ours, d->matched);
	fprintf(out, "\nbefore the window: %" PRIu32 " recorded calls, %" PRIu32
		" of the workload; behind it: %" PRIu32 " and %" PRIu32 "\n",
		d->first, d->first_ours, r->nr - d->end, o->nr - d->end_ours);
	fprintf(out, "matched, but not all gfp bits are equal: %" PRIu32 "\n",
		d->gfp_differs);
	fprintf(out, "on both sides, but in another order: %" PRIu32 "\n",
		d->moved);
	fprintf(out, "recorded task's pages freed by another task: %" PRIu32
		"\n", r->freed_elsewhere);
	if (!d->exact)
		fprintf(out, "the search for the best alignment was cut short: "
			"more may be in common\n");
	fprintf(out, "similarity ");
	print_share(stream_similarity(d, false), out);
	fprintf(out, " in the window, ");
	print_share(stream_similarity(d, true), out);
	fprintf(out, " of all calls\n");
}

int stream_print_text(const struct stream_diff *d,
		      const struct stream_names *n,
		      const struct stream_print_options *o, FILE *out)
{
	struct stream_lines lines;
	const int ret = stream_lines_build(&lines, d);

	if (!ret) {
		fprintf(out, "recorded  %s: %" PRIu32 " calls\n", n->recorded,
			d->recorded->nr);
		fprintf(out, "workload  %s: %" PRIu32 " calls\n\n", n->ours,
			d->ours->nr);
		print_lines(d, &lines, o, out);
		print_summary(d, out);
	}
	stream_lines_free(&lines);
	return ret;
}

static json_t *json_side(const char *name, const struct stream *s,
			 uint32_t first, uint32_t end)
{
	return json_pack("{s:s, s:I, s:I, s:I}", "name", name, "calls",
			 (json_int_t)s->nr, "window_first",
			 (json_int_t)first, "window_end", (json_int_t)end);
}

static void json_counts(json_t *array, const char *op,
			const struct stream_count *counts)
{
	for (unsigned int c = 0; c < STREAM_NR_CLASSES; c++)
		if (counts[c].recorded || counts[c].ours)
			json_array_append_new(array,
				json_pack("{s:s, s:s, s:I, s:I, s:I}", "op",
					  op, "class", stream_class_name(c),
					  "recorded",
					  (json_int_t)counts[c].recorded,
					  "workload",
					  (json_int_t)counts[c].ours,
					  "matched",
					  (json_int_t)counts[c].matched));
}

static json_t *json_line(const struct stream_diff *d,
			 const struct stream_line *l)
{
	const char *why = stream_cause_text(l->cause);
	char what[LINE_TEXT];

	stream_line_format(d, l, what, sizeof(what));
	return json_pack("{s:s, s:I, s:I, s:I, s:s, s:s}", "side",
			 l->side == SIDE_OURS ? "workload" : "recorded",
			 "recorded", (json_int_t)l->first, "workload",
			 (json_int_t)l->first_ours, "calls",
			 (json_int_t)l->period * l->reps, "what", what,
			 "cause", why ? why : "");
}

static json_t *json_lines(const struct stream_diff *d,
			  const struct stream_lines *l, unsigned int max_lines)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < l->nr && json_array_size(array) < max_lines;
	     i++)
		if (l->lines[i].side != SIDE_BOTH)
			json_array_append_new(array,
					      json_line(d, &l->lines[i]));
	return array;
}

int stream_print_json(const struct stream_diff *d,
		      const struct stream_names *n,
		      const struct stream_print_options *o, FILE *out)
{
	json_t *root, *classes = json_array();
	struct stream_lines lines;
	int ret = stream_lines_build(&lines, d);

	json_counts(classes, "alloc", d->allocs);
	json_counts(classes, "free", d->frees);
	root = json_pack("{s:i, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:b, "
			 "s:o, s:o}", "schema", 1, "recorded",
			 json_side(n->recorded, d->recorded, d->first, d->end),
			 "workload",
			 json_side(n->ours, d->ours, d->first_ours,
				   d->end_ours),
			 "matched", (json_int_t)d->matched, "matched_all",
			 (json_int_t)d->matched_all, "moved",
			 (json_int_t)d->moved, "gfp_differs",
			 (json_int_t)d->gfp_differs, "similarity_ppm",
			 (json_int_t)stream_similarity(d, false),
			 "similarity_all_ppm",
			 (json_int_t)stream_similarity(d, true), "exact",
			 (int)d->exact, "classes", classes, "differences",
			 json_lines(d, &lines, ret ? 0 : o->max_lines));
	if (!root || json_dumpf(root, out, JSON_INDENT(2) | JSON_SORT_KEYS))
		ret = -ENOMEM;
	fputc('\n', out);
	json_decref(root);
	stream_lines_free(&lines);
	return ret;
}
