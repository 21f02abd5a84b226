/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest of the tests; see rig.h. */
#include <stdlib.h>
#include <string.h>

#include "tests/guest/rig.h"

const char *const rig_kernels[] = {
	"5.3", "5.7", "5.10", "6.1", "6.12.0", "6.12", "6.18", NULL,
};

static void *grow(void *array, size_t *capacity, size_t size)
{
	*capacity = *capacity * 2 + 1024;
	array = realloc(array, *capacity * size);
	assert_non_null(array);
	return array;
}

static char letter(const struct alloc_event *ev)
{
	if (ev->order == HPAGE_PMD_ORDER)
		return 'h';
	assert_int_equal(ev->order, 0);
	return ev->migratetype == MIGRATE_MOVABLE ? 'p' : 't';
}

static void record(void *ctx, const struct alloc_event *ev)
{
	struct rig *r = ctx;
	struct rig_event e = { .pfn = ev->pfn };

	if (ev->kind == ALLOC_EVENT_PAGE_ALLOC) {
		if (ev->pfn == PFN_NONE)
			return;
		e.what = letter(ev);
		r->kind[ev->pfn] = e.what;
	} else if (ev->kind == ALLOC_EVENT_PAGE_FREE) {
		e.what = (char)(r->kind[ev->pfn] - 'a' + 'A');
	} else {
		return;
	}
	if (r->nr_events == r->capacity)
		r->events = grow(r->events, &r->capacity, sizeof(e));
	r->events[r->nr_events++] = e;
}

static struct alloc *boot(const struct rig_options *opt, unsigned int cpus)
{
	const unsigned int nodes = opt->nodes ? opt->nodes : 1;
	const pfn_t size = (pfn_t)bytes_to_pages(opt->mib * MIB) / nodes;
	struct alloc_zone_config zones[ALLOC_MAX_NODES];
	const struct alloc_config config = {
		.profile = alloc_profile_find(opt->kernel),
		.nr_cpus = cpus,
		.nr_nodes = nodes,
		.zones = zones,
		.nr_zones = nodes,
		.pageblock_order = 9,
		.watermark_boost_factor = UINT32_MAX,
	};
	const char *why = "no reason given";
	struct alloc *a = NULL;

	assert_non_null(config.profile);
	for (unsigned int i = 0; i < nodes; i++)
		zones[i] = (struct alloc_zone_config){
			.node = i, .type = ZONE_NORMAL,
			.start = RIG_START + i * size,
			.end = RIG_START + (i + 1) * size,
		};
	if (alloc_create(&a, &config, &why))
		fail_msg("alloc_create: %s", why);
	for (unsigned int i = 0; i < nodes; i++)
		alloc_boot_range(a, zones[i].start, zones[i].end);
	alloc_setup_zonelists(a);
	alloc_setup_pcp(a);
	return a;
}

/* Every other page of what is taken stays, on the LRU. */
static void take_others(struct alloc *a, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		const pfn_t gap = alloc_page_fast(a, 0, 0, GFP_KERNEL);
		const pfn_t pfn = alloc_page_fast(a, 0, 0,
						  GFP_HIGHUSER_MOVABLE);

		assert_true(gap != PFN_NONE && pfn != PFN_NONE);
		alloc_set_lru(a, pfn, 1, true);
		alloc_free(a, 0, gap, 0);
	}
}

void rig_open(struct rig *r, const struct rig_options *opt)
{
	const unsigned int cpus = opt->cpus ? opt->cpus : 1;
	const struct alloc_hooks hooks = {
		.ctx = r, .event = record,
		.reporter_ctx = opt->ctx, .alloc_stall = opt->stall,
	};

	*r = (struct rig){ .budget = UINT32_MAX };
	r->alloc = boot(opt, cpus);
	r->kind = calloc(alloc_end_pfn(r->alloc), 1);
	assert_non_null(r->kind);
	take_others(r->alloc, opt->others);
	alloc_set_hooks(r->alloc, &hooks);
	assert_int_equal(guest_create(&r->guest, &(struct guest_config){
		.alloc = r->alloc,
		.touches = &r->touches,
		.nr_cpus = cpus,
		.thp_enabled = opt->thp,
		.thp_defrag = opt->defrag,
		.mmap_thp_aligned = opt->aligned,
		.compaction = opt->compaction,
		.reclaim = opt->reclaim,
		.max_ptes_none = 511,
		.movable_migrate = opt->migrate,
		.with_host = opt->with_host,
		.may_stall = opt->stall != NULL,
		.known_zero = opt->known_zero,
		.ctx = opt->ctx,
	}), 0);
	r->free_at_start = rig_free_pages(r);
}

void rig_close(struct rig *r)
{
	rig_assert_valid(r);
	rig_abandon(r);
}

