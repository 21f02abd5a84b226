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
check "a wrong name is a usage error" exits 2 "$buddylab" bench order0-pear
check "and the nearest row is named" grep -q "did you mean 'order0-pair'" "$dir/err"
check "--repeat 0 is a usage error" exits 2 "$buddylab" bench --repeat 0
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
assert r["machine"]["cpus"] >= 1 and r["machine"]["memory_bytes"] > 0
PY
check "a folder that is not there is a runtime error" exits 3 "$buddylab" \
	bench order0-pair --repeat 1 -o "$dir/no/bench.json"
exit $failed
