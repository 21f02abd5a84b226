/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What both hosts are made to do: the cases that are written down, and random
 * streams. The first cases are the experiments of which docs/host-model.md has
 * the counts; a wrong rule about page tables, huge pages or lazy pages changes
 * one of them.
 *
 * Reading a page that is not there is left out: Linux maps the zero page, the
 * mock allocates, see docs/fidelity.md.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hypervisor/conformance_internal.h"
#include "include/check.h"

#define FILL "w 0 10 * 1024;"
#define ADVISED "thp=madvise"
#define SMALL "thp=never"
#define LAZY "discard=free"
#define FILE "thp=never memory_file=memfd"

/* Every other block of one order is punched out of huge pages, touched again,
 * then all of the other blocks, then everything in the largest blocks. */
#define PUNCH(order, pages, twice)                                            \
	{ .name = "punch-order-" #order, .half = true,                        \
	  .script = FILL "d 0 " #order " * " #twice ";" FILL                  \
		    "d " #pages " " #order " * " #twice ";" FILL              \
		    "d 0 10 * 1024;" FILL }
/* The same for lazy pages, of which some are written and some read again. */
#define LAZY_PUNCH(order, pages, twice)                                       \
	{ .name = "lazy-order-" #order, .half = true, .options = LAZY,        \
	  .script = FILL "d 0 " #order " * " #twice ";"                       \
		    "r 0 0 * 96; w 0 0 * 160;"                                \
		    "d 0 " #order " * " #twice ";" FILL                       \
		    "d 0 " #order " * " #pages "; b 0 10 * 1024;" FILL }

const struct conformance_case conformance_cases[] = {
	{ .name = "touch-small", .options = SMALL, .script = FILL },
	{ .name = "touch-huge", .options = ADVISED, .script = FILL },
	{ .name = "touch-again", .script = FILL FILL },
	{ .name = "punch-4k", .script = FILL "d 0 0 * 2;" FILL },
	{ .name = "one-4k-of-2m", .script = FILL "d 0 0 * 512; w 0 0 * 512" },
	{ .name = "punch-2m", .script = FILL "d 0 9 * 1024;" FILL },
	{ .name = "free-all", .options = LAZY,
	  .script = FILL "d 0 10 * 1024;" FILL },
	{ .name = "free-4k", .options = LAZY,
	  .script = FILL "d 0 0 * 2;" FILL },
	{ .name = "file-touch", .model = SMALL, .real = FILE, .half = true,
	  .script = FILL },
	{ .name = "file-punch-2m", .model = SMALL, .real = FILE, .half = true,
	  .script = FILL "d 0 9 * 1024;" FILL },
	{ .name = "file-punch-4k", .model = SMALL, .real = FILE, .half = true,
	  .script = FILL "d 0 0 * 2;" FILL },
	PUNCH(0, 1, 2), PUNCH(1, 2, 4), PUNCH(2, 4, 8), PUNCH(3, 8, 16),
	PUNCH(4, 16, 32), PUNCH(5, 32, 64), PUNCH(6, 64, 128),
	PUNCH(7, 128, 256), PUNCH(8, 256, 512), PUNCH(9, 512, 1024),
	PUNCH(10, 1024, 2048),
	LAZY_PUNCH(0, 1, 2), LAZY_PUNCH(3, 8, 16), LAZY_PUNCH(6, 64, 128),
	LAZY_PUNCH(8, 256, 512), LAZY_PUNCH(9, 512, 1024),
	LAZY_PUNCH(10, 1024, 2048),
	{ .name = "balloon-512x4k", .small = true,
	  .script = FILL "b 0 0 * 1;" FILL "b 0 0 * 1; w 0 0 * 512" },
	{ .name = "balloon-thp", .half = true,
	  .script = FILL "b 0 9 * 512;" FILL "b 512 9 * 1024;" FILL },
	{ .name = "report-per-page", .half = true,
	  .options = "discard_granularity=page",
	  .script = FILL "d 0 9 * 1024;" FILL },
	{ .name = "whole-region-of-small", .options = "thp=always",
	  .half = true,
	  .script = FILL "d 5 0 * 512; d 0 9 * 512;" FILL
		    "d 5 0 * 512; d 0 8 * 512; d 256 8 * 512;" FILL
		    "d 0 10 * 1024; w 7 0 * 512" },
	{ .name = "empty-table", .half = true,
	  .script = "w 0 0 * 512; d 0 9 * 512; d 0 9 * 512; w 3 0 * 512" },
	{ .name = "discard-nothing", .small = true,
	  .script = "d 0 0 * 3; b 0 9 * 512; w 0 2 * 512; d 0 9 * 1024;"
		    "d 0 10 * 1024; d 0 10 * 1024" },
	{ .name = "lazy-then-punched", .options = LAZY, .half = true,
	  .script = FILL "d 0 9 * 512; b 0 3 * 512; r 8 3 * 512;"
		    "w 16 3 * 512; d 64 6 * 512; w 0 0 * 3; r 8 0 * 512;"
		    "b 0 9 * 512;" FILL },
	{ .name = "lazy-of-partial", .options = LAZY, .half = true,
	  .script = FILL "b 0 4 * 512; w 0 4 * 512; d 0 4 * 512;"
		    "d 256 5 * 512; d 0 9 * 512; r 0 0 * 512;" FILL },
	{ .name = "tail-1", .small = true, .tail = 1,
	  .script = "w 0 0 * 1; d 0 0 * 2; w 0 0 * 1; d 0 9 * 512; w 0 0 * 1" },
	{ .name = "tail-511", .small = true, .tail = 511,
	  .script = "w 0 0 * 1; d 0 7 * 128; w 0 0 * 3; b 0 0 * 5; w 0 0 * 1" },
	{ .name = "tail-lazy", .small = true, .tail = 100, .options = LAZY,
	  .script = "w 0 0 * 1; d 0 2 * 4; w 0 0 * 3; d 0 0 * 1; r 0 0 * 1" },
	{ .name = "khugepaged", .half = true,
	  .options = "khugepaged=on khugepaged_pages_to_scan=100000",
	  .script = "w 0 0 * 512; d 0 9 * 1024; k 0 0;" "w 512 0 * 1024;"
		    "d 517 0 * 1024; k 0 0; k 0 0; d 0 9 * 512;" FILL "k 0 0" },
	{ .name = "khugepaged-in-steps", .half = true,
	  .options = "khugepaged=on khugepaged_pages_to_scan=1500 "
		     "khugepaged_max_ptes_none=255 khugepaged_pte_mapped=on",
	  .script = FILL "d 0 7 * 512; k 0 0 5 0;" FILL "d 0 8 * 512;"
		    "d 256 0 * 1536; k 0 0 30 0;" FILL "k 0 0 40 0" },
	{ .name = "khugepaged-lazy", .half = true,
	  .options = LAZY " khugepaged=on khugepaged_pages_to_scan=100000",
	  .script = FILL "d 0 7 * 512; d 512 9 * 2048; k 0 0; d 0 8 * 1024;"
		    "r 0 8 * 2048; k 0 0;" FILL },
	{ .name = "two-guests", .half = true, .guests = 2,
	  .script = "w0 0 10 * 1024; w1 0 10 * 1024; d0 0 0 * 64; d1 0 9 * "
		    "1024; w0 0 10 * 1024; w1 0 10 * 1024; b1 8 3 * 512;"
		    "b0 0 10 * 1024; w0 0 3 * 512" },
};

const unsigned int nr_conformance_cases = ARRAY_SIZE(conformance_cases);

/* ---- scripts ---- */

static uint32_t as_many_as_fit(const struct conformance_op *op, pfn_t nr_pages)
{
	const uint32_t block = order_nr_pages(op->order);

	if (op->pfn + block > nr_pages)
		return 0;
	return (nr_pages - op->pfn - block) / op->step + 1;
}

bool conformance_parse(const char **script, pfn_t nr_pages,
		       struct conformance_op *op)
{
	unsigned int pfn, order, step = 0;
	char head[8], count[16] = "1";
	int fields, used = 0;

	while (**script == ' ' || **script == ';')
		(*script)++;
	if (!**script)
		return false;
	fields = sscanf(*script, "%7s %u %u %15[*0-9] %u", head, &pfn, &order,
			count, &step);
	CHECK_MSG(fields == 3 || fields == 5, "cannot read '%s'", *script);
	CHECK(strchr("wrztdbk", head[0]));
	*op = (struct conformance_op){
		.verb = head[0],
		.guest = head[1] ? (uint8_t)(head[1] - '0') : 0,
		.pfn = pfn, .order = (uint8_t)order, .step = step,
	};
	CHECK_LT(op->guest, CONFORMANCE_GUESTS);
	used = (int)strcspn(*script, ";");
	*script += used;
	op->count = count[0] == '*' ? as_many_as_fit(op, nr_pages) :
				      (uint32_t)strtoul(count, NULL, 10);
	return true;
}

void conformance_print(const struct conformance_op *op, char *out,
		       size_t out_size)
{
	snprintf(out, out_size, "%c%u %u %u", op->verb, op->guest, op->pfn,
		 op->order);
}

/* ---- random streams ---- */

#define STREAM_REGIONS 6

/* Words for a host, each with a share in 8. */
static const char *pick(struct rng *rng, const char *often, unsigned int nr,
			const char *seldom)
{
	return rng_below(rng, 8) < nr ? often : seldom;
}

int conformance_stream_init(struct conformance_stream *s, uint64_t seed,
		unsigned int number, unsigned int steps)
{
	const char *advice, *calls;

	*s = (struct conformance_stream){ .left = steps };
	rng_init(&s->rng, seed, "conformance", number);
	advice = pick(&s->rng, "dontneed", 4, "free");
	calls = pick(&s->rng, "range", 7, "page");
	snprintf(s->options, sizeof(s->options),
		 "discard=%s discard_granularity=%s khugepaged=on "
		 "khugepaged_pages_to_scan=%u khugepaged_max_ptes_none=%u "
		 "khugepaged_pte_mapped=%s", advice, calls,
		 1 + rng_below(&s->rng, 8192), rng_below(&s->rng, HPAGE_PMD_NR),
		 pick(&s->rng, "on", 4, "off"));
	/* One in eight without huge pages, and of these half in a file. */
	if (!rng_below(&s->rng, 8)) {
		const bool file = !strcmp(advice, "dontneed") &&
				  rng_below(&s->rng, 2);

		snprintf(s->model, sizeof(s->model), SMALL);
		snprintf(s->real, sizeof(s->real), "%s", file ? FILE : SMALL);
	}
	s->guests = 1 + rng_below(&s->rng, CONFORMANCE_GUESTS);
	s->nr_pages = (1 + rng_below(&s->rng, STREAM_REGIONS)) * HPAGE_PMD_NR +
		      rng_below(&s->rng, 4) * rng_below(&s->rng, 170);
	for (unsigned int i = 0; i < s->guests; i++) {
		s->written[i] = calloc(BITMAP_WORDS(s->nr_pages),
				       sizeof(uint64_t));
		if (!s->written[i]) {
			conformance_stream_end(s);
			return -ENOMEM;
		}
	}
	return 0;
}

void conformance_stream_end(struct conformance_stream *s)
{
	for (unsigned int i = 0; i < CONFORMANCE_GUESTS; i++) {
		free(s->written[i]);
		s->written[i] = NULL;
	}
}

/* Small blocks and the largest are the interesting ones. */
static uint8_t random_order(struct rng *rng)
{
	switch (rng_below(rng, 4)) {
	case 0:
		return 0;
	case 1:
		return (uint8_t)(HPAGE_PMD_ORDER + rng_below(rng, 2));
	default:
		return (uint8_t)rng_below(rng, NR_PAGE_ORDERS);
	}
}

static char random_verb(struct rng *rng)
{
	static const char verbs[] = "wwwwwwwwzzzztrrrrddddddddddbbbbk";

	return verbs[rng_below(rng, sizeof(verbs) - 1)];
}

bool conformance_stream_next(struct conformance_stream *s, struct conformance_op *op)
{
	uint32_t nr;
	pfn_t blocks;

	if (!s->left)
		return false;
	s->left--;
	*op = (struct conformance_op){
		.verb = random_verb(&s->rng), .count = 1,
		.guest = (uint8_t)rng_below(&s->rng, s->guests),
		.order = random_order(&s->rng),
	};
	if (op->verb == 'k')
		return true;
	while (order_nr_pages(op->order) > s->nr_pages)
		op->order--;
	nr = order_nr_pages(op->order);
	blocks = s->nr_pages >> op->order;
	op->pfn = rng_below(&s->rng, blocks) << op->order;
	if (op->verb == 'r' &&
	    bitmap_count_range(s->written[op->guest], op->pfn, nr) < nr)
		op->verb = 'w';
	if (op->verb == 'b' || op->verb == 'd')
		bitmap_clear_range(s->written[op->guest], op->pfn, nr);
	else
		bitmap_set_range(s->written[op->guest], op->pfn, nr);
	return true;
}
