/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Price files; a list that was read is printed and read again. */
#include <stdlib.h>
#include <string.h>

#include "include/check.h"
#include "sim/cost.h"
#include "tests/fuzz/fuzz.h"

static void check_round_trip(const struct price_list *l)
{
	struct price_list again;
	struct diag d = { 0 };
	struct fuzz_file f;
	size_t size, i;
	char *text;
	FILE *out = open_memstream(&text, &size);

	CHECK(out);
	price_list_print(l, out);
	fclose(out);
	fuzz_file_open(&f, (const uint8_t *)text, size);
	price_list_default(&again);
	CHECK_MSG(!price_list_read(&again, f.path, &d), "%s", d.last);
	for (i = 0; i < NR_PRICES; i++)
		CHECK_EQ(again.p[i].ps_1, l->p[i].ps_1);
	fuzz_file_close(&f);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct price_list l;
	struct diag d = { 0 };
	struct fuzz_file f;
	int err;

	fuzz_file_open(&f, data, size);
	price_list_default(&l);
	err = price_list_read(&l, f.path, &d);
	CHECK_EQ(!err, !d.nr_errors);
	if (!err)
		check_round_trip(&l);
	fuzz_file_close(&f);
	return 0;
}
