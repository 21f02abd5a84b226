/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Step scripts line by line, for those who see what one line did before they
 * write the next.
 */
#ifndef REPLAY_STEP_SESSION_H
#define REPLAY_STEP_SESSION_H

#include "replay/step_internal.h"

struct step_session {
	struct step_script script;
	struct step_parser parser;
	struct step s;
	struct step_log *log;
	bool over;                /* nothing more can run */
};

void step_session_init(struct step_session *n, struct step_log *log, FILE *out,
		       struct diag *d);
void step_session_destroy(struct step_session *n);
/*
 * Run a line and log it. -EINVAL: it cannot run here, or no longer; -ENOMEM,
 * -EIO. The shape of the guest comes first.
 */
int step_session_line(struct step_session *n, const char *line, size_t len);

#endif
