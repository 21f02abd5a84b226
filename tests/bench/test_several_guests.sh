#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Several guests from the outside: launched in sequence until one is killed, with
# columns of each in the series, and told apart where a cell fails.
#
#     tests/bench/test_several_guests.sh BUDDYLAB SOURCE_FOLDER
set -eu
buddylab=$1
out=$(mktemp -d "${TMPDIR:-/tmp}/buddylab-guests-XXXXXX")
trap 'rm -rf "$out"' EXIT
fail() {
	echo "$*" >&2
	exit 1
}

cat >"$out/fit.ini" <<'INI'
[experiment]
title = Guests that fit
sample = 100ms
columns = fit killed peak
[guest]
kernel = 5.7
memory = 256M
base = 16M
[host]
memory = 512M
base = 32M
guests = 6
launch = sequence
launch_gap = 8s
stop_at = kill
[phase fill]
workload = memhog
size = 160M
[variant none]
reporter.design = none
[variant enabled]
reporter.design = page_reporting
INI
"$buddylab" run "$out/fit.ini" -o "$out/r" --format md >"$out/table"
grep -q '^| none | 2 | 1 | 0.50 |$' "$out/table" || fail "$(cat "$out/table")"
grep -q '^| enabled | 5 | 1 ' "$out/table" || fail "$(cat "$out/table")"
head -qn 1 "$out"/r/series/*.csv | sort -u >"$out/head"
[ "$(wc -l <"$out/head")" = 1 ] || fail "headers differ"
grep -q 'guests_running,guest1_free_pages,.*,guest6_swapped_pages$' \
	"$out/head" || fail "$(cat "$out/head")"
# The total is the sum of what each has.
awk -F, 'FNR == 1 {
	delete guest
	for (i = 1; i <= NF; i++) {
		if ($i == "host_rss_pages")
			total = i
		if ($i ~ /^guest[0-9]+_rss_pages$/)
			guest[i] = 1
	}
	next
}
{
	sum = 0
	for (i in guest)
		sum += $i
	if (sum != $total || length(guest) != 6)
		exit 1
}' "$out"/r/series/*.csv || fail "totals are not the sums of the guests"

# A guest that runs already cannot be launched.
cat >>"$out/fit.ini" <<'INI'
[event again]
action = launch
guest = 1
INI
status=0
"$buddylab" run "$out/fit.ini" -o "$out/again" --format none \
	2>"$out/err" || status=$?
[ "$status" = 3 ] || fail "status $status"
grep -q 'event again: guest 1 has been launched already' "$out/err" ||
	fail "$(cat "$out/err")"
# Nor is there a seventh of six.
status=0
"$buddylab" plan "$out/fit.ini" --set event.again.guest=7 \
	2>"$out/err" >/dev/null || status=$?
[ "$status" = 2 ] || fail "status $status"
grep -q 'there is no guest 7' "$out/err" || fail "$(cat "$out/err")"
