/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of cells.jsonl, and the tables and comparisons made of them. */
#include <errno.h>

#include "bench/compare.h"
#include "bench/table.h"
#include "include/check.h"
#include "tests/fuzz/fuzz.h"

#define LARGEST_INPUT 65536

static void use(struct results *r)
{
	struct comparison c;
	FILE *out = fuzz_sink();
	int f;

	for (f = REPORT_TABLE; r->nr_cells && f <= REPORT_COVER; f++)
		report_print(r, (enum report_format)f, out);
	if (!compare_make(&c, r, r, NULL, NULL)) {
		compare_print(&c, out);
		compare_print_junit(&c, out);
		compare_print_tap(&c, out);
		compare_print_json(&c, out);
		compare_print_annotations(&c, out);
		compare_print_summary(&c, out);
	}
	compare_free(&c);
	fclose(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct results r;
	struct diag d = { 0 };
	struct fuzz_file f;
	int err;

	if (size > LARGEST_INPUT)
		return 0;
	fuzz_file_open(&f, data, size);
	err = results_read(&r, f.path, &d);
	CHECK(!err == !d.nr_errors || err == -ENOMEM);
	if (!err)
		use(&r);
	results_free(&r);
	fuzz_file_close(&f);
	return 0;
}
