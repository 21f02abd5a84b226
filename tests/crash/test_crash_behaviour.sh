#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What went wrong once, at the very point where it did: signals during import,
# record, bench and run, results that vanish, a reader that has gone.
# shellcheck source=tests/cli/lib.sh
source "$2/tests/cli/lib.sh" "$1" "$2"

export TMPDIR=$scratch/tmp
mkdir "$TMPDIR"

# until_there PATTERN: up to 10 s for a file of that name.
until_there() {
	for _ in $(seq 500); do
		compgen -G "$1" >/dev/null && return
		sleep 0.02
	done
	fail "no $1 within 10 s"
}

nothing_left() {
	local left

	left=$(find . -name '.*.tmp'
		ls "$TMPDIR")
	[[ -z $left ]] || fail "left behind: $left"
}

# A signal is not ignored in the background of this script.
start() {
	python3 -c 'import os, signal, sys
for s in (signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE):
    signal.signal(s, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$buddylab" "$@" &
	pid=$!
}

ended_with() {
	local got

	wait "$pid"
	got=$?
	[[ $got -eq $1 ]] || fail "exit status $got, not $1"
}

"$buddylab" export "$source_dir/tests/data/streams/page_fault1-6.1.blt" >t.txt
mkfifo pipe
for sig in INT:130 TERM:143 HUP:129 PIPE:141; do
	what="import, SIG${sig%:*} while it reads"
	start import pipe -o t.blt >out.txt 2>err.txt
	exec 9>pipe
	cat t.txt >&9
	until_there '.t.blt.0.tmp'
	kill "-${sig%:*}" "$pid"
	ended_with "${sig#*:}"
	exec 9>&-
	nothing_left
	[[ ! -e t.blt ]] || fail "half a trace"
done

what="record, killed; the next one cleans up"
start record -q -o r.blt -- sleep 20
until_there '.r.blt.0.tmp'
kill -KILL "$pid"
ended_with 137
expect 0 record -q -o r.blt -- true
nothing_left

what="bench, SIGTERM while its folder is there"
start bench replay --repeat 1 >out.txt 2>err.txt
until_there "$TMPDIR/buddylab-tmp-*"
kill -TERM "$pid"
ended_with 143
nothing_left

what="bench, killed; its child ends and cleans up"
start bench replay --repeat 1 >out.txt 2>err.txt
until_there "$TMPDIR/buddylab-tmp-*"
kill -KILL "$pid"
ended_with 137
for _ in $(seq 500); do
	[[ -z $(ls "$TMPDIR") ]] && break
	sleep 0.02
done
nothing_left

cat >slow.ini <<-'INI'
	[experiment]
	title = Slow
	seeds = 1
	[guest]
	memory = 512M
	[phase measure]
	workload = page_fault1
	duration = 1ms,20s
INI
what="run under nohup, SIGHUP"
(
	trap '' HUP
	exec "$buddylab" run slow.ini -o hup -j 1 --format none
) >out.txt 2>err.txt &
pid=$!
until_there 'hup/cells/*.json'
kill -HUP "$pid"
ended_with 0
nothing_left

what="run, a result is removed before the end"
start run slow.ini -o gone -j 1 >out.txt 2>err.txt
until_there 'gone/cells/*.json'
rm gone/cells/*.json
ended_with 3
err=$(<err.txt)
stderr_has "1 results of 2 are gone from gone"
expect 0 run slow.ini -o gone --format none

what="a reader that has gone, SIGPIPE ignored"
(
	trap '' PIPE
	"$buddylab" list options 2>err.txt
	echo $? >code.txt
) | true
err=$(<err.txt)
stderr_empty

what="report, a folder whose name holds a line break"
"$buddylab" run slow.ini -o $'a\nb' --set phase.measure.duration=1ms \
	--format none 2>err.txt
if type gnuplot >/dev/null 2>&1; then
	expect 0 report $'a\nb' --format html
	grep -q 'src="data:image/svg' <<<"$out" || fail "no picture"
fi

# A gnuplot that dies, or does not notice that the disk is full, in the middle.
what="plot, half a picture"
"$buddylab" run slow.ini -o plots --set phase.measure.duration=1ms \
	--format none 2>err.txt
mkdir bin plots/figures
echo "the earlier picture" >plots/figures/footprint.svg
cat >bin/gnuplot <<-'GNUPLOT'
	#!/bin/sh
	name=$(echo "$3" | sed "s/.*'\(.*\)'.*/\1/")
	echo '<svg>half of it' >"$name"
	[ "$HALF" != killed ] || kill -9 $$
GNUPLOT
chmod +x bin/gnuplot
for half in killed unnoticed; do
	HALF=$half PATH=$PWD/bin:$PATH "$buddylab" plot plots --terminal svg \
		--figure footprint >out.txt 2>err.txt
	got=$?
	[[ $got -eq 3 ]] || fail "exit status $got, not 3"
	[[ $(<plots/figures/footprint.svg) == "the earlier picture" ]] ||
		fail "half a picture"
	nothing_left
done

# Output that arrives nowhere is a failure of every command that has some.
"$buddylab" run slow.ini -o full --set phase.measure.duration=1ms \
	--format none 2>err.txt
cp "$source_dir/tests/data/streams/page_fault1-6.1.blt" in.blt
while read -r line; do
	read -ra words <<<"$line"
	for to in "a full device" "a closed stream"; do
		what="buddylab $line, to $to"
		if [[ $to == "a full device" ]]; then
			"$buddylab" "${words[@]}" </dev/null >/dev/full 2>err.txt
		else
			"$buddylab" "${words[@]}" </dev/null >&- 2>err.txt
		fi
		got=$?
		err=$(<err.txt)
		[[ $got -eq 3 ]] || fail "exit status $got, not 3"
		[[ -n $err ]] || fail "no message"
	done
done <<-'COMMANDS'
	--help
	--version
	help run
	run --help
	list options
	info in.blt
	export in.blt
	export in.blt --format perfetto
	import in.blt -o out.blt
	plan slow.ini
	plan slow.ini --format slurm
	status slow.ini -o full
	report full --format cover
	report full --format csv
	report full --format html
	compare full full
	compare full full --format json
	check full --baseline full --tap
	accept full --baseline full
	run slow.ini -o full --set phase.measure.duration=1ms
	run slow.ini -o full --set phase.measure.duration=1ms --format jsonl
	bench --list
	completion bash
COMMANDS
finish
