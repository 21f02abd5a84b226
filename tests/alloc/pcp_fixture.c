/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs on a guest with per-CPU lists; see pcp_fixture.h. */
#include <string.h>

#include "tests/alloc/pcp_fixture.h"
#include "tests/test.h"

#define MAX_BATCH 64
#define MAX_TEXT 8192

static const char letters[] = "UMRHCI";

bool kernel_in(const char *name, const char *list)
{
	const size_t len = strlen(name);

	for (const char *p = list; (p = strstr(p, name)) != NULL; p += len) {
		if ((p == list || p[-1] == ' ') &&
		    (p[len] == ' ' || p[len] == '\0'))
			return true;
	}
	return false;
}

gfp_t type_gfp(enum migratetype mt)
{
	switch (mt) {
	case MIGRATE_MOVABLE:
		return GFP_HIGHUSER_MOVABLE;
	case MIGRATE_RECLAIMABLE:
		return GFP_KERNEL | GFP_BIT_RECLAIMABLE;
	default:
		return GFP_KERNEL;
	}
}

struct alloc *pcp_guest_profile(const struct alloc_profile *profile,
				uint32_t batch, uint32_t high_min,
				uint32_t high_max)
{
	const struct alloc_zone_config zone = {
		.type = ZONE_NORMAL, .end = 8192,
	};
	const struct alloc_config config = {
		.profile = profile,
		.nr_cpus = 2,
		.nr_nodes = 1,
		.zones = &zone,
		.nr_zones = 1,
		.pageblock_order = 9,
		.isolation = true,
		.watermark_boost_factor = UINT32_MAX,
	};
	struct alloc *a = fixture_create_config(&config);

	for (unsigned int cpu = 0; cpu < config.nr_cpus; cpu++)
		alloc_set_pcp(a, 0, cpu, batch, high_min, high_max, 0);
	return a;
}

struct alloc *pcp_guest(const char *kernel, uint32_t batch, uint32_t high)
{
	const struct alloc_profile *profile = alloc_profile_find(kernel);

	if (!profile)
		fail_msg("no profile %s", kernel);
	return pcp_guest_profile(profile, batch, high, high);
}

struct run {
	const char *row;
	struct alloc *a;
	unsigned int cpu;
	unsigned int nr_prepared;
	struct {
		pfn_t pfn;
		unsigned int order;
	} prepared[MAX_BATCH];
};

static enum migratetype letter_type(char c)
{
	const char *p = strchr(letters, c);

	assert_true(c != '\0' && p != NULL);
	return (enum migratetype)(p - letters);
}

static pfn_t take(struct run *r, enum migratetype mt, unsigned int order)
{
	struct alloc_request req = {
		.gfp = type_gfp(mt),
		.order = (uint8_t)order,
		.cpu = (uint16_t)r->cpu,
		.node = -1,
		.zone = -1,
		.flags = ALLOC_REQ_NO_SLOWPATH,
	};
	const pfn_t pfn = alloc_page_fast(r->a, r->cpu, order, req.gfp);

	return pfn != PFN_NONE ? pfn : alloc_pages(r->a, &req).pfn;
}

static void expect_take(struct run *r, const char *args, bool walk)
{
	unsigned int order, expected = PFN_NONE;
	char type, text[16];
	pfn_t pfn;

	assert_int_equal(sscanf(args, " %c %u %15s", &type, &order, text), 3);
	if (strcmp(text, "-") != 0)
		assert_int_equal(sscanf(text, "%u", &expected), 1);
	pfn = walk ? take(r, letter_type(type), order) :
		     alloc_pcp_take(r->a, 0, r->cpu, order, letter_type(type));
	if (pfn != expected)
		fail_msg("%s: a%s: got %d", r->row, args, (int)pfn);
}

static void take_many(struct run *r, const char *args)
{
	unsigned int order, count;
	char type;

	assert_int_equal(sscanf(args, " %c %u %u", &type, &order, &count), 3);
	while (count-- > 0)
		take(r, letter_type(type), order);
}

static void commit(struct run *r)
{
	for (unsigned int i = 0; i < r->nr_prepared; i++)
		alloc_free_commit(r->a, r->cpu, r->prepared[i].pfn,
				  r->prepared[i].order);
	r->nr_prepared = 0;
}

