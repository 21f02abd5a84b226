#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# One version in one place: CHANGELOG.md has an entry for it, of the day that
# packages bear, the pages name its numbers, and the archive of docs/releasing.md
# is the same bytes twice.
#
#     test_release.sh BUDDYLAB SOURCE_DIR
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
cd "$source_dir" || exit 1

version=$(sed -nE 's/^project\(buddylab VERSION ([0-9.]+) .*/\1/p' CMakeLists.txt)
epoch=$(sed -nE 's/^set\(BUDDYLAB_EPOCH ([0-9]+)\).*/\1/p' CMakeLists.txt)
day=$(date -u -d "@$epoch" +%Y-%m-%d)
cd "$scratch" || exit 1
expect 0 --version
stdout_has "buddylab $version"
[[ $out == "buddylab $version"* ]] || fail "CMakeLists.txt says $version"

what="CHANGELOG.md"
first=$(grep -m1 '^## ' "$source_dir/CHANGELOG.md")
[[ $first == "## $version (unreleased)" || $first == "## $version ($day)" ]] ||
	fail "the first entry is '$first', not '## $version ($day)' or '(unreleased)'"
what="CMakeLists.txt"
grep -q "BUDDYLAB_EPOCH $epoch) # $day$" "$source_dir/CMakeLists.txt" ||
	fail "BUDDYLAB_EPOCH is $day"

# number NAME FILE ROW: docs/versions.md says it.
number() {
	local now
	now=$(sed -nE "s/^#define $1 ([0-9]+)u?$/\1/p" "$source_dir/$2")
	what="$1 is '$now'"
	grep -q "^| $3, $now |" "$source_dir/docs/versions.md" ||
		fail "docs/versions.md says another number"
}
number MODEL_VERSION bench/version.h model
number RESULT_SCHEMA bench/version.h results
number BLT_VERSION trace/blt_format.h '.blt format'
number BUDDYLAB_REPORTER_ABI reporter/plugin.h 'reporter ABI'
what="docs/versions.md"
grep -q "^| program, $version |" "$source_dir/docs/versions.md" ||
	fail "says another version"

# The archive, of HEAD in place of a tag.
if git -C "$source_dir" rev-parse HEAD >/dev/null 2>&1; then
	command=$(grep -m1 '^    git archive' "$source_dir/docs/releasing.md")
	command=${command//vVERSION/HEAD}
	command=${command//VERSION/$version}
	what=$command
	for nr in 1 2; do
		(cd "$source_dir" && bash -o pipefail -c "${command% >*}") >"$nr.tar.gz" ||
			fail "it fails"
		sleep 1
	done
	cmp -s 1.tar.gz 2.tar.gz || fail "two archives differ"
	tar -tzf 1.tar.gz >names
	grep -qx "buddylab-$version/CMakeLists.txt" names || fail "no CMakeLists.txt"
	grep -v "^buddylab-$version/" names && fail "files beside the folder"
fi
finish
