#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `buddylab calibrate`: what it writes can be used, what it is asked wrongly is
# refused. Times are not looked at: only that there are some.
#
#     tests/cli/test_cli_calibrate.sh BUDDYLAB SOURCE_FOLDER
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"

expect 2 calibrate --time 5
stderr_has "--time wants a time from 1s to 60m"
expect 2 calibrate --memory 63M
stderr_has "--memory wants a size of 64M or more"
expect 2 calibrate --format xml
stderr_has "allowed are prices and json"
expect 2 calibrate --procs 0
expect 2 calibrate extra
expect 2 calibrate --solve x.ini
stderr_has "belong together"
expect 2 calibrate --solve x.ini --target t --zero-share 0.5 --time 5s
stderr_has "are for measuring"
expect 2 calibrate --rezero-share 2

# More than any machine has: the reason, and no file.
expect 77 calibrate --memory 1024T -o none.ini
stderr_has "skipped: "
stdout_empty
[[ ! -e none.ini ]] || fail "a file was written all the same"

# A host without huge pages, as far as this process can see.
what="calibrate without huge pages"
python3 - "$buddylab" >out.txt 2>err.txt <<'PY'
import ctypes, os, sys
PR_SET_THP_DISABLE = 41
if ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0):
    sys.exit(77)
os.execv(sys.argv[1], [sys.argv[1], "calibrate", "--time", "1s"])
PY
status=$? out=$(<out.txt) err=$(<err.txt)
[[ $status -eq 77 ]] || fail "status $status, expected 77"
stderr_has "gives no huge pages"
stdout_empty

"$buddylab" calibrate --time 4s --memory 128M --procs 2 -o prices.ini \
	>out.txt 2>err.txt
status=$?
if [[ $status -eq 77 ]]; then
	cat err.txt
	exit 77
fi
[[ $status -eq 0 && ! -s out.txt ]] || { cat err.txt; fail "status $status"; }
[[ $(find . -name 'prices.ini*' | wc -l) -eq 1 ]] || fail "left-overs"
# Every price is there once, with tag and source.
lines=$(grep -c ' = .* | \(measured\|baseline\|literature\) | .' prices.ini)
names=$(grep ' = ' prices.ini | sort -u -t= -k1,1 | wc -l)
[[ $lines -gt 30 && $lines -eq $names ]] || fail "$lines prices, $names names"
for name in touch fill_4k lock syscall discard_call; do
	grep -q "^$name = .* | measured | .*+- " prices.ini ||
		fail "$name was not measured"
done
grep -q '^violation = .* | literature | ' prices.ini || fail "violation"

# An experiment can name it, and its cells are other cells than without.
cat >exp.ini <<'EOF'
[guest]
memory = 64M
base = 4M
[host]
memory = 4G
prices = prices.ini
[phase fill]
workload = memhog
size = 32M
EOF
expect 0 run exp.ini -o out --format none
expect 0 run exp.ini -o out2 --format none --set host.prices=
[[ $(ls out/cells) != $(ls out2/cells) ]] || fail "the prices are not in the id"

# Solved: 500,000 pages a second, half of a huge fault's 512 is clearing, and a
# quarter where the page was just cleared.
cat >solve.ini <<'EOF'
[guest]
memory = 256M
base = 16M
[host]
memory = 4G
[phase measure]
workload = page_fault1
map_size = 16M
warmup = 500ms
duration = 1s
EOF
cat >solve.target <<'EOF'
[target]
page_fault1@1 = 500000 | made up for this test
EOF
expect 0 calibrate --solve solve.ini --target solve.target --zero-share 0.5 \
	--rezero-share 0.25 -j 1
stdout_has "zero_2m = 512000.000ns | baseline | 0.500 of 512 published"
stdout_has "guest_zero_2m = 512000.000ns | baseline | "
stdout_has "guest_zero_4k = 1000.000ns | baseline | "
stdout_has "guest_rezero_2m = 256000.000ns | baseline | 0.250 of 512"
stdout_has "guest_rezero_4k = 500.000ns | baseline | "
stdout_has "--zero-share 0.500 --rezero-share 0.250"
expect 0 calibrate --solve solve.ini --target solve.target --zero-share 0.5 -j 1
stdout_has "guest_rezero_2m = 512000.000ns | baseline | "
# What was solved is what a run with it gives.
cp out.txt solved.ini
expect 0 run solve.ini -o solved --format json --set host.prices=solved.ini
python3 - out.txt <<'PY' || fail "the solved prices do not give the target"
import json, sys
text = open(sys.argv[1]).read()
cells = [json.loads(line) for line in open("solved/cells.jsonl")]
rate = cells[0]["metrics"]["iterations_per_s"]
assert abs(rate / 500000 - 1) < 0.0025, rate
PY

# A file that cannot be written is an error, whatever was measured.
expect 3 calibrate --time 1s --memory 64M --procs 1 -o no/such/prices.ini
expect 0 calibrate --time 1s --memory 64M --procs 1 --format json
python3 - out.txt <<'PY' || fail "the JSON is not what it should be"
import json, sys
d = json.load(open(sys.argv[1]))
assert d["schema"] == 1 and d["procs"] == 1
facts = {(f["name"], f["procs"]): f for f in d["facts"]}
assert ("lock", 1) in facts
assert all(f["ns"] >= 0 and f["samples"] > 0 for f in facts.values())
assert all(g["why"] for g in d["gaps"])
assert d["prices"]["lock"]["tag"] == "measured"
assert d["prices"]["violation"]["tag"] == "literature"
PY
finish
