/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A diff of two streams as lines: calls of one side that stand together and
 * repeat become one line, with the reason if the streams themselves tell it.
 */
#include <errno.h>
#include <stdlib.h>

#include "alloc/alloc.h"
#include "replay/stream_internal.h"

static enum stream_cause cause_of_recorded_alloc(const struct stream_call *c)
{
	static const enum stream_cause causes[STREAM_NR_CLASSES] = {
		[STREAM_HUGE] = CAUSE_MORE_PAGES,
		[STREAM_ANON] = CAUSE_MORE_PAGES,
		[STREAM_COPY] = CAUSE_FORK_COPY,
		[STREAM_TABLE] = CAUSE_NEIGHBOUR_TABLE,
		[STREAM_GATHER] = CAUSE_IMAGE_UNMAP,
		[STREAM_CACHE] = CAUSE_FILE_READ,
		[STREAM_SLAB] = CAUSE_SLAB,
		[STREAM_MOVABLE] = CAUSE_KERNEL,
		[STREAM_KERNEL] = CAUSE_KERNEL,
	};

	return causes[c->cls];
}

/* `mates`: which calls of the same side are matched. */
static enum stream_cause cause_of_free(const struct stream_call *c,
				       const uint32_t *mates,
				       const struct stream_call *others)
{
	if (c->other == STREAM_NONE)
		return CAUSE_INHERITED;
	if (mates[c->other] == STREAM_NONE)
		return CAUSE_OF_UNMATCHED;
	return others[mates[c->other]].other == STREAM_NONE ? CAUSE_KEPT :
							      CAUSE_MOVED;
}

static enum stream_cause cause_of(const struct stream_diff *d,
				  enum stream_side side, uint32_t i)
{
	const struct stream_call *theirs = d->recorded->calls;
	const struct stream_call *ours = d->ours->calls;

	if (side == SIDE_BOTH)
		return CAUSE_NONE;
	if (side == SIDE_RECORDED)
		return theirs[i].is_free ?
			       cause_of_free(&theirs[i], d->mate, ours) :
			       cause_of_recorded_alloc(&theirs[i]);
	if (ours[i].is_free)
		return ours[i].cls == STREAM_ELSEWHERE ? CAUSE_PGD :
		       cause_of_free(&ours[i], d->mate_ours, theirs);
	return ours[i].cls == STREAM_TABLE ? CAUSE_OWN_TABLE :
					     CAUSE_FEWER_PAGES;
}

const char *stream_cause_text(enum stream_cause c)
{
	static const char *const texts[NR_CAUSES] = {
		[CAUSE_FORK_COPY] = "data or stack of the program, copied "
				    "when written after fork or exec",
		[CAUSE_SLAB] = "slab caches are not modelled",
		[CAUSE_NEIGHBOUR_TABLE] = "for the program's image or stack, "
					  "or shared with it",
		[CAUSE_IMAGE_UNMAP] = "unmap of more than the workload has",
		[CAUSE_FILE_READ] = "files of the program",
		[CAUSE_KERNEL] = "system calls of the program",
		[CAUSE_MORE_PAGES] = "pages beyond the workload's own",
		[CAUSE_INHERITED] = "allocated before the trace or by another "
				    "task: fork, exec",
		[CAUSE_OF_UNMATCHED] = "of an allocation on this side only",
		[CAUSE_MOVED] = "both free this page, in another order",
		[CAUSE_KEPT] = "the other side does not free this page",
		[CAUSE_OWN_TABLE] = "the recorded mapping found this table",
		[CAUSE_FEWER_PAGES] = "not in the recording",
		[CAUSE_PGD] = "the address space; the kernel frees it from "
			      "another task",
	};

	return texts[c];
}

static bool same_call(const struct stream_diff *d, enum stream_side side,
		      uint32_t i, uint32_t k)
{
	const struct stream_call *calls = side == SIDE_OURS ?
						  d->ours->calls :
						  d->recorded->calls;

	return stream_token(&calls[i]) == stream_token(&calls[k]) &&
	       cause_of(d, side, i) == cause_of(d, side, k);
}

/* How often the `period` calls from i on stand there in a row. */
static uint32_t repetitions(const struct stream_diff *d, enum stream_side side,
			    uint32_t i, uint32_t end, uint32_t period)
{
	uint32_t k = i + period;

	while (k < end && same_call(d, side, k, k - period))
		k++;
	return (k - i) / period;
}

