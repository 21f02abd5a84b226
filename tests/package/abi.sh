#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a compiled reporter plugin relies on, held against the record of it in
# tests/data/reporter-abi.txt: size and offset of each member of each structure
# in the public headers, enumerators, and functions that the program shows.
#
#     tests/package/abi.sh               compare; 1 if it is another ABI
#     tests/package/abi.sh --accept      write the record; BUDDYLAB_REPORTER_ABI
#                                        has to be raised first
#
# ROOT is the tree (default: this one), CC a gcc. 77 without pahole (dwarves).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${ROOT:-$here/../..}
cc=${CC:-gcc}
record=$root/tests/data/reporter-abi.txt
headers=(alloc/{alloc,gfp,hooks,profile}.h include/{bitmap,check,digest,option,rng,types}.h
	reporter/{counters,env,plugin,reporter,request}.h)

for tool in pahole "$cc"; do
	command -v "$tool" >/dev/null || {
		echo "skipped: $tool not found; .ci/install package has it" >&2
		exit 77
	}
done
if ! "$cc" --version | grep -q 'Free Software' ||
	[[ $("$cc" -dumpmachine) != x86_64-*linux* ]]; then
	echo "skipped: the record is of gcc for x86-64 Linux" >&2
	exit 77
fi
scratch=$(mktemp -d "${TMPDIR:-/tmp}/buddylab-abi-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cd "$root"

printf '#include "%s"\n' "${headers[@]}" >"$scratch/abi.c"
"$cc" -std=gnu11 -g -O0 -fno-eliminate-unused-debug-types -I . -c \
	-aux-info "$scratch/functions" -o "$scratch/abi.o" "$scratch/abi.c"

# named KIND: the structures, unions or enumerations with a name.
named() {
	sed -nE "s/^$1 ([a-z_0-9]+) \{.*/\1/p" "${headers[@]}" | sort -u
}

# layout NAME...: without what pahole says about holes and cache lines.
layout() {
	local name
	for name; do
		pahole -C "$name" "$scratch/abi.o" 2>/dev/null |
			sed -E -e '/\/\* (---|XXX|sum|last|paddings?|forced|member)/d' \
				-e 's/(size: [0-9]+), .*members: .*/\1 *\//' -e '/^\s*$/d'
	done
}

# Functions that cmake/plugin.list shows.
functions() {
	local shown
	shown=$(sed -nE 's/^\t([a-z0-9_]+)(\*?);$/\1\2/p' cmake/plugin.list |
		sed 's/\*/[a-z0-9_]*/' | paste -sd'|')
	sed -nE 's/^\/\* [^ ]*:NC \*\/ extern (.*);.*/\1;/p' "$scratch/functions" |
		grep -E "[ *]($shown) \(" | sort
}

# number FILE: the ABI in a header or in the record.
number() {
	sed -nE 's/^(#define )?BUDDYLAB_REPORTER_ABI ([0-9]+)$/\2/p' "$1"
}

abi=$(number reporter/plugin.h)
{
	echo "BUDDYLAB_REPORTER_ABI $abi"
	echo "# Written by tests/package/abi.sh --accept; not to be edited."
	mapfile -t names < <(named enum; named union; named struct)
	layout "${names[@]}" pfn_t gfp_t
	functions
} >"$scratch/now"
if [[ $(grep -c '^struct' "$scratch/now") -lt 15 ]]; then
	echo "abi: structures are missing: $(wc -l <"$scratch/now") lines" >&2
	exit 2
fi

before=0
[[ ! -e $record ]] || before=$(number "$record")
# The number itself is the first line.
same() { cmp -s <(tail -n +2 "$record") <(tail -n +2 "$scratch/now"); }

# New functions alone: what was built before still fits.
grown() {
	local others
	others=$(diff <(tail -n +2 "$record") <(tail -n +2 "$scratch/now") |
		grep -vE '^(> [^}]*\);|[0-9]+a[0-9,]+)$' || true)
	[[ -z $others ]]
}

if [[ ${1-} == --accept ]]; then
	if [[ $abi -le $before ]] && ! grown; then
		echo "abi: BUDDYLAB_REPORTER_ABI is $abi, as before: raise it in" \
			"reporter/plugin.h first" >&2
		exit 1
	fi
	cp "$scratch/now" "$record"
	exit 0
fi
if ! same && grown; then
	echo "abi: functions are new; tests/package/abi.sh --accept records them"
	exit 0
fi
if ! same; then
	diff -u --label recorded --label tree "$record" "$scratch/now" || true
	echo "abi: plugins have to be built again, so:" >&2
	[[ $abi -gt $before ]] ||
		echo "  raise BUDDYLAB_REPORTER_ABI ($abi) in reporter/plugin.h" >&2
	echo "  tests/package/abi.sh --accept, and say it in CHANGELOG.md" >&2
	exit 1
fi
if [[ $abi -ne $before ]]; then
	echo "abi: BUDDYLAB_REPORTER_ABI is $abi, recorded is $before: if a" \
		"meaning has changed, tests/package/abi.sh --accept" >&2
	exit 1
fi
