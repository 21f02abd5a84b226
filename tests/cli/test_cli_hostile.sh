#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Surroundings that work against the program: streams that are closed or full,
# limits, folders that cannot be written, results that were tampered with.
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"

traces=$source_dir/tests/data/traces/memhog
write_small

# status WANT WHAT COMMAND...: exit status of a command of its own making.
status() {
	local want=$1
	what=$2
	shift 2
	"$@" >out.txt 2>err.txt
	local got=$?
	out=$(tr -d '\0' <out.txt)
	err=$(tr -d '\0' <err.txt)
	[[ $got -eq $want ]] || fail "exit status $got, expected $want"
}

expect 0 run small.ini -o kept --format none
want=$(without_wall kept/cells.jsonl)
# same DIR: its results are those of an undisturbed run.
same() {
	[[ $(without_wall "$1/cells.jsonl") == "$want" ]] ||
		fail "$1 has other results"
}

# Nothing arrives: 3, with a reason.
for words in list "list options" --help "plan small.ini" "report kept" \
	"run small.ini -o kept" "compare kept kept"; do
	# shellcheck disable=SC2016
	status 3 "$words >/dev/full" \
		sh -c '"$0" '"$words"' >/dev/full' "$buddylab"
	stderr_has "No space left on device"
	# shellcheck disable=SC2016
	status 3 "$words >&-" sh -c '"$0" '"$words"' >&-' "$buddylab"
	stderr_has "Bad file descriptor"
done

# Closed streams do not become result files.
# shellcheck disable=SC2016
status 3 "all streams closed" \
	sh -c '"$0" run small.ini -o closed <&- >&- 2>&-' "$buddylab"
same closed
# shellcheck disable=SC2016
status 3 "script from a closed stream" sh -c '"$0" step - <&-' "$buddylab"
stderr_has "<stdin>: error: cannot be read"

# Limits: few files, little memory, small files. What is left resumes.
# shellcheck disable=SC2016
status 3 "five files" \
	sh -c 'ulimit -n 5; "$0" run small.ini -o few' "$buddylab"
stderr_has "cannot start workers: Too many open files"
# shellcheck disable=SC2016
status 3 "files of 512 bytes" \
	sh -c 'ulimit -f 1; "$0" run small.ini -o little' "$buddylab"
stderr_has "cannot write: File too large"
[[ -z $(find little -name '*.tmp') ]] || fail "half a file was left behind"
expect 0 run small.ini -o little --format none
same little
cp kept/cells.jsonl baseline.jsonl
# shellcheck disable=SC2016
status 3 "a baseline beyond 512 bytes" \
	sh -c 'ulimit -f 1; "$0" accept kept --baseline baseline.jsonl' \
	"$buddylab"
stderr_has "baseline.jsonl: cannot write: File too large"
check "the old baseline stands" cmp kept/cells.jsonl baseline.jsonl
# What moved can be told as long as the baseline is the old one, not after.
for format in text json; do
	what="accept --format $format to a full device"
	"$buddylab" accept kept --baseline baseline.jsonl --format "$format" \
		>/dev/full 2>err.txt
	got=$?
	[[ $got -eq 3 ]] || fail "exit status $got, not 3"
	grep -q "standard output" err.txt || fail "the message is $(<err.txt)"
	check "the old baseline stands" cmp kept/cells.jsonl baseline.jsonl
done
if ! nm "$buddylab" 2>/dev/null | grep __asan_init >/dev/null; then
	# shellcheck disable=SC2016
	status 3 "30 megabytes" sh -c 'ulimit -v 30000
		"$0" replay "$1/req.txt.zst" --snapshot "$1/before.snap.zst"' \
		"$buddylab" "$traces"
	stderr_has "out of memory"
fi

# Some launchers ignore SIGCHLD, and children inherit that.
xml=$source_dir/tests/data/topologies/square.xml
for words in "run small.ini -o orphans --format none" \
	"swarm --seed 1 --cells 1 --events 0" \
	"plan small.ini --set guest.topology=file:$xml"; do
	# shellcheck disable=SC2016
	status 0 "$words, SIGCHLD ignored" timeout 60 python3 -c '
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], [sys.argv[1]] + sys.argv[2].split())' \
		"$buddylab" "$words"
done
same orphans

# What never ends, or is none.
for file in /dev/zero /dev/full .; do
	expect 3 report $file
	stderr_has "error:"
	expect 3 replay $file --snapshot "$traces/before.snap.zst"
	expect 3 replay "$traces/req.txt.zst" --snapshot $file
	stderr_has "$file"
	expect 2 plan $file
	expect 2 plan small.ini --set host.prices=$file
	expect 2 plan small.ini --set guest.topology=file:$file
done
: >empty
expect 3 replay empty --snapshot "$traces/before.snap.zst"
stderr_is "empty:1: error: the file is empty"
expect 3 replay empty --snapshot empty
stderr_has "the end record is missing"
expect 0 step empty

# Results cut short, emptied, replaced, or made a pipe: run again, no more.
ids=$("$buddylab" plan small.ini | cut -c1-32)
cp -r kept torn
i=0
for id in $ids; do
	file=torn/cells/$id.json
	case $((i++)) in
	0) : >"$file" ;;
	1) head -c 700 "kept/cells/$id.json" >"$file" ;;
	2) rm "$file" && mkfifo "$file" && pipe=$file ;;
	3) rm "torn/series/$id.csv" ;;
	esac
done
expect 0 status small.ini -o torn
stdout_has "0 of 4 cells have a result"
expect 3 run small.ini -o torn --format none
stderr_has "$pipe: cannot write: not a regular file"
stderr_has "1 of 4 cells failed"
rm "$pipe"
expect 0 run small.ini -o torn --format none
same torn
# A device stays what it is.
ln -s /dev/full device
expect 3 check kept --baseline kept --junit device
stderr_has "device: cannot write: not a regular file"
head -c 3000 kept/cells.jsonl >cut.jsonl
expect 3 report cut.jsonl
stderr_has "cut.jsonl:1:"

# Words that no locale reads in another way.
status 0 "Turkish, in India" env LC_ALL=tr_TR.UTF-8 TZ=Asia/Kolkata \
	"$buddylab" run small.ini -o locale --format none
same locale
status 0 "no environment" env -i "$buddylab" list

finish
