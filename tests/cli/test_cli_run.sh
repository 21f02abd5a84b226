#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# From an experiment file to results, by every way that leads there.
# shellcheck source=tests/cli/lib.sh
. "$2/tests/cli/lib.sh"

write_small

# run: the table on stdout, nothing on stderr, results in the folder.
expect 0 run small.ini -o one -j 1
stdout_has "Small"
stdout_has "one"
stderr_empty
[[ $(wc -l <one/cells.jsonl) -eq 4 ]] || fail "not four cells"
expect 0 run small.ini -o two -j 2 --format none
stdout_empty
without_wall one/cells.jsonl >one.txt
without_wall two/cells.jsonl >two.txt
check "-j 1 and -j 2 give the same bytes" cmp one.txt two.txt
expect 0 run small.ini -o two --format jsonl
stderr_has "4 of 4 cells had a result already"
check "jsonl is the file" cmp out.txt two/cells.jsonl

# Without -o: out/NAME.
expect 0 run small.ini --format none --only one --seeds 1
[[ -s out/small/cells.jsonl ]] || fail "no out/small/cells.jsonl"

# plan, status, run-cell, collect: the same results, piece by piece.
expect 0 plan small.ini
plan=$out
[[ $(wc -l <<<"$plan") -eq 4 ]] || fail "not four lines"
expect 0 status small.ini -o three
stdout_has "three: 0 of 4 cells have a result"
expect 3 collect small.ini -o nosuch
stderr_has "nosuch/cells.jsonl: cannot write"
while read -r id _; do
	expect 0 run-cell small.ini --cell "$id" -o three
	stdout_empty
	stderr_empty
	[[ -s three/cells/$id.json && -s three/series/$id.csv ]] ||
		fail "no result"
	stamp=$(stat -c %Y.%i "three/cells/$id.json")
	expect 0 run-cell small.ini --cell "$id" -o three
	[[ $(stat -c %Y.%i "three/cells/$id.json") == "$stamp" ]] ||
		fail "a valid result was computed again"
	[[ -n ${first-} ]] && continue
	first=$id
	expect 3 collect small.ini -o three
	stderr_has "three/cells.jsonl: 1 of 4 cells"
	expect 0 status small.ini -o three --missing
	stdout_has "1 of 4 cells have a result"
	stdout_has "variant two, seed 2"
done <<<"$plan"
expect 0 collect small.ini -o three
without_wall three/cells.jsonl >three.txt
check "run-cell gives what run gives" cmp one.txt three.txt

# The commands of plan, run by a shell and by make.
PATH=$(dirname "$buddylab"):$PATH
# For scripts.
for words in "plan small.ini" "status small.ini -o three"; do
	# shellcheck disable=SC2086
	expect 0 $words --format json
	check "$words is JSON" python3 -m json.tool out.txt /dev/null
done
expect 0 status small.ini -o nothing --format json
[[ $(grep -c '"id": ' out.txt) -eq 4 ]] || fail "not four cells"
stdout_has '"cells": 4,'
stdout_has '"done": 0,'
stdout_has '"variant": "one"'
expect 2 status small.ini --format xml
stderr_has "unknown format 'xml'; allowed are text and json"

expect 0 plan small.ini -o four --format commands --set "guest.memory=64M"
[[ $(wc -l <<<"$out") -eq 4 ]] || fail "not four commands"
sh -e out.txt >/dev/null || fail "a command failed"
expect 0 collect small.ini -o four
without_wall four/cells.jsonl >four.txt
check "the commands of plan do the same" cmp one.txt four.txt
if command -v make >/dev/null; then
	expect 0 plan small.ini -o five --format make
	make -s -f out.txt -j 2 >make.txt 2>&1 || fail "make: $(cat make.txt)"
	without_wall five/cells.jsonl >five.txt
	check "make does the same" cmp one.txt five.txt
fi
# A result that cannot be read is neither there nor missing.
cp -r three odd
ln -sf "$first.json" "odd/cells/$first.json"
for format in list json commands make parallel slurm; do
	expect 3 plan small.ini -o odd --missing --format $format
	stderr_has "plan: error: odd/cells/$first.json: cannot read: Too many"
	stdout_empty
	expect 0 plan small.ini -o odd --format $format
