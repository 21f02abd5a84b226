# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by the tests of the command line; to be sourced with the program and
# the source folder as arguments. Each test works in a folder of its own.
#
#     expect STATUS ARGS...    run buddylab, compare the exit status; out and
#                              err hold what it printed
#     stdout_has TEXT, stderr_has TEXT, stderr_is TEXT, stdout_empty
# shellcheck shell=bash
set -u -o pipefail

buddylab=$1
# shellcheck disable=SC2034
source_dir=$2
scratch=$(mktemp -d "${TMPDIR:-/tmp}/buddylab-cli-XXXXXX")
trap 'cd / && rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
failures=0 out='' err=''
what=

fail() {
	echo "FAIL: $what: $1" >&2
	echo "  stdout: ${out:0:600}" >&2
	echo "  stderr: ${err:0:600}" >&2
	failures=$((failures + 1))
}

expect() {
	local want=$1 got
	shift
	what="buddylab $*"
	"$buddylab" "$@" >out.txt 2>err.txt </dev/null
	got=$?
	out=$(tr -d '\0' <out.txt)
	err=$(tr -d '\0' <err.txt)
	[[ $got -eq $want ]] || fail "exit status $got, expected $want"
}

stdout_has() {
	[[ $out == *"$1"* ]] || fail "stdout lacks '$1'"
}

stderr_has() {
	[[ $err == *"$1"* ]] || fail "stderr lacks '$1'"
}

stderr_is() {
	[[ $err == "$1" ]] || fail "stderr is not '$1'"
}

stdout_empty() {
	[[ -z $out ]] || fail "stdout is not empty"
}

stderr_empty() {
	[[ -z $err ]] || fail "stderr is not empty"
}

# check TEXT COMMAND...: the command succeeds.
check() {
	what=$1
	shift
	"$@" || fail "'$*' failed"
}

finish() {
	[[ $failures -eq 0 ]] && echo "all as expected"
	exit $((failures != 0))
}

# A small experiment of four cells, seconds of virtual time.
write_small() {
	cat >small.ini <<-'INI'
		[experiment]
		title = Small
		seeds = 1,2
		[guest]
		memory = 64M
		base = 1M
		[phase fill]
		workload = memhog
		size = 50%
		[phase measure]
		workload = page_fault1
		duration = 5ms
		[variant one]
		[variant two]
		reporter.design = page_reporting
	INI
}

# Everything but `wall`, which is host time.
without_wall() {
	sed 's/,"wall":{[^}]*}//' "$1"
}
