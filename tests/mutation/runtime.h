/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a mutated copy of the source asks at each place that has mutants: is it
 * number n that this process runs? See mutate.py; nothing else includes this.
 */
#ifndef TESTS_MUTATION_RUNTIME_H
#define TESTS_MUTATION_RUNTIME_H

extern int buddylab_mutant;
extern unsigned char *buddylab_reached;

/* A place that was asked for was reached, whoever is on. */
static inline int buddylab_mutated(int n)
{
	buddylab_reached[n] = 1;
	return buddylab_mutant == n;
}

#endif