done
expect 3 status small.ini -o odd
stderr_has "status: error: odd/cells/$first.json: cannot read: Too many"

expect 0 plan small.ini -o six --format slurm
stdout_has "--array=0-3 "
# `%` begins a word of sbatch's own; a thousand tasks are as many as it takes.
expect 0 plan small.ini -o 'a%b' --format slurm
stdout_has "--output=a%%b/slurm/%A_%a.log "
stdout_has "--output=a%%b/slurm/%j.log "
expect 0 plan small.ini -o six --format slurm --chunk 1 --seeds 1..600
stderr_has "warning: 1200 tasks; Slurm takes 1001 in an array unless"
stderr_has "--chunk 2"
expect 0 plan small.ini -o six --format slurm
# A stand-in that keeps what is submitted; the real one is in tests/engines.
mkdir bin
cat >bin/sbatch <<-'SBATCH'
	#!/bin/sh
	echo "$*" >>submitted.txt
	cat >"job.$(wc -l <submitted.txt)"
	echo "7;cluster"
SBATCH
chmod +x bin/sbatch
cp out.txt six.sh
what="the script for Slurm"
PATH=$PWD/bin:$PATH sh six.sh --partition=long >/dev/null || fail "it fails"
grep -q -- "--dependency=afterany:7 .*--partition=long" submitted.txt ||
	fail "$(cat submitted.txt)"
SLURM_ARRAY_TASK_ID=2 sh job.1 || fail "the job array's third task failed"
third=$(sed -n '3s/ .*//p' <<<"$plan")
[[ -s six/cells/$third.json ]] || fail "it ran another cell"
expect 0 plan small.ini -o six --format slurm --missing --chunk 2
stdout_has "--array=0-1 "
[[ $out != *"$third"* ]] || fail "the cell that is there is run again"
cp out.txt six.sh
PATH=$PWD/bin:$PATH sh six.sh >/dev/null
for task in 0 1; do
	SLURM_ARRAY_TASK_ID=$task sh job.3 || fail "chunk $task failed"
done
sh job.4 2>/dev/null
without_wall six/cells.jsonl >six.txt
check "Slurm's jobs do the same" cmp one.txt six.txt
expect 0 plan small.ini -o six --missing
stdout_empty
expect 0 plan small.ini -o six --format slurm --missing
[[ $out != *--array* ]] || fail "there is nothing to do"
expect 2 plan small.ini --format make --chunk 2
stderr_has "--chunk is for --format slurm"
expect 2 plan small.ini --format slurm --chunk 0
stderr_has "chunk"

# Ctrl-C: 130, finished cells are kept, the same command goes on.
cat >slow.ini <<-'INI'
	[guest]
	memory = 512M
	[phase measure]
	workload = page_fault1
	duration = 1ms,1000m
INI
quick=$("$buddylab" plan slow.ini | sed -n '1s/ .*//p')
what="buddylab run slow.ini, interrupted"
setsid "$buddylab" run slow.ini -o slow -j 1 >out.txt 2>err.txt &
pid=$!
for _ in $(seq 500); do
	[[ -s slow/cells/$quick.json ]] && break
	sleep 0.02
done
kill -INT "$pid"
wait "$pid"
[[ $? -eq 130 ]] || fail "exit status is not 130"
out=$(cat out.txt)
err=$(cat err.txt)
stdout_empty
stderr_is "interrupted: 1 of 2 cells have a result; to go on: buddylab run slow.ini -o slow"
expect 0 run slow.ini -o slow --set phase.measure.duration=1ms
stderr_has "1 of 1 cells had a result already"

# A recorded kernel through reporter and host: what the real host saw.
expect 0 run "$source_dir/bench/experiments/recorded-host.ini" -o rec \
	--format none
steps=$(awk -F, 'NR > 1 { kib = $5 * 4; if (kib < max && kib != last)
	printf " %d", kib; if (kib > max) max = kib; last = kib }
	END { print " of", max }' rec/series/*.csv)
[[ $steps == " 606208 344064 102400 of 862208" ]] ||
	fail "resident memory in kB:$steps"

finish
