#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The mock against real memory of this machine: a short campaign, and one guest
# simulated whole on both. 77 where the machine has no huge pages, too little
# free memory, or a kernel before 6.7.
#     test_cli_conformance.sh BUDDYLAB SOURCE
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"

# --- usage needs no real memory
expect 2 conformance --streams many
expect 2 conformance --memory 2M
expect 2 conformance --format yaml
expect 2 conformance surplus

# --- step by step
"$buddylab" conformance --memory 64M --streams 10 --seed 3 --format json \
	>conf.json 2>conf.err
code=$?
if [[ $code -eq 77 ]]; then
	cat conf.err
	[[ $failures -eq 0 ]] && grep -q 'skipped: ' conf.err && exit 77
	exit 1
fi
check "conformance" test $code -eq 0
[[ $code -eq 0 ]] || cat conf.json conf.err
check "no mismatch" grep -q '^ "mismatches": 0,' conf.json
expect 2 conformance --case stream-100
stderr_has "no case 'stream-100'"

# --- the whole machine: equal counters, digest and virtual time
tables=off
grep -q '"free_empty_tables": true' conf.json && tables=on
sed "s/^host.free_empty_tables = .*/host.free_empty_tables = $tables/" \
	"$source_dir/bench/experiments/live-host.ini" > live.ini
expect 0 run live.ini -o out -j 1 --format none
cat >compare.py <<'PYTHON'
import json, sys
cells = {}
for line in open(sys.argv[1]):
    c = json.loads(line)
    host, _, design = c["variant"].partition("-")
    cells[host, design, str(c["axes"])] = c
pairs = bad = 0
for (host, design, axes), mock in cells.items():
    if host != "mock":
        continue
    live = cells["live", design, axes]
    wall = live["wall"]
    if wall["shared_seconds"] or not wall["real_minor_faults"]:
        bad += 1  # gone on with in a fork, or not on real memory
        print(design, axes, wall)
    if wall["real_background_collapses"] or wall["real_fallbacks"]:
        continue  # the kernel was busy with it: not comparable
    pairs += 1
    for key, value in mock["counters"].items():
        if live["counters"][key] != value:
            bad += 1
            print(design, axes, key, value, live["counters"][key])
    for key in ("digest", "virtual_ns"):
        if mock[key] != live[key]:
            bad += 1
            print(design, axes, key, mock[key], live[key])
print(pairs, "pairs of cells,", bad, "differences")
sys.exit(bad != 0)
PYTHON
check "mock and live agree" python3 compare.py out/cells.jsonl

# --- what cannot be done is skipped, not failed, and says what to do
expect 77 run live.ini -o big --only live --set guest.memory=900G \
	--set host.cap=2T --set host.khugepaged=off --set host.discard=free
stderr_has 'MiB available'
# a process that may not have huge pages
cat >without.py <<'PYTHON'
import ctypes, os, sys
ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)  # PR_SET_THP_DISABLE
os.execv(sys.argv[1], sys.argv[1:])
PYTHON
refused() {
	python3 without.py "$buddylab" "$@" >out.txt 2>err.txt
	[[ $? -eq 77 ]] && grep -q 'huge pages disabled' err.txt
}
check "conformance without huge pages" refused conformance
check "cells without huge pages" refused run live.ini -o none --only live \
	--set host.thp=madvise --set host.khugepaged=off --set host.discard=free
expect 0 run live.ini -o never --only live --set host.thp=never \
	--set host.khugepaged=off --set host.discard=free --format none
expect 3 run live.ini -o small --only live --set host.cap=64M
stderr_has 'the cap is 64'
# memory of hugetlbfs it has not got, and says so instead of taking other memory
expect 3 run live.ini -o pool --only live --set host.backing=2M \
	--set host.khugepaged=off --set host.discard=free
stderr_has 'live has no pages of hugetlbfs'
check_limits() {
	(ulimit -v 600000; exec "$buddylab" run live.ini -o limits --only live \
		--set guest.memory=768M --set host.khugepaged=off \
		--set host.discard=free) >out.txt 2>err.txt
	[[ $? -eq 3 ]] && grep -q '768 MiB cannot be mapped: ' err.txt
}
if ! nm "$buddylab" 2>/dev/null | grep __asan_init >/dev/null; then
	check "no room in the address space" check_limits
fi

finish
