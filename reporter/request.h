/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What passes between a design and the host: requests of the guest, replies to
 * them, and commands of the host. reporter.h includes it.
 */
#ifndef REPORTER_REQUEST_H
#define REPORTER_REQUEST_H

#include "alloc/alloc.h"
#include "include/types.h"

/* Entries of one request, of whatever kind. */
#define REPORTER_MAX_CAPACITY 1024

struct page_report {
	pfn_t pfn;            /* first page of the block */
	uint8_t order;        /* block is 2^order pages */
	uint8_t migratetype;  /* of the list it came from */
	uint8_t zone;
};

enum request_kind {
	REQUEST_REPORT,   /* free blocks: contents are not needed */
	REQUEST_INFLATE,  /* the balloon takes these pages */
	REQUEST_DEFLATE,  /* the balloon gives them back to the guest */
	REQUEST_HINT,     /* free blocks: a migration may skip them */
	REQUEST_ANSWER,   /* to HOST_WANTS_PAGES: as REQUEST_REPORT */
	REQUEST_STATS,    /* guest statistics; no entries */
	NR_REQUEST_KINDS
};

/* One madvise for a whole entry, whatever its order. */
#define DISCARD_WHOLE NR_PAGE_ORDERS

/*
 * Given by value; `entries` stay the design's memory, valid and untouched
 * until the reply. Without entries it is a marker (start or end of a run).
 */
struct host_request {
	enum request_kind kind;
	/* Of the design's own choice, or of the command that it answers. */
	uint32_t id;
	/* The reply is a callback of this work item: its CPU pays for it. */
	unsigned int work;
	/* The host makes one madvise per 2^discard_order pages. */
	uint8_t discard_order;
	/* An exit that is answered in the kernel, not a kick of a virtqueue:
	 * no thread wakes up on either side. */
	bool hypercall;
	struct page_report *entries;
	unsigned int nr;      /* 0..REPORTER_MAX_CAPACITY */
};

struct host_reply {
	/* 0, or -errno: the host did nothing of it. virtio-balloon's queues
	 * have no status: there it is 0 whatever the host did. */
	int err;
	/* Bit i: entry i is sure to read as zeroes on its next access. Only
	 * for designs whose posting has such feedback. */
	uint64_t zeroed[REPORTER_MAX_CAPACITY / 64];
};

/* What the host asks for, through a configuration change or a queue. */
enum host_command_kind {
	HOST_WANTS_PAGES,  /* pull: hand over up to `pages` free pages */
	HOST_HINT_START,   /* free page hints for run `id` */
	HOST_HINT_STOP,    /* no more hints; blocks stay with the guest driver */
	HOST_HINT_DONE,    /* the run is over: blocks go back to the guest */
	HOST_WANTS_FLUSH,  /* report now, at most `pages` (0 = all) */
	HOST_WANTS_STATS,
};

struct host_command {
	enum host_command_kind kind;
	uint32_t id;       /* >= 2 for HINT_START */
	uint64_t pages;    /* 4 KiB pages */
};

/*
 * What the device's configuration tells the guest. It may change while the
 * guest runs; ops->host_changed() then says so.
 */
struct host_status {
	uint8_t thp_order;       /* order of the host's huge pages, 0 = none */
	uint8_t backing_order;   /* order of the pages behind guest memory */
	bool discards_inhibited; /* VFIO and the like: acknowledged, ignored */
	uint32_t poison;         /* value that free pages are filled with */
	bool page_poison;        /* VIRTIO_BALLOON_F_PAGE_POISON is offered */
};

#endif
