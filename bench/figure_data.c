/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The numbers beside a picture: one CSV file, whole or not at all. */
#include "bench/figure_internal.h"

int figure_data_open(struct figure *f, const char *name, struct store_file *to)
{
	char path[FIGURE_PATH_SIZE], why[4400] = "";
	int err;

	snprintf(path, sizeof(path), "%.3900s/%s.csv", f->dir, name);
	err = store_create_own(to, path, why, sizeof(why));
	if (err)
		fprintf(f->messages, "error: %s\n", why);
	return err;
}

int figure_data_close(struct figure *f, struct store_file *to)
{
	char why[4400] = "";
	int err = store_commit(to, why, sizeof(why));

	if (err)
		fprintf(f->messages, "error: %s\n", why);
	return err;
}

void figure_data_word(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++)
		fputc(*text == '"' ? '\'' : *text, out);
	fputc('"', out);
}
