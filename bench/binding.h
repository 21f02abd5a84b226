/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Worker processes on CPUs of their own, so that host times of cells do not
 * depend on where the scheduler moves them. Results do not need it: whatever
 * cannot be bound runs unbound.
 */
#ifndef BENCH_BINDING_H
#define BENCH_BINDING_H

#include <stddef.h>

struct binding;

/*
 * Places for so many workers on different cores of those that this process
 * may use, or on different CPUs if there are fewer cores. NULL with a reason
 * if there are not even so many CPUs, or this is not the real machine.
 */
struct binding *binding_create(unsigned int places, char *why,
			       size_t why_size);
void binding_destroy(struct binding *b);

/* Move the calling process to a place; NULL or a bad place: stay. */
void binding_take(const struct binding *b, unsigned int place);
/* The CPUs that the calling process may use, "0,4"; empty if unknown. */
void binding_describe(const struct binding *b, char *out, size_t out_size);

#endif
