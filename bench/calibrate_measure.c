/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The price file of this host. What an unprivileged process can time is tagged
 * measured, with its spread and the machine as source; costs inside a guest
 * (exits, doorbells, flushes of vCPUs) keep their built-in price and tag.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench/calibrate_internal.h"
#include "bench/store.h"
#include "include/types.h"

#define MIB (UINT64_C(1) << 20)
/* Of the memory that may be touched; the rest is for all else. */
#define COLD_SHARE(memory) ((memory) / 4 * 3)
/* Four loops at one process and at the most, two clears for each number of
 * threads, and about as long again for all that is not a loop. */
#define NR_LOOPS 8
#define NR_CLEARS 2

/* # and | have a meaning in price files. */
static void describe_machine(struct calibration *c)
{
	struct utsname u;
	char shape[64];
	char *s;

	sim_topology_describe(shape, sizeof(shape));
	if (uname(&u))
		snprintf(u.release, sizeof(u.release), "?");
	snprintf(c->machine, sizeof(c->machine), "Linux %.24s, %.56s",
		 u.release, shape);
	for (s = c->machine; *s; s++)
		if (*s == '#' || *s == '|')
			*s = ' ';
}

/* MemAvailable in bytes; 0: not known. */
static uint64_t memory_available(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	unsigned long long kib = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "MemAvailable:", 13))
			kib = strtoull(line + 13, NULL, 10);
	if (f)
		fclose(f);
	return kib * 1024;
}

static int prepare(struct calibration *c,
		   const struct calibrate_measure_request *req)
{
	const uint64_t available = memory_available();
	unsigned int nr = 0;

	if (available && available < req->memory + req->memory / 4) {
		fprintf(req->messages, "skipped: %llu MiB of memory are "
			"available, and --memory is %llu MiB; with less of it "
			"caches hold more of what should be cold\n",
			(unsigned long long)(available / MIB),
			(unsigned long long)(req->memory / MIB));
		return -ENOTSUP;
	}
	if (!calibrate_huge_pages()) {
		fputs("skipped: this host gives no huge pages; see "
		      "/sys/kernel/mm/transparent_hugepage/enabled\n",
		      req->messages);
		return -ENOTSUP;
	}
	c->cold_bytes = COLD_SHARE(req->memory) & ~(HPAGE_PMD_SIZE - 1);
	c->memory = req->memory - c->cold_bytes;
	c->procs = req->procs;
	for (unsigned int n = calibrate_next_procs(c, 0); n;
	     n = calibrate_next_procs(c, n))
		nr++;
	c->slice_ns = req->time_ns / (NR_LOOPS + NR_CLEARS * nr + NR_LOOPS);
	c->deadline_ns = calibrate_now_ns() + req->time_ns;
	describe_machine(c);
	return 0;
}

/* Caches that hold all of the cold memory make it a guess. */
static void note_caches(struct calibration *c)
{
	const long l3 = sysconf(_SC_LEVEL3_CACHE_SIZE);

	if (l3 > 0 && (uint64_t)l3 > c->cold_bytes)
		gap_add(c, "cold memory", "caches of %ld MiB hold all of it; "
			"give more --memory", (long)(l3 / (long)MIB));
}

/* The first write of all of it takes the longest. */
static int write_cold(struct calibration *c)
{
	memset(c->cold, 1, c->cold_bytes);
	return 0;
}

/* Short ones first: if the time does not do, more of them are known. */
static int measure_all(struct calibration *c)
{
	static const struct { measure_fn fn; const char *name; } steps[] = {
		{ measure_lock, "lock" },
		{ measure_syscall, "syscall" },
		{ measure_touches, "touches" },
		{ measure_discards, "discards" },
		{ measure_collapse, "collapse_2m" },
		{ measure_page_cache, "page_cache_drop" },
		{ write_cold, "cold memory" },
		{ measure_cold, "cold_node" },
		{ measure_clears, "clears" },
		{ measure_loops, "loops" },
	};
	int err = 0;

	note_caches(c);
	c->cold = calibrate_map(c->cold_bytes, true);
	if (!c->cold)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(steps) && !err; i++)
		if (!time_is_over(c, steps[i].name))
			err = steps[i].fn(c);
	calibrate_unmap(c->cold, c->cold_bytes);
	return err;
}

static int print_result(const struct calibration *c, bool json, FILE *out)
{
	struct price_list l;
	int err = 0;

	calibrate_prices(c, &l);
	if (json)
		err = calibrate_print_json(c, &l, out);
	else
		calibrate_print(c, &l, out);
	return err ? err : fflush(out) || ferror(out) ? -EIO : 0;
}

/* A file appears whole or not at all. */
static int write_result(const struct calibration *c,
			const struct calibrate_measure_request *req)
{
	struct store_file f;
	char why[4400] = "";
	int err;

	if (!req->path)
		return print_result(c, req->json, req->out);
	err = store_create(&f, req->path, why, sizeof(why));
	if (!err) {
		err = print_result(c, req->json, f.out);
		if (err)
			store_discard(&f);
		else
			err = store_commit(&f, why, sizeof(why));
	}
	if (*why)
		fprintf(req->messages, "error: %s\n", why);
	return err;
}

int calibrate_measure(const struct calibrate_measure_request *req)
{
	struct calibration *c = calloc(1, sizeof(*c));
	int err = c ? prepare(c, req) : -ENOMEM;

	if (!err)
		err = measure_all(c);
	if (err && err != -ENOTSUP)
		fprintf(req->messages, "error: cannot measure: %s\n",
			strerror(-err));
	if (!err)
		err = write_result(c, req);
	free(c);
	return err;
}
