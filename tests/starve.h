/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host memory that runs out, for programs linked with tests/starve.c and
 * BUDDYLAB_STARVE: one request for memory fails, the others are served. A test
 * lets the first one fail, then the second one, until it comes to its end
 * without a failure; so every request has failed once.
 */
#ifndef TESTS_STARVE_H
#define TESTS_STARVE_H

#include <stdbool.h>

/* The nth calloc, malloc, realloc or mmap from here on fails; 0: none does. */
void starve_nth(unsigned long nth);
/* The nth and all after it. */
void starve_from(unsigned long nth);
/* Has any? */
bool starved(void);

#endif
