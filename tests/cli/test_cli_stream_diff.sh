#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Recorded programs against our workloads. The numbers may only rise; those of
# docs/stream-diff.md are the same.
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"

streams=$source_dir/tests/data/streams
traces=$source_dir/tests/data/traces

# similar RECORDED WORKLOAD MATCHED WINDOW ALL TRACE OPTIONS...: the calls in
# the window, and both similarities.
similar() {
	local counts=$1-$2-$3 window=$4 all=$5
	shift 5
	expect 0 stream-diff "$@"
	[[ $(awk '$1 == "all" { print $2 "-" $3 "-" $4 }' out.txt) == "$counts" ]] ||
		fail "calls are $(grep '^all ' out.txt), not $counts"
	[[ $(tail -n 1 out.txt) == \
	   "similarity $window % in the window, $all % of all calls" ]] ||
		fail "$(tail -n 1 out.txt), not $window and $all"
	stderr_empty
}

similar 5238 5238 5238 100.0000 99.8285 "$traces/page_fault1-thp/trace.blt" \
	--workload page_fault1 --set thp=on
similar 5197 5235 5197 99.6357 99.4455 "$traces/page_fault1-thp-shuffle/trace.blt" \
	--workload page_fault1 --set thp=on
similar 306264 306239 306229 99.9926 99.9897 "$traces/memhog/trace.blt" \
	--workload memhog --set size=625872896 --set guest.thp_aligned=off
similar 307604 307603 307603 99.9998 85.6769 "$traces/usemem-punch-holes/trace.blt" \
	--workload usemem --set size=800M --set punch_holes=on \
	--set sleep=10s --set guest.thp_aligned=off
similar 45221 45231 45221 99.9889 99.9160 "$streams/page_fault1-6.1.blt" \
	--task page_fault1 --workload page_fault1 --set map_size=44M \
	--loops 2 --set guest.thp_aligned=off
similar 3262 3278 3257 99.6024 98.5966 "$streams/page_fault1-thp-6.1.blt" \
	--task page_fault1 --workload page_fault1 --set map_size=32M \
	--set thp=on --loops 3 --set guest.thp_aligned=off
similar 16462 16455 16438 99.8754 99.7451 "$streams/page_fault2-6.1.blt" \
	--task page_fault2 --workload page_fault2 --set map_size=8M \
	--loops 3
similar 32885 32870 32863 99.9558 99.8890 "$streams/memhog-6.1.blt" \
	--task memhog --workload memhog --set size=64M \
	--set guest.thp_aligned=off
similar 4126 4110 4103 99.6357 99.1195 "$streams/usemem-6.1.blt" \
	--task usemem --workload usemem --set size=8M --set punch_holes=on \
	--set guest.thp_aligned=off
similar 12341 12335 12302 99.7082 99.5996 "$streams/page_fault1-6.18.blt" \
	--workload page_fault1 --set map_size=8M --loops 3
similar 3089 3076 3076 99.7891 85.2159 "$streams/usemem-6.18.blt" \
	--workload usemem --set size=8M --set punch_holes=on

# The gate: the window, or everything.
pf1=$traces/page_fault1-thp/trace.blt
expect 0 stream-diff "$pf1" --workload page_fault1 --set thp=on \
	--min-similarity 100
expect 1 stream-diff "$pf1" --workload page_fault1 --set thp=on --all \
	--min-similarity 100
expect 0 stream-diff "$pf1" --workload page_fault1 --set thp=on --all \
	--min-similarity 99.82

# Another program is another stream, and that is noticed.
expect 1 stream-diff "$pf1" --workload page_fault1 --min-similarity 50
expect 1 stream-diff "$pf1" --workload memhog --set size=128M \
	--min-similarity 50

# So are frees in another order: 6.12 frees an array forwards.
expect 1 stream-diff "$traces/memhog/trace.blt" --kernel 6.12 \
	--workload memhog --set size=625872896 --set guest.thp_aligned=off \
	--min-similarity 99

