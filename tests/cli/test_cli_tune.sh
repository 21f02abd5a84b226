#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `buddylab tune`: the front of a small space is that of the whole grid; it
# repeats itself, resumes, and says what is wrong.
#
#     test_cli_tune.sh BUDDYLAB SOURCE_DIR
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

sed 's/256M/64M\nbase = 1M/; s/duration = 400ms/duration = 100ms/
     s/duration = 300ms/duration = 100ms/; s/1\.\.5/1..3/' \
	"$source_dir/bench/experiments/tune.ini" >tune.ini
space=(tune.ini -o out --terminal none
       --vary reporter.order=0,6,9 --vary reporter.delay=20ms,50ms,2s
       --vary reporter.capacity=8,32)
goals=(--objective measure:throughput:max --objective settle:reclaimed:max)
tune=(tune "${space[@]}" "${goals[@]}")


expect 0 "${tune[@]}" --format csv
cp out.txt found.csv
files=$(find out/cells -name '*.json' | wc -l)
check "fewer cells than the grid has" test "$files" -lt 54
# Again, one cell at a time, and from nothing: the same bytes.
expect 0 "${tune[@]}" --format csv -j 1
check "the same from what is there" diff found.csv out.txt
stderr_has "cells had a result already"
check "nothing else was run" test "$files" -eq "$(find out/cells -name '*.json' | wc -l)"
expect 0 "${tune[@]}" --format csv -o again -j 1
check "the same from nothing" diff found.csv out.txt
expect 0 report out

# The whole grid has the same front.
expect 0 "${tune[@]}" --exhaustive --format csv
check "the front of the grid" diff \
	<(grep -E ',(measure:throughput|settle:reclaimed|seeds),' found.csv) \
	<(grep -E ',(measure:throughput|settle:reclaimed|seeds),' out.txt)
check "the grid" test 54 -eq "$(find out/cells -name '*.json' | wc -l)"

for format in table md json; do
	expect 0 "${tune[@]}" --format $format
done
check "JSON" python3 -c '
import json
o = json.load(open("out.txt"))
assert "front" in json.dumps(o), o
'

# One objective: one point. What nobody meets, and what some do.
expect 0 tune "${space[@]}" --objective reclaimed:max --require host.discard_calls\>=0
expect 3 tune "${space[@]}" --objective throughput:max --require refaults\<=-1
stderr_has "no point has a value"

expect 2 tune "${space[@]}"
stderr_has "no objective is named"
expect 2 tune "${space[@]}" --objective throughput
stderr_has "write [PHASE:]NAME:max or :min"
expect 2 tune "${space[@]}" --objective troughput:max
stderr_has "did you mean 'throughput'?"
expect 2 tune "${space[@]}" --objective settel:reclaimed:max
stderr_has "'settel' is not a phase"
expect 2 tune "${space[@]}" --objective ratio:max
stderr_has "use throughput"
expect 2 "${tune[@]}" --budget 2
stderr_has "a budget of 2 cells is too small"
expect 2 "${tune[@]}" --vary reporter.oder=1,2
stderr_has "did you mean 'order'?"
expect 2 "${tune[@]}" --vary reporter.order
stderr_has "--vary wants KEY=VALUES"
expect 2 "${tune[@]}" --set phase.measure.tasks=1,2
stderr_has "phase.measure.tasks has several values"
expect 2 "${tune[@]}" --confidence 20
expect 2 "${tune[@]}" --require refaults
stderr_has "is no requirement"
expect 2 tune tune.ini -o out "${goals[@]}"
stderr_has "there is nothing to choose"

# Lists of [reporter] in the file are a space, too, and so are variants.
cat >>tune.ini <<-'INI'
	[variant never]
	[variant small]
	reporter.design = page_reporting
	reporter.order = 0,1
INI
expect 0 tune tune.ini -o out "${goals[@]}" --terminal none
stdout_has "variant"

# Whatever is cut off is gone on with.
rm -rf cut
timeout --preserve-status --signal=INT 0.3 "$buddylab" "${tune[@]}" -o cut \
	-j 1 --format csv >out.txt 2>err.txt
expect 0 "${tune[@]}" -o whole --format csv
cp out.txt whole.csv
expect 0 "${tune[@]}" -o cut --format csv
check "the same after Ctrl-C" diff whole.csv out.txt

if command -v gnuplot >/dev/null; then
	expect 0 "${tune[@]}" --terminal svg
	check "a picture" test -s out/figures/front.svg
	check "its numbers" grep -q '^point,front,x,' out/figures/front.csv
fi
finish
