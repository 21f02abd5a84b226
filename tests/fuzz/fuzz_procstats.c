/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file of recorded /proc files: read, and used as the start of a replay of
 * two allocations, which has to end in a sound allocator or in a message.
 */
#include <string.h>

#include "include/check.h"
#include "replay/replay.h"
#include "tests/fuzz/fuzz.h"
#include "trace/procstats.h"

#define LARGEST_INPUT 16384
/* A zone of many pages costs time that finds nothing. */
#define LARGEST_ZONE (1u << 16)

static const char trace[] =
	"t-1 [000] d.. 0.000001: mm_page_alloc: pfn=0x400 order=0 "
	"migratetype=0 gfp_flags=0xcc0\n"
	"t-1 [000] d.. 0.000002: mm_page_free: pfn=0x77 order=0\n";

static bool is_small(const struct procstats *p)
{
	for (unsigned int i = 0; i < p->nr_zones; i++)
		if (p->zones[i].start + p->zones[i].spanned > LARGEST_ZONE)
			return false;
	return true;
}

static void replay(const char *counts, const char *stream)
{
	const struct replay_options o = { .free_counts = counts,
					  .stream = stream, .proc = counts };
	struct replay_result result = { 0 };
	struct diag d = { 0 };
	const char *broken;
	struct replay *r;

	if (replay_open(&r, &o, &d)) {
		CHECK(d.nr_errors);
		return;
	}
	broken = alloc_check(replay_alloc(r));
	CHECK_MSG(!broken, "%s", broken);
	replay_close(r);
	if (replay_run(&o, &d, &result))
		CHECK(d.nr_errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_file counts, stream;
	struct procstats *p = NULL;
	struct diag d = { 0 };

	if (size > LARGEST_INPUT)
		return 0;
	fuzz_file_open(&counts, data, size);
	fuzz_file_open(&stream, (const uint8_t *)trace, strlen(trace));
	if (procstats_read(&p, counts.path, "before", &d))
		CHECK(d.nr_errors);
	else if (is_small(p))
		replay(counts.path, stream.path);
	procstats_free(p);
	fuzz_file_close(&stream);
	fuzz_file_close(&counts);
	return 0;
}
