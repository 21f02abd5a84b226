#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `buddylab swarm`: what it prints, repeats, refuses, and how it is interrupted.
#
#     test_cli_swarm.sh BUDDYLAB SOURCE_DIR
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# The same cells with one job and with two; the time is the only difference.
counts() { sed 's/; in .* s$//' out.txt; }
expect 0 swarm --seed 5 --cells 12
stdout_has "12 cells: "
stdout_has " 0 violations"
counts >one.txt
expect 0 swarm --seed 5 --cells 12 --jobs 2
counts >two.txt
check "jobs make no difference" diff one.txt two.txt
[[ ! -e out/swarm ]] || fail "nothing failed, but there is a folder"

expect 0 swarm --seed 5 --cells 6 --format json
check "JSON" python3 -c '
import json, sys
o = json.load(open("out.txt"))
assert o["cells"] == 6 == o["passed"] + o["ended"] + o["refused"], o
assert o["violations"] == 0 and o["failures"] == [] and not o["interrupted"]
'

for limit in 0s 999ms 5000000000s 20000000000s; do
	expect 2 swarm --limit $limit
	stderr_has "is not a time from a second to a year"
done

# A cell is an experiment: `run` takes it, and so does swarm itself.
expect 0 swarm --seed 5 --cell 3 --print
cp out.txt cell.ini
expect 0 swarm --seed 5 --cell 3 --print
check "the same text" diff cell.ini out.txt
expect 0 plan cell.ini
expect 0 swarm cell.ini
stdout_has "1 cells: "
write_small
expect 2 swarm small.ini
stderr_has "has 4 cells"
expect 2 swarm missing.ini
stderr_has "missing.ini"

# Programs are read if they are named.
for program in "$source_dir"/tests/data/programs/sort.blt; do
	expect 0 swarm --seed 5 --cells 20 --trace "$program"
done

# A name in a file is relative to the file.
mkdir sub
cp "$source_dir/tests/data/programs/sort.blt" sub
printf '[guest]\nbase = 0\n[phase p]\nworkload = trace\nfile = sort.blt\ntasks = 16\n' \
	>sub/program.ini
expect 0 swarm sub/program.ini
stdout_has "1 cells: 1 passed"

# Scripts for the allocator alone: the same twice, and `step` runs them.
what="step scripts"
expect 0 swarm --step --seed 5 --cells 8 --ops 300
stdout_has "8 cells: 8 passed"
counts >one.txt
expect 0 swarm --step --seed 5 --cells 8 --ops 300 --jobs 2
counts >two.txt
check "jobs make no difference" diff one.txt two.txt
expect 0 swarm --step --seed 5 --cell 3 --ops 300 --print
cp out.txt cell.step
expect 0 swarm --step --seed 5 --cell 3 --ops 300 --print
check "the same script" diff cell.step out.txt
expect 0 step cell.step
[[ $(tail -1 cell.step) = settle ]] || fail "the script does not end with settle"
expect 2 swarm --step cell.step
stderr_has "buddylab step"
expect 2 swarm --step --events 2
expect 2 swarm --ops 300
stderr_has "--ops is for --step"

expect 2 swarm --cells none
stderr_has "'none' is not a number"
expect 2 swarm --budget 60
stderr_has "is not a time"
expect 2 swarm --cell 1 --cells 2
expect 2 swarm --print

# An interrupt ends it with the summary so far.
what="interrupt"
timeout --signal=INT 5 "$buddylab" swarm --seed 5 --budget 60s >out.txt 2>err.txt
status=$?
out=$(cat out.txt)
err=$(cat err.txt)
# 124: timeout has sent its signal; it says nothing of ours.
[[ $status -eq 124 ]] || fail "exit status $status"
stdout_has "interrupted after "
timeout --preserve-status --signal=INT 2 "$buddylab" swarm --budget 60s \
	>/dev/null 2>&1
[[ $? -eq 130 ]] || fail "an interrupt is not status 130"

# Another one while it ends, as timeout sends it to the process and to its group,
# does not cost the summary.
check "many interrupts" python3 - "$buddylab" <<'PY'
import signal, subprocess, sys, time
p = subprocess.Popen([sys.argv[1], "swarm", "--seed", "5", "--budget", "60s"],
                     stdout=subprocess.PIPE, text=True)
time.sleep(3)
while p.poll() is None:
    p.send_signal(signal.SIGINT)
    time.sleep(0.0005)
text = p.stdout.read()
assert p.returncode == 130 and "interrupted after " in text, (p.returncode, text)
PY
finish
