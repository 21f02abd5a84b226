/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The progress line. It is redrawn at most five times a second; in a log, where
 * nothing can be redrawn, a run that takes long says so from time to time.
 */
#include "bench/progress.h"

#include <inttypes.h>
#include <time.h>

#define REDRAW_NS UINT64_C(200000000)
#define FIRST_NOTE_NS UINT64_C(60000000000)
#define NS_PER_S UINT64_C(1000000000)

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

void progress_init(struct progress *p, FILE *out, bool on, size_t total)
{
	*p = (struct progress){ .out = out, .on = on, .total = total,
				.began_ns = now_ns(),
				.next_note_ns = FIRST_NOTE_NS };
}

void progress_text(size_t done, size_t total, uint64_t elapsed_ns, char *out,
		   size_t out_size)
{
	/* In hundredths of a cell per second; integers, so no locale. */
	const uint64_t rate = elapsed_ns ?
		(uint64_t)done * 100 * NS_PER_S / elapsed_ns : 0;
	uint64_t left_s;

	if (!rate) {
		snprintf(out, out_size, "%zu/%zu cells", done, total);
		return;
	}
	left_s = (uint64_t)(total - done) * 100 / rate;
	snprintf(out, out_size, "%zu/%zu cells, %" PRIu64 ".%02" PRIu64
		 "/s, %" PRIu64 ":%02" PRIu64 " left", done, total,
		 rate / 100, rate % 100, left_s / 60, left_s % 60);
}

static void take_note(struct progress *p, uint64_t elapsed_ns)
{
	char text[120];

	if (!p->out || elapsed_ns < p->next_note_ns || p->done == p->total)
		return;
	while (p->next_note_ns <= elapsed_ns)
		p->next_note_ns *= 2;
	progress_text(p->done, p->total, elapsed_ns, text, sizeof(text));
	fprintf(p->out, "still running after %" PRIu64 " min: %s\n",
		elapsed_ns / (60 * NS_PER_S), text);
	fflush(p->out);
}

void progress_update(struct progress *p, size_t done)
{
	const uint64_t now = now_ns();
	char text[120];

	p->done = done;
	if (!p->on) {
		take_note(p, now - p->began_ns);
		return;
	}
	if (p->drawn && now - p->drawn_ns < REDRAW_NS)
		return;
	progress_text(done, p->total, now - p->began_ns, text, sizeof(text));
	fprintf(p->out, "\r%s\033[K", text);
	fflush(p->out);
	p->drawn = true;
	p->drawn_ns = now;
}

void progress_clear(struct progress *p)
{
	if (!p->drawn)
		return;
	fputs("\r\033[K", p->out);
	fflush(p->out);
	p->drawn = false;
}
