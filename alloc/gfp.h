/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a request says of itself: migratetypes, zones and GFP masks, with the
 * numbers of include/linux/mmzone.h and gfp_types.h. alloc.h includes it.
 */
#ifndef ALLOC_GFP_H
#define ALLOC_GFP_H

#include "include/types.h"

enum migratetype {
	MIGRATE_UNMOVABLE,
	MIGRATE_MOVABLE,
	MIGRATE_RECLAIMABLE,
	MIGRATE_HIGHATOMIC,
	MIGRATE_PCPTYPES = MIGRATE_HIGHATOMIC,
	MIGRATE_CMA,
	MIGRATE_ISOLATE,
	MIGRATE_TYPES
};

enum zone_type {
	ZONE_DMA,
	ZONE_DMA32,
	ZONE_NORMAL,
	ZONE_MOVABLE,
	ZONE_DEVICE,
	MAX_NR_ZONES
};

/* GFP bits, raw 6.1 values (gfp_types.h). */
typedef uint32_t gfp_t;
#define GFP_BIT_DMA 0x1u
#define GFP_BIT_HIGHMEM 0x2u
#define GFP_BIT_DMA32 0x4u
#define GFP_BIT_MOVABLE 0x8u
#define GFP_BIT_RECLAIMABLE 0x10u
#define GFP_BIT_HIGH 0x20u
#define GFP_BIT_IO 0x40u
#define GFP_BIT_FS 0x80u
#define GFP_BIT_ZERO 0x100u
#define GFP_BIT_ATOMIC 0x200u
#define GFP_BIT_DIRECT_RECLAIM 0x400u
#define GFP_BIT_KSWAPD_RECLAIM 0x800u
#define GFP_BIT_WRITE 0x1000u
#define GFP_BIT_NOWARN 0x2000u
#define GFP_BIT_RETRY_MAYFAIL 0x4000u
#define GFP_BIT_NOFAIL 0x8000u
#define GFP_BIT_NORETRY 0x10000u
#define GFP_BIT_MEMALLOC 0x20000u
#define GFP_BIT_COMP 0x40000u
#define GFP_BIT_NOMEMALLOC 0x80000u
#define GFP_BIT_HARDWALL 0x100000u
#define GFP_BIT_THISNODE 0x200000u
#define GFP_BIT_ACCOUNT 0x400000u

#define GFP_KERNEL 0xcc0u
#define GFP_ATOMIC 0xa20u
#define GFP_HIGHUSER_MOVABLE 0x100ccau
#define GFP_ANON_FAULT 0x100dcau   /* HIGHUSER_MOVABLE + ZERO */
#define GFP_PAGE_TABLE 0x400dc0u   /* KERNEL + ZERO + ACCOUNT */
#define GFP_GATHER 0x2800u         /* NOWAIT + NOWARN */
#define GFP_TRANSHUGE_LIGHT 0x1c20cau
#define GFP_TRANSHUGE 0x1c24cau

#endif
