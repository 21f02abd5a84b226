/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a hold of the zone lock, as every design counts it. */
#ifndef REPORTER_HOLD_H
#define REPORTER_HOLD_H

#include "reporter/reporter.h"

/* `touches` list nodes were looked at or moved since env->lock(). */
static inline void hold_end(struct reporter *r, unsigned int zone,
			    uint32_t touches)
{
	if (r->counters.longest_hold < touches)
		r->counters.longest_hold = touches;
	r->env->unlock(r->env->ctx, zone, touches);
}

#endif
