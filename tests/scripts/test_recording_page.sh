#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The part of docs/recording-a-trace.md that needs no kernel: a recording is
# imported, looked at and replayed. What the page shows is what comes out.
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"
data=$2/tests/data/formats
cp "$data/ftrace-6.1.txt" trace.txt
cp "$data/ftrace-6.1.procstats.txt" procstats.txt
page=$2/docs/recording-a-trace.md

# The rate is at least the one on the page (the Nth of its "allocations" lines).
page_rate() {
	local pattern='s/^ *allocations .*predicted ([0-9]+).*/\1/p' was now
	was=$(sed -nE "$pattern" "$page" | sed -n "$1p")
	now=$(sed -nE "$pattern" <<<"$out")
	[[ -n $was && -n $now && $now -ge $was ]] ||
		fail "predicted ${now:-nothing}, the page says ${was:-nothing}"
}

# Lines of a command's answer stand in the page, word for word.
page_has() {
	local line
	while read -r line; do
		grep -qF -- "$line" "$page" || fail "the page lacks '$line'"
	done
}

expect 0 import trace.txt -o t.blt --kernel 6.1
stdout_has "273 events of 285 lines"
page_has <<<"$out"
expect 0 info t.blt
page_has < <(grep -E '^(time|CPUs|events|  mm_)' <<<"$out")
expect 1 replay t.blt --assume procstats.txt
stdout_has "allocations 94"
page_rate 1
expect 1 replay t.blt --assume procstats.txt --mode assisted
page_rate 2

# perf of the same kernel, and text straight from a pipe.
expect 0 import "$data/perf-6.1.txt" -o p.blt --kernel 6.1
what="perf script | buddylab import -"
"$buddylab" import - -o q.blt --kernel 6.1 <"$data/perf-6.1.txt" >/dev/null ||
	fail "standard input is not read"

# A snapshot of a stopped guest is read, and has the kernel's own free counts.
echo 'W 1 0' >nothing.txt
expect 0 replay nothing.txt --snapshot "$data/dump-6.1.snap.zst" \
	--expect "$data/dump-6.1.snap.zst"
stdout_has "lists       30, differing 0"
counts=$(zstd -dcq "$data/dump-6.1.snap.zst" |
	awk '/^zval 1 nr_free\[/ { printf "%s ", $4 }')
[[ $counts == "6 1 9 9 3 1 4 9 6 2 87 " ]] || fail "free counts $counts"

# A recorded stock kernel between two snapshots: predicted, and assisted.
run=$data/snapshot-6.1
expect 1 replay "$run/rec.blt" --snapshot "$run/before.snap.zst" \
	--expect "$run/after.snap.zst"
page_rate 3
expect 1 replay "$run/rec.blt" --snapshot "$run/before.snap.zst" \
	--expect "$run/after.snap.zst" --mode assisted
page_rate 4
grep -Eq '^lists .*, differing 0$' <<<"$out" || fail "lists differ"

# A recording with a hole says so.
expect 0 import "$data/ftrace-overrun.txt" -o l.blt
stderr_has "lost events"
finish
