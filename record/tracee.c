/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a halted thread is about, and on it goes: a call that changes memory
 * (halted before, to look at pages that will go, and after, for its result), a
 * new thread or process, a new program, an exit, a signal.
 *
 * What mremap moves is recorded as unmapped there and touched anew here. Not
 * recorded: shared memory, files but for private writable mappings, shmat,
 * process_madvise, what another process does to this one, and mprotect: a
 * private file mapping that only later becomes writable is not seen.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/ptrace.h>

#include "record/tracer.h"

#define PAGE_UP(x) (((x) + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1))
#define FAILED(x) ((uint64_t)(x) >= (uint64_t)-4095)

/* ---- threads and their address spaces ---- */

static struct thread *thread_find(const struct tracer *t, pid_t tid)
{
	struct thread *th = t->threads;

	while (th && th->tid != tid)
		th = th->next;
	return th;
}

struct thread *thread_add(struct tracer *t, pid_t tid)
{
	struct thread *th = calloc(1, sizeof(*th));

	if (!th) {
		t->sink.err = t->sink.err ? t->sink.err : -ENOMEM;
		return NULL;
	}
	th->tid = tid;
	th->next = t->threads;
	t->threads = th;
	return th;
}

static void space_drop(struct tracer *t, struct space *s)
{
	struct space **at = &t->spaces;

	if (!s || --s->users)
		return;
	space_emit(s, TRACE_MEM_EXIT, 0, 0);
	t->sink.counts.alive--;
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	space_free(s);
}

static void thread_del(struct tracer *t, struct thread *th)
{
	struct thread **at = &t->threads;

	space_drop(t, th->space);
	while (*at != th)
		at = &(*at)->next;
	*at = th->next;
	free(th);
}

void tracer_clear(struct tracer *t)
{
	while (t->threads)
		thread_del(t, t->threads);
}

static struct space *add_space(struct tracer *t, pid_t pid)
{
	char comm[16];
	struct space *s;

	read_comm(pid, comm);
	s = space_new(&t->sink, pid, comm);
	if (!s) {
		t->sink.err = t->sink.err ? t->sink.err : -ENOMEM;
		return NULL;
	}
	s->next = t->spaces;
	t->spaces = s;
	return s;
}

static void go_on(const struct thread *th, int sig)
{
	ptrace(th->in_call ? PTRACE_SYSCALL : PTRACE_CONT, th->tid, 0,
	       (long)sig);
}

/* ---- calls ---- */

static bool call_info(const struct thread *th,
		      struct ptrace_syscall_info *info)
{
	memset(info, 0, sizeof(*info));
	return ptrace(PTRACE_GET_SYSCALL_INFO, th->tid, sizeof(*info),
		      info) > 0;
}

/* Pages that the call will take away: last chance to see them. */
static void call_begins(struct thread *th)
{
	const uint64_t *a = th->args;
	struct space *s = th->space;

	switch (th->nr) {
	case SYS_munmap:
	case SYS_mremap:
		space_sample(s, a[0], PAGE_UP(a[0] + a[1]));
		break;
	case SYS_madvise:
		if (a[2] == MADV_DONTNEED || a[2] == MADV_FREE)
			space_sample(s, a[0], PAGE_UP(a[0] + a[1]));
		break;
	case SYS_mmap:
		if (a[3] & MAP_FIXED)
			space_sample(s, a[0], PAGE_UP(a[0] + a[1]));
		break;
	case SYS_brk:
		if (a[0] && a[0] < s->brk)
			space_sample(s, PAGE_UP(a[0]), PAGE_UP(s->brk));
		break;
	default:
		break;
	}
}

static void mmap_done(struct space *s, const uint64_t *a, uint64_t addr)
{
	const bool anon = a[3] & MAP_ANONYMOUS;
	const uint64_t end = PAGE_UP(addr + a[1]);

	if ((a[3] & MAP_TYPE) == MAP_PRIVATE && (anon || a[2] & PROT_WRITE))
		space_map(s, addr, end);
	else
		space_unmap(s, addr, end);
}

static void mremap_done(struct space *s, const uint64_t *a, uint64_t addr)
{
	const uint64_t old_end = PAGE_UP(a[0] + a[1]);
	const uint64_t new_end = PAGE_UP(addr + a[2]);

	/* Of something that is not recorded, a[1] = 0 a copy of it. */
	if (!ranges_cover(&s->mapped, a[0], old_end) || a[0] == old_end)
		return;
	if (addr == a[0]) {
		if (new_end < old_end)
			space_unmap(s, new_end, old_end);
		else
			space_map(s, old_end, new_end);
		return;
	}
	/* MREMAP_DONTUNMAP leaves an empty mapping behind. */
	space_unmap(s, a[0], old_end);
	if (a[3] & MREMAP_DONTUNMAP)
		space_map(s, a[0], old_end);
	space_map(s, addr, new_end);
	space_sample(s, addr, new_end);
}

static void brk_done(struct space *s, uint64_t now)
{
	const uint64_t before = s->brk;

	s->brk = now;
	if (!before)
		return;
	if (PAGE_UP(now) > PAGE_UP(before))
		space_map(s, PAGE_UP(before), PAGE_UP(now));
	else
		space_unmap(s, PAGE_UP(now), PAGE_UP(before));
}