void rig_abandon(struct rig *r)
{
	guest_destroy(r->guest);
	alloc_destroy(r->alloc);
	free(r->kind);
	free(r->events);
	free(r->log);
}

static void drain_touches(struct rig *r)
{
	for (uint32_t i = 0; i < r->touches.nr; i++) {
		if (r->nr_log == r->log_capacity)
			r->log = grow(r->log, &r->log_capacity,
				      sizeof(*r->log));
		r->log[r->nr_log++] = r->touches.entries[i];
	}
	r->touches.nr = 0;
}

void rig_op(struct rig *r, struct guest_op *op, unsigned int cpu)
{
	enum guest_status status;

	do {
		status = guest_run(r->guest, op, cpu, r->budget, &r->work);
		drain_touches(r);
	} while (status == GUEST_MORE);
	if (status != GUEST_DONE)
		fail_msg("operation %d ends with status %d", op->kind, status);
}

uint32_t rig_mm(struct rig *r, unsigned int cpu)
{
	const int mm = guest_mm_create(r->guest, cpu);

	assert_true(mm >= 0);
	drain_touches(r);
	return (uint32_t)mm;
}

uint64_t rig_mmap(struct rig *r, uint32_t mm, uint64_t len, uint32_t flags)
{
	struct guest_op op = {
		.kind = GUEST_MMAP, .mm = mm, .len = len, .flags = flags,
	};

	rig_op(r, &op, 0);
	return op.addr;
}

uint64_t rig_mmap_file(struct rig *r, uint32_t mm, uint32_t file, uint64_t len)
{
	struct guest_op op = {
		.kind = GUEST_MMAP, .mm = mm, .len = len, .file = file,
		.flags = GUEST_MAP_FILE,
	};

	rig_op(r, &op, 0);
	return op.addr;
}

static void range_op(struct rig *r, enum guest_op_kind kind, uint32_t mm,
		     uint64_t addr, uint64_t len, uint32_t flags)
{
	struct guest_op op = {
		.kind = kind, .mm = mm, .addr = addr, .len = len,
		.flags = flags,
	};

	rig_op(r, &op, 0);
}

void rig_touch(struct rig *r, uint32_t mm, uint64_t addr, uint64_t len)
{
	range_op(r, GUEST_TOUCH, mm, addr, len, 0);
}

void rig_read(struct rig *r, uint32_t mm, uint64_t addr, uint64_t len)
{
	range_op(r, GUEST_TOUCH, mm, addr, len, GUEST_TOUCH_READ);
}

void rig_munmap(struct rig *r, uint32_t mm, uint64_t addr, uint64_t len)
{
	range_op(r, GUEST_MUNMAP, mm, addr, len, 0);
}

void rig_dontneed(struct rig *r, uint32_t mm, uint64_t addr, uint64_t len)
{
	range_op(r, GUEST_MADV_DONTNEED, mm, addr, len, 0);
}

void rig_exit(struct rig *r, uint32_t mm)
{
	range_op(r, GUEST_EXIT, mm, 0, 0, 0);
}

void rig_forget(struct rig *r)
{
	r->nr_events = 0;
	r->nr_log = 0;
	r->work = (struct guest_work){ 0 };
}

const char *rig_stream(struct rig *r)
{
	size_t used = 0;

	r->text[0] = '\0';
	for (size_t i = 0, n; i < r->nr_events; i += n) {
		n = 1;
		while (i + n < r->nr_events &&
		       r->events[i + n].what == r->events[i].what)
			n++;
		used += (size_t)snprintf(r->text + used,
					 sizeof(r->text) - used, "%s%c%zu",
					 used ? " " : "", r->events[i].what,
					 n);
		assert_true(used < sizeof(r->text));
	}
	return r->text;
}

pfn_t rig_event_pfn(const struct rig *r, char what, size_t nth)
{
	for (size_t i = 0; i < r->nr_events; i++)
		if (r->events[i].what == what && nth-- == 0)
			return r->events[i].pfn;
	fail_msg("no such event %c", what);
	return PFN_NONE;
}

size_t rig_count(const struct rig *r, char what)
{
	size_t nr = 0;

	for (size_t i = 0; i < r->nr_events; i++)
		nr += r->events[i].what == what;
	return nr;
}

uint64_t rig_free_pages(const struct rig *r)
{
	struct alloc_zone_info zone;
	uint64_t sum = 0;

	for (unsigned int i = 0; i < alloc_nr_zones(r->alloc); i++) {
		alloc_zone_info(r->alloc, i, &zone);
		sum += zone.free + zone.pcp;
	}
	return sum;
}

void rig_assert_valid(const struct rig *r)
{
	const char *why = alloc_check(r->alloc);

	if (why)
		fail_msg("allocator: %s", why);
	why = guest_check(r->guest);
	if (why)
		fail_msg("guest: %s", why);
}
