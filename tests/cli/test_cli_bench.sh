#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `buddylab bench`: rows by name, JSON that says what it is, errors.
set -u
buddylab=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
check() { # WHAT COMMAND...
	local what=$1
	shift
	"$@" || { echo "failed: $what"; failed=1; }
}
# shellcheck disable=SC2317 # called through check
exits() { # CODE COMMAND...
	local want=$1
	shift
	"$@" >"$dir/out" 2>"$dir/err"
	[ $? = "$want" ]
}

check "--list names rows" sh -c "'$buddylab' bench --list | grep -q '^order0-pair '"
# Every row of the table of targets, and who stands beside it.
for row in replay replay-zstd fault1 fault2 fault1-thp order0-pair order9-pair \
	random-free boot-32g boot-1t boot-1t-resident large-drain size-ratio \
	metadata-32g two-cells main-experiment jemalloc-pair glibc-pair \
	mimalloc-pair kernel-fault1 kernel-fault2; do
	check "--list names $row" sh -c "'$buddylab' bench --list | grep -q '^$row '"
done
check "a wrong name is a usage error" exits 2 "$buddylab" bench order0-pear
check "and the nearest row is named" grep -q "did you mean 'order0-pair'" "$dir/err"
check "--repeat 0 is a usage error" exits 2 "$buddylab" bench --repeat 0
check "--repeat 100 is too many" exits 2 "$buddylab" bench --repeat 100
check "and the error says how many may be" grep -q "1 to 99" "$dir/err"
check "--repeat -1 is a usage error" exits 2 "$buddylab" bench --repeat=-1
check "--format xml is a usage error" exits 2 "$buddylab" bench --format xml
check "a row is measured" exits 0 "$buddylab" bench order0-pair boot-32g \
	--repeat 2 --format json -o "$dir/bench.json"
check "nothing on standard output with -o" test ! -s "$dir/out"
check "both rows are there, two samples each" python3 - "$dir/bench.json" <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
rows = {row["name"]: row for row in r["rows"]}
assert r["schema"] == 1 and r["repeat"] == 2, r
assert sorted(rows) == ["boot-32g", "order0-pair"], rows
for row in rows.values():
    v = row["value"]
    assert row["status"] == "done" and len(row["samples"]) == 2, row
    assert 0 < v["min"] <= v["median"] <= v["max"], row
    assert row["verdict"] in ("met", "floor", "missed"), row
    assert row["goal"] < row["floor"] and row["better"] == "lower", row
assert r["machine"]["cpus"] >= 1 and r["machine"]["memory_bytes"] > 0
assert r["ratios"] == [], r["ratios"]
PY
check "two rows make a ratio" exits 0 "$buddylab" bench order0-pair glibc-pair \
	jemalloc-pair --repeat 1
check "as text there is a line for each" grep -q '^glibc-pair .* ns ' "$dir/out"
if ! grep -q '^jemalloc-pair: skipped' "$dir/out"; then
	check "with the verdict of its goal" \
		grep -Eq 'jemalloc.* time: [0-9.]+ \(goal <=1: (met|missed)\)$' "$dir/out"
fi
check "a folder that is not there is a runtime error" exits 3 "$buddylab" \
	bench order0-pair --repeat 1 -o "$dir/no/bench.json"
exit $failed
