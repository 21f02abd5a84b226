#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `buddylab reproduce`: the shipped claims can be read, the cheap ones are run,
# a miss is exit status 1, and mistakes are usage errors.
set -u
buddylab=$1
source=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
check() { # WHAT COMMAND...
	local what=$1
	shift
	"$@" || { echo "failed: $what"; cat "$dir/err"; failed=1; }
}
# shellcheck disable=SC2317 # called through check
exits() { # CODE COMMAND...
	local want=$1
	shift
	"$@" >"$dir/out" 2>"$dir/err"
	[ $? = "$want" ]
}
reproduce() { "$buddylab" reproduce --data "$source/bench" -o "$dir/o" "$@"; }

check "--list reads every claim" exits 0 reproduce --list
for name in v17 ablations footprint guests-that-fit guests-before-swap \
	largepages3 thp-order tlb-walk; do
	check "$name is listed" grep -q "^$name " "$dir/out"
done
for name in "$source"/bench/predictions/*.ini; do
	check "$name has a published side" \
		test -f "$source/bench/published/$(basename "$name")"
done
check "all numbers of the walk are hits" exits 0 reproduce tlb-walk
check "three hits" test "$(grep -c ' hit$' "$dir/out")" = 3
check "the miss of the huge balloon is exit status 1" \
	exits 1 reproduce thp-order
check "and stands in the table" grep -q "^  lost to 2 MiB.*MISS$" "$dir/out"
check "the 4 KiB balloon is a hit" grep -q "^  lost to 4 KiB.*hit$" "$dir/out"
cp "$dir/out" "$dir/first"
check "once more, from the cells that are there" exits 1 reproduce thp-order
check "the same table" cmp "$dir/first" "$dir/out"
check "JSON of two claims" exits 1 reproduce tlb-walk thp-order --format json
check "is a list of two" python3 - "$dir/out" <<'PY'
import json, sys
claims = json.load(open(sys.argv[1], encoding="utf-8"))
assert [c["name"] for c in claims] == ["tlb-walk", "thp-order"]
row = claims[0]["rows"][0]
assert row["published"] == row["predicted"] == 24 and row["verdict"] == "hit"
assert claims[1]["misses"] == 2
PY
check "Markdown" exits 0 reproduce tlb-walk --format md
check "is a table" grep -q "^| 2 MiB on both | 15 | 15 | - | equal | hit |$" \
	"$dir/out"
check "a summary" exits 1 reproduce tlb-walk thp-order --format summary
check "is one table" test "$(grep -c '^| claim ' "$dir/out")$(grep -vc '^|' \
	"$dir/out")" = 10
check "with each claim's rows" test "$(grep -c '^| tlb-walk' \
	"$dir/out")$(grep -c '^| thp-order' "$dir/out")" = 36
check "what each was calibrated on, once" test "$(grep -c '|  |$' \
	"$dir/out")" = 7
check "and its spread over seeds" grep -q "| -113 in 1 | - | within 10 | MISS |" \
	"$dir/out"
if command -v gnuplot >/dev/null; then
	check "a figure" exits 1 reproduce thp-order --figure svg
	check "is a picture" grep -q "<svg" "$dir/o/thp-order/figure.svg"
fi
check "its numbers" grep -q '^"left by 4 KiB units",153600,0,155648,155648,155648$' \
	"$dir/o/thp-order/figure.csv"
check "an unknown figure" exits 2 reproduce --figure gif
check "a wrong name is a usage error" exits 2 reproduce tlb-wok
check "and the nearest is named" grep -q "did you mean 'tlb-walk'" "$dir/err"
check "a folder without claims" exits 2 "$buddylab" reproduce --data "$dir"
check "says what --data is" grep -q "holds predictions/ and published/" \
	"$dir/err"
check "an unknown format" exits 2 reproduce --format xml
check "no jobs" exits 2 reproduce --jobs 0
check "an output folder that cannot be" exits 3 "$buddylab" reproduce \
	thp-order --data "$source/bench" -o /proc/nothing
exit $failed
