/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For ranges in messages and lists: nobody should have to count the zeroes of
 * 86400000000000ns. Results keep base units (option_format).
 */
#include "include/spell.h"

#include <inttypes.h>
#include <stdio.h>

#include "include/types.h"

void spell_time(uint64_t ns, char out[SPELL_SIZE])
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = {
		{ 60 * NSEC_PER_SEC, "m" }, { NSEC_PER_SEC, "s" },
		{ NSEC_PER_MSEC, "ms" }, { NSEC_PER_USEC, "us" }, { 1, "ns" },
	};
	unsigned int i = 0;

	while (ns % units[i].ns || ns < units[i].ns) {
		if (units[i].ns == 1)
			break;
		i++;
	}
	snprintf(out, SPELL_SIZE, "%" PRIu64 "%s", ns / units[i].ns,
		 units[i].name);
}

void spell_size(uint64_t bytes, char out[SPELL_SIZE])
{
	static const char letters[] = "KMGT";
	unsigned int i = 0;

	if (!bytes || bytes % 1024) {
		snprintf(out, SPELL_SIZE, "%" PRIu64 "%s", bytes,
			 bytes ? " bytes" : "");
		return;
	}
	for (bytes /= 1024; bytes % 1024 == 0 && letters[i + 1]; i++)
		bytes /= 1024;
	snprintf(out, SPELL_SIZE, "%" PRIu64 "%c", bytes, letters[i]);
}

void spell_limit(enum option_type type, uint64_t value, char out[SPELL_SIZE])
{
	if (type == OPTION_TIME)
		spell_time(value, out);
	else if (type == OPTION_SIZE || type == OPTION_SHARE)
		spell_size(value, out);
	else
		snprintf(out, SPELL_SIZE, "%" PRIu64, value);
}
