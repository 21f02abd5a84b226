/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON on standard output. */
#include "cli/json.h"

#include <string.h>

#include "cli/commands.h"

json_t *exp_cell_json(const struct cell *c)
{
	json_t *axes = json_object();

	for (unsigned int i = 0; i < c->nr_axes; i++)
		if (json_object_set_new(axes, c->axes[i].name,
					json_string(c->axes[i].value))) {
			json_decref(axes);
			return NULL;
		}
	return json_pack("{s:s, s:s, s:o, s:I}", "id", c->id,
			 "variant", c->variant, "axes", axes,
			 "seed", (json_int_t)c->seed);
}

int print_json_document(const char *command, json_t *o)
{
	int err = o ? json_dumpf(o, stdout, JSON_INDENT(2) | JSON_SORT_KEYS) :
		      -1;

	json_decref(o);
	if (!err) {
		putchar('\n');
		return EXIT_FINE;
	}
	fprintf(stderr, "buddylab %s: error: no JSON could be made: text that "
		"is not UTF-8, or out of memory or room\n", command);
	return EXIT_RUNTIME;
}