expect 0 stream-diff "$pf1" --workload page_fault1 --set thp=on --format json
stdout_has '"similarity_ppm": 1000000'
stdout_has '"cause": "slab caches are not modelled"'
stdout_has '"matched": 5238'

# Lines of differences and context can be limited.
expect 0 stream-diff "$pf1" --workload page_fault1 --set thp=on --lines 1 \
	--context 0
stdout_has "... the rest is left out"

expect 2 stream-diff
stderr_has "no trace is named"
expect 2 stream-diff "$pf1"
stderr_has "--workload is missing"
expect 2 stream-diff "$pf1" "$pf1" --workload memhog
stderr_has "one trace only"
expect 2 stream-diff - --workload memhog
stderr_has "standard input or a pipe will not do"
expect 2 stream-diff "$pf1" --workload memhgo
stderr_has "unknown workload 'memhgo'; did you mean 'memhog'?"
for none in idle trace; do
	expect 2 stream-diff "$pf1" --workload $none
	stderr_has "workload $none makes no calls of its own"
done
expect 2 stream-diff "$pf1" --workload memhog
stderr_has "workload memhog needs 'size = '"
expect 2 stream-diff "$pf1" --workload memhog --set size=9T
stderr_has "more than the guest's memory"
expect 2 stream-diff "$pf1" --workload memhog --set sise=1M
stderr_has "unknown key 'sise'; did you mean 'size'?"
expect 2 stream-diff "$pf1" --workload memhog --set guest.memroy=1G
stderr_has "unknown key 'memroy'; did you mean 'memory'?"
expect 2 stream-diff "$pf1" --workload memhog --set size
stderr_has "--set wants KEY=VALUE, not 'size'"
expect 2 stream-diff "$pf1" --workload memhog --set size=2G \
	--set guest.memory=4G --set guest.thp=sometimes
stderr_has "--set guest.thp=sometimes"
expect 2 stream-diff "$pf1" --workload memhog --set size=1000M
stderr_has "the guest ran out of memory"
expect 2 stream-diff "$pf1" --workload page_fault1 --task nobody
stderr_has "no calls of a task 'nobody'; most are of 'init-26'"
expect 2 stream-diff "$pf1" --workload page_fault1 --task init
stderr_has "several tasks are called 'init'"
for task in 26 init-26; do
	expect 0 stream-diff "$pf1" --workload page_fault1 --task $task \
		--set thp=on
done
expect 2 stream-diff "$pf1" --workload page_fault1 --kernel 6.2
stderr_has "unknown kernel '6.2'"
for share in 101 -1 99.99999 x 1.2.3 ''; do
	expect 2 stream-diff "$pf1" --workload page_fault1 \
		--min-similarity "$share"
	stderr_has "--min-similarity wants 0 to 100"
done
for base in 7ffff7fff001 0 ffffffffffffffff zz ''; do
	expect 2 stream-diff "$pf1" --workload page_fault1 --mmap-base "$base"
	stderr_has "--mmap-base wants a page-aligned address"
done
expect 2 stream-diff "$pf1" --workload page_fault2 --image 5
stderr_has "page_fault2 has a file of its own"
expect 2 stream-diff "$pf1" --workload memhog --format xml
stderr_has "unknown format 'xml'"

expect 3 stream-diff nosuch --workload memhog --set size=1M
stderr_has "nosuch"
echo "this is no trace" >text
expect 3 stream-diff text --workload memhog --set size=1M
expect 3 stream-diff "$traces/memhog/req.txt.zst" --workload memhog \
	--set size=1M
stderr_has "no mm_page_alloc and no mm_page_free in it"

# The name of a task may be any bytes, JSON may not.
printf '%b 9 [000] 1.0: kmem:mm_page_alloc: page=0 pfn=1024 order=0 %s\n' \
	'a\0377' 'migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE' >odd
expect 0 stream-diff odd --workload memhog --set size=64K --format json
stdout_has '"odd, task a?-9"'

finish
