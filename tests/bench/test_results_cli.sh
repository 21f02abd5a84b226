#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Results from outside: report, plot, compare, check and accept, what they print
# and their exit status.
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"

# strip_wall FILE: a cell without the time of the host.
strip_wall() {
	sed 's/,"wall":{[^}]*}//' "$1"
}

write_small
# Long enough that the tasks have begun, and small enough for the guest.
sed -i 's/^duration = .*/duration = 300ms\nmap_size = 8M/' small.ini
expect 0 run small.ini -o base --format none
expect 0 run small.ini -o same --format none
expect 0 run small.ini -o less --format none --only one
expect 0 run small.ini -o other --format none --set guest.base=2M

# report
for format in table md csv json cover; do
	expect 0 report base --format "$format"
	stdout_has "one"
	stderr_empty
done
expect 0 report base --format cover
stdout_has "Small"
stdout_has "  buddylab run small.ini -o base"
if grep -nE '.{76}|	| $' out.txt; then
	fail "not fit for a mail"
fi
expect 0 report base/cells.jsonl
expect 2 report base --format xml
stderr_has "unknown format 'xml'"
expect 2 report
expect 2 report base less
expect 2 report base --form cover
expect 3 report nosuch
stderr_has "nosuch"
: >empty.jsonl
expect 3 report empty.jsonl
stderr_has "holds no cells"

# compare and check: equal, not comparable, moved
expect 0 compare base same
stdout_has "equal: 4 cells"
for format in table md csv json cover; do
	expect 0 compare base same --format "$format"
done
expect 0 check same --baseline base
# An option that an older version did not know, at its default, and not.
sed 's/"id":"./"id":"g/; s/"guest.compaction":"[a-z]*",//' \
	base/cells.jsonl >older.jsonl
expect 0 check same --baseline older.jsonl
stdout_has "note: one side lacks options, at their default in the other, in 4 cells"
sed 's/"guest.compaction":"[a-z]*"/"guest.compaction":"maybe"/' \
	base/cells.jsonl >newer.jsonl
expect 4 check newer.jsonl --baseline older.jsonl
stdout_has "not comparable"
expect 4 check less --baseline base
stdout_has "not comparable: 2 cells missing, 0 not in the baseline"
expect 4 compare base other
stdout_has "its settings differ: guest.base 1048576 -> 2097152"
sed '1s/"pgfault":[0-9]*/"pgfault":1/; 1s/"guest.pgfault":[0-9]*/"guest.pgfault":1/' \
	base/cells.jsonl >moved.jsonl
