/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An arena of jemalloc 5.3 on simulated memory. jemalloc is the distribution's
 * own code, as a copy whose names begin with guest_je_ (cmake/jemalloc.cmake):
 * it serves nobody's malloc, reads neither the environment nor the host's
 * clock, and every arena has a window of reserved, inaccessible addresses. The
 * window lies anywhere; the task sees it at one place, at the top of its
 * address space, as a process sees its mappings.
 *
 * What is asked of the kernel comes through the extent hooks, as jemalloc's own
 * hooks would ask Linux: alloc is mmap, the highest gap first; dalloc refuses
 * with `retain` and is munmap without; purge_lazy is MADV_FREE; purge_forced is
 * MADV_DONTNEED; decommit refuses, as where memory is overcommitted; split and
 * merge change nothing that the kernel sees. Left out: the memory of the
 * arena's own records (metadata_use_hooks), some 2 % of what it serves.
 *
 * Same calls, same operations, wherever the window lies and whoever else uses
 * jemalloc. Two things would be at odds with that. Every thread runs pending
 * decay after so many calls, counted from a seed that is an address; so the
 * clock that jemalloc sees moves only in jemalloc_arena_decay(), which runs the
 * decay itself. And the end of a decay's epoch is up to one interval (1/200 of
 * the decay time) late, at random, seeded by an address: so the clock moves by
 * two intervals or a multiple, after which any epoch has ended.
 */
#include "workloads/jemalloc_arena.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <jemalloc/jemalloc.h>

#include "include/check.h"
#include "include/minmax.h"
#include "trace/ranges.h"

/* create_arena() knows a struct that no header declares. */
#if JEMALLOC_VERSION_MAJOR != 5 || JEMALLOC_VERSION_MINOR != 3
#error "workload jemalloc is written for jemalloc 5.3"
#endif

#define WINDOW_ALIGN (UINT64_C(2) << 20)
/* Where the windows end for their tasks: below the stack, as mappings do. */
#define GUEST_END UINT64_C(0x7ffff7e00000)
#define CLOCK_START NSEC_PER_SEC
/* Intervals of a decay curve (SMOOTHSTEP_NSTEPS). */
#define DECAY_STEPS 200
#define MIB_LEN 3
/* Growth limit that leaves every mapping as large as it has to be. */
#define NO_GROWTH ((size_t)4096)

struct jemalloc_arena {
	extent_hooks_t hooks;       /* first: what the hooks are called with */
	struct jemalloc_config cfg;
	unsigned int index;
	bool created, closing, broken;
	uint64_t clock;             /* ns, as jemalloc sees it */
	void *reserved;
	size_t reserved_len;
	uint64_t base;              /* of the window, in our addresses */
	struct addr_ranges mapped;
	size_t decay_mib[MIB_LEN], purge_mib[MIB_LEN];
	struct workload_op *queue;
	size_t queue_first, queue_nr, queue_capacity;
	struct jemalloc_calls calls;
};

/* The renamed copy. */
void *guest_je_mallocx(size_t size, int flags);
void guest_je_dallocx(void *ptr, int flags);
int guest_je_mallctl(const char *name, void *old, size_t *old_len, void *new,
		     size_t new_len);
int guest_je_mallctlnametomib(const char *name, size_t *mib, size_t *len);
int guest_je_mallctlbymib(const size_t *mib, size_t mib_len, void *old,
			  size_t *old_len, void *new, size_t new_len);
extern const char *guest_je_malloc_conf;
/* What it calls in place of the C library's functions. */
int guest_je_clock_gettime(clockid_t id, struct timespec *ts);
char *guest_je_secure_getenv(const char *name);
ssize_t guest_je_readlink(const char *path, char *buf, size_t size);

/* The clock of the arena that this thread calls jemalloc for. */
static _Thread_local const uint64_t *arena_clock;

/* jemalloc reads this once; nobody writes it. */
const char *guest_je_malloc_conf =
	"narenas:1,tcache:false,background_thread:false,dss:disabled,"
	"retain:true,thp:default,metadata_thp:disabled";

