/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of [guest], [host] and [phase NAME] that sim/ itself reads. */
#include "sim/sim.h"

#include "guest/guest.h"

#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)
#define SECONDS_PER_DAY UINT64_C(86400)

/* Order of alloc_profile_names(); a test compares the two. */
static const char *const kernel_names[] = {
	"5.3", "5.7", "5.10", "6.1", "6.12.0", "6.12", "6.18", NULL
};
static const char *const thp_names[] = { "always", "madvise", "never", NULL };
static const char *const defrag_names[] = {
	"always", "defer", "defer+madvise", "madvise", "never", NULL
};
static const char *const poison_names[] = { "off", "zero", "pattern", NULL };
static const char *const backing_names[] = { "4K", "64K", "2M", "1G", NULL };
static const char *const launch_names[] = {
	"together", "sequence", "interval", "events", NULL
};
static const char *const stop_names[] = { "never", "kill", "swap", NULL };
static const char *const oom_names[] = { "kill", "fail", NULL };
static const char *const file_names[] = { "memory", "disk", NULL };
static const char *const until_names[] = {
	"tasks", "duration", "reporter_idle", NULL
};
static const char *const touch_names[] = { "all", "none", NULL };

#define G(member) offsetof(struct guest_options, member)
static const struct option_desc guest_descs[] = {
	{ .name = "kernel", .type = OPTION_NAME, .offset = G(kernel),
	  .names = kernel_names, .def = "6.1", .unit = "",
	  .help = "Kernel profile whose allocator rules apply; `list kernels` "
		  "says which stand on worked examples only." },
	{ .name = "memory", .type = OPTION_SIZE, .offset = G(memory),
	  .min = 16 << 20, .max = 8 * TIB, .def = "1G", .unit = "bytes",
	  .help = "Guest-physical memory." },
	{ .name = "below_4g", .type = OPTION_SIZE, .offset = G(below_4g),
	  .min = 16 << 20, .max = 4 * GIB - (256 << 20), .def = "3G",
	  .unit = "bytes",
	  .help = "How much of it lies below the PCI hole." },
	{ .name = "cpus", .type = OPTION_UINT, .offset = G(cpus),
	  .max = ALLOC_MAX_CPUS, .def = "0", .unit = "vCPUs",
	  .help = "Virtual CPUs; 0 takes the processing units of topology." },
	{ .name = "topology", .type = OPTION_STRING, .offset = G(topology),
	  .def = "core:1 pu:1", .unit = "",
	  .help = "hwloc synthetic string, file:PATH of an XML, this, or "
		  "'nodes:2 cpus:0*4,1*4'; docs/topology.md." },
	{ .name = "shuffle", .type = OPTION_BOOL, .offset = G(shuffle),
	  .def = "off", .unit = "",
	  .help = "page_alloc.shuffle=1: boot and run-time shuffle." },
	{ .name = "thp", .type = OPTION_NAME, .offset = G(thp),
	  .names = thp_names, .def = "madvise", .unit = "",
	  .help = "transparent_hugepage/enabled of the guest." },
	{ .name = "thp_defrag", .type = OPTION_NAME, .offset = G(thp_defrag),
	  .names = defrag_names, .def = "madvise", .unit = "",
	  .help = "transparent_hugepage/defrag of the guest." },
	{ .name = "thp_aligned", .type = OPTION_BOOL, .offset = G(thp_aligned),
	  .def = "on", .unit = "",
	  .help = "Large anonymous mappings start on a 2 MiB boundary." },
	{ .name = "compaction", .type = OPTION_BOOL, .offset = G(compaction),
	  .def = "on", .unit = "",
	  .help = "CONFIG_COMPACTION: direct compaction, kcompactd, page migration." },
	{ .name = "files", .type = OPTION_NAME, .offset = G(files),
	  .names = file_names, .def = "memory", .unit = "",
	  .help = "Where tasks' files are: memory is not reclaimed, as there is "
		  "no swap; clean pages of a disk's files are." },
	{ .name = "khugepaged", .type = OPTION_BOOL, .offset = G(khugepaged),
	  .def = "on", .unit = "",
	  .help = "khugepaged runs, unless thp = never." },
	{ .name = "khugepaged_pages_to_scan", .type = OPTION_UINT,
	  .offset = G(khugepaged_pages_to_scan), .min = 1, .max = 1 << 30,
	  .def = "4096", .unit = "pages",
	  .help = "Pages that khugepaged looks at in one go." },
	{ .name = "khugepaged_scan_sleep", .type = OPTION_TIME,
	  .offset = G(khugepaged_scan_sleep), .min = NSEC_PER_MSEC,
	  .max = SECONDS_PER_DAY * NSEC_PER_SEC, .def = "10s", .unit = "time",
	  .help = "khugepaged's sleep between two scans." },
	{ .name = "khugepaged_alloc_sleep", .type = OPTION_TIME,
	  .offset = G(khugepaged_alloc_sleep), .min = NSEC_PER_MSEC,
	  .max = SECONDS_PER_DAY * NSEC_PER_SEC, .def = "60s", .unit = "time",
	  .help = "Its sleep after it found no huge page to collapse into." },
	{ .name = "khugepaged_max_ptes_none", .type = OPTION_UINT,
	  .offset = G(khugepaged_max_ptes_none), .max = 511, .def = "511",
	  .unit = "pages",
	  .help = "Holes of a 2 MiB range that a collapse may fill." },
	{ .name = "base", .type = OPTION_SIZE, .offset = G(base),
	  .max = TIB, .def = "128M", .unit = "bytes",
	  .help = "Memory that the guest kernel and its daemons keep." },
	{ .name = "poison", .type = OPTION_NAME, .offset = G(poison),
	  .names = poison_names, .def = "off", .unit = "",
	  .help = "Fill pages when they are freed: zero is init_on_free=1, "
		  "pattern is page_poison=1." },
	{ .name = NULL }
};
const struct option_table guest_option_table = {
	guest_descs, sizeof(struct guest_options)
};

