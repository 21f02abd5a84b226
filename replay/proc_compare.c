/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The twin's /proc/buddyinfo and /proc/pagetypeinfo against the recorded ones,
 * number by number. The twin's are printed and read back, so that both sides
 * have gone through the same layout.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay/internal.h"
#include "trace/procstats.h"

typedef void (*print_fn)(const struct alloc *a, FILE *out);

static int print_into(struct procstats *p, const struct alloc *a,
		      print_fn print, enum proc_table first)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int err = -ENOMEM;

	if (out) {
		print(a, out);
		if (!fclose(out))
			err = procstats_add_text(p, first, text);
	}
	free(text);
	return err;
}

static const char *table_name(unsigned int table)
{
	return table == PROC_BUDDYINFO ? "buddyinfo" : "pagetypeinfo";
}

static void explain(struct replay_proc *out, const struct proc_row *row,
		    const char *what)
{
	if (out->first[0])
		return;
	snprintf(out->first, sizeof(out->first),
		 "%s, zone %s%s%s%s: %s", table_name(row->table), row->zone,
		 row->type[0] ? ", type " : "", row->type,
		 row->table == PROC_BLOCKS ? ", pageblocks" : "", what);
}

static void compare_row(struct replay_proc *out, const struct proc_row *kernel,
			const struct proc_row *twin)
{
	char what[96];

	out->cells += kernel->nr;
	if (!twin || twin->nr != kernel->nr) {
		out->differing += kernel->nr;
		explain(out, kernel, twin ? "another number of columns" :
					    "the twin has no such line");
		return;
	}
	for (unsigned int i = 0; i < kernel->nr; i++) {
		if (kernel->values[i] == twin->values[i])
			continue;
		out->differing++;
		snprintf(what, sizeof(what),
			 "column %u is %llu in the kernel, %llu in the twin", i,
			 (unsigned long long)kernel->values[i],
			 (unsigned long long)twin->values[i]);
		explain(out, kernel, what);
	}
}

static void compare_rows(struct replay_proc *out, const struct procstats *kernel,
			 const struct procstats *twin)
{
	for (uint32_t i = 0; i < kernel->nr_rows; i++)
		compare_row(out, &kernel->rows[i],
			    procstats_find(twin, &kernel->rows[i]));
	for (uint32_t i = 0; i < twin->nr_rows; i++) {
		const struct proc_row *row = &twin->rows[i];

		if (procstats_find(kernel, row))
			continue;
		out->cells += row->nr;
		out->differing += row->nr;
		explain(out, row, "the record has no such line");
	}
}

int replay_compare_proc(const struct alloc *a, const char *path, struct diag *d,
			struct replay_proc *out)
{
	struct procstats *kernel = NULL;
	struct procstats twin = { 0 };
	int err = procstats_read(&kernel, path, "after", d);

	if (err)
		return err;
	*out = (struct replay_proc){ .compared = true };
	err = print_into(&twin, a, alloc_print_buddyinfo, PROC_BUDDYINFO);
	if (!err)
		err = print_into(&twin, a, alloc_print_pagetypeinfo,
				 PROC_TYPES);
	if (err)
		diag_error(d, (struct diag_place){ 0 }, "out of memory");
	else
		compare_rows(out, kernel, &twin);
	free(twin.rows);
	procstats_free(kernel);
	return err;
}
