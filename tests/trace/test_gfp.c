/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GFP masks: names and raw bits of every release, read and printed. */
#include <stdlib.h>
#include <string.h>

#include "tests/test.h"
#include "trace/gfp.h"

static void test_gfp__names_of_the_tracepoints(void **state)
{
	/* What kernels print, and the 6.1 mask it stands for. */
	static const struct {
		const char *text;
		const char *kernel;
		uint32_t mask;
		bool unknown;
	} rows[] = {
		{ "none", NULL, 0, false },
		{ "GFP_KERNEL", NULL, 0xcc0, false },
		{ "GFP_HIGHUSER_MOVABLE|__GFP_ZERO", "5.3", 0x100dca, false },
		{ "GFP_HIGHUSER_MOVABLE|__GFP_ZERO|__GFP_COMP", "6.18",
		  0x140dca, false },
		{ "GFP_KERNEL_ACCOUNT|__GFP_ZERO", NULL, 0x400dc0, false },
		{ "GFP_TRANSHUGE|__GFP_NORETRY|__GFP_THISNODE", NULL,
		  0x3d24ca, false },
		{ "GFP_TRANSHUGE_LIGHT", NULL, 0x1c20ca, false },
		{ "GFP_NOWAIT|__GFP_NOWARN", NULL, 0x2800, false },
		/* Composites that changed: 6.3 and 6.7. */
		{ "GFP_ATOMIC", NULL, 0xa20, false },
		{ "GFP_ATOMIC", "6.1", 0xa20, false },
		{ "GFP_ATOMIC", "6.12", 0x820, false },
		{ "GFP_NOWAIT", "5.10", 0x800, false },
		{ "GFP_NOWAIT", "6.12.0", 0x2800, false },
		{ "GFP_NOWAIT", "6.18.44", 0x2800, false },
		/* Names that only some releases have. */
		{ "__GFP_DMA|__GFP_DMA32", "6.18", 0x5, false },
		{ "GFP_KERNEL|__GFP_NO_OBJ_EXT", "6.18", 0xcc0, false },
		{ "__GFP_SKIP_KASAN", "6.12", 0x6000000, false },
		{ "__GFP_NOLOCKDEP", NULL, 0x8000000, false },
		/* Leftover bits that the release had no name for. */
		{ "GFP_NOWAIT|0x1000000", "6.12", 0x2800, false },
		{ "GFP_KERNEL|0x800000", "5.7", 0x8000cc0, false },
		{ "GFP_KERNEL|0x20000000", NULL, 0xcc0, true },
		{ "GFP_KERNEL|__GFP_NOSUCH", NULL, 0xcc0, true },
		{ "__GFP_REPEAT", "4.9", 0, true },
		/* Raw. */
		{ "0x140dca", NULL, 0x140dca, false },
		{ "1314250", NULL, 0x140dca, false },
		{ "0", NULL, 0, false },
		/* Damage. */
		{ "", NULL, 0, true },
		{ "|", NULL, 0, true },
		{ "GFP_KERNEL|", NULL, 0xcc0, true },
		{ "0x", NULL, 0, true },
		{ "99999999999999999999", NULL, 0, true },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gfp_rest rest = { false };
		const uint32_t mask = gfp_parse(rows[i].text,
						strlen(rows[i].text),
						rows[i].kernel, &rest);

		ASSERT_U64(rows[i].text, mask, rows[i].mask);
		ASSERT_U64(rows[i].text, rest.unknown, rows[i].unknown);
	}
}

static void test_gfp__raw_bits_by_release(void **state)
{
	/* A bit of a release and where it stands in 6.1; bits up to
	 * __GFP_ACCOUNT have never moved. */
	static const struct {
		const char *kernel;
		uint64_t raw;
		uint32_t mask;
		bool unknown;
	} rows[] = {
		{ "5.3", 0x7fffff, 0x7fffff, false },
		{ "5.3", 0x800000, 0x8000000, false },
		{ "5.7", 0x800000, 0x8000000, false },
		{ "5.10", 0x800000, 0x8000000, false },
		{ "5.10", 0x1000000, 0, true },
		{ "5.15.0-91-generic", 0x800000, 0x800000, false },
		{ "5.15", 0x1000000, 0x4000000, false },
		{ "5.15", 0x2000000, 0x8000000, false },
		{ NULL, 0xfffffff, 0xfffffff, false },
		{ "6.1", 0x8000000, 0x8000000, false },
		{ "6.1", 0x10000000, 0, true },
		{ "6.4", 0x200, 0, false },
		{ "6.4", 0x2000000, 0x6000000, false },
		{ "6.4", 0x4000000, 0x8000000, false },
		{ "6.12.0", 0x200, 0, false },
		{ "6.12", 0x7fffff, 0x7ffdff, false },
		{ "6.12", 0x800000, 0x800000, false },
		{ "6.18", 0x1000cc0, 0xcc0, false },
		{ "6.18", 0x10000cc0, 0xcc0, true },
		{ "6.1", UINT64_C(0x100000cc0), 0xcc0, true },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gfp_rest rest = { false };

		ASSERT_U64(test_row(i), gfp_from_raw(rows[i].raw,
						     rows[i].kernel, &rest),
			   rows[i].mask);
		ASSERT_U64(test_row(i), rest.unknown, rows[i].unknown);
	}
}

static void test_gfp__printed_as_6_1_does(void **state)
{
	/* Composites first and greedy, what has no name in hex. */
	static const struct {
		uint32_t mask;
		const char *text;
	} rows[] = {
		{ 0, "none" },
		{ 0xcc0, "GFP_KERNEL" },
		{ 0x140dca, "GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO" },
		{ 0x400dc0, "GFP_KERNEL_ACCOUNT|__GFP_ZERO" },
		{ 0x3d24ca,
		  "GFP_TRANSHUGE|__GFP_NORETRY|__GFP_THISNODE" },
		{ 0x2800, "GFP_NOWAIT|__GFP_NOWARN" },
		{ 0xa20, "GFP_ATOMIC" },
		{ 0x8000cc0, "GFP_KERNEL|0x8000000" },
		{ 0x10, "__GFP_RECLAIMABLE" },
	};
	char text[512];

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		gfp_format(rows[i].mask, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
	/* Too little room cuts the text and writes nothing behind it. */
	memset(text, 'x', sizeof(text));
	gfp_format(0x140dca, text, 12);
	assert_string_equal(text, "GFP_HIGHUSE");
	assert_int_equal(text[12], 'x');
}

static void test_gfp__every_mask_survives_print_and_read(void **state)
{
	/* All single bits, all pairs: printed, read, the same. */
	char text[512];

	(void)state;
	for (unsigned int i = 0; i < 28; i++)
		for (unsigned int k = 0; k <= i; k++) {
			const uint32_t mask = 1u << i | 1u << k;
			struct gfp_rest rest;

			gfp_format(mask, text, sizeof(text));
			ASSERT_U64(text, gfp_parse(text, strlen(text), "6.1",
						   &rest), mask);
			assert_false(rest.unknown);
		}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_gfp__names_of_the_tracepoints),
	cmocka_unit_test(test_gfp__raw_bits_by_release),
	cmocka_unit_test(test_gfp__printed_as_6_1_does),
	cmocka_unit_test(test_gfp__every_mask_survives_print_and_read),
};

TEST_MAIN(cases)
