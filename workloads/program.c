/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs as `buddylab record` saw them: each recorded address space is one of
 * a simulated process, at the recorded addresses, since how a mapping lies
 * decides on huge pages and page tables. A task of the phase plays one process
 * after the other: a recorded process takes the first task that is free when it
 * begins and leaves it when it exits. Every operation waits for its recorded
 * time, or later, if the guest is slower than the recorded machine was.
 *
 * A task reads the file by itself and passes over what is not its own. Nothing
 * of the file is trusted: it is read once before, with the same rules that the
 * guest takes for granted.
 */
#include "workloads/program.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "trace/ranges.h"
#include "trace/source.h"

#define NO_LANE UINT32_MAX
/* Tasks that a recording may ask for. */
#define MAX_LANES 65536u

/* Which task plays a process: the same for every reader of the file. */
struct lanes {
	uint32_t *of;           /* by number of the process, or NO_LANE */
	uint32_t nr_of;
	bool *busy;             /* by task */
	uint32_t nr_busy;       /* length of the array: most at a time */
};

struct reader {
	struct trace_source *source;
	struct diag diag;
	struct lanes lanes;
	struct trace_event event; /* to be played when its time has come */
	bool waits;
};

struct program {
	const struct trace_workload_options *o;
	unsigned int nr_readers;
	uint64_t first_ns;      /* of the recording */
	bool began;
	sim_ns_t start;
	struct reader *readers;
};

/* ---- lanes ---- */

static void lanes_free(struct lanes *l)
{
	free(l->of);
	free(l->busy);
	*l = (struct lanes){ 0 };
}

static int lanes_room(struct lanes *l, uint32_t process)
{
	uint32_t nr = l->nr_of ? l->nr_of : 16;
	uint32_t *of;

	if (process < l->nr_of)
		return 0;
	while (nr <= process)
		nr *= 2;
	of = realloc(l->of, nr * sizeof(*of));
	if (!of)
		return -ENOMEM;
	memset(of + l->nr_of, 0xff, (nr - l->nr_of) * sizeof(*of));
	l->of = of;
	l->nr_of = nr;
	return 0;
}

/* The task of this process, the first free one if it is new; 0 or -errno. */
static int lanes_take(struct lanes *l, uint32_t process, uint32_t *lane)
{
	bool *busy;
	uint32_t i;
	int err = lanes_room(l, process);

	if (err)
		return err;
	*lane = l->of[process];
	if (*lane != NO_LANE)
		return 0;
	for (i = 0; i < l->nr_busy && l->busy[i]; i++)
		;
	if (i == MAX_LANES)
		return -E2BIG;
	if (i == l->nr_busy) {
		busy = realloc(l->busy, (i + 1) * sizeof(*busy));
		if (!busy)
			return -ENOMEM;
		l->busy = busy;
		l->nr_busy = i + 1;
	}
	l->busy[i] = true;
	l->of[process] = *lane = i;
	return 0;
}

static void lanes_leave(struct lanes *l, uint32_t process)
{
	l->busy[l->of[process]] = false;
	l->of[process] = NO_LANE;
}

/* ---- the check ---- */

struct check {
	const char *file;
	char *why;
	size_t why_size;
	struct lanes lanes;
	struct addr_ranges *mapped;  /* by lane */
	uint32_t nr_mapped;
	uint64_t nr;                 /* of the event */
};

static int refuse(const struct check *c, const char *what)
{
	snprintf(c->why, c->why_size, "%.150s: event %" PRIu64 ": %s; is it a "
		 "file of 'buddylab record'?", c->file, c->nr, what);
	return -EINVAL;
}

static int check_range(const struct check *c, struct addr_ranges *m,
		       const struct trace_mem *e)
{
	const uint64_t end = e->addr + e->len;

	if (!e->len || e->addr % PAGE_SIZE || e->len % PAGE_SIZE)
		return refuse(c, "a range that is not of whole pages");
	if (e->addr < WORKLOAD_AT_MIN || end > WORKLOAD_AT_END || end < e->addr)
		return refuse(c, "an address that a program of 47 bits does "
			      "not have");
	if (e->op == TRACE_MEM_MAP) {
		if (ranges_overlap(m, e->addr, end))
			return refuse(c, "a mapping where another one is");
		return ranges_add(m, e->addr, end);
	}
	if (!ranges_cover(m, e->addr, end))
		return refuse(c, "memory that is not mapped");
	return e->op == TRACE_MEM_UNMAP ? ranges_del(m, e->addr, end) : 0;
}

static int check_event(struct check *c, const struct trace_event *e)
{
	struct addr_ranges *m;
	uint32_t lane;
	int err;

	if (e->kind != TRACE_MEM)
		return refuse(c, "no operation of a program on its memory");
	err = lanes_take(&c->lanes, e->task, &lane);
	if (err)
		return err;
	if (c->lanes.nr_busy > c->nr_mapped) {
		m = realloc(c->mapped, c->lanes.nr_busy * sizeof(*m));
		if (!m)
			return -ENOMEM;
		c->mapped = m;
		while (c->nr_mapped < c->lanes.nr_busy)
			m[c->nr_mapped++] = (struct addr_ranges){ 0 };
	}
	m = &c->mapped[lane];
	if (e->u.mem.op == TRACE_MEM_FORK)
		return 0;
	if (e->u.mem.op != TRACE_MEM_EXIT)
		return check_range(c, m, &e->u.mem);
	ranges_free(m);
	lanes_leave(&c->lanes, e->task);
	return 0;
}

static int check_all(struct program *p, struct check *c,
		     struct trace_source *source)
{
	struct trace_event e;
	int ret;

