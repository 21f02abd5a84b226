#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Same input, same bytes. Everything that the program writes (results without
# `wall`, reports, figures, plans, replays, traces, step scripts, JSON) goes into
# one digest, under surroundings that must not matter.
#
#     tests/determinism.sh --program FILE   one program: workers and threads,
#                              locale, time zone, address layout, environment,
#                              current folder, umask, TMPDIR, user, streams
#     tests/determinism.sh [WORK-FOLDER]    two compilers, -O0 to -O3, link-time
#                              optimisation, guards off
#     tests/determinism.sh --program A --against B...   programs that are built
#
# Exit 0 if all agree, 1 if not, 2 if a program is missing, 77 if a compiler is.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
traces=$root/tests/data/traces/memhog
# Every run has a folder of its own, from which a relative path leads nowhere.
for argument; do
	shift
	[[ $argument == --* ]] || argument=$(realpath -m -- "$argument")
	set -- "$@" "$argument"
done
scratch=$(mktemp -d "${TMPDIR:-/tmp}/buddylab-same-XXXXXX")
trap 'cd / && rm -rf "$scratch"' EXIT
cd "$scratch"

# write_input FOLDER: small, with shuffle, two designs, reports and series.
write_input() {
	mkdir -p "$1"
	cat >"$1/same.ini" <<-'INI'
		[experiment]
		title = Ü same
		seeds = 1,2
		[guest]
		memory = 64M
		base = 1M
		cpus = 2
		shuffle = on
		[phase fill]
		workload = memhog
		size = 50%
		[phase measure]
		workload = page_fault1
		tasks = 1,2
		duration = 2ms
		[variant one]
		[variant two]
		reporter.design = page_reporting
	INI
}