int guest_je_clock_gettime(clockid_t id, struct timespec *ts)
{
	const uint64_t now = arena_clock ? *arena_clock : CLOCK_START;

	(void)id;
	ts->tv_sec = (time_t)(now / NSEC_PER_SEC);
	ts->tv_nsec = (long)(now % NSEC_PER_SEC);
	return 0;
}

char *guest_je_secure_getenv(const char *name)
{
	(void)name;
	return NULL;
}

/* /etc/malloc.conf */
ssize_t guest_je_readlink(const char *path, char *buf, size_t size)
{
	(void)path;
	(void)buf;
	(void)size;
	errno = ENOENT;
	return -1;
}

/* ---- hooks ---- */

static uint64_t to_guest(const struct jemalloc_arena *a, const void *p)
{
	return GUEST_END - a->cfg.window + ((uintptr_t)p - a->base);
}

/* False: the host is out of memory. */
static bool push(struct jemalloc_arena *a, enum workload_op_kind kind,
		 const void *at, uint64_t len)
{
	struct workload_op *queue;

	if (a->closing)
		return true;
	if (a->queue_nr == a->queue_capacity) {
		const size_t capacity = a->queue_capacity * 2 + 16;

		queue = realloc(a->queue, capacity * sizeof(*queue));
		if (!queue) {
			a->broken = true;
			return false;
		}
		a->queue = queue;
		a->queue_capacity = capacity;
	}
	a->queue[a->queue_nr++] = (struct workload_op){
		.kind = kind,
		.flags = WORKLOAD_AT |
			 (kind == WORKLOAD_MMAP ? a->cfg.map_flags : 0),
		.offset = to_guest(a, at),
		.len = len,
	};
	return true;
}

static struct jemalloc_arena *arena_of(extent_hooks_t *hooks)
{
	return (struct jemalloc_arena *)hooks;
}

static void *hook_alloc(extent_hooks_t *hooks, void *new_addr, size_t size,
			size_t alignment, bool *zero, bool *commit,
			unsigned int index)
{
	struct jemalloc_arena *a = arena_of(hooks);
	uint64_t at;
	void *p;

	(void)index;
	a->calls.alloc++;
	/* mmap gives no address that is asked for, and pages_map no other. */
	if (new_addr)
		return NULL;
	at = ranges_gap(&a->mapped, a->base, a->base + a->cfg.window, size,
			alignment);
	if (!at)
		return NULL;
	if (ranges_add(&a->mapped, at, at + size)) {
		a->broken = true;
		return NULL;
	}
	p = (void *)(uintptr_t)at;
	if (!push(a, WORKLOAD_MMAP, p, size))
		return NULL;
	*zero = true;
	*commit = true;
	return p;
}

/* True: refused, here and in the hooks below. */
static bool hook_dalloc(extent_hooks_t *hooks, void *addr, size_t size,
			bool committed, unsigned int index)
{
	struct jemalloc_arena *a = arena_of(hooks);
	const uint64_t at = (uintptr_t)addr;

	(void)committed;
	(void)index;
	a->calls.dalloc++;
	if (a->cfg.retain)
		return true;
	if (ranges_del(&a->mapped, at, at + size)) {
		a->broken = true;
		return true;
	}
	return !push(a, WORKLOAD_MUNMAP, addr, size);
}

/* The arena goes, and the window with it. */
static void hook_destroy(extent_hooks_t *hooks, void *addr, size_t size,
			 bool committed, unsigned int index)
{
	(void)hooks;
	(void)addr;
	(void)size;
	(void)committed;
	(void)index;
}

static bool hook_purge_lazy(extent_hooks_t *hooks, void *addr, size_t size,
			    size_t offset, size_t length, unsigned int index)
{
	struct jemalloc_arena *a = arena_of(hooks);

	(void)size;
	(void)index;
	a->calls.purge_lazy++;
	return !push(a, WORKLOAD_MADV_FREE, (char *)addr + offset, length);
}