static void madvise_done(struct space *s, const uint64_t *a)
{
	const uint64_t end = PAGE_UP(a[0] + a[1]);

	switch (a[2]) {
	case MADV_DONTNEED:
		space_advise(s, TRACE_MEM_DONTNEED, a[0], end);
		break;
	case MADV_FREE:
		space_advise(s, TRACE_MEM_FREE, a[0], end);
		break;
	case MADV_HUGEPAGE:
		space_advise(s, TRACE_MEM_HUGEPAGE, a[0], end);
		break;
	case MADV_NOHUGEPAGE:
		space_advise(s, TRACE_MEM_NOHUGEPAGE, a[0], end);
		break;
	default:
		break;
	}
}

static void call_ends(struct thread *th, uint64_t result)
{
	const uint64_t *a = th->args;

	if (FAILED(result))
		return;
	switch (th->nr) {
	case SYS_mmap:
		mmap_done(th->space, a, result);
		break;
	case SYS_munmap:
		space_unmap(th->space, a[0], PAGE_UP(a[0] + a[1]));
		break;
	case SYS_mremap:
		mremap_done(th->space, a, result);
		break;
	case SYS_brk:
		brk_done(th->space, result);
		break;
	case SYS_madvise:
		madvise_done(th->space, a);
		break;
	default:
		break;
	}
}

static void seccomp_stop(struct thread *th)
{
	struct ptrace_syscall_info info;

	if (!th->space || !call_info(th, &info) ||
	    info.op != PTRACE_SYSCALL_INFO_SECCOMP)
		return;
	th->nr = info.seccomp.nr;
	memcpy(th->args, info.seccomp.args, sizeof(th->args));
	th->in_call = true;
	call_begins(th);
}

static void syscall_stop(struct thread *th)
{
	struct ptrace_syscall_info info;

	if (!th->in_call || !call_info(th, &info) ||
	    info.op != PTRACE_SYSCALL_INFO_EXIT)
		return;
	th->in_call = false;
	call_ends(th, (uint64_t)info.exit.rval);
}

/* ---- processes ---- */

static pid_t event_pid(const struct thread *th)
{
	unsigned long msg = 0;

	ptrace(PTRACE_GETEVENTMSG, th->tid, 0, &msg);
	return (pid_t)msg;
}

/* fork: a space of its own. vfork and clone: its parent's. */
static void new_thread(struct tracer *t, struct thread *parent, int event)
{
	const pid_t tid = event_pid(parent);
	struct thread *th = thread_find(t, tid);

	if (!th)
		th = thread_add(t, tid);
	if (!th)
		return;
	th->known = true;
	if (parent->space && event == PTRACE_EVENT_FORK) {
		th->space = add_space(t, tid);
		if (th->space)
			space_fork(th->space, parent->space);
	} else if (parent->space) {
		th->space = parent->space;
		th->space->users++;
	}
	if (th->halted) {
		th->halted = false;
		go_on(th, 0);
	}
}

/* A new program; the thread has the number of its process from now on. */
static void new_program(struct tracer *t, struct thread *th)
{
	const pid_t former = event_pid(th);
	struct ptrace_syscall_info info;

	if (former != th->tid && former > 0) {
		struct thread *old = thread_find(t, former);

		if (old)
			thread_del(t, old);
	}
	space_drop(t, th->space);
	th->in_call = false;
	th->space = add_space(t, th->tid);
	if (!th->space)
		return;
	space_read_maps(th->space);
	if (call_info(th, &info) && info.arch != t->arch) {
		if (!t->arch)
			t->arch = info.arch;
		else
			t->sink.counts.foreign++;
	}
}

static void about_to_exit(struct tracer *t, struct thread *th)
{
	struct space *s = th->space;

	th->in_call = false;
	th->space = NULL;
	if (s && s->users == 1) {
		space_read_stack(s);
		space_sample(s, 0, UINT64_MAX);
	}
	space_drop(t, s);
}

/* ---- stops ---- */

static bool stops_job(int sig)
{
	return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN ||
	       sig == SIGTTOU;
}

static void event_stop(struct tracer *t, struct thread *th, int event, int sig)
{
	switch (event) {
	case PTRACE_EVENT_SECCOMP:
		seccomp_stop(th);
		break;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		new_thread(t, th, event);
		break;
	case PTRACE_EVENT_EXEC:
		new_program(t, th);
		break;
	case PTRACE_EVENT_EXIT:
		about_to_exit(t, th);
		break;
	case PTRACE_EVENT_STOP:
		if (stops_job(sig)) {
			ptrace(PTRACE_LISTEN, th->tid, 0, 0);
			return;
		}
		break;
	default:
		break;
	}
	go_on(th, 0);
}

static void thread_ended(struct tracer *t, struct thread *th, int status)
{
	if (th->tid == t->child) {
		t->status = status;
		t->ended = true;
	}
	thread_del(t, th);
}

void tracee_stopped(struct tracer *t, pid_t tid, int status)
{
	struct thread *th = thread_find(t, tid);
	int sig;

	if (!WIFSTOPPED(status)) {
		if (th)
			thread_ended(t, th, status);
		return;
	}
	t->sink.counts.stops++;
	/* A child may halt before its parent tells of it. */
	if (!th)
		th = thread_add(t, tid);
	if (!th) {
		ptrace(PTRACE_CONT, tid, 0, 0);
		return;
	}
	if (!th->known) {
		th->halted = true;
		return;
	}
	sig = WSTOPSIG(status);
	if (status >> 16) {
		event_stop(t, th, status >> 16, sig);
	} else if (sig == (SIGTRAP | 0x80)) {
		syscall_stop(th);
		go_on(th, 0);
	} else {
		go_on(th, sig);
	}
}
