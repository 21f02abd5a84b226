/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One or more examples for each record kind that is rare in recorded runs: a
 * few blocks, a few records, and the lists that a 6.1 kernel would end with,
 * worked out by hand. Each has a control: the same without the record in
 * question, or with its plain sibling, which must come out differently.
 */
#include "tests/replay/record_examples.h"

/* Even pages 1024..1076, as a pcp list of 27 movable pages. */
#define EVEN_HEAD                                                             \
	"pcp 2 0 1 1024 mt=1\npcp 2 0 1 1026 mt=1\npcp 2 0 1 1028 mt=1\n"     \
	"pcp 2 0 1 1030 mt=1\npcp 2 0 1 1032 mt=1\npcp 2 0 1 1034 mt=1\n"     \
	"pcp 2 0 1 1036 mt=1\npcp 2 0 1 1038 mt=1\npcp 2 0 1 1040 mt=1\n"     \
	"pcp 2 0 1 1042 mt=1\npcp 2 0 1 1044 mt=1\npcp 2 0 1 1046 mt=1\n"     \
	"pcp 2 0 1 1048 mt=1\npcp 2 0 1 1050 mt=1\npcp 2 0 1 1052 mt=1\n"     \
	"pcp 2 0 1 1054 mt=1\npcp 2 0 1 1056 mt=1\npcp 2 0 1 1058 mt=1\n"     \
	"pcp 2 0 1 1060 mt=1\npcp 2 0 1 1062 mt=1\n"
#define EVEN_TAIL                                                             \
	"pcp 2 0 1 1064 mt=1\npcp 2 0 1 1066 mt=1\npcp 2 0 1 1068 mt=1\n"     \
	"pcp 2 0 1 1070 mt=1\npcp 2 0 1 1072 mt=1\npcp 2 0 1 1074 mt=1\n"     \
	"pcp 2 0 1 1076 mt=1\n"

#define BOOSTED                                                               \
	"zval 2 watermark_boost 512\n" BOTH_PCP "free 2 3 0 4096\n"           \
	"free 2 8 0 5120\n"
#define LAGGING                                                               \
	"zval 2 wmark_low 255\npcphdr 2 cpu=0 count=0 high=42 batch=7 "       \
	"free_factor=0 stat_diff=5 stat_threshold=10\n"                       \
	PCP(1, 0, 42, 7, 0) "free 2 3 0 4096\nfree 2 8 0 5120\n"
#define TAKEN                                                                 \
	PCP(0, 8, 42, 7, 0) PCP(1, 0, 42, 7, 0) "pcp 2 0 9 5120 mt=0\n"       \
	"free 2 3 0 5128\nfree 2 4 0 5136\nfree 2 5 0 5152\n"                 \
	"free 2 6 0 5184\nfree 2 7 0 5248\n"
#define NOT_RESERVED(count1)                                                  \
	PCP(0, 8, 42, 7, 0) PCP(1, count1, 42, 7, 0) "pcp 2 0 9 5120 mt=0\n"  \
	"free 2 3 0 5128\nfree 2 4 0 5136\nfree 2 5 0 5152\n"                 \
	"free 2 6 0 5184\nfree 2 7 0 5248\npb 2 4096 1\n"

