/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace.dat in a build without libtracecmd: says so. */
#include <errno.h>

#include "trace/importer.h"

int dat_open(struct dat_reader **out, struct trace_source *s)
{
	*out = NULL;
	diag_error(s->diag, (struct diag_place){ .file = s->path },
		   "trace.dat cannot be read by this build (libtracecmd was "
		   "missing); use the text of trace-cmd report");
	return -EOPNOTSUPP;
}

int dat_next(struct dat_reader *r, struct trace_event *out)
{
	(void)r;
	(void)out;
	return -EOPNOTSUPP;
}

void dat_close(struct dat_reader *r)
{
	(void)r;
}
