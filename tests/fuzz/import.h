/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One file of bytes through an importer, with what must hold for any. */
#ifndef TESTS_FUZZ_IMPORT_H
#define TESTS_FUZZ_IMPORT_H

#include <stddef.h>
#include <stdint.h>

#include "trace/source.h"

void fuzz_import(const uint8_t *data, size_t size, enum trace_format format);

#endif
