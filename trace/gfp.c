/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GFP masks of every release as one. Follows include/linux/gfp.h and
 * gfp_types.h for the bits, include/trace/events/mmflags.h for the names that
 * tracepoints print. A release is one row of a table: which bits mean what
 * they mean in 6.1, which moved, which are dropped. Leaves out KASAN's bits of
 * 6.10 and later, whose numbers depend on the configuration: no page is chosen
 * by them.
 */
#include "trace/gfp.h"

#include <stdio.h>
#include <string.h>

/* Bits of 6.1. */
#define BIT_ATOMIC 0x200u
#define BIT_ZEROTAGS 0x800000u
#define BIT_SKIP_ZERO 0x1000000u
#define BIT_SKIP_UNPOISON 0x2000000u
#define BIT_SKIP_POISON 0x4000000u
#define BIT_NOLOCKDEP 0x8000000u
#define BITS_COMMON 0x007ffdffu /* have never moved: DMA to ACCOUNT */

struct gfp_name {
	const char *name;
	uint32_t mask;
};

/* In the order in which 6.1 tries them when it prints a mask. */
static const struct gfp_name composites[] = {
	{ "GFP_TRANSHUGE", 0x1c24ca },
	{ "GFP_TRANSHUGE_LIGHT", 0x1c20ca },
	{ "GFP_HIGHUSER_MOVABLE", 0x100cca },
	{ "GFP_HIGHUSER", 0x100cc2 },
	{ "GFP_USER", 0x100cc0 },
	{ "GFP_KERNEL_ACCOUNT", 0x400cc0 },
	{ "GFP_KERNEL", 0xcc0 },
	{ "GFP_NOFS", 0xc40 },
	{ "GFP_ATOMIC", 0xa20 },
	{ "GFP_NOIO", 0xc00 },
	{ "GFP_NOWAIT", 0x800 },
	{ "GFP_DMA", 0x1 },
	{ "__GFP_HIGHMEM", 0x2 },
	{ "GFP_DMA32", 0x4 },
	{ "__GFP_HIGH", 0x20 },
	{ "__GFP_ATOMIC", BIT_ATOMIC },
	{ "__GFP_IO", 0x40 },
	{ "__GFP_FS", 0x80 },
	{ "__GFP_NOWARN", 0x2000 },
	{ "__GFP_RETRY_MAYFAIL", 0x4000 },
	{ "__GFP_NOFAIL", 0x8000 },
	{ "__GFP_NORETRY", 0x10000 },
	{ "__GFP_COMP", 0x40000 },
	{ "__GFP_ZERO", 0x100 },
	{ "__GFP_NOMEMALLOC", 0x80000 },
	{ "__GFP_MEMALLOC", 0x20000 },
	{ "__GFP_HARDWALL", 0x100000 },
	{ "__GFP_THISNODE", 0x200000 },
	{ "__GFP_RECLAIMABLE", 0x10 },
	{ "__GFP_MOVABLE", 0x8 },
	{ "__GFP_ACCOUNT", 0x400000 },
	{ "__GFP_WRITE", 0x1000 },
	{ "__GFP_RECLAIM", 0xc00 },
	{ "__GFP_DIRECT_RECLAIM", 0x400 },
	{ "__GFP_KSWAPD_RECLAIM", 0x800 },
	{ "__GFP_ZEROTAGS", BIT_ZEROTAGS },
	{ "__GFP_SKIP_ZERO", BIT_SKIP_ZERO },
	{ "__GFP_SKIP_KASAN_UNPOISON", BIT_SKIP_UNPOISON },
	{ "__GFP_SKIP_KASAN_POISON", BIT_SKIP_POISON },
};

/* Read, but never printed: names of other releases, and ones that 6.1 has no
 * room for in its list. A mask of 0 is a flag that no page is chosen by. */
static const struct gfp_name read_only[] = {
	{ "__GFP_DMA", 0x1 },
	{ "__GFP_DMA32", 0x4 },
	{ "__GFP_NOLOCKDEP", BIT_NOLOCKDEP },
	{ "__GFP_SKIP_KASAN", BIT_SKIP_UNPOISON | BIT_SKIP_POISON },
	{ "__GFP_NO_OBJ_EXT", 0 },
	{ "none", 0 },
};

/* What a release's composite has instead of the mask above. */
static const struct {
	unsigned int since;
	struct gfp_name n;
} changed[] = {
	{ 603, { "GFP_ATOMIC", 0x820 } },
	{ 607, { "GFP_NOWAIT", 0x2800 } },
};

/* One bit, or a few, that stand elsewhere in 6.1. */
struct gfp_move {
	uint32_t raw, canonical;
};

struct gfp_layout {
	unsigned int since;     /* release, major * 100 + minor */
	uint32_t same;          /* bits that mean what they mean in 6.1 */
	uint32_t dropped;       /* known, and chosen by nothing */
	struct gfp_move moves[3];
};

