/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events as text. Requests become the lines of a request stream, byte for byte
 * what a canonical stream held; kmem events become lines of tracefs' `trace`
 * file (print_trace_line and the kmem tracepoints of 6.1), which grep, awk and
 * our importer read. Leaves out page=, a hashed pointer that no trace keeps,
 * and the flags column, which is printed as dots.
 */
#include <errno.h>
#include <inttypes.h>

#include "include/plain.h"
#include "trace/export.h"
#include "trace/gfp.h"
#include "trace/tasks.h"

struct text {
	struct trace_source *source;
	const char *name;
	FILE *out;
	struct diag *diag;
	bool started, requests; /* the first event says which of the two */
	bool nsec;              /* nine digits from here on */
};

static const char *const kind_names[TRACE_NR_KINDS] = {
	[TRACE_REQUEST] = "request",
	[TRACE_ALLOC] = "mm_page_alloc",
	[TRACE_FREE] = "mm_page_free",
	[TRACE_FREE_BATCHED] = "mm_page_free_batched",
	[TRACE_ZONE_LOCKED] = "mm_page_alloc_zone_locked",
	[TRACE_PCPU_DRAIN] = "mm_page_pcpu_drain",
	[TRACE_EXTFRAG] = "mm_page_alloc_extfrag",
	[TRACE_LOST] = "lost",
	[TRACE_MEM] = "memory",
};

const char *trace_kind_name(enum trace_kind kind)
{
	return (unsigned int)kind < TRACE_NR_KINDS ? kind_names[kind] : NULL;
}

const char *trace_mem_name(enum trace_mem_op op)
{
	static const char *const names[TRACE_MEM_NR_OPS] = {
		"map", "unmap", "touch", "dontneed", "free", "hugepage",
		"nohugepage", "fork", "exit",
	};

	return (unsigned int)op < TRACE_MEM_NR_OPS ? names[op] : NULL;
}

/* Fields behind "pfn=0x..."; what the kernel prints for no page is 0. */
static void put_kmem(struct text *t, const struct trace_event *e)
{
	const struct trace_kmem *k = &e->u.kmem;
	char gfp[512];

	fprintf(t->out, "%s: pfn=0x%x", kind_names[e->kind],
		k->pfn == PFN_NONE ? 0 : k->pfn);
	if (e->kind == TRACE_EXTFRAG) {
		fprintf(t->out, " alloc_order=%u fallback_order=%u "
			"pageblock_order=%d alloc_migratetype=%u "
			"fallback_migratetype=%u fragmenting=%d "
			"change_ownership=%d\n", k->order, k->fallback_order,
			HPAGE_PMD_ORDER, k->mt, k->fallback_mt,
			k->fallback_order < HPAGE_PMD_ORDER,
			k->change_ownership);
		return;
	}
	fprintf(t->out, " order=%u", k->order);
	if (e->kind != TRACE_FREE && e->kind != TRACE_FREE_BATCHED)
		fprintf(t->out, " migratetype=%u", k->mt);
	if (e->kind == TRACE_ZONE_LOCKED)
		fprintf(t->out, " percpu_refill=%d", k->refill);
	if (e->kind == TRACE_ALLOC) {
		gfp_format(k->gfp, gfp, sizeof(gfp));
		fprintf(t->out, " gfp_flags=%s", gfp);
	}
	putc('\n', t->out);
}

/* "COMM-PID [CPU] FLAGS SEC.FRACTION: " */
static void put_head(struct text *t, const struct trace_event *e)
{
	const struct trace_task *task = trace_source_task(t->source, e->task);
	const char *comm = task && task->comm[0] ? task->comm : "<...>";
	const uint64_t sec = e->ns / NSEC_PER_SEC, rest = e->ns % NSEC_PER_SEC;
	/* A name with a line feed would be two lines. */
	char name[TASK_COMM_BYTES];

	t->nsec |= rest % NSEC_PER_USEC != 0;
	plain_copy(name, sizeof(name), comm);
	fprintf(t->out, "%16s-%-7u [%03u] ..... %5" PRIu64, name,
		task ? task->pid : 0, e->cpu, sec);
	if (t->nsec)
		fprintf(t->out, ".%09" PRIu64 ": ", rest);
	else
		fprintf(t->out, ".%06" PRIu64 ": ", rest / NSEC_PER_USEC);
}

static void put_lost(struct text *t, const struct trace_event *e)
{
	if (t->requests)
		fprintf(t->out, "# %" PRIu64 " events lost on CPU %u\n",
			e->u.lost, e->cpu);
	else if (e->u.lost)
		fprintf(t->out, "CPU:%u [LOST %" PRIu64 " EVENTS]\n", e->cpu,
			e->u.lost);
	else
		fprintf(t->out, "CPU:%u [LOST EVENTS]\n", e->cpu);
}

static int put_request(struct text *t, const struct req_record *r)
{
	char line[160];

	req_format(r, line, sizeof(line));
	fputs(line, t->out);
	putc('\n', t->out);
	return 0;
}

static void start(struct text *t, const struct trace_event *e)
{
	t->started = true;
	t->requests = e->kind == TRACE_REQUEST;
	if (!t->requests)
		fputs("# tracer: nop\n"
		      "#\n"
		      "#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n"
		      "#              | |         |   |||||     |         |\n",
		      t->out);
}

static int put_event(struct text *t, const struct trace_event *e)
{
	if (!t->started)
		start(t, e);
	if (e->kind == TRACE_LOST) {
		put_lost(t, e);
		return 0;
	}
	if (t->requests != (e->kind == TRACE_REQUEST)) {
		diag_error(t->diag, (struct diag_place){ .file = t->name },
			   "holds requests and other events; no text has both");
		return -EINVAL;
	}
	if (t->requests)
		return put_request(t, &e->u.req);
	put_head(t, e);
	if (e->kind == TRACE_MEM)
		fprintf(t->out, "tracing_mark_write: buddylab %s "
			"addr=0x%" PRIx64 " len=%" PRIu64 "\n",
			trace_mem_name(e->u.mem.op), e->u.mem.addr,
			e->u.mem.len);
	else
		put_kmem(t, e);
	return 0;
}

int trace_export_text(struct trace_source *s, const char *name, FILE *out,
		      struct diag *d)
{
	struct text t = { .source = s, .name = name, .out = out, .diag = d };
	struct trace_event e;
	bool wrong = false;
	int ret, err;

	while ((ret = trace_next(s, &e)) == 1 || ret == -EINVAL) {
		wrong |= ret == -EINVAL;
		err = wrong ? 0 : put_event(&t, &e);
		if (err)
			return err;
		if (ferror(out))
			return -EIO;
	}
	return ret ? ret : wrong ? -EINVAL : 0;
}
