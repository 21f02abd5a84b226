/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recorder: waits for the program to halt, and looks at its pages in
 * between. It never leaves the program alone before its end, since calls that
 * the filter halts fail without a tracer; so after an error of its own it goes
 * on and writes nothing.
 */
#include "record/record.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record/tracer.h"

/* Signals that come to the recorder, taken by sigtimedwait(). */
static void block_signals(sigset_t *ours, sigset_t *before)
{
	sigemptyset(ours);
	sigaddset(ours, SIGCHLD);
	sigaddset(ours, SIGINT);
	sigaddset(ours, SIGQUIT);
	sigaddset(ours, SIGTERM);
	sigaddset(ours, SIGHUP);
	sigprocmask(SIG_BLOCK, ours, before);
}

static void sample_all(struct tracer *t)
{
	for (struct space *s = t->spaces; s && !t->sink.err; s = s->next)
		space_sample_if_changed(s);
}

/*
 * Everybody who halted or ended by now. False: nobody who is traced is left. A
 * shell that became the recorder may have left it children of its own: they are
 * not traced, and not waited for.
 */
static bool serve_stops(struct tracer *t)
{
	int status;
	pid_t tid;

	while (t->threads &&
	       (tid = waitpid(-1, &status, WNOHANG | __WALL)) != 0) {
		if (tid > 0)
			tracee_stopped(t, tid, status);
		else if (errno == ECHILD)
			return false;
	}
	return t->threads;
}

/* The terminal sends ^C to the program too; other signals are for it alone. */
static void pass_on(const struct tracer *t, int sig)
{
	if ((sig == SIGTERM || sig == SIGHUP) && !t->ended)
		kill(t->child, sig);
}

static void wait_for_end(struct tracer *t, const sigset_t *ours,
			 uint64_t sample_ns)
{
	uint64_t next = record_clock() + sample_ns;

	while (serve_stops(t)) {
		const uint64_t now = record_clock();
		struct timespec left = { 0 };

		if (now >= next) {
			sample_all(t);
			/* At most half of the time goes into samples. */
			next = record_clock();
			next += sample_ns > next - now ? sample_ns : next - now;
			continue;
		}
		left.tv_sec = (time_t)((next - now) / NSEC_PER_SEC);
		left.tv_nsec = (long)((next - now) % NSEC_PER_SEC);
		pass_on(t, sigtimedwait(ours, NULL, &left));
	}
}

/* How it ended: the program, or the attempt to start it. */
static void take_result(const struct tracer *t, int error_pipe,
			struct record_result *r)
{
	int err = 0;

	r->counts = t->sink.counts;
	r->counts.ns = record_clock() - t->sink.start_ns;
	if (read(error_pipe, &err, sizeof(err)) == (ssize_t)sizeof(err)) {
		r->end = RECORD_NOT_STARTED;
		r->code = err;
	} else if (WIFSIGNALED(t->status)) {
		r->end = RECORD_KILLED;
		r->code = WTERMSIG(t->status);
	} else {
		r->end = RECORD_EXITED;
		r->code = WEXITSTATUS(t->status);
	}
}

static int run_program(struct tracer *t, const struct record_options *o,
		       struct record_result *r, struct diag *d)
{
	sigset_t ours, before;
	struct thread *th;
	int error_pipe;

	block_signals(&ours, &before);
	t->sink.start_ns = record_clock();
	t->child = child_start(o, &error_pipe, d);
	if (t->child < 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		return t->child;
	}
	th = thread_add(t, t->child);
	if (th)
		th->known = true;
	else
		kill(t->child, SIGKILL);
	wait_for_end(t, &ours, o->sample_ns);
	tracer_clear(t);
	take_result(t, error_pipe, r);
	close(error_pipe);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return t->sink.err;
}

int record_run(const struct record_options *o, struct record_result *r,
	       struct diag *d)
{
	const struct blt_info info = { .source = TRACE_FORMAT_RECORDER };
	struct tracer t = { .child = -1 };
	int err;

	memset(r, 0, sizeof(*r));
	/* Before the program runs: a file that cannot be is an error now. */
	err = blt_create(&t.sink.writer, o->output, &info, d);
	if (err)
		return err;
	err = run_program(&t, o, r, d);
	if (!err && r->end != RECORD_NOT_STARTED)
		return blt_commit(t.sink.writer, NULL);
	blt_abort(t.sink.writer);
	if (err == -ENOMEM)
		diag_error(d, (struct diag_place){ .file = o->output },
			   "out of memory; the program ran to its end, but "
			   "there is no recording");
	return err;
}
