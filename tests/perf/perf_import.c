/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines a second of each text importer, read only and stored as .blt, on lines
 * as the tools print them for a program that faults memory in and frees it.
 *
 *     perf_import [LINES [FILE...]]    made-up lines, then these traces
 *
 * The time is CPU time, so that other work on the machine counts less.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "include/check.h"
#include "include/rng.h"
#include "trace/blt.h"

struct page_event {
	uint64_t ns;
	pfn_t pfn;
	char kind;          /* as in the lines of bpftrace */
	bool user;          /* allocation by a fault */
};

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Faults, refills, and frees in two steps with drains; of 16 pages, 15 stand
 * beside the one before. */
static struct page_event next_event(struct rng *rng, uint64_t i, pfn_t *pfn)
{
	static const char cycle[] = "AZZFABFADB";
	const char kind = cycle[i % 10];

	*pfn = rng_below(rng, 16) ? (*pfn + 1) % (1u << 22) :
				    rng_below(rng, 1u << 22);
	return (struct page_event){
		.ns = 1000 * NSEC_PER_SEC + i * 211 + rng_below(rng, 97),
		.pfn = *pfn,
		.kind = kind,
		.user = rng_below(rng, 8) != 0,
	};
}

static const char *event_name(char kind)
{
	switch (kind) {
	case 'A': return "mm_page_alloc";
	case 'Z': return "mm_page_alloc_zone_locked";
	case 'F': return "mm_page_free";
	case 'B': return "mm_page_free_batched";
	}
	return "mm_page_pcpu_drain";
}

static void print_tail(FILE *f, const struct page_event *e)
{
	fprintf(f, "pfn=0x%x order=0", e->pfn);
	if (e->kind == 'A')
		fprintf(f, " migratetype=%d gfp_flags=%s", e->user, e->user ?
			"GFP_HIGHUSER_MOVABLE|__GFP_ZERO|__GFP_COMP" :
			"GFP_KERNEL_ACCOUNT|__GFP_ZERO");
	else if (e->kind == 'Z')
		fprintf(f, " migratetype=1 percpu_refill=1");
	else if (e->kind == 'D')
		fprintf(f, " migratetype=1");
	fputc('\n', f);
}

static void print_perf(FILE *f, const struct page_event *e)
{
	char name[64];

	snprintf(name, sizeof(name), "kmem:%s:", event_name(e->kind));
	fprintf(f, "%16s %5u [%03u] %5" PRIu64 ".%09" PRIu64 ": %30s "
		"page=0x%x ", "page_fault1", 6142u, 1u,
		e->ns / NSEC_PER_SEC, e->ns % NSEC_PER_SEC, name, e->pfn);
	print_tail(f, e);
}

static void print_ftrace(FILE *f, const struct page_event *e)
{
	fprintf(f, "%16s-%-7u [%03u] ..... %5" PRIu64 ".%06" PRIu64 ": %s: "
		"page=%016x ", "page_fault1", 6142u, 1u,
		e->ns / NSEC_PER_SEC, e->ns % NSEC_PER_SEC / NSEC_PER_USEC,
		event_name(e->kind), e->pfn * 2654435761u);
	print_tail(f, e);
}

static void print_recorder(FILE *f, const struct page_event *e)
{
	fprintf(f, "page_fault1-6142 [001] d.. %" PRIu64 ".%06" PRIu64 ": %s: ",
		e->ns / NSEC_PER_SEC, e->ns % NSEC_PER_SEC / NSEC_PER_USEC,
		event_name(e->kind));
	print_tail(f, e);
}

static void print_bpftrace(FILE *f, const struct page_event *e)
{
	fprintf(f, "%" PRIu64 " 1 6142 %c %u ", e->ns, e->kind, e->pfn);
	if (e->kind == 'A')
		fprintf(f, "0 %d 0x%x ", e->user, e->user ? 0x140dca : 0x400dc0);
	else if (e->kind == 'Z')
		fprintf(f, "0 1 1 ");
	else if (e->kind == 'D')
		fprintf(f, "0 1 ");
	else if (e->kind == 'F')
		fprintf(f, "0 ");
	fprintf(f, "page_fault1\n");
}

static void print_request(FILE *f, const struct page_event *e)
{
	if (e->kind == 'A')
		fprintf(f, "A 1 0 0x140dca 1 %u\n", e->pfn);
	else if (e->kind == 'F')
		fprintf(f, "P 1 0 %u\n", e->pfn);
	else
		fprintf(f, "C 1 0 %u\n", e->pfn);
}

static const struct {
	const char *name;
	void (*print)(FILE *f, const struct page_event *e);
} formats[] = {
	{ "perf script --ns", print_perf },
	{ "ftrace", print_ftrace },
	{ "recorder", print_recorder },
	{ "bpftrace", print_bpftrace },
	{ "request", print_request },
};

/* Read all; store it too if `out` is a path. */
static uint64_t read_all(const char *path, const char *out)
{
	struct diag d = { .out = stderr };
	struct blt_info info = { .kernel = NULL };
	struct blt_writer *w = NULL;
	struct trace_source *s;
	struct trace_event e;
	uint64_t lines;
	uint32_t task = 0, seen = 0;
	int ret;

	CHECK(!trace_open(&s, path, NULL, &d));
	info.source = trace_source_format(s);
	CHECK(!out || !blt_create(&w, out, &info, &d));
	while ((ret = trace_next(s, &e)) == 1) {
		if (!out)
			continue;
		if (e.task != seen)
			CHECK(!blt_task(w, trace_source_task(s, e.task),
					&task));
		seen = e.task;
		e.task = task;
		CHECK(!blt_put(w, &e));
	}
	CHECK_MSG(!ret, "%s: %s", path, d.last);
	lines = trace_source_stats(s)->lines;
	CHECK(!out || !blt_commit(w, trace_source_stats(s)));
	trace_close(s);
	return lines;
}

static void measure(const char *name, const char *path)
{
	char out[] = "/tmp/perf-import-XXXXXX";
	const int fd = mkstemp(out);
	double start = cpu_seconds(), read_s, import_s;
	uint64_t lines;

	CHECK(fd >= 0);
	close(fd);
	read_all(path, NULL);          /* into the cache, and the first time */
	start = cpu_seconds();
	lines = read_all(path, NULL);
	read_s = cpu_seconds() - start;
	start = cpu_seconds();
	read_all(path, out);
	import_s = cpu_seconds() - start;
	unlink(out);
	printf("%-24s %10" PRIu64 " %8.2f %8.2f\n", name, lines,
	       (double)lines / read_s / 1e6, (double)lines / import_s / 1e6);
}

static void measure_format(unsigned int which, uint64_t lines)
{
	const int fd = memfd_create("perf", MFD_CLOEXEC);
	char path[64];
	struct rng rng;
	pfn_t pfn = 0;
	FILE *f;

	CHECK(fd >= 0);
	rng_init(&rng, 1, "perf", 0);
	f = fdopen(dup(fd), "w");
	CHECK(f);
	for (uint64_t i = 0; i < lines; i++) {
		const struct page_event e = next_event(&rng, i, &pfn);

		formats[which].print(f, &e);
	}
	CHECK(!fclose(f));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	measure(formats[which].name, path);
	close(fd);
}

int main(int argc, char **argv)
{
	const uint64_t lines = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	int i;

	CHECK_MSG(lines, "LINES is no number");
	puts("million lines a second        lines     read   import");
	for (i = 0; i < (int)ARRAY_SIZE(formats); i++)
		measure_format((unsigned int)i, lines);
	for (i = 2; i < argc; i++)
		measure(argv[i], argv[i]);
	return 0;
}
