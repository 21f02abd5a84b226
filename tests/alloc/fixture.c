/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest of the allocator tests; see fixture.h. */
#include <string.h>

#include "tests/alloc/fixture.h"
#include "tests/test.h"

#define TEXT_SIZE 65536

const char *const fixture_kernels[] = {
	"5.3", "5.7", "5.10", "6.1", "6.12.0", "6.12", "6.18", NULL,
};

struct alloc *fixture_create_config(const struct alloc_config *config)
{
	const char *why = "no reason given";
	struct alloc *a = NULL;

	if (alloc_create(&a, config, &why) != 0)
		fail_msg("alloc_create: %s", why);
	for (unsigned int i = 0; i < config->nr_zones; i++)
		alloc_set_managed(a, i, config->zones[i].end -
					config->zones[i].start);
	return a;
}

struct alloc *fixture_create_profile(const struct alloc_profile *profile,
				     pfn_t start, pfn_t end,
				     unsigned int pageblock_order)
{
	const struct alloc_zone_config zone = {
		.type = ZONE_NORMAL, .start = start, .end = end,
	};
	const struct alloc_config config = {
		.profile = profile,
		.nr_cpus = 1,
		.nr_nodes = 1,
		.zones = &zone,
		.nr_zones = 1,
		.pageblock_order = pageblock_order,
		.pcp_disabled = true,
		.cma = true,
		.isolation = true,
		.watermark_boost_factor = UINT32_MAX,
	};

	return fixture_create_config(&config);
}

struct alloc *fixture_create(const char *kernel, pfn_t start, pfn_t end)
{
	const struct alloc_profile *profile = alloc_profile_find(kernel);

	if (!profile)
		fail_msg("no profile %s", kernel);
	return fixture_create_profile(profile, start, end, 9);
}

void fixture_put(struct alloc *a, pfn_t pfn, unsigned int order)
{
	free_to_buddy(a, pfn_zone(a, pfn), pfn, order, 0);
}

pfn_t fixture_take(struct alloc *a, enum migratetype mt, unsigned int order,
		   unsigned int flags)
{
	enum rmqueue_mode mode = RMQUEUE_NORMAL;

	return rmqueue_block(a, zone_at(a, 0), order, mt, flags, &mode);
}

struct text {
	size_t used;
	char buf[TEXT_SIZE];
};

__attribute__((format(printf, 2, 3)))
static void append(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->used, TEXT_SIZE - t->used, fmt, ap);
	va_end(ap);
	assert_true(n >= 0 && t->used + (size_t)n < TEXT_SIZE);
	t->used += (size_t)n;
}

static void append_marks(struct text *t, unsigned int marks)
{
	if (marks & BLOCK_REPORTED)
		append(t, "r");
	if (marks & BLOCK_HINTED)
		append(t, "h");
}

static void append_list(struct text *t, const struct alloc *a,
			unsigned int zone, unsigned int order,
			enum migratetype mt)
{
	pfn_t pfn = alloc_list_first(a, zone, order, mt);

	if (pfn == PFN_NONE)
		return;
	append(t, "%so%u/%c[", t->used ? " " : "", order, "UMRHCI"[mt]);
	for (const char *gap = ""; pfn != PFN_NONE; gap = " ") {
		append(t, "%s%u", gap, pfn);
		append_marks(t, alloc_block_marks(a, pfn));
		pfn = alloc_list_next(a, pfn);
	}
	append(t, "]");
}

void fixture_assert_valid(const char *row, const struct alloc *a)
{
	const char *error = alloc_check(a);

	if (error)
		fail_msg("%s: %s", row, error);
}

void fixture_assert_lists(const char *row, const struct alloc *a,
			  unsigned int zone, const char *expected)
{
	struct text t = { 0 };

	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		for (unsigned int mt = 0; mt < MIGRATE_TYPES; mt++)
			append_list(&t, a, zone, order, (enum migratetype)mt);
	if (strcmp(t.buf, expected) != 0)
		fail_msg("%s: lists are\n\t%s\nexpected\n\t%s", row, t.buf,
			 expected);
	fixture_assert_valid(row, a);
}
