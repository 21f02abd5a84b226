#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Have any numbers moved? Runs the experiments of the shipped baselines and
# checks them, exactly. docs/ci.md says what to do if it fails.
#
#     tests/bench/test_golden.sh BUDDYLAB SOURCE_FOLDER
set -eu
buddylab=$1
cd "$2"
out=$(mktemp -d "${TMPDIR:-/tmp}/buddylab-golden-XXXXXX")
trap 'rm -rf "$out"' EXIT
result=0

for baseline in bench/baselines/*.jsonl; do
	name=$(basename "$baseline" .jsonl)
	"$buddylab" run "bench/experiments/$name.ini" -o "$out/$name" \
		--format none
	status=0
	"$buddylab" check "$out/$name" --baseline "$baseline" || status=$?
	[ "$status" -eq 0 ] && continue
	result=$status
	echo "If the change is meant to move them:" >&2
	echo "  buddylab run bench/experiments/$name.ini -o out/$name" >&2
	echo "  buddylab accept out/$name --baseline $baseline" >&2
done
exit "$result"
