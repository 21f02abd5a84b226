#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# docs/counters.md says what the program counts: its tables are those of
# `buddylab list counters`.
#
#     tests/bench/test_counters.sh BUDDYLAB SOURCE_FOLDER [--update]
set -eu
buddylab=$1
page=$2/docs/counters.md
first='<!-- buddylab list counters -->'

# One table a prefix; the name, the unit and the rest of the line.
tables() {
	"$buddylab" list counters | awk '
	{
		split($1, part, ".")
		if (part[1] != prefix) {
			prefix = part[1]
			print "\n## " prefix "\n"
			print "| counter | unit | what is counted |"
			print "|---|---|---|"
		}
		name = $1; unit = $2
		$1 = $2 = ""
		sub(/^ +/, "")
		printf "| `%s` | %s | %s |\n", name, unit, $0
	}'
}

wanted=$(sed "/^$first\$/q" "$page" && tables)
if [ "${3-}" = --update ]; then
	printf '%s\n' "$wanted" >"$page"
elif ! diff -u "$page" - <<<"$wanted"; then
	echo "docs/counters.md is not what the program counts; to update it:" >&2
	echo "  $0 BUDDYLAB SOURCE_FOLDER --update" >&2
	exit 1
fi
