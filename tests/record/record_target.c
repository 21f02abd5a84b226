/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program to be recorded: each scenario does something to memory at fixed
 * addresses, so that the recording can be compared line by line.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define BASE 0x10000000ul
#define OTHER 0x20000000ul

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static volatile char *map_at(unsigned long addr, size_t pages)
{
	void *p = mmap((void *)addr, pages * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static void touch(volatile char *p, size_t first, size_t nr)
{
	for (size_t i = first; i < first + nr; i++)
		p[i * PAGE] = 1;
}

static void pages(void)
{
	volatile char *p = map_at(BASE, 64);

	touch(p, 0, 10);
	touch(p, 20, 1);
	(void)p[30 * PAGE];
	madvise((void *)p, 4 * PAGE, MADV_DONTNEED);
	touch(p, 2, 1);
	madvise((char *)p + 5 * PAGE, PAGE, MADV_FREE);
	madvise((char *)p + 32 * PAGE, 8 * PAGE, MADV_HUGEPAGE);
	munmap((char *)p + 8 * PAGE, 16 * PAGE);
	touch(p, 40, 2);
	munmap((void *)p, 64 * PAGE);
}

static void moves(void)
{
	volatile char *p = map_at(BASE, 8);

	touch(p, 1, 2);
	if (mremap((void *)p, 8 * PAGE, 16 * PAGE, 0) == MAP_FAILED)
		die("mremap");
	touch(p, 12, 1);
	if (mremap((void *)p, 16 * PAGE, 16 * PAGE,
		   MREMAP_MAYMOVE | MREMAP_FIXED, (void *)OTHER) == MAP_FAILED)
		die("mremap");
	munmap((void *)OTHER, 16 * PAGE);
}

static void forks(void)
{
	volatile char *p = map_at(BASE, 16);
	pid_t pid;

	touch(p, 0, 16);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		touch(p, 3, 3);
		munmap((void *)p, 16 * PAGE);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	munmap((void *)p, 16 * PAGE);
}

static void *thread_main(void *arg)
{
	volatile char *p = map_at((unsigned long)arg, 4);

	touch(p, 0, 4);
	munmap((void *)p, 4 * PAGE);
	return NULL;
}

static void threads(void)
{
	pthread_t t[4];

	for (unsigned long i = 0; i < 4; i++)
		if (pthread_create(&t[i], NULL, thread_main,
				   (void *)(BASE + i * OTHER)))
			die("pthread_create");
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}

/* Dies with pages that nobody gave back. */
static void crashes(void)
{
	volatile char *p = map_at(BASE, 4);

	touch(p, 0, 3);
	abort();
}

/* Waits for a signal, and says which. */
static void waits(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	puts("ready");
	fflush(stdout);
	sigwait(&set, &sig);
	printf("signal %d\n", sig);
	exit(42);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} all[] = {
		{ "pages", pages }, { "moves", moves }, { "forks", forks },
		{ "threads", threads }, { "crashes", crashes },
		{ "waits", waits },
	};

	for (size_t i = 0; argc == 2 && i < sizeof(all) / sizeof(*all); i++) {
		if (strcmp(argv[1], all[i].name))
			continue;
		all[i].run();
		return 0;
	}
	fprintf(stderr, "usage: record_target SCENARIO\n");
	return 2;
}
