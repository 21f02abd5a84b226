/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Start states that nobody recorded; only the replay sources include it. */
#ifndef REPLAY_ASSUME_H
#define REPLAY_ASSUME_H

#include "replay/internal.h"

/*
 * r->before by the options, and what is assumed. 0 or a negative errno after
 * messages.
 */
int assume_start(struct replay *r);
/* The pages that the trace frees first are in use when it begins. */
void assume_in_use(struct replay *r);
void assume_destroy(struct replay *r);
/*
 * A snapshot with the free counts of a file of /proc files. `in_use`: bit per
 * PFN (TRACE_MAX_PFN of them) that must not be free.
 */
int assume_proc(struct replay *r, const uint64_t *in_use,
		struct snapshot **out);

#endif
