/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading and comparing two sets of results, with messages on stderr. */
#include "cli/pair.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/registry.h"

int pair_load(struct pair *p, const char *base, const char *new,
	      const char *thresholds, bool accept)
{
	struct diag d = { .out = stderr };
	int err = 0, other;

	memset(p, 0, sizeof(*p));
	if (thresholds && thresholds_read(&p->thresholds, thresholds, &d))
		return EXIT_USAGE;
	if (!accept || !access(base, F_OK))
		err = results_read(&p->base, base, &d);
	/* Both files' mistakes are worth knowing. */
	other = results_read(&p->new, new, &d);
	if (err == -EPROTO || other == -EPROTO)
		return EXIT_NOT_COMPARABLE;
	if (err || other)
		return EXIT_RUNTIME;
	if (accept)
		err = compare_make_by_point(&p->comparison, &p->base, &p->new);
	else
		err = compare_make(&p->comparison, &p->base, &p->new,
				   thresholds ? &p->thresholds : NULL,
				   &registry);
	if (err) {
		fprintf(stderr, "buddylab: error: out of memory\n");
		return EXIT_RUNTIME;
	}
	return EXIT_FINE;
}

void pair_free(struct pair *p)
{
	compare_free(&p->comparison);
	thresholds_free(&p->thresholds);
	results_free(&p->base);
	results_free(&p->new);
}

bool pair_printed(const char *command, int err)
{
	const bool arrived = !fflush(stdout) && !ferror(stdout);

	if (!err && arrived && !json_memory_failed())
		return true;
	if (arrived)
		fprintf(stderr, "buddylab %s: error: out of memory\n", command);
	return false;
}

int pair_exit(const struct pair *p)
{
	static const int codes[] = {
		[COMPARE_EQUAL] = EXIT_FINE,
		[COMPARE_MOVED] = EXIT_REGRESSION,
		[COMPARE_NOT_COMPARABLE] = EXIT_NOT_COMPARABLE,
	};

	return codes[p->comparison.verdict];
}
