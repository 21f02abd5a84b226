/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GFP masks: a line each, the first byte chooses the release. */
#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "tests/fuzz/fuzz.h"
#include "trace/gfp.h"

/* What was read can be printed, and is read again, but for unknown parts. */
static void check_mask(uint32_t mask)
{
	struct gfp_rest rest;
	char text[1024];

	CHECK(!(mask >> 28));
	gfp_format(mask, text, sizeof(text));
	CHECK_EQ(gfp_parse(text, strlen(text), "6.1", &rest), mask);
	CHECK(!rest.unknown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const kernels[] = {
		NULL, "5.3", "5.10", "5.15", "6.1", "6.4", "6.12", "6.18",
	};
	struct gfp_rest rest;
	char *text;

	if (!size)
		return 0;
	/* Its own block, without an end: only `len` bytes are read. */
	text = malloc(size);
	CHECK(text);
	memcpy(text, data + 1, size - 1);
	check_mask(gfp_parse(text, size - 1, kernels[data[0] % 8], &rest));
	free(text);
	return 0;
}
