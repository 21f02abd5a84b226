/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What else a user could run, in the same run: allocators of real programs,
 * found when the program runs, and the kernel's own page faults.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include "cli/bench_rows.h"

#define PAIRS 2000000u

/* ---- 4 KiB pairs ---- */

struct peer {
	const char *library, *malloc_name, *free_name;
};

struct peer_calls {
	void *(*malloc)(size_t size);
	void (*free)(void *p);
};

/* ISO C has no cast from a data pointer to a function. */
static void look_up(void *library, const char *name, void *out)
{
	*(void **)out = dlsym(library, name);
}

static int peer_setup(const struct selfbench_row *row, unsigned int samples,
		      void **ctx, char *why, size_t why_size)
{
	const struct peer *p = row->arg;
	void *library = dlopen(p->library, RTLD_NOW | RTLD_LOCAL);
	struct peer_calls *calls;

	(void)samples;
	if (!library) {
		snprintf(why, why_size, "%s", dlerror());
		return SELFBENCH_NO_PEER;
	}
	calls = calloc(1, sizeof(*calls));
	if (!calls)
		return -ENOMEM;
	look_up(library, p->malloc_name, &calls->malloc);
	look_up(library, p->free_name, &calls->free);
	if (!calls->malloc || !calls->free) {
		snprintf(why, why_size, "%s has no %s", p->library,
			 p->malloc_name);
		free(calls);
		return SELFBENCH_NO_PEER;
	}
	*ctx = calls;
	return 0;
}

static int run_peer(const struct selfbench_row *row, void *ctx,
		    struct selfbench_sample *out, char *why, size_t why_size)
{
	const struct peer_calls *calls = ctx;
	struct selfbench_timer t = { 0 };

	(void)row;
	selfbench_start(&t);
	for (unsigned int i = 0; i < PAIRS; i++) {
		void *p = calls->malloc(4096);

		if (!p) {
			snprintf(why, why_size, "out of memory");
			return -ENOMEM;
		}
		calls->free(p);
	}
	selfbench_stop(&t);
	*out = (struct selfbench_sample){ selfbench_ns_per(&t, PAIRS),
					  t.cpu_ns, t.wall_ns };
	return 0;
}

/* ---- the kernel's page faults ---- */

struct fault_loop {
	bool file;
	unsigned int procs;
};

static int run_faults(const struct selfbench_row *row, void *ctx,
		      struct selfbench_sample *out, char *why, size_t why_size)
{
	const struct fault_loop *l = row->arg;
	struct selfbench_timer t = { 0 };
	double per_s = 0, ns = 0;
	int err;

	(void)ctx;
	(void)why;
	(void)why_size;
	selfbench_start(&t);
	err = selfbench_kernel_faults(l->file, l->procs, &per_s, &ns);
	selfbench_stop(&t);
	*out = (struct selfbench_sample){ per_s / 1e6, t.cpu_ns, t.wall_ns };
	return err;
}

static const struct peer jemalloc = { "libjemalloc.so.2", "malloc", "free" };
static const struct peer glibc = { "libc.so.6", "malloc", "free" };
static const struct peer mimalloc = { "libmimalloc.so.2", "mi_malloc",
				      "mi_free" };
static const struct fault_loop loops[] = {
	{ false, 1 }, { false, 2 }, { true, 1 }, { true, 2 },
};

#define PEER_ROW(NAME)                                                        \
	{ .name = #NAME "-pair", .what = "malloc(4096) and free, " #NAME,     \
	  .unit = "ns", .setup = peer_setup, .run = run_peer,                 \
	  .teardown = free, .arg = &(NAME) }
#define KERNEL_ROW(NAME, WHAT, I)                                             \
	{ .name = NAME, .what = WHAT ", wall time", .unit = "M faults/s",     \
	  .higher = true, .slow = true, .run = run_faults, .arg = &loops[I] }

const struct selfbench_row bench_peer_rows[] = {
	PEER_ROW(jemalloc),
	PEER_ROW(glibc),
	PEER_ROW(mimalloc),
	KERNEL_ROW("kernel-fault1", "this kernel's page_fault1", 0),
	KERNEL_ROW("kernel-fault1-2", "the same in two processes", 1),
	KERNEL_ROW("kernel-fault2", "this kernel's page_fault2", 2),
	KERNEL_ROW("kernel-fault2-2", "the same in two processes", 3),
	{ .name = NULL },
};