static const struct gfp_layout layouts[] = {
	{ 0, BITS_COMMON | BIT_ATOMIC, 0,
	  { { 0x800000, BIT_NOLOCKDEP } } },
	{ 514, BITS_COMMON | BIT_ATOMIC | BIT_ZEROTAGS, 0,
	  { { 0x1000000, BIT_SKIP_POISON }, { 0x2000000, BIT_NOLOCKDEP } } },
	{ 518, BITS_COMMON | BIT_ATOMIC | 0xf800000, 0, { { 0, 0 } } },
	{ 603, BITS_COMMON | 0xf800000, BIT_ATOMIC, { { 0, 0 } } },
	{ 604, BITS_COMMON | BIT_ZEROTAGS | BIT_SKIP_ZERO, BIT_ATOMIC,
	  { { 0x2000000, BIT_SKIP_UNPOISON | BIT_SKIP_POISON },
	    { 0x4000000, BIT_NOLOCKDEP } } },
	{ 610, BITS_COMMON | BIT_ZEROTAGS, BIT_ATOMIC | 0xf000000,
	  { { 0, 0 } } },
};

/* "6.12.0" or "6.1.0-18-amd64" as 612 or 601; 6.1 if there is no number. */
static unsigned int release_number(const char *kernel)
{
	unsigned int major, minor;

	if (!kernel || sscanf(kernel, "%2u.%2u", &major, &minor) != 2)
		return 601;
	return major * 100 + minor;
}

uint32_t gfp_from_raw(uint64_t raw, const char *kernel, struct gfp_rest *rest)
{
	const unsigned int release = release_number(kernel);
	const struct gfp_layout *l = &layouts[0];
	uint64_t left;
	uint32_t mask;

	for (size_t i = 1; i < ARRAY_SIZE(layouts); i++)
		if (layouts[i].since <= release)
			l = &layouts[i];
	mask = (uint32_t)raw & l->same;
	left = raw & ~(uint64_t)(l->same | l->dropped);
	for (size_t i = 0; i < ARRAY_SIZE(l->moves); i++) {
		if (!(left & l->moves[i].raw))
			continue;
		mask |= l->moves[i].canonical;
		left &= ~(uint64_t)l->moves[i].raw;
	}
	rest->unknown = left != 0;
	return mask;
}

static bool same_name(const char *name, const char *text, size_t len)
{
	return strlen(name) == len && memcmp(name, text, len) == 0;
}

static bool find_name(const char *text, size_t len, unsigned int release,
		      uint32_t *mask)
{
	for (size_t i = 0; i < ARRAY_SIZE(changed); i++)
		if (changed[i].since <= release &&
		    same_name(changed[i].n.name, text, len)) {
			*mask = changed[i].n.mask;
			return true;
		}
	for (size_t i = 0; i < ARRAY_SIZE(composites); i++)
		if (same_name(composites[i].name, text, len)) {
			*mask = composites[i].mask;
			return true;
		}
	for (size_t i = 0; i < ARRAY_SIZE(read_only); i++)
		if (same_name(read_only[i].name, text, len)) {
			*mask = read_only[i].mask;
			return true;
		}
	return false;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

static bool read_number(const char *text, size_t len, uint64_t *out)
{
	const bool hex = len > 2 && text[0] == '0' && text[1] == 'x';
	const unsigned int base = hex ? 16 : 10;
	uint64_t v = 0;

	for (size_t i = hex ? 2 : 0; i < len; i++) {
		const unsigned int digit = (unsigned int)digit_value(text[i]);

		if (digit >= base || __builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, digit, &v))
			return false;
	}
	*out = v;
	return len > 0;
}

uint32_t gfp_parse(const char *text, size_t len, const char *kernel,
		   struct gfp_rest *rest)
{
	const unsigned int release = release_number(kernel);
	const char *end = text + len;
	uint32_t mask = 0;

	rest->unknown = false;
	for (;;) {
		const char *bar = memchr(text, '|', (size_t)(end - text));
		const size_t n = (size_t)((bar ? bar : end) - text);
		struct gfp_rest part = { .unknown = false };
		uint32_t bits = 0;
		uint64_t raw;

		if (read_number(text, n, &raw))
			bits = gfp_from_raw(raw, kernel, &part);
		else
			part.unknown = !find_name(text, n, release, &bits);
		mask |= bits;
		rest->unknown |= part.unknown;
		if (!bar)
			return mask;
		text = bar + 1;
	}
}

void gfp_format(uint32_t gfp, char *out, size_t size)
{
	size_t used = 0;

	if (!gfp) {
		snprintf(out, size, "none");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(composites) && used < size; i++) {
		const struct gfp_name *n = &composites[i];

		if ((gfp & n->mask) != n->mask)
			continue;
		used += (size_t)snprintf(out + used, size - used, "%s%s",
					 used ? "|" : "", n->name);
		gfp &= ~n->mask;
	}
	if (gfp && used < size)
		snprintf(out + used, size - used, "%s0x%x", used ? "|" : "",
			 gfp);
}
