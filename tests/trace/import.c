/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading a whole trace into one text; see tests/trace/import.h. */
#include "tests/trace/import.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "tests/test.h"
#include "tests/trace/files.h"

static int print_kmem(const struct trace_event *e, char *out, size_t size)
{
	static const char letters[TRACE_NR_KINDS + 1] = "RAFBZDXLM";
	const struct trace_kmem *k = &e->u.kmem;
	const char letter = letters[e->kind];
	char pfn[16] = "none";

	if (k->pfn != PFN_NONE)
		snprintf(pfn, sizeof(pfn), "%u", k->pfn);
	switch (e->kind) {
	case TRACE_ALLOC:
		return snprintf(out, size, "%c %s %u %u 0x%x", letter, pfn,
				k->order, k->mt, k->gfp);
	case TRACE_ZONE_LOCKED:
		return snprintf(out, size, "%c %s %u %u %d", letter, pfn,
				k->order, k->mt, k->refill);
	case TRACE_PCPU_DRAIN:
		return snprintf(out, size, "%c %s %u %u", letter, pfn,
				k->order, k->mt);
	case TRACE_EXTFRAG:
		return snprintf(out, size, "%c %s %u %u %u %u %d", letter,
				pfn, k->order, k->fallback_order, k->mt,
				k->fallback_mt, k->change_ownership);
	}
	return snprintf(out, size, "%c %s %u", letter, pfn, k->order);
}

static size_t print_event(const struct trace_source *s,
			  const struct trace_event *e, char *out, size_t size)
{
	const struct trace_task *t = trace_source_task(s, e->task);
	char body[128];

	assert_non_null(t);
	if (e->kind == TRACE_REQUEST)
		req_format(&e->u.req, body, sizeof(body));
	else if (e->kind == TRACE_LOST)
		snprintf(body, sizeof(body), "lost %" PRIu64, e->u.lost);
	else
		print_kmem(e, body, sizeof(body));
	return (size_t)snprintf(out, size, "%s/%u %u %" PRIu64 " %s\n",
				t->comm, t->pid, e->cpu, e->ns, body);
}

void import_file(struct imported *im, const char *path,
		 const struct trace_options *o)
{
	struct trace_source *s;
	struct trace_event e;
	size_t used = 0;

	memset(im, 0, sizeof(*im));
	if (trace_open(&s, path, o, &im->diag))
		fail_msg("%s", im->diag.last);
	im->format = trace_source_format(s);
	if (trace_source_kernel(s))
		snprintf(im->kernel, sizeof(im->kernel), "%s",
			 trace_source_kernel(s));
	while ((im->end = trace_next(s, &e)) == 1 || im->end == -EINVAL) {
		im->wrong += im->end == -EINVAL;
		if (im->end == 1 && used < IMPORTED_MAX)
			used += print_event(s, &e, im->text + used,
					    IMPORTED_MAX - used);
	}
	assert_true(used < IMPORTED_MAX);
	im->stats = *trace_source_stats(s);
	trace_close(s);
}

void import_text(struct imported *im, const char *text,
		 const struct trace_options *o)
{
	char path[TEST_PATH_MAX];

	file_write_text(path, text);
	import_file(im, path, o);
	file_remove(path);
}
