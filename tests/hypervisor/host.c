/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripts and expectations for hosts under test; see host.h. */
#include "tests/hypervisor/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE 1024

/* Set one `key=value`. */
static void set_option(struct host *h, const char *row, char *word)
{
	char *value = strchr(word, '=');
	const struct option_desc *o;
	char why[256];

	if (!value)
		fail_msg("%s: option without a value: %s", row, word);
	*value++ = '\0';
	o = option_find(&h->hv.ops->options, word);
	if (!o)
		fail_msg("%s: no option %s", row, word);
	if (option_parse(o, value, h->options, why, sizeof(why)))
		fail_msg("%s: %s: %s", row, word, why);
}

static void set_options(struct host *h, const char *row, const char *options)
{
	char text[TEXT_SIZE], *save, *word;

	snprintf(text, sizeof(text), "%s", options);
	for (word = strtok_r(text, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		set_option(h, row, word);
}

void host_make(struct host *h, const char *row,
	       const struct hypervisor_ops *ops, const char *options)
{
	memset(h, 0, sizeof(*h));
	h->hv.ops = ops;
	h->hv.state = calloc(1, ops->state_size);
	h->options = calloc(1, ops->options.size + 1);
	assert_non_null(h->hv.state);
	assert_non_null(h->options);
	option_defaults(&ops->options, h->options);
	h->hv.options = h->options;
	set_options(h, row, options);
}

void host_open(struct host *h, const char *row,
	       const struct hypervisor_ops *ops, const char *options)
{
	char why[256] = "";

	host_make(h, row, ops, options);
	if (ops->init(&h->hv, why, sizeof(why)))
		fail_msg("%s: init: %s", row, why);
}

bool host_possible(const struct hypervisor_ops *ops, const char *options,
		   char *why, size_t why_size)
{
	struct host h;
	int err;

	host_make(&h, ops->name, ops, options);
	err = ops->init(&h.hv, why, why_size);
	host_close(&h);
	if (err && err != -ENOTSUP)
		fail_msg("%s: init: %s", ops->name, why);
	return !err;
}

void host_close(struct host *h)
{
	h->hv.ops->destroy(&h->hv);
	free(h->hv.state);
	free(h->options);
}

void host_boot(struct host *h, const char *row,
	       const struct hypervisor_ops *ops, const char *options,
	       pfn_t nr_pages)
{
	int id;

	host_open(h, row, ops, options);
	id = ops->guest_add(&h->hv, nr_pages);
	if (id < 0)
		fail_msg("%s: guest_add: %d", row, id);
	h->guest = (uint32_t)id;
}

static void check_host(const struct host *h, const char *row, const char *what)
{
	const char *broken = h->hv.ops->check(&h->hv);

	if (broken)
		fail_msg("%s: after '%s': %s", row, what, broken);
}

/* One block of a command. */
static void run_block(struct host *h, const char *row, char verb, pfn_t pfn,
		      unsigned int order)
{
	const struct hypervisor_ops *ops = h->hv.ops;
	static const char kinds[] = { [HV_ACCESS_ZERO] = 'z',
				      [HV_ACCESS_READ] = 'r',
				      [HV_ACCESS_WRITE] = 'w',
				      [HV_ACCESS_TABLE] = 't' };
	const char *kind = memchr(kinds, verb, sizeof(kinds));
	int err;

	if (kind) {
		err = ops->access(&h->hv, h->guest, pfn, order,
				  (enum hv_access)(kind - kinds), &h->ev);
		if (!h->err)
			h->err = err;
	} else if (verb == 'd' || verb == 'b') {
		h->zeroed = ops->discard(&h->hv, h->guest, pfn, order,
					 verb == 'd' ? HV_ORIGIN_REPORT :
						       HV_ORIGIN_BALLOON,
					 &h->ev);
	} else if (verb == 'l' || verb == 'e') {
		h->logged += ops->dirty_log(&h->hv, h->guest, verb == 'l',
					    &h->ev);
	} else if (verb == 'k') {
		h->sleep = ops->khugepaged(&h->hv, &h->ev);
	} else {
		fail_msg("%s: unknown command %c", row, verb);
	}
}

void host_run(struct host *h, const char *row, const char *script,
	      bool checked)
{
	char text[TEXT_SIZE], *save, *command;

	memset(&h->ev, 0, sizeof(h->ev));
	h->err = 0;
	h->logged = 0;
	snprintf(text, sizeof(text), "%s", script);
	for (command = strtok_r(text, ";", &save); command;
	     command = strtok_r(NULL, ";", &save)) {
		unsigned int pfn, order, count = 1, step = 0;
		char verb;

		if (sscanf(command, " %c %u %u %u %u", &verb, &pfn, &order,
			   &count, &step) < 3)
			fail_msg("%s: bad command '%s'", row, command);
		while (count--) {
			run_block(h, row, verb, pfn, order);
			if (checked)
				check_host(h, row, command);
			pfn += step;
		}
	}
	check_host(h, row, script);
}

static bool find_event(const char *name, size_t *i)
{
	for (*i = 0; *i < NR_HV_EVENTS; (*i)++) {
		if (!strcmp(hv_event_desc(*i)->name, name))
			return true;
	}
	return false;
}

#define GAUGE(member) { #member, offsetof(struct hv_gauges, member) }

static const struct {
	const char *name;
	size_t offset;
} gauges[] = {
	GAUGE(rss_pages), GAUGE(anon_huge_regions), GAUGE(small_regions),
	GAUGE(lazy_pages), GAUGE(partial_thps), GAUGE(partial_unmapped_pages),
	GAUGE(ept_1g_leaves), GAUGE(hugetlb_pages),
	GAUGE(host_pool_pages), GAUGE(host_pool_free_pages),
	GAUGE(ept_2m_leaves), GAUGE(ept_4k_leaves), GAUGE(swapped_pages),
	GAUGE(host_total_pages), GAUGE(host_base_pages),
	GAUGE(host_cache_pages), GAUGE(host_free_pages),
	GAUGE(host_swap_total_pages), GAUGE(host_swap_free_pages),
};

static uint64_t find_gauge(const struct hv_gauges *g, const char *row,
			   const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(gauges); i++) {
		if (!strcmp(gauges[i].name, name))
			return *(const uint64_t *)((const char *)g +
						   gauges[i].offset);
	}
	fail_msg("%s: no gauge or event %s", row, name);
	return 0;
}

/* Next NAME=VALUE of a list, or false at its end. */
static bool next_expected(const char **list, char name[64], uint64_t *value)
{
	unsigned long long v;
	int used;

	if (sscanf(*list, " %63[^=]=%llu%n", name, &v, &used) < 2)
		return false;
	*list += used;
	*list += strspn(*list, " ");
	*value = v;
	return true;
}

/* Causes add up; they count for a list only where it names them. */
static void check_causes(const struct host *h, const char *row,
			 uint64_t want[NR_HV_EVENTS], const bool *named)
{
	static const size_t sums[] = { offsetof(struct hv_events,
						thp_split_pmd),
				       offsetof(struct hv_events,
						thp_split_page) };
	static const size_t parts[] = { offsetof(struct hv_events,
						 thp_split_pmd_by),
					offsetof(struct hv_events,
						 thp_split_page_by) };
	const uint64_t *is = (const uint64_t *)&h->ev;

	for (size_t k = 0; k < ARRAY_SIZE(sums); k++) {
		const size_t first = parts[k] / sizeof(uint64_t);
		uint64_t sum = 0;

		for (size_t i = first; i < first + NR_HV_SPLIT_CAUSES; i++) {
			sum += is[i];
			if (!named[i])
				want[i] = is[i];
		}
		ASSERT_U64(row, sum, is[sums[k] / sizeof(uint64_t)]);
	}
}

void host_expect_events(const struct host *h, const char *row,
			const char *expected)
{
	uint64_t want[NR_HV_EVENTS] = { 0 };
	bool named[NR_HV_EVENTS] = { false };
	const uint64_t *is = (const uint64_t *)&h->ev;
	char name[64];
	uint64_t value;
	size_t i;

	while (next_expected(&expected, name, &value)) {
		if (!find_event(name, &i))
			fail_msg("%s: no event %s", row, name);
		want[i] = value;
		named[i] = true;
	}
	if (*expected)
		fail_msg("%s: cannot read '%s'", row, expected);
	check_causes(h, row, want, named);
	for (i = 0; i < NR_HV_EVENTS; i++) {
		if (is[i] != want[i])
			fail_msg("%s: %s is %" PRIu64 ", expected %" PRIu64,
				 row, hv_event_desc(i)->name, is[i], want[i]);
	}
}

void host_expect_gauges(const struct host *h, const char *row,
			const char *expected)
{
	struct hv_gauges g;
	char name[64];
	uint64_t value;

	h->hv.ops->gauges(&h->hv, h->guest, &g);
	while (next_expected(&expected, name, &value)) {
		const uint64_t is = find_gauge(&g, row, name);

		if (is != value)
			fail_msg("%s: %s is %" PRIu64 ", expected %" PRIu64,
				 row, name, is, value);
	}
	if (*expected)
		fail_msg("%s: cannot read '%s'", row, expected);
}

void host_run_cases(const struct host_case *cases, size_t nr, pfn_t nr_pages)
{
	for (size_t i = 0; i < nr; i++) {
		const struct host_case *c = &cases[i];
		struct host h;

		host_boot(&h, c->name, &mock_hypervisor, c->options, nr_pages);
		if (c->before)
			host_run(&h, c->name, c->before, true);
		host_run(&h, c->name, c->script, true);
		ASSERT_U64(c->name, (uint64_t)-h.err, (uint64_t)-c->err);
		host_expect_events(&h, c->name, c->events);
		host_expect_gauges(&h, c->name, c->gauges);
		host_close(&h);
	}
}
