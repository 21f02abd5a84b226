/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The start of a recorded program: a seccomp filter that halts it at the calls
 * that change its anonymous memory, no huge pages, and the same addresses in
 * every run. All three pass on to its children. Other calls cost what they
 * always do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "include/types.h"
#include "record/tracer.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE_ARCH AUDIT_ARCH_RISCV64
#else
#define NATIVE_ARCH 0 /* nothing is halted: child_start() says so */
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
			     offsetof(struct seccomp_data, field))
#define IF_EQUAL(value, yes, no) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))

/* -1 with errno. */
static int set_filter(void)
{
	struct sock_filter code[] = {
		LOAD(arch),
		IF_EQUAL(NATIVE_ARCH, 1, 0),
		RETURN(SECCOMP_RET_ALLOW),
		LOAD(nr),
		IF_EQUAL(SYS_mmap, 5, 0),
		IF_EQUAL(SYS_munmap, 4, 0),
		IF_EQUAL(SYS_mremap, 3, 0),
		IF_EQUAL(SYS_brk, 2, 0),
		IF_EQUAL(SYS_madvise, 1, 0),
		RETURN(SECCOMP_RET_ALLOW),
		RETURN(SECCOMP_RET_TRACE),
	};
	const struct sock_fprog program = { ARRAY_SIZE(code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* In the child. Does not return. */
static void become_program(const struct record_options *o, int go, int error)
{
	sigset_t none;
	char byte;
	int err;

	/* Halted calls fail while nobody traces: wait for that. */
	if (read(go, &byte, 1) != 1)
		_exit(EXIT_FAILURE);
	if (!o->random_addresses)
		personality(ADDR_NO_RANDOMIZE);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* The recorder ignores it; the program has to find it as ever. */
	signal(SIGXFSZ, SIG_DFL);
	if (!set_filter())
		execvp(o->argv[0], o->argv);
	err = errno;
	if (write(error, &err, sizeof(err)) != (ssize_t)sizeof(err))
		_exit(EXIT_FAILURE);
	_exit(127);
}

static int no_tracing(int err, struct diag *d)
{
	diag_error(d, (struct diag_place){ .file = NULL },
		   "the program may not be traced here (%s): `record` needs "
		   "ptrace, which a container or kernel.yama.ptrace_scope = 3 "
		   "may forbid; another tracer, too, has to let go",
		   strerror(err));
	return -EPERM;
}

static int seize(pid_t pid)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP |
			     PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
			     PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL;

	return ptrace(PTRACE_SEIZE, pid, 0, options) ? -errno : 0;
}

pid_t child_start(const struct record_options *o, int *error_pipe,
		  struct diag *d)
{
	int go[2], error[2], err;
	pid_t pid;

	if (!NATIVE_ARCH)
		return no_tracing(ENOSYS, d);
	if (pipe2(go, O_CLOEXEC))
		return -errno;
	if (pipe2(error, O_CLOEXEC)) {
		err = errno;
		close(go[0]);
		close(go[1]);
		return -err;
	}
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		become_program(o, go[0], error[1]);
	}
	err = pid < 0 ? -errno : seize(pid);
	close(go[0]);
	close(error[1]);
	if (!err && write(go[1], "", 1) != 1)
		err = -errno;
	close(go[1]);
	if (!err) {
		*error_pipe = error[0];
		return pid;
	}
	close(error[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return no_tracing(-err, d);
	}
	return err;
}
