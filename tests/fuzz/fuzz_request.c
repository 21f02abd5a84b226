/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Request streams, plain and zstd; what is read is printed and read again. */
#include <errno.h>
#include <string.h>

#include "include/check.h"
#include "tests/fuzz/fuzz.h"
#include "trace/request.h"

/* A record that was accepted can be written, and is accepted again. */
static void check_round_trip(const struct req_record *r)
{
	struct diag d = { 0 };
	struct req_stream *s;
	struct req_record again;
	struct fuzz_file f;
	char text[256], line[260];

	req_format(r, text, sizeof(text));
	snprintf(line, sizeof(line), "%s\n", text);
	fuzz_file_open(&f, (const uint8_t *)line, strlen(line));
	CHECK_EQ(req_open(&s, f.path, NULL, &d), 0);
	CHECK_MSG(req_next(s, &again) == 1, "%s: %s", text, d.last);
	CHECK_EQ(again.kind, r->kind);
	CHECK_EQ(again.pfn, r->pfn);
	CHECK_EQ(again.order, r->order);
	req_close(s);
	fuzz_file_close(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct req_limits limits = { .nr_cpus = 4, .nr_types = 4,
					   .zones = 0x7, .end_pfn = 8192 };
	struct diag d = { 0 };
	struct req_stream *s;
	struct req_record r;
	struct fuzz_file f;
	int got, checked = 0;

	fuzz_file_open(&f, data, size);
	if (!req_open(&s, f.path, size % 2 ? &limits : NULL, &d)) {
		while ((got = req_next(s, &r)) == 1 || got == -EINVAL)
			if (got == 1 && checked++ < 4)
				check_round_trip(&r);
		CHECK(!got || d.nr_errors);
		req_close(s);
	}
	fuzz_file_close(&f);
	return 0;
}
