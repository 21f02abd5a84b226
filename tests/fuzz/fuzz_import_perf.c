/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traces: perf script. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_import(data, size, TRACE_FORMAT_PERF);
	return 0;
}
