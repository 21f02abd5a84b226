/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events as the importers of text build them: task, CPU, masks, losses. */
#include <errno.h>
#include <string.h>

#include "trace/importer.h"

/* Most lines are of the task of the line before. */
static int find_task(struct trace_source *s, const struct event_head *h,
		     uint32_t *out)
{
	struct task_memo *m = &s->memo;
	int err;

	if (m->pid == h->pid && m->len == h->comm_len &&
	    !memcmp(m->comm, h->comm, m->len)) {
		*out = m->task;
		return 0;
	}
	err = tasks_find(&s->tasks, h->pid, h->comm, h->comm_len, out);
	if (err || h->comm_len >= sizeof(m->comm))
		return err;
	m->pid = h->pid;
	m->task = *out;
	m->len = h->comm_len;
	memcpy(m->comm, h->comm, m->len);
	return 0;
}

static void warn_full(struct trace_source *s)
{
	s->warned = true;
	diag_warning(s->diag,
		     (struct diag_place){ .file = s->path,
					  .line = s->f.line.number },
		     "more than %u tasks; later ones are not told apart",
		     TASKS_MAX - 1);
}

int event_finish(struct trace_source *s, const struct event_head *h,
		 struct trace_event *out)
{
	int err;

	if (h->cpu >= TRACE_MAX_CPUS) {
		s->f.last = h->cpu_text;
		fields_error(&s->f,
			     "the CPU is %u; allowed is a number from 0 to %u",
			     h->cpu, TRACE_MAX_CPUS - 1);
		return -EINVAL;
	}
	err = find_task(s, h, &out->task);
	if (err) {
		fields_error(&s->f, "out of memory for the table of tasks");
		return err;
	}
	if (s->tasks.full && !s->warned)
		warn_full(s);
	out->ns = h->ns;
	out->line = s->f.line.number;
	out->cpu = (uint16_t)h->cpu;
	return 1;
}

int lost_event(struct trace_source *s, uint32_t cpu, uint64_t events,
	       struct trace_event *out)
{
	*out = (struct trace_event){
		.ns = s->last_ns,
		.line = s->f.line.number,
		.cpu = (uint16_t)cpu,
		.kind = TRACE_LOST,
		.u.lost = events,
	};
	return 1;
}

static uint32_t text_hash(const char *text, size_t len)
{
	uint64_t head = 0, tail = 0;

	if (len >= 8) {
		memcpy(&head, text, 8);
		memcpy(&tail, text + len - 8, 8);
	} else {
		memcpy(&head, text, len);
	}
	head = (head ^ tail << 1 ^ len) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(head >> 32);
}

uint32_t gfp_text(struct trace_source *s, const char *text, size_t len)
{
	struct gfp_cache_slot *c =
		&s->gfp_cache[text_hash(text, len) % GFP_CACHE_SLOTS];
	struct gfp_rest rest;

	if (len && c->len == len && !memcmp(c->text, text, len)) {
		s->stats.unknown_gfp += c->unknown;
		return c->mask;
	}
	c->mask = gfp_parse(text, len, s->release, &rest);
	c->unknown = rest.unknown;
	c->len = 0;
	if (len <= GFP_CACHE_BYTES) {
		c->len = (uint8_t)len;
		memcpy(c->text, text, len);
	}
	s->stats.unknown_gfp += rest.unknown;
	return c->mask;
}
