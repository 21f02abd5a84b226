/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event table names every member once; sums are member by member. */
#include <string.h>

#include "hypervisor/hypervisor.h"
#include "tests/test.h"

static void test_hv_events__every_member_is_described_once(void **state)
{
	/* Walk the table: texts are there and no name occurs twice. */
	(void)state;
	for (size_t i = 0; i < NR_HV_EVENTS; i++) {
		const struct hv_event_desc *d = hv_event_desc(i);

		if (!d->name || !d->unit || !d->help)
			fail_msg("member %zu is not described", i);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(d->name,
						hv_event_desc(j)->name);
	}
}

static void test_hv_events__names_belong_to_their_members(void **state)
{
	/* Set single members and look the place up under its name. */
	struct hv_events ev;
	static const struct {
		const char *name;
		size_t offset;
	} rows[] = {
		{ "ept_violation_zero_4k",
		  offsetof(struct hv_events,
			   ept_violation[HV_VIOLATION_ZERO][HV_LEVEL_4K]) },
		{ "ept_violation_swap_in_2m",
		  offsetof(struct hv_events,
			   ept_violation[HV_VIOLATION_SWAP_IN][HV_LEVEL_2M]) },
		{ "thp_split_page", offsetof(struct hv_events,
					     thp_split_page) },
		{ "discard_free_order9",
		  offsetof(struct hv_events, discards[HV_FREE][9]) },
		{ "discard_dontneed_order10",
		  offsetof(struct hv_events, discards[HV_DONTNEED][10]) },
		{ "host_oom", offsetof(struct hv_events, host_oom) },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint64_t *words = (const uint64_t *)&ev;

		memset(&ev, 0, sizeof(ev));
		*(uint64_t *)((char *)&ev + rows[i].offset) = 1;
		for (size_t j = 0; j < NR_HV_EVENTS; j++)
			ASSERT_U64(rows[i].name, words[j],
				   !strcmp(hv_event_desc(j)->name,
					   rows[i].name));
	}
}

static void test_hv_events__add_sums_every_member(void **state)
{
	/* Member i is i in one and 1000 in the other. */
	struct hv_events sum, more;

	(void)state;
	for (size_t i = 0; i < NR_HV_EVENTS; i++) {
		((uint64_t *)&sum)[i] = i;
		((uint64_t *)&more)[i] = 1000;
	}
	hv_events_add(&sum, &more);
	for (size_t i = 0; i < NR_HV_EVENTS; i++)
		ASSERT_U64(hv_event_desc(i)->name, ((uint64_t *)&sum)[i],
			   1000 + i);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_hv_events__every_member_is_described_once),
	cmocka_unit_test(test_hv_events__names_belong_to_their_members),
	cmocka_unit_test(test_hv_events__add_sums_every_member),
};

TEST_MAIN(cases)
