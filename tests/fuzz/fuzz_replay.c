/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot, and behind a line of two dashes a request stream, which is run
 * on the twin that starts from the snapshot.
 */
#define _GNU_SOURCE
#include <string.h>

#include "alloc/profile.h"
#include "include/check.h"
#include "replay/replay.h"
#include "tests/fuzz/fuzz.h"

#define BETWEEN "--\n"
#define LARGEST_INPUT 65536

static void replay(const char *before, const char *stream, size_t variety)
{
	struct replay_options o = {
		.before = before, .stream = stream, .after = before,
		.mode = variety & 1 ? REPLAY_ASSISTED : REPLAY_PREDICT,
		.hints = variety & 2 ? REPLAY_HINTS_ALL : 0,
	};
	struct replay_result result = { 0 };
	struct diag d = { 0 };
	FILE *out;

	if (replay_run(&o, &d, &result)) {
		CHECK(d.nr_errors);
		return;
	}
	out = fuzz_sink();
	replay_print_text(&o, &result, out);
	replay_print_json(&result, out);
	fclose(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *cut = memmem(data, size, BETWEEN, strlen(BETWEEN));
	const size_t first = cut ? (size_t)(cut - data) : size;
	const size_t second = cut ? first + strlen(BETWEEN) : size;
	struct fuzz_file before, stream;

	if (size > LARGEST_INPUT)
		return 0;
	fuzz_file_open(&before, data, first);
	fuzz_file_open(&stream, data + second, size - second);
	replay(before.path, stream.path, size);
	fuzz_file_close(&stream);
	fuzz_file_close(&before);
	return 0;
}
