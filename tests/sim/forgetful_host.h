/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host that is always short of memory: small pages only, and every so often
 * an access takes 2 MiB away from whoever has them. For tests of what depends
 * on pages that stay mapped.
 */
#ifndef TESTS_SIM_FORGETFUL_HOST_H
#define TESTS_SIM_FORGETFUL_HOST_H

#include "hypervisor/hypervisor.h"

extern const struct hypervisor_ops forgetful_hypervisor;

#endif
