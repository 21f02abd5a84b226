#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Have any numbers moved? Runs bench/experiments/quick.ini and checks it against
# the baseline in the repository, exactly. docs/ci.md says what to do if it
# fails.
#
#     tests/bench/test_golden.sh BUDDYLAB SOURCE_FOLDER
set -eu
buddylab=$1
cd "$2"
out=$(mktemp -d "${TMPDIR:-/tmp}/buddylab-golden-XXXXXX")
trap 'rm -rf "$out"' EXIT

"$buddylab" run bench/experiments/quick.ini -o "$out" --format none
status=0
"$buddylab" check "$out" --baseline bench/baselines/quick.jsonl || status=$?
if [ "$status" -ne 0 ]; then
	echo "If the change is meant to move them:" >&2
	echo "  buddylab run bench/experiments/quick.ini -o out/quick" >&2
	echo "  buddylab accept out/quick --baseline" \
		"bench/baselines/quick.jsonl" >&2
fi
exit "$status"
