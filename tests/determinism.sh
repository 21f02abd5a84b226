#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Same seed, same bytes: builds buddylab with two compilers at two optimisation
# levels, runs one experiment with one and with two workers under changing
# locale, time zone and environment, and compares cells.jsonl without `wall`.
#
#     tests/determinism.sh [EXPERIMENT.ini] [BUILD-FOLDER]
#
# Exit 0 if all agree, 1 if not, 77 if a compiler is missing.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
experiment=${1:-$root/bench/experiments/quick.ini}
work=${2:-$root/build/determinism}
presets=(gcc-O0 gcc-O3 clang-O0 clang-O3)
failed=0

command -v clang >/dev/null || { echo "clang is missing: skipped"; exit 77; }
mkdir -p "$work"

# Everything but `wall`, which is host time and never compared.
digest_of() {
	python3 - "$1" <<'PYTHON'
import hashlib, json, sys
lines = []
for line in open(sys.argv[1], encoding="utf-8"):
    cell = json.loads(line)
    del cell["wall"]
    lines.append(json.dumps(cell, sort_keys=True))
print(hashlib.sha256("\n".join(lines).encode()).hexdigest(), len(lines))
PYTHON
}

run_one() { # name, binary, workers
	local out="$work/out-$1"

	rm -rf "$out"
	"$2" run "$experiment" -o "$out" -j "$3" >/dev/null 2>"$out.log" ||
		{ cat "$out.log" >&2; exit 1; }
	printf '%-16s %s\n' "$1" "$(digest_of "$out/cells.jsonl")"
}

for preset in "${presets[@]}"; do
	cmake -S "$root" --preset "$preset" -B "$work/$preset" \
		-DBUILD_TESTING=OFF >"$work/$preset.log" 2>&1 ||
		{ cat "$work/$preset.log" >&2; exit 1; }
	cmake --build "$work/$preset" --target buddylab >>"$work/$preset.log" \
		2>&1 || { tail -30 "$work/$preset.log" >&2; exit 1; }
done

{
	for preset in "${presets[@]}"; do
		run_one "$preset-j2" "$work/$preset/cli/buddylab" 2
	done
	run_one gcc-O3-j1 "$work/gcc-O3/cli/buddylab" 1
	big=$(printf 'x%.0s' {1..20000})
	LC_ALL=C.UTF-8 TZ=Pacific/Apia BIG="$big" \
		run_one gcc-O3-odd "$work/gcc-O3/cli/buddylab" 2
} | tee "$work/digests"

if [ "$(awk '{print $2, $3}' "$work/digests" | sort -u | wc -l)" -ne 1 ]; then
	echo "results differ"
	failed=1
fi
exit $failed
