#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# buddylab-record on the running kernel, and what import says about it. Needs
# root and tracefs, which most machines that run tests do not give.
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"
record=$2/scripts/buddylab-record

skip() {
	echo "skipped: $1"
	exit 77
}

[[ $(id -u) -eq 0 ]] || skip "not root"
[[ -d /sys/kernel/tracing/events/kmem ]] || skip "tracefs is not mounted"
probe=/sys/kernel/tracing/instances/buddylab-probe-$$
mkdir "$probe" 2>/dev/null || skip "no tracefs instance can be created"
rmdir "$probe"

what="buddylab-record"
out=
"$record" --tool tracefs --output rec --buffer 16384 -- sleep 0.1 2>err.txt
status=$?
err=$(<err.txt)
[[ $status -eq 0 || $status -eq 3 ]] || fail "exit status $status"
check "six states, twice" test "$(grep -c '^@@@ [ab]' rec/procstats.txt)" -ge 8
compgen -G '/sys/kernel/tracing/instances/buddylab-[0-9]*' >/dev/null &&
	fail "an instance was left behind"

expect 0 import rec/trace.txt -o rec.blt
expect 0 info rec.blt
stdout_has "mm_page_alloc"
finish
