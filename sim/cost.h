/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table of prices. Everything below sim/ counts; only here do counts
 * become virtual nanoseconds. Every price has a source: measured on a machine
 * (`buddylab calibrate`), solved from a published baseline row, or taken from
 * the literature. A row that is to be predicted never chooses a price.
 */
#ifndef SIM_COST_H
#define SIM_COST_H

#include "include/diag.h"
#include "include/types.h"

enum price_id {
	/* Guest, per unit of work; a private cost without simulated locks. */
	PRICE_FAULT_THP,       /* huge fault with its zeroing and 512 touches */
	PRICE_FAULT_ANON,      /* 4 KiB anonymous fault with its zeroing */
	PRICE_GUEST_ZERO_2M,   /* the clearing in fault_thp */
	PRICE_GUEST_ZERO_4K,   /* the clearing in fault_anon */
	PRICE_GUEST_REZERO_2M, /* the same of what the host just cleared; as
				* GUEST_ZERO unless a price file says more */
	PRICE_GUEST_REZERO_4K,
	PRICE_FAULT_COW,       /* private file write fault with its copy */
	PRICE_FAULT_READ,      /* fault served by the zero page or the cache */
	PRICE_ZAP_4K,          /* unmap and free of one 4 KiB mapping */
	PRICE_ZAP_THP,         /* unmap and free of one huge mapping */
	PRICE_TOUCH,           /* touch of a page that is already mapped */
	PRICE_FILL_4K,         /* a mapped page written from end to end */
	PRICE_WALK_REF,        /* one reference of a page-table walk */
	PRICE_GUEST_WALK_REF,  /* the same in a guest; 0 = only counted */
	PRICE_SYSCALL,
	/* Guest locks. */
	PRICE_LOCK,            /* uncontended zone-lock round trip */
	PRICE_LIST_TOUCH,      /* one list node touched under the zone lock */
	PRICE_RECLAIM_ROUND,   /* one fruitless round of direct reclaim */
	PRICE_RECLAIM_SCAN,    /* one cached page looked at by reclaim */
	PRICE_MIGRATE_4K,      /* one page copied and mapped elsewhere */
	PRICE_COMPACT_SCAN,    /* one page looked at by compaction */
	/* Host. */
	PRICE_VIOLATION,       /* EPT violation without zeroing or I/O */
	PRICE_ZERO_2M,         /* host clears a huge page */
	PRICE_ZERO_4K,
	PRICE_SWAP_IN_4K,      /* page read from swap, but for the transfer */
	PRICE_SWAP_OUT_4K,     /* page unmapped and given to the device */
	PRICE_DISCARD_CALL,    /* one madvise of a reported range */
	PRICE_DISCARD_2M,      /* zap of one huge mapping, pages freed */
	PRICE_DISCARD_4K,
	PRICE_TLB_FLUSH_VCPU,  /* IPI to one running vCPU */
	PRICE_DOORBELL,        /* kick, exit to user space */
	PRICE_COMPLETION,      /* interrupt into the guest and wake-up */
	PRICE_HYPERCALL,       /* exit answered in the kernel, and back */
	/* A design's own data. */
	PRICE_DESIGN_LOCAL,    /* store to per-CPU memory, interrupts off */
	PRICE_DESIGN_SHARED,   /* atomic on a line that other CPUs write */
	PRICE_DESIGN_SCAN,     /* one entry or bitmap word looked at */
	NR_PRICES
};

enum price_tag { PRICE_LITERATURE, PRICE_MEASURED, PRICE_BASELINE };

/*
 * A price with one task running and with `tasks` running; between the two it
 * is interpolated on the number of busy vCPUs, outside it is constant.
 */
struct price {
	uint64_t ps_1;         /* picoseconds with one busy vCPU */
	uint64_t ps_n;         /* with `tasks` busy vCPUs */
	unsigned int tasks;    /* >= 1; 1 = the price does not depend on it */
	enum price_tag tag;
	char source[160];
};

struct price_list {
	char name[64];
	struct price p[NR_PRICES];
};

/* The built-in list: docs/prices.md says where each number comes from. */
void price_list_default(struct price_list *l);
#define PRICE_FILE_MAX (UINT64_C(1) << 20) /* bytes */

/*
 * Read a price file over *l: `name = value[, value @ tasks]  # tag: source`
 * lines under [prices]. 0, -EINVAL (messages in d) or -errno.
 */
int price_list_read(struct price_list *l, const char *path, struct diag *d);
/* Write *l in the format that price_list_read() takes. */
void price_list_print(const struct price_list *l, FILE *out);
/* Spelling of a price in files. */
const char *price_name(enum price_id id);
const char *price_help(enum price_id id);
const char *price_tag_name(enum price_tag tag);

/* Prices for a given number of busy vCPUs, in picoseconds. */
struct price_now {
	uint64_t ps[NR_PRICES];
};
void price_list_at(const struct price_list *l, unsigned int busy,
		   struct price_now *out);

#endif
