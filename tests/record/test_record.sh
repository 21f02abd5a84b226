# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/cli/lib.sh
# `buddylab record`: the recording of a known program page by page; threads,
# forks, crashes and signals; what cannot be recorded; and the recording as a
# workload.
target=$3
source "$(dirname "$0")/../cli/lib.sh" "$@"

"$buddylab" record -q -o probe.blt -- true 2>probe.txt
if [[ $? -eq 3 ]] && grep -q 'may not be traced' probe.txt; then
	cat probe.txt
	exit 77
fi

# record NAME STATUS SCENARIO: pages are looked at only when they go. Page 30 was
# read and is the shared page of zeroes; page 5 is touched before MADV_FREE.
record() {
	expect "$2" record --sample 60m -o "$1.blt" -- "$target" "$3"
}

# Operations of NAME from address $2 to $3 (hexadecimal), as "op addr len".
operations() {
	"$buddylab" export "$1.blt" |
		sed -n 's/.*buddylab \([a-z_]*\) addr=\(0x[0-9a-f]*\) len=\([0-9]*\).*/\1 \2 \3/p' |
		while read -r op addr len; do
			((addr >= $2 && addr < $3)) &&
				echo "$op $((addr / 4096 % 4096)) $((len / 4096))"
		done
}

same() {
	what=$1
	diff -u wanted.txt got.txt || fail "another recording"
}

record pages 0 pages
operations pages 0x10000000 0x20000000 >got.txt
cat >wanted.txt <<-'END'
	map 0 64
	touch 0 4
	dontneed 0 4
	touch 5 1
	free 5 1
	hugepage 32 8
	touch 8 2
	touch 20 1
	unmap 8 16
	touch 2 1
	touch 4 1
	touch 6 2
	touch 40 2
	unmap 0 8
	unmap 24 40
END
same "pages"

record moves 0 moves
operations moves 0x10000000 0x30000000 >got.txt
cat >wanted.txt <<-'END'
	map 0 8
	touch 1 2
	map 8 8
	touch 12 1
	unmap 0 16
	map 0 16
	touch 1 2
	touch 12 1
	unmap 0 16
END
same "moves"

# The child's copies are its own; it shares the rest until it goes.
record forks 0 forks
operations forks 0x10000000 0x20000000 >got.txt
cat >wanted.txt <<-'END'
	map 0 16
	touch 0 16
	map 0 16
	touch 3 3
	unmap 0 16
	unmap 0 16
END
same "forks"
stderr_has "1 fork"
stderr_has "tasks = 2"

record threads 0 threads
for base in 0x10000000 0x30000000 0x50000000 0x70000000; do
	operations threads $base $((base + 0x1000000)) >>got4.txt
done
printf 'map 0 4\ntouch 0 4\nunmap 0 4\n%.0s' 1 2 3 4 >wanted.txt
mv got4.txt got.txt
same "threads"
stderr_has "of 1 address spaces"

# A crash is an end like others: 128 + SIGABRT, and what was there.
record crashes 134 crashes
operations crashes 0x10000000 0x20000000 >got.txt
printf 'map 0 4\ntouch 0 3\n' >wanted.txt
same "crashes"

# Status and output of the program, its children, what they run.
expect 7 record -o a.blt -- sh -c 'exit 7'
expect 0 record -o a.blt -- sh -c "$target pages; $target forks; echo done"
stdout_has "done"
[[ $(operations a 0x10000000 0x20000000 | grep -c 'map 0 64') -eq 1 ]] ||
	fail "not the program of a child"
expect 127 record -o none.blt -- ./no-such-program
stderr_has "no-such-program"
expect 126 record -o none.blt -- "$source_dir/LICENSE"
[[ ! -e none.blt ]] || fail "a file without a program"
expect 2 record -o none.blt
expect 2 record --sample 1us -- true
expect 3 record -o no/such/place.blt -- sh -c 'echo ran'
stderr_has "no/such/place"
stdout_empty

# SIGTERM goes to the program; stopped and continued it is the same.
"$buddylab" record -q -o wait.blt -- "$target" waits >wait.txt &
recorder=$!
for _ in $(seq 100); do
	grep -q ready wait.txt 2>/dev/null && break
	sleep 0.1
done
traced=$(pgrep -P "$recorder" 2>/dev/null | head -1)
if [[ -n $traced ]]; then
	kill -STOP "$traced"
	sleep 0.1
	kill -CONT "$traced"