static void prepare(struct run *r, pfn_t pfn, unsigned int order)
{
	assert_in_range(r->nr_prepared, 0, MAX_BATCH - 1);
	alloc_free_prepare(r->a, pfn, order);
	r->prepared[r->nr_prepared].pfn = pfn;
	r->prepared[r->nr_prepared++].order = order;
}

static void run_numbers(struct run *r, const char *word, const char *args)
{
	unsigned int x = 0, y = 0;

	assert_true(sscanf(args, " %u %u", &x, &y) >= 1);
	if (strcmp(word, "boot") == 0)
		alloc_boot_range(r->a, x, y);
	else if (strcmp(word, "put") == 0)
		alloc_free_buddy(r->a, x, y);
	else if (strcmp(word, "f") == 0)
		alloc_free(r->a, r->cpu, x, y);
	else if (strcmp(word, "b") == 0)
		prepare(r, x, y);
	else if (strcmp(word, "cpu") == 0)
		r->cpu = x;
	else
		fail_msg("%s: what is '%s'?", r->row, word);
}

static void run_command(struct run *r, const char *text)
{
	char word[16], type;
	unsigned int pfn;
	int used = 0;

	assert_int_equal(sscanf(text, " %15s%n", word, &used), 1);
	if (strcmp(word, "a") == 0) {
		expect_take(r, text + used, true);
	} else if (strcmp(word, "p") == 0) {
		expect_take(r, text + used, false);
	} else if (strcmp(word, "n") == 0) {
		take_many(r, text + used);
	} else if (strcmp(word, "drain") == 0) {
		alloc_drain_all(r->a);
	} else if (strcmp(word, "commit") == 0) {
		commit(r);
	} else if (strcmp(word, "type") == 0) {
		assert_int_equal(sscanf(text + used, " %u %c", &pfn, &type), 2);
		alloc_set_pageblock_type(r->a, pfn, letter_type(type));
	} else {
		run_numbers(r, word, text + used);
	}
}

void pcp_run(const char *row, struct alloc *a, const char *program)
{
	struct run r = { .row = row, .a = a };
	char text[MAX_TEXT], *next = text;

	assert_true(strlen(program) < sizeof(text));
	memcpy(text, program, strlen(program) + 1);
	while (next != NULL) {
		char *command = next;

		next = strchr(command, ';');
		if (next != NULL)
			*next++ = '\0';
		if (command[strspn(command, " \t\n")] != '\0')
			run_command(&r, command);
		fixture_assert_valid(row, a);
	}
}

static size_t print_list(char *out, size_t size, const struct alloc *a,
			 unsigned int cpu, unsigned int pindex)
{
	pfn_t pfn = alloc_pcp_first(a, 0, cpu, pindex);
	enum migratetype mt;
	unsigned int order;
	size_t used;

	if (pfn == PFN_NONE)
		return 0;
	alloc_pindex_decode(a, pindex, &order, &mt);
	used = (size_t)snprintf(out, size, "o%u/%c{", order, letters[mt]);
	for (const char *gap = ""; pfn != PFN_NONE; gap = " ") {
		used += (size_t)snprintf(out + used, size - used, "%s%u", gap,
					 pfn);
		assert_true(used < size - 16);
		pfn = alloc_list_next(a, pfn);
	}
	return used + (size_t)snprintf(out + used, size - used, "} ");
}

void pcp_assert(const char *row, const struct alloc *a, unsigned int cpu,
		const char *expected)
{
	struct alloc_pcp_info info;
	char text[MAX_TEXT] = "";
	size_t used = 0;

	alloc_pcp_info(a, 0, cpu, &info);
	for (unsigned int i = 0; i < info.nr_lists; i++)
		used += print_list(text + used, sizeof(text) - used, a, cpu, i);
	snprintf(text + used, sizeof(text) - used, "count=%u", info.count);
	if (strcmp(text, expected) != 0)
		fail_msg("%s: cpu %u has\n\t%s\nexpected\n\t%s", row, cpu,
			 text, expected);
}