	while ((ret = trace_next(source, &e)) == 1) {
		if (!c->nr++)
			p->first_ns = e.ns;
		ret = check_event(c, &e);
		if (ret)
			return ret;
	}
	return ret;
}

static int check_tasks(const struct check *c, const struct workload *w)
{
	if (c->lanes.nr_busy <= w->ctx.nr_tasks)
		return 0;
	snprintf(c->why, c->why_size, "%.150s holds up to %u processes at a "
		 "time: give the phase 'tasks = %u' (now %u)", c->file,
		 c->lanes.nr_busy, c->lanes.nr_busy, w->ctx.nr_tasks);
	return -EINVAL;
}

static int check_file(struct program *p, const struct workload *w, char *why,
		      size_t why_size)
{
	struct check c = { .file = p->o->file, .why = why,
			   .why_size = why_size };
	struct diag diag = { .out = NULL };
	struct trace_source *source;
	int err = trace_open(&source, p->o->file, NULL, &diag);

	why[0] = '\0';
	if (!err) {
		err = check_all(p, &c, source);
		trace_close(source);
	}
	if (!err)
		err = check_tasks(&c, w);
	if (err && !why[0])
		snprintf(why, why_size, "%s", diag.last[0] ? diag.last :
			 strerror(-err));
	for (uint32_t i = 0; i < c.nr_mapped; i++)
		ranges_free(&c.mapped[i]);
	free(c.mapped);
	lanes_free(&c.lanes);
	return err;
}

/* ---- the play ---- */

int program_open(struct program **out, const struct workload *w, char *why,
		 size_t why_size)
{
	struct program *p = calloc(1, sizeof(*p));
	int err = p ? 0 : -ENOMEM;

	if (!err) {
		p->o = w->options;
		p->nr_readers = w->ctx.nr_tasks;
		p->readers = calloc(p->nr_readers, sizeof(*p->readers));
		err = p->readers ? 0 : -ENOMEM;
	}
	if (err)
		snprintf(why, why_size, "out of memory");
	else
		err = check_file(p, w, why, why_size);
	for (unsigned int i = 0; !err && i < p->nr_readers; i++) {
		struct reader *r = &p->readers[i];

		err = trace_open(&r->source, p->o->file, NULL, &r->diag);
		if (err)
			snprintf(why, why_size, "%s", r->diag.last);
	}
	if (err) {
		program_close(p);
		return err;
	}
	*out = p;
	return 0;
}

void program_close(struct program *p)
{
	if (!p)
		return;
	for (unsigned int i = 0; p->readers && i < p->nr_readers; i++) {
		if (p->readers[i].source)
			trace_close(p->readers[i].source);
		lanes_free(&p->readers[i].lanes);
	}
	free(p->readers);
	free(p);
}

/* 1: the next event of this task; 0: there is none; -errno. */
static int read_event(struct reader *r, unsigned int task)
{
	uint32_t lane;
	int ret;

	while ((ret = trace_next(r->source, &r->event)) == 1) {
		const uint32_t process = r->event.task;
		const int err = lanes_take(&r->lanes, process, &lane);

		if (err)
			return err;
		if (r->event.u.mem.op == TRACE_MEM_EXIT)
			lanes_leave(&r->lanes, process);
		if (lane == task && r->event.u.mem.op != TRACE_MEM_FORK)
			return 1;
	}
	return ret;
}

static void make_op(const struct trace_mem *m, struct workload_op *op)
{
	static const struct {
		enum workload_op_kind kind;
		uint32_t flags;
	} ops[TRACE_MEM_NR_OPS] = {
		[TRACE_MEM_MAP] = { WORKLOAD_MMAP, 0 },
		[TRACE_MEM_UNMAP] = { WORKLOAD_MUNMAP, 0 },
		[TRACE_MEM_TOUCH] = { WORKLOAD_TOUCH, WORKLOAD_COUNTED },
		[TRACE_MEM_DONTNEED] = { WORKLOAD_MADV_DONTNEED, 0 },
		[TRACE_MEM_FREE] = { WORKLOAD_MADV_FREE, 0 },
		[TRACE_MEM_HUGEPAGE] = { WORKLOAD_MADV_THP,
					 WORKLOAD_MAP_HUGEPAGE },
		[TRACE_MEM_NOHUGEPAGE] = { WORKLOAD_MADV_THP,
					   WORKLOAD_MAP_NOHUGEPAGE },
		[TRACE_MEM_EXIT] = { WORKLOAD_EXEC, 0 },
	};

	*op = (struct workload_op){
		.kind = ops[m->op].kind,
		.flags = ops[m->op].flags | WORKLOAD_AT,
		.offset = m->addr,
		.len = m->len,
	};
}

bool program_next(struct program *p, struct workload *w, unsigned int task,
		  struct workload_op *op)
{
	struct reader *r = &p->readers[task];
	const sim_ns_t now = op->ns;
	sim_ns_t due;

	if (!p->began) {
		p->began = true;
		p->start = now;
	}
	if (!r->waits) {
		const int ret = read_event(r, task);

		if (ret < 0) {
			w->error = ret;
			w->why = r->diag.last[0] ? r->diag.last : NULL;
		}
		if (ret != 1)
			return false;
	}
	due = p->start + (r->event.ns - p->first_ns);
	r->waits = p->o->pace == TRACE_PACE_RECORDED && now < due;
	if (r->waits) {
		*op = (struct workload_op){ .kind = WORKLOAD_SLEEP,
					    .ns = due - now };
		return true;
	}
	make_op(&r->event.u.mem, op);
	return true;
}