fi
kill -TERM "$recorder"
wait "$recorder"
got=$?
what="SIGTERM to the recorder"
[[ $got -eq 42 ]] || fail "exit status $got, not the program's 42"
grep -q 'signal 15' wait.txt || fail "the program saw no signal"
expect 0 info wait.blt

# The recorder ignores SIGXFSZ; the program must not find it so.
what="ignored signals"
(
	ulimit -c 0
	"$buddylab" record -q -o xfsz.blt -- sh -c 'kill -XFSZ $$; exit 0'
)
got=$?
[[ $got -eq 153 ]] || fail "exit status $got, not 128 and SIGXFSZ"

# Traced are the program and its children, nobody else. A shell that becomes the
# recorder leaves it children of its own: not traced, and not waited for.
what="processes that were there before"
cat >before.sh <<'SH'
sleep 60 &
echo $! >sleeper
echo $$ >recorder
exec "$1" record -q -o own.blt -- sh -c 'for pid in self $(cat sleeper) 1; do
	sed -n "s/^TracerPid:[[:space:]]*/$pid /p" /proc/$pid/status
done'
SH
timeout 50 sh before.sh "$buddylab" >traced.txt 2>&1
got=$?
out=$(cat traced.txt) err=
[[ $got -eq 0 ]] || fail "exit status $got: waits for a child that it was left"
[[ $out == "self $(cat recorder)
$(cat sleeper) 0
1 "* ]] || fail "not the tracer of its program alone"
kill -0 "$(cat sleeper)" || fail "the other child is gone"
kill "$(cat sleeper)"
"$buddylab" export own.blt >own.txt
grep -q "[^0-9]$(cat sleeper)[^0-9]" own.txt && fail "another process recorded"

# A set-uid program gets no rights while it is traced.
expect 0 record -q -o a.blt -- grep NoNewPrivs /proc/self/status
[[ $out == *1 ]] || fail "new privileges under the recorder"

# A recorder that is killed takes the program along: none runs on without the
# calls that halt.
what="kill -9 of the recorder"
"$buddylab" record -q -o killed.blt -- "$target" waits >killed.txt &
recorder=$!
for _ in $(seq 100); do
	grep -q ready killed.txt 2>/dev/null && break
	sleep 0.1
done
traced=$(pgrep -P "$recorder" 2>/dev/null | head -1)
kill -KILL "$recorder"
wait "$recorder" 2>/dev/null
for _ in $(seq 50); do
	[[ -n $traced && -e /proc/$traced/exe ]] || break
	sleep 0.1
done
[[ -n $traced && ! -e /proc/$traced/exe ]] || fail "the program runs on"
[[ ! -e killed.blt ]] || fail "half a recording"

# Variables that other commands clear are the program's.
export HWLOC_XMLFILE=machine.xml
expect 0 record -o environment.blt -- env
stdout_has "HWLOC_XMLFILE=machine.xml"
unset HWLOC_XMLFILE

# No room for the file: an error, the program's work is done.
what="no room"
(
	trap '' XFSZ
	ulimit -f 0
	"$buddylab" record -o full.blt -- sh -c 'echo worked | cat' 2>&1
	echo "status $?"
) | cat >full.txt
out=$(cat full.txt) err=
stdout_has "status 3"
stdout_has "full.blt"
[[ ! -e full.blt ]] || fail "half a file"

# Twice the same, but for time and pids.
record again 0 pages
"$buddylab" export pages.blt | sed 's/.*buddylab/x/' >one.txt
"$buddylab" export again.blt | sed 's/.*buddylab/x/' >two.txt
check "same addresses" cmp one.txt two.txt

# A program is nothing for the allocator alone.
expect 3 replay pages.blt --snapshot \
	"$source_dir/tests/data/traces/page_fault1-thp/before.snap.zst"
stderr_has "workload = trace"

# As a workload: it runs, and needs a task for each process at a time.
cat >run.ini <<-'INI'
	[experiment]
	title = Recorded
	[guest]
	memory = 256M
	[reporter]
	design = page_reporting
	[phase run]
	workload = trace
	file = forks.blt
	tasks = 2
INI
expect 0 run run.ini -o first
expect 0 run run.ini -o second
digest_of() {
	grep -o '"digest":"[0-9a-f]*"' "$1/cells.jsonl"
}
check "one digest" test "$(digest_of first)" = "$(digest_of second)"
expect 0 run run.ini -o fast --set phase.run.pace=none
expect 3 run run.ini -o few --set phase.run.tasks=1
stderr_has "tasks = 2"
expect 3 run run.ini -o snapshot --set phase.run.before=forks.blt
stderr_has "error"

finish
