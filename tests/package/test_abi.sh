#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The interface of plugins is the recorded one; and a change of it that forgets
# BUDDYLAB_REPORTER_ABI is found, whichever part of the interface it changes.
#
#     test_abi.sh BUDDYLAB SOURCE_DIR COMPILER
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
export CC=$3
"$CC" --version | grep -q 'Free Software' || CC=gcc
abi=$source_dir/tests/package/abi.sh
what="the tree"
"$abi" >out.txt 2>err.txt
status=$?
if [[ $status -eq 77 ]]; then
	cat err.txt >&2
	exit 77
elif [[ $status -ne 0 ]]; then
	cat out.txt err.txt >&2
	exit 1
fi

# planted STATUS TEXT FILE SED [ARGS...]: abi.sh on a tree with an edit.
planted() {
	local status=$1 text=$2 file=$3 edit=$4
	shift 4
	rm -rf root
	mkdir -p root/tests/data
	cp -r "$source_dir"/{alloc,include,reporter,cmake} root
	cp "$source_dir/tests/data/reporter-abi.txt" root/tests/data
	what="$file with $edit"
	sed -i -e "$edit" "root/$file"
	cmp -s "root/$file" "$source_dir/$file" && fail "the edit changes nothing"
	ROOT=$PWD/root "$abi" "$@" >out.txt 2>err.txt
	got=$?
	out=$(<out.txt) err=$(<err.txt)
	[[ $got -eq $status ]] || fail "exit status $got, expected $status"
	stderr_has "$text"
}

number=$(sed -n 's/^#define BUDDYLAB_REPORTER_ABI //p' \
	"$source_dir/reporter/plugin.h")
raise="raise BUDDYLAB_REPORTER_ABI ($number)"
# A member that is new, another type, one that fits into a hole.
planted 1 "$raise" reporter/reporter.h 's/^struct reporter_ops {/&\nint more;/'
stdout_has "+	int                        more;"
planted 1 "$raise" reporter/env.h 's/^struct reporter_env {/&\nvoid *more;/'
planted 1 "$raise" reporter/counters.h 's/uint64_t rotations;/int64_t rotations;/'
planted 1 "$raise" reporter/request.h 's/bool hypercall;/&\n\tbool more;/'
# Two members that change places, an enumerator, a function's argument.
planted 1 "$raise" reporter/counters.h \
	's/uint64_t rotations;/uint64_t swapped;/; s/gate_skips;/rotations;/'
planted 1 "$raise" alloc/alloc.h 's/^enum alloc_status {/&\n\tALLOC_NEVER,/'
planted 1 "$raise" include/rng.h 's/^void rng_init(/&int more, /'
# A function that is new breaks nothing.
planted 0 "" include/rng.h 's/^void rng_init(/void rng_more(int more);\n&/'
stdout_has "functions are new"
planted 1 "$raise" include/rng.h 's/^void rng_init(/void rng_begin(/'
# The number is raised: the record has to follow, and then it does.
raised="s/^#define BUDDYLAB_REPORTER_ABI .*/#define BUDDYLAB_REPORTER_ABI $((number + 1))/"
planted 1 "recorded is $number" reporter/plugin.h "$raised"
planted 1 "raise it in" reporter/counters.h 's/uint64_t rotations;/int64_t rotations;/' --accept
planted 0 "" reporter/plugin.h "$raised" --accept
sed -i 's/uint64_t rotations;/int64_t rotations;/' root/reporter/counters.h
what="the record after --accept"
if ROOT=$PWD/root "$abi" >out.txt 2>err.txt; then
	fail "an ABI that was accepted may change"
fi
check "the line of the number" \
	grep -qx "BUDDYLAB_REPORTER_ABI $((number + 1))" root/tests/data/reporter-abi.txt
finish
