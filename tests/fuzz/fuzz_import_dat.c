/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces: trace.dat. The library that reads it is tried in a process of its
 * own; what it lets through has to hold here.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_import(data, size, TRACE_FORMAT_TRACE_DAT);
	return 0;
}
