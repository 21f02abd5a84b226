#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Instructions per operation of the hot paths, counted by callgrind, against
# instructions.txt: free of noise, so 3 % is a change and not the weather.
#
#     instructions.sh PROGRAM BASELINE KEY [--accept]
#
# KEY names compiler and build: counts of another one are not comparable, and
# the test is skipped (77), as it is without valgrind.
set -eu
program=$1 baseline=$2 key=$3 accept=${4:-}
tolerance=3

skip() { echo "skipped: $1"; exit 77; }
command -v valgrind >/dev/null || skip "valgrind is not installed"
if [ "$accept" != --accept ] && ! grep -q "^$key " "$baseline"; then
	skip "no baseline for $key in $(basename "$baseline")"
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
printf '%-8s %12s %12s %8s\n' loop now baseline change
for loop in order0 order9 storm fault; do
	valgrind --tool=callgrind --toggle-collect=measured_loop \
		--callgrind-out-file="$dir/$loop" "$program" "$loop" \
		>"$dir/ops" 2>"$dir/log" || { cat "$dir/log"; exit 1; }
	collected=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$dir/log")
	now=$(awk -v c="$collected" -v n="$(cat "$dir/ops")" \
		'BEGIN { if (!c || !n) exit 1; printf "%.2f", c / n }')
	old=$(awk -v k="$key" -v l="$loop" '$1 == k && $2 == l { print $3 }' \
		"$baseline")
	echo "$key $loop $now" >>"$dir/new"
	awk -v l="$loop" -v now="$now" -v old="${old:-0}" -v t=$tolerance \
		'BEGIN { d = old ? (now / old - 1) * 100 : 0;
			 printf "%-8s %12.2f %12.2f %+7.2f%%\n", l, now, old, d;
			 exit old && (d > t || d < -t) }' || failed=1
done
if [ "$accept" = --accept ]; then
	{ grep -v "^$key " "$baseline" || true; cat "$dir/new"; } >"$dir/all"
	cp "$dir/all" "$baseline"
	echo "accepted in $baseline"
	exit 0
fi
if [ $failed = 1 ]; then
	echo "moved by more than $tolerance %; if that is meant:"
	echo "$0 $program $baseline $key --accept"
fi
exit $failed
