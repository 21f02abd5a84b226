/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel threads of the host in virtual time: khugepaged, which sleeps as long
 * as the hypervisor says. It takes host memory and unmaps what guests have
 * mapped, but no guest waits for it: the host has CPUs of its own for it
 * (docs/fidelity.md). Like every timer it finds all runs of vCPUs settled.
 */
#include "sim/machine.h"

/* Tag of digest words, in the top byte; host.c and host_serve.c have others. */
#define DIGEST_COLLAPSE (UINT64_C(0xc1) << 56)

static void khugepaged_event(void *ctx, uint64_t arg)
{
	struct sim *s = ctx;
	struct hv_events ev = { 0 };
	const uint64_t sleep = s->hv->ops->khugepaged(s->hv, &ev);

	(void)arg;
	hv_events_add(&s->host_own, &ev);
	host_swap_price(s, s->engine.now, &ev);
	if (ev.khugepaged_collapsed)
		digest_u64(&s->digest, DIGEST_COLLAPSE |
			   ev.khugepaged_copied_pages << 32 |
			   ev.khugepaged_collapsed);
	if (s->cfg.host.pull_below)
		pull_if_short(s);
	if (sleep != HV_NEVER)
		engine_at(&s->engine, s->engine.now + sleep, khugepaged_event,
			  s, 0);
}

/* A guest that is there wakes it: __khugepaged_enter(), 5.6. */
void host_threads_start(struct sim *s)
{
	if (s->hv->ops->khugepaged)
		khugepaged_event(s, 0);
}
