/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls that are caught on their way to the kernel, because stdio, opendir()
 * and libraries make them without a name that could be taken over. A seccomp
 * filter turns libc's calls of the class into SIGSYS; the handler lets one
 * fail and makes the others itself.
 *
 * Only calls from libc's text are trapped. A program that is started finds its
 * libc elsewhere, so the filter that it inherits does not concern it.
 */
#define _GNU_SOURCE
#include "tests/faults/faults.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

struct call {
	enum fault_class class;
	int nr;
	const char *name;
	int fd;              /* which argument is a descriptor, or -1 */
	int path;            /* which is a path, or -1 */
	int count;           /* which is a length that may be cut, or -1 */
};

static const struct call calls[] = {
	{ FAULT_MMAP, SYS_mmap, "mmap", -1, -1, -1 },
	{ FAULT_OPEN, SYS_open, "open", -1, 0, -1 },
	{ FAULT_OPEN, SYS_openat, "openat", -1, 1, -1 },
	{ FAULT_READ, SYS_read, "read", 0, -1, 2 },
	{ FAULT_READ, SYS_pread64, "pread", 0, -1, 2 },
	{ FAULT_WRITE, SYS_write, "write", 0, -1, 2 },
	{ FAULT_WRITE, SYS_pwrite64, "pwrite", 0, -1, 2 },
	{ FAULT_WRITE, SYS_writev, "writev", 0, -1, -1 },
	{ FAULT_SYNC, SYS_fsync, "fsync", 0, -1, -1 },
	{ FAULT_SYNC, SYS_fdatasync, "fdatasync", 0, -1, -1 },
	{ FAULT_CLOSE, SYS_close, "close", 0, -1, -1 },
	{ FAULT_RENAME, SYS_rename, "rename", -1, 1, -1 },
	{ FAULT_RENAME, SYS_renameat, "renameat", -1, 3, -1 },
	{ FAULT_RENAME, SYS_renameat2, "renameat2", -1, 3, -1 },
	{ FAULT_RENAME, SYS_link, "link", -1, 1, -1 },
	{ FAULT_MKDIR, SYS_mkdir, "mkdir", -1, 0, -1 },
	{ FAULT_MKDIR, SYS_mkdirat, "mkdirat", -1, 1, -1 },
	{ FAULT_STAT, SYS_newfstatat, "stat", -1, 1, -1 },
	{ FAULT_STAT, SYS_fstat, "fstat", 0, -1, -1 },
	{ FAULT_STAT, SYS_statx, "statx", -1, 1, -1 },
	{ FAULT_READDIR, SYS_getdents64, "getdents64", 0, -1, -1 },
	{ FAULT_PIPE, SYS_pipe2, "pipe2", -1, -1, -1 },
	{ FAULT_WAIT, SYS_wait4, "wait4", -1, -1, -1 },
	{ FAULT_WAIT, SYS_poll, "poll", -1, -1, -1 },
	{ FAULT_WAIT, SYS_ppoll, "ppoll", -1, -1, -1 },
	{ FAULT_LOCK, SYS_flock, "flock", 0, -1, -1 },
};

#define NR_CALLS (sizeof(calls) / sizeof(*calls))

long fault_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall" : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

static const struct call *find(int nr)
{
	for (size_t i = 0; i < NR_CALLS; i++)
		if (calls[i].nr == nr)
			return &calls[i];
	return NULL;
}

/* A descriptor that fails to close is closed all the same, as on Linux. */
static long fail(const struct call *c, const long *arg)
{
	if (c->nr == SYS_close)
		fault_syscall(c->nr, arg[0], 0, 0, 0, 0, 0);
	return -fault_plan.error;
}

/*
 * What cannot happen does not: a pipe has no disk, and its small messages come
 * whole. And standard error is left alone, which tells what went wrong.
 */
static bool spared(const struct call *c, const long *arg)
{
	const bool moves = c->class == FAULT_READ || c->class == FAULT_WRITE;
	struct stat st;

	if (!moves)
		return false;
	if (arg[0] == STDERR_FILENO)
		return true;
	return fault_plan.error != EINTR &&
	       !fault_syscall(SYS_fstat, arg[0], (long)&st, 0, 0, 0, 0) &&
	       S_ISFIFO(st.st_mode);
}

static long answer(const struct call *c, long *arg)
{
	const bool cut = !fault_plan.error;
	char what[300];

	snprintf(what, sizeof(what), "%s%s%s", c->name,
		 c->path < 0 ? "" : " ",
		 c->path < 0 ? "" : (const char *)arg[c->path]);
	if (spared(c, arg) || (cut && (c->count < 0 || arg[c->count] < 2)))
		;               /* not counted */
	else if (fault_now(c->class, what, c->fd < 0 ? -1 : (int)arg[c->fd])) {
		if (!cut)
			return fail(c, arg);
		arg[c->count] /= 2;
	}
	return fault_syscall(c->nr, arg[0], arg[1], arg[2], arg[3], arg[4],
			     arg[5]);
}

static void on_trap(int sig, siginfo_t *info, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	const struct call *c = find(info->si_syscall);
	long arg[6] = { r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10],
			r[REG_R8], r[REG_R9] };
	const int saved = errno;

	(void)sig;
	r[REG_RAX] = c ? answer(c, arg) : -ENOSYS;
	errno = saved;
}

struct range {
	uintptr_t begin, end;
};

/* The text of libc; a libc stands in one 4 GiB, as seccomp compares halves. */
static int find_libc(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct range *r = ctx;

	(void)size;
	if (!info->dlpi_name || !strstr(info->dlpi_name, "/libc.so"))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
			continue;
		r->begin = info->dlpi_addr + p->p_vaddr;
		r->end = r->begin + p->p_memsz;
	}
	return 1;
}

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS,                  \
			     offsetof(struct seccomp_data, field))
#define LOAD_HIGH(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS,             \
			     offsetof(struct seccomp_data, field) + 4)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static bool install(enum fault_class class, struct range r)
{
	struct sock_filter f[16 + 2 * NR_CALLS] = {
		LOAD_HIGH(instruction_pointer),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(r.begin >> 32),
			 1, 0),
		ALLOW,
		LOAD(instruction_pointer),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)r.begin, 1, 0),
		ALLOW,
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)r.end, 0, 1),
		ALLOW,
		LOAD(nr),
	};
	struct sock_fprog program = { .len = 9, .filter = f };

	for (size_t i = 0; i < NR_CALLS; i++) {
		if (calls[i].class != class)
			continue;
		f[program.len++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i].nr, 0, 1);
		f[program.len++] = (struct sock_filter)BPF_STMT(
			BPF_RET | BPF_K, SECCOMP_RET_TRAP);
	}
	f[program.len++] = (struct sock_filter)ALLOW;
	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

void fault_trap(enum fault_class class)
{
	const struct sigaction action = {
		.sa_sigaction = on_trap,
		.sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART,
	};
	struct range libc = { 0, 0 };

	if (class == FAULT_ALLOC || class == FAULT_PROCESS)
		return;
	dl_iterate_phdr(find_libc, &libc);
	sigaction(SIGSYS, &action, NULL);
	if (!libc.end || libc.begin >> 32 != libc.end >> 32 ||
	    !install(class, libc)) {
		fprintf(stderr, "faults: no seccomp filter here\n");
		_exit(77);
	}
}
