/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The linker (--wrap) sends the requests of the program, but not those of the
 * libraries outside it, here.
 */
#include <stddef.h>
#include <sys/mman.h>

#include "tests/starve.h"

void *__real_calloc(size_t nr, size_t size);
void *__real_malloc(size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_mmap(void *at, size_t len, int prot, int flags, int fd,
		  off_t off);
void *__wrap_calloc(size_t nr, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_mmap(void *at, size_t len, int prot, int flags, int fd,
		  off_t off);

static unsigned long left;
static bool happened, for_good;

void starve_nth(unsigned long nth)
{
	left = nth;
	happened = for_good = false;
}

void starve_from(unsigned long nth)
{
	starve_nth(nth);
	for_good = true;
}

bool starved(void)
{
	return happened;
}

static bool fails(void)
{
	if (happened && for_good)
		return true;
	if (left == 0 || --left > 0)
		return false;
	happened = true;
	return true;
}

void *__wrap_calloc(size_t nr, size_t size)
{
	return fails() ? NULL : __real_calloc(nr, size);
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

void *__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	return fails() ? MAP_FAILED :
			 __real_mmap(at, len, prot, flags, fd, off);
}