/* Does the pattern hold more than one kind of call? */
static bool is_mixed(const struct stream_diff *d, enum stream_side side,
		     uint32_t i, uint32_t period)
{
	const struct stream_call *calls = side == SIDE_OURS ?
						  d->ours->calls :
						  d->recorded->calls;

	for (uint32_t k = i + 1; k < i + period; k++)
		if (stream_token(&calls[k]) != stream_token(&calls[i]))
			return true;
	return period == 1;
}

static int add_line(struct stream_lines *l, const struct stream_line *line)
{
	struct stream_line *lines;

	if (l->nr == l->capacity) {
		const uint32_t capacity = l->capacity * 2 + 256;

		lines = realloc(l->lines, capacity * sizeof(*lines));
		if (!lines)
			return -ENOMEM;
		l->lines = lines;
		l->capacity = capacity;
	}
	l->lines[l->nr++] = *line;
	return 0;
}

/* Lines for calls [i, end) of one side; `other` is the place in the other. */
static int add_lines(struct stream_lines *l, const struct stream_diff *d,
		     enum stream_side side, uint32_t i, uint32_t end,
		     uint32_t other)
{
	while (i < end) {
		struct stream_line line = {
			.first = side == SIDE_OURS ? other : i,
			.first_ours = side == SIDE_OURS ? i : other,
			.side = side, .cause = cause_of(d, side, i),
		};

		for (line.period = 1; line.period <= STREAM_MAX_PERIOD;
		     line.period++) {
			if (line.period > end - i)
				break;
			line.reps = repetitions(d, side, i, end, line.period);
			if (line.reps > 1 && is_mixed(d, side, i, line.period))
				break;
			line.reps = 1;
		}
		if (line.reps <= 1)
			line.period = line.reps = 1;
		if (line.period > 1)
			line.cause = CAUSE_NONE;
		if (add_line(l, &line))
			return -ENOMEM;
		i += line.period * line.reps;
		if (side == SIDE_BOTH)
			other += line.period * line.reps;
	}
	return 0;
}

/* The next stretch of matched calls, or of calls that are not. */
static int add_stretch(struct stream_lines *l, const struct stream_diff *d,
		       uint32_t *i, uint32_t *j)
{
	const uint32_t i0 = *i, j0 = *j;
	int ret;

	while (*i < d->recorded->nr && d->mate[*i] == *j) {
		++*i;
		++*j;
	}
	if (*i > i0)
		return add_lines(l, d, SIDE_BOTH, i0, *i, j0);
	while (*i < d->recorded->nr && d->mate[*i] == STREAM_NONE)
		++*i;
	while (*j < d->ours->nr && d->mate_ours[*j] == STREAM_NONE)
		++*j;
	ret = add_lines(l, d, SIDE_RECORDED, i0, *i, j0);
	return ret ? ret : add_lines(l, d, SIDE_OURS, j0, *j, *i);
}

int stream_lines_build(struct stream_lines *l, const struct stream_diff *d)
{
	uint32_t i = 0, j = 0;
	int ret = 0;

	*l = (struct stream_lines){ .nr = 0 };
	while (!ret && (i < d->recorded->nr || j < d->ours->nr))
		ret = add_stretch(l, d, &i, &j);
	return ret;
}

void stream_lines_free(struct stream_lines *l)
{
	free(l->lines);
	l->lines = NULL;
}

/* "alloc o9 M huge page" */
static int format_call(const struct stream_call *c, char *out, size_t size)
{
	static const char types[] = "UMRHCI?";

	return snprintf(out, size, "%s o%u%s%c %s%s",
			c->is_free ? "free" : "alloc", c->order,
			c->mt < MIGRATE_TYPES ? " " : "",
			c->mt < MIGRATE_TYPES ? types[c->mt] : ',',
			stream_class_name(c->cls),
			c->failed ? ", failed" : "");
}

void stream_line_format(const struct stream_diff *d,
			const struct stream_line *line, char *out, size_t size)
{
	const struct stream_call *calls =
		line->side == SIDE_OURS ? &d->ours->calls[line->first_ours] :
					  &d->recorded->calls[line->first];
	size_t at = 0;

	out[0] = '\0';
	if (line->reps > 1)
		at += (size_t)snprintf(out, size, "%u x ", line->reps);
	for (uint32_t i = 0; i < line->period; i++) {
		if (at < size)
			at += (size_t)snprintf(out + at, size - at, "%s",
					       i ? ", " : line->period > 1 ?
					       "(" : "");
		if (at < size)
			at += (size_t)format_call(&calls[i], out + at,
						  size - at);
	}
	if (line->period > 1 && at < size)
		snprintf(out + at, size - at, ")");
}
