#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What `check` writes for others, read by those who are to read it: JUnit XML
# by xmllint against a schema, TAP by prove, JSON by python3, notes and pages as
# GitHub Actions takes them. For results that are equal, moved, lacking cells,
# of other traces, over seeds, and none at all.
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"

for tool in xmllint prove python3; do
	if ! command -v "$tool" >/dev/null; then
		echo "$tool is not here: .ci/install test"
		exit 77
	fi
done

# Another one may come first in the path and take its time to start.
python=$(command -v /usr/bin/python3 || command -v python3)

# json EXPRESSION: of `o`, what the program printed last.
json() {
	"$python" -c "import json
o = json.load(open('out.txt'))
print($1)"
}

json_is() {
	local got
	got=$(json "$1" 2>&1)
	[[ $got == "$2" ]] || fail "$1 is $got, expected $2"
}

# formats STATUS NEW BASE [ARGS]: all of them say the same.
formats() {
	local status=$1 new=$2 base=$3
	shift 3
	rm -f junit.xml summary.md
	expect "$status" check "$new" --baseline "$base" "$@" --tap \
		--junit junit.xml
	check "the schema" xmllint --noout \
		--schema "$source_dir/tests/data/junit.xsd" junit.xml
	[[ $(xmllint --xpath 'count(//testcase)' junit.xml) -eq \
		$(xmllint --xpath 'string(//testsuite/@tests)' junit.xml) ]] ||
		fail "the number of tests is wrong"
	[[ $(xmllint --xpath 'count(//failure)' junit.xml) -eq \
		$(xmllint --xpath 'string(//testsuite/@failures)' junit.xml) ]] ||
		fail "the number of failures is wrong"
	[[ $(xmllint --xpath 'count(//error)' junit.xml) -eq \
		$(xmllint --xpath 'string(//testsuite/@errors)' junit.xml) ]] ||
		fail "the number of errors is wrong"
	# All that TAP fails is a failure or an error, and prove agrees.
	[[ $(grep -c '^not ok' out.txt) -eq \
		$(xmllint --xpath 'count(//failure|//error)' junit.xml) ]] ||
		fail "TAP and JUnit differ"
	prove --exec cat out.txt >prove.txt 2>&1
	local proved=$?
	grep -q 'Parse errors' prove.txt && fail "prove: $(cat prove.txt)"
	[[ $((proved != 0)) -eq $((status != 0)) ]] ||
		fail "prove ends with $proved"
	expect "$status" check "$new" --baseline "$base" "$@" --format json
	json_is "o['verdict']" "$(case $status in 0) echo equal ;; 1) echo moved ;;
		*) echo not comparable ;; esac)"
	github "$status" "$new" "$base" "$@"
}

# Notes are on stderr, at most ten and each one line; the page is appended.
github() {
	local status=$1 new=$2 base=$3 notes
	shift 3
	echo before >summary.md
	GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=summary.md \
		expect "$status" check "$new" --baseline "$base" "$@"
	notes=$(grep -c '^::error ' err.txt)
	[[ $((notes > 0)) -eq $((status != 0)) && $notes -le 10 ]] ||
		fail "$notes notes"
	grep '^::' err.txt | grep -vqE \
		'^::error (file=[^,:]+,line=[0-9]+,)?title=[^:,]+::.' &&
		fail "a note is not well formed"
	[[ $(head -1 summary.md) == before ]] || fail "the page was replaced"
	grep -q '^## buddylab check: ' summary.md || fail "no heading"
	[[ -e out.txt ]] && grep -q '^::' out.txt && fail "notes on stdout"
}

write_small
sed -i 's/^duration = .*/duration = 300ms\nmap_size = 8M/' small.ini
sed -i 's/^title = .*/title = Small \& <odd> 100% "guests"/' small.ini
expect 0 run small.ini -o base --format none
expect 0 run small.ini -o five --format none --seeds 1..5 --only one
cp -r base less
sed -i '$d' less/cells.jsonl
sed 's/"reporter.pages":[0-9]*/"reporter.pages":12345/' base/cells.jsonl \
	>moved.jsonl
: >empty.jsonl

formats 0 base base
formats 1 base moved.jsonl
stdout_has "to repeat: buddylab run-cell small.ini -o again --cell "
formats 4 less base
formats 4 base less
formats 4 base empty.jsonl

# Over seeds, in each way it can end.
printf '[metric reporter.pages]\nkind = seeded\nbetter = lower\n' >seeds.ini
sed 's/"reporter.pages":[0-9]*/"reporter.pages":1/' five/cells.jsonl \
	>fewer.jsonl
mkdir more
sed 's/"reporter.pages":[0-9]*/"reporter.pages":99999999/' five/cells.jsonl \
	>more/cells.jsonl
formats 0 five five --thresholds seeds.ini
formats 0 five more/cells.jsonl --thresholds seeds.ini
formats 1 more five --thresholds seeds.ini
head -2 five/cells.jsonl >two.jsonl
head -2 more/cells.jsonl >two-more.jsonl
formats 4 two-more.jsonl two.jsonl --thresholds seeds.ini
printf '[metric wall.seconds]\nkind = timed\n' >timed.ini
expect 0 accept five --baseline no-wall.jsonl
formats 4 five no-wall.jsonl --thresholds timed.ini

# JSON: all of what the text says.
expect 1 check base --baseline moved.jsonl --format json
json_is "o['cells']['moved']" 4
json_is "len(o['differences'])" 4
json_is "o['differences'][0]['values'][0]['name']" reporter.pages
json_is "o['differences'][0]['values'][0]['was']" 12345
json_is "o['differences'][0]['repeat'].split()[:2]" "['buddylab', 'run-cell']"
expect 4 check less --baseline base --format json
json_is "o['cells']['missing']" 1
json_is "[d['status'] for d in o['differences']]" "['missing']"
expect 1 compare moved.jsonl base --format json
json_is "','.join(sorted(o))" \
	base,cells,differences,new,over_seeds,tables,title,verdict
cp moved.jsonl accepted.jsonl
expect 0 accept base --baseline accepted.jsonl --format json
json_is "o['cells']['moved']" 4
json_is "o['counters'][0]['name']" reporter.pages
json_is "o['counters'][0]['was']" 49380.0
expect 0 check base --baseline accepted.jsonl
expect 0 accept base --baseline new.jsonl --format json
json_is "o['cells']['extra']" 4

# A cell over another trace has another id: not comparable, and it says why.
trace=$source_dir/tests/data/traces/page_fault1-thp
zstd -dqc "$trace/req.txt.zst" >stream.txt
cat >trace.ini <<END
[experiment]
title = A trace
[guest]
kernel = 6.1
[host]
memory = 4G
[phase replay]
workload = trace
file = stream.txt
before = $trace/before.snap.zst
END
expect 0 run trace.ini -o trace-1 --format none
sed -i '$d' stream.txt
expect 0 run trace.ini -o trace-2 --format none
formats 4 trace-2 trace-1
expect 4 check trace-2 --baseline trace-1
stdout_has "1 cell missing, 1 not in the baseline"
stdout_has "its settings differ: phase.replay.file.content xxh3:"
finish
