/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Step scripts: parsed, checked and run. */
#include <stdbool.h>
#include <string.h>

#include "replay/step.h"
#include "tests/fuzz/fuzz.h"

#define MAX_SCRIPT 4096

/* Three digits behind `repeat`: slow by itself, and finds nothing. */
static bool is_slow(const uint8_t *data, size_t size)
{
	static const char word[] = "repeat ";
	const size_t len = sizeof(word) - 1;
	size_t i, digits;

	for (i = 0; i + len < size; i++) {
		if (memcmp(data + i, word, len) != 0)
			continue;
		for (digits = i + len; digits < size &&
		     (data[digits] >= '0' && data[digits] <= '9'); digits++)
			;
		if (digits - i - len > 2 || (digits < size &&
		    (data[digits] == 'x' || data[digits] == 'X')))
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag d = { 0 };
	FILE *in, *out;

	if (!size || size > MAX_SCRIPT || is_slow(data, size))
		return 0;
	in = fmemopen((void *)(uintptr_t)data, size, "r");
	out = fuzz_sink();
	if (in) {
		step_run(in, "script", out, &d);
		fclose(in);
	}
	fclose(out);
	return 0;
}
