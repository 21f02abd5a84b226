# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/cli/lib.sh
# Programs of the distribution, recorded and run: an interpreter, a compiler, a
# sort of a file, one with jemalloc as its malloc.
source "$(dirname "$0")/../cli/lib.sh" "$@"

"$buddylab" record -q -o probe.blt -- true 2>probe.txt
if [[ $? -eq 3 ]] && grep -q 'may not be traced' probe.txt; then
	cat probe.txt
	exit 77
fi

cat >run.ini <<-'INI'
	[experiment]
	title = Recorded
	[guest]
	memory = 512M
	[reporter]
	design = page_reporting
	[phase run]
	workload = trace
	file = real.blt
	tasks = 1
	pace = none
INI

# real MIB COMMAND...: it succeeds, touches MiB at least, and runs again.
real() {
	local least=$1 tasks
	shift
	expect 0 record -o real.blt -- "$@"
	[[ $err =~ \(([0-9]+)\ MiB\) ]] || fail "no summary"
	((BASH_REMATCH[1] >= least)) ||
		fail "only ${BASH_REMATCH[1]} MiB touched"
	[[ $err =~ tasks\ =\ ([0-9]+) ]] || fail "no number of tasks"
	tasks=${BASH_REMATCH[1]}
	echo "${err%%$'\n'*}"
	expect 0 run run.ini -o "out-$tasks-$least" \
		--set "phase.run.tasks=$tasks"
}

seq 300000 | sed 's/.*/&&&/' >big.txt
real 10 sort -r -o sorted.txt big.txt
check "it has sorted" test "$(head -1 sorted.txt)" = 999999999999999
[[ ! -x /usr/bin/python3 ]] || real 20 /usr/bin/python3 -c \
	'print(len(sorted(str(i) for i in range(200000))))'
if command -v gcc >/dev/null; then
	real 5 gcc -O2 -I "$source_dir" -c "$source_dir/trace/ranges.c" -o r.o
	check "it has compiled" test -s r.o
fi
jemalloc=$(ldconfig -p 2>/dev/null | sed -n 's/.*libjemalloc.so.2 .*=> //p' |
	head -1)
[[ -z $jemalloc ]] || real 10 env "LD_PRELOAD=$jemalloc" \
	sort -r -o sorted.txt big.txt
finish