# What is written for people and programs, one digest. Runs in a folder of its
# own; its name must not matter either.
bytes_of() { # program, workers, threads, folder
	local program=$1 workers=$2 threads=$3 script
	write_input "$4"
	cd "$4"
	"$program" run same.ini -o out -j "$workers" --format none
	sed 's/"wall":{[^}]*}//' out/cells.jsonl
	cat out/series/*.csv
	for format in cover table md csv json openmetrics; do
		"$program" report out --format $format | sed '/"wall/d'
	done
	"$program" plan same.ini
	"$program" compare out out || true
	for script in "$root"/tests/data/step/*.step; do
		"$program" step "$script" 2>&1 | sed "s#$root##g"
	done
	"$program" replay "$traces/req.txt.zst" --mode assisted \
		--snapshot "$traces/before.snap.zst" --threads "$threads" \
		--format json | grep -v wall_s || true
	"$program" import "$traces/req.txt.zst" -o t.blt >import.txt
	cat t.blt
	"$program" export t.blt --format text
	"$program" replay t.blt --snapshot "$traces/before.snap.zst" \
		--threads "$threads" --format json | grep -v wall_s || true
	if command -v gnuplot >/dev/null; then
		"$program" plot out
		"$program" plot out --terminal svg >plot.txt
		cat out/figures/*.svg out/figures/*.csv
	fi
}

digest() { # name, then as bytes_of
	local name=$1 sum folder=$scratch/${5-$1}
	shift
	sum=$(set +e; (bytes_of "${@:1:3}" "$folder") 2>"$scratch/err" |
		tee "$scratch/all" | sha256sum | cut -c1-32)
	[[ $(wc -c <"$scratch/all") -gt 100000 ]] ||
		{ echo "$name: hardly anything written" >&2
			tail -3 "$scratch/err" >&2; failed=1; }
	printf '%-28s %s\n' "$name" "$sum"
	if [[ -n ${want-} && $sum != "$want" ]]; then
		failed=1
		diff -a "$scratch/first" "$scratch/all" | head -5 || true
	fi
	want=${want-$sum}
	[[ -e $scratch/first ]] || cp "$scratch/all" "$scratch/first"
	rm -rf "$folder"
}

locales() {
	mkdir -p "$scratch/locales"
	for name in de_DE tr_TR; do
		localedef -i $name -f UTF-8 "$scratch/locales/$name.UTF-8" \
			2>/dev/null || true
	done
}

surroundings() {
	local p=$1 name
	failed=0
	digest plain "$p" 1 1
	digest "two workers and threads" "$p" 2 2 two
	digest "three workers" "$p" 3 2 three
	export want failed
	locales
	for name in de_DE tr_TR; do
		[[ -d $scratch/locales/$name.UTF-8 ]] || {
			echo "locale $name: needs localedef and its sources" \
				"(package locales), not compared"
			continue
		}
		# bash itself does not find the locale in there.
		printf '#!/bin/sh\nexec env %s %s %s "%s" "$@"\n' \
			"LOCPATH='$scratch/locales'" "LC_ALL=$name.UTF-8" \
			"LANG=$name.UTF-8" "$p" >"speaks-$name"
		chmod +x "speaks-$name"
		digest "locale $name" "$scratch/speaks-$name" 2 2 $name
	done
	(export LC_ALL=C TZ=Pacific/Apia; digest "locale C, far time zone" "$p" 2 2 tz
	exit "$failed") || failed=1
	(for i in {1..15}; do export "BIG$i=$(printf '%0100000d' 0)"; done
	digest "1.5 MB of environment" "$p" 2 2 big; exit "$failed") || failed=1
	(umask 077; mkdir tmp; export TMPDIR=$scratch/tmp
	digest "umask 077, other TMPDIR" "$p" 2 2 "deep/er/a b"
	exit "$failed") || failed=1
	(unset HOME TERM COLUMNS; export NO_COLOR=1 COLUMNS=40 TERM=dumb
	digest "no HOME, 40 columns" "$p" 2 2 home; exit "$failed") || failed=1
	(exec </dev/null; digest "closed input" "$p" 2 2 null
	exit "$failed") || failed=1
	if setarch -R true 2>/dev/null; then
		printf '#!/bin/sh\nexec setarch -R "%s" "$@"\n' "$p" >fixed
		chmod +x fixed
		digest "addresses not random" "$scratch/fixed" 2 2 fixed-d
	fi
	if [[ $(id -u) -eq 0 ]] && command -v setpriv >/dev/null; then
		cp "$p" "$scratch/copy"
		chmod 755 "$scratch" "$scratch/copy"
		printf '#!/bin/sh\nexec setpriv --reuid 65534 --clear-groups "%s" "$@"\n' \
			"$scratch/copy" >other
		chmod +x other
		# Counts of a build that has them (docs/coverage.md) go there.
		(umask 000; mkdir any counts; chmod 777 any counts
		export GCOV_PREFIX=$PWD/counts
		digest "other user" "$scratch/other" 2 2 any
		exit "$failed") || failed=1
	fi
	return $failed
}

compilers() {
	local work=$1 name flags programs=()
	command -v clang >/dev/null || { echo "clang is missing: skipped"; exit 77; }
	while read -r name flags; do
		# shellcheck disable=SC2086
		{ cmake -S "$root" -B "$work/$name" -G Ninja \
			-DBUILD_TESTING=OFF -DCMAKE_BUILD_TYPE=Debug $flags &&
			cmake --build "$work/$name" --target buddylab; } \
			>"$work.log" 2>&1 || { tail -30 "$work.log"; exit 1; }
		programs+=("$work/$name/cli/buddylab")
	done <<-'END'
		gcc-O0 -DCMAKE_C_COMPILER=gcc -DCMAKE_C_FLAGS_DEBUG=-O0
		gcc-O2 -DCMAKE_C_COMPILER=gcc -DCMAKE_C_FLAGS_DEBUG=-O2 -DBUDDYLAB_HARDEN=OFF
		gcc-O3 -DCMAKE_C_COMPILER=gcc -DCMAKE_C_FLAGS_DEBUG=-O3
		gcc-O3-lto -DCMAKE_C_COMPILER=gcc -DCMAKE_C_FLAGS_DEBUG=-O3 -DBUDDYLAB_LTO=ON
		clang-O0 -DCMAKE_C_COMPILER=clang -DCMAKE_C_FLAGS_DEBUG=-O0
		clang-O2 -DCMAKE_C_COMPILER=clang -DCMAKE_C_FLAGS_DEBUG=-O2
		clang-O3 -DCMAKE_C_COMPILER=clang -DCMAKE_C_FLAGS_DEBUG=-O3
	END
	against "${programs[@]}"
}

against() {
	local p
	failed=0
	for p in "$@"; do
		digest "$(basename "$(dirname "$(dirname "$p")")")" "$p" 2 2 same-name
	done
	return $failed
}

status=0
if [[ ${1-} == --program ]]; then
	for argument in "${@:2}"; do
		[[ $argument == --* || -x $argument ]] ||
			{ echo "$argument: no such program" >&2; exit 2; }
	done
fi
if [[ ${1-} == --program && ${3-} == --against ]]; then
	against "$2" "${@:4}" || status=$?
elif [[ ${1-} == --program ]]; then
	surroundings "$2" || status=$?
else
	mkdir -p "${1:-$root/build/determinism}"
	compilers "${1:-$root/build/determinism}" || status=$?
fi
[[ $status -eq 0 ]] || echo "not the same bytes" >&2
exit $status
