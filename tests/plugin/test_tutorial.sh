#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# docs/writing-a-reporter.md: its commands work as they are written, from the
# copy of the skeleton to the table, and its design keeps the contract.
#
#     test_tutorial.sh BUDDYLAB SOURCE_DIR BUILD_DIR CMAKE COMPILER SANITIZERS
# shellcheck source=tests/plugin/installed.sh
. "$(dirname "$0")/installed.sh"

# `cc` of the page is the compiler of this build.
mkdir bin
ln -s "$(command -v "$compiler")" bin/cc
export PATH=$scratch/bin:$PATH
awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' \
	"$prefix/share/buddylab/reporter/writing-a-reporter.md" >commands.sh
what="commands of the page"
[[ $(grep -c buddylab commands.sh) -ge 6 ]] || fail "too few were found"
mkdir page
(cd page && bash -eu -o pipefail ../commands.sh) >out.txt 2>err.txt ||
	fail "exit status $?"
out=$(<out.txt)
err=$(<err.txt)
stdout_has "largest           start of a design of your own"
stdout_has "with design = largest:"
stdout_has "frees of largest blocks that are worth a pass"
stdout_has "merged"
# A row of the second table: the design reported, and took fewer batches when
# it was told to wait.
rows=$(grep -E '^largest(-rarely)? +[0-9.]+ +[0-9]+ +' out.txt)
what="table: $rows"
[[ $(awk '$1 == "largest" { print $3 }' <<<"$rows") -gt \
	$(awk '$1 == "largest-rarely" { print $3 }' <<<"$rows") ]] ||
	fail "the options made no difference"

contract=$build_dir/tests/reporter/test_reporter_contract
what="contract tests on the design of the page"
BUDDYLAB_TEST_PLUGIN=page/largest.so "$contract" >out.txt 2>&1 ||
	fail "$(tail -5 out.txt)"
finish