expect 1 check same --baseline moved.jsonl
stdout_has "moved: 1 of 4 cells"
stdout_has "guest.pgfault 1 -> "
stdout_has "to repeat: buddylab run-cell small.ini -o again --cell "
stderr_has "buddylab accept same --baseline moved.jsonl"
repeat=$(sed -n 's/.*to repeat: buddylab //p' out.txt)
# shellcheck disable=SC2086
expect 0 $repeat
check "the one cell was run again" cmp <(strip_wall again/cells/*.json) \
	<(strip_wall "same/cells/$(basename again/cells/*.json)")
expect 1 compare moved.jsonl same
expect 1 check same --baseline moved.jsonl --tap --junit junit.xml
stdout_has "TAP version 13"
stdout_has "not ok 1 - variant one"
[[ $(grep -c '<testcase' junit.xml) -eq 4 ]] || fail "not four test cases"
grep -q '<failure' junit.xml || fail "no failure in junit.xml"
printf '[thresholds]\nguest.pgfault = ignore\n' >thresholds.ini
expect 0 check same --baseline moved.jsonl --thresholds thresholds.ini
stdout_has "inside their thresholds: 1 value that moved"
printf '[thresholds]\nguest.pgfault = much\n' >thresholds.ini
expect 2 check same --baseline moved.jsonl --thresholds thresholds.ini
stderr_has "thresholds.ini:2:17: error: 'much' is not a threshold"
expect 2 check same
stderr_has "baseline is missing"
expect 4 check same --baseline nosuch.jsonl
stderr_has "\`buddylab accept same --baseline nosuch.jsonl\` makes it"
expect 3 check nosuch --baseline base
sed 's/"schema":1/"schema":9/' base/cells.jsonl >schema.jsonl
expect 4 check same --baseline schema.jsonl
stderr_has "schema 9 is not known"
expect 2 check same --baseline base --tap --format json
expect 2 check same --baseline base --format yaml
expect 3 check same --baseline moved.jsonl --junit nosuch/junit.xml
echo '{"schema":1' >broken.jsonl
expect 3 check same --baseline broken.jsonl
stderr_has "broken.jsonl:1:"

# accept: a new baseline, one that moved, and one that must not be touched
expect 0 accept base --baseline new.jsonl
stdout_has "Cells: 0 moved, 0 unchanged, 4 added, 0 removed."
expect 0 check same --baseline new.jsonl
expect 0 accept base --baseline moved.jsonl
stdout_has "Cells: 1 moved, 3 unchanged, 0 added, 0 removed."
stdout_has "guest.pgfault: 1 -> "
expect 0 check same --baseline moved.jsonl
cp moved.jsonl before.jsonl
expect 3 accept empty.jsonl --baseline moved.jsonl
check "a refused baseline is as it was" cmp moved.jsonl before.jsonl

# Every key of a threshold file stands in the page, with its default.
expect 0 list thresholds
while read -r key default; do
	grep -qF "| \`$key\` | \`$default\` |" "$source_dir/docs/ci.md" ||
		fail "docs/ci.md lacks $key with default $default"
done < <(awk '/^  [a-z_]+ / { key = $1 }
	/; default / { sub(/.*; default /, ""); sub(/\)$/, ""); print key, $0 }
	' out.txt)
[[ $(grep -c "; default" out.txt) -eq 7 ]] || fail "not seven keys"

# plot
expect 0 plot base --figure throughput
stdout_has "Iterations per second against one"
expect 2 plot base --figure nosuch

# A series that is there and cannot be read is no run without a series.
cp -r base unread
series=$(find unread/series -name '*.csv' | sort | head -1)
rm "$series"
mkdir "$series"
for figure in footprint tradeoff; do
	expect 3 plot unread --figure "$figure"
	stderr_has "${series##*/}: cannot be read"
done
expect 3 report unread --format html
expect 2 plot base --figure nosuch
expect 2 plot base --terminal x11
stderr_has "unknown terminal 'x11'; allowed are dumb, svg and png"
expect 2 plot base --backend matplotlib
stderr_has "matplotlib draws pictures"
expect 3 plot empty.jsonl
if command -v gnuplot >/dev/null; then
	expect 0 plot base --terminal svg
	stdout_has "base/figures/resident.svg"
	[[ -s base/figures/memory-one.csv ]] || fail "no numbers beside"
	expect 0 plot base
	if grep -nE '.{76}|	| $' out.txt; then
		fail "not fit for a mail"
	fi
fi

# What is wrong with a file is not wrong with the command.
echo '{' >half.jsonl
expect 3 plot half.jsonl --figure throughput
expect 3 plot half.jsonl

# A stranger's names: nothing reaches a terminal but text, and no line of a mail
# ends in a blank.
sed 's/"variant":"one"/"variant":"one\\u001b[31m\\n  "/' base/cells.jsonl >odd.jsonl
for layout in tables mmtests benchstat lkp; do
	expect 0 report odd.jsonl --layout "$layout"
	stdout_has "one [31m"
	if LC_ALL=C grep -nE '.{76}|[^ -~]| $' out.txt; then
		fail "not fit for a mail"
	fi
done
expect 0 report odd.jsonl
if LC_ALL=C grep -n '[^ -~]' out.txt; then
	fail "not plain text"
fi

# The command of a cover letter, pasted, is the command that was run.
expect 0 run small.ini -o 'a b' --only one --format none \
	--set "experiment.title=it's a title that is long and goes on over a line"
cp 'a b/cells.jsonl' was.jsonl
expect 0 report 'a b' --format cover
repeat=$(sed -n '/^  buddylab run/,/^  buddylab report/p' out.txt | sed '$d')
rm -r 'a b'
check "the command was pasted" bash -c "${repeat/buddylab/"$buddylab"} --format none"
check "pasted, it does the same" cmp <(strip_wall was.jsonl) \
	<(strip_wall 'a b/cells.jsonl')

# Every figure stands in the page about them.
expect 0 list figures
while read -r name _; do
	grep -qF "| \`$name\` |" "$source_dir/docs/figures.md" ||
		fail "docs/figures.md lacks the figure $name"
done <out.txt
finish
