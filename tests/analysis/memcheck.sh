#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# valgrind's memcheck over tests of every folder and over commands: no error, no
# memory that nothing points to at the end. It sees what the sanitizers do not:
# a value that was never set.
#
#     memcheck.sh SOURCE-FOLDER BUILD-FOLDER [PATTERN]
#
# PATTERN: only what matches this regular expression. Left out: programs that
# run the guest for seconds, and workload = jemalloc, whose allocator brings its
# own memory that valgrind knows nothing of.
set -u -o pipefail
source=$1 build=$2 pattern=${3-.}
command -v valgrind >/dev/null || { echo "valgrind is missing: skipped"; exit 77; }
scratch=$(mktemp -d "${TMPDIR:-/tmp}/buddylab-memcheck-XXXXXX")
trap 'cd / && rm -rf "$scratch"' EXIT
cd "$scratch" || exit 2
failures=0 runs=0

# memcheck NAME COMMAND...: the command's own exit status does not count.
memcheck() {
	local name=$1
	shift
	[[ $name =~ $pattern ]] || return
	runs=$((runs + 1))
	valgrind --quiet --error-exitcode=99 --leak-check=full \
		--show-leak-kinds=definite --errors-for-leak-kinds=definite \
		--child-silent-after-fork=no --trace-children=no \
		--suppressions="$source/tests/analysis/valgrind.supp" \
		--log-file="$scratch/log" "$@" >out 2>err </dev/null
	if [[ $? -eq 99 ]]; then
		failures=$((failures + 1))
		echo "FAIL: $name: $*" >&2
		head -60 log >&2
	fi
}

while read -r program; do
	[[ -x $build/tests/$program ]] || continue
	memcheck "$program" "$build/tests/$program"
done <"$source/tests/analysis/memcheck.list"

cat >small.ini <<'INI'
[experiment]
title = Small
seeds = 1
[guest]
memory = 64M
base = 1M
[phase fill]
workload = memhog
size = 50%
[phase measure]
workload = page_fault1
duration = 1ms
[variant one]
[variant two]
reporter.design = page_reporting
INI
buddylab=$build/cli/buddylab
traces=$source/tests/data/traces/memhog
memcheck run "$buddylab" run small.ini -o out.d -j 1
memcheck run-cell "$buddylab" run-cell small.ini -o cell.d \
	--cell "$("$buddylab" plan small.ini | head -1 | cut -c1-32)"
memcheck report "$buddylab" report out.d
memcheck report-json "$buddylab" report out.d --format json
memcheck compare "$buddylab" compare out.d out.d
memcheck check "$buddylab" check out.d --baseline out.d --junit j.xml
memcheck plot "$buddylab" plot out.d
memcheck list "$buddylab" list options
for script in "$source"/tests/data/step/*.step; do
	memcheck "step-$(basename "$script")" "$buddylab" step "$script"
	break
done
memcheck replay "$buddylab" replay "$traces/req.txt.zst" \
	--snapshot "$traces/before.snap.zst"
memcheck error-step "$buddylab" step "$source/README.md"
memcheck error-plan "$buddylab" plan "$source/README.md"
memcheck error-report "$buddylab" report "$source/README.md"
[[ $runs -gt 0 ]] || { echo "nothing matches '$pattern'" >&2; exit 1; }
echo "memcheck: $runs programs, $failures with findings"
exit $((failures != 0))