static bool hook_purge_forced(extent_hooks_t *hooks, void *addr, size_t size,
			      size_t offset, size_t length, unsigned int index)
{
	struct jemalloc_arena *a = arena_of(hooks);

	(void)size;
	(void)index;
	a->calls.purge_forced++;
	return !push(a, WORKLOAD_MADV_DONTNEED, (char *)addr + offset, length);
}

static bool hook_split(extent_hooks_t *hooks, void *addr, size_t size,
		       size_t size_a, size_t size_b, bool committed,
		       unsigned int index)
{
	(void)addr;
	(void)size;
	(void)size_a;
	(void)size_b;
	(void)committed;
	(void)index;
	arena_of(hooks)->calls.split++;
	return false;
}

static bool hook_merge(extent_hooks_t *hooks, void *addr_a, size_t size_a,
		       void *addr_b, size_t size_b, bool committed,
		       unsigned int index)
{
	(void)addr_a;
	(void)size_a;
	(void)addr_b;
	(void)size_b;
	(void)committed;
	(void)index;
	arena_of(hooks)->calls.merge++;
	return false;
}

static const extent_hooks_t guest_hooks = {
	.alloc = hook_alloc,
	.dalloc = hook_dalloc,
	.destroy = hook_destroy,
	.purge_lazy = hook_purge_lazy,
	.purge_forced = hook_purge_forced,
	.split = hook_split,
	.merge = hook_merge,
};

/* ---- creation ---- */

uint64_t jemalloc_quantum(int64_t dirty_decay_ms, int64_t muzzy_decay_ms)
{
	/* -1 and 0 have no clock. */
	const int64_t dirty = dirty_decay_ms > 0 ? dirty_decay_ms : 0;
	const int64_t muzzy = muzzy_decay_ms > 0 ? muzzy_decay_ms : 0;
	const uint64_t high = max_u64((uint64_t)dirty, (uint64_t)muzzy);
	const uint64_t low = min_u64((uint64_t)dirty, (uint64_t)muzzy);

	if (low && high % low)
		return UINT64_MAX;
	return high * (2 * NSEC_PER_MSEC / DECAY_STEPS);
}