const struct example record_examples[NR_RECORD_EXAMPLES] = {
	{
		/* The page comes from the free list; the pcp keeps its own
		 * and its factor. */
		.name = "AB bypasses the pcp",
		.before = PCP(0, 2, 42, 7, 2) PCP(1, 0, 42, 7, 0)
			"pcp 2 0 1 1027 mt=1\npcp 2 0 1 1029 mt=1\n"
			"free 2 0 1 1035\nfree 2 0 1 1033\n",
		.stream = "AB 0 0 0x100cca 1 1035\nAB 0 0 0x100cca 1 1033\n",
		.after = PCP(0, 2, 42, 7, 2) PCP(1, 0, 42, 7, 0)
			"pcp 2 0 1 1027 mt=1\npcp 2 0 1 1029 mt=1\n",
		.control = "A 0 0 0x100cca 1 1035\nA 0 0 0x100cca 1 1033\n",
	},
	{
		/* The second page merges at once with the first. */
		.name = "FB bypasses the pcp",
		.before = BOTH_PCP,
		.stream = "FB 0 0 1100\nFB 1 0 1101\n",
		.after = BOTH_PCP "free 2 1 1 1100\n",
		.control = "F 0 0 1100\nF 1 0 1101\n",
	},
	{
		/* CPU 0 drains two pages of CPU 1, which alone has three. */
		.name = "D finds the pageset by its count",
		.before = PCP(0, 2, 42, 7, 0) PCP(1, 3, 42, 7, 0)
			"pcp 2 0 1 1027 mt=1\npcp 2 0 1 1029 mt=1\n"
			"pcp 2 1 1 2001 mt=1\npcp 2 1 1 2003 mt=1\n"
			"pcp 2 1 1 2005 mt=1\n",
		.stream = "D 0 2 2 0 3\n",
		.after = PCP(0, 2, 42, 7, 0) PCP(1, 1, 42, 7, 0)
			"pcp 2 0 1 1027 mt=1\npcp 2 0 1 1029 mt=1\n"
			"pcp 2 1 1 2001 mt=1\n"
			"free 2 0 1 2003\nfree 2 0 1 2005\n",
		.control = "D 0 2 2 0 2\n",
	},
	{
		/* Both have two: the drainer's own goes first. */
		.name = "D takes its own pageset if counts are equal",
		.before = PCP(0, 2, 42, 7, 0) PCP(1, 2, 42, 7, 0)
			"pcp 2 0 1 1027 mt=1\npcp 2 0 1 1029 mt=1\n"
			"pcp 2 1 1 2001 mt=1\npcp 2 1 1 2003 mt=1\n",
		.stream = "D 1 2 1 1 2\n",
		.after = PCP(0, 2, 42, 7, 0) PCP(1, 1, 42, 7, 0)
			"pcp 2 0 1 1027 mt=1\npcp 2 0 1 1029 mt=1\n"
			"pcp 2 1 1 2001 mt=1\nfree 2 0 1 2003\n",
		.control = "D 0 2 1 1 2\n",
	},
	{
		/* CPU 1 drains all: CPU 0 goes first, though both have two. */
		.name = "D of a full drain begins with CPU 0",
		.before = PCP(0, 2, 42, 7, 0) PCP(1, 2, 42, 7, 0)
			"pcp 2 0 1 1027 mt=1\npcp 2 0 1 1029 mt=1\n"
			"pcp 2 1 1 2001 mt=1\npcp 2 1 1 2003 mt=1\n",
		.stream = "D 1 2 2 0 2\nD 1 2 2 0 2\n",
		.after = BOTH_PCP "free 2 0 1 2001\nfree 2 0 1 2003\n"
			"free 2 0 1 1027\nfree 2 0 1 1029\n",
		.control = "D 1 2 2 0 2\nF 1 0 3000\nA 1 0 0x100cca 1 3000\n"
			"D 1 2 2 0 2\n",
	},
	{
		/* Two pageblocks are reserved. Who drains all gives one of
		 * them to the type that it needs, before it drains. */
		.name = "D of a full drain gives back a reserved pageblock",
		.before = "zval 2 nr_reserved_highatomic 1024\n"
			PCP(0, 1, 42, 7, 0) PCP(1, 1, 42, 7, 0)
			"pcp 2 0 1 1027 mt=1\npcp 2 1 1 2001 mt=1\n"
			"free 2 3 3 4096\nfree 2 4 3 4608\n"
			"pb 2 4096 3\npb 2 4608 3\n",
		.stream = "D 0 2 1 0 1\nD 0 2 1 0 1\nA 0 3 0x140cca 1 4096\n",
		.after = BOTH_PCP "free 2 0 1 2001\nfree 2 0 1 1027\n"
			"free 2 4 3 4608\npb 2 4608 3\n",
		.control = "D 0 2 1 0 1\nA 0 3 0x140cca 1 4096\nD 0 2 1 0 1\n",
	},
	{
		/* CPU 0 is done and has two again: it is CPU 1's turn. The
		 * third one is of the next full drain. */
		.name = "D of a full drain goes on upwards",
		.before = PCP(0, 3, 42, 7, 0) PCP(1, 2, 42, 7, 0)
			"pcp 2 0 1 1025 mt=1\npcp 2 0 1 1027 mt=1\n"
			"pcp 2 0 1 1029 mt=1\n"
			"pcp 2 1 1 2001 mt=1\npcp 2 1 1 2003 mt=1\n",
		.stream = "D 1 2 3 0 3\nF 0 0 3001\nF 0 0 3003\n"
			"D 1 2 2 0 2\nD 1 2 2 0 2\n",
		.after = BOTH_PCP "free 2 0 1 3003\nfree 2 0 1 3001\n"
			"free 2 0 1 2001\nfree 2 0 1 2003\n"
			"free 2 0 1 1025\nfree 2 0 1 1027\nfree 2 0 1 1029\n",
		.control = "D 1 2 3 0 3\nF 0 0 3001\nF 0 0 3003\n"
			"F 1 0 3005\nA 1 0 0x100cca 1 3005\n"
			"D 1 2 2 0 2\nD 1 2 2 0 2\n",
	},
	{
		/* Two of four, and the unmovable ones stay. */
		.name = "D begins with the list it names",
		.before = PCP(0, 4, 42, 7, 0) PCP(1, 0, 42, 7, 0)
			"pcp 2 0 0 1027 mt=0\npcp 2 0 0 1029 mt=0\n"
			"pcp 2 0 1 2001 mt=1\npcp 2 0 1 2003 mt=1\n",
		.stream = "D 1 2 2 1 4\n",
		.after = PCP(0, 2, 42, 7, 0) PCP(1, 0, 42, 7, 0)
			"pcp 2 0 0 1027 mt=0\npcp 2 0 0 1029 mt=0\n"
			"free 2 0 1 2001\nfree 2 0 1 2003\n",
		.control = "D 1 2 2 0 4\n",
	},
	{
		/* Limit min(4 * 7, 42) = 28 is reached by the 28th page: 7 go,
		 * oldest first. At 22 the limit, again 42, is far. */
		.name = "W lowers the limit until it is taken back",
		.before = PCP(0, 27, 42, 7, 0) PCP(1, 0, 42, 7, 0) EVEN_HEAD
			EVEN_TAIL,
		.stream = "W 2 1\nF 0 0 2001\nW 2 0\nF 0 0 2003\n",
		.after = PCP(0, 22, 42, 7, 1) PCP(1, 0, 42, 7, 0)
			"pcp 2 0 1 2003 mt=1\npcp 2 0 1 2001 mt=1\n" EVEN_HEAD
			"free 2 0 1 1064\nfree 2 0 1 1066\nfree 2 0 1 1068\n"
			"free 2 0 1 1070\nfree 2 0 1 1072\nfree 2 0 1 1074\n"
			"free 2 0 1 1076\n",
		.control = "F 0 0 2001\nF 0 0 2003\n",
	},
	{
		/* Eight pages on top of 20: at 28 the old limit would flush
		 * 14, and 42 is far. */
		.name = "W ends with the next W",
		.before = PCP(0, 27, 42, 7, 0) PCP(1, 0, 42, 7, 0) EVEN_HEAD
			EVEN_TAIL,
		.stream = "W 2 1\nF 0 0 2001\nW 2 0\nF 0 0 2003\nF 0 0 2005\n"
			"F 0 0 2007\nF 0 0 2009\nF 0 0 2011\nF 0 0 2013\n"
			"F 0 0 2015\n",
		.after = PCP(0, 28, 42, 7, 1) PCP(1, 0, 42, 7, 0)
			"pcp 2 0 1 2015 mt=1\npcp 2 0 1 2013 mt=1\n"
			"pcp 2 0 1 2011 mt=1\npcp 2 0 1 2009 mt=1\n"
			"pcp 2 0 1 2007 mt=1\npcp 2 0 1 2005 mt=1\n"
			"pcp 2 0 1 2003 mt=1\npcp 2 0 1 2001 mt=1\n" EVEN_HEAD
			"free 2 0 1 1064\nfree 2 0 1 1066\nfree 2 0 1 1068\n"
			"free 2 0 1 1070\nfree 2 0 1 1072\nfree 2 0 1 1074\n"
			"free 2 0 1 1076\n",
		.control = "W 2 1\nF 0 0 2001\nF 0 0 2003\nF 0 0 2005\n"
			"F 0 0 2007\nF 0 0 2009\nF 0 0 2011\nF 0 0 2013\n"
			"F 0 0 2015\n",
	},
	{
		/* 1024 2048 3072 4096, then 3072 4096 1024 2048. */
		.name = "TF turns the list until the block is first",
		.before = BOTH_PCP
			"free 2 10 1 1024\nfree 2 10 1 2048\n"
			"free 2 10 1 3072\nfree 2 10 1 4096\n",
		.stream = "TF 0 2 10 1 3072\nA 0 10 0x100cca 1 3072\n",
		.after = BOTH_PCP
			"free 2 10 1 4096\nfree 2 10 1 1024\n"
			"free 2 10 1 2048\n",
		.control = "A 0 10 0x100cca 1 3072\n",
	},
	{
		/* 1024 2048 3072 4096, then 3072 4096 1024 2048. */
		.name = "TB turns the list until the block is last",
		.before = BOTH_PCP
			"free 2 10 1 1024\nfree 2 10 1 2048\n"
			"free 2 10 1 3072\nfree 2 10 1 4096\n",
		.stream = "TB 0 2 10 1 2048\nA 0 10 0x100cca 1 3072\n",
		.after = BOTH_PCP
			"free 2 10 1 4096\nfree 2 10 1 1024\n"
			"free 2 10 1 2048\n",
		.control = "A 0 10 0x100cca 1 3072\n",
	},
	{
		/* 1024 2048 3072 4096, first 3072, last 1024. */
		.name = "TF and TB turn the list",
		.before = BOTH_PCP
			"free 2 10 1 1024\nfree 2 10 1 2048 R\n"
			"free 2 10 1 3072\nfree 2 10 1 4096\n",
		.stream = "TF 0 2 10 1 3072\nTB 0 2 10 1 1024\n"
			"A 0 10 0x100cca 1 2048\n",
		.after = BOTH_PCP
			"free 2 10 1 3072\nfree 2 10 1 4096\n"
			"free 2 10 1 1024\n",
		.control = "TF 0 2 10 1 3072\nA 0 10 0x100cca 1 2048\n",
	},
	{
		/* 1027 joins 1026, both join 1024: there the compactor takes
		 * the block, which would have joined 1028. */
		.name = "K takes the block out of the merge",
		.before = BOTH_PCP
			"free 2 0 1 1026\nfree 2 1 1 1024\nfree 2 2 1 1028\n",
		.stream = "K 0 2 2 1 1024 1027\nFB 0 0 1027\n"
			"AK 0 2 0x100cca 1 1024\n",
		.after = BOTH_PCP "free 2 2 1 1028\n",
		.control = "FB 0 0 1027\nAK 0 2 0x100cca 1 1024\n",
	},
	{
		/* The same, with the record behind its free. */
		.name = "K may stand behind its free",
		.before = BOTH_PCP
			"free 2 0 1 1026\nfree 2 1 1 1024\nfree 2 2 1 1028\n",
		.stream = "FB 0 0 1027\nK 1 2 2 1 1024 1027\n"
			"AK 0 2 0x100cca 1 1024\n",
		.after = BOTH_PCP "free 2 2 1 1028\n",
		.control = "FB 0 0 1027\nFB 0 0 3000\nK 1 2 2 1 1024 1027\n"
			"AK 0 2 0x100cca 1 1024\n",
	},
	{
		/* A drain frees it: CPU 0 gets what CPU 0 waited for, though
		 * its request returns on CPU 1. */
		.name = "AK is served whatever its CPU",
		.before = PCP(0, 1, 42, 7, 0) PCP(1, 0, 42, 7, 0)
			"pcp 2 0 1 1027 mt=1\nfree 2 0 1 1026\n"
			"free 2 1 1 3000\n",
		.stream = "K 0 2 1 1 1026 1027\nD 0 2 1 1 1\n"
			"AK 1 1 0x100cca 1 1026\n",
		.after = BOTH_PCP "free 2 1 1 3000\n",
		.control = "D 0 2 1 1 1\nAK 1 1 0x100cca 1 3000\n",
	},
	{
		/* 41 free pages and 471 of which none is movable: 512 >= 256
		 * claims the pageblock. Without the record they all count as
		 * LRU, and 41 do not. */
		.name = "M decides a claim",
		.before = BOTH_PCP "free 2 5 1 1472\nfree 2 3 1 1280\n"
			"free 2 0 1 1216\nrun 2 1024 192 4\n"
			"run 2 1217 63 4\nrun 2 1288 184 4\nrun 2 1504 32 5\n",
		.stream = "M 2 1024 0 41 0\nAB 0 0 0xcc0 0 1216\n",
		.after = BOTH_PCP "free 2 5 0 1472\nfree 2 3 0 1280\n"
			"pb 2 1024 0\n",
		.control = "AB 0 0 0xcc0 0 1216\n",
		.hints = REPLAY_HINT_LRU,
		.control_hints = REPLAY_HINT_LRU,
	},
	{
		/* The same with M not allowed: the snapshot's LRU pages. */
		.name = "M is off by default",
		.before = BOTH_PCP "free 2 5 1 1472\nfree 2 3 1 1280\n"
			"free 2 0 1 1216\nrun 2 1024 192 4\n"
			"run 2 1217 63 4\nrun 2 1288 184 4\nrun 2 1504 32 6\n",
		.stream = "M 2 1024 0 41 0\nAB 0 0 0xcc0 0 1216\n",
		.after = BOTH_PCP "free 2 5 0 1472\nfree 2 3 0 1280\n"
			"pb 2 1024 1\n",
		.control = "M 2 1024 0 41 0\nAB 0 0 0xcc0 0 1216\n",
		.control_hints = REPLAY_HINT_LRU,
	},
	{
		/* 257 pages of the stream's own: 512 - 257 = 255 are too few
		 * for a claim, so the pageblock stays movable. Page 1300 as B
		 * would not be on the LRU. */
		.name = "A movable page counts in a later steal",
		.before = BOTH_PCP "free 2 0 1 1300\nfree 2 5 1 1472\n"
			"free 2 8 1 1024\n",
		.stream = "AB 0 8 0x100cca 1 1024\nAB 0 0 0x100cca 1 1300\n"
			"AB 0 0 0xcc0 0 1472\n",
		.after = BOTH_PCP "free 2 0 0 1473\nfree 2 1 0 1474\n"
			"free 2 2 0 1476\nfree 2 3 0 1480\n"
			"free 2 4 0 1488\npb 2 1024 1\n",
		.control = "AB 0 8 0x100cca 1 1024\nAB 0 0 0x100cd2 2 1300\n"
			"AB 0 0 0xcc0 0 1472\n",
	},
	{
		/* Three blocks merge to order 10; the coin of one says tail. */
		.name = "T places in front of its free",
		.before = BOTH_PCP "free 2 9 1 512\nfree 2 9 1 1536\n"
			"free 2 10 1 4096\n",
		.stream = "T tail 0\nFB 0 9 0\nT head 1024\nFB 0 9 1024\n",
		.after = BOTH_PCP "free 2 10 1 1024\nfree 2 10 1 4096\n"
			"free 2 10 1 0\n",
		.control = "T tail 0\nFB 0 9 0\nT head 1024\nFB 0 9 1024\n",
		.hints = REPLAY_HINT_COIN,
	},
	{
		/* The same placements, recorded behind. */
		.name = "T may stand behind its free",
		.before = BOTH_PCP "free 2 9 1 512\nfree 2 9 1 1536\n"
			"free 2 10 1 4096\n",
		.stream = "FB 0 9 0\nT tail 0\nFB 0 9 1024\nT head 1024\n",
		.after = BOTH_PCP "free 2 10 1 1024\nfree 2 10 1 4096\n"
			"free 2 10 1 0\n",
		.control = "FB 0 9 0\nFB 0 9 1024\n",
		.hints = REPLAY_HINT_COIN,
		.control_hints = REPLAY_HINT_COIN,
	},
	{
		/* The factor halves with A alone: 3 -> 3 -> 3 -> 1. */
		.name = "B leaves the factor alone",
		.before = PCP(0, 3, 42, 7, 3) PCP(1, 0, 42, 7, 0)
			"pcp 2 0 0 1027 mt=0\npcp 2 0 0 1029 mt=0\n"
			"pcp 2 0 0 1031 mt=0\n",
		.stream = "B 0 2 0 0 1027\nB 0 2 0 0 1029\n"
			"A 0 0 0xcc0 0 1031\n",
		.after = PCP(0, 0, 42, 7, 1) PCP(1, 0, 42, 7, 0),
		.control = "B 0 2 0 0 1027\nA 0 0 0xcc0 0 1029\n"
			"A 0 0 0xcc0 0 1031\n",
	},
	{
		/* 256 free pages: the U request claims pageblock 2 between P
		 * and C. The page still goes to the movable list, and from
		 * there to the movable free list. */
		.name = "P reads the type, C inserts",
		.before = BOTH_PCP "free 2 8 1 1280\n",
		.stream = "P 0 0 1100\nAB 1 8 0xcc0 0 1280\nC 0 0 1100\n"
			"D 0 2 1 0 1\n",
		.after = BOTH_PCP "free 2 0 1 1100\npb 2 1024 0\n",
		.control = "AB 1 8 0xcc0 0 1280\nF 0 0 1100\nD 0 2 1 0 1\n",
	},
	{
		/* Only the block of a Q is marked, and only if it is still
		 * itself: 2048 joins its buddy and is not. */
		.name = "R marks what a Q reported",
		.before = BOTH_PCP "free 2 9 1 512\nfree 2 9 1 2048\n"
			"free 2 9 1 4608\nfree 2 10 1 6144\n",
		.stream = "I 0 2 9 1 512\nI 0 2 9 1 2048\nI 0 2 9 1 4608\n"
			"Q 9 512\nQ 9 2048\nFB 0 9 2560\n"
			"R 0 2 9 1 512\nR 0 2 9 1 2048\nR 0 2 9 1 4608\n",
		.after = BOTH_PCP "free 2 9 1 512 R\nfree 2 9 1 4608\n"
			"free 2 10 1 6144\nfree 2 10 1 2048\n",
		.control = "I 0 2 9 1 512\nI 0 2 9 1 2048\nI 0 2 9 1 4608\n"
			"FB 0 9 2560\n"
			"R 0 2 9 1 512\nR 0 2 9 1 2048\nR 0 2 9 1 4608\n",
	},
	{
		/* Behind the two others, where a free would be in front. */
		.name = "R puts back to the tail",
		.before = BOTH_PCP "free 2 9 1 1024\nfree 2 9 1 2048\n"
			"free 2 9 1 3072\n",
		.stream = "I 0 2 9 1 1024\nR 0 2 9 1 1024\n",
		.after = BOTH_PCP "free 2 9 1 2048\nfree 2 9 1 3072\n"
			"free 2 9 1 1024\n",
		.control = "I 0 2 9 1 1024\nFB 0 9 1024\n",
	},
	{
		/* Isolated blocks that compaction frees page by page. */
		.name = "I hands pages out, F brings them back",
		.before = BOTH_PCP "free 2 1 1 1024\nfree 2 10 1 6144\n",
		.stream = "I 0 2 1 1 1024\nFB 0 0 1025\nF 0 0 1024\n",
		.after = PCP(0, 1, 42, 7, 0) PCP(1, 0, 42, 7, 0)
			"free 2 10 1 6144\n"
			"free 2 0 1 1025\npcp 2 0 1 1024 mt=1\n",
		.control = "I 0 2 1 1 1024\nFB 0 0 1025\nFB 0 0 1024\n",
	},
	{
		/* A block that somebody else holds is freed in parts, the
		 * first page later (__free_pages, 5.10 on). */
		.name = "A block comes back in parts",
		.before = BOTH_PCP "free 2 3 0 1024\nfree 2 10 1 6144\n",
		.stream = "AB 0 3 0xcc0 0 1024\nF 0 2 1028\nF 0 1 1026\n"
			"F 0 0 1025\nF 0 0 1024\n",
		.after = PCP(0, 8, 42, 7, 0) PCP(1, 0, 42, 7, 0)
			"free 2 10 1 6144\npcp 2 0 1 1024 mt=1\n"
			"pcp 2 0 1 1025 mt=1\npcp 2 0 4 1026 mt=1\n"
			"pcp 2 0 7 1028 mt=1\n",
		.control = "AB 0 3 0xcc0 0 1024\nF 0 3 1024\n",
	},
	{
		/* Nothing of order 10, and the kernel had nothing either. */
		.name = "A foretold failure is predicted",
		.before = BOTH_PCP "free 2 9 1 1024\n",
		.stream = "A 0 10 0x100cca 1 -\nA 0 9 0x1c24ca 1 1024\n",
		.after = BOTH_PCP,
		.control = "A 0 9 0x1c24ca 1 -\nA 0 9 0x1c24ca 1 1024\n",
	},
	{
		/* CPU 1 works on its own list while CPU 0 has the zone. */
		.name = "T waits for its free while others free",
		.before = BOTH_PCP "free 2 9 1 512\nfree 2 10 1 4096\n",
		.stream = "T tail 0\nF 1 0 3000\nF 1 0 3002\nF 1 0 3004\n"
			"FB 0 9 0\n",
		.after = PCP(0, 0, 42, 7, 0) PCP(1, 3, 42, 7, 0)
			"pcp 2 1 1 3004 mt=1\npcp 2 1 1 3002 mt=1\n"
			"pcp 2 1 1 3000 mt=1\n"
			"free 2 10 1 4096\nfree 2 10 1 0\n",
		.control = "F 1 0 3000\nF 1 0 3002\nF 1 0 3004\nFB 0 9 0\n",
		.hints = REPLAY_HINT_COIN,
		.control_hints = REPLAY_HINT_COIN,
	},
	{
		/* As "M decides a claim". */
		.name = "M waits for its steal while others allocate",
		.before = PCP(0, 0, 42, 7, 0) PCP(1, 3, 42, 7, 0)
			"pcp 2 1 1 3004 mt=1\npcp 2 1 1 3002 mt=1\n"
			"pcp 2 1 1 3000 mt=1\n"
			"free 2 5 1 1472\nfree 2 3 1 1280\n"
			"free 2 0 1 1216\nrun 2 1024 192 4\n"
			"run 2 1217 63 4\nrun 2 1288 184 4\nrun 2 1504 32 5\n",
		.stream = "M 2 1024 0 41 0\nA 1 0 0x100cca 1 3004\n"
			"A 1 0 0x100cca 1 3002\nA 1 0 0x100cca 1 3000\n"
			"AB 0 0 0xcc0 0 1216\n",
		.after = BOTH_PCP "free 2 5 0 1472\nfree 2 3 0 1280\n"
			"pb 2 1024 0\n",
		.control = "A 1 0 0x100cca 1 3004\nA 1 0 0x100cca 1 3002\n"
			"A 1 0 0x100cca 1 3000\nAB 0 0 0xcc0 0 1216\n",
		.hints = REPLAY_HINT_LRU,
		.control_hints = REPLAY_HINT_LRU,
	},
	{
		.name = "K waits for its free while others free",
		.before = BOTH_PCP
			"free 2 0 1 1026\nfree 2 1 1 1024\nfree 2 2 1 1028\n",
		.stream = "K 0 2 2 1 1024 1027\nF 1 0 3000\nF 1 0 3002\n"
			"F 1 0 3004\nFB 0 0 1027\nAK 0 2 0x100cca 1 1024\n",
		.after = PCP(0, 0, 42, 7, 0) PCP(1, 3, 42, 7, 0)
			"pcp 2 1 1 3004 mt=1\npcp 2 1 1 3002 mt=1\n"
			"pcp 2 1 1 3000 mt=1\nfree 2 2 1 1028\n",
		.control = "F 1 0 3000\nF 1 0 3002\nF 1 0 3004\nFB 0 0 1027\n"
			"AK 0 2 0x100cca 1 1024\n",
	},
	{
		/* As "P reads the type", but the second pass found the pcp
		 * busy. */
		.name = "P reads the type for FB, too",
		.before = BOTH_PCP "free 2 8 1 1280\n",
		.stream = "P 0 0 1100\nAB 1 8 0xcc0 0 1280\nFB 0 0 1100\n",
		.after = BOTH_PCP "free 2 0 1 1100\npb 2 1024 0\n",
		.control = "AB 1 8 0xcc0 0 1280\nFB 0 0 1100\n",
	},
	{
		/* 264 free pages: enough for the low mark, 0, but not with the
		 * boost of 512; then an atomic request would reserve the
		 * pageblock. */
		.name = "W that ends gives back the boost",
		.before = BOOSTED,
		.stream = "W 2 1\nF 1 0 2001\nW 2 0\nA 0 3 0x2a20 0 4096\n",
		.after = NOT_RESERVED(1) "pcp 2 1 1 2001 mt=1\n",
		.control = "F 1 0 2001\nA 0 3 0x2a20 0 4096\n",
	},
	{
		/* The same, told by the zone of the page: it is the first. */
		.name = "the zone of A refutes a boost",
		.before = BOOSTED,
		.stream = "A 0 3 0x2a20 0 4096\n",
		.after = NOT_RESERVED(0),
		.control = "A 0 3 0x2a20 0 4096\n",
		.hints = REPLAY_HINT_ZONE,
	},
	{
		/* 264 free pages, above the low mark of 255 by enough; but the
		 * counter has not been told of 5 of them, and so the request
		 * reserves. */
		.name = "the free counter lags by what a CPU kept",
		.before = LAGGING,
		.stream = "A 0 3 0x2a20 0 4096\n",
		.after = TAKEN "pb 2 4096 3\n",
		.control = "FB 0 3 6144\nA 0 3 0x2a20 0 4096\n",
	},
	{
		/* 5 and 8 are more than the threshold of 10. */
		.name = "what a CPU kept is told beyond the threshold",
		.before = LAGGING,
		.stream = "FB 0 3 6144\nA 0 3 0x2a20 0 4096\n",
		.after = TAKEN "free 2 3 1 6144\npb 2 4096 1\n",
		.control = "A 0 3 0x2a20 0 4096\nFB 0 3 6144\n",
	},
	{
		/* The twin's own test would refuse: one page, and none may be
		 * left. The kernel's counter was higher for the moment. */
		.name = "I happened, whatever the free counter says",
		.before = BOTH_PCP "free 2 0 1 1101\n",
		.stream = "I 0 2 0 1 1101\nF 0 0 1101\n",
		.after = PCP(0, 1, 42, 7, 0) PCP(1, 0, 42, 7, 0)
			"pcp 2 0 1 1101 mt=1\n",
		.control = "F 0 0 1101\n",
	},
};
