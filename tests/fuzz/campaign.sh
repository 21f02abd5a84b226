#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzz targets one after the other, each for some time on one CPU:
#
#     tests/fuzz/campaign.sh BUILD [-t SECONDS] [-w DIR] [-m] [TARGET...]
#
# BUILD was configured with clang, -DBUDDYLAB_FUZZ=ON and
# -DBUDDYLAB_SANITIZE=address,undefined. DIR (BUILD/campaign) keeps what was
# found from one call to the next: inputs in DIR/NAME, those that break the
# target in DIR/found-NAME-*, and the sums of all calls in DIR/executions. With
# -m nothing is run: to the named inputs of corpus/NAME come the fewest that, with
# them, reach what all that were found reach.
set -u -o pipefail

usage() {
	echo "usage: $0 BUILD [-t SECONDS] [-w DIR] [-m] [TARGET...]" >&2
	exit 2
}

# No more than this is kept: a corpus is for every run of the tests. Inputs that
# have a name stay whatever their size.
largest_kept=4096
most_kept=$((100 * 1024))
most_files=100
seconds=60
merge=
work=
[[ $# -ge 1 ]] || usage
build=$1
shift
while getopts t:w:m option; do
	case $option in
	t) seconds=$OPTARG ;;
	w) work=$OPTARG ;;
	m) merge=yes ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
here=$(cd "$(dirname "$0")" && pwd)
work=${work:-$build/campaign}
mkdir -p "$work" || exit 1
if [[ $# -eq 0 ]]; then
	for file in "$build"/tests/fuzz/libfuzz_*; do
		[[ -x $file ]] && set -- "$@" "${file##*/libfuzz_}"
	done
fi
[[ $# -gt 0 ]] || {
	echo "$0: no targets in $build: -DBUDDYLAB_FUZZ=ON?" >&2
	exit 2
}
# What the library under trace.dat keeps, no program that ends here misses.
export LSAN_OPTIONS=suppressions=$here/../lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# A request for much memory is answered with NULL, as with a limit set.
export ASAN_OPTIONS=allocator_may_return_null=1:max_allocation_size_mb=4096

# Words of the format: kept ones, or for experiments the keys and choices that
# the program has.
dictionary() {
	local file=$here/dict/$1.dict

	if [[ $1 == experiment || $1 == set ]] &&
		[[ -x $build/cli/buddylab ]]; then
		file=$work/$1.dict
		"$build/cli/buddylab" list options | sed -n \
			-e 's/^\(\[[a-z ]*\]\)$/"\1"/p' \
			-e 's/^  \([a-z0-9_]\+\) .*/"\1 = "\n".\1="/p' \
			-e 's/^ *(name; \(.*\); default.*/\1/;tnames' -e 'b' \
			-e ':names' -e 's/[^, ]\+/"&"/g;s/, */\n/gp' |
			sort -u >"$file"
	fi
	[[ -f $file ]] && echo "-dict=$file"
}

run() {
	local name=$1 log=$work/$1.log begin executions
	begin=$SECONDS
	mkdir -p "$work/$name" "$here/corpus/$name"
	# shellcheck disable=SC2046
	nice -n 10 "$build/tests/fuzz/libfuzz_$name" \
		-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
		-max_len=16384 -print_final_stats=1 -verbosity=1 \
		-artifact_prefix="$work/found-$name-" $(dictionary "$name") \
		"$work/$name" "$here/corpus/$name" >"$log" 2>&1
	local code=$?
	executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	# After a crash there are no statistics: the last line that counts.
	[[ -n $executions ]] || executions=$(sed -n 's/^#\([0-9]*\).*/\1/p' \
		"$log" | tail -1)
	echo "$name ${executions:-0} $((SECONDS - begin))" >>"$work/executions"
	[[ $code -eq 0 ]] || echo "$name: exit status $code, see $log"
	return $code
}

# What was found and is larger than allowed goes, the largest first.
prune() {
	local found

	while found=$(find "$1" -type f -regextype egrep \
		-regex '.*/[0-9a-f]{40}' -printf '%s %p\n' | sort -n) &&
		[[ $(wc -l <<<"$found") -gt $most_files ||
			$(awk '{ n += $1 } END { print n + 0 }' <<<"$found") \
				-gt $most_kept ]]; do
		rm "$(tail -1 <<<"$found" | cut -d' ' -f2-)" || return
	done
}

# Into a folder of its own first: a merge that fails must not lose any.
merge() {
	local name=$1 fresh=$work/merge-$1

	rm -rf "$fresh"
	mkdir -p "$fresh" "$work/$name"
	find "$work/$name" -type f -size "+${largest_kept}c" -delete
	find "$here/corpus/$name" -type f -regextype egrep \
		! -regex '.*/[0-9a-f]{40}' -exec cp {} "$fresh" \;
	"$build/tests/fuzz/libfuzz_$name" -merge=1 -timeout=10 \
		-rss_limit_mb=2048 "$fresh" "$here/corpus/$name" \
		"$work/$name" >"$work/$name.merge.log" 2>&1 || {
		echo "$name: cannot merge, see $work/$name.merge.log"
		return 1
	}
	find "$here/corpus/$name" -type f -regextype egrep \
		-regex '.*/[0-9a-f]{40}' -delete
	find "$fresh" -type f -regextype egrep -regex '.*/[0-9a-f]{40}' \
		-exec cp {} "$here/corpus/$name" \;
	prune "$here/corpus/$name"
	rm -rf "$fresh"
}

table() {
	awk '{ n[$1] += $2; s[$1] += $3 }
	     END { for (t in n) printf "%-18s %12d executions %6d s\n",
			t, n[t], s[t] }' "$work/executions" | sort
}

failed=0
for name in "$@"; do
	if [[ -n $merge ]]; then
		merge "$name" || failed=1
	else
		run "$name" || failed=1
	fi
done
[[ -n $merge ]] || table
exit $failed