static int reserve_window(struct jemalloc_arena *a, char *why, size_t why_size)
{
	a->reserved_len = a->cfg.window + WINDOW_ALIGN;
	a->reserved = mmap(NULL, a->reserved_len, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (a->reserved == MAP_FAILED) {
		a->reserved = NULL;
		snprintf(why, why_size, "workload jemalloc cannot reserve "
			 "%llu GiB of addresses for an arena; is there a limit "
			 "(ulimit -v)?",
			 (unsigned long long)(a->reserved_len >> 30));
		return -ENOMEM;
	}
	a->base = ((uintptr_t)a->reserved + WINDOW_ALIGN - 1) &
		  ~(uint64_t)(WINDOW_ALIGN - 1);
	return 0;
}

static int set_arena(const struct jemalloc_arena *a, const char *what,
		     void *value, size_t len)
{
	char name[64];

	snprintf(name, sizeof(name), "arena.%u.%s", a->index, what);
	return guest_je_mallctl(name, NULL, NULL, value, len);
}

static int find_mib(const struct jemalloc_arena *a, const char *what,
		    size_t mib[MIB_LEN])
{
	size_t len = MIB_LEN;
	char name[64];

	snprintf(name, sizeof(name), "arena.%u.%s", a->index, what);
	return guest_je_mallctlnametomib(name, mib, &len);
}

static int set_up_arena(struct jemalloc_arena *a)
{
	ssize_t dirty = (ssize_t)a->cfg.dirty_decay_ms;
	ssize_t muzzy = (ssize_t)a->cfg.muzzy_decay_ms;
	size_t limit = NO_GROWTH;
	int err = find_mib(a, "decay", a->decay_mib);

	if (!err)
		err = find_mib(a, "purge", a->purge_mib);
	if (!err)
		err = set_arena(a, "dirty_decay_ms", &dirty, sizeof(dirty));
	if (!err)
		err = set_arena(a, "muzzy_decay_ms", &muzzy, sizeof(muzzy));
	if (!err && !a->cfg.retain)
		err = set_arena(a, "retain_grow_limit", &limit, sizeof(limit));
	return err;
}

static int create_arena(struct jemalloc_arena *a, char *why, size_t why_size)
{
	/* Not in the public header: arena_config_t of 5.3. */
	struct {
		extent_hooks_t *hooks;
		bool metadata_use_hooks;
	} cfg = { .hooks = &a->hooks };
	size_t len = sizeof(a->index);
	int err;

	arena_clock = &a->clock;
	err = guest_je_mallctl("experimental.arenas_create_ext", &a->index,
			       &len, &cfg, sizeof(cfg));
	if (!err) {
		a->created = true;
		err = set_up_arena(a);
	}
	arena_clock = NULL;
	if (err)
		snprintf(why, why_size, "jemalloc makes no arena (error %d)",
			 err);
	return err ? -err : 0;
}

int jemalloc_arena_create(struct jemalloc_arena **out,
			  const struct jemalloc_config *cfg, char *why,
			  size_t why_size)
{
	struct jemalloc_arena *a = calloc(1, sizeof(*a));
	int ret;

	if (!a) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	a->hooks = guest_hooks;
	a->cfg = *cfg;
	a->clock = CLOCK_START;
	ret = reserve_window(a, why, why_size);
	if (!ret)
		ret = create_arena(a, why, why_size);
	if (ret) {
		jemalloc_arena_destroy(a);
		return ret;
	}
	*out = a;
	return 0;
}

void jemalloc_arena_destroy(struct jemalloc_arena *a)
{
	if (!a)
		return;
	if (a->created) {
		a->closing = true;
		arena_clock = &a->clock;
		CHECK_EQ(set_arena(a, "destroy", NULL, 0), 0);
		arena_clock = NULL;
	}
	if (a->reserved)
		munmap(a->reserved, a->reserved_len);
	ranges_free(&a->mapped);
	free(a->queue);
	free(a);
}

/* ---- calls ---- */

/* Past the thread's caches: what one arena does is seen by no other. */
static int arena_flags(const struct jemalloc_arena *a)
{
	return (int)(MALLOCX_ARENA(a->index) | MALLOCX_TCACHE_NONE);
}

uint64_t jemalloc_arena_alloc(struct jemalloc_arena *a, uint64_t size)
{
	const void *p;

	arena_clock = &a->clock;
	p = guest_je_mallocx(size, arena_flags(a));
	arena_clock = NULL;
	return p ? to_guest(a, p) : 0;
}

void jemalloc_arena_dealloc(struct jemalloc_arena *a, uint64_t addr)
{
	const uint64_t at = addr - (GUEST_END - a->cfg.window) + a->base;

	arena_clock = &a->clock;
	guest_je_dallocx((void *)(uintptr_t)at, MALLOCX_TCACHE_NONE);
	arena_clock = NULL;
}

static void arena_call(struct jemalloc_arena *a, const size_t *mib)
{
	arena_clock = &a->clock;
	CHECK_EQ(guest_je_mallctlbymib(mib, MIB_LEN, NULL, NULL, NULL, 0), 0);
	arena_clock = NULL;
}

void jemalloc_arena_decay(struct jemalloc_arena *a, uint64_t ns)
{
	a->clock += ns;
	arena_call(a, a->decay_mib);
}

void jemalloc_arena_purge(struct jemalloc_arena *a)
{
	arena_call(a, a->purge_mib);
}

bool jemalloc_arena_pop(struct jemalloc_arena *a, struct workload_op *op)
{
	if (a->queue_first == a->queue_nr)
		return false;
	*op = a->queue[a->queue_first++];
	if (a->queue_first == a->queue_nr)
		a->queue_first = a->queue_nr = 0;
	return true;
}

bool jemalloc_arena_broken(const struct jemalloc_arena *a)
{
	return a->broken;
}

void jemalloc_arena_calls(const struct jemalloc_arena *a,
			  struct jemalloc_calls *out)
{
	*out = a->calls;
}
