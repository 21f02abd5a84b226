/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to the free_page_hint design, and to its tests. */
#ifndef REPORTER_FREE_PAGE_HINT_H
#define REPORTER_FREE_PAGE_HINT_H

#include "reporter/balloon_pages.h"
#include "reporter/reporter.h"

/* Command ids (VIRTIO_BALLOON_CMD_ID_*), and the first one of a run. */
#define HINT_ID_STOP 0u
#define HINT_ID_DONE 1u
#define HINT_ID_FIRST 0x80000000u

enum hint_work { WORK_REPORT, WORK_SCRIPT };

struct hint_options {
	uint64_t start_at_ns, round_ns;
	uint64_t rounds;          /* that the host asks for; 0 = none */
	uint64_t queue;           /* descriptors */
	uint64_t limit;           /* bytes held at most; 0 = no limit */
};

struct free_page_hint {
	bool started;
	bool queued;              /* the report work is to run */
	bool running;             /* between the two markers of a run */
	bool full;                /* ... and waiting for a descriptor */
	uint32_t received;        /* command id in the configuration */
	uint32_t active;          /* of the last run that was begun */
	struct balloon_pages held;

	/* What the options have the host do. */
	bool script_armed;
	uint64_t rounds_begun;

	/* Descriptors: an entry each while the host has it. */
	unsigned int in_flight;   /* markers included */
	unsigned int nr_free;     /* of free_slots */
	uint16_t free_slots[REPORTER_MAX_CAPACITY];
	struct page_report slots[REPORTER_MAX_CAPACITY];
};

#endif
