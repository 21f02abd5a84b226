/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files sync_env*.c. */
#ifndef REPORTER_SYNC_ENV_CALLS_H
#define REPORTER_SYNC_ENV_CALLS_H

#include "reporter/sync_env.h"

/* All calls of the environment; ctx, view and host are to be filled in. */
extern const struct reporter_env sync_env_calls;

/* What the host answers to `rq`, with this error. */
void sync_env_answer(const struct sync_env *e, const struct host_request *rq,
		     int err, struct host_reply *reply);

#endif
