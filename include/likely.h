/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which way a branch of a hot path usually goes, by the kernel's names. */
#ifndef INCLUDE_LIKELY_H
#define INCLUDE_LIKELY_H

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#endif
