# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/cli/lib.sh
# .blt from outside: import, info, export and back, with stock zstd beside it;
# files that are damaged, and places that cannot be written to.
source "$(dirname "$0")/lib.sh" "$@"

requests=$source_dir/tests/fuzz/corpus/request/all-kinds
samples=$source_dir/tests/data/formats

# A request stream comes back byte for byte, but for comments and blanks.
expect 0 import "$requests" -o r.blt
expect 0 export r.blt
grep -v -e '^#' -e '^$' "$requests" >canonical.txt
check "requests come back" cmp out.txt canonical.txt
expect 0 info r.blt
stdout_has "blt, from request"
stdout_has "no clock"
expect 0 info r.blt --format json
check "info is JSON" python3 -m json.tool out.txt /dev/null
expect 0 info "$requests" --format json
check "info of the text is JSON" python3 -m json.tool out.txt /dev/null

# Kernel text of every tool: exported, it imports to the same events.
for sample in perf-ns perf-extfrag ftrace ftrace-drain trace-cmd bpftrace; do
	expect 0 import "$samples/$sample.txt" -o a.blt
	expect 0 export a.blt -o a.txt
	stdout_empty
	expect 0 import a.txt -o b.blt
	expect 0 export b.blt
	check "$sample comes back" cmp out.txt a.txt
	expect 0 export "$samples/$sample.txt"
	check "$sample, without .blt" cmp out.txt a.txt
	expect 0 export a.blt --format perfetto --sample-ns 100000 -o a.json
	check "$sample is JSON" python3 -m json.tool a.json /dev/null
	expect 0 info a.blt
	stdout_has "digest"
done

# The same input gives the same bytes, and stock tools read them.
expect 0 import "$samples/ftrace.txt" -o one.blt
expect 0 import "$samples/ftrace.txt" -o two.blt
check "same bytes" cmp one.blt two.blt
if command -v zstd >/dev/null; then
	check "zstd reads it" sh -c 'zstd -dc <one.blt >payload'
	expect 0 info one.blt --format json
	[[ $out == *"\"decoded\": $(stat -c %s payload)"* ]] ||
		fail "not the decoded size"
	if command -v xxhsum >/dev/null; then
		stdout_has "$(xxhsum -H2 payload | cut -d' ' -f1)"
	fi
fi

# Damage and cuts: 3, with the place.
head -c 300 one.blt >cut.blt
expect 3 info cut.blt
stderr_has "cut short: the index that ends a .blt file is missing at byte 300"
stderr_has "import the trace again"
expect 3 export cut.blt -o nothing.txt
[[ ! -e nothing.txt ]] || fail "a file of a damaged trace"
cp one.blt bad.blt
printf '\377' | dd of=bad.blt bs=1 seek=130 conv=notrunc 2>/dev/null
expect 3 info bad.blt
stderr_has "damaged: frame 1 of 1 at bytes "
stdout_empty
"$buddylab" info - <one.blt >out.txt 2>err.txt
what="info - <one.blt"
[[ $? -eq 0 ]] || fail "a file as standard input"

# Output that fails leaves the earlier file, and nothing beside it.
echo earlier >kept
expect 3 export bad.blt -o kept
[[ $(cat kept) == earlier ]] || fail "the earlier file is gone"
expect 3 export one.blt -o no/such/place
stderr_has "cannot write: No such file or directory"
expect 3 export one.blt -o /dev/full
stderr_has "not a regular file"
what="export >/dev/full"
"$buddylab" export one.blt >/dev/full 2>err.txt
[[ $? -eq 3 ]] || fail "a full disk is not noticed"
[[ -z $(find . -name '.*.tmp') ]] || fail "a temporary file is left"
mkdir full
if mount -t tmpfs -o size=16k buddylab-test full 2>/dev/null; then
	echo earlier >full/t.blt
	head -c 8000 /dev/zero >full/filler 2>/dev/null
	# Pages without a pattern, so that the file does not fit.
	awk 'BEGIN { for (x = i = 1; i <= 40000; i++) {
		x = x * 16807 % 2147483647
		print "F 0 0", int(x / 8192) } }' >many.txt
	expect 3 import many.txt -o full/t.blt
	stderr_has "No space left on device"
	[[ $(cat full/t.blt) == earlier ]] || fail "the earlier file is gone"
	[[ -z $(find full -name '.*.tmp') ]] || fail "a temporary file is left"
	umount full
else
	echo "no mount: the case of a full disk is left out"
fi

# Usage: 2.
for args in "info" "info a b" "info --format xml r.blt" "export" \
	"export r.blt --format xml" "export r.blt --sample-ns 0" \
	"info r.blt --tasks x"; do
	# shellcheck disable=SC2086
	expect 2 $args
	stdout_empty
	stderr_has "error: "
done

# A .blt is a workload, too: the same cell as from the stream it was made of.
# What stock kernel events leave out, no workload can make up.
recorded=$source_dir/tests/data/traces/host-reporting-memhog
experiment=$source_dir/bench/experiments/recorded-host.ini
expect 0 import "$recorded/req.txt.zst" -o recorded.blt
expect 0 run "$experiment" -o stream
expect 0 run "$experiment" -o blt --set phase.recorded.file=recorded.blt
digest_of()
{
	grep -o '"digest":"[0-9a-f]*"' "$1/cells.jsonl"
}
check "one digest" test "$(digest_of stream)" = "$(digest_of blt)"
expect 0 import "$source_dir/tests/data/formats/perf-ns.txt" -o stock.blt
expect 3 run "$experiment" -o stock --set phase.recorded.file=stock.blt
stderr_has "stock kernel"

finish
