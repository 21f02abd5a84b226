#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Promises of SECURITY.md that can be read off the sources and the program:
# which calls there are, and how the program is linked.
#
#     calls.sh SOURCE-FOLDER calls
#     calls.sh SOURCE-FOLDER binary PROGRAM
set -u -o pipefail
cd "$1" || exit 2
failed=0

# shellcheck disable=SC2317
complain() {
	echo "$1" >&2
	failed=1
}

# only WHAT PATTERN FILE...: the pattern is in these files, and in no others.
# shellcheck disable=SC2317
only() {
	local what=$1 pattern=$2 want have
	shift 2
	want=$(printf '%s\n' "$@" | sort)
	have=$(grep -rlP --include='*.c' \
		"^(?!\s*/?\*)(.*[^A-Za-z0-9_>.])?$pattern\s*\(" \
		alloc bench cli guest hypervisor include kernel record replay \
		reporter sim trace workloads | sort)
	[[ $have == "${want#$'\n'}" ]] || complain "$what: expected in
$want
found in
$have
SECURITY.md says who may call it"
}

# shellcheck disable=SC2317
calls() {
	only "a shell" '(system|popen|wordexp)'
	only "guessed names of files" '(tmpnam|tempnam|mktemp)'
	only "copies without a size" '(gets|strcpy|strcat|v?sprintf)'
	only "other privileges" '(set(re|res|e)?[ug]id|chown|chmod|fchmod|umask)'
	only "a program" 'exec(v|l|vp|lp|ve|vpe|le)' \
		bench/figure_run.c cli/cmd_bench.c cli/cmd_kernel_reporter.c \
		record/child.c
	only "a shared object" 'dlopen' cli/bench_peers.c cli/plugin.c
	grep -q 'realpath(path, NULL)' cli/plugin.c ||
		complain "cli/plugin.c: a bare name would be searched for"
	grep -q TRACECMD_FL_LOAD_NO_PLUGINS trace/import_dat.c ||
		complain "trace/import_dat.c: plugins of the library are loaded"
}

# shellcheck disable=SC2317
binary() {
	local program=$1 head

	command -v readelf >/dev/null || { echo "no readelf: skipped"; exit 77; }
	head=$(readelf -hldW "$program") || exit 1
	grep -q 'Type: *DYN' <<<"$head" ||
		complain "$program: always at the same address"
	grep -q GNU_RELRO <<<"$head" || complain "$program: no RELRO"
	grep -qE 'BIND_NOW|NOW' <<<"$head" ||
		complain "$program: calls are bound late, the table is writable"
	grep -E 'GNU_STACK.*RWE' <<<"$head" &&
		complain "$program: the stack can be executed"
	grep -qE 'RUNPATH|RPATH' <<<"$head" &&
		complain "$program: names a folder of libraries"
	head=$(readelf -W --dyn-syms "$program")
	grep -q __stack_chk_fail <<<"$head" ||
		complain "$program: no guards on the stack"
}

"$2" "${@:3}"
[[ $failed -eq 0 ]] && echo "as SECURITY.md says"
exit $failed
