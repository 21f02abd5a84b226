/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times and sizes as people write them, and as the parsers read them. */
#ifndef INCLUDE_SPELL_H
#define INCLUDE_SPELL_H

#include <stdint.h>

#include "include/option.h"

#define SPELL_SIZE 32

/* In the largest unit that leaves no rest: "200ms", "24m", "0ns". */
void spell_time(uint64_t ns, char out[SPELL_SIZE]);
/* "16M", "0"; what is no multiple of 1K is "4095 bytes". */
void spell_size(uint64_t bytes, char out[SPELL_SIZE]);
/* An end of the range of an option, as a file would have it. */
void spell_limit(enum option_type type, uint64_t value, char out[SPELL_SIZE]);

#endif
