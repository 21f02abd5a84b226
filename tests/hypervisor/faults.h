/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls of the C library that fail when a test says so, in programs linked with
 * faults.c (--wrap): the n-th call of a name, and files that are not what they
 * are on this machine.
 */
#ifndef TESTS_HYPERVISOR_FAULTS_H
#define TESTS_HYPERVISOR_FAULTS_H

struct fault_file {
	const char *path;  /* NULL: none */
	const char *text;  /* what it reads; NULL: it is not there */
};

struct faults {
	const char *call;  /* "mmap", "malloc" (and calloc), ...; NULL: none */
	unsigned int at;   /* which of them fails, from 1 */
	int error;         /* errno of it */
	struct fault_file files[2];
	unsigned int seen; /* calls of this name so far */
};

/* From now on; NULL = all is well again. Returns calls of the name seen. */
unsigned int faults_set(const struct faults *f);

#endif