#define H(member) offsetof(struct host_options, member)
static const struct option_desc host_descs[] = {
	{ .name = "guests", .type = OPTION_UINT, .offset = H(guests),
	  .min = 1, .max = 64, .def = "1", .unit = "guests",
	  .help = "Identical guests on this host." },
	{ .name = "launch", .type = OPTION_NAME, .offset = H(launch),
	  .names = launch_names, .def = "together", .unit = "",
	  .help = "When guests are launched: all at the beginning; each when "
		  "the one before has done its tasks; by the clock; by events." },
	{ .name = "launch_gap", .type = OPTION_TIME, .offset = H(launch_gap),
	  .max = SECONDS_PER_DAY * NSEC_PER_SEC, .def = "0s", .unit = "time",
	  .help = "sequence: after the tasks of the one before; interval: "
		  "between two launches." },
	{ .name = "stop_at", .type = OPTION_NAME, .offset = H(stop_at),
	  .names = stop_names, .def = "never", .unit = "",
	  .help = "Launch no more guests once one is killed, or the host "
		  "swaps." },
	{ .name = "oom", .type = OPTION_NAME, .offset = H(oom),
	  .names = oom_names, .def = "kill", .unit = "",
	  .help = "No memory left on the host: kill the largest guest, while "
		  "there is another, or let the run fail." },
	{ .name = "pull_below", .type = OPTION_SIZE, .offset = H(pull_below),
	  .max = 64 * TIB, .def = "0", .unit = "bytes",
	  .help = "Ask the guests for free pages when less is free; 0 = never." },
	{ .name = "swap_bandwidth", .type = OPTION_SIZE,
	  .offset = H(swap_bandwidth), .max = TIB, .def = "1G",
	  .unit = "bytes a second",
	  .help = "Of the device behind the host's swap; 0 = no limit." },
	{ .name = "prices", .type = OPTION_STRING, .offset = H(prices),
	  .def = "", .unit = "path",
	  .help = "Price file; empty takes the built-in list." },
	{ .name = "backing", .type = OPTION_NAME, .offset = H(backing),
	  .names = backing_names, .def = "4K", .unit = "bytes",
	  .help = "Page size of what is behind guest memory: 2M and 1G are "
		  "hugetlbfs; anonymous memory with huge pages is 4K, too." },
	{ .name = "page_poison", .type = OPTION_BOOL,
	  .offset = H(page_poison), .def = "on", .unit = "",
	  .help = "The device lets the guest say how it fills free pages." },
	{ .name = NULL }
};
const struct option_table host_option_table = {
	host_descs, sizeof(struct host_options)
};

#define P(member) offsetof(struct phase_options, member)
static const struct option_desc phase_descs[] = {
	{ .name = "tasks", .type = OPTION_UINT, .offset = P(tasks),
	  .min = 1, .max = 4096, .def = "1", .unit = "tasks",
	  .help = "Processes, pinned to the vCPUs in turn." },
	{ .name = "size", .type = OPTION_SHARE, .offset = P(size),
	  .def = "0", .unit = "bytes or %",
	  .help = "Memory of the workload; N% of the pages free above the high watermark." },
	{ .name = "thp", .type = OPTION_BOOL, .offset = P(thp),
	  .def = "off", .unit = "",
	  .help = "Tasks ask for huge pages with MADV_HUGEPAGE." },
	{ .name = "native", .type = OPTION_BOOL, .offset = P(native),
	  .def = "off", .unit = "",
	  .help = "Tasks are processes of the host, on its own memory, not of "
		  "a guest." },
	{ .name = "warmup", .type = OPTION_TIME, .offset = P(warmup),
	  .max = SECONDS_PER_DAY * NSEC_PER_SEC, .def = "0s", .unit = "time",
	  .help = "Virtual time that runs before the measured window." },
	{ .name = "duration", .type = OPTION_TIME, .offset = P(duration),
	  .max = SECONDS_PER_DAY * NSEC_PER_SEC, .def = "0s", .unit = "time",
	  .help = "Measured window; 0s runs until the tasks have finished." },
	{ .name = "iterations", .type = OPTION_UINT, .offset = P(iterations),
	  .def = "0", .unit = "touched pages",
	  .help = "Stop each task after so many iterations; 0 = no limit." },
	{ .name = "until", .type = OPTION_NAME, .offset = P(until),
	  .names = until_names, .def = "tasks", .unit = "",
	  .help = "What ends the phase; duration limits reporter_idle too." },
	{ .name = "touch", .type = OPTION_NAME, .offset = P(touch),
	  .names = touch_names, .def = "all", .unit = "",
	  .help = "workload = trace: does an allocation count as a guest write." },
	{ .name = "stagger", .type = OPTION_TIME, .offset = P(stagger),
	  .max = SECONDS_PER_DAY * NSEC_PER_SEC, .def = "0s", .unit = "time",
	  .help = "Each guest's tasks begin so much after those of the guest "
		  "before." },
	{ .name = NULL }
};
const struct option_table phase_option_table = {
	phase_descs, sizeof(struct phase_options)
};
